//! The log: where it goes, how much of it, and in which form.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::arguments::WatchArguments;
use crate::settings::Settings;

mod json;

/// The variable that says in detail what is logged, such as `moonlet::process=debug`.
const VARIABLE: &str = "MOONLET_LOG";

/// What keeps the access log out.
const NO_ACCESS: &str = "moonlet::http=off";
/// What lets the access log in, also where the log is quiet.
const ACCESS: &str = "moonlet::http=info";

/// Starts the log on standard error. `quiet` is for a process that has the terminal to itself.
pub(crate) fn start(quiet: bool, arguments: &WatchArguments, settings: &Settings) {
    let verbose = if arguments.reference.very_verbose { 2 } else { arguments.verbose };
    let level = match (verbose, quiet || arguments.silent) {
        (0, true) => LevelFilter::OFF,
        (0, false) => LevelFilter::INFO,
        (1, _) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let level = settings.least_level.map_or(level, |least| level.min(least));
    let filter = match std::env::var(VARIABLE) {
        Ok(directives) if !directives.is_empty() => EnvFilter::new(directives),
        _ => {
            let access = if settings.access_log { ACCESS } else { NO_ACCESS };
            let access = if arguments.verbose > 0 { None } else { access.parse().ok() };
            let filter = EnvFilter::default().add_directive(level.into());
            access.into_iter().fold(filter, EnvFilter::add_directive)
        }
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // There can be only one, and this is the only place that sets it.
    let _ = if settings.json_log {
        tracing::subscriber::set_global_default(log.event_format(json::Json).finish())
    } else {
        let ansi = arguments.console || (io::stderr().is_terminal() && crate::output::color());
        tracing::subscriber::set_global_default(log.with_ansi(ansi).finish())
    };
}
