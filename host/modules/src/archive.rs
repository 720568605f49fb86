//! Module `archive`: zip and tar, entry by entry.
//!
//! Nothing of an archive is held in memory but its directory, whose size is bounded, and one piece of one entry. What is written
//! goes through Lua to where the program may write, so that the module needs no authority over files of its own.

use std::sync::Arc;

use moonlet_runtime::{
    Answer, Args, ByteStream, Error, Fault, HostModule, Manifest, ModuleCall, SCANNER_METHODS, STREAM_METHODS, Value,
    invoke_stream,
};
use parking_lot::Mutex;

use crate::fail::{invalid, no_function};
use crate::fs::{FILE, OpenFile};
use crate::heavy;

mod dates;
mod item;
mod pack;
mod source;
mod spool;
mod tarred;
mod unpack;
mod zipped;
mod zipping;

pub(crate) use item::Options;
use item::{FORMATS, Format, Item, too_much};
use pack::{Attributes, Packer};
pub(crate) use source::{Cut, Source};
pub(crate) use spool::Spooled;
use unpack::Piecewise;
pub(crate) use unpack::{Archive, Bytes};
pub(crate) use zipping::Zipper;

const READER: &str = "Reader";
const WALKER: &str = "Walker";
const WRITER: &str = "Writer";
const SPOOL: &str = "Spool";
const STREAM: &str = "Stream";
/// Entries that are described in one answer.
const PAGE: usize = 256;
/// Bytes of the archive that a writer gives out at once.
const DRAINED: usize = 1 << 20;

/// Bytes of memory of what unpacks one entry, and of what packs an archive: windows and buffers.
const DECODER: usize = 256 << 10;
const ENCODER: usize = 1 << 20;
/// Bytes of memory for each entry of an archive that is listed.
const LISTED: usize = 512;

/// The module.
#[derive(Debug, Default)]
pub(crate) struct Archives;

/// A walk through an archive, and where it is.
struct Walk {
    archive: Arc<Archive>,
    current: Mutex<Option<Item>>,
}

impl HostModule for Archives {
    fn name(&self) -> &str {
        "archive"
    }

    fn manifest(&self) -> Value {
        Manifest::new()
            .functions(&["open", "scan", "create", "spool", "formats"])
            .resource(READER, &["page", "stat", "read", "stream", "close"])
            .resource(WALKER, &["advance", "stream", "close"])
            .resource(WRITER, &["begin", "data", "finish_entry", "directory", "drain", "finish"])
            .resource(SPOOL, &["add"])
            .resource(STREAM, STREAM_METHODS)
            .resource("Scanner", SCANNER_METHODS)
            .build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(concat!(include_str!("streams.lua"), include_str!("archive/archive.lua")))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        if function.starts_with("Stream:") || function.starts_with("Scanner:") {
            return invoke_stream(call, function, args).unwrap_or_else(|| Err(no_function("archive", function)));
        }
        match function.split_once(':') {
            Some((READER, method)) => on_reader(call, method, function, args),
            Some((WALKER, method)) => on_walker(call, method, function, args),
            Some((WRITER, method)) => on_writer(call, method, function, args),
            Some((SPOOL, "add")) => {
                let (spool, args) = call.method::<Spooled>(SPOOL, function, args)?;
                let bytes = args.bytes(1)?.to_vec();
                call.run_blocking(move || spool.add(&bytes).map(|()| vec![true.into()]))
            }
            None => on_module(call, function, &Args::new(function, args)),
            Some(_) => Err(no_function("archive", function)),
        }
    }
}

fn on_module(call: &ModuleCall<'_>, function: &str, args: &Args<'_>) -> Result<Answer, Fault> {
    match function {
        "formats" => Answer::one(Value::Array(FORMATS.iter().map(|(name, _)| (*name).into()).collect())),
        "open" | "scan" => {
            call.check("archive.read", "archive")?;
            open(call, args, function == "scan")
        }
        "spool" => {
            call.check("archive.read", "archive")?;
            Answer::one(call.keep(SPOOL, Arc::<Spooled>::default())?)
        }
        "create" => {
            call.check("archive.write", "archive")?;
            let options = Options::read(args, 1)?;
            let format = options.format.or_else(|| args.opt_text(2).ok().flatten().and_then(Format::of_name));
            let format =
                format.ok_or_else(|| invalid("the format of the archive is not known: write `format` in the options"))?;
            Answer::one(call.keep_heavy(WRITER, Arc::new(Packer::new(format, options)?), ENCODER)?)
        }
        _ => Err(no_function("archive", function)),
    }
}

/// Opens an archive from bytes, an open file, or a spool; the third argument is the name that may tell the format.
fn open(call: &ModuleCall<'_>, args: &Args<'_>, walk: bool) -> Result<Answer, Fault> {
    let options = Options::read(args, 2)?;
    let name = args.opt_text(3)?.map(str::to_owned);
    let source: Box<dyn FnOnce() -> Result<Source, Error> + Send> = match args.get(1) {
        Value::String(_) | Value::Binary(_) => {
            let bytes = args.bytes(1)?.to_vec();
            Box::new(move || Ok(Source::Bytes(bytes)))
        }
        value => {
            if let Some(file) = call.foreign::<OpenFile>("fs", FILE, value) {
                Box::new(move || Source::file(file.duplicate()?).map_err(item::broken))
            } else if let Ok(spool) = call.resource::<Spooled>(SPOOL, value) {
                Box::new(move || spool.source())
            } else {
                return Err(args.fault(1, "string, file, volume or stream expected"));
            }
        }
    };
    let keeper = call.keeper();
    heavy::run(call, move |_| {
        let archive = Arc::new(Archive::open(source()?, options, name.as_deref(), walk)?);
        let value = if walk {
            keeper.keep_heavy(WALKER, Arc::new(Walk { archive, current: Mutex::default() }), DECODER)
        } else {
            let listed = archive.items().len().saturating_mul(LISTED);
            keeper.keep_heavy(READER, archive, listed)
        };
        Ok(vec![value?])
    })
}

fn on_reader(call: &ModuleCall<'_>, method: &str, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (archive, args) = call.method::<Archive>(READER, function, args)?;
    if method == "close" {
        archive.close();
        return Answer::one(true);
    }
    archive.check_open()?;
    if method == "page" {
        let from = usize::try_from(args.integer(1)?).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let fits = |item: &&Item| {
            bytes += item.name.len() + 256;
            bytes < call.max_bytes()
        };
        let items = archive.items().iter().skip(from).take(PAGE).take_while(fits);
        return Answer::one(Value::Array(items.map(Item::describe).collect()));
    }
    let item = archive.find(args.text(1)?)?.clone();
    match method {
        "stat" => Answer::one(item.describe()),
        "stream" => Answer::one(call.keep_heavy(
            STREAM,
            Arc::new(ByteStream::new(Box::new(Piecewise::new(archive.open_item(&item)?, call.bill())))),
            DECODER,
        )?),
        "read" => {
            let most = archive.options.max_inline_bytes.min(call.max_bytes().saturating_sub(64) as u64);
            if item.size > most {
                let mut error = too_much("max_inline_bytes", most);
                error.message.push_str("; larger entries are read with `stream` or `extract`");
                return Err(error.into());
            }
            heavy::run(call, move |canceled| {
                let mut bytes = archive.open_item(&item)?;
                let mut all = Vec::new();
                while let Some(piece) = bytes.piece()? {
                    if canceled.is_set() {
                        break;
                    }
                    all.extend_from_slice(&piece);
                }
                Ok(vec![Value::Binary(all)])
            })
        }
        _ => Err(no_function("archive", function)),
    }
}

fn on_walker(call: &ModuleCall<'_>, method: &str, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (walk, _) = call.method::<Walk>(WALKER, function, args)?;
    match method {
        "close" => {
            walk.archive.close();
            Answer::one(true)
        }
        "advance" => heavy::run(call, move |_| {
            let item = walk.archive.advance()?;
            let described = item.as_ref().map_or(Value::Nil, Item::describe);
            *walk.current.lock() = item;
            Ok(vec![described])
        }),
        "stream" => {
            let Some(item) = walk.current.lock().clone() else { return Err(invalid("the walk is at no entry").into()) };
            if item.kind != "file" {
                return Answer::none();
            }
            let bytes = Piecewise::new(walk.archive.open_current(&item)?, call.bill());
            Answer::one(call.keep_heavy(STREAM, Arc::new(ByteStream::new(Box::new(bytes))), DECODER)?)
        }
        _ => Err(no_function("archive", function)),
    }
}

fn on_writer(call: &ModuleCall<'_>, method: &str, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (packer, args) = call.method::<Packer>(WRITER, function, args)?;
    let done = |result: Result<(), Error>| result.map(|()| vec![Value::from(true)]);
    match method {
        "begin" => {
            let (name, attributes) = (args.text(1)?.to_owned(), Attributes::read(&args, 2)?);
            heavy::run(call, move |_| done(packer.begin(&name, attributes)))
        }
        "data" => {
            let bytes = args.bytes(1)?.to_vec();
            heavy::run(call, move |_| done(packer.data(&bytes)))
        }
        "finish_entry" => heavy::run(call, move |_| done(packer.end())),
        "directory" => {
            let (name, attributes) = (args.text(1)?.to_owned(), Attributes::read(&args, 2)?);
            heavy::run(call, move |_| done(packer.directory(&name, &attributes)))
        }
        "finish" => heavy::run(call, move |_| done(packer.finish())),
        "drain" => {
            let most = call.max_bytes().saturating_sub(64).clamp(1, DRAINED);
            heavy::run(call, move |_| Ok(packer.drain(most)?.map(|bytes| vec![Value::Binary(bytes)]).unwrap_or_default()))
        }
        _ => Err(no_function("archive", function)),
    }
}
