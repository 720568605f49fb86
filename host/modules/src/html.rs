//! Module `html`: makes HTML of strangers harmless.
//!
//! A page is read as tokens, and only what a policy names is written again, freshly quoted; everything else becomes text or goes. An
//! object of Lua is the list of what was allowed on it, so that it costs no handle.

use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};

use crate::fail::{invalid, no_function};
use crate::heavy::{self, Canceled, Watch};
use crate::text;

mod entities;
mod policy;
mod sanitize;
mod tokens;
mod urls;

use policy::Policy;

/// The module.
#[derive(Debug, Default)]
pub(crate) struct Html;

/// Pages up to this length are worked on in the caller's own step, with a policy of few rules and no patterns.
const QUICK: usize = 16 * 1024;
const QUICK_RULES: usize = 128;

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
                let pattern = args.text(1)?;
                if let Some(result) = text::quick(pattern) {
                    result?;
                    return Answer::one(true);
                }
                let pattern = pattern.to_owned();
                heavy::run(call, move |_| {
                    text::compile(&pattern)?;
                    Ok(vec![true.into()])
                })
            }
            "sanitize" => {
                let (rules, args) = Args::method("Policy:sanitize", args);
                let (freight, most) = (call.freight(), call.max_bytes());
                let page = args.bytes(1)?;
                if page.len() <= QUICK && policy::is_light(&rules, QUICK_RULES) {
                    let (policy, mut watch) = (Policy::read(&rules)?, Watch::new(&Canceled::default(), freight));
                    return Answer::one(sanitize::sanitize(&String::from_utf8_lossy(page), &policy, most, &mut watch)?);
                }
                freight.add(page.len())?;
                let page = page.to_vec();
                heavy::run(call, move |canceled| {
                    let policy = Policy::read(&rules).map_err(error_of)?;
                    let mut watch = Watch::new(canceled, freight);
                    watch.hold(page.len())?;
                    let clean = sanitize::sanitize(&String::from_utf8_lossy(&page), &policy, most, &mut watch)?;
                    Ok(vec![clean.into()])
                })
            }
            other => Err(no_function("html", other)),
        }
    }
}

/// What would be raised in the caller's step is an error beside it.
fn error_of(fault: Fault) -> Error {
    match fault {
        Fault::Raised(message) => invalid(message),
        Fault::Failed(error) => error,
    }
}
