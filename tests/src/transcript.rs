//! Transcripts: commands with the output that a reader is promised, in Markdown or alone in a file.
//!
//! ```text
//! $ moonlet run tests/cli/exit-code -x app:main 3
//! what it writes to standard output
//! ...
//! a line with [..] in it
//! [stderr]
//! what it writes to standard error
//! ? 3
//! ```
//!
//! A line `...` stands for any number of lines, `[..]` for any text within one line. Without `[stderr]` nothing may be
//! written there; without `?` the exit code is 0. `< PATH` at the end of a command gives it a standard input. A line
//! that starts with `# ` is a remark about the command that follows.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::run::{Finished, Run};

/// Any number of lines.
const ANY_LINES: &str = "...";
/// Any text within a line.
const ANY_TEXT: &str = "[..]";
/// What follows is standard error.
const STDERR: &str = "[stderr]";

/// One command and what it must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Remarks above the command, for readers.
    pub remarks: Vec<String>,
    /// The whole command line, without the prompt.
    pub command: String,
    /// Expected lines on standard output.
    pub stdout: Vec<String>,
    /// Expected lines on standard error.
    pub stderr: Vec<String>,
    /// Expected exit code.
    pub code: i32,
}

/// Reads the steps of one transcript.
///
/// # Errors
///
/// When a line stands before the first command, or an exit code is not a number.
pub fn parse(text: &str) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    let mut remarks = Vec::new();
    let mut in_stderr = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            in_stderr = false;
            steps.push(Step {
                remarks: std::mem::take(&mut remarks),
                command: command.trim().to_owned(),
                stdout: Vec::new(),
                stderr: Vec::new(),
                code: 0,
            });
            continue;
        }
        if line.starts_with("# ") {
            remarks.push(line.to_owned());
            continue;
        }
        let Some(step) = steps.last_mut() else {
            if line.is_empty() {
                continue;
            }
            return Err(format!("a transcript begins with `$ moonlet ...`, not with {line:?}"));
        };
        if line == STDERR {
            in_stderr = true;
        } else if let Some(code) = line.strip_prefix("? ") {
            step.code = code.trim().parse().map_err(|error| format!("not an exit code: {code:?}: {error}"))?;
        } else if in_stderr {
            step.stderr.push(line.to_owned());
        } else {
            step.stdout.push(line.to_owned());
        }
    }
    for step in &mut steps {
        trim_end(&mut step.stdout);
        trim_end(&mut step.stderr);
    }
    Ok(steps)
}

/// Where the ```` ```console ```` blocks of a Markdown text are, fences excluded.
pub fn console_blocks(markdown: &str) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut start = None;
    let mut offset = 0;
    for line in markdown.split_inclusive('\n') {
        let end = offset + line.len();
        match (start, line.trim_end()) {
            (None, "```console") => start = Some(end),
            (Some(begin), "```") => {
                blocks.push(begin..offset);
                start = None;
            }
            _ => {}
        }
        offset = end;
    }
    blocks
}

/// Runs a step and gives back what really happened.
///
/// # Errors
///
/// When the command is not one of `moonlet`, or does not end.
pub fn perform(step: &Step) -> Result<Finished, String> {
    let mut words = words(&step.command)?;
    let mut stdin: Option<PathBuf> = None;
    if let Some(at) = words.iter().position(|word| word == "<") {
        let path = words.get(at + 1).ok_or("a path must follow `<`")?;
        stdin = Some(crate::binary::repository().join(path));
        words.truncate(at);
    }
    match words.split_first() {
        Some((program, arguments)) if program == "moonlet" => Run::start(arguments, stdin.as_deref())?.finish(),
        _ => Err(format!("a transcript runs `moonlet` only, not {:?}", step.command)),
    }
}

/// Compares what happened with what the step promises; the difference is for people.
///
/// # Errors
///
/// The difference.
pub fn compare(step: &Step, finished: &Finished) -> Result<(), String> {
    let mut wrong = Vec::new();
    if finished.code != Some(step.code) {
        let signal = finished.signal.map(|signal| format!(" (signal {signal})")).unwrap_or_default();
        wrong.push(format!("exit code: expected {}, got {:?}{signal}", step.code, finished.code));
    }
    for (name, expected, actual) in [("stdout", &step.stdout, &finished.stdout), ("stderr", &step.stderr, &finished.stderr)] {
        let actual: Vec<&str> = actual.lines().collect();
        if !lines_match(expected, &actual) {
            let at = expected.iter().zip(&actual).position(|(want, got)| want == ANY_LINES || !text_matches(want, got));
            let at = at.unwrap_or_else(|| expected.len().min(actual.len())) + 1;
            wrong.push(format!(
                "{name} differs from line {at} on\n--- expected\n{}\n--- got\n{}",
                expected.join("\n"),
                actual.join("\n")
            ));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("$ {}\n{}", step.command, wrong.join("\n"))) }
}

/// Gives the step that what happened would have satisfied. An end by signal counts as a negative exit code.
fn happened(step: &Step, finished: &Finished) -> Step {
    let lines = |text: &str| text.lines().map(str::to_owned).collect();
    Step {
        remarks: step.remarks.clone(),
        command: step.command.clone(),
        stdout: lines(&finished.stdout),
        stderr: lines(&finished.stderr),
        code: finished.code.or(finished.signal.map(|signal| -signal)).unwrap_or(-1),
    }
}

fn write(step: &Step) -> String {
    let prompt = format!("$ {}", step.command);
    let mut lines: Vec<&str> = step.remarks.iter().map(String::as_str).collect();
    lines.push(&prompt);
    lines.extend(step.stdout.iter().map(String::as_str));
    if !step.stderr.is_empty() {
        lines.push(STDERR);
        lines.extend(step.stderr.iter().map(String::as_str));
    }
    let code = format!("? {}", step.code);
    if step.code != 0 {
        lines.push(&code);
    }
    lines.join("\n") + "\n"
}

fn trim_end(lines: &mut Vec<String>) {
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
}

fn lines_match<S: AsRef<str>>(expected: &[S], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.iter().all(|line| line.is_empty()),
        Some((first, rest)) if first.as_ref() == ANY_LINES => {
            (0..=actual.len()).any(|skip| actual.get(skip..).is_some_and(|left| lines_match(rest, left)))
        }
        Some((first, rest)) => match actual.split_first() {
            Some((line, left)) => text_matches(first.as_ref(), line) && lines_match(rest, left),
            None => false,
        },
    }
}

fn text_matches(expected: &str, actual: &str) -> bool {
    match expected.split_once(ANY_TEXT) {
        None => expected == actual,
        Some((before, after)) => actual.strip_prefix(before).is_some_and(|left| {
            left.char_indices().map(|(at, _)| at).chain([left.len()]).any(|at| text_matches(after, &left[at..]))
        }),
    }
}

/// Splits a command at blanks; quotes, single or double, keep blanks together.
fn words(command: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in command.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(character),
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t') => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    if quote.is_some() { Err(format!("a quote is not closed in {command:?}")) } else { Ok(words) }
}

/// Checks a transcript file: `README.md` by its console blocks, anything else as a whole.
///
/// With `update`, steps that differ are replaced by what happened, and the file is written.
///
/// # Errors
///
/// Every difference of the file.
pub fn check_file(path: &Path, update: bool) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let is_markdown = path.extension().is_some_and(|extension| extension == "md");
    let blocks = if is_markdown { console_blocks(&text) } else { vec![Range { start: 0, end: text.len() }] };
    let mut differences = Vec::new();
    let mut steps = 0;
    let mut updated = String::new();
    let mut written = 0;
    for block in blocks {
        let source = text.get(block.clone()).unwrap_or_default();
        updated.push_str(text.get(written..block.start).unwrap_or_default());
        written = block.end;
        let mut shown = Vec::new();
        for step in parse(source)? {
            steps += 1;
            let finished = perform(&step)?;
            let difference = compare(&step, &finished).err();
            shown.push(write(&if difference.is_some() { happened(&step, &finished) } else { step }));
            differences.extend(difference);
        }
        updated.push_str(&shown.join(if is_markdown { "" } else { "\n" }));
    }
    updated.push_str(text.get(written..).unwrap_or_default());
    if steps == 0 {
        return Err(format!("no command in {}", path.display()));
    }
    if update && !differences.is_empty() {
        std::fs::write(path, updated).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        return Ok(());
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]
mod tests {
    use super::{Finished, Step, compare, console_blocks, parse, words, write};

    fn finished(stdout: &str, stderr: &str, code: i32) -> Finished {
        Finished { stdout: stdout.to_owned(), stderr: stderr.to_owned(), code: Some(code), signal: None }
    }

    fn step(text: &str) -> Step {
        parse(text).unwrap().remove(0)
    }

    #[test]
    fn reads_both_streams_and_the_exit_code() {
        let text = "# a remark\n$ moonlet version\none\n[stderr]\ntwo\n? 3\n";
        let step = step(text);
        assert_eq!(write(&step), text);
        assert_eq!(step.command, "moonlet version");
        assert_eq!((step.stdout, step.stderr, step.code), (vec!["one".to_owned()], vec!["two".to_owned()], 3));
    }

    #[test]
    fn wildcards_stand_for_text_and_for_lines() {
        let step = step("$ moonlet x\nfirst\n...\nid [..] end\n");
        assert!(compare(&step, &finished("first\na\nb\nid 17 end\n", "", 0)).is_ok());
        assert!(compare(&step, &finished("first\nid 17 end\n", "", 0)).is_ok());
        assert!(compare(&step, &finished("first\nid 17 ends\n", "", 0)).is_err());
    }

    #[test]
    fn says_where_the_output_differs() {
        let difference = compare(&step("$ moonlet x\na\nb\n"), &finished("a\nc\n", "oh", 1)).unwrap_err();
        for part in ["exit code: expected 0, got Some(1)", "stdout differs from line 2", "stderr differs from line 1"] {
            assert!(difference.contains(part), "{part:?} is missing in {difference}");
        }
    }

    #[test]
    fn finds_console_blocks_only() {
        let text = "x\n```lua\n$ no\n```\n```console\n$ moonlet a\n```\n";
        let blocks = console_blocks(text);
        assert_eq!(blocks.len(), 1);
        assert_eq!(&text[blocks[0].clone()], "$ moonlet a\n");
    }

    #[test]
    fn quotes_keep_blanks() {
        assert_eq!(words("moonlet run 'a b' \"\" c").unwrap(), ["moonlet", "run", "a b", "", "c"]);
        assert!(words("moonlet 'a").is_err());
    }
}
