//! An archive that is written: what goes in comes out as bytes, which the program's own Lua writes where it may.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;
use moonlet_runtime::{Args, Error, Fault, Spool, Value};
use parking_lot::Mutex;
use tar::{EntryType, Header};

use super::item::{Format, LONGEST_NAME, Options, too_much};
use super::tarred::padding;
use super::zipping::Zipper;
use crate::fail::{field, internal, invalid, shown};

/// The kinds of files, as Unix keeps them in modes.
const FILE: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
/// Bytes that are moved at once.
const PIECE: usize = 64 << 10;

/// How an entry is stored.
pub(super) struct Attributes {
    store: bool,
    mode: u32,
    modified: i64,
}

impl Attributes {
    pub(super) fn read(args: &Args<'_>, number: usize) -> Result<Self, Fault> {
        let fields = args.opt_table(number)?;
        let store = match field(fields, "method") {
            Value::Nil => false,
            method => match method.as_str() {
                Some("store") => true,
                Some("deflate") => false,
                _ => return Err(invalid("`method` must be `store` or `deflate`").into()),
            },
        };
        let number = |name: &str, default: i64, most: i64| match field(fields, name) {
            Value::Nil => Ok(default),
            value => {
                let value = value.as_i64().or_else(|| value.as_f64().map(|value| value as i64));
                value.filter(|value| (0..=most).contains(value)).ok_or_else(|| invalid(format!("`{name}` is out of range")))
            }
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        // Two hundred years: what a tar header has room for.
        let modified = number("modified", now, 8_000_000_000)?;
        Ok(Self { store, mode: u32::try_from(number("mode", 0o644, 0o7777)?).unwrap_or(0o644), modified })
    }
}

/// Where formats write to.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Out {
    Zip(Zipper<Sink>),
    Tar(Sink),
    TarGz(GzEncoder<Sink>),
    TarZst(zstd::stream::write::Encoder<'static, Sink>),
    Closed,
}

impl Out {
    fn tar(&mut self) -> Result<&mut dyn Write, Error> {
        match self {
            Self::Tar(out) => Ok(out),
            Self::TarGz(out) => Ok(out),
            Self::TarZst(out) => Ok(out),
            Self::Zip(_) | Self::Closed => Err(closed()),
        }
    }
}

/// An archive that is written. Its lock is held while it compresses, which is why only threads that may wait take it.
pub(super) struct Packer(Mutex<State>);

struct State {
    out: Out,
    sink: Sink,
    /// An entry of a tar whose size is not known yet.
    waiting: Option<(String, Attributes, Spool)>,
    /// Bytes of it that still go into the archive, and what fills its last block.
    copying: Option<(Spool, u64)>,
    /// Bytes that the current entry may still have, and that the archive may.
    file_left: u64,
    total_left: u64,
    entries: u64,
    options: Options,
}

impl Packer {
    pub(super) fn new(format: Format, options: Options) -> Result<Self, Error> {
        let sink = Sink::default();
        let out = match format {
            Format::Zip => Out::Zip(Zipper::new(sink.clone())),
            Format::Tar => Out::Tar(sink.clone()),
            Format::TarGz => Out::TarGz(GzEncoder::new(sink.clone(), Compression::default())),
            Format::TarZst => Out::TarZst(zstd::stream::write::Encoder::new(sink.clone(), 3).map_err(|error| failed(&error))?),
        };
        Ok(Self(Mutex::new(State {
            out,
            sink,
            waiting: None,
            copying: None,
            file_left: 0,
            total_left: options.max_total_bytes,
            entries: 0,
            options,
        })))
    }

    /// Begins an entry.
    pub(super) fn begin(&self, name: &str, attributes: Attributes) -> Result<(), Error> {
        let mut state = self.0.lock();
        if name.ends_with('/') {
            return Err(invalid(format!("`{}` is the name of a directory: use `add_dir`", shown(name))));
        }
        state.count(name)?;
        state.file_left = state.options.max_file_bytes;
        match &mut state.out {
            Out::Zip(zip) => {
                let begun = zip.begin(name, FILE | attributes.mode, attributes.modified, attributes.store);
                begun.map_err(|error| failed(&error))
            }
            Out::Closed => Err(closed()),
            _ => {
                state.waiting = Some((name.to_owned(), attributes, Spool::new()?));
                Ok(())
            }
        }
    }

    /// Adds bytes to the entry.
    pub(super) fn data(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut state = self.0.lock();
        let state = &mut *state;
        let count = bytes.len() as u64;
        let left = state.file_left.checked_sub(count);
        state.file_left = left.ok_or_else(|| too_much("max_file_bytes", state.options.max_file_bytes))?;
        let left = state.total_left.checked_sub(count);
        state.total_left = left.ok_or_else(|| too_much("max_total_bytes", state.options.max_total_bytes))?;
        match (&mut state.waiting, &mut state.out) {
            (Some((_, _, spool)), _) => spool.add(bytes),
            (None, Out::Zip(zip)) => zip.data(bytes).map_err(|error| failed(&error)),
            _ => Err(closed()),
        }
    }

    /// Ends the entry. What it had comes out with [`Packer::drain`].
    pub(super) fn end(&self) -> Result<(), Error> {
        let mut state = self.0.lock();
        if let Out::Zip(zip) = &mut state.out {
            return zip.end().map_err(|error| failed(&error));
        }
        let Some((name, attributes, mut spool)) = state.waiting.take() else { return Ok(()) };
        write_header(state.out.tar()?, &name, &attributes, EntryType::Regular, spool.len())?;
        spool.rewind()?;
        let padding = padding(spool.len());
        state.copying = Some((spool, padding));
        Ok(())
    }

    pub(super) fn directory(&self, name: &str, attributes: &Attributes) -> Result<(), Error> {
        let mut state = self.0.lock();
        state.count(name)?;
        let name = format!("{}/", name.trim_end_matches('/'));
        // Who may read a directory must be able to enter it.
        let mode = attributes.mode | (attributes.mode & 0o444) >> 2;
        match &mut state.out {
            Out::Zip(zip) => {
                let begun = zip.begin(&name, DIRECTORY | mode, attributes.modified, true);
                begun.and_then(|()| zip.end()).map_err(|error| failed(&error))
            }
            out => write_header(out.tar()?, &name, &Attributes { mode, ..*attributes }, EntryType::Directory, 0),
        }
    }

    /// Ends the archive.
    pub(super) fn finish(&self) -> Result<(), Error> {
        let mut state = self.0.lock();
        if state.waiting.is_some() || state.copying.is_some() {
            return Err(invalid("an entry is not complete"));
        }
        if !matches!(state.out, Out::Zip(_) | Out::Closed) {
            state.out.tar()?.write_all(&[0; 1024]).map_err(|error| failed(&error))?;
        }
        match std::mem::replace(&mut state.out, Out::Closed) {
            Out::Zip(zip) => drop(zip.finish().map_err(|error| failed(&error))?),
            Out::TarGz(out) => drop(out.finish().map_err(|error| failed(&error))?),
            Out::TarZst(out) => drop(out.finish().map_err(|error| failed(&error))?),
            Out::Tar(_) | Out::Closed => {}
        }
        Ok(())
    }

    /// Takes bytes of the archive out, at most so many; none when there are none now.
    pub(super) fn drain(&self, most: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut state = self.0.lock();
        while state.sink.0.lock().len() < most {
            let Some((mut spool, padding)) = state.copying.take() else { break };
            let mut piece = vec![0; PIECE];
            let count = spool.read(&mut piece).map_err(|error| failed(&error))?;
            piece.truncate(count);
            if count == 0 {
                piece.resize(usize::try_from(padding).unwrap_or(0), 0);
            } else {
                state.copying = Some((spool, padding));
            }
            state.out.tar()?.write_all(&piece).map_err(|error| failed(&error))?;
        }
        let mut sink = state.sink.0.lock();
        let rest = if sink.len() > most { sink.split_off(most) } else { Vec::new() };
        let bytes = std::mem::replace(&mut *sink, rest);
        Ok((!bytes.is_empty()).then_some(bytes))
    }
}

impl State {
    fn count(&mut self, name: &str) -> Result<(), Error> {
        if self.waiting.is_some() || self.copying.is_some() {
            return Err(invalid("the entry before is not complete"));
        }
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains('\0') {
            return Err(invalid(format!("`{}` is no possible name of an entry", shown(name))));
        }
        self.entries += 1;
        if self.entries > self.options.max_entries {
            return Err(too_much("max_entries", self.options.max_entries));
        }
        Ok(())
    }
}

fn write_header(out: &mut dyn Write, name: &str, attributes: &Attributes, kind: EntryType, size: u64) -> Result<(), Error> {
    let mut header = Header::new_gnu();
    let bytes = name.as_bytes();
    let room = header.as_old().name.len();
    if bytes.len() > room {
        let mut long = Header::new_gnu();
        set_name(&mut long, b"././@LongLink");
        long.set_entry_type(EntryType::GNULongName);
        long.set_size(bytes.len() as u64 + 1);
        long.set_mode(0o644);
        long.set_cksum();
        let mut block = long.as_bytes().to_vec();
        block.extend_from_slice(bytes);
        block.push(0);
        block.resize(block.len() + usize::try_from(padding(bytes.len() as u64 + 1)).unwrap_or(0), 0);
        out.write_all(&block).map_err(|error| failed(&error))?;
    }
    set_name(&mut header, bytes.get(..bytes.len().min(room)).unwrap_or_default());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(attributes.mode);
    header.set_mtime(attributes.modified.cast_unsigned());
    header.set_cksum();
    out.write_all(header.as_bytes()).map_err(|error| failed(&error))
}

fn set_name(header: &mut Header, name: &[u8]) {
    for (slot, byte) in header.as_old_mut().name.iter_mut().zip(name) {
        *slot = *byte;
    }
}

fn failed(error: &io::Error) -> Error {
    internal(format!("failed to write the archive: {error}"))
}

fn closed() -> Error {
    invalid("the archive is closed")
}
