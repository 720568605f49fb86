//! The five formats behind one face.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip,
    Deflate,
    Zlib,
    Brotli,
    Zstd,
}

/// Why a string was not decoded.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It unfolds to more than is allowed.
    TooLong,
    /// It is not in the format.
    Broken(String),
}

/// The most memory that the window of a compressed string may ask for, as a power of two: one of a few bytes can ask for gigabytes.
const MAX_WINDOW: u32 = 27;
/// The buffers of the brotli library.
const BUFFER: usize = 4_096;
/// The window of brotli, as a power of two.
const BROTLI_WINDOW: u32 = 22;

impl Codec {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "zlib" => Self::Zlib,
            "brotli" => Self::Brotli,
            "zstd" => Self::Zstd,
            _ => return None,
        })
    }

    /// Returns the lowest, the default and the highest level.
    pub(super) fn levels(self) -> (u32, u32, u32) {
        match self {
            Self::Gzip | Self::Deflate | Self::Zlib => (1, 6, 9),
            Self::Brotli => (0, 6, 11),
            Self::Zstd => (1, 3, 22),
        }
    }

    /// Tells whether a short string takes little time at a level.
    pub(super) fn is_quick(self, level: u32) -> bool {
        match self {
            Self::Gzip | Self::Deflate | Self::Zlib => true,
            Self::Brotli => level <= 6,
            Self::Zstd => level <= 9,
        }
    }

    pub(super) fn encode(self, data: &[u8], level: u32, dictionary: Option<&[u8]>) -> io::Result<Vec<u8>> {
        let plain = Compression::new(level);
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), plain);
                encoder.write_all(data)?;
                encoder.finish()
            }
            Self::Deflate => {
                let mut encoder = DeflateEncoder::new(Vec::new(), plain);
                encoder.write_all(data)?;
                encoder.finish()
            }
            Self::Zlib => {
                let mut encoder = ZlibEncoder::new(Vec::new(), plain);
                encoder.write_all(data)?;
                encoder.finish()
            }
            Self::Brotli => {
                let mut packed = Vec::new();
                brotli::CompressorReader::new(data, BUFFER, level, BROTLI_WINDOW).read_to_end(&mut packed)?;
                Ok(packed)
            }
            Self::Zstd => {
                let level = i32::try_from(level).unwrap_or(3);
                let dictionary = dictionary.unwrap_or_default();
                let mut encoder = zstd::stream::write::Encoder::with_dictionary(Vec::new(), level, dictionary)?;
                encoder.include_checksum(true)?;
                encoder.write_all(data)?;
                encoder.finish()
            }
        }
    }

    /// Unfolds a string to at most `max` bytes.
    pub(super) fn decode(self, data: &[u8], max: usize, dictionary: Option<&[u8]>) -> Result<Vec<u8>, Trouble> {
        match self {
            Self::Gzip => read(MultiGzDecoder::new(data), max),
            Self::Deflate => read(DeflateDecoder::new(data), max),
            Self::Zlib => read(ZlibDecoder::new(data), max),
            Self::Brotli => read(brotli::Decompressor::new(data, BUFFER), max),
            Self::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_dictionary(data, dictionary.unwrap_or_default());
                let mut decoder = decoder.map_err(|error| Trouble::Broken(error.to_string()))?;
                decoder.window_log_max(MAX_WINDOW).map_err(|error| Trouble::Broken(error.to_string()))?;
                read(decoder, max)
            }
        }
    }
}

fn read(mut decoder: impl Read, max: usize) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let result = decoder.by_ref().take(limit).read_to_end(&mut bytes);
    if bytes.len() > max {
        return Err(Trouble::TooLong);
    }
    match result {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Trouble::Broken(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const ALL: [Codec; 5] = [Codec::Gzip, Codec::Deflate, Codec::Zlib, Codec::Brotli, Codec::Zstd];

    #[test]
    fn what_is_packed_is_unpacked() {
        let data: Vec<u8> = (0..50_000_u32).map(|number| ((number * number) >> 7) as u8).collect();
        for codec in ALL {
            let (lowest, default, highest) = codec.levels();
            for level in [lowest, default, highest] {
                let packed = codec.encode(&data, level, None).unwrap();
                assert_eq!(codec.decode(&packed, data.len(), None).unwrap(), data, "{codec:?} {level}");
            }
        }
    }

    #[test]
    fn bombs_and_noise_are_refused() {
        let zeros = vec![0; 1_000_000];
        for codec in ALL {
            let packed = codec.encode(&zeros, codec.levels().2, None).unwrap();
            assert!(matches!(codec.decode(&packed, 999_999, None), Err(Trouble::TooLong)), "{codec:?}");
            assert!(codec.decode(b"this is no such thing at all", 1_000, None).is_err(), "{codec:?}");
            let half = packed.get(..packed.len() / 2).unwrap();
            assert!(codec.decode(half, 10_000_000, None).is_err(), "{codec:?}");
        }
    }
}
