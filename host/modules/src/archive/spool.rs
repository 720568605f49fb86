//! Bytes whose place in an archive is only known when all of them came: they wait in a file without a name.

use moonlet_runtime::{Error, Spool};
use parking_lot::Mutex;

use super::source::Source;

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

    /// Reads what stands at a place. May wait for the disk.
    pub(crate) fn read_at(&self, at: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        self.0.lock().as_ref().map_or(Ok(0), |spool| spool.read_at(at, buffer))
    }

    pub(crate) fn source(&self) -> Result<Source, Error> {
        let spool = self.0.lock();
        let Some(spool) = &*spool else { return Ok(Source::Bytes(Vec::new())) };
        let (file, room) = spool.duplicate()?;
        Ok(Source::Spooled(file, room))
    }
}
