//! Zip: the directory of an archive, and where an entry's bytes are.
//!
//! Read here and not by a library, because one that is at hand takes a whole directory into memory before it can be asked how large it
//! is; this one stops at the limit of the program.

use std::io::Read;
use std::sync::Arc;

use moonlet_runtime::Error;

use super::dates;
use super::item::{Item, LONGEST_NAME, Options, Packing, broken, too_much};
use super::source::{Cut, Source};

const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: u64 = 22;
const LONG_END: &[u8] = b"PK\x06\x06";
const LONG_LOCATOR: &[u8] = b"PK\x06\x07";
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_LENGTH: usize = 46;
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_LENGTH: u64 = 30;
/// The longest comment behind a directory.
const COMMENT: u64 = 65_535;

/// Little-endian numbers at places of a record; zero where the record is too short, which its reader has excluded.
struct Record<'a>(&'a [u8]);

impl Record<'_> {
    fn u16(&self, at: usize) -> u16 {
        self.0.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_le_bytes)
    }

    fn u32(&self, at: usize) -> u32 {
        self.0.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
    }

    fn u64(&self, at: usize) -> u64 {
        self.0.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
    }
}

/// Where a directory is.
struct Directory {
    entries: u64,
    at: u64,
    length: u64,
}

/// Reads the directory of an archive, in the order of the archive.
pub(super) fn list(source: &Arc<Source>, options: &Options) -> Result<Vec<Item>, Error> {
    let directory = find(source)?;
    if directory.entries > options.max_entries {
        return Err(too_much("max_entries", options.max_entries));
    }
    let mut cut = std::io::BufReader::new(Cut::new(source, directory.at, directory.length));
    let mut items = Vec::new();
    for _ in 0..directory.entries {
        items.push(entry(&mut cut)?);
    }
    items.sort_by_key(|item| item.at);
    Ok(items)
}

fn find(source: &Arc<Source>) -> Result<Directory, Error> {
    let from = source.len().saturating_sub(END_LENGTH + COMMENT);
    let mut tail = Vec::new();
    Cut::new(source, from, END_LENGTH + COMMENT).read_to_end(&mut tail).map_err(broken)?;
    // The last one that is complete: a comment may look like one, too.
    let fits = |at: &usize| {
        let record = tail.get(*at..).unwrap_or_default();
        record.starts_with(END) && at + END_LENGTH as usize + usize::from(Record(record).u16(20)) <= tail.len()
    };
    let at = (0..(tail.len() + 1).saturating_sub(END_LENGTH as usize)).rev().find(fits);
    let at = at.ok_or_else(|| broken("it has no directory"))?;
    let end = Record(tail.get(at..).unwrap_or_default());
    let found = Directory { entries: end.u16(10).into(), length: end.u32(12).into(), at: end.u32(16).into() };
    if found.entries < 0xffff && found.length < 0xffff_ffff && found.at < 0xffff_ffff {
        return Ok(found);
    }
    let Some(locator) = at.checked_sub(20).and_then(|at| tail.get(at..)).filter(|locator| locator.starts_with(LONG_LOCATOR))
    else {
        return Ok(found);
    };
    let mut long = [0; 56];
    let read = Cut::new(source, Record(locator).u64(8), 56).read_exact(&mut long);
    if read.is_err() || !long.starts_with(LONG_END) {
        return Err(broken("its directory has no end"));
    }
    let long = Record(&long);
    Ok(Directory { entries: long.u64(32), length: long.u64(40), at: long.u64(48) })
}

fn entry(from: &mut impl Read) -> Result<Item, Error> {
    let short = |_| broken("its directory is not complete");
    let mut head = [0; ENTRY_LENGTH];
    from.read_exact(&mut head).map_err(short)?;
    if !head.starts_with(ENTRY) {
        return Err(broken("its directory is not complete"));
    }
    let head = Record(&head);
    let mut name = vec![0; head.u16(28).into()];
    let mut extra = vec![0; head.u16(30).into()];
    let mut comment = vec![0; head.u16(32).into()];
    for part in [&mut name, &mut extra, &mut comment] {
        from.read_exact(part).map_err(short)?;
    }
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(broken("an entry has no possible name"));
    }
    let name = String::from_utf8_lossy(&name).into_owned();
    let (mut size, mut packed, mut at) = (u64::from(head.u32(24)), u64::from(head.u32(20)), u64::from(head.u32(42)));
    lengthen(&extra, [&mut size, &mut packed, &mut at]);
    // Only systems like Unix put a mode there.
    let mode = if head.u16(4) >> 8 == 3 { head.u32(38) >> 16 } else { 0 };
    let kind = match mode & 0o170_000 {
        0o120_000 => "symlink",
        _ if name.ends_with('/') => "directory",
        0o040_000 => "directory",
        _ => "file",
    };
    let default = if kind == "directory" { 0o755 } else { 0o644 };
    Ok(Item {
        kind,
        name,
        size,
        packed,
        mode: if mode & 0o7777 == 0 { default } else { mode & 0o7777 },
        modified: dates::from_dos(head.u16(14), head.u16(12)),
        packing: match head.u16(10) {
            0 => Packing::Stored,
            8 => Packing::Deflated,
            other => Packing::Other(other),
        },
        encrypted: head.u16(8) & 1 != 0,
        crc32: Some(head.u32(16)),
        at,
    })
}

/// Puts the long numbers of an entry in the place of those that did not fit.
fn lengthen(extra: &[u8], numbers: [&mut u64; 3]) {
    let mut at = 0;
    while let Some(field) = extra.get(at..).filter(|field| field.len() >= 4) {
        let length = usize::from(Record(field).u16(2));
        if Record(field).u16(0) == 1 {
            let field = Record(field.get(..4 + length).unwrap_or(field));
            let short = numbers.into_iter().filter(|number| **number == 0xffff_ffff);
            for (index, number) in short.enumerate() {
                *number = field.u64(4 + 8 * index);
            }
            return;
        }
        at += 4 + length;
    }
}

/// Finds the packed bytes of an entry, behind its local header.
pub(super) fn packed(source: &Arc<Source>, item: &Item) -> Result<Cut, Error> {
    let mut header = [0; LOCAL_LENGTH as usize];
    let read = Cut::new(source, item.at, LOCAL_LENGTH).read_exact(&mut header);
    if read.is_err() || !header.starts_with(LOCAL) {
        return Err(broken("an entry has no header"));
    }
    let behind = u64::from(Record(&header).u16(26)) + u64::from(Record(&header).u16(28));
    Ok(Cut::new(source, item.at.saturating_add(LOCAL_LENGTH + behind), item.packed))
}
