//! The sections and fields that a configuration can have: what is misspelt would otherwise mean nothing, silently.

use std::sync::Arc;

use moonlet_language::diagnostic::{Diagnostic, Level};

use super::node::{Node, Pair};
use crate::suggest::nearest;

/// What may stand in a section.
enum Fields {
    /// These fields.
    Of(&'static [&'static str]),
    /// Whatever the reference has there; it changes nothing here, or others look at it.
    Any,
}

/// Sections by name, those of the reference and ours.
const SECTIONS: &[(&str, Fields)] = &[
    ("version", Fields::Any),
    ("security", Fields::Of(&["strict", "strict_mode"])),
    ("types", Fields::Of(&["strict"])),
    (
        "registry",
        Fields::Of(&["history", "history_type", "history_path", "path", "enable_history", "history_dsn", "history_schema"]),
    ),
    ("logger", Fields::Of(&["encoding", "access"])),
    ("logmanager", Fields::Of(&["propagate_downstream", "stream_to_events", "min_level"])),
    ("prometheus", Fields::Of(&["enabled", "address"])),
    ("network_service", Fields::Of(&["state_dir", "default_network"])),
    (
        "otel",
        Fields::Of(&[
            "enabled",
            "endpoint",
            "protocol",
            "service_name",
            "service_version",
            "insecure",
            "sample_rate",
            "propagators",
            "traces_enabled",
            "metrics_enabled",
            "http",
            "process",
            "interceptor",
            "queue",
            "temporal",
        ]),
    ),
    ("disable", Fields::Of(&["namespaces", "entries"])),
    ("directories", Fields::Of(&["src", "modules"])),
    ("workspace", Fields::Of(&["replacements"])),
    ("vars", Fields::Any),
    ("override", Fields::Any),
    ("profiles", Fields::Any),
    ("replacements", Fields::Any),
    ("modules", Fields::Any),
    ("options", Fields::Any),
    ("lua", Fields::Any),
    ("profiler", Fields::Any),
    ("relay", Fields::Any),
    ("supervisor", Fields::Any),
    ("finder", Fields::Any),
    ("shutdown", Fields::Any),
    ("metrics", Fields::Any),
    ("cluster", Fields::Any),
    ("lsp", Fields::Any),
    ("dispatcher", Fields::Any),
    ("extensions", Fields::Any),
    ("temporal", Fields::Any),
];

/// Warns of what a configuration has and nobody reads. In `security` it is an error: a switch that is misspelt must not mean "off".
pub(super) fn check(file: &Arc<str>, config: &Node, diagnostics: &mut Vec<Diagnostic>) {
    for section in config.pairs().unwrap_or_default() {
        let Some((name, fields)) = SECTIONS.iter().find(|(name, _)| *name == section.key) else {
            let near = nearest(&section.key, SECTIONS.iter().map(|(name, _)| *name));
            let level = if near == Some("security") { Level::Error } else { Level::Warning };
            diagnostics.push(report(file, section, level, "a section", near));
            continue;
        };
        let Fields::Of(fields) = fields else { continue };
        for field in section.node.pairs().unwrap_or_default().iter().filter(|field| !fields.contains(&&*field.key)) {
            let level = if *name == "security" { Level::Error } else { Level::Warning };
            let near = nearest(&field.key, fields.iter().copied()).or(fields.first().copied().filter(|_| fields.len() == 1));
            diagnostics.push(report(file, field, level, &format!("a field of `{name}`"), near));
        }
    }
}

fn report(file: &Arc<str>, pair: &Pair, level: Level, what: &str, near: Option<&str>) -> Diagnostic {
    let message = format!("`{}` is not {what} of the configuration", pair.key);
    let diagnostic =
        Diagnostic::new("unknown-setting", level, message).at(Arc::clone(file), pair.key_span.clone(), "nobody reads it");
    match near {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;
    use crate::source::yaml::parse_yaml;

    #[test]
    fn what_is_misspelt_is_told() {
        let found = |text: &str| {
            let mut diagnostics = Vec::new();
            check(&"c.yaml".into(), &parse_yaml(text).unwrap(), &mut diagnostics);
            let shown = diagnostics.iter().map(|found| format!("{} {} {:?}", found.level.as_str(), found.message, found.help));
            shown.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(found("security: { strict: true }\nlua: { proto_cache_size: 1 }\nlogger: { encoding: json }"), "");
        assert_eq!(
            found("promtheus: {}"),
            "warning `promtheus` is not a section of the configuration Some(\"did you mean `prometheus`?\")"
        );
        let strict = found("security: { strct: true }");
        assert!(strict.starts_with("error `strct` is not a field of `security`"), "{strict}");
        assert!(found("securty: { strict: true }").starts_with("error "));
        assert!(found("otel: { enpoint: x }").contains("did you mean `endpoint`?"));
    }
}
