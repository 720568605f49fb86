//! Module `expr`: expressions in the language of expr-lang, for rules and filters that come as data.
//!
//! An expression has no effect and always ends: its depth, its steps and the size of what it makes are bounded. It depends on nothing but
//! what it is given, and on the clock where it asks for `now()`.

use std::sync::Arc;

use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};
use parking_lot::Mutex;

use crate::deep;
use crate::fail::{internal, invalid, no_function};
use crate::heavy;
use crate::recent::Recent;

mod aggregate;
mod ast;
mod builtins;
mod check;
mod dates;
mod evaluate;
mod lexer;
mod number;
mod parser;
mod predicate;
mod scope;
#[cfg(test)]
mod tests;
mod text;
mod value;

use ast::Program;
pub(crate) use scope::{Expression, Scope, Trouble};

/// The longest expression.
const MAX_SOURCE: usize = 16 * 1024;
/// Expressions with so many parts within each other are evaluated where they are asked for, deeper ones on a deep stack.
const SHALLOW: usize = 8;

/// The module.
#[derive(Debug, Default)]
pub(crate) struct Expr;

impl HostModule for Expr {
    fn name(&self) -> &str {
        "expr"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(&["eval", "compile", "run"]).build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("expr/expr.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        let mut args = Args::new(function, args);
        match function {
            "eval" | "run" => {
                let program = compile(args.text(1)?)?;
                args.opt_table(2).or_else(|fault| args.opt_list(2).map(|_| &[][..]).map_err(|_| fault))?;
                let (environment, most) = (args.take(2), call.max_bytes());
                let quick = || evaluate::run_quickly(&program, &environment, most);
                let result = if program.height <= SHALLOW { quick() } else { deep::run(quick)? };
                if let Some(result) = result {
                    return Answer::one(result?);
                }
                // Nothing has happened yet, for an expression has no effect: it begins again where nobody waits for it.
                heavy::run(call, move |canceled| {
                    let all = || evaluate::run(&program, &environment, most, Some(canceled.clone()));
                    let result = if program.height <= SHALLOW { all() } else { deep::run(all)? };
                    Ok(vec![result?])
                })
            }
            "compile" => {
                let source = args.text(1)?;
                let program = compile(source)?;
                if !args.get(2).is_nil() {
                    let known = args.table(2)?;
                    deep::run(|| check::names(&program, known))??;
                }
                Answer::one(source)
            }
            other => Err(no_function("expr", other)),
        }
    }
}

/// Reads an expression, or finds it among those that were read lately.
fn compile(source: &str) -> Result<Arc<Program>, Error> {
    static CACHE: Mutex<Recent<Program>> = Mutex::new(Recent::new());
    if source.trim().is_empty() {
        return Err(invalid("the expression is empty"));
    }
    if source.len() > MAX_SOURCE {
        return Err(invalid(format!("the expression is longer than {MAX_SOURCE} bytes")));
    }
    if let Some(program) = CACHE.lock().get(source) {
        return Ok(program);
    }
    let parse = || parser::parse(source).map_err(|problem| internal(problem.describe(source)));
    let program = deep::run(parse)??;
    let program = Arc::new(program);
    CACHE.lock().put(source, &program);
    Ok(program)
}
