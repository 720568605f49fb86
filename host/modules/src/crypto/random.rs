//! Random bytes, texts and identifiers.

use moonlet_runtime::{Args, Error, Fault};

use super::fill;
use crate::fail::invalid;

/// The most bytes that one call gives.
const MAX_LENGTH: usize = 1_048_576;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Reads the length of what is wanted.
pub(super) fn length(args: &Args<'_>, number: usize, max_bytes: usize) -> Result<usize, Fault> {
    let length = args.integer(number)?;
    match usize::try_from(length) {
        Ok(0) | Err(_) => Err(invalid("the length must be a positive integer").into()),
        Ok(length) if length > MAX_LENGTH => {
            Err(invalid(format!("the length is {length}, at most {MAX_LENGTH} is allowed")).into())
        }
        // The few bytes around an answer count, too.
        Ok(length) => Ok(length.min(max_bytes.saturating_sub(16))),
    }
}

/// Makes random bytes.
pub(super) fn bytes(length: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; length];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Makes a text of random characters, each as likely as every other.
pub(super) fn string(length: usize, characters: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    let characters = characters.unwrap_or(LETTERS);
    let count = characters.len();
    if count == 0 {
        return Err(invalid("the set of characters is empty"));
    }
    // Values at or above the largest multiple would favour the first characters.
    let count = u32::try_from(count).map_err(|_| invalid("the set of characters is too large"))?;
    let bound = u32::MAX - u32::MAX % count;
    let mut text = Vec::with_capacity(length);
    let mut buffer = [0_u8; 1024];
    while text.len() < length {
        fill(&mut buffer)?;
        let (words, _) = buffer.as_chunks::<4>();
        let picks = words.iter().map(|word| u32::from_le_bytes(*word)).filter(|word| *word < bound);
        let picks = picks.filter_map(|word| characters.get((word % count) as usize));
        text.extend(picks.take(length - text.len()));
    }
    Ok(text)
}

/// Makes an identifier of version 4.
pub(super) fn uuid() -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    fill(&mut bytes)?;
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf000_u128 << 64) | (0x4000_u128 << 64);
    let number = number & !(0xc000_u128 << 48) | (0x8000_u128 << 48);
    let hex = format!("{number:032x}");
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    Ok([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}
