//! Bytes whose place in an archive is only known when all of them came: they wait in a file without a name.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use moonlet_runtime::Error;
use parking_lot::Mutex;

use super::source::Source;
use crate::fail::{internal, limit};

/// Bytes of one spool.
const LARGEST: u64 = 2 << 30;
/// Bytes of all spools of the node: they share the disk for temporary files with everybody.
const ALL: u64 = 8 << 30;

static USED: AtomicU64 = AtomicU64::new(0);

/// A file without a name.
pub(crate) struct Spool {
    /// None once it became the source of an archive.
    file: Option<File>,
    length: u64,
}

impl Spool {
    pub(crate) fn new() -> Result<Self, Error> {
        let file = tempfile::tempfile().map_err(|error| failed(&error))?;
        Ok(Self { file: Some(file), length: 0 })
    }

    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = self.length.saturating_add(bytes.len() as u64);
        if length > LARGEST {
            return Err(limit("archive_spool", LARGEST, length));
        }
        let used = USED.fetch_add(bytes.len() as u64, Ordering::Relaxed).saturating_add(bytes.len() as u64);
        self.length = length;
        if used > ALL {
            return Err(limit("archive_spools", ALL, used));
        }
        let file = self.file.as_mut().ok_or_else(taken)?;
        file.write_all(bytes).map_err(|error| failed(&error))
    }

    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// Goes to its start, to read it.
    pub(crate) fn rewind(&mut self) -> Result<(), Error> {
        self.file.as_mut().ok_or_else(taken)?.rewind().map_err(|error| failed(&error))
    }

    fn duplicate(&self) -> Result<Source, Error> {
        let file = self.file.as_ref().ok_or_else(taken)?.try_clone().map_err(|error| failed(&error))?;
        Source::file(file).map_err(|error| failed(&error))
    }
}

impl Read for Spool {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.read(buffer))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes).map_err(|error| io::Error::other(error.message))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        USED.fetch_sub(self.length, Ordering::Relaxed);
    }
}

/// A spool that a program fills, and that stays for as long as an archive is read from it.
#[derive(Default)]
pub(crate) struct Spooled(Mutex<Option<Spool>>);

impl Spooled {
    /// Adds bytes. May wait for the disk.
    pub(crate) fn add(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut spool = self.0.lock();
        let spool = match &mut *spool {
            Some(spool) => spool,
            none => none.insert(Spool::new()?),
        };
        spool.add(bytes)
    }

    pub(crate) fn source(&self) -> Result<Source, Error> {
        let spool = self.0.lock();
        spool.as_ref().map_or(Ok(Source::Bytes(Vec::new())), Spool::duplicate)
    }
}

fn taken() -> Error {
    internal("the spool was given back")
}

fn failed(error: &io::Error) -> Error {
    internal(format!("failed to keep the bytes in a temporary file: {}", error.kind()))
}
