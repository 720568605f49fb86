//! Options of middleware: a misspelt one, or one that cannot be read, silently leaves the default.
//!
//! Only warnings: options belong to no table, because applications put options of their own among them.

use moonlet_language::diagnostic::Diagnostic;
use serde_json::Value;

use super::instead;
use crate::entry::Entry;
use crate::path::FieldPath;
use crate::schema::has_placeholder;
use crate::source::list_names;
use crate::suggest::nearest;
use crate::units::parse_duration;

/// How an option is read.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Number,
    /// A duration, or a number of seconds.
    Duration,
    Flag,
}

/// The options of this build by the names that the documentation gives them.
const OPTIONS: &[(&str, Form)] = &[
    ("cors.allow.origins", Form::Text),
    ("cors.allow.methods", Form::Text),
    ("cors.allow.headers", Form::Text),
    ("cors.expose.headers", Form::Text),
    ("cors.allow.credentials", Form::Flag),
    ("cors.allow.private.network", Form::Flag),
    ("cors.max.age", Form::Text),
    ("ratelimit.requests", Form::Number),
    ("ratelimit.window", Form::Duration),
    ("ratelimit.burst", Form::Number),
    ("ratelimit.key", Form::Text),
    ("ratelimit.cleanup_interval", Form::Duration),
    ("ratelimit.entry_ttl", Form::Duration),
    ("ratelimit.max_entries", Form::Number),
    ("compress.level", Form::Text),
    ("compress.min.length", Form::Number),
    ("real_ip.trusted.subnets", Form::Text),
    ("real_ip.trust_all", Form::Flag),
    ("token_auth.store", Form::Text),
    ("token_auth.header.name", Form::Text),
    ("token_auth.header.prefix", Form::Text),
    ("token_auth.query.param", Form::Text),
    ("token_auth.cookie.name", Form::Text),
    ("sendfile.fs", Form::Text),
    ("endpoint_firewall.action", Form::Text),
    ("resource_firewall.action", Form::Text),
    ("resource_firewall.target", Form::Text),
    ("wsrelay.allowed.origins", Form::Text),
    ("sserelay.allowed.origins", Form::Text),
];

/// Checks the options that stand in one field.
pub(super) fn check(entry: &Entry, field: &str, diagnostics: &mut Vec<Diagnostic>) {
    let path = FieldPath::new().key(field);
    for (name, value) in entry.data.get(field).and_then(Value::as_object).into_iter().flatten() {
        let path = path.key(name);
        match form(name) {
            Some((known, form)) => diagnostics.extend(check_value(entry, &path, known, form, value)),
            None => diagnostics.extend(unknown(entry, &path, name)),
        }
    }
}

/// Points and underscores are the same, and the name of the middleware may be left out.
fn form(name: &str) -> Option<(&'static str, Form)> {
    let plain = |name: &str| name.replace('.', "_");
    let written = plain(name);
    let is_it = |known: &str| plain(known) == written || known.split_once('.').is_some_and(|(_, rest)| plain(rest) == written);
    OPTIONS.iter().find(|(known, _)| is_it(known)).copied()
}

fn unknown(entry: &Entry, path: &FieldPath, name: &str) -> Option<Diagnostic> {
    let middleware = name.split_once('.').map(|(middleware, _)| middleware);
    let of_it: Vec<&str> = OPTIONS
        .iter()
        .map(|(known, _)| *known)
        .filter(|known| middleware.is_some_and(|middleware| known.split_once('.').is_some_and(|(other, _)| other == middleware)))
        .collect();
    // Names without a middleware may be anybody's; what is near to one with it is a slip.
    let near = match of_it.as_slice() {
        [] => nearest(name, OPTIONS.iter().map(|(known, _)| *known)),
        known => nearest(name, known.iter().copied()),
    };
    if near.is_none() && of_it.is_empty() {
        return None;
    }
    let message = format!("`{}` has an option `{name}`, which no middleware knows", entry.id);
    let diagnostic = entry.locate_key(Diagnostic::warning("unknown-option", message), path, "has no effect");
    Some(match near {
        Some(near) => instead(diagnostic, name, near),
        None => diagnostic.help(format!("the options are {}", list_names(&of_it))),
    })
}

fn check_value(entry: &Entry, path: &FieldPath, known: &str, form: Form, value: &Value) -> Option<Diagnostic> {
    let text = match value {
        Value::String(text) if has_placeholder(text) => return None,
        Value::String(text) => text.trim().to_owned(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return None,
    };
    let (fits, wanted) = match form {
        Form::Text => return None,
        Form::Number => (text.parse::<u64>().is_ok(), "a whole number such as `100`"),
        Form::Duration => {
            (text.parse::<u64>().is_ok() || parse_duration(&text).is_ok(), "a duration such as `1m`, or a number of seconds")
        }
        Form::Flag => {
            let words = ["true", "1", "yes", "on", "false", "0", "no", "off"];
            (words.iter().any(|word| word.eq_ignore_ascii_case(&text)), "`true` or `false`")
        }
    };
    // What is empty is as good as absent.
    if fits || text.is_empty() {
        return None;
    }
    let message = format!("`{known}` of `{}` is `{text}`, which cannot be read, so that the default holds", entry.id);
    let diagnostic = entry.locate(Diagnostic::warning("invalid-option", message), path, "has no effect");
    Some(diagnostic.help(format!("write {wanted}")))
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn every_way_to_write_an_option_is_known() {
        for name in
            ["cors.allow.origins", "cors_allow_origins", "allow_origins", "allow.origins", "ratelimit.requests", "requests"]
        {
            assert!(form(name).is_some(), "{name}");
        }
        assert!(form("cors.allow.origin").is_none() && form("origins").is_none());
    }
}
