//! The five formats behind one face.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use moonlet_runtime::Error;
use zstd::zstd_safe;

use crate::fail::internal;
use crate::heavy::Watch;

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
    /// There is no room for it, or nobody waits for it any more.
    Stopped(Error),
}

/// How much is worked on between two questions whether to go on.
const PIECE: usize = 16 * 1024;
/// The most memory that the window of a compressed string may ask for, as a power of two: one of a few bytes can ask for gigabytes.
const MAX_WINDOW: u32 = 27;
/// The buffers of the brotli library.
const BUFFER: usize = 4_096;
/// The windows of brotli, as powers of two. For smaller ones than the least the library has larger tables.
const BROTLI_WINDOWS: (u32, u32) = (17, 22);
/// What state and tables of a format take beside its window, about.
const STATE: usize = 512 << 10;

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

    /// Returns what the library takes to pack so many bytes, at most.
    pub(super) fn packing_memory(self, length: usize, level: u32) -> usize {
        match self {
            Self::Gzip | Self::Deflate | Self::Zlib => STATE,
            Self::Brotli => {
                let window = 1_usize << brotli_window(length, level);
                // Blocks, and trees of matches, references and costs over the window; or buckets of a fixed size.
                let tables = match level {
                    0..=1 => 0,
                    2..=4 => 4 << 20,
                    5..=6 => 8 << 20,
                    7..=9 => 34 << 20,
                    _ => 10 << 20,
                };
                STATE + tables + window.saturating_mul(if level < 5 { 4 } else { 14 })
            }
            Self::Zstd => {
                // The largest tables of these levels, as powers of two.
                let (chain, hash) = match level {
                    0..=4 => (17, 18),
                    5..=12 => (22, 23),
                    13..=19 => (24, 23),
                    _ => (27, 25),
                };
                let window = zstd_window(length);
                let tables = (4 << chain.min(window + 1)) + (4 << hash.min(window + 1));
                2 * STATE + tables + (1 << window)
            }
        }
    }

    /// Packs a string; the watch is asked whether to go on, and charged for what comes out.
    pub(super) fn encode(self, data: &[u8], level: u32, dictionary: Option<&[u8]>, watch: &mut Watch) -> Result<Vec<u8>, Error> {
        let failed = |error: io::Error| internal(format!("failed to compress: {error}"));
        let plain = Compression::new(level);
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), plain);
                write(&mut encoder, data, |encoder| encoder.get_ref().len(), watch)?;
                encoder.finish().map_err(failed)
            }
            Self::Deflate => {
                let mut encoder = DeflateEncoder::new(Vec::new(), plain);
                write(&mut encoder, data, |encoder| encoder.get_ref().len(), watch)?;
                encoder.finish().map_err(failed)
            }
            Self::Zlib => {
                let mut encoder = ZlibEncoder::new(Vec::new(), plain);
                write(&mut encoder, data, |encoder| encoder.get_ref().len(), watch)?;
                encoder.finish().map_err(failed)
            }
            Self::Brotli => {
                let window = brotli_window(data.len(), level);
                let packer = brotli::CompressorReader::new(data, BUFFER, level, window);
                read(packer, usize::MAX, watch).map_err(|trouble| match trouble {
                    Trouble::Stopped(error) => error,
                    Trouble::Broken(why) => internal(format!("failed to compress: {why}")),
                    Trouble::TooLong => internal("failed to compress"),
                })
            }
            Self::Zstd => {
                let level = i32::try_from(level).unwrap_or(3);
                let dictionary = dictionary.unwrap_or_default();
                let mut encoder = zstd::stream::write::Encoder::with_dictionary(Vec::new(), level, dictionary).map_err(failed)?;
                // The library would take tables for a text of any length otherwise.
                encoder.set_pledged_src_size(Some(data.len() as u64)).map_err(failed)?;
                encoder.window_log(zstd_window(data.len().saturating_add(dictionary.len()))).map_err(failed)?;
                encoder.include_checksum(true).map_err(failed)?;
                write(&mut encoder, data, |encoder| encoder.get_ref().len(), watch)?;
                encoder.finish().map_err(failed)
            }
        }
    }

    /// Returns what the library takes to unpack a string.
    pub(super) fn unpacking_memory(self, data: &[u8]) -> usize {
        match self {
            Self::Gzip | Self::Deflate | Self::Zlib => STATE,
            Self::Brotli => {
                // The window stands in the first bits.
                let first = data.first().copied().unwrap_or(0);
                let window = match (first & 1, (first >> 1) & 7, (first >> 4) & 7) {
                    (0, ..) => 16,
                    (_, 0, 0) => 17,
                    (_, 0, 1) => 24,
                    (_, 0, small) => 8 + u32::from(small),
                    (_, large, _) => 17 + u32::from(large),
                };
                STATE + (2 << window)
            }
            Self::Zstd => STATE + zstd_windows(data),
        }
    }

    /// Unfolds a string to at most `max` bytes; the watch is asked whether to go on, and charged for what comes out.
    pub(super) fn decode(
        self,
        data: &[u8],
        max: usize,
        dictionary: Option<&[u8]>,
        watch: &mut Watch,
    ) -> Result<Vec<u8>, Trouble> {
        match self {
            Self::Gzip => read(MultiGzDecoder::new(data), max, watch),
            Self::Deflate => read(DeflateDecoder::new(data), max, watch),
            Self::Zlib => read(ZlibDecoder::new(data), max, watch),
            Self::Brotli => read(brotli::Decompressor::new(data, BUFFER), max, watch),
            Self::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_dictionary(data, dictionary.unwrap_or_default());
                let mut decoder = decoder.map_err(|error| Trouble::Broken(error.to_string()))?;
                decoder.window_log_max(MAX_WINDOW).map_err(|error| Trouble::Broken(error.to_string()))?;
                read(decoder, max, watch)
            }
        }
    }
}

/// The least power of two that so many bytes fit in.
fn log2(length: usize) -> u32 {
    usize::BITS - length.saturating_sub(1).leading_zeros()
}

fn brotli_window(length: usize, level: u32) -> u32 {
    // A window holds 16 bytes less than its size. The best levels have tables for each byte of it, the others start at a size.
    let (least, most) = BROTLI_WINDOWS;
    log2(length.saturating_add(16)).clamp(if level > 9 { 16 } else { least }, most)
}

fn zstd_window(length: usize) -> u32 {
    log2(length).clamp(10, MAX_WINDOW)
}

/// Returns the largest window that the frames of a string ask for.
fn zstd_windows(data: &[u8]) -> usize {
    let (mut largest, mut rest) = (0, data);
    while !rest.is_empty() {
        if let [0x28, 0xb5, 0x2f, 0xfd, descriptor, window, ..] = rest {
            // A frame in one segment has no window: its content is one.
            let size = if descriptor & 0x20 == 0 {
                let base = 1_u64 << (10 + (window >> 3));
                base + base / 8 * u64::from(window & 7)
            } else {
                zstd_safe::get_frame_content_size(rest).ok().flatten().unwrap_or(0)
            };
            largest = largest.max(usize::try_from(size).unwrap_or(usize::MAX));
        }
        // What is broken here is an error when it is unpacked.
        let Ok(length @ 1..) = zstd_safe::find_frame_compressed_size(rest) else { break };
        rest = rest.get(length..).unwrap_or_default();
    }
    // The library refuses larger ones.
    largest.min(1 << MAX_WINDOW)
}

fn write<W: Write>(encoder: &mut W, data: &[u8], written: impl Fn(&W) -> usize, watch: &mut Watch) -> Result<(), Error> {
    let mut before = 0;
    for piece in data.chunks(PIECE) {
        encoder.write_all(piece).map_err(|error| internal(format!("failed to compress: {error}")))?;
        let now = written(encoder);
        watch.hold(now.saturating_sub(before))?;
        before = now;
    }
    Ok(())
}

fn read(mut unfolding: impl Read, max: usize, watch: &mut Watch) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    loop {
        watch.hold(PIECE).map_err(Trouble::Stopped)?;
        let (before, piece) = (bytes.len(), u64::try_from(PIECE).unwrap_or(u64::MAX));
        let result = unfolding.by_ref().take(piece).read_to_end(&mut bytes);
        if bytes.len() > max {
            return Err(Trouble::TooLong);
        }
        if let Err(error) = result {
            return Err(Trouble::Broken(error.to_string()));
        }
        if bytes.len() == before {
            return Ok(bytes);
        }
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
                let packed = codec.encode(&data, level, None, &mut Watch::default()).unwrap();
                assert_eq!(codec.decode(&packed, data.len(), None, &mut Watch::default()).unwrap(), data, "{codec:?} {level}");
            }
        }
    }

    #[test]
    fn bombs_and_noise_are_refused() {
        let zeros = vec![0; 1_000_000];
        for codec in ALL {
            let packed = codec.encode(&zeros, codec.levels().2, None, &mut Watch::default()).unwrap();
            assert!(matches!(codec.decode(&packed, 999_999, None, &mut Watch::default()), Err(Trouble::TooLong)), "{codec:?}");
            assert!(codec.decode(b"this is no such thing at all", 1_000, None, &mut Watch::default()).is_err(), "{codec:?}");
            let half = packed.get(..packed.len() / 2).unwrap();
            assert!(codec.decode(half, 10_000_000, None, &mut Watch::default()).is_err(), "{codec:?}");
        }
    }
    #[test]
    fn memory_follows_the_length() {
        for codec in ALL {
            let (_, _, highest) = codec.levels();
            assert!(codec.packing_memory(5, highest) < 16 << 20, "{codec:?}");
        }
        assert!(Codec::Zstd.packing_memory(8 << 20, 22) > 100 << 20);
        // A window of 2^27, and one segment of five bytes.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00];
        assert_eq!(zstd_windows(&frame), 1 << 27);
        assert_eq!(zstd_windows(&zstd::bulk::compress(b"hello", 3).unwrap()), 5);
        let both = [zstd::bulk::compress(b"hello", 3).unwrap(), frame.to_vec()].concat();
        assert_eq!(zstd_windows(&both), 1 << 27);
    }

    #[test]
    fn what_nobody_waits_for_is_not_done() {
        let data: Vec<u8> = (0..500_000_u32).map(|number| (number.wrapping_mul(number) >> 7) as u8).collect();
        for codec in ALL {
            let (_, default, _) = codec.levels();
            assert_eq!(codec.encode(&data, default, None, &mut Watch::canceled_now()).unwrap_err().kind, "Canceled");
            let packed = codec.encode(&data, default, None, &mut Watch::default()).unwrap();
            let trouble = codec.decode(&packed, data.len(), None, &mut Watch::canceled_now()).unwrap_err();
            assert!(matches!(trouble, Trouble::Stopped(_)));
        }
    }
}
