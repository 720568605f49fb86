//! Module `html`: makes HTML of strangers harmless.
//!
//! A page is read as tokens, and only what a policy names is written again, freshly quoted; everything else becomes text or goes. An
//! object of Lua is the list of what was allowed on it, so that it costs no handle.

use moonlet_runtime::{Answer, Args, Fault, HostModule, Manifest, ModuleCall, Value};

use crate::fail::no_function;
use crate::heavy;

mod entities;
mod policy;
mod sanitize;
mod tokens;
mod urls;

use policy::Policy;

/// The module.
#[derive(Debug, Default)]
pub(crate) struct Html;

/// Pages up to this length are worked on in the caller's own step.
const QUICK: usize = 32 * 1024;

impl HostModule for Html {
    fn name(&self) -> &str {
        "html"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(&["sanitize", "pattern"]).build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("html/html.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        match function {
            "pattern" => {
                let args = Args::new("matching", args);
                crate::text::compile(args.text(1)?)?;
                Answer::one(true)
            }
            "sanitize" => {
                let (rules, args) = Args::method("Policy:sanitize", args);
                let policy = Policy::read(&rules)?;
                let page = String::from_utf8_lossy(args.bytes(1)?).into_owned();
                if page.len() <= QUICK {
                    return Answer::one(sanitize::sanitize(&page, &policy));
                }
                heavy::run(call, move |_| Ok(vec![sanitize::sanitize(&page, &policy).into()]))
            }
            other => Err(no_function("html", other)),
        }
    }
}
