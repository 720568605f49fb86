//! `moonlet limits`: every limit and quota, with its default and the attack that it stops.

use moonlet_registry::{Limits, Quota};
use serde_json::{Value, json};

use crate::arguments::LimitsArguments;
use crate::failure::Failure;
use crate::{exit, output};

/// What a table says of a limit that is open.
const UNLIMITED: &str = "unlimited";

pub(crate) fn run(arguments: &LimitsArguments) -> Result<u8, Failure> {
    let defaults = Limits::defaults();
    let limits: Vec<[String; 4]> = Limits::NAMES
        .iter()
        .map(|name| {
            let unit = Limits::unit(name).unwrap_or_default().to_owned();
            let default = defaults.shown(name).unwrap_or_else(|| UNLIMITED.to_owned());
            [(*name).to_owned(), unit, default, Limits::describe(name).unwrap_or_default().to_owned()]
        })
        .collect();
    let quotas: Vec<[String; 4]> = Quota::DESCRIBED
        .iter()
        .map(|(name, unit, text)| {
            let default = if *name == "cpu_weight" { Quota::DEFAULT_CPU_WEIGHT.to_string() } else { UNLIMITED.to_owned() };
            [(*name).to_owned(), (*unit).to_owned(), default, (*text).to_owned()]
        })
        .collect();
    if arguments.json {
        let list = |rows: Vec<[String; 4]>| -> Vec<Value> {
            let row = |[name, unit, default, stops]: [String; 4]| {
                let default = if default == UNLIMITED { Value::Null } else { Value::String(default) };
                json!({ "name": name, "unit": unit, "default": default, "description": stops })
            };
            rows.into_iter().map(row).collect()
        };
        output::line(&json!({ "limits": list(limits), "quota": list(quotas) }).to_string());
        return Ok(exit::SUCCESS);
    }
    output::line("`limits:` of an entry, or of a process host as the ceiling for what runs there:\n");
    super::registry::table(limits.into_iter());
    output::line("\n`quota:` of a process host, for all its processes together:\n");
    super::registry::table(quotas.into_iter());
    Ok(exit::SUCCESS)
}
