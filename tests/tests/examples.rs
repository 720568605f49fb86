//! The examples do what their READMEs show, one test per README of `examples/`, and `moonlet check` finds nothing in them.

use std::path::Path;

use moonlet_tests::run::Run;
use moonlet_tests::suite::{Outcome, check_transcript as readme};

/// No errors, and no warnings either: people copy from the examples.
fn clean(index: &Path) -> Outcome {
    let folder = index.parent().ok_or("an index stands in a folder")?;
    let folder = folder.canonicalize()?;
    let finished = Run::start(&["check".as_ref(), "--level".as_ref(), "warning".as_ref(), folder.as_os_str()], None)?.finish()?;
    let last = finished.stdout.lines().last().unwrap_or_default();
    if finished.code == Some(0) && last.ends_with(" entries, no problems") {
        return Ok(());
    }
    Err(format!("moonlet check {}: exit code {:?}\n{}{}", folder.display(), finished.code, finished.stdout, finished.stderr)
        .into())
}

datatest_stable::harness! {
    { test = readme, root = "../examples", pattern = r"/README\.md$" },
    { test = clean, root = "../examples", pattern = r"^[^/]*/_index\.yaml$" },
}
