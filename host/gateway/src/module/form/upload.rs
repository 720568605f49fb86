//! What came of an uploaded file: in memory while there is room, on the disk beyond that.

use std::sync::Arc;

use moonlet_runtime::{ByteSource, Error, Freight, NextBytes, Spool};

use crate::exchange::typed;

/// Bytes that are written to the disk, or read for a program, at once.
const PIECE: usize = 64 << 10;
/// The least room that is made in memory.
const ROOM: usize = 4 << 10;

/// An uploaded file, all of it.
pub(super) struct Upload {
    kept: Kept,
    size: u64,
}

enum Kept {
    Memory(Held),
    Disk(Spool),
}

/// Bytes in memory, charged for as long as they are kept: as their room, which may be more.
struct Held {
    bytes: Vec<u8>,
    charged: usize,
    account: Freight,
}

impl Held {
    fn new(account: Freight) -> Self {
        Self { bytes: Vec::new(), charged: 0, account }
    }

    fn add(&mut self, piece: &[u8]) -> Result<(), Error> {
        let needed = self.bytes.len().saturating_add(piece.len());
        if needed > self.charged {
            let room = needed.max(self.charged.saturating_mul(2)).max(ROOM);
            self.account.add(room - self.charged)?;
            self.charged = room;
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.account.give_back(self.charged - self.bytes.len());
        self.charged = self.bytes.len();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.account.give_back(self.charged);
    }
}

/// Takes a file in, piece by piece.
pub(super) struct Intake {
    held: Held,
    /// Where the file goes that has no room in memory; what is held then is on its way there.
    spool: Option<Spool>,
    account: Freight,
    size: u64,
}

impl Intake {
    pub(super) fn new(account: &Freight) -> Self {
        Self { held: Held::new(account.clone()), spool: None, account: account.clone(), size: 0 }
    }

    /// Takes a piece; `room` is what files of the form may still have in memory.
    pub(super) async fn add(&mut self, piece: &[u8], room: &mut u64) -> Result<(), Error> {
        self.size = self.size.saturating_add(piece.len() as u64);
        if self.spool.is_none() {
            match room.checked_sub(piece.len() as u64) {
                Some(left) => *room = left,
                None => {
                    self.spool = Some(Spool::new()?);
                    *room = room.saturating_add(self.held.bytes.len() as u64);
                }
            }
        }
        self.held.add(piece)?;
        if self.spool.is_some() && self.held.bytes.len() >= PIECE { self.write().await } else { Ok(()) }
    }

    pub(super) async fn finish(mut self) -> Result<Upload, Error> {
        if !self.held.bytes.is_empty() && self.spool.is_some() {
            self.write().await?;
        }
        let kept = match self.spool {
            Some(spool) => Kept::Disk(spool),
            None => {
                self.held.shrink();
                Kept::Memory(self.held)
            }
        };
        Ok(Upload { kept, size: self.size })
    }

    /// Writes what is held to the disk, on a thread that may wait for it.
    async fn write(&mut self) -> Result<(), Error> {
        let held = std::mem::replace(&mut self.held, Held::new(self.account.clone()));
        let Some(mut spool) = self.spool.take() else { return Ok(()) };
        let written = tokio::task::spawn_blocking(move || spool.add(&held.bytes).map(|()| spool));
        self.spool = Some(written.await.map_err(|_| stopped())??);
        Ok(())
    }
}

impl Upload {
    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

/// Reads an upload from its start.
pub(super) struct Reader<T> {
    file: Arc<T>,
    of: fn(&T) -> &Upload,
    at: u64,
}

impl<T> Reader<T> {
    pub(super) fn new(file: Arc<T>, of: fn(&T) -> &Upload) -> Self {
        Self { file, of, at: 0 }
    }
}

impl<T: Send + Sync + 'static> ByteSource for Reader<T> {
    fn next(&mut self) -> NextBytes<'_> {
        Box::pin(async move {
            let (file, of, at) = (Arc::clone(&self.file), self.of, self.at);
            let piece = match &of(&file).kept {
                Kept::Memory(held) => {
                    let rest = usize::try_from(at).ok().and_then(|at| held.bytes.get(at..)).unwrap_or_default();
                    rest.get(..PIECE.min(rest.len())).unwrap_or_default().to_vec()
                }
                Kept::Disk(_) => tokio::task::spawn_blocking(move || on_disk(of(&file), at)).await.map_err(|_| stopped())??,
            };
            self.at = self.at.saturating_add(piece.len() as u64);
            Ok(Some(piece).filter(|piece| !piece.is_empty()))
        })
    }

    fn size(&self) -> Option<u64> {
        Some((self.of)(&self.file).size)
    }
}

fn on_disk(upload: &Upload, at: u64) -> Result<Vec<u8>, Error> {
    let Kept::Disk(spool) = &upload.kept else { return Ok(Vec::new()) };
    let mut piece = vec![0; PIECE];
    let read = spool.read_at(at, &mut piece)?;
    piece.truncate(read);
    Ok(piece)
}

fn stopped() -> Error {
    typed("Internal", "the node stopped in the middle of an upload", "stream_error")
}
