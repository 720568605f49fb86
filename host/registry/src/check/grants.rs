//! What `allow` of a process host names must be able to mean something: a misspelt grant would silently hold for nothing.
//!
//! Only warnings: what is named too much allows nothing, and the rest of the list holds.

use std::net::Ipv6Addr;

use moonlet_language::diagnostic::Diagnostic;
use serde_json::Value;

use super::{Entries, instead};
use crate::entry::Entry;
use crate::id::Namespace;
use crate::kinds::ProcessHost;
use crate::limits::split_target;
use crate::modules::{ModuleCatalog, ModuleSupport};
use crate::path::FieldPath;
use crate::pattern::Glob;
use crate::schema::has_placeholder;
use crate::suggest::nearest;

pub(super) fn check(entries: &Entries, modules: Option<&ModuleCatalog>, diagnostics: &mut Vec<Diagnostic>) {
    for checked in entries.values() {
        let entry = &*checked.entry;
        if ProcessHost::new(entry).is_err() {
            continue;
        }
        each(entry, "modules", |name, path| {
            diagnostics.extend(modules.and_then(|modules| check_module(entry, modules, name, path)));
        });
        each(entry, "namespaces", |pattern, path| diagnostics.extend(check_namespace(entry, pattern, path)));
        each(entry, "network", |target, path| diagnostics.extend(check_target(entry, target, path)));
    }
}

/// Walks one list of `allow`, which may be a single text.
fn each(entry: &Entry, list: &str, mut act: impl FnMut(&str, &FieldPath)) {
    let path = FieldPath::new().key("allow").key(list);
    match entry.field(&path) {
        Some(Value::Array(values)) => {
            for (index, value) in values.iter().enumerate() {
                if let Some(text) = value.as_str().filter(|text| !has_placeholder(text)) {
                    act(text, &path.index(index));
                }
            }
        }
        Some(Value::String(text)) if !has_placeholder(text) => act(text, &path),
        _ => {}
    }
}

fn check_module(entry: &Entry, modules: &ModuleCatalog, name: &str, path: &FieldPath) -> Option<Diagnostic> {
    if name == "*" || modules.support(name) != ModuleSupport::Unknown {
        return None;
    }
    let diagnostic = idle(entry, path, format!("`{path}` of `{}` is `{name}`, and there is no such module", entry.id));
    Some(match nearest(name, modules.names()) {
        Some(near) => instead(diagnostic, name, near),
        None if Glob::is_pattern(name) => diagnostic.help("name each module, or write `*` for all of them"),
        None => diagnostic.help("leave it out, or name a module of this build"),
    })
}

fn check_namespace(entry: &Entry, pattern: &str, path: &FieldPath) -> Option<Diagnostic> {
    let reason = match Glob::new(pattern) {
        Err(error) => error.to_string(),
        // What stands for any characters may stand for a letter.
        Ok(_) => Namespace::new(&pattern.replace(['*', '?'], "a"))
            .err()?
            .to_string()
            .replace(&pattern.replace(['*', '?'], "a"), pattern),
    };
    let message = format!("`{path}` of `{}` is `{pattern}`, which matches no namespace: {reason}", entry.id);
    let diagnostic = idle(entry, path, message);
    Some(match pattern.split_once(':') {
        Some((namespace, _)) if !namespace.is_empty() => instead(diagnostic, pattern, namespace),
        _ => diagnostic.help("write a namespace such as `app`, or `app.**` for it and all below"),
    })
}

fn check_target(entry: &Entry, target: &str, path: &FieldPath) -> Option<Diagnostic> {
    let (reason, help) = target_problem(target)?;
    let diagnostic = idle(entry, path, format!("`{path}` of `{}` is `{target}`, which matches no target: {reason}", entry.id));
    Some(match help {
        Some(written) => instead(diagnostic, target, &written),
        None => diagnostic.help("write a target such as `api.example.com:443`, `*.example.com` or `10.0.0.1`"),
    })
}

/// Says why a pattern matches no host and port, and what was probably meant.
fn target_problem(target: &str) -> Option<(String, Option<String>)> {
    if let Some((scheme, rest)) = target.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let port = match scheme {
            "https" | "wss" if !has_port => ":443",
            "http" | "ws" if !has_port => ":80",
            _ => "",
        };
        let meant = format!("{authority}{port}");
        let meant = Some(meant).filter(|meant| target_problem(meant).is_none());
        return Some(("a target is a host, with a port or without, and no address of a page".to_owned(), meant));
    }
    if target.contains('/') {
        return Some(("a host has no `/`, and ranges of addresses are not known here".to_owned(), None));
    }
    let (name, port) = split_target(target);
    if let Some(port) = port.filter(|port| *port != "*")
        && port.parse::<u16>().ok().is_none_or(|number| number == 0 || number.to_string() != port)
    {
        return Some((format!("`{port}` is no port, which is a number up to 65535, or `*`"), None));
    }
    if name.contains(':') {
        return name.parse::<Ipv6Addr>().err().map(|_| (format!("`{name}` is neither a name nor an address"), None));
    }
    let domain = name.strip_prefix("*.").unwrap_or(name);
    if name == "*" {
        return None;
    }
    if domain.contains('*') {
        return Some(("`*` stands alone, or as `*.` in front of a name".to_owned(), None));
    }
    let is_strange = |letter: char| {
        letter.is_ascii() && !letter.is_ascii_alphanumeric() && !matches!(letter, '.' | '-' | '_') || letter.is_whitespace()
    };
    (domain.is_empty() || domain.contains(is_strange)).then(|| (format!("`{name}` is no name of a host"), None))
}

fn idle(entry: &Entry, path: &FieldPath, message: String) -> Diagnostic {
    entry.locate(Diagnostic::warning("idle-grant", message), path, "allows nothing")
}

#[cfg(test)]
mod tests {
    use super::target_problem;

    #[test]
    fn what_can_match_a_target_is_left_alone() {
        for target in [
            "api.example.com:443",
            "api.example.com",
            "*.example.com",
            "*.example.com:443",
            "*:443",
            "*",
            "*:*",
            "127.0.0.1:8080",
            "[::1]:80",
            "[::1]",
            "::1",
            "my_host",
            "localhost",
            "b\u{fc}cher.example",
        ] {
            assert_eq!(target_problem(target), None, "{target}");
        }
    }

    #[test]
    fn what_matches_no_target_is_known() {
        let meant = |target| target_problem(target).map(|(_, meant)| meant);
        assert_eq!(meant("http://x/"), Some(Some("x:80".to_owned())));
        assert_eq!(meant("https://x.org:8443/a?b"), Some(Some("x.org:8443".to_owned())));
        assert_eq!(meant("https://"), Some(None));
        for target in [
            "not a host!",
            "10.0.0.0/99",
            "10.0.0.0/8",
            "a.*.org",
            "*x.org",
            "",
            "x:0",
            "x:99999",
            "x:http",
            "x:",
            "a:b:c",
            "user@x",
        ] {
            assert_eq!(meant(target), Some(None), "{target}");
        }
    }
}
