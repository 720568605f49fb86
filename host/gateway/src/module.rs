//! Module `http` as Lua sees it: the request that a function answers, and its answer.

use std::sync::Arc;

use moonlet_runtime::{Answer, Args, Error, Fault, Manifest, ModuleCall, SCANNER_METHODS, STREAM_METHODS, Value, invoke_stream};

use crate::exchange::{Exchange, typed};

mod constants;
mod form;
mod request;
mod response;

/// What the glue loads for few programs.
pub(crate) fn part(name: &str) -> Option<&'static str> {
    (name == "body").then_some(include_str!("module/body.lua"))
}

/// Gives requests and answers their methods.
pub(crate) const GLUE: &str = include_str!("module/glue.lua");

/// Describes the module.
pub(crate) fn manifest() -> Value {
    // Each request loads the module anew: one function that is told what to do costs less than many, and most programs use few constants.
    Manifest::new()
        .functions(&["call"])
        .resource("File", form::FILE_METHODS)
        .resource("Stream", STREAM_METHODS)
        .resource("Scanner", SCANNER_METHODS)
        .build()
}

/// Carries out a function.
pub(crate) fn invoke(call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    if function.contains(':') {
        if function.starts_with("File:") {
            return form::file_method(call, function, args);
        }
        let unknown = || Err(Error::new("NotFound", format!("module `http` has no function `{function}`")).into());
        return invoke_stream(call, function, args).unwrap_or_else(unknown);
    }
    if function == "constants" {
        let args = Args::new(function, args);
        return Answer::one(constants::table(args.text(1)?));
    }
    let Some(exchange) = call.attachment::<Exchange>() else {
        let message = format!(
            "no HTTP context: `{}` does not answer a request; module `http` works in functions of `http.endpoint` entries only",
            call.entry()
        );
        return Err(typed("Internal", message, "invalid_state").into());
    };
    if let Some(answer) = request::invoke(call, &exchange, function, &args) {
        return answer;
    }
    response::invoke(call, &exchange, function, args)
}

/// Makes a string that Lua gets.
fn text(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_| Value::Binary(bytes.to_vec()), Value::from)
}

/// Writes a table of names and values; a name that comes again is joined with commas.
fn table<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> Value {
    let mut joined: Vec<(&str, Vec<u8>)> = Vec::new();
    for (name, value) in fields {
        match joined.iter_mut().find(|(other, _)| *other == name) {
            Some((_, all)) => {
                all.push(b',');
                all.extend_from_slice(value);
            }
            None => joined.push((name, value.to_vec())),
        }
    }
    Value::Map(joined.into_iter().map(|(name, value)| (Value::from(name), text(&value))).collect())
}

type Shared = Arc<Exchange>;
