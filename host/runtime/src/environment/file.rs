//! Files of `KEY=VALUE` lines, with `#` comments. Lines that are not understood stay as they are.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::time::SystemTime;

/// The largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// The lines of a file as they were last read or written.
#[derive(Debug, Default)]
pub(super) struct EnvFile {
    lines: Vec<String>,
    /// When the file was changed, and how long it was, when it was read.
    seen: Option<(SystemTime, u64)>,
}

impl EnvFile {
    /// Reads the file if it has changed; one that is missing has no values. `create` makes it then, with these modes of file and directory.
    ///
    /// # Errors
    ///
    /// Why it cannot be read; the text completes "the storage ...".
    pub(super) fn read(&mut self, path: &Path, create: Option<(u32, u32)>) -> Result<(), String> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => return Err("names something that is no regular file".to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                *self = Self::default();
                return create.map_or(Ok(()), |(file_mode, dir_mode)| make(path, file_mode, dir_mode));
            }
            Err(error) => return Err(format!("cannot be read: {}", error.kind())),
        };
        let seen = metadata.modified().ok().map(|modified| (modified, metadata.len()));
        if seen.is_some() && seen == self.seen {
            return Ok(());
        }
        let mut text = String::new();
        let file = fs::File::open(path).map_err(|error| format!("cannot be read: {}", error.kind()))?;
        file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| format!("cannot be read: {}", error.kind()))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(format!("is a file of more than {MAX_BYTES} bytes"));
        }
        self.lines = text.lines().map(str::to_owned).collect();
        self.seen = seen;
        Ok(())
    }

    /// Returns a value; the last line of a key counts.
    pub(super) fn get(&self, key: &str) -> Option<String> {
        self.lines.iter().rev().find_map(|line| split(line).filter(|(name, _)| *name == key)).map(|(_, value)| unquoted(value))
    }

    /// Sets a value and writes the file, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// Why it cannot be written; the text completes "the storage ...".
    pub(super) fn set(&mut self, path: &Path, key: &str, value: &str, file_mode: u32) -> Result<(), String> {
        if self.seen.is_none() && !path.exists() {
            return Err("names a file that does not exist: write `auto_create: true` in its entry".to_owned());
        }
        let line = format!("{key}={}", quoted(value));
        let mut lines = self.lines.clone();
        match lines.iter().rposition(|line| split(line).is_some_and(|(name, _)| name == key)) {
            Some(place) => {
                if let Some(slot) = lines.get_mut(place) {
                    *slot = line;
                }
            }
            None => lines.push(line),
        }
        write(path, &lines, file_mode).map_err(|error| format!("cannot be written: {}", error.kind()))?;
        self.lines = lines;
        let metadata = fs::metadata(path).ok();
        self.seen = metadata.and_then(|metadata| Some((metadata.modified().ok()?, metadata.len())));
        Ok(())
    }
}

fn make(path: &Path, file_mode: u32, dir_mode: u32) -> Result<(), String> {
    let made = directories(path, dir_mode).and_then(|()| write(path, &[], file_mode));
    made.map_err(|error| format!("cannot be made: {}", error.kind()))
}

#[cfg(unix)]
fn directories(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs::DirBuilder::new().recursive(true).mode(mode).create(parent),
        _ => Ok(()),
    }
}

/// Writes beside the file and puts the result in its place, so that nobody reads half of it.
#[cfg(unix)]
fn write(path: &Path, lines: &[String], mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let mode = fs::metadata(path).map_or(mode, |metadata| metadata.permissions().mode());
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
    for line in lines {
        writeln!(file, "{line}")?;
    }
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// Splits a line into key and what follows; none for comments and what is no pair.
fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    if line.starts_with('#') {
        return None;
    }
    let (key, value) = line.split_once('=')?;
    let key = key.trim_end();
    Some((key.strip_prefix("export ").map_or(key, str::trim_start), value.trim()))
}

fn unquoted(value: &str) -> String {
    if let Some(rest) = value.strip_prefix('\'')
        && let Some((inner, _)) = rest.split_once('\'')
    {
        return inner.to_owned();
    }
    let Some(rest) = value.strip_prefix('"') else {
        // A comment begins behind a space, because a value may well have a `#` in it.
        return value.split_once(" #").map_or(value, |(value, _)| value.trim_end()).to_owned();
    };
    let mut inner = String::new();
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return inner,
            '\\' => match characters.next() {
                Some('n') => inner.push('\n'),
                Some('r') => inner.push('\r'),
                Some('t') => inner.push('\t'),
                Some(other) => inner.push(other),
                None => inner.push('\\'),
            },
            other => inner.push(other),
        }
    }
    // A quote that nothing closes is part of the value.
    value.to_owned()
}

fn quoted(value: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "_-./:@,+%&?=~".contains(character);
    if value.chars().all(plain) {
        return value.to_owned();
    }
    let mut quoted = String::from("\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
