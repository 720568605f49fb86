//! `moonlet registry history` and `diff`: what was kept of earlier versions.

use std::path::Path;

use moonlet_modules::Chronicle;
use moonlet_registry::{Change, ChangeKind, Entry, HistoryPlace, Registry, Snapshot};
use serde_json::Value;

use crate::arguments::{DiffArguments, HistoryArguments};
use crate::failure::Failure;
use crate::output;
use crate::project::load_project;

/// Ids that one line names.
const MAX_NAMED: usize = 3;

pub(super) fn history(arguments: &HistoryArguments) -> Result<(), Failure> {
    let (chronicle, _) = chronicle(&arguments.directory)?;
    let current = |id: u64| if id == chronicle.kept.current { "current" } else { "" };
    let first = ["v1".to_owned(), String::new(), current(1).to_owned(), format!("{} entries", chronicle.kept.base.len())];
    let rows = chronicle.versions.iter().map(|(record, at)| {
        let mark = match record.version.parent {
            // A version that does not follow the one before it was made after going back.
            Some(parent) if parent + 1 != record.version.id => format!("after v{parent} {}", current(record.version.id)),
            _ => current(record.version.id).to_owned(),
        };
        [format!("v{}", record.version.id), time(*at), mark.trim_end().to_owned(), summary(&record.changes)]
    });
    super::table(std::iter::once(first).chain(rows));
    Ok(())
}

pub(super) fn diff(arguments: &DiffArguments) -> Result<(), Failure> {
    let mut words = arguments.place.as_slice();
    let mut directory = ".";
    if let Some((first, rest)) = words.split_first()
        && number(first).is_none()
    {
        (directory, words) = (first, rest);
    }
    let (chronicle, registry) = chronicle(Path::new(directory))?;
    let current = chronicle.kept.current;
    let read = |word: &String| {
        let failure = || Failure::message(format!("`{word}` is no version")).help("write a number, such as `3` or `v3`").usage();
        number(word).ok_or_else(failure)
    };
    let (from, to) = match words {
        [] => (1, current),
        [to] => {
            let to = read(to)?;
            let known = chronicle.versions.iter().find(|(record, _)| record.version.id == to);
            (known.and_then(|(record, _)| record.version.parent).unwrap_or(1), to)
        }
        [from, to, ..] => (read(from)?, read(to)?),
    };
    let at = |version: u64| registry.snapshot_at(version).map_err(|error| Failure::message(error.to_string()));
    let mut differences = changes(&at(from)?, &at(to)?);
    differences.sort_by(|one, other| one.id.cmp(&other.id));
    for change in &differences {
        print(change);
    }
    if differences.is_empty() {
        output::error(&format!("v{from} and v{to} are the same"));
    }
    Ok(())
}

fn chronicle(directory: &Path) -> Result<(Chronicle, Registry), Failure> {
    let loaded = load_project(directory, &crate::arguments::ProjectArguments::default())?;
    let HistoryPlace::Sqlite(path) = &loaded.project.config.history else {
        let help = "write `registry: { history: sqlite }` in `moonlet.yaml`; without it, versions end with the node";
        return Err(Failure::message("this application keeps no history").help(help));
    };
    let shown = loaded.project.shown(path);
    let chronicle = Chronicle::read(path).map_err(|error| {
        Failure::message(format!("the history `{shown}` cannot be read: {error}")).help("it is made when the application starts")
    })?;
    let registry = crate::project::look_back(&loaded, &chronicle)?;
    Ok((chronicle, registry))
}

fn number(word: &str) -> Option<u64> {
    word.strip_prefix('v').unwrap_or(word).parse().ok()
}

fn changes(from: &Snapshot, to: &Snapshot) -> Vec<Change> {
    let gone = from.entries().filter(|entry| to.get(&entry.id).is_none());
    let gone = gone.map(|entry| Change { id: entry.id.clone(), before: Some(entry.clone()), after: None });
    let come = to.entries().filter_map(|entry| match from.get(&entry.id) {
        Some(before) if before.same_definition(entry) => None,
        before => Some(Change { id: entry.id.clone(), before: before.cloned(), after: Some(entry.clone()) }),
    });
    gone.chain(come).collect()
}

fn sign(kind: ChangeKind) -> char {
    match kind {
        ChangeKind::Create => '+',
        ChangeKind::Update => '~',
        ChangeKind::Delete => '-',
    }
}

fn summary(changes: &[Change]) -> String {
    let named = changes.iter().take(MAX_NAMED).map(|change| format!("{}{}", sign(change.kind()), change.id));
    let mut text = named.collect::<Vec<_>>().join(" ");
    if changes.len() > MAX_NAMED {
        text.push_str(&format!(" and {} more", changes.len() - MAX_NAMED));
    }
    text
}

fn print(change: &Change) {
    let kind = change.after.as_ref().or(change.before.as_ref()).map_or("", |entry| entry.kind.as_str());
    output::line(output::visible(&format!("{} {} ({kind})", sign(change.kind()), change.id)).as_ref());
    if let (Some(before), Some(after)) = (&change.before, &change.after) {
        if before.kind != after.kind {
            output::line(output::visible(&format!("    kind: {} -> {}", before.kind, after.kind)).as_ref());
        }
        fields(before, after);
    }
}

/// Prints what differs between two versions of an entry, field by field.
fn fields(before: &Entry, after: &Entry) {
    let mut lines = Vec::new();
    compare("meta", &before.meta, &after.meta, &mut lines);
    compare("data", &before.data, &after.data, &mut lines);
    for line in lines {
        output::line(output::visible(&line).as_ref());
    }
}

fn compare(path: &str, before: &Value, after: &Value, lines: &mut Vec<String>) {
    if before == after {
        return;
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        lines.push(format!("    {path}: {} -> {}", short(before), short(after)));
        return;
    };
    for (name, value) in old {
        compare(&format!("{path}.{name}"), value, new.get(name).unwrap_or(&Value::Null), lines);
    }
    for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(name.as_str())) {
        compare(&format!("{path}.{name}"), &Value::Null, value, lines);
    }
}

/// Shows a value in one line that stays readable.
fn short(value: &Value) -> String {
    const MOST: usize = 60;
    let text = match value {
        Value::Null => return "none".to_owned(),
        value => value.to_string(),
    };
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Writes seconds since the Unix epoch as a date and a time in UTC.
fn time(at: u64) -> String {
    let (days, rest) = (at / 86_400, at % 86_400);
    // Days since the first of March of the year 0, in eras of 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_dates_of_the_calendar() {
        assert_eq!(time(0), "1970-01-01 00:00:00");
        assert_eq!(time(951_827_696), "2000-02-29 12:34:56");
        assert_eq!(time(1_767_225_599), "2025-12-31 23:59:59");
    }
}
