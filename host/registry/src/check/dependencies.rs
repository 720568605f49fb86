//! Modules that an application needs must be there. One that is missing stops only what uses it.

use moonlet_language::diagnostic::Diagnostic;

use super::{Checked, Entries};
use crate::id::EntryId;
use crate::path::FieldPath;

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    for (checked, component) in missing(entries) {
        let path = FieldPath::new().key("component");
        let message = format!("`{}` needs the module `{component}`, which is not installed", checked.entry.id);
        let diagnostic = checked.entry.locate(Diagnostic::warning("missing-component", message), &path, "");
        diagnostics.push(diagnostic.help(format!(
            "this build fetches no modules: unpack it to `.wippy/vendor/{component}`, or name its directory under \
             `workspace.replacements`; whatever does not use it runs"
        )));
    }
}

/// Finds the module that is not there and to which an entry that does not exist would belong.
pub(super) fn owner_of(entries: &Entries, id: &EntryId) -> Option<String> {
    let owns = |component: &str| {
        let namespace = component.replace('/', ".");
        let organization = component.split('/').next().unwrap_or_default();
        lies_in(id.namespace(), &namespace) || lies_in(id.namespace(), organization)
    };
    missing(entries).map(|(_, component)| component).find(|component| owns(component)).map(str::to_owned)
}

/// Lists the dependencies of which no entry is there.
fn missing(entries: &Entries) -> impl Iterator<Item = (&Checked, &str)> {
    let needed = entries.values().filter(|checked| checked.entry.kind == "ns.dependency");
    let needed = needed.filter_map(|checked| Some((checked, checked.entry.data.get("component")?.as_str()?)));
    needed.filter(|(_, component)| {
        let namespace = component.replace('/', ".");
        let is_of =
            |checked: &Checked| checked.entry.module() == Some(*component) || lies_in(checked.entry.id.namespace(), &namespace);
        !entries.values().any(is_of)
    })
}

fn lies_in(namespace: &str, parent: &str) -> bool {
    !parent.is_empty() && namespace.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
