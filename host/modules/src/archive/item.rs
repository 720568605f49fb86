//! What an archive has in it, and the limits of working with one.

use moonlet_runtime::{Args, Error, Fault, Value};

use crate::fail::{about_limit, invalid, shown};

/// The formats by their names.
pub(super) const FORMATS: &[(&str, Format)] =
    &[("zip", Format::Zip), ("tar", Format::Tar), ("tar.gz", Format::TarGz), ("tar.zst", Format::TarZst)];

/// The longest name of an entry in bytes.
pub(super) const LONGEST_NAME: usize = 4096;
/// The entries of one archive, however many its reader allows: each is a few hundred bytes in the memory of the host.
const MOST_ENTRIES: u64 = 1_000_000;

/// A format of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Zip,
    Tar,
    TarGz,
    TarZst,
}

impl Format {
    pub(super) fn named(name: &str) -> Result<Self, Error> {
        let found = FORMATS.iter().find(|(known, _)| *known == name);
        found.map(|(_, format)| *format).ok_or_else(|| invalid(format!("unknown archive format `{}`", shown(name))))
    }

    /// Tells a format by the first bytes of an archive.
    pub(super) fn sniff(start: &[u8]) -> Option<Self> {
        if [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08"].iter().any(|magic| start.starts_with(magic)) {
            Some(Self::Zip)
        } else if start.starts_with(&[0x1f, 0x8b]) {
            Some(Self::TarGz)
        } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Some(Self::TarZst)
        } else {
            start.get(257..262).filter(|magic| *magic == b"ustar").map(|_| Self::Tar)
        }
    }

    /// Tells a format by the name of a file.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        if ends(&[".tar.gz", ".tgz"]) {
            Some(Self::TarGz)
        } else if ends(&[".tar.zst", ".tzst"]) {
            Some(Self::TarZst)
        } else if ends(&[".tar"]) {
            Some(Self::Tar)
        } else if ends(&[".zip"]) {
            Some(Self::Zip)
        } else {
            None
        }
    }
}

/// What a program allows an archive to be.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(super) format: Option<Format>,
    pub(super) max_entries: u64,
    pub(super) max_total_bytes: u64,
    pub(super) max_file_bytes: u64,
    pub(super) max_inline_bytes: u64,
    pub(super) buffer_bytes: usize,
}

impl Options {
    /// The options of a module that reads zips of its own accord.
    pub(crate) fn of_zip(max_entries: u64, max_file_bytes: u64) -> Self {
        Self {
            format: Some(Format::Zip),
            max_entries,
            max_total_bytes: u64::MAX,
            max_file_bytes,
            max_inline_bytes: 0,
            buffer_bytes: 64 << 10,
        }
    }

    pub(super) fn read(args: &Args<'_>, number: usize) -> Result<Self, Fault> {
        let mut options = Self {
            format: None,
            max_entries: 100_000,
            max_total_bytes: 2 << 30,
            max_file_bytes: 1 << 30,
            max_inline_bytes: 16 << 20,
            buffer_bytes: 64 << 10,
        };
        for (name, value) in args.opt_table(number)? {
            let name = name.as_str().unwrap_or_default();
            let count = || {
                let count = value.as_u64().filter(|count| *count > 0);
                count.ok_or_else(|| invalid(format!("`{name}` must be a whole number above zero")))
            };
            match name {
                "format" => {
                    let format = value.as_str().ok_or_else(|| invalid("`format` must be a string"))?;
                    options.format = Some(Format::named(format)?);
                }
                "max_entries" => options.max_entries = count()?.min(MOST_ENTRIES),
                "max_total_bytes" => options.max_total_bytes = count()?,
                "max_file_bytes" => options.max_file_bytes = count()?,
                "max_inline_bytes" => options.max_inline_bytes = count()?,
                "buffer_bytes" => options.buffer_bytes = usize::try_from(count()?).unwrap_or(usize::MAX).clamp(512, 1 << 20),
                _ => {}
            }
        }
        Ok(options)
    }
}

/// How the bytes of an entry are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Stored,
    Deflated,
    /// A method that this build does not know, by its number.
    Other(u16),
}

/// An entry of an archive.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(super) packed: u64,
    pub(super) kind: &'static str,
    pub(super) mode: u32,
    pub(super) modified: i64,
    pub(super) packing: Packing,
    pub(super) encrypted: bool,
    pub(super) crc32: Option<u32>,
    /// Where its bytes are; in a zip, where its local header is.
    pub(super) at: u64,
}

impl Item {
    /// Describes it to Lua.
    pub(super) fn describe(&self) -> Value {
        let method = match self.packing {
            Packing::Stored => Value::from("store"),
            Packing::Deflated => Value::from("deflate"),
            Packing::Other(number) => Value::from(format!("method {number}")),
        };
        let fields: [(&str, Value); 9] = [
            ("name", self.name.as_str().into()),
            ("size", self.size.into()),
            ("compressed_size", self.packed.into()),
            ("is_dir", (self.kind == "directory").into()),
            ("mode", self.mode.into()),
            ("modified", self.modified.into()),
            ("method", method),
            ("type", self.kind.into()),
            ("crc32", self.crc32.map_or(Value::Nil, Value::from)),
        ];
        Value::Map(fields.into_iter().filter(|(_, value)| !value.is_nil()).map(|(name, value)| (name.into(), value)).collect())
    }
}

/// An archive that is not what it should be.
pub(super) fn broken(what: impl std::fmt::Display) -> Error {
    invalid(format!("the archive is corrupt or truncated: {what}"))
}

/// More than the program allows of an archive.
pub(super) fn too_much(name: &str, allowed: u64) -> Error {
    // The reference documents this kind.
    let error = invalid(format!("the archive exceeds `{name}`, which is {allowed}: allow more of it, or refuse the archive"));
    about_limit(error, name, allowed)
}
