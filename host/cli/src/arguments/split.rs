//! Where the arguments of `moonlet run` and `moonlet test` end and those of the process begin.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Options of them that are followed by a value.
const WITH_VALUE: &[&str] = &[
    "-x",
    "--exec",
    "--host",
    "--metrics",
    "--log-format",
    "-o",
    "--override",
    "--config",
    "--profile",
    "--set",
    "-m",
    "--memory-limit",
    "--registry",
];
const SEPARATOR: &str = "--";

/// Options that the reference has for every command, and that say nothing where nothing runs.
const EVERYWHERE: &[&str] =
    &["-v", "--verbose", "--very-verbose", "-c", "--console", "-s", "--silent", "-e", "--event-streams", "-p", "--profiler"];
/// Its commands where nothing runs.
const NOTHING_RUNS: &[&str] = &["check", "lint", "registry", "init", "version"];

/// Puts the command before the options that stand in front of it, as the reference allows.
pub(super) fn command_first(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let mut position = 1;
    while let Some(argument) = arguments.get(position) {
        let text = argument.to_string_lossy();
        if !text.starts_with('-') {
            break;
        }
        // These need no command.
        if matches!(&*text, "-h" | "--help" | "-V" | "--version" | "--") {
            return arguments;
        }
        position += if WITH_VALUE.contains(&&*text) { 2 } else { 1 };
    }
    if position > 1 && position < arguments.len() {
        let command = arguments.remove(position);
        arguments.insert(1, command);
    }
    if arguments.get(1).is_some_and(|command| NOTHING_RUNS.iter().any(|name| command == name)) {
        arguments.retain(|argument| !EVERYWHERE.iter().any(|option| argument == option));
    }
    arguments
}

/// Puts `--` before what belongs to the process, unless the user did.
///
/// That is everything from the first word that is neither an option nor a directory; behind `-x`, from the first word.
/// A word with a slash is taken for a directory even where there is none, so that the report can say so.
pub(super) fn split_run(mut arguments: Vec<OsString>, is_directory: impl Fn(&Path) -> bool) -> Vec<OsString> {
    if arguments.get(1).is_none_or(|command| command != "run" && command != "test") {
        return arguments;
    }
    let mut executes = false;
    let mut directory_seen = false;
    let mut position = 2;
    while let Some(argument) = arguments.get(position) {
        if argument == SEPARATOR {
            break;
        }
        let text = argument.to_string_lossy();
        if text.starts_with('-') && text.len() > 1 {
            executes |= is_exec(&text);
            position += if WITH_VALUE.contains(&&*text) { 2 } else { 1 };
            continue;
        }
        let could_be_directory = !executes && !directory_seen;
        if could_be_directory && (looks_like_path(argument) || is_directory(Path::new(argument))) {
            directory_seen = true;
            position += 1;
            continue;
        }
        arguments.insert(position, SEPARATOR.into());
        break;
    }
    arguments
}

/// `-x`, `-xapp:main`, `--exec`, `--exec=app:main`.
fn is_exec(text: &str) -> bool {
    text.starts_with("-x") || text == "--exec" || text.starts_with("--exec=")
}

fn looks_like_path(argument: &OsStr) -> bool {
    let text = argument.to_string_lossy();
    matches!(&*text, "." | "..") || text.contains('/') || text.contains(std::path::MAIN_SEPARATOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_split(line: &str, expected: &str) {
        let arguments = line.split(' ').map(OsString::from).collect();
        let split = split_run(arguments, |path| path == Path::new("app"));
        let split: Vec<_> = split.iter().map(|argument| argument.to_string_lossy()).collect();
        assert_eq!(split.join(" "), expected);
    }

    #[test]
    fn what_follows_the_entry_belongs_to_the_process() {
        check_split("moonlet run app -x app:main one -v --flag", "moonlet run app -x app:main -- one -v --flag");
        check_split("moonlet run -x app:main app", "moonlet run -x app:main -- app");
        check_split("moonlet run --exec=app:main --host a:b 1", "moonlet run --exec=app:main --host a:b -- 1");
        check_split("moonlet run app -xapp:main", "moonlet run app -xapp:main");
        check_split("moonlet run --log-format json app", "moonlet run --log-format json app");
        check_split("moonlet run app -x app:main -- -x", "moonlet run app -x app:main -- -x");
        check_split("moonlet run app -x app:main -", "moonlet run app -x app:main -- -");
    }

    #[test]
    fn a_word_that_is_no_directory_is_a_command() {
        check_split("moonlet run", "moonlet run");
        check_split("moonlet run app", "moonlet run app");
        check_split("moonlet run greet --loud", "moonlet run -- greet --loud");
        check_split("moonlet run app greet app", "moonlet run app -- greet app");
        check_split("moonlet run app -v -o a:b:c=d greet -v", "moonlet run app -v -o a:b:c=d -- greet -v");
        check_split("moonlet test app math --profile x", "moonlet test app -- math --profile x");
        check_split("moonlet test --profile x --set a.b=c math", "moonlet test --profile x --set a.b=c -- math");
        check_split("moonlet run not/here", "moonlet run not/here");
        check_split("moonlet run not/here x/y", "moonlet run not/here -- x/y");
    }

    #[test]
    fn options_may_stand_in_front_of_the_command() {
        let check = |line: &str, expected: &str| {
            let ordered = command_first(line.split(' ').map(OsString::from).collect());
            let ordered: Vec<_> = ordered.iter().map(|argument| argument.to_string_lossy()).collect();
            assert_eq!(ordered.join(" "), expected);
        };
        check("moonlet -c -m 1G run app", "moonlet run -c -m 1G app");
        check("moonlet --config a.yaml lint", "moonlet lint --config a.yaml");
        check("moonlet run -v", "moonlet run -v");
        check("moonlet -v lint app -c", "moonlet lint app");
        check("moonlet --help run", "moonlet --help run");
        check("moonlet -v", "moonlet -v");
    }

    #[test]
    fn other_commands_are_left_alone() {
        check_split("moonlet check greet --flag", "moonlet check greet --flag");
        check_split("moonlet", "moonlet");
    }
}
