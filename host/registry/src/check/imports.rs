//! Imports must not form a circle: no chunk of it could run first.

use std::collections::BTreeSet;

use moonlet_language::diagnostic::Diagnostic;

use super::Entries;
use crate::id::EntryId;
use crate::kinds::imports;
use crate::order::find_cycles;
use crate::path::FieldPath;

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    let code: Vec<&EntryId> =
        entries.values().filter(|checked| checked.entry.data.get("imports").is_some()).map(|checked| &checked.entry.id).collect();
    let imported = |id: &EntryId| -> Vec<EntryId> {
        let found = entries.get(id).map(|checked| imports(&checked.entry)).unwrap_or_default();
        found.into_iter().map(|(_, id)| id).collect()
    };
    for cycle in find_cycles(code.into_iter().cloned(), imported) {
        let members: BTreeSet<&EntryId> = cycle.iter().collect();
        let Some((first, checked)) = cycle.first().and_then(|first| entries.get_key_value(first)) else { continue };
        let mut chain: Vec<String> = cycle.iter().map(|id| format!("`{id}`")).collect();
        chain.push(format!("`{first}`"));
        let message = format!("imports form a circle: {}", chain.join(" imports "));
        let mut diagnostic = Diagnostic::error("import-cycle", message);
        let alias = |entry| imports(entry).into_iter().find(|(_, id)| members.contains(id)).map(|(alias, _)| alias);
        let path = |entry| FieldPath::new().key("imports").key(&alias(entry).unwrap_or_default());
        diagnostic = checked.entry.locate(diagnostic, &path(&checked.entry), "");
        for id in cycle.iter().skip(1) {
            if let Some(checked) = entries.get(id) {
                diagnostic = checked.entry.also(diagnostic, &path(&checked.entry), "");
            }
        }
        diagnostics.push(diagnostic.help("move what they share into a library that imports none of them"));
    }
}
