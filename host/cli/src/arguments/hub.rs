//! Commands of the reference that need its hub: they get an answer that says what to do instead.

use crate::failure::Failure;

/// Those commands, and what to do instead.
const COMMANDS: &[(&str, &str)] = &[
    ("add", INSTALL),
    ("install", INSTALL),
    ("update", INSTALL),
    ("search", INSTALL),
    ("readme", INSTALL),
    ("auth", INSTALL),
    ("pack", "`moonlet run DIR` needs nothing but the directory of the application"),
    ("publish", "whoever uses the module names its directory under `workspace.replacements`"),
];

const INSTALL: &str =
    "unpack modules to `.wippy/vendor/ORGANIZATION/MODULE`, or name their directories under `workspace.replacements`";

/// Says why such a command does nothing; none for any other command.
pub(super) fn answer(command: &str) -> Option<Failure> {
    let (name, help) = COMMANDS.iter().find(|(name, _)| *name == command)?;
    Some(Failure::message(format!("`moonlet {name}` needs the hub of the reference, which this build does not have")).help(*help))
}
