//! `moonlet modules`: which modules this build has, and what each gives to Lua code.

use std::fmt::Write as _;

use moonlet_language::check::declarations;
use moonlet_registry::nearest;

use crate::arguments::ModulesArguments;
use crate::failure::Failure;
use crate::{exit, modules, output};

mod table;

/// Modules that every process has, whatever its entry lists.
const AMBIENT: &[&str] = &["process", "channel", "errors", "payload"];

pub(crate) fn run(arguments: &ModulesArguments) -> Result<u8, Failure> {
    let names = modules::names();
    if arguments.markdown {
        output::print(&page(&names));
        return Ok(exit::SUCCESS);
    }
    let Some(name) = arguments.name.as_deref() else {
        for name in &names {
            let purpose = table::find(name).map_or("", |module| module.purpose);
            output::line(format!("{name:<12}  {purpose}").trim_end());
        }
        return Ok(exit::SUCCESS);
    };
    if AMBIENT.contains(&name) {
        output::print(&format!("{name}: every process has it, without listing it\n{}", declaration(name)));
        return Ok(exit::SUCCESS);
    }
    if !names.contains(&name) {
        let failure = Failure::message(format!("this build has no module `{}`", output::visible(name))).usage();
        return Err(match nearest(name, names.iter().copied()) {
            Some(near) => failure.help(format!("write `{near}`; `moonlet modules` lists all modules")),
            None => failure.help("`moonlet modules` lists all modules"),
        });
    }
    output::print(&shown(name));
    Ok(exit::SUCCESS)
}

/// Describes a module for a terminal.
fn shown(name: &str) -> String {
    let mut text = String::new();
    if let Some(module) = table::find(name) {
        let _ = writeln!(text, "{name}: {}", module.purpose);
        let _ = writeln!(text, "classes: {}", module.classes.join(", "));
        if !module.actions.is_empty() {
            let _ = writeln!(text, "policies decide: {}", module.actions.join(", "));
        }
        text.push('\n');
    }
    text.push_str(declaration(name));
    text
}

/// Describes all modules as a page.
fn page(names: &[&str]) -> String {
    let mut text = String::from(
        "# Modules\n\nWhat Lua code can `require` when its entry lists it under `modules`.\n\
        `moonlet modules --markdown` writes this page; `moonlet modules NAME` shows one module.\n",
    );
    for name in names {
        let _ = writeln!(text, "\n## {name}\n");
        if let Some(module) = table::find(name) {
            let _ = writeln!(text, "Purpose: {}.", module.purpose);
            let _ = writeln!(text, "Classes: {}.", module.classes.join(", "));
            if !module.actions.is_empty() {
                let actions: Vec<String> = module.actions.iter().map(|action| format!("`{action}`")).collect();
                let _ = writeln!(text, "Policies decide: {}.", actions.join(", "));
            }
        }
        let _ = write!(text, "\n```lua\n{}```\n", declaration(name));
    }
    text.push_str(
        "\n# Without listing them\n\nEvery process has these, beside `string`, `table`, `math`, `coroutine`, `os` and `utf8` of Lua.\n\
        `print` writes to the log of the node; `io.print` writes to the terminal.\n",
    );
    for name in AMBIENT {
        let _ = write!(text, "\n## {name}\n\n```lua\n{}```\n", declaration(name));
    }
    text
}

/// Finds what the checker knows of a module.
fn declaration(name: &str) -> &'static str {
    declarations().iter().find(|(module, _)| *module == name).map_or("-- without a declaration\n", |(_, text)| *text)
}
