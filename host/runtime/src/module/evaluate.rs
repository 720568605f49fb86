//! Running code that a process brings along: as a process of its own, a child of that process, under its limits and on its behalf.
//!
//! Which modules and imports it gets is decided by the module that offers this; here is what holds in any case: it has no more memory, time
//! or authority than who wants it run, ends with it, and reaches no other process unless that was asked for.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use moonlet_language::diagnostic::Diagnostic;
use moonlet_language::lower::{lower, syntax_diagnostics};
use moonlet_language::syntax::parse;
use moonlet_registry::{EntryId, Limits};
use moonlet_sandbox::Sandbox;
use moonlet_sandbox::wit::{Alias, Chunk, Error, Payload};
use rmpv::Value;

use super::call::ModuleCall;
use super::later::Ticket;
use super::{Answer, Fault};
use crate::document;
use crate::errors;
use crate::functions::CallTerms;
use crate::program::{Chunks, Program};
use crate::terms::Terms;

/// What code is called in error texts: `eval:3: boom`.
const NAME: &str = "eval";
/// How deep a table may be that becomes a module.
const MAX_DEPTH: usize = 64;

/// Code to run.
#[derive(Debug)]
pub struct Evaluation {
    /// The text of the code.
    pub source: String,
    /// The function in the table that the code returns; none: the code itself gets the arguments.
    pub method: Option<String>,
    /// The arguments.
    pub args: Vec<Value>,
    /// Context values. Those of the caller are not visible.
    pub context: Vec<(Value, Value)>,
    /// The modules that the code may use.
    pub modules: Vec<String>,
    /// Further modules that imports may use if they declare them.
    pub library_modules: Vec<String>,
    /// Libraries of the registry.
    pub imports: Vec<Import>,
    /// Tables that stand as modules, by name.
    pub tables: Vec<(String, Value)>,
    /// Whether the code may reach processes and call functions.
    pub reaches_processes: bool,
    /// How long it may take: milliseconds, or a text such as `5s`. Nil: as long as the caller lives.
    pub timeout: Value,
}

/// A library that evaluated code uses.
#[derive(Debug)]
pub struct Import {
    /// What the code calls it.
    pub alias: String,
    /// Its entry.
    pub entry: EntryId,
    /// What it may use beyond what the code itself may.
    pub modules: Vec<String>,
}

impl Evaluation {
    /// Counts the bytes that are compiled for it, about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.source.len() + self.tables.iter().map(|(_, table)| document::encode(table).len()).sum::<usize>()
    }
}

/// Code that is compiled and can be run.
#[derive(Debug)]
pub struct Prepared {
    evaluation: Evaluation,
    main: Vec<u8>,
    tables: Vec<(String, Vec<u8>)>,
}

impl Prepared {
    /// Counts the bytes of its code.
    #[must_use]
    pub fn size(&self) -> usize {
        self.main.len() + self.tables.iter().map(|(_, code)| code.len()).sum::<usize>()
    }
}

/// Compiles code within the limits of a caller.
pub struct Compiler {
    sandbox: Sandbox,
    allowed: u64,
}

impl Compiler {
    /// Says what is wrong with the text of code.
    ///
    /// # Errors
    ///
    /// `Internal` with the line, `LimitExceeded`.
    pub fn check(&self, source: &str) -> Result<(), Error> {
        self.code(source).map(|_| ())
    }

    /// Compiles what is to be run.
    ///
    /// # Errors
    ///
    /// `Internal` for code that is no Lua, `Invalid` for tables that no code can be, `LimitExceeded`.
    pub fn prepare(&self, mut evaluation: Evaluation) -> Result<Prepared, Error> {
        let source = std::mem::take(&mut evaluation.source);
        self.check_size(&source)?;
        // A declaration in front holds for all that follows; something around it could be closed by the code itself.
        let hidden = if evaluation.reaches_processes { "" } else { "local process, subscribe, unsubscribe; " };
        let main = if evaluation.method.is_some() {
            self.code(&format!("{hidden}{source}"))?
        } else {
            refuse(&source, syntax_diagnostics(&parse(&source).errors, NAME).first())?;
            self.code(&format!("return function(...) {hidden}{source}\nend"))?
        };
        let mut tables = Vec::new();
        for (name, table) in std::mem::take(&mut evaluation.tables) {
            let mut text = "return ".to_owned();
            literal(&table, &mut text, 0)?;
            tables.push((name, self.code(&text)?));
        }
        Ok(Prepared { evaluation, main, tables })
    }

    fn check_size(&self, source: &str) -> Result<(), Error> {
        let size = source.len() as u64;
        if size > self.allowed { Err(errors::limit("source_size", self.allowed, size)) } else { Ok(()) }
    }

    fn code(&self, source: &str) -> Result<Vec<u8>, Error> {
        self.check_size(source)?;
        let lowered = lower(source, NAME);
        refuse(source, lowered.diagnostics.first())?;
        let compiled = self.sandbox.compile(lowered.lua.as_bytes(), NAME);
        compiled.map_err(|error| Error {
            kind: "Internal".to_owned(),
            message: format!("failed to compile: {}", error.message),
            ..error
        })
    }
}

/// Says where code is wrong, if it is.
fn refuse(source: &str, diagnostic: Option<&Diagnostic>) -> Result<(), Error> {
    let Some(diagnostic) = diagnostic else { return Ok(()) };
    let start = diagnostic.primary.as_ref().map_or(0, |label| label.span.start);
    let line = source.get(..start).unwrap_or(source).matches('\n').count() + 1;
    Err(errors::internal(format!("failed to compile: {NAME}:{line}: {}", diagnostic.message)))
}

impl ModuleCall<'_> {
    /// Tells whether the entry of the caller lists a module, and its process host allows it.
    #[must_use]
    pub fn has_module(&self, name: &str) -> bool {
        self.process.terms().modules.contains(name)
    }

    /// Tells whether this node has a module, in the host or in its image.
    #[must_use]
    pub fn is_built(&self, name: &str) -> bool {
        const IMAGE: &[&str] =
            &["base64", "channel", "ctx", "errors", "funcs", "hash", "json", "logger", "payload", "process", "time", "uuid"];
        IMAGE.contains(&name) || self.node.modules.contains_key(name)
    }

    /// Tells whether the process host of the caller, and those that confine it, allow a module.
    #[must_use]
    pub fn allows_module(&self, name: &str) -> bool {
        self.process.terms().ceiling.allow.module(name)
    }

    /// Returns what compiles code for the caller, also on another thread: that takes time and memory in proportion to the code.
    #[must_use]
    pub fn compiler(&self) -> Compiler {
        let own = self.process.terms();
        let allowed = Limits::merged(&own.host.limits, &own.program.limits).get("source_size").unwrap_or(u64::MAX);
        Compiler { sandbox: self.node.sandbox.clone(), allowed }
    }

    /// Runs code. The answer is what it returns.
    ///
    /// # Errors
    ///
    /// `NotFound` without an import, `LimitExceeded`.
    pub fn evaluate(&self, prepared: Prepared) -> Result<Answer, Fault> {
        let Prepared { evaluation, main, tables } = prepared;
        let Evaluation { method, args, context, modules, library_modules, imports, reaches_processes, timeout, .. } = evaluation;
        let options = CallTerms::read(&document::map(&[("timeout", timeout)]))?;
        let mut aliases: Vec<Alias> =
            imports.iter().map(|import| Alias { name: import.alias.clone(), entry: import.entry.to_string() }).collect();
        let mut libraries = self.libraries(&imports, &modules, &library_modules)?;
        for (name, code) in tables {
            let entry = format!("{NAME}:{name}");
            aliases.push(Alias { name, entry: entry.clone() });
            libraries.push(Arc::new(Chunk { entry, code, modules: Vec::new(), imports: Vec::new() }));
        }
        let mut all: Vec<String> = modules.clone();
        all.extend(libraries.iter().flat_map(|chunk| chunk.modules.iter().cloned()));
        all.sort();
        all.dedup();
        let main = Arc::new(Chunk { entry: NAME.to_owned(), code: main, modules, imports: aliases });
        let own = self.process.terms();
        let program =
            Program::evaluated(&own.program, method.unwrap_or_default(), all, Chunks { main, libraries }, !reaches_processes);
        let mut terms = Terms::new(Arc::new(program), Arc::clone(&own.host), Arc::clone(&own.ceiling), own.ceiling_number);
        terms.bounds = own.bounds;
        let args = Payload { data: document::values(&args), channels: Vec::new() };
        let context = document::encode(&Value::Map(context));
        let ticket =
            self.node.call(self.process, Arc::new(terms), args, context.into(), Arc::clone(&self.process.authority), options)?;
        Ok(Answer::Pending(Ticket(ticket)))
    }

    /// Compiles the imports, each with the modules that it declares and may have.
    fn libraries(&self, imports: &[Import], modules: &[String], shared: &[String]) -> Result<Vec<Arc<Chunk>>, Error> {
        let mut granted: BTreeMap<String, &[String]> = BTreeMap::new();
        let mut entries = Vec::new();
        for import in imports {
            self.check_namespace(import.entry.as_str())?;
            granted.insert(import.entry.to_string(), &import.modules);
            entries.push((import.alias.clone(), import.entry.clone()));
        }
        let chunks = self.node.chunks.libraries(&self.node.sandbox, &self.node.registry.snapshot(), &entries)?;
        let chunks = chunks.iter().map(|chunk| {
            let mut chunk = Chunk::clone(chunk);
            let own = granted.get(&chunk.entry).copied().unwrap_or_default();
            chunk.modules.retain(|name| modules.contains(name) || shared.contains(name) || own.contains(name));
            Arc::new(chunk)
        });
        Ok(chunks.collect())
    }
}

/// Writes a value as Lua.
fn literal(value: &Value, text: &mut String, depth: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(errors::invalid(format!("a table of `custom_modules` is more than {MAX_DEPTH} levels deep")));
    }
    match value {
        Value::Nil => text.push_str("nil"),
        Value::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Integer(value) => {
            // The smallest integer has no literal of its own.
            let _ = match value.as_i64() {
                Some(i64::MIN) => write!(text, "math.mininteger"),
                Some(value) => write!(text, "{value}"),
                None => write!(text, "{}.0", value.as_u64().unwrap_or_default()),
            };
        }
        Value::F32(value) => float(f64::from(*value), text),
        Value::F64(value) => float(*value, text),
        Value::String(value) => quoted(value.as_bytes(), text),
        Value::Binary(value) => quoted(value, text),
        Value::Array(values) => {
            text.push('{');
            for value in values {
                literal(value, text, depth + 1)?;
                text.push(',');
            }
            text.push('}');
        }
        Value::Map(fields) => {
            text.push('{');
            for (key, value) in fields {
                text.push('[');
                literal(key, text, depth + 1)?;
                text.push_str("]=");
                literal(value, text, depth + 1)?;
                text.push(',');
            }
            text.push('}');
        }
        Value::Ext(..) => return Err(errors::invalid("a table of `custom_modules` holds something that is no plain value")),
    }
    Ok(())
}

fn float(value: f64, text: &mut String) {
    let _ = if value.is_nan() {
        write!(text, "(0/0)")
    } else if value.is_infinite() {
        write!(text, "({}1/0)", if value < 0.0 { "-" } else { "" })
    } else {
        // The shortest digits that give the same number, with a point or an exponent.
        write!(text, "{value:?}")
    };
}

fn quoted(bytes: &[u8], text: &mut String) {
    text.push('"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            b' '..=b'~' => text.push(char::from(*byte)),
            byte => {
                let _ = write!(text, "\\{byte:03}");
            }
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_lua() {
        let table = Value::Map(vec![
            ("a\"\n".into(), Value::Array(vec![1.into(), 1.5.into(), Value::Nil, true.into()])),
            (2.into(), Value::F64(f64::INFINITY)),
        ]);
        let mut text = String::new();
        assert!(literal(&table, &mut text, 0).is_ok());
        assert_eq!(text, r#"{["a\"\010"]={1,1.5,nil,true,},[2]=(1/0),}"#);
    }
}
