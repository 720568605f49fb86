//! Zip: writes an archive to where nothing can be changed afterwards, so that sizes stand behind each entry.

use std::io::{self, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::dates;

/// The version of the format that a reader needs: deflate and directories.
const VERSION: u16 = 20;
/// Made on a system like Unix, so that modes are read.
const UNIX: u16 = 3 << 8;
/// The sizes follow the bytes; names are UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;
/// What does not fit: archives of more than that need the long form, which is not written.
const MOST: u64 = 0xffff_fffe;
const MOST_ENTRIES: usize = 0xfffe;

/// A zip that is written.
pub(crate) struct Zipper<W: Write> {
    out: Counted<W>,
    entries: Vec<Entry>,
    /// The entry that is open.
    current: Option<Current>,
}

struct Entry {
    name: String,
    stored: bool,
    mode: u32,
    modified: i64,
    at: u64,
    crc: u32,
    packed: u64,
    size: u64,
}

struct Current {
    entry: Entry,
    crc: Crc,
    deflate: Option<DeflateEncoder<Vec<u8>>>,
}

struct Counted<W: Write> {
    to: W,
    count: u64,
}

impl<W: Write> Counted<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        self.count += bytes.len() as u64;
        Ok(())
    }
}

fn fits(number: u64) -> io::Result<u32> {
    match u32::try_from(number) {
        Ok(number) if u64::from(number) <= MOST => Ok(number),
        _ => Err(io::Error::new(io::ErrorKind::FileTooLarge, "a zip of this form ends at 4 GiB: use `tar.zst`")),
    }
}

impl<W: Write> Zipper<W> {
    pub(crate) fn new(to: W) -> Self {
        Self { out: Counted { to, count: 0 }, entries: Vec::new(), current: None }
    }

    /// Begins an entry; a name with a slash at its end is a directory. `mode` has the kind of file in it, as Unix keeps it.
    pub(crate) fn begin(&mut self, name: &str, mode: u32, modified: i64, stored: bool) -> io::Result<()> {
        self.end()?;
        if self.entries.len() >= MOST_ENTRIES {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "a zip of this form has at most 65534 entries: use `tar.zst`",
            ));
        }
        let at = self.out.count;
        fits(at)?;
        let entry = Entry { name: name.to_owned(), stored, mode, modified, at, crc: 0, packed: 0, size: 0 };
        let mut header = b"PK\x03\x04".to_vec();
        header.extend_from_slice(&VERSION.to_le_bytes());
        common(&mut header, &entry)?;
        header.extend_from_slice(entry.name.as_bytes());
        self.out.put(&header)?;
        let deflate = (!stored).then(|| DeflateEncoder::new(Vec::new(), Compression::default()));
        self.current = Some(Current { entry, crc: Crc::new(), deflate });
        Ok(())
    }

    /// Adds bytes to the entry.
    pub(crate) fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(current) = &mut self.current else { return Err(io::ErrorKind::InvalidInput.into()) };
        current.crc.update(bytes);
        current.entry.size += bytes.len() as u64;
        fits(current.entry.size)?;
        let out = match &mut current.deflate {
            Some(deflate) => {
                deflate.write_all(bytes)?;
                std::mem::take(deflate.get_mut())
            }
            None => bytes.to_vec(),
        };
        current.entry.packed += out.len() as u64;
        self.out.put(&out)
    }

    /// Ends the entry.
    pub(super) fn end(&mut self) -> io::Result<()> {
        let Some(Current { mut entry, crc, deflate }) = self.current.take() else { return Ok(()) };
        if let Some(deflate) = deflate {
            let rest = deflate.finish()?;
            entry.packed += rest.len() as u64;
            self.out.put(&rest)?;
        }
        entry.crc = crc.sum();
        let mut descriptor = b"PK\x07\x08".to_vec();
        for number in [entry.crc, fits(entry.packed)?, fits(entry.size)?] {
            descriptor.extend_from_slice(&number.to_le_bytes());
        }
        self.out.put(&descriptor)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Writes the directory.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.end()?;
        let at = self.out.count;
        for entry in &self.entries {
            let mut record = b"PK\x01\x02".to_vec();
            record.extend_from_slice(&(UNIX | VERSION).to_le_bytes());
            record.extend_from_slice(&VERSION.to_le_bytes());
            common(&mut record, entry)?;
            // No comment, the first disk, no attributes of its own.
            record.extend_from_slice(&[0; 6]);
            let directory = if entry.name.ends_with('/') { 0x10 } else { 0 };
            record.extend_from_slice(&(entry.mode << 16 | directory).to_le_bytes());
            record.extend_from_slice(&fits(entry.at)?.to_le_bytes());
            record.extend_from_slice(entry.name.as_bytes());
            self.out.put(&record)?;
        }
        let count = u16::try_from(self.entries.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        end.extend_from_slice(&count.to_le_bytes());
        end.extend_from_slice(&count.to_le_bytes());
        end.extend_from_slice(&fits(self.out.count - at)?.to_le_bytes());
        end.extend_from_slice(&fits(at)?.to_le_bytes());
        end.extend_from_slice(&[0; 2]);
        self.out.put(&end)?;
        Ok(self.out.to)
    }
}

/// What the header of an entry and its record in the directory have in common.
fn common(to: &mut Vec<u8>, entry: &Entry) -> io::Result<()> {
    let (date, time) = dates::to_dos(entry.modified);
    let method: u16 = if entry.stored { 0 } else { 8 };
    for number in [FLAGS, method, time, date] {
        to.extend_from_slice(&number.to_le_bytes());
    }
    for number in [entry.crc, fits(entry.packed)?, fits(entry.size)?] {
        to.extend_from_slice(&number.to_le_bytes());
    }
    let length = u16::try_from(entry.name.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(&[0; 2]);
    Ok(())
}
