//! Bytes that wait on the disk, in a file without a name: what a module gets in pieces and is only read when all of it came.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moonlet_sandbox::wit::Error;

use crate::errors;

/// Bytes of one spool.
const LARGEST: u64 = 2 << 30;
/// Bytes of all spools of the node: they share the disk for temporary files with everybody.
const ALL: u64 = 8 << 30;

static USED: AtomicU64 = AtomicU64::new(0);

/// What a spool takes of the disk, until nobody writes or reads it any more.
#[derive(Debug, Default)]
pub struct Room(AtomicU64);

impl Room {
    /// Returns how many bytes that are.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> Result<(), Error> {
        let taken = self.taken().saturating_add(bytes);
        if taken > LARGEST {
            return Err(errors::limit("spool", LARGEST, taken));
        }
        self.0.store(taken, Ordering::Relaxed);
        let used = USED.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if used > ALL { Err(errors::limit("spools", ALL, used)) } else { Ok(()) }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        USED.fetch_sub(self.taken(), Ordering::Relaxed);
    }
}

/// A file without a name. What is done with it may wait for the disk.
#[derive(Debug)]
pub struct Spool {
    file: File,
    room: Arc<Room>,
}

impl Spool {
    /// Makes an empty one.
    ///
    /// # Errors
    ///
    /// `Internal` when the system makes no temporary file.
    pub fn new() -> Result<Self, Error> {
        let file = tempfile::tempfile().map_err(|error| failed(&error))?;
        Ok(Self { file, room: Arc::default() })
    }

    /// Adds bytes at the end.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` when this one, or all of the node together, would be too large; `Internal` when the disk is full.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.room.take(bytes.len() as u64)?;
        self.file.write_all(bytes).map_err(|error| failed(&error))
    }

    /// Returns how many bytes were added.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.room.taken()
    }

    /// Tells whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads what stands at a place, without a position of its own.
    ///
    /// # Errors
    ///
    /// `Internal` when the disk fails.
    pub fn read_at(&self, at: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        self.file.read_at(buffer, at).map_err(|error| failed(&error))
    }

    /// Goes to its start, to read it.
    ///
    /// # Errors
    ///
    /// `Internal` when the disk fails.
    pub fn rewind(&mut self) -> Result<(), Error> {
        self.file.rewind().map_err(|error| failed(&error))
    }

    /// Gives the file once more, with what keeps its room on the disk.
    ///
    /// # Errors
    ///
    /// `Internal` when the system has no more open files.
    pub fn duplicate(&self) -> Result<(File, Arc<Room>), Error> {
        let file = self.file.try_clone().map_err(|error| failed(&error))?;
        Ok((file, Arc::clone(&self.room)))
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

fn failed(error: &io::Error) -> Error {
    let message = format!("failed to keep the bytes in a temporary file: {}", error.kind());
    Error::new("Internal", message).with_retryable(false)
}
