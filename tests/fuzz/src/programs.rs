//! The parser, the removal of types, the checker.

use std::collections::BTreeMap;

use moonlet_language::check::{Checker, Program};
use moonlet_language::lower;

/// Lowers and checks a program: types go without moving a line, and what is left parses and has nothing more to remove.
pub fn feed(bytes: &[u8]) {
    let source = String::from_utf8_lossy(bytes);
    let lowered = lower::lower(&source, "fuzz.lua");
    if lowered.diagnostics.is_empty() {
        assert_eq!(source.lines().count(), lowered.lua.lines().count(), "a line moved");
        let again = lower::lower(&lowered.lua, "lowered.lua");
        assert!(again.diagnostics.is_empty(), "what is left does not parse: {:?}\n{}", again.diagnostics, lowered.lua);
        assert_eq!(again.lua, lowered.lua, "something was left to remove");
    }
    let program = Program { source: &source, file: "fuzz.lua", modules: &[], imports: BTreeMap::new(), any_module: true };
    let _ = Checker::new().check(&program);
}
