//! The types of all Lua code: each entry is checked with what the libraries that it imports give.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_language::check::{Checker, Exports, Program};
use moonlet_language::diagnostic::{Diagnostic, Level, Sources};

use crate::id::EntryId;
use crate::inline::relocate;
use crate::kinds::LuaEntry;
use crate::order::start_order;
use crate::report::arrange;
use crate::state::Snapshot;

/// Checks the types of all Lua code; what is wrong in installed modules, which are somebody else's, are warnings. Code that stands in no file of its own is added to the sources where it is reported.
#[must_use]
pub fn check_types(snapshot: &Snapshot, sources: &mut Sources) -> Vec<Diagnostic> {
    let code: BTreeMap<EntryId, LuaEntry> =
        snapshot.entries().filter_map(|entry| Some((entry.id.clone(), LuaEntry::new(entry).ok()?))).collect();
    let imports = |view: &LuaEntry| view.imports.iter().map(|(_, id)| id.clone()).collect();
    let order = start_order(&code.iter().map(|(id, view)| (id.clone(), imports(view))).collect());
    let mut checker = Checker::new();
    let mut exports: BTreeMap<&EntryId, Exports> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for id in order.starting() {
        let Some((id, view)) = code.get_key_value(id) else { continue };
        let file = view.source_name.as_deref().unwrap_or(id.as_str());
        let export = |id: &EntryId| exports.get(id).cloned().unwrap_or_else(Exports::unknown);
        let program = Program {
            source: &view.source,
            file,
            modules: &view.modules,
            imports: (view.imports.iter().map(|(name, id)| (name.clone(), export(id))))
                .chain(view.aliases.iter().map(|(name, _)| (name.clone(), Exports::unknown())))
                .collect(),
            any_module: false,
        };
        let mut checked = checker.check(&program);
        match (&view.source_name, snapshot.get(id)) {
            (None, Some(entry)) => relocate(entry, &view.source, &mut checked.diagnostics, sources),
            (Some(file), _) => {
                if sources.text(file).is_none() && !checked.diagnostics.is_empty() {
                    sources.add(Arc::clone(file), Arc::clone(&view.source));
                }
            }
            (None, None) => {}
        }
        if snapshot.get(id).is_some_and(|entry| entry.module().is_some()) {
            for diagnostic in checked.diagnostics.iter_mut().filter(|diagnostic| diagnostic.level == Level::Error) {
                diagnostic.level = Level::Warning;
            }
        }
        exports.insert(id, checked.exports);
        diagnostics.append(&mut checked.diagnostics);
    }
    arrange(&mut diagnostics);
    diagnostics
}
