//! Module `compress`: gzip, deflate, zlib, brotli and zstd, over whole strings.
//!
//! What a compressed string unfolds to is bounded while it unfolds, so that a few bytes cannot become gigabytes.

use moonlet_runtime::{Answer, Args, Error, Fault, Freight, HostModule, Manifest, ModuleCall, Value};

use crate::fail::{about_limit, answer_too_long, internal, invalid, no_function};
use crate::heavy::{self, Canceled, Watch};

mod codec;
mod dictionary;

use codec::{Codec, Trouble};

/// What a decoded string may have by default, and at most.
const DEFAULT_MAX: i64 = 128 * 1024 * 1024;
const LARGEST_MAX: i64 = 1024 * 1024 * 1024;
/// Strings up to this length are worked on in the caller's own step.
const QUICK: usize = 16 * 1024;
/// And for which the library takes no more memory than this.
const QUICK_MEMORY: usize = 16 << 20;
/// And decoded ones that may have no more than this.
const QUICK_OUTPUT: usize = 256 * 1024;

/// The module.
#[derive(Debug, Default)]
pub(crate) struct Compress;

const FUNCTIONS: &[&str] = &[
    "gzip.encode",
    "gzip.decode",
    "deflate.encode",
    "deflate.decode",
    "zlib.encode",
    "zlib.decode",
    "brotli.encode",
    "brotli.decode",
    "zstd.encode",
    "zstd.decode",
    "zstd.train_dict",
    "zstd.inspect_dict",
];

impl HostModule for Compress {
    fn name(&self) -> &str {
        "compress"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(FUNCTIONS).build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("nested.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        let args = Args::new(function, args);
        match function {
            "zstd.train_dict" => return dictionary::train(call, &args),
            "zstd.inspect_dict" => return dictionary::inspect(&args),
            _ => {}
        }
        let (codec, act) = function.split_once('.').unwrap_or((function, ""));
        let codec = Codec::named(codec).ok_or_else(|| no_function("compress", function))?;
        match act {
            "encode" => encode(call, codec, &args),
            "decode" => decode(call, codec, &args),
            _ => Err(no_function("compress", function)),
        }
    }
}

fn encode(call: &ModuleCall<'_>, codec: Codec, args: &Args<'_>) -> Result<Answer, Fault> {
    let data = data(args)?.to_vec();
    let mut level = codec.levels().1;
    let mut dictionary = None;
    for (name, value) in args.opt_table(2)? {
        match name.as_str() {
            Some("level") => level = self::level(codec, value)?,
            Some("dict") if codec == Codec::Zstd => dictionary = Some(bytes_of(value, "dict")?),
            _ => {}
        }
    }
    let memory = codec.packing_memory(data.len().saturating_add(dictionary.as_ref().map_or(0, Vec::len)), level);
    let quick = data.len() <= QUICK && codec.is_quick(level) && dictionary.is_none();
    let freight = call.freight();
    freight.add(data.len())?;
    let job = move |canceled: &Canceled| {
        codec.encode(&data, level, dictionary.as_deref(), &mut watch(canceled, freight, memory)?).map(Value::Binary)
    };
    if quick {
        return Answer::one(job(&Canceled::default())?);
    }
    heavy::run(call, move |canceled| Ok(vec![job(canceled)?]))
}

fn decode(call: &ModuleCall<'_>, codec: Codec, args: &Args<'_>) -> Result<Answer, Fault> {
    let data = data(args)?.to_vec();
    let mut max = DEFAULT_MAX;
    let mut dictionary = None;
    for (name, value) in args.opt_table(2)? {
        match name.as_str() {
            Some("max_size") => {
                max = integer(value, "max_size")?;
                if !(1..=LARGEST_MAX).contains(&max) {
                    return Err(invalid(format!("`max_size` is {max}; it must be from 1 to {LARGEST_MAX}")).into());
                }
            }
            Some("dict") if codec == Codec::Zstd => dictionary = Some(bytes_of(value, "dict")?),
            _ => {}
        }
    }
    let asked = usize::try_from(max).unwrap_or(usize::MAX);
    // What is longer than an answer may be would be made for nothing.
    let answer = call.max_bytes().saturating_sub(16);
    let allowed = asked.min(answer);
    let memory = codec.unpacking_memory(&data).saturating_add(dictionary.as_ref().map_or(0, Vec::len));
    let quick = data.len() <= QUICK && allowed <= QUICK_OUTPUT && memory <= QUICK_MEMORY && dictionary.is_none();
    let freight = call.freight();
    freight.add(data.len())?;
    let job = move |canceled: &Canceled| match codec.decode(
        &data,
        allowed,
        dictionary.as_deref(),
        &mut watch(canceled, freight, memory)?,
    ) {
        Ok(bytes) => Ok(Value::Binary(bytes)),
        Err(Trouble::TooLong) if allowed < asked => Err(answer_too_long(
            format!(
                "failed to decompress: the data is longer than {answer} bytes, which is what one answer to this process may have; raise `limits.message_size`"
            ),
            answer,
        )),
        // The reference documents this kind.
        Err(Trouble::TooLong) => {
            let message = format!("failed to decompress: the data is longer than `max_size`, {asked} bytes");
            Err(about_limit(internal(message), "max_size", asked as u64))
        }
        Err(Trouble::Broken(why)) => Err(invalid(format!("failed to decompress: {why}"))),
        Err(Trouble::Stopped(error)) => Err(error),
    };
    if quick {
        return Answer::one(job(&Canceled::default())?);
    }
    heavy::run(call, move |canceled| Ok(vec![job(canceled)?]))
}

/// Watches over work for which the library takes so much memory.
fn watch(canceled: &Canceled, freight: Freight, memory: usize) -> Result<Watch, Error> {
    freight.add(memory)?;
    Ok(Watch::new(canceled, freight))
}

fn data<'a>(args: &'a Args<'_>) -> Result<&'a [u8], Fault> {
    let data = args.bytes(1)?;
    if data.is_empty() { Err(invalid("the input is empty").into()) } else { Ok(data) }
}

fn level(codec: Codec, value: &Value) -> Result<u32, Error> {
    let level = integer(value, "level")?;
    let (lowest, _, highest) = codec.levels();
    let fits = u32::try_from(level).ok().filter(|level| (lowest..=highest).contains(level));
    fits.ok_or_else(|| invalid(format!("the level is {level}; it must be from {lowest} to {highest}")))
}

/// Reads an option that is an integer.
fn integer(value: &Value, name: &str) -> Result<i64, Error> {
    let float = || value.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15).map(|float| float as i64);
    value.as_i64().or_else(float).ok_or_else(|| invalid(format!("option `{name}` must be an integer")))
}

/// Reads an option that is a string.
fn bytes_of(value: &Value, name: &str) -> Result<Vec<u8>, Error> {
    match value {
        Value::String(text) => Ok(text.as_bytes().to_vec()),
        Value::Binary(bytes) => Ok(bytes.clone()),
        _ => Err(invalid(format!("option `{name}` must be a string"))),
    }
}
