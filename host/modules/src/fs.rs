//! Module `fs`: volumes of files, each a directory that no path leads out of.
//!
//! Everything that touches a disk runs on threads of its own, so that a slow one delays only who asked.

use std::sync::Arc;

use moonlet_registry::Change;
use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, NodeHandle, Value};

mod file;
mod path;
mod volume;
mod volumes;

pub(crate) use file::OpenFile;
use file::Whence;
use path::Place;
use volume::{Mode, Volume};
use volumes::Volumes;

use crate::fail::{self, invalid};
use crate::stream;

const FS: &str = "FS";
pub(crate) const FILE: &str = "File";
/// Bytes of a read of a file that does not say how many.
const CHUNK: usize = 4096;

/// The volumes of this node.
#[derive(Default)]
pub struct Files {
    volumes: Arc<Volumes>,
}

/// A volume as one process has it, with a directory that it is in.
struct Held {
    volume: Arc<Volume>,
    place: Place,
}

impl Files {
    fn get(&self, call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
        let id = args.text(1)?;
        if id.is_empty() {
            return Err(invalid("the id of the volume is empty").into());
        }
        let id = call.resolve(id);
        call.check("fs.get", &id)?;
        call.check_namespace(&id)?;
        let entry =
            fail::entry(call, &id, "a volume (`kind: fs.directory` or `kind: fs.embed`)", |kind| kind.starts_with("fs."))?;
        let volumes = Arc::clone(&self.volumes);
        let keeper = call.keeper();
        let held = |volume| Arc::new(Held { volume, place: Place::default() });
        if let Some(volume) = volumes.find(&id) {
            return Answer::one(call.keep(FS, held(volume))?);
        }
        call.run_blocking(move || Ok(vec![keeper.keep(FS, held(volumes.open(&entry)?))?]))
    }
}

fn on_volume(call: &ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (held, args) = call.method::<Held>(FS, function, args)?;
    let method = function.trim_start_matches("FS:");
    if method == "pwd" {
        return Answer::one(held.place.shown());
    }
    let path = args.text(1)?;
    if path.is_empty() {
        return Err(invalid("path required").into());
    }
    let path = held.place.resolve(path)?;
    let volume = Arc::clone(&held.volume);
    match method {
        "readfile" | "read_file" => {
            let max = call.max_bytes().saturating_sub(64);
            let freight = call.freight();
            call.run_blocking(move || Ok(vec![Value::Binary(volume.read(&path, max, &freight)?)]))
        }
        "writefile" | "write_file" => {
            let data = match args.get(2) {
                Value::Nil => return Err(args.fault(2, "string expected, got nil")),
                _ => args.bytes(2)?.to_vec(),
            };
            let mode = Mode::parse_write(args.opt_text(3)?)?;
            call.run_blocking(move || {
                let mut file = volume.open_file(&path, mode)?;
                volume.write(&mut file, &data)?;
                Ok(vec![true.into()])
            })
        }
        "exists" => call.run_blocking(move || Ok(vec![volume.exists(&path)?.into()])),
        "isdir" => call.run_blocking(move || Ok(vec![volume.is_dir(&path)?.into()])),
        "stat" => call.run_blocking(move || Ok(vec![volume.stat(&path)?])),
        "mkdir" => call.run_blocking(move || volume.make_dir(&path).map(|()| vec![true.into()])),
        "remove" => call.run_blocking(move || volume.remove(&path).map(|()| vec![true.into()])),
        "readdir" => {
            let max = call.max_bytes() / 2;
            call.run_blocking(move || Ok(vec![volume.list(&path, max)?]))
        }
        "chdir" => call.run_blocking(move || {
            volume.check_dir(&path)?;
            held.place.set(path);
            Ok(vec![true.into()])
        }),
        "open" => {
            let mode = Mode::parse(args.opt_text(2)?)?;
            let keeper = call.keeper();
            call.run_blocking(move || {
                let file = volume.open_file(&path, mode)?;
                Ok(vec![keeper.keep(FILE, Arc::new(OpenFile::new(volume, path, file, mode)))?])
            })
        }
        other => Err(fail::not_found(format!("module `fs` has no method `{other}`")).into()),
    }
}

fn on_file(call: &ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (file, args) = call.method::<OpenFile>(FILE, function, args)?;
    match function.trim_start_matches("File:") {
        "read" => {
            let count = stream::count(call, &args, CHUNK)?;
            call.run_blocking(move || Ok(file.read(count)?.map(|bytes| vec![Value::Binary(bytes)]).unwrap_or_default()))
        }
        "write" => {
            let data = args.bytes(1)?.to_vec();
            call.run_blocking(move || file.write(&data).map(|()| vec![true.into()]))
        }
        "seek" => {
            let whence = Whence::parse(args.text(1)?)?;
            let offset = args.opt_integer(2)?.unwrap_or(0);
            call.run_blocking(move || Ok(vec![file.seek(whence, offset)?.into()]))
        }
        "stat" => call.run_blocking(move || Ok(vec![file.stat()?])),
        "sync" | "flush" => call.run_blocking(move || file.sync().map(|()| vec![true.into()])),
        "close" => call.run_blocking(move || {
            file.close();
            Ok(vec![true.into()])
        }),
        other => Err(fail::not_found(format!("module `fs` has no method `{other}`")).into()),
    }
}

impl HostModule for Files {
    fn name(&self) -> &str {
        "fs"
    }

    fn manifest(&self) -> Value {
        let names =
            |pairs: &[(&str, &str)]| Value::Map(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect());
        let methods = [
            "readfile",
            "read_file",
            "writefile",
            "write_file",
            "exists",
            "stat",
            "isdir",
            "mkdir",
            "remove",
            "readdir",
            "open",
            "chdir",
            "pwd",
        ];
        Manifest::new()
            .functions(&["get"])
            .constant("type", names(&[("FILE", "file"), ("DIR", "directory")]))
            .constant("seek", names(&[("SET", "set"), ("CUR", "cur"), ("END", "end")]))
            .resource(FS, &methods)
            .resource(FILE, &["read", "write", "seek", "stat", "sync", "flush", "close"])
            .build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("fs/fs.lua"))
    }

    fn part(&self, name: &str) -> Option<&'static str> {
        (name == "scanner").then_some(stream::SCANNER)
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        match function {
            "get" => self.get(call, &Args::new(function, args)),
            _ if function.starts_with("FS:") => on_volume(call, function, args),
            _ if function.starts_with("File:") => on_file(call, function, args),
            other => Err(fail::not_found(format!("module `fs` has no function `{other}`")).into()),
        }
    }

    fn start(&self, node: &NodeHandle) -> Result<(), Error> {
        self.volumes.start(node)
    }

    fn changed(&self, change: &Change) {
        self.volumes.changed(change);
    }
}
