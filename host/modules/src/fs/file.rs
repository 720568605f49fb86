//! An open file of one process. It closes when Lua refers to it no longer, at the latest when the process ends.

use std::io::{Read, SeekFrom};
use std::sync::Arc;

use cap_std::fs::Metadata;
use moonlet_runtime::{Error, Value};
use parking_lot::Mutex;

use super::volume::{self, Mode, Volume, describe, failed};
use crate::fail::invalid;

/// An open file.
pub(crate) struct OpenFile {
    volume: Arc<Volume>,
    path: String,
    mode: Mode,
    /// The file; none when it is closed. Held while the disk works, which is why only threads that may wait take it.
    file: Mutex<Option<std::fs::File>>,
}

/// Where a position counts from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whence {
    Start,
    Current,
    End,
}

impl Whence {
    pub(super) fn parse(whence: &str) -> Result<Self, Error> {
        match whence {
            "set" => Ok(Self::Start),
            "cur" => Ok(Self::Current),
            "end" => Ok(Self::End),
            _ => Err(invalid("invalid whence: must be 'set', 'cur' or 'end'")),
        }
    }
}

impl OpenFile {
    pub(super) fn new(volume: Arc<Volume>, path: String, file: std::fs::File, mode: Mode) -> Self {
        Self { volume, path, mode, file: Mutex::new(Some(file)) }
    }

    fn with<T>(&self, act: impl FnOnce(&mut std::fs::File) -> Result<T, Error>) -> Result<T, Error> {
        match self.file.lock().as_mut() {
            Some(file) => act(file),
            None => Err(invalid("file is closed")),
        }
    }

    /// Opens it a second time for a module that reads it at places of its own.
    pub(crate) fn duplicate(&self) -> Result<std::fs::File, Error> {
        self.with(|file| match self.mode {
            Mode::Read => file.try_clone().map_err(|error| failed("open it again", &error)),
            _ => Err(Error::new("PermissionDenied", "the file is not open for reading").with_retryable(false)),
        })
    }

    /// Reads up to that many bytes; none at the end.
    pub(super) fn read(&self, count: usize) -> Result<Option<Vec<u8>>, Error> {
        self.with(|file| {
            if self.mode != Mode::Read {
                return Err(invalid("the file is not open for reading"));
            }
            let mut bytes = Vec::new();
            file.take(count as u64).read_to_end(&mut bytes).map_err(|error| failed("read", &error))?;
            Ok((!bytes.is_empty()).then_some(bytes))
        })
    }

    pub(super) fn write(&self, data: &[u8]) -> Result<(), Error> {
        self.with(|file| {
            if self.mode == Mode::Read {
                return Err(invalid("the file is not open for writing"));
            }
            self.volume.write(file, data)
        })
    }

    pub(super) fn seek(&self, whence: Whence, offset: i64) -> Result<u64, Error> {
        self.with(|file| {
            let to = match whence {
                Whence::Start => {
                    let offset = u64::try_from(offset).map_err(|_| invalid("the position is before the start of the file"))?;
                    SeekFrom::Start(offset)
                }
                Whence::Current => SeekFrom::Current(offset),
                Whence::End => SeekFrom::End(offset),
            };
            volume::seek(file, to)
        })
    }

    pub(super) fn stat(&self) -> Result<Value, Error> {
        self.with(|file| {
            let metadata = file.metadata().map_err(|error| failed("ask for it", &error))?;
            let position = volume::seek(file, SeekFrom::Current(0))?;
            let mut fields = describe(&self.path, &Metadata::from_just_metadata(metadata));
            fields.push(("position".into(), position.into()));
            fields.push(("readable".into(), (self.mode == Mode::Read).into()));
            fields.push(("writable".into(), (self.mode != Mode::Read).into()));
            fields.push(("seekable".into(), true.into()));
            Ok(Value::Map(fields))
        })
    }

    pub(super) fn sync(&self) -> Result<(), Error> {
        self.with(|file| match self.mode {
            Mode::Read => Ok(()),
            _ => file.sync_all().map_err(|error| failed("sync", &error)),
        })
    }

    pub(super) fn close(&self) {
        self.file.lock().take();
    }
}
