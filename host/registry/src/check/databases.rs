//! Options of databases that their driver refuses at the first use.

use moonlet_language::diagnostic::Diagnostic;
use serde_json::Value;

use super::Entries;
use crate::path::FieldPath;
use crate::schema::has_placeholder;
use crate::source::list_names;
use crate::suggest::nearest;

const SSL_MODES: &[&str] = &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const TLS_MODES: &[&str] = &["true", "false", "skip-verify", "preferred"];

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    for checked in entries.values() {
        let entry = &*checked.entry;
        let options: &[(&str, &[&str])] = match entry.kind.as_str() {
            "db.sql.postgres" => &[("sslmode", SSL_MODES)],
            "db.sql.mysql" => &[("sslmode", SSL_MODES), ("tls", TLS_MODES)],
            _ => continue,
        };
        for (name, words) in options {
            let path = FieldPath::new().key("options").key(name);
            let text = match entry.field(&path) {
                Some(Value::String(text)) if !has_placeholder(text) => text.clone(),
                Some(Value::Bool(flag)) => flag.to_string(),
                _ => continue,
            };
            if words.contains(&text.as_str()) {
                continue;
            }
            let message = format!("`{path}` of `{}` cannot be `{text}`", entry.id);
            let diagnostic = entry.locate(Diagnostic::warning("invalid-option", message), &path, "not accepted at the first use");
            diagnostics.push(diagnostic.help(match nearest(&text, words.iter().copied()) {
                Some(near) => format!("write `{near}`"),
                None => format!("write one of {}", list_names(words)),
            }));
        }
    }
}
