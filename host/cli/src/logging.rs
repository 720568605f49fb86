//! The log: where it goes and how much of it.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The variable that says in detail what is logged, such as `moonlet::process=debug`.
const VARIABLE: &str = "MOONLET_LOG";

/// Starts the log on standard error. `quiet` is for a process that has the terminal to itself.
pub(crate) fn start(quiet: bool, verbose: u8) {
    let level = match (verbose, quiet) {
        (0, true) => LevelFilter::OFF,
        (0, false) => LevelFilter::INFO,
        (1, _) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let filter = match std::env::var(VARIABLE) {
        Ok(directives) if !directives.is_empty() => EnvFilter::new(directives),
        _ => EnvFilter::default().add_directive(level.into()),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && crate::output::color())
        .finish();
    // There can be only one, and this is the only place that sets it.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
