//! The command line.
//!
//! `run` is special: what follows the entry or the command belongs to the process, options included, and its first word may be
//! a directory. That is decided here before clap sees the rest.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::failure::Failure;
use crate::observe::DEFAULT_ADDRESS;

mod hub;
mod split;

#[derive(Debug, Parser)]
#[command(name = "moonlet", version, about = "Runs Lua processes, each in a sandbox of its own", disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start an application, or run one of its processes on this terminal
    Run(RunArguments),
    /// Run the tests of an application: the process whose command has the use case `test`
    Test(TestArguments),
    /// Report everything that is wrong with an application, without running it
    #[command(visible_alias = "lint")]
    Check(CheckArguments),
    /// Show the entries of an application
    Registry(RegistryArguments),
    /// List the processes of a running node
    Ps(PsArguments),
    /// Show what the hosts and processes of a running node use
    Top(TopArguments),
    /// List all limits with their defaults, and the attack that each stops
    Limits(LimitsArguments),
    /// List the modules that Lua code can require, or show one
    Modules(ModulesArguments),
    /// Serve an editor: the language server, on standard input and output
    Lsp,
    /// Write a `wippy.lock`, which says where the sources of an application are
    Init(InitArguments),
    /// Print the version
    Version(VersionArguments),
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// The directory that holds the sources
    #[arg(short = 'd', long, value_name = "DIR", default_value = "./src")]
    pub(crate) src_dir: String,
    /// The directory that holds the modules of others
    #[arg(long, value_name = "DIR", default_value = ".wippy")]
    pub(crate) modules_dir: String,
    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "wippy.lock")]
    pub(crate) lock_file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct VersionArguments {
    /// Print the number alone
    #[arg(long)]
    pub(crate) short: bool,
}

/// Which application, and how.
#[derive(Debug, Default, Args)]
pub(crate) struct ProjectArguments {
    /// Change a field of an entry for this time
    #[arg(short = 'o', long = "override", value_name = "NS:ENTRY:PATH=VALUE")]
    pub(crate) overrides: Vec<String>,
    /// Read this configuration instead of the usual one; of several, later ones change what earlier ones say
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Vec<PathBuf>,
    /// Apply a profile of the configuration; may be given several times
    #[arg(long = "profile", value_name = "NAME")]
    pub(crate) profiles: Vec<String>,
    /// Change a value of the configuration for this time
    #[arg(long = "set", value_name = "SECTION.PATH=VALUE")]
    pub(crate) values: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "moonlet run [DIR] [OPTIONS]\n       \
    moonlet run [DIR] [OPTIONS] -x NS:ENTRY [--] [ARGS]...\n       \
    moonlet run [DIR] [OPTIONS] COMMAND [ARGS]...\n       \
    moonlet run [DIR] list")]
pub(crate) struct RunArguments {
    /// The directory of the application [default: .]
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// Run one process on this terminal, and end with it
    #[arg(short = 'x', long = "exec", value_name = "NS:ENTRY")]
    pub(crate) exec: Option<String>,
    /// The terminal host to run it on, where there are several
    #[arg(long, value_name = "ID")]
    pub(crate) host: Option<String>,
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    #[command(flatten)]
    pub(crate) watch: WatchArguments,
    /// A command and its arguments, or the arguments of the entry
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) rest: Vec<String>,
}

/// How a node is watched.
#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// Tell what the node uses at this address: /metrics for Prometheus, and `moonlet top`
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) metrics: Option<SocketAddr>,
    /// How records of the log are written [default: text, or `logger.encoding` of the configuration]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormat>,
    /// Log each HTTP request
    #[arg(long)]
    pub(crate) access_log: bool,
    /// Log more; once for debugging, twice for tracing
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Log nothing
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) silent: bool,
    /// Log in colour, also to a file
    #[arg(short, long)]
    pub(crate) console: bool,
    #[command(flatten)]
    pub(crate) reference: ReferenceArguments,
}

/// Options of the reference that nothing here corresponds to. They are accepted so that its command lines work.
#[derive(Debug, Args)]
pub(crate) struct ReferenceArguments {
    /// The same as `-vv`.
    #[arg(long, hide = true)]
    pub(crate) very_verbose: bool,
    /// Quotas of process hosts bound memory here.
    #[arg(short = 'm', long, value_name = "SIZE", hide = true)]
    pub(crate) memory_limit: Option<String>,
    /// There is no profiler.
    #[arg(short = 'p', long, hide = true)]
    pub(crate) profiler: bool,
    /// Records of the log are no events here.
    #[arg(short = 'e', long, hide = true)]
    pub(crate) event_streams: bool,
    /// There is no hub.
    #[arg(long, value_name = "URL", hide = true)]
    pub(crate) registry: Option<String>,
}

impl ReferenceArguments {
    /// Says which of them were given and do nothing.
    pub(crate) fn ignored(&self) -> Vec<&'static str> {
        let said = [
            (self.memory_limit.is_some(), "`--memory-limit` does nothing: `quota` of the process hosts bounds memory"),
            (self.profiler, "`--profiler` does nothing: `--metrics` and `moonlet top` show what takes time"),
            (self.event_streams, "`--event-streams` does nothing: records of the log are no events"),
        ];
        said.into_iter().filter(|(given, _)| *given).map(|(_, text)| text).collect()
    }
}

#[derive(Debug, Args)]
#[command(override_usage = "moonlet test [DIR] [OPTIONS] [--] [ARGS]...")]
pub(crate) struct TestArguments {
    /// The directory of the application [default: .]
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// The terminal host to run it on, where there are several
    #[arg(long, value_name = "ID")]
    pub(crate) host: Option<String>,
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    #[command(flatten)]
    pub(crate) watch: WatchArguments,
    /// What the process gets, such as the tests to run
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) rest: Vec<String>,
}

/// How records of the log are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people
    Text,
    /// One JSON object on a line
    Json,
}

/// The level below which `check` leaves reports out.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LeastLevel {
    Error,
    Warning,
    #[value(alias = "hint")]
    Info,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The directory of the application
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    /// Leave out what matters less
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LeastLevel::Info)]
    pub(crate) level: LeastLevel,
    /// Only reports with this code; may be given several times
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub(crate) code: Vec<String>,
    /// Only reports about entries of these namespaces, such as `app.**`; may be given several times
    #[arg(long, value_name = "PATTERN")]
    pub(crate) ns: Vec<String>,
    /// Print at most so many reports; 0 for all
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    pub(crate) limit: usize,
    /// Print how often each code is reported, and nothing else
    #[arg(long, conflicts_with_all = ["json", "short"])]
    pub(crate) summary: bool,
    /// Print without colours
    #[arg(long)]
    pub(crate) no_color: bool,
    /// What the reference has a switch for is always reported here.
    #[arg(long, hide = true)]
    rules: bool,
    /// What the reference keeps between runs is never kept here.
    #[arg(long, hide = true)]
    cache_reset: bool,
    /// Print one line for each report
    #[arg(long, conflicts_with = "json")]
    pub(crate) short: bool,
    /// Print the report as JSON to standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// The reference names the lock file; here it is the directory that counts.
    #[arg(short = 'l', long, value_name = "FILE", hide = true)]
    pub(crate) lock_file: Option<PathBuf>,
    /// Say what a code means, and how to mend what it reports
    #[arg(long, value_name = "CODE")]
    pub(crate) explain: Option<String>,
}

/// What `top` sorts by.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SortKey {
    /// CPU time of late
    Cpu,
    /// CPU time in all
    Time,
    /// Linear memory
    Memory,
    /// Messages that wait
    Mailbox,
    /// Messages sent
    Sent,
    /// Messages received
    Received,
    /// Limits that were hit
    Limits,
    /// Time since the start
    Uptime,
}

#[derive(Debug, Args)]
pub(crate) struct PsArguments {
    /// Where the node tells what it uses: what `moonlet run --metrics` was given
    #[arg(value_name = "ADDR:PORT", default_value = DEFAULT_ADDRESS)]
    pub(crate) node: String,
    /// Only processes on this process host
    #[arg(long, value_name = "ID")]
    pub(crate) host: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TopArguments {
    /// Where the node tells what it uses: what `moonlet run --metrics` was given
    #[arg(value_name = "ADDR:PORT", default_value = DEFAULT_ADDRESS)]
    pub(crate) node: String,
    /// Print one picture and end; also where standard output is no terminal
    #[arg(long)]
    pub(crate) once: bool,
    /// Print all numbers as JSON and end
    #[arg(long)]
    pub(crate) json: bool,
    /// What comes first
    #[arg(long, value_name = "KEY", value_enum, default_value_t = SortKey::Cpu)]
    pub(crate) sort: SortKey,
    /// How many processes to show
    #[arg(long, value_name = "COUNT", default_value_t = 30)]
    pub(crate) rows: usize,
}

#[derive(Debug, Args)]
pub(crate) struct LimitsArguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ModulesArguments {
    /// The module to show
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Print a page of all modules
    #[arg(long, conflicts_with = "name")]
    pub(crate) markdown: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RegistryArguments {
    #[command(subcommand)]
    pub(crate) command: RegistryCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// List entries
    List(ListArguments),
    /// Show one entry
    Show(ShowArguments),
    /// List the versions that were kept
    History(HistoryArguments),
    /// Show what differs between two versions
    Diff(DiffArguments),
    /// List the kinds that entries can have
    Kinds,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// The directory of the application
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,
    /// Only entries of these kinds, such as `function.*`
    #[arg(short, long, value_name = "PATTERN")]
    pub(crate) kind: Option<String>,
    /// Only entries of these namespaces, such as `app.**`
    #[arg(short, long, value_name = "PATTERN")]
    pub(crate) ns: Option<String>,
    /// Only entries with these names
    #[arg(long, value_name = "PATTERN")]
    pub(crate) name: Option<String>,
    /// Only entries whose meta has this value; also `field~regex`, `field*part`, `field^start`, `field$end`
    #[arg(long, value_name = "FIELD=VALUE")]
    pub(crate) meta: Vec<String>,
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    #[command(flatten)]
    pub(crate) form: FormArguments,
}

/// How entries are printed.
#[derive(Debug, Args)]
pub(crate) struct FormArguments {
    /// Print JSON
    #[arg(long, conflicts_with = "yaml")]
    pub(crate) json: bool,
    /// Print YAML
    #[arg(long)]
    pub(crate) yaml: bool,
    /// The reference names the lock file; here it is the directory that counts.
    #[arg(short = 'l', long, value_name = "FILE", hide = true)]
    pub(crate) lock_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(override_usage = "moonlet registry show [OPTIONS] [DIR] NS:ENTRY")]
pub(crate) struct ShowArguments {
    /// The directory of the application, if not this one, and the entry
    #[arg(value_name = "DIR NS:ENTRY", num_args = 1..=2, required = true)]
    pub(crate) place: Vec<String>,
    /// Print one field only, such as `meta.title`
    #[arg(short, long, value_name = "PATH")]
    pub(crate) field: Option<String>,
    /// Print a text as it is
    #[arg(long)]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    #[command(flatten)]
    pub(crate) form: FormArguments,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArguments {
    /// The directory of the application
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,
}

#[derive(Debug, Args)]
#[command(override_usage = "moonlet registry diff [DIR] [[FROM] TO]")]
pub(crate) struct DiffArguments {
    /// The directory of the application, if not this one, and one or two versions; without any, the first and the current one
    #[arg(value_name = "DIR FROM TO", num_args = 0..=3)]
    pub(crate) place: Vec<String>,
}

/// Reads the command line.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let arguments = split::command_first(arguments.into_iter().collect());
    if let Some(failure) = arguments.get(1).and_then(|command| hub::answer(&command.to_string_lossy())) {
        return Err(failure);
    }
    let arguments = split::split_run(arguments, Path::is_dir);
    Ok(CommandLine::try_parse_from(arguments)?.command)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        super::CommandLine::command().debug_assert();
    }
}
