//! The parts of a workbook's file, read from a zip.

use std::sync::Arc;

use moonlet_runtime::{Error, Freight};

use crate::archive::{Archive, Bytes, Options, Spooled};
use crate::fail::{internal, limit};
use crate::heavy::Canceled;
use crate::xml::{Pieces, Xml};

/// Parts of one file; a real one has about ten and a few for each sheet.
const PARTS: u64 = 10_000;
/// Bytes that one part may unfold to. A sheet is never in memory as a whole, so that this bounds time only.
const LARGEST_PART: u64 = 1 << 30;
/// Bytes of one text in a part: a cell has up to 32,767 characters, each of which may be written as `&#x10FFFF;`.
const LONGEST_TEXT: usize = 512 << 10;
/// What the directory takes in memory for each part beside its name.
const ITEM: usize = 256;
/// What encrypted workbooks and those of old versions of Excel begin with.
const OLD: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0];

/// The file of a workbook.
pub(super) struct Package {
    archive: Arc<Archive>,
    /// The bytes, for as long as they are read.
    _spool: Arc<Spooled>,
}

/// A part that is read.
pub(super) type Part = Xml<Unpacked>;

/// The bytes of a part.
pub(super) struct Unpacked {
    bytes: Bytes,
    canceled: Canceled,
}

impl Unpacked {
    /// From here on it is another call that waits for the reading.
    pub(super) fn watch(&mut self, canceled: &Canceled) {
        self.canceled = canceled.clone();
    }
}

impl Pieces for Unpacked {
    fn piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.canceled.is_set() {
            return Err(internal("reading the workbook was given up"));
        }
        self.bytes.piece().map_err(opening)
    }
}

impl Package {
    pub(super) fn open(spool: Arc<Spooled>, memory: &Freight) -> Result<Self, Error> {
        let source = spool.source()?;
        if source.start(OLD.len()).is_ok_and(|start| start == OLD) {
            return Err(internal("failed to open the workbook: it is encrypted, or of the old format .xls"));
        }
        let archive = Archive::open(source, Options::of_zip(PARTS, LARGEST_PART), None, false).map_err(opening)?;
        memory.add(archive.items().iter().map(|item| 2 * item.name.len() + ITEM).sum())?;
        Ok(Self { archive: Arc::new(archive), _spool: spool })
    }

    /// Opens a part; none when there is no such part. Names are found as Excel finds them, in whatever case.
    pub(super) fn part(&self, name: &str, canceled: &Canceled) -> Result<Option<Part>, Error> {
        let name = name.trim_start_matches('/');
        let item = self.archive.items().iter().find(|item| item.name.eq_ignore_ascii_case(name));
        let Some(item) = item else { return Ok(None) };
        if item.size > LARGEST_PART {
            return Err(limit("workbook_part", LARGEST_PART, item.size));
        }
        let bytes = self.archive.open_item(item).map_err(opening)?;
        Ok(Some(Xml::new(Unpacked { bytes, canceled: canceled.clone() }, LONGEST_TEXT)))
    }
}

/// An archive that is none, or no good, is a workbook that cannot be opened.
fn opening(error: Error) -> Error {
    if error.kind == "Invalid" { internal(format!("failed to open the workbook: {}", error.message)) } else { error }
}
