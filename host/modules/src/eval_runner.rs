//! Module `eval_runner`: running code that a program brings along, in a process of its own.
//!
//! Evaluated code never has more than its caller: modules that give capabilities only if the caller has them itself, those of the classes
//! of a blocked class only if they are allowed by name, and all of it under the policies of the caller.

use std::sync::Arc;

use moonlet_registry::EntryId;
use moonlet_runtime::{Answer, Args, Error, Evaluation, Fault, HostModule, Import, Manifest, ModuleCall, Prepared, Value};
use parking_lot::Mutex;

use crate::classes;
use crate::heavy;

/// The most modules, imports, tables or classes of one evaluation.
const MAX_NAMES: usize = 100;

/// Code of so many bytes is compiled where it is asked for, longer code beside the workers.
const QUICK: usize = 64 * 1024;
/// Bytes in memory for each byte of code while it is compiled.
const IN_MEMORY: usize = 64;
const CODE: &str = "Code";

/// The module.
#[derive(Debug)]
pub(crate) struct EvalRunner;

impl HostModule for EvalRunner {
    fn name(&self) -> &str {
        "eval_runner"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(&["run", "compile", "prepare"]).resource(CODE, &[]).build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("eval_runner/glue.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        let mut args = Args::new(function, args);
        let options = Options(args.take(1));
        match function {
            "compile" => {
                let plan = plan(call, &options)?;
                let (compiler, size) = (call.compiler(), plan.source.len());
                aside(call, size, move || {
                    compiler.check(&plan.source)?;
                    Ok(vec![Value::Array(plan.modules.iter().map(|name| name.as_str().into()).collect())])
                })
            }
            // What is long takes two calls, because only a call can start a process, and it must not take long.
            "prepare" => {
                let plan = plan(call, &options)?;
                let (compiler, keeper, size) = (call.compiler(), call.keeper(), plan.size());
                aside(call, size, move || {
                    let prepared = compiler.prepare(plan)?;
                    let size = prepared.size();
                    Ok(vec![keeper.keep_heavy(CODE, Arc::new(Mutex::new(Some(prepared))), size)?])
                })
            }
            "run" if matches!(options.0, Value::Ext(..)) => {
                let code = call.resource::<Mutex<Option<Prepared>>>(CODE, &options.0)?;
                call.check("eval.run", call.entry())?;
                let prepared = code.lock().take();
                call.give_back(&options.0);
                call.evaluate(prepared.ok_or_else(|| invalid("this code was run already"))?)
            }
            "run" => {
                let plan = plan(call, &options)?;
                call.check("eval.run", call.entry())?;
                if plan.size() > QUICK {
                    return Err(invalid(format!("code of more than {QUICK} bytes must be prepared first")).into());
                }
                call.evaluate(call.compiler().prepare(plan)?)
            }
            _ => Err(Error::new("NotFound", format!("module `eval_runner` has no function `{function}`")).into()),
        }
    }
}

/// Compiles something of a size here, or where it makes nobody wait.
fn aside(
    call: &ModuleCall<'_>,
    size: usize,
    work: impl FnOnce() -> Result<Vec<Value>, Error> + Send + 'static,
) -> Result<Answer, Fault> {
    if size <= QUICK {
        return Ok(Answer::Done(work()?));
    }
    let freight = call.freight();
    freight.add(size.saturating_mul(IN_MEMORY))?;
    heavy::run(call, move |_| {
        let _held = freight;
        work()
    })
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new("Invalid", message).with_retryable(false)
}

fn denied(message: impl Into<String>) -> Error {
    Error::new("PermissionDenied", message).with_retryable(false)
}

/// The table that `run` gets.
struct Options(Value);

impl Options {
    fn get(&self, name: &str) -> &Value {
        field(&self.0, name)
    }

    fn text(&self, name: &str) -> Result<Option<String>, Error> {
        match self.get(name) {
            Value::Nil => Ok(None),
            value => {
                value.as_str().map(|text| Some(text.to_owned())).ok_or_else(|| invalid(format!("`{name}` must be a string")))
            }
        }
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        texts(self.get(name), name)
    }

    /// The fields of a table with names as keys.
    fn fields(&self, name: &str) -> Result<Vec<(String, Value)>, Error> {
        match self.get(name) {
            Value::Nil => Ok(Vec::new()),
            Value::Array(values) if values.is_empty() => Ok(Vec::new()),
            Value::Map(fields) if fields.len() <= MAX_NAMES => {
                let pair = |(key, value): &(Value, Value)| Some((key.as_str()?.to_owned(), value.clone()));
                let pairs: Option<Vec<_>> = fields.iter().map(pair).collect();
                pairs.ok_or_else(|| invalid(format!("the keys of `{name}` must be strings")))
            }
            Value::Map(_) => Err(invalid(format!("`{name}` has more than {MAX_NAMES} fields"))),
            _ => Err(invalid(format!("`{name}` must be a table with names as keys"))),
        }
    }
}

fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    let fields = value.as_map().map(Vec::as_slice).unwrap_or_default();
    fields.iter().find(|(key, _)| key.as_str() == Some(name)).map_or(&Value::Nil, |(_, value)| value)
}

fn texts(value: &Value, name: &str) -> Result<Vec<String>, Error> {
    let wrong = || invalid(format!("`{name}` must be a list of at most {MAX_NAMES} strings"));
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::Map(fields) if fields.is_empty() => Ok(Vec::new()),
        Value::Array(values) if values.len() <= MAX_NAMES => {
            values.iter().map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

/// Reads what is to be run, and refuses what the caller may not hand on.
fn plan(call: &ModuleCall<'_>, options: &Options) -> Result<Evaluation, Error> {
    let empty = options.0.as_array().is_some_and(Vec::is_empty);
    if !empty && options.0.as_map().is_none() {
        return Err(invalid("`run` takes a table such as {source = \"return 1\"}"));
    }
    let source = options.text("source")?.filter(|source| !source.is_empty());
    let source = source.ok_or_else(|| invalid("`source`, the text of the code, is missing or empty"))?;
    let classes = options.texts("allow_classes")?;
    let names = options.texts("modules")?;
    let library_modules: Vec<String> =
        classes::free().map(|class| class.name.to_owned()).filter(|name| call.allows_module(name)).collect();
    call.check("eval.compile", call.entry())?;
    for class in &classes {
        call.check("eval.class", class)?;
    }
    let mut reaches_processes = classes.iter().any(|class| class == "process");
    let mut modules = Vec::new();
    for name in names {
        let known = check_module(call, &name)?;
        if let Some(class) = known.blocked(&classes) {
            return Err(denied(format!(
                "module `{name}` is of class `{class}`, which evaluated code does not have: write `allow_classes = {{\"{class}\"}}`"
            )));
        }
        modules.push(name);
    }
    let mut imports = Vec::new();
    for (alias, value) in options.fields("imports")? {
        let import = import(call, alias, &value)?;
        let calls = |name: &String| classes::find(name).is_some_and(|class| class.classes.contains(&"process"));
        reaches_processes |= import.modules.iter().any(calls);
        imports.push(import);
    }
    // What the code is given as its context is for it to read.
    if !modules.iter().any(|name| name == "ctx") {
        modules.push("ctx".to_owned());
    }
    Ok(Evaluation {
        source,
        method: options.text("method")?.filter(|method| !method.is_empty()),
        args: arguments(options.get("args"))?,
        context: options.fields("context")?.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        modules,
        library_modules,
        imports,
        tables: options.fields("custom_modules")?,
        timeout: options.get("timeout").clone(),
        reaches_processes,
    })
}

/// Finds a module that the caller may hand on.
fn check_module(call: &ModuleCall<'_>, name: &str) -> Result<&'static classes::Class, Error> {
    let known = classes::find(name).ok_or_else(|| invalid(format!("there is no module `{name}`")))?;
    call.check("eval.module", name)?;
    if known.is_free() && !call.allows_module(name) {
        return Err(denied(format!("the process host `{}` does not allow the module `{name}`", call.host())));
    }
    if !known.is_free() && !call.has_module(name) && name != "process" {
        let entry = call.entry();
        return Err(denied(format!(
            "`{entry}` does not have the module `{name}` itself, so that it cannot hand it on: add it to `modules` of `{entry}`"
        )));
    }
    Ok(known)
}

/// Reads an import: an id, or a table with the id and modules that only this import may use.
fn import(call: &ModuleCall<'_>, alias: String, value: &Value) -> Result<Import, Error> {
    let (id, modules) = match value {
        Value::Map(_) => (field(value, "id"), texts(field(value, "modules"), "modules")?),
        id => (id, Vec::new()),
    };
    let id =
        id.as_str().ok_or_else(|| invalid(format!("the import `{alias}` must be an id, or a table with `id` and `modules`")))?;
    let entry = EntryId::parse(id).map_err(|error| invalid(error.to_string()))?;
    call.check("eval.import", id)?;
    for name in &modules {
        check_module(call, name)?;
    }
    Ok(Import { alias, entry, modules })
}

/// Reads the arguments, an array in which values may be missing.
fn arguments(value: &Value) -> Result<Vec<Value>, Error> {
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::Array(values) => Ok(values.clone()),
        Value::Map(fields) => {
            let numbered = fields.iter().map(|(key, value)| Some((usize::try_from(key.as_u64()?).ok()?, value)));
            let numbered: Option<Vec<_>> = numbered.collect();
            let count = numbered.iter().flatten().map(|(number, _)| *number).max().unwrap_or(0);
            let numbered = numbered.filter(|_| count <= MAX_NAMES).ok_or_else(|| invalid("`args` must be an array"))?;
            let mut values = vec![Value::Nil; count];
            for (number, value) in numbered {
                if let Some(place) = number.checked_sub(1).and_then(|index| values.get_mut(index)) {
                    *place = value.clone();
                }
            }
            Ok(values)
        }
        _ => Err(invalid("`args` must be an array")),
    }
}
