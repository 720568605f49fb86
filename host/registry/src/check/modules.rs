//! Modules that code names must exist.

use moonlet_language::diagnostic::Diagnostic;
use serde_json::Value;

use super::{Entries, instead, is_built};
use crate::modules::{ModuleCatalog, ModuleSupport};
use crate::path::FieldPath;
use crate::suggest::nearest;

pub(super) fn check(entries: &Entries, modules: &ModuleCatalog, diagnostics: &mut Vec<Diagnostic>) {
    for checked in entries.values() {
        let entry = &checked.entry;
        if !entry.kind.ends_with(".lua") || !is_built(entry) {
            continue;
        }
        let names = entry.data.get("modules").and_then(Value::as_array).into_iter().flatten();
        for (index, name) in names.enumerate() {
            let Some(name) = name.as_str() else { continue };
            let path = FieldPath::new().key("modules").index(index);
            match modules.support(name) {
                ModuleSupport::Built => {}
                ModuleSupport::Missing => {
                    let message = format!("`{}` uses the module `{name}`, which this build does not have", entry.id);
                    let diagnostic = Diagnostic::warning("missing-module", message);
                    let help = "`require` of it raises, and the rest of the program runs";
                    diagnostics.push(entry.locate(diagnostic, &path, "").help(help));
                }
                ModuleSupport::Unknown => {
                    let message = format!("`{}` uses the module `{name}`, which does not exist", entry.id);
                    let diagnostic = Diagnostic::error("unknown-module", message);
                    let diagnostic = entry.locate(diagnostic, &path, "unknown module");
                    diagnostics.push(match nearest(name, modules.names()) {
                        Some(near) => instead(diagnostic, name, near),
                        None => diagnostic.help("code of other entries is named under `imports`, as `name: namespace:entry`"),
                    });
                }
            }
        }
    }
}
