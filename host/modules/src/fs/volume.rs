//! One volume: a directory, opened once, below which every path is looked up.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use moonlet_runtime::{Error, Freight, Value};
use rustix::fs::OFlags;

use crate::fail::{internal, invalid, limit, not_found, shown};

/// Entries of a directory that are listed at most.
const ENTRIES: usize = 100_000;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// To read.
    Read,
    /// To write from the start.
    Write,
    /// To write a new one.
    Create,
    /// To write at the end.
    Append,
}

impl Mode {
    pub(super) fn parse(mode: Option<&str>) -> Result<Self, Error> {
        match mode {
            None | Some("r") => Ok(Self::Read),
            Some("w") => Ok(Self::Write),
            Some("wx") => Ok(Self::Create),
            Some("a") => Ok(Self::Append),
            Some(_) => Err(invalid("invalid mode: must be 'r', 'w', 'wx' or 'a'")),
        }
    }

    pub(super) fn parse_write(mode: Option<&str>) -> Result<Self, Error> {
        match mode {
            None => Ok(Self::Write),
            Some("r") => Err(invalid("invalid mode: must be 'w', 'wx' or 'a'")),
            mode => Self::parse(mode),
        }
    }
}

/// A volume.
pub(super) struct Volume {
    dir: Dir,
    /// The permissions of what is made here.
    mode: u32,
    max_file_size: u64,
    max_size: u64,
    /// Bytes that count against `max_size`.
    used: AtomicU64,
}

impl Volume {
    pub(super) fn new(dir: Dir, mode: u32, max_file_size: u64, max_size: u64, used: u64) -> Self {
        Self { dir, mode, max_file_size, max_size, used: AtomicU64::new(used) }
    }

    fn check_readable(&self) -> Result<(), Error> {
        if self.mode & 0o444 == 0 { Err(denied("the mode of the volume allows no reading")) } else { Ok(()) }
    }

    fn check_writable(&self) -> Result<(), Error> {
        if self.mode & 0o222 == 0 { Err(denied("the volume is read-only")) } else { Ok(()) }
    }

    /// Opens a regular file.
    pub(super) fn open_file(&self, path: &str, mode: Mode) -> Result<std::fs::File, Error> {
        let mut options = OpenOptions::new();
        // A pipe would block whoever opens it, and is refused below.
        options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()).mode(self.mode & 0o666);
        match mode {
            Mode::Read => self.check_readable()?,
            Mode::Write | Mode::Create | Mode::Append => self.check_writable()?,
        }
        let old = match mode {
            Mode::Write => self.dir.metadata(path).ok().filter(Metadata::is_file).map_or(0, |metadata| metadata.len()),
            Mode::Read | Mode::Create | Mode::Append => 0,
        };
        match mode {
            Mode::Read => options.read(true),
            Mode::Write => options.write(true).create(true).truncate(true),
            Mode::Create => options.write(true).create_new(true),
            Mode::Append => options.append(true).create(true),
        };
        let file = self.dir.open_with(path, &options).map_err(|error| explain(path, &error))?;
        let metadata = file.metadata().map_err(|error| explain(path, &error))?;
        if !metadata.is_file() {
            let what = if metadata.is_dir() { "is a directory" } else { "is no regular file" };
            return Err(invalid(format!("`{}` {what}", shown(path))));
        }
        self.give_back(old);
        Ok(file.into_std())
    }

    /// Reads a whole file, whose size is charged before.
    pub(super) fn read(&self, path: &str, max: usize, freight: &Freight) -> Result<Vec<u8>, Error> {
        let file = self.open_file(path, Mode::Read)?;
        let length = file.metadata().map_or(0, |about| about.len());
        let charged = usize::try_from(length).unwrap_or(usize::MAX).min(max);
        freight.add(charged)?;
        let mut bytes = Vec::new();
        let read = file.take(max as u64 + 1).read_to_end(&mut bytes).map_err(|error| explain(path, &error))?;
        // It may have grown meanwhile.
        freight.add(read.saturating_sub(charged))?;
        if read > max {
            let mut error = limit("message_size", max as u64, read as u64);
            error.message = format!("`{}` is larger than {max} bytes: read it in parts with `open`", shown(path));
            return Err(error);
        }
        Ok(bytes)
    }

    /// Writes all of `data` where the file stands, within the limits.
    pub(super) fn write(&self, file: &mut std::fs::File, data: &[u8]) -> Result<(), Error> {
        let failed = |error: io::Error| failed("write", &error);
        let length = file.metadata().map_err(failed)?.len();
        let append = is_append(file);
        let at = if append { length } else { file.stream_position().map_err(failed)? };
        let end = at.saturating_add(data.len() as u64);
        if end > self.max_file_size {
            return Err(limit("max_file_size", self.max_file_size, end));
        }
        let growth = end.saturating_sub(length);
        let used = self.used.fetch_add(growth, Ordering::Relaxed).saturating_add(growth);
        if used > self.max_size {
            self.give_back(growth);
            return Err(limit("max_size", self.max_size, used));
        }
        file.write_all(data).map_err(failed)
    }

    fn give_back(&self, bytes: u64) {
        // Cannot go below zero: what was there before the node counts only where the volume was measured.
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| Some(used.saturating_sub(bytes)));
    }

    pub(super) fn exists(&self, path: &str) -> Result<bool, Error> {
        match self.dir.metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(explain(path, &error)),
        }
    }

    pub(super) fn is_dir(&self, path: &str) -> Result<bool, Error> {
        match self.dir.metadata(path) {
            Ok(metadata) => Ok(metadata.is_dir()),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(explain(path, &error)),
        }
    }

    pub(super) fn stat(&self, path: &str) -> Result<Value, Error> {
        let metadata = self.dir.metadata(path).map_err(|error| explain(path, &error))?;
        Ok(Value::Map(describe(path, &metadata)))
    }

    pub(super) fn check_dir(&self, path: &str) -> Result<(), Error> {
        let metadata = self.dir.metadata(path).map_err(|error| explain(path, &error))?;
        if metadata.is_dir() { Ok(()) } else { Err(invalid(format!("`{}` is no directory", shown(path)))) }
    }

    pub(super) fn make_dir(&self, path: &str) -> Result<(), Error> {
        self.check_writable()?;
        let mut builder = DirBuilder::new();
        // Who may read a directory must be able to enter it.
        builder.mode(self.mode | ((self.mode & 0o444) >> 2));
        self.dir.create_dir_with(path, &builder).map_err(|error| explain(path, &error))
    }

    pub(super) fn remove(&self, path: &str) -> Result<(), Error> {
        self.check_writable()?;
        if path == "." {
            return Err(invalid("the root of the volume cannot be removed"));
        }
        let metadata = self.dir.symlink_metadata(path).map_err(|error| explain(path, &error))?;
        if metadata.is_dir() {
            return self.dir.remove_dir(path).map_err(|error| explain(path, &error));
        }
        self.dir.remove_file(path).map_err(|error| explain(path, &error))?;
        if metadata.is_file() {
            self.give_back(metadata.len());
        }
        Ok(())
    }

    /// Lists a directory in the order of names.
    pub(super) fn list(&self, path: &str, max: usize) -> Result<Value, Error> {
        self.check_readable()?;
        self.check_dir(path)?;
        let entries = self.dir.read_dir(path).map_err(|error| explain(path, &error))?;
        let mut found = Vec::new();
        let mut bytes = 0;
        for entry in entries {
            let entry = entry.map_err(|error| explain(path, &error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            bytes += name.len() + 32;
            if found.len() >= ENTRIES || bytes > max {
                return Err(limit("directory_entries", found.len() as u64, found.len() as u64 + 1));
            }
            found.push((name, is_dir));
        }
        found.sort_unstable();
        let entry = |(name, is_dir): (String, bool)| {
            let kind = if is_dir { "directory" } else { "file" };
            Value::Map(vec![("name".into(), name.into()), ("type".into(), kind.into())])
        };
        Ok(Value::Array(found.into_iter().map(entry).collect()))
    }
}

fn is_append(file: &std::fs::File) -> bool {
    rustix::fs::fcntl_getfl(file).is_ok_and(|flags| flags.contains(OFlags::APPEND))
}

/// Moves the position of a file.
pub(super) fn seek(file: &mut std::fs::File, to: SeekFrom) -> Result<u64, Error> {
    file.seek(to).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => invalid("the position is before the start of the file"),
        _ => failed("seek", &error),
    })
}

/// Describes a file or directory.
pub(super) fn describe(path: &str, metadata: &Metadata) -> Vec<(Value, Value)> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let modified = metadata.modified().ok().map(cap_std::time::SystemTime::into_std);
    let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs());
    let kind = if metadata.is_dir() { "directory" } else { "file" };
    vec![
        ("name".into(), (if name == "." { "/" } else { name }).into()),
        ("size".into(), metadata.len().into()),
        ("mode".into(), (metadata.mode() & 0o7777).into()),
        ("modified".into(), modified.into()),
        ("is_dir".into(), metadata.is_dir().into()),
        ("type".into(), kind.into()),
    ]
}

fn denied(message: &str) -> Error {
    Error::new("PermissionDenied", message).with_retryable(false)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Says what an error of the system means, without a path of the host.
pub(super) fn failed(act: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::new("LimitExceeded", format!("failed to {act}: the disk is full")).with_retryable(true)
        }
        io::ErrorKind::PermissionDenied => denied(&format!("failed to {act}: permission denied")),
        kind => internal(format!("failed to {act}: {kind}")),
    }
}

fn explain(path: &str, error: &io::Error) -> Error {
    let path = shown(path);
    match error.kind() {
        io::ErrorKind::NotFound => not_found(format!("there is no `{path}` in the volume")),
        io::ErrorKind::NotADirectory => not_found(format!("there is no `{path}` in the volume: a part of the path is a file")),
        io::ErrorKind::AlreadyExists => {
            Error::new("AlreadyExists", format!("there is a `{path}` in the volume already")).with_retryable(false)
        }
        io::ErrorKind::PermissionDenied => denied(&format!("permission denied for `{path}`")),
        io::ErrorKind::DirectoryNotEmpty => invalid(format!("the directory `{path}` is not empty")),
        io::ErrorKind::IsADirectory => invalid(format!("`{path}` is a directory")),
        io::ErrorKind::InvalidFilename | io::ErrorKind::InvalidInput => invalid(format!("`{path}` is no possible name")),
        _ => {
            let mut error = failed("reach it", error);
            error.message = format!("`{path}`: {}", error.message);
            error
        }
    }
}
