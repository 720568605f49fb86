//! What a configuration is put together from: files, profiles, single values, and the variables in all of them.
//!
//! Files come first, then the profiles that were chosen, then single values; maps merge leaf by leaf, and the last one wins.

use std::path::PathBuf;

use moonlet_language::diagnostic::Diagnostic;
use serde_json::Value;

use super::node::{Node, NodeValue, Pair};
use crate::overrides::coerce;
use crate::suggest::nearest;

/// The section that holds profiles.
const PROFILES: &str = "profiles";

/// The section that leaves entries out; its lists can be added to.
const DISABLE: &str = "disable";

/// The deepest value that `--set` may make: it is a path that somebody types.
const MAX_SET_STEPS: usize = 32;

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigLayers {
    /// The files to read instead of the usual one; a later one changes what an earlier one says.
    pub files: Vec<PathBuf>,
    /// The profiles to apply, in this order.
    pub profiles: Vec<String>,
    /// Single values, as `section.path=value`.
    pub values: Vec<String>,
}

/// Lays one configuration over another: maps merge leaf by leaf, anything else is replaced.
pub(super) fn overlay(base: &mut Node, over: Node) {
    merge(base, over, false);
}

fn merge(base: &mut Node, over: Node, lists: bool) {
    let (NodeValue::Map(pairs), NodeValue::Map(changes)) = (&mut base.value, &over.value) else {
        *base = over;
        return;
    };
    for change in changes.clone() {
        if lists && change_list(pairs, &change) {
            continue;
        }
        match pairs.iter_mut().find(|pair| pair.key == change.key) {
            Some(pair) => merge(&mut pair.node, change.node, false),
            None => pairs.push(change),
        }
    }
}

/// Carries out `name.add` and `name.remove`; gives false for any other field.
fn change_list(pairs: &mut Vec<Pair>, change: &Pair) -> bool {
    let Some((name, adds)) =
        change.key.strip_suffix(".add").map(|name| (name, true)).or_else(|| Some((change.key.strip_suffix(".remove")?, false)))
    else {
        return false;
    };
    let NodeValue::List(elements) = &change.node.value else { return false };
    if !pairs.iter().any(|pair| pair.key == name) {
        let node = Node { value: NodeValue::List(Vec::new()), span: change.node.span.clone() };
        pairs.push(Pair { key: name.to_owned(), key_span: change.key_span.clone(), node });
    }
    let Some(NodeValue::List(list)) = pairs.iter_mut().find(|pair| pair.key == name).map(|pair| &mut pair.node.value) else {
        return false;
    };
    list.retain(|element| !elements.iter().any(|other| other.value == element.value));
    if adds {
        list.extend(elements.iter().cloned());
    }
    true
}

/// Applies the profiles that were chosen, and removes all of them.
pub(super) fn apply_profiles(config: &mut Node, names: &[String], diagnostics: &mut Vec<Diagnostic>) {
    let NodeValue::Map(pairs) = &mut config.value else { return };
    let position = pairs.iter().position(|pair| pair.key == PROFILES);
    let profiles = position.map(|position| pairs.remove(position).node);
    for name in names {
        let known = profiles.as_ref().and_then(Node::pairs).unwrap_or_default();
        let Some(profile) = known.iter().find(|pair| pair.key == *name) else {
            let diagnostic = Diagnostic::error("unknown-profile", format!("there is no profile `{name}`"));
            diagnostics.push(match nearest(name, known.iter().map(|pair| pair.key.as_str())) {
                Some(near) => diagnostic.help(format!("there is `{near}`")),
                None => diagnostic.help(format!("write `{PROFILES}: {{ {name}: ... }}` in the configuration")),
            });
            continue;
        };
        for pair in profile.node.pairs().unwrap_or_default() {
            let Some(target) = section(config, pair) else { continue };
            merge(target, pair.node.clone(), pair.key == DISABLE);
        }
    }
}

/// Gives the section of a configuration that has the name of a field, which is made if need be.
fn section<'a>(config: &'a mut Node, field: &Pair) -> Option<&'a mut Node> {
    let NodeValue::Map(pairs) = &mut config.value else { return None };
    let position = pairs.iter().position(|pair| pair.key == field.key).unwrap_or_else(|| {
        let node = Node { value: NodeValue::Map(Vec::new()), span: field.node.span.clone() };
        pairs.push(Pair { node, ..field.clone() });
        pairs.len() - 1
    });
    pairs.get_mut(position).map(|pair| &mut pair.node)
}

/// Applies single values; `true`, `false` and numbers keep their type, anything else is a text.
pub(super) fn apply_values(config: &mut Node, values: &[String], diagnostics: &mut Vec<Diagnostic>) {
    for text in values {
        let Some((path, value)) = text.split_once('=') else {
            diagnostics.push(malformed(text, "has no `=`"));
            continue;
        };
        let steps: Vec<&str> = path.split('.').collect();
        if steps.iter().any(|step| step.is_empty()) || steps.len() > MAX_SET_STEPS {
            diagnostics.push(malformed(text, "does not name a value"));
            continue;
        }
        let value = steps.into_iter().rev().fold(coerce(value), |value, step| {
            let fields = [(step.to_owned(), value)];
            Value::Object(fields.into_iter().collect())
        });
        overlay(config, Node::placed_at(value, &(0..0)));
    }
}

fn malformed(text: &str, reason: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error("malformed-value", format!("`--set {text}` {reason}"));
    diagnostic.help("write `--set SECTION.PATH=VALUE`, such as `--set security.strict=true`")
}

/// Puts the values of `vars` and of the environment in place of `${name}` and `${env:NAME}`.
///
/// `lookup` gives a variable of the environment.
pub(super) fn fill_variables(config: &mut Node, lookup: &dyn Fn(&str) -> Option<String>, diagnostics: &mut Vec<Diagnostic>) {
    // Variables may name the environment, and not each other.
    let none = Node { value: NodeValue::Null, span: 0..0 };
    let mut variables = config.get("vars").map_or_else(|| none.clone(), |pair| pair.node.clone());
    fill(&mut variables, &mut Filler { variables: &none, lookup, diagnostics });
    fill(config, &mut Filler { variables: &variables, lookup, diagnostics });
}

struct Filler<'a> {
    variables: &'a Node,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

fn fill(node: &mut Node, filler: &mut Filler<'_>) {
    match &mut node.value {
        NodeValue::Text(text) => {
            if let Some(value) = filler.text(text) {
                node.value = value;
            }
        }
        NodeValue::List(nodes) => nodes.iter_mut().for_each(|node| fill(node, filler)),
        NodeValue::Map(pairs) => pairs.iter_mut().for_each(|pair| fill(&mut pair.node, filler)),
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) => {}
    }
}

impl Filler<'_> {
    /// Gives what a text stands for, if it names any variable. A text that is one variable has the type of its value.
    fn text(&mut self, text: &str) -> Option<NodeValue> {
        if !text.contains("${") {
            return None;
        }
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                rest = rest.get(before.len()..).unwrap_or_default();
                break;
            };
            match self.value(name) {
                Some(value) if before.is_empty() && behind.is_empty() && rest.len() == text.len() => return Some(value),
                Some(value) => filled.push_str(&shown(&value)),
                // What is no variable of ours, such as the placeholder of an entry, stays.
                None => filled.push_str(&format!("${{{name}}}")),
            }
            rest = behind;
        }
        filled.push_str(rest);
        Some(NodeValue::Text(filled))
    }

    fn value(&mut self, name: &str) -> Option<NodeValue> {
        let Some(variable) = name.strip_prefix("env:") else {
            return self.variables.get(name).map(|pair| pair.node.value.clone());
        };
        let (variable, default) = match variable.split_once('|') {
            Some((variable, default)) => (variable, Some(default)),
            None => (variable, None),
        };
        let found = (self.lookup)(variable).or_else(|| default.map(str::to_owned));
        if found.is_none() {
            let message = format!("the configuration needs the environment variable `{variable}`, which is not set");
            self.diagnostics.push(
                Diagnostic::error("missing-variable", message).help(format!("set it, or write `${{env:{variable}|default}}`")),
            );
        }
        found.map(NodeValue::Text)
    }
}

fn shown(value: &NodeValue) -> String {
    match value {
        NodeValue::Null => String::new(),
        NodeValue::Text(text) => text.clone(),
        other => Node { value: other.clone(), span: 0..0 }.split(0..0).0.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::super::yaml::parse_yaml;
    use super::*;

    fn check(text: &str, profiles: &[&str], values: &[&str], expected: &str) {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut config = parse_yaml(text).unwrap();
        let mut diagnostics = Vec::new();
        apply_profiles(&mut config, &owned(profiles), &mut diagnostics);
        apply_values(&mut config, &owned(values), &mut diagnostics);
        fill_variables(&mut config, &|name| (name == "HOME").then(|| "/home/me".to_owned()), &mut diagnostics);
        let found: Vec<String> = diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect();
        let (value, said) = expected.split_once(" | ").unwrap_or((expected, ""));
        assert_eq!(config.split(0..0).0, serde_json::from_str::<Value>(value).unwrap());
        assert_eq!(found.join("; "), said);
    }

    const PROFILED: &str = "
a: { b: 1, c: 2 }
disable: { namespaces: [x, y] }
profiles:
  one: { a: { b: 3 }, disable: { namespaces.add: [z], namespaces.remove: [x] } }
  two: { a: { d: { e: 4 } }, disable: { entries.add: ['q:w'] } }
";

    #[test]
    fn profiles_change_leaves_and_lists() {
        check(PROFILED, &[], &[], r#"{"a":{"b":1,"c":2},"disable":{"namespaces":["x","y"]}}"#);
        check(PROFILED, &["one"], &[], r#"{"a":{"b":3,"c":2},"disable":{"namespaces":["y","z"]}}"#);
        let both = r#"{"a":{"b":3,"c":2,"d":{"e":4}},"disable":{"entries":["q:w"],"namespaces":["y","z"]}}"#;
        check(PROFILED, &["one", "two"], &[], both);
        check("a: 1", &["one"], &[], r#"{"a":1} | there is no profile `one`"#);
    }

    #[test]
    fn single_values_come_last_and_keep_their_types() {
        check(PROFILED, &["one"], &["a.b=5", "disable=no"], r#"{"a":{"b":5,"c":2},"disable":"no"}"#);
        check("a: 1", &[], &["x.y.z=true", "w=5s"], r#"{"a":1,"w":"5s","x":{"y":{"z":true}}}"#);
        check("a: 1", &[], &["x", ".y=1"], r#"{"a":1} | `--set x` has no `=`; `--set .y=1` does not name a value"#);
    }

    #[test]
    fn variables_are_filled_in() {
        check(
            "{vars: {p: 80, h: a}, x: '${p}', y: 'http://${h}:${p}/'}",
            &[],
            &[],
            r#"{"vars":{"h":"a","p":80},"x":80,"y":"http://a:80/"}"#,
        );
        check(
            "x: ['${env:HOME}/a', '${env:NO|b}', '${other}', '${open']",
            &[],
            &[],
            r#"{"x":["/home/me/a","b","${other}","${open"]}"#,
        );
        let missing = r#"{"x":"${env:NO}"} | the configuration needs the environment variable `NO`, which is not set"#;
        check("x: '${env:NO}'", &[], &[], missing);
        check("{vars: {a: 1}, profiles: {p: {vars: {a: 2}}}, x: '${a}'}", &["p"], &[], r#"{"vars":{"a":2},"x":2}"#);
    }
}
