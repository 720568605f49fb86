//! Dictionaries of zstd, for many small strings that look alike.

use moonlet_runtime::{Answer, Args, Fault, ModuleCall, Value};

use super::{bytes_of, integer};
use crate::fail::{internal, invalid};
use crate::heavy;

/// What the trainer takes for its tables.
const TRAINING: usize = 16 << 20;
const DEFAULT_SIZE: i64 = 114_688;
/// The shortest sample that is of use.
const MIN_SAMPLE: usize = 8;
/// What a dictionary starts with; four bytes of its number follow.
const MAGIC: [u8; 4] = [0x37, 0xa4, 0x30, 0xec];

/// `train_dict(samples[, options])`.
pub(super) fn train(call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
    let mut samples = Vec::new();
    for sample in args.list(1)? {
        samples.push(bytes_of(sample, "samples").map_err(|_| args.fault(1, "a list of strings expected"))?);
    }
    if !samples.iter().any(|sample| sample.len() >= MIN_SAMPLE) {
        return Err(invalid(format!("one sample at least must have {MIN_SAMPLE} bytes or more")).into());
    }
    let (mut size, mut number) = (DEFAULT_SIZE, 0);
    for (name, value) in args.opt_table(2)? {
        match name.as_str() {
            Some("size") => size = integer(value, "size")?,
            Some("id") => number = integer(value, "id")?,
            Some("level") if !(1..=22).contains(&integer(value, "level")?) => {
                return Err(invalid("the level must be from 1 to 22").into());
            }
            _ => {}
        }
    }
    if !(256..=1_048_576).contains(&size) {
        return Err(invalid(format!("`size` is {size}; it must be from 256 to 1048576")).into());
    }
    let number = u32::try_from(number).map_err(|_| invalid("`id` must be from 0 to 4294967295"))?;
    let size = usize::try_from(size).unwrap_or(0).min(call.max_bytes().saturating_sub(16));
    let freight = call.freight();
    let memory = samples.iter().map(|sample| sample.len().saturating_mul(2).saturating_add(32)).sum::<usize>();
    heavy::run(call, move |_| {
        freight.add(memory.saturating_add(TRAINING).saturating_add(size.saturating_mul(4)))?;
        let dictionary = zstd::dict::from_samples(&samples, size).or_else(|error| {
            // The trainer wants many samples; a few are as good a dictionary as they are.
            fallback(&samples, size, number).ok_or(error)
        });
        let mut dictionary = dictionary.map_err(|error| internal(format!("failed to train a dictionary: {error}")))?;
        if let (true, Some(place)) = (number != 0, dictionary.get_mut(4..8)) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        Ok(vec![Value::Binary(dictionary)])
    })
}

/// Makes a dictionary without statistics, which zstd takes as the bytes that went before.
fn fallback(samples: &[Vec<u8>], size: usize, number: u32) -> Option<Vec<u8>> {
    if number != 0 {
        return None;
    }
    let joined: Vec<u8> = samples.iter().flatten().copied().collect();
    let start = joined.len().saturating_sub(size);
    joined.get(start..).map(<[u8]>::to_vec).filter(|dictionary| dictionary.len() >= MIN_SAMPLE)
}

/// `inspect_dict(dict)`.
pub(super) fn inspect(args: &Args<'_>) -> Result<Answer, Fault> {
    let dictionary = args.bytes(1)?;
    if dictionary.len() < MIN_SAMPLE {
        return Err(invalid("this is no dictionary: it is too short").into());
    }
    let number = match dictionary.split_first_chunk::<4>() {
        Some((magic, rest)) if *magic == MAGIC => rest.first_chunk::<4>().map_or(0, |number| u32::from_le_bytes(*number)),
        _ => 0,
    };
    let fields = vec![("id".into(), number.into()), ("content_size".into(), (dictionary.len() as u64).into())];
    Answer::one(Value::Map(fields))
}
