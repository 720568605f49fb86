//! What a program may choose about a command beside the command: variables and the working directory.
//!
//! An executor with a list of commands is for programs that may run just these. A variable or a directory of their choice would make
//! other commands of them: the loader takes code from `LD_PRELOAD`, `git` runs what its configuration names.

use std::path::{Component, Path, PathBuf};

use moonlet_runtime::Error;

use crate::fail::{invalid, shown};

/// Variables that tell a loader, a shell, an interpreter or a tool what code to run.
const RUNS_CODE: &[&str] = &[
    "BASHOPTS",
    "BASH_ENV",
    "BROWSER",
    "CDPATH",
    "CLASSPATH",
    "EDITOR",
    "ENV",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "IFS",
    "LESSCLOSE",
    "LESSOPEN",
    "LOCPATH",
    "MAKEFLAGS",
    "MANPAGER",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PAGER",
    "PATH",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "PROMPT_COMMAND",
    "PS4",
    "RUSTC",
    "RUSTC_WRAPPER",
    "SHELL",
    "SHELLOPTS",
    "VISUAL",
    "ZDOTDIR",
];
/// Beginnings of such names.
const RUN_CODE: &[&str] = &[
    "BASH_FUNC_",
    "CARGO_",
    "DYLD_",
    "GEM_",
    "GIT_",
    "JAVA_",
    "JDK_JAVA_",
    "LD_",
    "LUA_",
    "MALLOC_",
    "NPM_CONFIG_",
    "OPENSSL_",
    "PERL",
    "PYTHON",
    "RUBY",
    "SSH_",
    "_JAVA_",
    "_RLD",
];

/// Refuses a variable of a program that an executor with a list of commands does not take.
///
/// # Errors
///
/// `PermissionDenied`, with what would allow it where something would.
pub(super) fn check_variable(name: &str, named: Option<&[String]>) -> Result<(), Error> {
    let upper = name.to_ascii_uppercase();
    if RUNS_CODE.contains(&upper.as_str()) || RUN_CODE.iter().any(|start| upper.starts_with(start)) {
        let name = shown(name);
        return Err(denied(format!(
            "the variable `{name}` can make a command run other code, so that a program cannot choose it where the entry lists commands: \
             set it in `default_env` of the executor"
        )));
    }
    if named.is_some_and(|named| named.iter().any(|other| other == name)) {
        return Ok(());
    }
    Err(denied(format!("the variable `{}` is not allowed: add it to `env_whitelist` of the executor", shown(name))))
}

/// Completes a directory of a program, which starts at that of the entry and stays below it.
///
/// # Errors
///
/// `PermissionDenied` when it leads out.
pub(super) fn below(base: &Path, dir: &str) -> Result<PathBuf, Error> {
    let (base, joined) = (plain(base), plain(&base.join(dir)));
    match (base, joined) {
        (Some(base), Some(joined)) if joined.starts_with(&base) => Ok(joined),
        _ => Err(outside(dir)),
    }
}

/// Finds where a directory really is, which no link may lead out of the one of the entry. It waits for the disk.
///
/// # Errors
///
/// `PermissionDenied` when a link leads out, `Invalid` when there is no such directory.
pub(super) fn really_below(base: &Path, dir: &Path) -> Result<PathBuf, Error> {
    let real = |path: &Path| path.canonicalize().map_err(|_| invalid("there is no such working directory"));
    let (base, dir) = (real(base)?, real(dir)?);
    if dir.starts_with(&base) { Ok(dir) } else { Err(outside(&dir.file_name().unwrap_or_default().to_string_lossy())) }
}

/// Resolves `.` and `..` by the text alone; nothing when it leads above the root or the start.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            other => plain.push(other),
        }
    }
    Some(plain)
}

fn outside(dir: &str) -> Error {
    denied(format!("the working directory `{}` is not below `default_work_dir` of the executor", shown(dir)))
}

pub(super) fn denied(message: impl Into<String>) -> Error {
    Error::new("PermissionDenied", message).with_retryable(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_stays_below_that_of_the_entry() {
        let base = Path::new("/srv/app/./x/..");
        for (dir, want) in [("", "/srv/app"), ("a/../b", "/srv/app/b"), ("/srv/app/c", "/srv/app/c"), (".", "/srv/app")] {
            assert_eq!(below(base, dir).ok().as_deref(), Some(Path::new(want)), "{dir}");
        }
        for dir in ["..", "a/../..", "/", "/srv/application", "../../../../..", "/etc", "../app2"] {
            assert!(below(base, dir).is_err(), "{dir}");
        }
    }

    #[test]
    fn variables_that_run_code_are_never_taken() {
        let named = ["LD_PRELOAD".to_owned(), "LANG".to_owned(), "path".to_owned()];
        for name in ["LD_PRELOAD", "LD_AUDIT", "path", "PATH", "BASH_ENV", "GIT_SSH_COMMAND", "PYTHONPATH", "NODE_OPTIONS", "X"] {
            assert!(check_variable(name, Some(&named)).is_err(), "{name}");
        }
        assert!(check_variable("LANG", Some(&named)).is_ok());
        assert!(check_variable("LANG", None).is_err());
    }
}
