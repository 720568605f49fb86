//! Module `exec`: commands of the operating system, started without a shell, with limits on their time, number and output.
//!
//! A command ends at the latest with the process that started it, with everything that it started itself.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moonlet_registry::{Change, Entry, Size, parse_duration};
use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;
use tokio::sync::Semaphore;

mod bounds;
mod command;
mod process;

use command::Command;
use process::Process;

use crate::fail::{self, field, internal, invalid, unsupported};
use crate::stream::{self, STREAM, Stream};

const EXECUTOR: &str = "Executor";
const PROCESS: &str = "Process";
/// How long a command may run unless the entry says otherwise.
const TIMEOUT: Duration = Duration::from_secs(600);
/// How many bytes one stream of a command may give unless the entry says otherwise.
const OUTPUT: u64 = 64 << 20;
/// How many commands of one executor may run at once unless the entry says otherwise.
const PROCESSES: u64 = 16;

/// What an entry says about its commands.
struct Settings {
    work_dir: Option<PathBuf>,
    env: BTreeMap<String, String>,
    allowed: Option<Vec<String>>,
    /// Variables that programs may set; none: any, unless the commands are listed.
    variables: Option<Vec<String>>,
    timeout: Duration,
    max_output: u64,
    /// Guards how many run at once.
    places: Arc<Semaphore>,
}

/// An executor as a process has it.
struct Executor {
    settings: Arc<Settings>,
    released: AtomicBool,
}

/// The executors of this node.
#[derive(Default)]
pub struct Exec {
    /// Guards the executors by entry, so that all who use one share its limits.
    executors: Mutex<FxHashMap<String, Arc<Settings>>>,
}

impl Exec {
    fn get(&self, call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
        let id = args.text(1)?;
        if id.is_empty() {
            return Err(invalid("the id of the executor is empty").into());
        }
        let id = call.resolve(id);
        call.check("exec.get", &id)?;
        call.check_namespace(&id)?;
        let entry = fail::entry(call, &id, "an executor (`kind: exec.native`)", |kind| kind.starts_with("exec."))?;
        if entry.kind != "exec.native" {
            let message = format!("`{id}` is of kind `{}`, which this build does not support: use `exec.native`", entry.kind);
            return Err(unsupported(message).into());
        }
        let project = call.node().project()?;
        let mut executors = self.executors.lock();
        let settings = executors.entry(id).or_insert_with(|| Arc::new(Settings::read(&entry, &project)));
        let executor = Executor { settings: Arc::clone(settings), released: AtomicBool::new(false) };
        drop(executors);
        Answer::one(call.keep(EXECUTOR, Arc::new(executor))?)
    }
}

impl Settings {
    fn read(entry: &Entry, project: &std::path::Path) -> Self {
        let text = |value: &Json| match value {
            Json::String(text) => text.clone(),
            value => value.to_string(),
        };
        let env = entry.data.get("default_env").and_then(Json::as_object).into_iter().flatten();
        let list = |name: &str| {
            let texts = entry.data.get(name).and_then(Json::as_array)?;
            Some(texts.iter().filter_map(Json::as_str).map(str::to_owned).collect())
        };
        let limit = |name: &str| entry.data.get("limits").and_then(|limits| limits.get(name));
        let output = match limit("max_output") {
            Some(Json::Number(number)) => number.as_u64(),
            Some(Json::String(text)) => text.parse::<Size>().ok().map(Size::as_bytes),
            _ => None,
        };
        let timeout = limit("timeout").and_then(Json::as_str).and_then(|text| parse_duration(text).ok());
        let places = limit("max_processes").and_then(Json::as_u64).unwrap_or(PROCESSES);
        let places = usize::try_from(places).unwrap_or(1).min(Semaphore::MAX_PERMITS);
        Self {
            work_dir: entry.data.get("default_work_dir").and_then(Json::as_str).map(|dir| project.join(dir)),
            env: env.map(|(name, value)| (name.clone(), text(value))).collect(),
            allowed: list("command_whitelist"),
            variables: list("env_whitelist"),
            timeout: timeout.unwrap_or(TIMEOUT),
            max_output: output.unwrap_or(OUTPUT),
            places: Arc::new(Semaphore::new(places)),
        }
    }
}

fn on_executor(call: &ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (executor, args) = call.method::<Executor>(EXECUTOR, function, args)?;
    if function == "Executor:release" {
        executor.released.store(true, Ordering::Relaxed);
        return Answer::one(true);
    }
    let line = args.text(1)?;
    let options = args.opt_table(2)?;
    if executor.released.load(Ordering::Relaxed) {
        return Err(invalid("the executor is released").into());
    }
    let settings = &executor.settings;
    call.check("exec.run", line)?;
    if settings.allowed.as_ref().is_some_and(|allowed| !allowed.iter().any(|allowed| allowed == line)) {
        let message =
            format!("the command `{}` is not allowed: add it to `command_whitelist` of the executor", fail::shown(line));
        return Err(Error::new("PermissionDenied", message).with_retryable(false).into());
    }
    let mut command = Command::parse(line)?;
    command.env = settings.env.clone();
    let bounded = settings.allowed.is_some() || settings.variables.is_some();
    for (name, value) in env_of(field(options, "env"))? {
        if bounded {
            bounds::check_variable(&name, settings.variables.as_deref())?;
        }
        command.env.insert(name, value);
    }
    command.work_dir = match field(options, "work_dir") {
        Value::Nil => settings.work_dir.clone(),
        Value::String(dir) => {
            let dir = dir.as_str().filter(|dir| !dir.contains('\0')).ok_or_else(|| invalid("`work_dir` is no possible path"))?;
            match &settings.work_dir {
                Some(base) => {
                    command.below = Some(base.clone());
                    Some(bounds::below(base, dir)?)
                }
                None if settings.allowed.is_some() => {
                    let message =
                        "an executor that lists its commands takes a `work_dir` only below its `default_work_dir`: write one";
                    return Err(bounds::denied(message).into());
                }
                None => Some(call.node().project()?.join(dir)),
            }
        }
        _ => return Err(invalid("`work_dir` must be a string").into()),
    };
    let tokio = call.node().tokio()?;
    // Pipes belong to the runtime that reads them.
    let _guard = tokio.enter();
    let process = Process::new(command, settings.timeout, Arc::clone(&settings.places))
        .map_err(|error| internal(format!("failed to make the pipes of the command: {}", error.kind())))?;
    Answer::one(call.keep(PROCESS, Arc::new(process.with_output(settings.max_output)))?)
}

/// Reads environment variables.
fn env_of(value: &Value) -> Result<Vec<(String, String)>, Error> {
    let fields = match value {
        Value::Nil => return Ok(Vec::new()),
        Value::Map(fields) => fields,
        Value::Array(items) if items.is_empty() => return Ok(Vec::new()),
        _ => return Err(invalid("`env` must be a table of names and values")),
    };
    let read = |(name, value): &(Value, Value)| {
        let name = name.as_str().filter(|name| !name.is_empty() && !name.contains(['\0', '=']));
        let value = match value {
            Value::String(text) => text.as_str().filter(|text| !text.contains('\0')).map(str::to_owned),
            Value::Integer(number) => Some(number.to_string()),
            Value::F64(number) => Some(number.to_string()),
            Value::Boolean(value) => Some(value.to_string()),
            _ => None,
        };
        match (name, value) {
            (Some(name), Some(value)) => Ok((name.to_owned(), value)),
            _ => Err(invalid("`env` must be a table of names and values, without `=` in names and without zero bytes")),
        }
    };
    fields.iter().map(read).collect()
}

fn on_process(call: &ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (process, args) = call.method::<Process>(PROCESS, function, args)?;
    match function.trim_start_matches("Process:") {
        "start" => {
            let tokio = call.node().tokio()?;
            call.run_blocking(move || {
                let _guard = tokio.enter();
                process.start().map(|()| vec![true.into()])
            })
        }
        "wait" => call.run_async(async move { Ok(vec![process.wait().await?.into()]) }),
        "write_stdin" => {
            let data = args.bytes(1)?.to_vec();
            call.run_async(async move { process.write(&data).await.map(|()| vec![true.into()]) })
        }
        "stdout_stream" => Answer::one(call.keep(STREAM, Arc::new(Stream::reader(process.stdout()?)))?),
        "stderr_stream" => Answer::one(call.keep(STREAM, Arc::new(Stream::reader(process.stderr()?)))?),
        "signal" => {
            let number = args.integer(1)?;
            process.signal(number)?;
            Answer::one(true)
        }
        "pid" => Answer::one(process.pid()?),
        "close" => {
            let force = args.opt_boolean(1)?.unwrap_or(false);
            process.close(force, &call.node().tokio()?);
            Answer::one(true)
        }
        other => Err(fail::not_found(format!("module `exec` has no method `{other}`")).into()),
    }
}

impl HostModule for Exec {
    fn name(&self) -> &str {
        "exec"
    }

    fn manifest(&self) -> Value {
        Manifest::new()
            .functions(&["get"])
            .resource(EXECUTOR, &["exec", "release"])
            .resource(PROCESS, &["start", "wait", "write_stdin", "stdout_stream", "stderr_stream", "signal", "pid", "close"])
            .resource(STREAM, stream::METHODS)
            .build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("exec/exec.lua"))
    }

    fn part(&self, name: &str) -> Option<&'static str> {
        (name == "scanner").then_some(stream::SCANNER)
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        match function {
            "get" => self.get(call, &Args::new(function, args)),
            _ if function.starts_with("Executor:") => on_executor(call, function, args),
            _ if function.starts_with("Process:") => on_process(call, function, args),
            _ if function.starts_with("Stream:") => stream::invoke(call, function, args),
            other => Err(fail::not_found(format!("module `exec` has no function `{other}`")).into()),
        }
    }

    fn changed(&self, change: &Change) {
        self.executors.lock().remove(change.id.as_str());
    }
}
