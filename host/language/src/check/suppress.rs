//! `-- moonlet: allow(code)`: silences a code on its line, and is reported if it silences nothing.

use super::Program;
use crate::diagnostic::Diagnostic;
use crate::syntax::Parsed;

/// More comments than this are not looked at: each is compared with each report.
const MAX_SUPPRESSIONS: usize = 10_000;

struct Suppression {
    /// The line on which it stands, or the next one if it stands alone.
    line: usize,
    code: String,
    span: std::ops::Range<usize>,
    used: bool,
}

/// Takes out what the file silences.
pub(super) fn apply(program: &Program<'_>, parsed: &Parsed, diagnostics: &mut Vec<Diagnostic>) {
    if !program.source.contains("moonlet:") {
        return;
    }
    let starts: Vec<usize> = std::iter::once(0).chain(program.source.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut suppressions = find(program.source, parsed, &starts);
    let line_of = |offset: usize| starts.partition_point(|start| *start <= offset);
    diagnostics.retain(|diagnostic| {
        let Some(label) = &diagnostic.primary else { return true };
        let first = line_of(label.span.start);
        let last = line_of(label.span.end.max(label.span.start + 1) - 1);
        let mut kept = true;
        for suppression in &mut suppressions {
            if suppression.code == diagnostic.code && (first..=last).contains(&suppression.line) {
                suppression.used = true;
                kept = false;
            }
        }
        kept
    });
    for unused in suppressions.iter().filter(|suppression| !suppression.used) {
        let code = &unused.code;
        let known = crate::explain::explain(code).is_some();
        let message =
            if known { format!("nothing here is reported as `{code}`") } else { format!("there is no code `{code}` to allow") };
        diagnostics.push(
            Diagnostic::warning("unused-allow", message).at(program.file, unused.span.clone(), "").help("remove the comment"),
        );
    }
}

fn find(source: &str, parsed: &Parsed, starts: &[usize]) -> Vec<Suppression> {
    let mut found = Vec::new();
    for comment in &parsed.ast.comments {
        let text = comment.text(source);
        let Some(rest) = text.strip_prefix("--").map(str::trim_start).and_then(|text| text.strip_prefix("moonlet:")) else {
            continue;
        };
        let Some(inner) = rest.trim_start().strip_prefix("allow(").and_then(|rest| rest.split(')').next()) else { continue };
        let start = comment.start as usize;
        if found.len() >= MAX_SUPPRESSIONS {
            break;
        }
        let line = starts.partition_point(|at| *at <= start);
        let line_start = starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let alone = source.get(line_start..start).unwrap_or("").trim().is_empty();
        let line = if alone { line + 1 } else { line };
        for code in inner.split(',') {
            found.push(Suppression { line, code: code.trim().to_owned(), span: comment.range(), used: false });
        }
    }
    found
}
