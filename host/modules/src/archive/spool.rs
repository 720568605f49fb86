//! Bytes whose place in an archive is only known when all of them came: they wait in a file without a name.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::Arc;
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

/// What a spool takes of the disk, until nobody writes or reads it any more.
#[derive(Debug, Default)]
pub(crate) struct Room(AtomicU64);

impl Room {
    pub(super) fn taken(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> Result<(), Error> {
        let taken = self.taken().saturating_add(bytes);
        if taken > LARGEST {
            return Err(limit("archive_spool", LARGEST, taken));
        }
        self.0.store(taken, Ordering::Relaxed);
        let used = USED.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if used > ALL { Err(limit("archive_spools", ALL, used)) } else { Ok(()) }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        USED.fetch_sub(self.taken(), Ordering::Relaxed);
    }
}

/// A file without a name.
pub(crate) struct Spool {
    file: File,
    room: Arc<Room>,
}

impl Spool {
    pub(crate) fn new() -> Result<Self, Error> {
        let file = tempfile::tempfile().map_err(|error| failed(&error))?;
        Ok(Self { file, room: Arc::default() })
    }

    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.room.take(bytes.len() as u64)?;
        self.file.write_all(bytes).map_err(|error| failed(&error))
    }

    pub(super) fn len(&self) -> u64 {
        self.room.taken()
    }

    /// Goes to its start, to read it.
    pub(crate) fn rewind(&mut self) -> Result<(), Error> {
        self.file.rewind().map_err(|error| failed(&error))
    }

    fn duplicate(&self) -> Result<Source, Error> {
        let file = self.file.try_clone().map_err(|error| failed(&error))?;
        Ok(Source::Spooled(file, Arc::clone(&self.room)))
    }
}

impl Read for Spool {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
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

fn failed(error: &io::Error) -> Error {
    internal(format!("failed to keep the bytes in a temporary file: {}", error.kind()))
}
