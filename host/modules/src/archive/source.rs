//! What an archive is read from: a file or a string, at any place and by several readers at once.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use moonlet_runtime::Room;

/// The bytes of an archive.
pub(crate) enum Source {
    File(File, u64),
    /// A file that keeps its room on the disk for as long as it is read.
    Spooled(File, Arc<Room>),
    Bytes(Vec<u8>),
}

impl Source {
    pub(crate) fn file(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self::File(file, length))
    }

    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::File(_, length) => *length,
            Self::Spooled(_, room) => room.taken(),
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Its first bytes, so many at most.
    pub(crate) fn start(&self, count: usize) -> io::Result<Vec<u8>> {
        let mut start = vec![0; count];
        let read = self.read_at(0, &mut start)?;
        start.truncate(read);
        Ok(start)
    }

    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file, _) | Self::Spooled(file, _) => file.read_at(buffer, at),
            Self::Bytes(bytes) => {
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                bytes.get(at..).unwrap_or_default().read(buffer)
            }
        }
    }
}

/// A stretch of a source, with a position of its own.
#[derive(Clone)]
pub(crate) struct Cut {
    source: Arc<Source>,
    at: u64,
    end: u64,
}

impl Cut {
    pub(super) fn new(source: &Arc<Source>, at: u64, length: u64) -> Self {
        let end = at.saturating_add(length).min(source.len());
        Self { source: Arc::clone(source), at: at.min(end), end }
    }

    pub(crate) fn whole(source: &Arc<Source>) -> Self {
        Self::new(source, 0, source.len())
    }

    pub(super) fn position(&self) -> u64 {
        self.at
    }

    /// Goes over bytes without reading them; false when there are not so many.
    pub(super) fn skip(&mut self, count: u64) -> bool {
        let to = self.at.saturating_add(count);
        let there = to <= self.end;
        self.at = to.min(self.end);
        there
    }
}

impl Read for Cut {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.end - self.at).unwrap_or(usize::MAX));
        let Some(buffer) = buffer.get_mut(..most).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        let count = self.source.read_at(self.at, buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}
