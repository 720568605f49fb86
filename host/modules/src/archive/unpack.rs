//! An archive that is read: its entries, and the bytes of each, within what its options allow.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use flate2::Crc;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use moonlet_runtime::{Bill, ByteSource, Error, NextBytes};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::item::{Format, Item, Options, Packing, broken, too_much};
use super::source::{Cut, Source};
use super::tarred::{Feed, Tape};
use super::zipped;
use crate::fail::{internal, invalid, not_found, shown, unsupported};

/// The most memory that the window of zstd may ask for, as a power of two.
const MAX_WINDOW: u32 = 27;

/// An open archive.
pub(crate) struct Archive {
    pub(super) options: Options,
    content: Content,
    /// Bytes that came out of it so far.
    spent: AtomicU64,
    closed: AtomicBool,
    /// The next entry of a walk.
    next: AtomicUsize,
    /// Counts the steps of a walk: the bytes of an entry are there until the next one.
    turn: AtomicU64,
}

enum Content {
    /// Every entry can be reached.
    Listed { source: Arc<Source>, format: Format, items: Vec<Item>, names: FxHashMap<String, usize> },
    /// One entry after another. The lock is held while it is decompressed, which is why only threads that may wait take it.
    Tape(Mutex<Tape>),
}

impl Archive {
    /// Opens an archive. `name` may tell its format; `walk` says that entries are wanted in order only.
    pub(crate) fn open(source: Source, options: Options, name: Option<&str>, walk: bool) -> Result<Self, Error> {
        let source = Arc::new(source);
        let mut start = Vec::new();
        Cut::new(&source, 0, 262).read_to_end(&mut start).map_err(broken)?;
        let format = options.format.or_else(|| Format::sniff(&start)).or_else(|| name.and_then(Format::of_name));
        let format = format.ok_or_else(|| invalid("this is no archive of a known format: write `format` in the options"))?;
        let content = match format {
            Format::Zip => Self::listed(&source, format, zipped::list(&source, &options)?),
            Format::Tar => Self::listed(&source, format, list(&source, &options)?),
            _ if !walk => {
                return Err(unsupported("compressed tar archives have no random access: use `archive.scan`"));
            }
            Format::TarGz => tape(MultiGzDecoder::new(Cut::whole(&source)), &options),
            Format::TarZst => {
                let mut decoder = zstd::stream::read::Decoder::new(Cut::whole(&source)).map_err(broken)?;
                decoder.window_log_max(MAX_WINDOW).map_err(broken)?;
                tape(decoder, &options)
            }
        };
        Ok(Self {
            options,
            content,
            spent: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            next: AtomicUsize::new(0),
            turn: AtomicU64::new(0),
        })
    }

    fn listed(source: &Arc<Source>, format: Format, items: Vec<Item>) -> Content {
        let names = items.iter().enumerate().map(|(index, item)| (item.name.clone(), index)).collect();
        Content::Listed { source: Arc::clone(source), format, items, names }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(super) fn check_open(&self) -> Result<(), Error> {
        if self.closed.load(Ordering::Acquire) { Err(invalid("the archive is closed")) } else { Ok(()) }
    }

    /// Gives the entries; none where they come one after another only.
    pub(crate) fn items(&self) -> &[Item] {
        match &self.content {
            Content::Listed { items, .. } => items,
            Content::Tape(_) => &[],
        }
    }

    pub(super) fn find(&self, name: &str) -> Result<&Item, Error> {
        let found = match &self.content {
            Content::Listed { items, names, .. } => names.get(name).and_then(|index| items.get(*index)),
            Content::Tape(_) => None,
        };
        found.ok_or_else(|| not_found(format!("there is no `{}` in the archive", shown(name))))
    }

    /// Goes to the next entry of a walk; none at the end.
    pub(super) fn advance(&self) -> Result<Option<Item>, Error> {
        self.check_open()?;
        self.turn.fetch_add(1, Ordering::AcqRel);
        let number = self.next.fetch_add(1, Ordering::AcqRel);
        match &self.content {
            Content::Listed { items, .. } => Ok(items.get(number).cloned()),
            Content::Tape(tape) => {
                let item = tape.lock().next()?;
                if item.is_some() && number as u64 >= self.options.max_entries {
                    return Err(too_much("max_entries", self.options.max_entries));
                }
                Ok(item)
            }
        }
    }

    /// Opens an entry that was found.
    pub(crate) fn open_item(self: &Arc<Self>, item: &Item) -> Result<Bytes, Error> {
        self.check_open()?;
        if item.kind != "file" {
            return Err(invalid(format!("`{}` is no file but a {}", shown(&item.name), item.kind)));
        }
        if item.size > self.options.max_file_bytes {
            return Err(too_much("max_file_bytes", self.options.max_file_bytes));
        }
        let reader: Box<dyn Read + Send> = match &self.content {
            Content::Listed { source, format, .. } => unpacked(source, *format, item)?,
            Content::Tape(_) => Box::new(OfTape(Arc::clone(self))),
        };
        let crc = item.crc32.map(|crc| (crc, Crc::new()));
        Ok(Bytes { archive: Arc::clone(self), reader, left: item.size, crc, turn: None })
    }

    /// Opens the entry that a walk is at.
    pub(super) fn open_current(self: &Arc<Self>, item: &Item) -> Result<Bytes, Error> {
        let mut bytes = self.open_item(item)?;
        bytes.turn = Some(self.turn.load(Ordering::Acquire));
        Ok(bytes)
    }
}

fn tape(reader: impl Read + Send + 'static, options: &Options) -> Content {
    Content::Tape(Mutex::new(Tape::new(Feed::Packed(Box::new(reader)), options.max_total_bytes)))
}

/// Lists a tar that can be reached anywhere.
fn list(source: &Arc<Source>, options: &Options) -> Result<Vec<Item>, Error> {
    let mut tape = Tape::new(Feed::Plain(Cut::whole(source)), u64::MAX);
    let mut items = Vec::new();
    while let Some(item) = tape.next()? {
        if items.len() as u64 >= options.max_entries {
            return Err(too_much("max_entries", options.max_entries));
        }
        items.push(item);
    }
    Ok(items)
}

fn unpacked(source: &Arc<Source>, format: Format, item: &Item) -> Result<Box<dyn Read + Send>, Error> {
    if format != Format::Zip {
        return Ok(Box::new(Cut::new(source, item.at, item.size)));
    }
    if item.encrypted {
        return Err(unsupported(format!("`{}` is encrypted", shown(&item.name))));
    }
    let packed = zipped::packed(source, item)?;
    match item.packing {
        Packing::Stored => Ok(Box::new(packed)),
        Packing::Deflated => Ok(Box::new(DeflateDecoder::new(packed))),
        Packing::Other(number) => {
            Err(unsupported(format!("`{}` is packed by method {number}, which this build does not know", shown(&item.name))))
        }
    }
}

/// Reads of the entry that a tape is at.
struct OfTape(Arc<Archive>);

impl Read for OfTape {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.0.content {
            Content::Tape(tape) => tape.lock().read(buffer),
            Content::Listed { .. } => Ok(0),
        }
    }
}

/// The bytes of one entry.
pub(crate) struct Bytes {
    archive: Arc<Archive>,
    reader: Box<dyn Read + Send>,
    /// Bytes that are still to come.
    left: u64,
    crc: Option<(u32, Crc)>,
    /// The step of the walk that it belongs to.
    turn: Option<u64>,
}

impl Bytes {
    /// Reads the next piece; none at the end.
    pub(crate) fn piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        self.archive.check_open()?;
        if self.turn.is_some_and(|turn| turn != self.archive.turn.load(Ordering::Acquire)) {
            return Err(internal("the walk went on, and the bytes of this entry are gone"));
        }
        let mut piece = vec![0; self.archive.options.buffer_bytes];
        let count = self.reader.read(&mut piece).map_err(broken)?;
        piece.truncate(count);
        if count == 0 {
            return self.end().map(|()| None);
        }
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or_else(|| broken("an entry is longer than it says"))?;
        let spent = self.archive.spent.fetch_add(count as u64, Ordering::Relaxed).saturating_add(count as u64);
        if spent > self.archive.options.max_total_bytes {
            return Err(too_much("max_total_bytes", self.archive.options.max_total_bytes));
        }
        if let Some((_, crc)) = &mut self.crc {
            crc.update(&piece);
        }
        Ok(Some(piece))
    }

    fn end(&mut self) -> Result<(), Error> {
        if self.left > 0 {
            return Err(broken("an entry is shorter than it says"));
        }
        match self.crc.take() {
            Some((wanted, crc)) if crc.sum() != wanted => Err(broken("an entry has another checksum than it says")),
            _ => Ok(()),
        }
    }
}

/// The bytes of an entry as a stream of Lua.
pub(super) struct Piecewise {
    /// None while a thread reads, and when it was given up in the middle.
    bytes: Option<Bytes>,
    size: u64,
    bill: Bill,
}

impl Piecewise {
    pub(super) fn new(bytes: Bytes, bill: Bill) -> Self {
        Self { size: bytes.left, bytes: Some(bytes), bill }
    }
}

impl ByteSource for Piecewise {
    fn next(&mut self) -> NextBytes<'_> {
        Box::pin(async move {
            let mut bytes = self.bytes.take().ok_or_else(|| internal("reading this entry was given up"))?;
            let bill = self.bill.clone();
            let read = tokio::task::spawn_blocking(move || {
                let piece = bill.run(|| bytes.piece());
                (bytes, piece)
            });
            let (bytes, piece) = read.await.map_err(|_| internal("reading this entry was given up"))?;
            self.bytes = Some(bytes);
            piece
        })
    }

    fn size(&self) -> Option<u64> {
        Some(self.size)
    }
}
