//! Routes: patterns that cannot match, two endpoints for the same requests, and middleware that there is not.

use std::collections::BTreeMap;

use moonlet_language::diagnostic::{Diagnostic, Level};
use serde_json::Value;

use super::{Entries, instead, middleware};
use crate::entry::Entry;
use crate::kinds::{HTTP_METHODS, HttpEndpoint, HttpRouter, HttpStatic};
use crate::path::FieldPath;
use crate::schema::has_placeholder;
use crate::source::list_names;
use crate::suggest::nearest;

/// Middleware that runs before an endpoint is looked for.
const BEFORE: &[&str] = &["cors", "ratelimit", "compress", "real_ip", "token_auth", "metrics", "sendfile", "otel"];
/// Middleware that needs to know the endpoint.
const AFTER: &[&str] = &["endpoint_firewall", "resource_firewall", "websocket_relay", "sse_relay"];

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    let mut taken: BTreeMap<(String, String, String), &Entry> = BTreeMap::new();
    for checked in entries.values() {
        let entry = &*checked.entry;
        match entry.kind.as_str() {
            "http.service" => diagnostics.extend(check_address(entry)),
            "http.router" => {
                middleware::check(entry, "options", diagnostics);
                middleware::check(entry, "post_options", diagnostics);
                // The reference has one list of names, and what needs the endpoint finds it in either place.
                check_middleware(entry, "middleware", BEFORE, Some(AFTER), diagnostics);
                check_middleware(entry, "post_middleware", AFTER, Some(BEFORE), diagnostics);
                if let Ok(router) = HttpRouter::new(entry)
                    && !router.prefix.is_empty()
                    && !router.prefix.starts_with('/')
                {
                    let path = FieldPath::new().key("prefix");
                    let message = format!("`prefix` of `{}` is `{}`, and a path starts with `/`", entry.id, router.prefix);
                    let diagnostic = entry.locate(Diagnostic::error("invalid-route", message), &path, "");
                    diagnostics.push(instead(diagnostic, &router.prefix, &format!("/{}", router.prefix)));
                }
            }
            "http.static" => {
                middleware::check(entry, "options", diagnostics);
                check_middleware(entry, "middleware", BEFORE, None, diagnostics);
                check_static(entry, diagnostics);
            }
            "http.endpoint" => {
                let Ok(endpoint) = HttpEndpoint::new(entry) else { continue };
                if let Some(found) = entries.get(&endpoint.func) {
                    diagnostics.extend(check_callable(entry, &found.entry));
                }
                if check_endpoint(entry, &endpoint, diagnostics) {
                    let key = (endpoint.router.to_string(), endpoint.method.clone(), shape(&endpoint.path));
                    if let Some(other) = taken.get(&key) {
                        diagnostics.push(duplicate(entry, &endpoint, other));
                    } else {
                        taken.insert(key, entry);
                    }
                }
            }
            _ => {}
        }
    }
}

/// An address needs a port, or nothing ever listens there.
fn check_address(entry: &Entry) -> Option<Diagnostic> {
    let written = entry.data.get("addr")?;
    let text = match written {
        Value::String(text) if has_placeholder(text) => return None,
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (host, port) = text.rsplit_once(':').map_or((None, text.as_str()), |(host, port)| (Some(host), port));
    if port.parse::<u16>().is_ok() {
        return None;
    }
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let (reason, help) = match host {
        None if !digits => ("has no port".to_owned(), format!("write `addr: \"{text}:8080\"`")),
        _ if digits => (format!("its port `{port}` is above 65535"), "write a port from 1 to 65535".to_owned()),
        _ => (format!("its port `{port}` is no number"), format!("write `addr: \"{}:8080\"`", host.unwrap_or_default())),
    };
    // The reference also takes names of ports, and what a module brings may never start.
    let is_certain = entry.module().is_none() && (digits || host.is_none());
    let level = if is_certain { Level::Error } else { Level::Warning };
    let message = match host {
        None if !digits => format!("`addr` of `{}` is `{text}`, which {reason}", entry.id),
        _ => format!("`addr` of `{}` is `{text}`, and {reason}", entry.id),
    };
    Some(entry.locate(Diagnostic::new("invalid-address", level, message), &FieldPath::new().key("addr"), "").help(help))
}

/// A process can answer only where it knows its host.
fn check_callable(entry: &Entry, func: &Entry) -> Option<Diagnostic> {
    if !func.kind.starts_with("process.") || func.meta.get("default_host").is_some_and(|host| !host.is_null()) {
        return None;
    }
    let path = FieldPath::new().key("func");
    let message =
        format!("`func` of `{}` is the process `{}`, which has no default host and cannot be called", entry.id, func.id);
    let diagnostic = entry.locate(Diagnostic::warning("not-callable", message), &path, "every request fails");
    let diagnostic = func.also(diagnostic, &FieldPath::new().key("kind"), "its kind");
    let kind = if func.kind.ends_with(".wasm") { "function.wasm" } else { "function.lua" };
    Some(diagnostic.help(format!("make it a `{kind}`, or write `meta: {{ default_host: host }}` in its entry")))
}

/// Writes a pattern without the names of its parameters, which do not decide what it matches.
fn shape(path: &str) -> String {
    let parts = path.trim_matches('/').split('/').map(|part| match part.strip_prefix('{') {
        Some(name) if name.ends_with("...}") => "{...}",
        Some(_) => "{}",
        None => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn duplicate(entry: &Entry, endpoint: &HttpEndpoint, other: &Entry) -> Diagnostic {
    let path = FieldPath::new().key("path");
    let message =
        format!("`{}` and `{}` both answer {} {} of the same router", other.id, entry.id, endpoint.method, endpoint.path);
    let diagnostic = entry.locate(Diagnostic::error("duplicate-route", message), &path, "the same requests");
    other.also(diagnostic, &path, "as these").help("change one of the paths or methods, or remove one of the endpoints")
}

fn check_endpoint(entry: &Entry, endpoint: &HttpEndpoint, diagnostics: &mut Vec<Diagnostic>) -> bool {
    if !HTTP_METHODS.contains(&endpoint.method.as_str()) {
        let path = FieldPath::new().key("method");
        let message = format!("`method` of `{}` is `{}`, which is no HTTP method", entry.id, endpoint.method);
        let diagnostic = entry.locate(Diagnostic::error("invalid-route", message), &path, "");
        diagnostics.push(diagnostic.help(format!("write one of {}", list_names(HTTP_METHODS))));
        return false;
    }
    let Err((reason, help)) = check_pattern(&endpoint.path) else { return true };
    let path = FieldPath::new().key("path");
    let message = format!("`path` of `{}` is `{}`: {reason}", entry.id, endpoint.path);
    diagnostics.push(entry.locate(Diagnostic::error("invalid-route", message), &path, "").help(help));
    false
}

/// Says what is wrong with a pattern, and what to write.
fn check_pattern(path: &str) -> Result<(), (String, String)> {
    if !path.starts_with('/') {
        return Err(("a path starts with `/`".to_owned(), format!("write `/{path}`")));
    }
    let mut names = Vec::new();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    for (index, part) in parts.iter().enumerate() {
        if !part.contains(['{', '}']) {
            continue;
        }
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let Some(name) = name.filter(|name| !name.contains(['{', '}'])) else {
            let reason = format!("`{part}` is neither text nor a parameter");
            return Err((reason, "write `{name}` for one part of the path, with nothing beside it".to_owned()));
        };
        let (name, rest) = name.strip_suffix("...").map_or((name, false), |name| (name, true));
        let valid = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') && !name.is_empty();
        if !valid {
            let reason = format!("`{part}` has no valid name");
            return Err((reason, "write a name of letters, digits and `_`, such as `{id}`".to_owned()));
        }
        if rest && index + 1 < parts.len() {
            return Err((format!("`{part}` takes the rest of the path, and more follows"), "write it last".to_owned()));
        }
        if names.contains(&name) {
            return Err((format!("it has two parameters `{name}`"), "give each a name of its own".to_owned()));
        }
        names.push(name);
    }
    Ok(())
}

fn check_static(entry: &Entry, diagnostics: &mut Vec<Diagnostic>) {
    let Ok(files) = HttpStatic::new(entry) else { return };
    if !files.path.starts_with('/') {
        let path = FieldPath::new().key("path");
        let message = format!("`path` of `{}` is `{}`, and a path starts with `/`", entry.id, files.path);
        let diagnostic = entry.locate(Diagnostic::error("invalid-route", message), &path, "");
        diagnostics.push(instead(diagnostic, &files.path, &format!("/{}", files.path)));
    }
    if files.spa && files.index.is_none() {
        let path = FieldPath::new().key("static_options").key("spa");
        let message = format!("`{}` leads paths without a file to an index, and names none", entry.id);
        let diagnostic = entry.locate(Diagnostic::error("invalid-route", message), &path, "");
        diagnostics.push(diagnostic.help("write `index: index.html` beside it"));
    }
}

/// Checks the names of one list; `also` are those that are usual in the other list of a router.
fn check_middleware(entry: &Entry, field: &str, usual: &[&str], also: Option<&[&str]>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(value) = entry.data.get(field) else { return };
    let names: Vec<&str> = match value.as_array() {
        Some(names) => names.iter().filter_map(|name| name.as_str()).collect(),
        None => value.as_str().into_iter().collect(),
    };
    for (index, name) in names.iter().enumerate() {
        if usual.contains(name) || also.is_some_and(|also| also.contains(name)) {
            continue;
        }
        let path = FieldPath::new().key(field);
        let path = if value.is_array() { path.index(index) } else { path };
        let (message, help) = if AFTER.contains(name) {
            (format!("`{name}` needs an endpoint and does not work for the files of `{}`", entry.id), "leave it out".to_owned())
        } else {
            let known = || usual.iter().chain(also.unwrap_or_default()).copied();
            let help = match nearest(name, known()) {
                Some(near) => format!("write `{near}`"),
                None => format!("the names are {}", list_names(&known().collect::<Vec<_>>())),
            };
            (format!("`{}` uses middleware `{name}`, which does not exist", entry.id), help)
        };
        let diagnostic = entry.locate(Diagnostic::new("unknown-middleware", Level::Error, message), &path, "");
        diagnostics.push(diagnostic.help(help));
    }
}
