//! Where the binary under test and the repository are.

use std::env;
use std::path::{Path, PathBuf};

/// Names another binary to test, for example one from a release build.
pub const BINARY_VARIABLE: &str = "MOONLET_BIN";

/// The root of the repository: every command of the suites runs there, so that its paths read as in the documentation.
pub fn repository() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// The `moonlet` binary: the one that the environment names, else the one beside the running test in the target folder.
///
/// # Errors
///
/// Says what to build when there is none.
pub fn moonlet() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os(BINARY_VARIABLE) {
        return Ok(PathBuf::from(named));
    }
    let test = env::current_exe().map_err(|error| format!("cannot find the running test: {error}"))?;
    // Cargo puts tests into `<profile>/deps`, and binaries into `<profile>`.
    let name = format!("moonlet{}", env::consts::EXE_SUFFIX);
    let candidate = test.ancestors().skip(1).take(2).map(|folder| folder.join(&name)).find(|path| path.is_file());
    candidate.ok_or_else(|| {
        format!(
            "no `{name}` beside {}: build it with `cargo build -p moonlet-cli`, or name one in {BINARY_VARIABLE}",
            test.display()
        )
    })
}
