//! Tar: one entry after another, plain or out of a decompressor.

use std::io::{self, Read};

use moonlet_runtime::Error;
use tar::{EntryType, Header, PaxExtensions};

use super::item::{Item, LONGEST_NAME, Packing, broken};
use super::source::Cut;
use crate::fail::invalid;

const BLOCK: u64 = 512;
/// The longest record of further attributes in front of an entry.
const LONGEST_RECORD: u64 = 64 << 10;
/// Records in front of one entry.
const RECORDS: usize = 8;

/// Where a tar comes from.
pub(super) enum Feed {
    Plain(Cut),
    Packed(Box<dyn Read + Send>),
}

impl Feed {
    fn skip(&mut self, count: u64) -> io::Result<bool> {
        match self {
            Self::Plain(cut) => Ok(cut.skip(count)),
            Self::Packed(reader) => Ok(io::copy(&mut reader.take(count), &mut io::sink())? == count),
        }
    }

    fn position(&self) -> u64 {
        match self {
            Self::Plain(cut) => cut.position(),
            Self::Packed(_) => 0,
        }
    }
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(cut) => cut.read(buffer),
            Self::Packed(reader) => reader.read(buffer),
        }
    }
}

/// Goes through a tar.
pub(super) struct Tape {
    feed: Feed,
    /// Bytes of the current entry that were not read.
    left: u64,
    /// What fills its last block.
    padding: u64,
    /// Decompressed bytes that may still be gone over.
    allowance: u64,
    ended: bool,
}

/// What records say about the entry behind them.
#[derive(Default)]
struct Further {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<i64>,
}

impl Tape {
    /// Begins; `allowance` bounds the decompressed bytes that are gone over to get at entries.
    pub(super) fn new(feed: Feed, allowance: u64) -> Self {
        Self { feed, left: 0, padding: 0, allowance, ended: false }
    }

    /// Goes to the next entry; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Item>, Error> {
        if self.ended {
            return Ok(None);
        }
        self.skip_rest()?;
        let mut further = Further::default();
        for _ in 0..RECORDS {
            let Some(header) = self.header()? else {
                self.ended = true;
                return Ok(None);
            };
            let size = header.entry_size().map_err(|_| broken("an entry has no size"))?;
            match header.entry_type() {
                EntryType::GNULongName => further.name = Some(trimmed(self.record(size)?)),
                EntryType::GNULongLink | EntryType::XGlobalHeader => drop(self.record(size)?),
                EntryType::XHeader => read_further(&self.record(size)?, &mut further),
                EntryType::GNUSparse => return Err(invalid("the archive has a sparse file, which this build does not read")),
                kind => return self.item(&header, kind, size, further).map(Some),
            }
        }
        Err(broken("an entry has too many records in front of it"))
    }

    fn item(&mut self, header: &Header, kind: EntryType, size: u64, further: Further) -> Result<Item, Error> {
        let name = further.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let name = String::from_utf8_lossy(&name).into_owned();
        if name.is_empty() || name.len() > LONGEST_NAME {
            return Err(broken("an entry has no possible name"));
        }
        let kind = match kind {
            EntryType::Directory => "directory",
            EntryType::Symlink => "symlink",
            EntryType::Link => "link",
            EntryType::Regular | EntryType::Continuous if name.ends_with('/') => "directory",
            EntryType::Regular | EntryType::Continuous => "file",
            _ => "other",
        };
        let size = further.size.unwrap_or(size);
        self.left = size;
        self.padding = padding(size);
        Ok(Item {
            name,
            size,
            packed: size,
            kind,
            mode: header.mode().unwrap_or(0o644) & 0o7777,
            modified: further.modified.or_else(|| header.mtime().ok().and_then(|time| time.try_into().ok())).unwrap_or(0),
            packing: Packing::Stored,
            encrypted: false,
            crc32: None,
            at: self.feed.position(),
        })
    }

    fn skip_rest(&mut self) -> Result<(), Error> {
        let rest = self.left.saturating_add(self.padding);
        (self.left, self.padding) = (0, 0);
        if matches!(self.feed, Feed::Packed(_)) {
            let left = self.allowance.checked_sub(rest);
            self.allowance = left.ok_or_else(|| super::item::too_much("max_total_bytes", self.allowance))?;
        }
        let there = self.feed.skip(rest).map_err(broken)?;
        if there { Ok(()) } else { Err(broken("its last entry is not complete")) }
    }

    /// Reads a header; none at the end.
    fn header(&mut self) -> Result<Option<Header>, Error> {
        let mut header = Header::new_old();
        let block = header.as_mut_bytes();
        let mut filled = 0;
        while filled < block.len() {
            let rest = block.get_mut(filled..).unwrap_or_default();
            match self.feed.read(rest).map_err(broken)? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(broken("its last header is not complete")),
                count => filled += count,
            }
        }
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        let field: u32 = block.get(148..156).unwrap_or_default().iter().map(|byte| u32::from(*byte)).sum();
        if header.cksum().ok() != Some(sum - field + 8 * u32::from(b' ')) {
            return Err(broken("a header has a wrong checksum"));
        }
        Ok(Some(header))
    }

    /// Reads a record that stands in front of an entry.
    fn record(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > LONGEST_RECORD {
            return Err(broken("a record in front of an entry is too long"));
        }
        let mut record = Vec::new();
        let read = (&mut self.feed).take(size).read_to_end(&mut record).map_err(broken)?;
        let there = self.feed.skip(padding(size)).map_err(broken)?;
        if read as u64 == size && there { Ok(record) } else { Err(broken("a record in front of an entry is not complete")) }
    }
}

impl Read for Tape {
    /// Reads of the current entry.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let buffer = buffer.get_mut(..most).unwrap_or_default();
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.feed.read(buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

pub(super) fn padding(size: u64) -> u64 {
    (BLOCK - size % BLOCK) % BLOCK
}

fn trimmed(mut name: Vec<u8>) -> Vec<u8> {
    while name.last() == Some(&0) {
        name.pop();
    }
    name
}

fn read_further(record: &[u8], further: &mut Further) {
    for extension in PaxExtensions::new(record).flatten() {
        match extension.key_bytes() {
            b"path" => further.name = Some(extension.value_bytes().to_vec()),
            b"size" => further.size = extension.value().ok().and_then(|size| size.parse().ok()).or(further.size),
            b"mtime" => {
                let whole = extension.value().ok().and_then(|time| time.split('.').next()?.parse().ok());
                further.modified = whole.or(further.modified);
            }
            _ => {}
        }
    }
}
