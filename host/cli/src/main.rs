//! The binary `moonlet`: reads arguments, prints, and ends with an exit code.
//!
//! The only crate that prints or exits. It decides nothing about entries or processes: `moonlet-registry` says what an
//! application is, `moonlet-runtime` what it does. Exit codes are in [`exit`].

use std::process::ExitCode;

use crate::arguments::Command;

mod arguments;
mod commands;
mod exit;
mod failure;
mod logging;
mod modules;
mod observe;
mod output;
mod project;
mod settings;
mod signals;
mod telemetry;
mod yaml;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let outcome = arguments::parse(std::env::args_os()).and_then(|command| match command {
        Command::Run(arguments) => commands::run::run(&arguments),
        Command::Test(arguments) => commands::run::test(&arguments),
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::Registry(arguments) => commands::registry::run(&arguments),
        Command::Ps(arguments) => commands::ps::run(&arguments),
        Command::Top(arguments) => commands::top::run(&arguments),
        Command::Limits(arguments) => commands::limits::run(&arguments),
        Command::Modules(arguments) => commands::modules::run(&arguments),
        Command::Lsp => commands::lsp::run(),
        Command::Init(arguments) => commands::init::run(&arguments),
        Command::Version(arguments) => commands::version::run(&arguments),
    });
    let code = match outcome {
        Ok(code) => code,
        Err(failure) => failure.report(),
    };
    output::flush();
    ExitCode::from(code)
}
