//! Bindings must implement what their contracts say, and a contract has one default at most.

use std::collections::BTreeMap;

use moonlet_language::diagnostic::Diagnostic;

use super::Entries;
use crate::id::EntryId;
use crate::kinds::{Binding, Contract};
use crate::path::FieldPath;
use crate::suggest::nearest;

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    let mut defaults: BTreeMap<EntryId, EntryId> = BTreeMap::new();
    for (id, checked) in entries.iter().filter(|(_, checked)| checked.entry.kind == "contract.binding") {
        let Ok(binding) = Binding::new(&checked.entry) else { continue };
        for (index, bound) in binding.contracts.iter().enumerate() {
            let path = FieldPath::new().key("contracts").index(index);
            // A reference that leads nowhere has its own report.
            let Some(contract) = entries.get(&bound.contract).and_then(|found| Contract::new(&found.entry).ok()) else {
                continue;
            };
            for (method, _) in &bound.methods {
                if contract.method(method).is_none() {
                    let message = format!("the contract `{}` has no method `{method}`", bound.contract);
                    let diagnostic = Diagnostic::warning("unknown-method", message);
                    let place = path.key("methods").key(method);
                    let diagnostic = checked.entry.locate_key(diagnostic, &place, "never called");
                    let known = contract.methods.iter().map(|method| method.name.as_str());
                    diagnostics.push(match nearest(method, known) {
                        Some(name) => diagnostic.help(format!("write `{name}`")),
                        None => diagnostic.help("remove it, or add it to the contract"),
                    });
                }
            }
            let lacking: Vec<_> = contract.methods.iter().map(|method| &method.name).collect();
            let lacking = lacking.into_iter().filter(|name| !bound.methods.iter().any(|(bound, _)| bound == *name));
            let lacking: Vec<String> = lacking.map(|name| format!("`{name}`")).collect();
            if !lacking.is_empty() {
                let message = format!("`{id}` does not implement {} of `{}`", lacking.join(", "), bound.contract);
                let diagnostic = Diagnostic::warning("missing-method", message);
                let diagnostic = checked.entry.locate_key(diagnostic, &path.key("methods"), "");
                diagnostics.push(diagnostic.help("write `method: function` here for each"));
            }
            if bound.default
                && let first = defaults.entry(bound.contract.clone()).or_insert_with(|| id.clone())
                && first != id
            {
                let message = format!("both `{first}` and `{id}` are the default of the contract `{}`", bound.contract);
                let diagnostic = Diagnostic::warning("two-defaults", message);
                let diagnostic = checked.entry.locate(diagnostic, &path.key("default"), "the first one counts");
                diagnostics.push(diagnostic.help("remove `default: true` from one of them"));
            }
        }
    }
}
