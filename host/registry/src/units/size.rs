//! Sizes in bytes: `64MB`, `512KiB`, `1.5G`, `4096`.

use std::fmt;
use std::str::FromStr;

use super::{is_decimal, scale, split_number};

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Size(u64);

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// The text does not start with a number.
    #[error("`{0}` is not a size: write a number and a unit, such as `64MB`; the units are {UNIT_LIST}")]
    NoNumber(String),
    /// The number has no unit that sizes know.
    #[error("`{unit}` is not a unit of size; the units are {UNIT_LIST}")]
    Unit {
        /// What stands behind the number.
        unit: String,
    },
    /// The size has a sign.
    #[error("a size cannot be negative")]
    Negative,
    /// The size does not fit 64 bits.
    #[error("`{0}` is too large a size")]
    TooLarge(String),
}

const UNIT_LIST: &str = "B, KB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB or K, M, G, T (powers of 1024)";

/// Units by their text in lower case, because nobody means millibytes by `mb`.
const UNITS: &[(&str, u128)] = &[
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("t", 1 << 40),
];

impl Size {
    /// Takes a number of bytes.
    #[must_use]
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Takes a number of kibibytes.
    #[must_use]
    pub const fn kib(kib: u64) -> Self {
        Self(kib << 10)
    }

    /// Takes a number of mebibytes.
    #[must_use]
    pub const fn mib(mib: u64) -> Self {
        Self(mib << 20)
    }

    /// Gives the number of bytes.
    #[must_use]
    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let text = text.trim();
        if text.starts_with('-') {
            return Err(SizeError::Negative);
        }
        let (number, unit) = split_number(text);
        if !is_decimal(number) {
            return Err(SizeError::NoNumber(text.to_owned()));
        }
        let unit = unit.trim();
        let lower = unit.to_ascii_lowercase();
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == lower) else {
            return Err(SizeError::Unit { unit: unit.to_owned() });
        };
        scale(number, *factor).map(Self).ok_or_else(|| SizeError::TooLarge(text.to_owned()))
    }
}

impl fmt::Display for Size {
    /// Writes the unit that divides the size, of powers of 1000 or of 1024 as it gives the shorter number, so that people find what they
    /// wrote, and what is printed can be written back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = |units: &[(u64, &'static str)]| {
            let divides = |(factor, _): &&(u64, &str)| self.0 != 0 && self.0.is_multiple_of(*factor);
            units.iter().find(divides).map_or((self.0, "B"), |(factor, unit)| (self.0 / factor, *unit))
        };
        let (binary, decimal) = (largest(BINARY), largest(DECIMAL));
        let (number, unit) = if decimal.0 < binary.0 { decimal } else { binary };
        write!(f, "{number}{unit}")
    }
}

/// Units to write in, the largest first.
const BINARY: &[(u64, &str)] = &[(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
const DECIMAL: &[(u64, &str)] = &[(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn sizes_have_decimal_and_binary_units() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("64MB", 64_000_000),
            ("64 MiB", 64 << 20),
            ("512KiB", 512 << 10),
            ("1G", 1 << 30),
            ("1.5k", 1536),
            ("2gib", 2 << 30),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_printed_can_be_read_back() {
        for text in [
            "64MiB", "1KiB", "1KB", "0B", "1001B", "32MB", "8MB", "1500KB", "1536KiB", "1000KiB", "1000MiB", "64GB", "3TB",
            "2TiB",
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!(size.to_string(), text);
            assert_eq!(size.to_string().parse(), Ok(size));
        }
    }

    #[test]
    fn wrong_sizes_say_which_units_there_are() {
        let error = |text: &str| text.parse::<Size>().map_err(|error| error.to_string());
        assert_eq!(
            error("64 Mo"),
            Err("`Mo` is not a unit of size; the units are B, KB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB or K, M, G, T (powers of 1024)".into())
        );
        assert!(error("many").is_err_and(|text| text.starts_with("`many` is not a size: write a number and a unit")));
        assert_eq!(error("-1MB"), Err("a size cannot be negative".into()));
        assert_eq!(error("99999999999TB"), Err("`99999999999TB` is too large a size".into()));
    }
}
