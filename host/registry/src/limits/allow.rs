//! The ceiling of capabilities for whatever runs on a process host.

use serde_json::Value;

use crate::pattern::Glob;
use crate::schema::{Field, Object, Type, Unknown};

/// What whatever runs on a process host may reach at most; an absent list does not bound.
///
/// An empty list bounds everything. Neither an entry nor an actor nor a policy can exceed it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allow {
    /// Modules that may be used, by name; `*` stands for all.
    pub modules: Option<Vec<String>>,
    /// Namespaces whose entries may be spawned, called and sent to, such as `app` or `app.**`.
    pub namespaces: Option<Vec<String>>,
    /// Network targets, such as `api.example.com:443` or `*.example.com`.
    pub network: Option<Vec<String>>,
}

impl Allow {
    /// Tells whether a module may be used.
    #[must_use]
    pub fn module(&self, name: &str) -> bool {
        self.modules.as_ref().is_none_or(|modules| modules.iter().any(|module| module == "*" || module == name))
    }

    /// Tells whether entries of a namespace may be spawned, called and sent to.
    #[must_use]
    pub fn namespace(&self, name: &str) -> bool {
        self.namespaces.as_ref().is_none_or(|namespaces| {
            namespaces.iter().any(|pattern| pattern == "*" || Glob::new(pattern).is_ok_and(|glob| glob.matches(name)))
        })
    }

    /// Tells whether it bounds anything.
    #[must_use]
    pub fn bounds(&self) -> bool {
        self.modules.is_some() || self.namespaces.is_some() || self.network.is_some()
    }

    /// Gives what both allow.
    ///
    /// Of two patterns the narrower one stays where the other covers it. Patterns that only overlap, such as `app.*` and `*.web`, allow
    /// nothing together.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        Self {
            modules: meet(&self.modules, &other.modules),
            namespaces: meet(&self.namespaces, &other.namespaces),
            network: meet(&self.network, &other.network),
        }
    }

    pub(crate) fn read(value: Option<&Value>) -> Self {
        let list = |name: &str| {
            let texts = match value?.get(name)? {
                Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                Value::String(text) => vec![text.clone()],
                _ => Vec::new(),
            };
            Some(texts)
        };
        Self { modules: list("modules"), namespaces: list("namespaces"), network: list("network") }
    }
}

/// Gives what stands in both lists, or in one and is covered by a pattern of the other.
fn meet(one: &Option<Vec<String>>, other: &Option<Vec<String>>) -> Option<Vec<String>> {
    let (Some(first), Some(second)) = (one, other) else { return one.as_ref().or(other.as_ref()).cloned() };
    let covered = |text: &String, by: &[String]| {
        by.iter().any(|pattern| {
            pattern == "*"
                || pattern == text
                || Glob::new(pattern).is_ok_and(|glob| Glob::is_pattern(pattern) && glob.matches(text))
        })
    };
    let mut both: Vec<String> = first.iter().filter(|text| covered(text, second)).cloned().collect();
    both.extend(second.iter().filter(|text| covered(text, first)).cloned());
    both.sort();
    both.dedup();
    Some(both)
}

/// The fields of an `allow` map.
pub(crate) static ALLOW: Object = Object {
    fields: &[
        Field::new("modules", Type::OneOrMany(&Type::Text)),
        Field::new("namespaces", Type::OneOrMany(&Type::Text)),
        Field::new("network", Type::OneOrMany(&Type::Text)),
    ],
    unknown: Unknown::Refused,
};

/// Cuts a pattern of `allow.network`, such as `api.example.com:443`, `*.example.com` or `[::1]:80`, into name and port.
#[must_use]
pub fn split_target(pattern: &str) -> (&str, Option<&str>) {
    if let Some(rest) = pattern.strip_prefix('[') {
        return rest.split_once(']').map_or((rest, None), |(name, port)| (name, port.strip_prefix(':')));
    }
    match pattern.rsplit_once(':') {
        // More than one colon is an address without brackets.
        Some((name, _)) if name.contains(':') => (pattern, None),
        Some((name, port)) => (name, Some(port)),
        None => (pattern, None),
    }
}

#[cfg(test)]
mod tests {
    use super::Allow;

    fn list(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn two_ceilings_allow_what_both_do() {
        let tenant = Allow { modules: list(&["json", "time"]), namespaces: list(&["app.*"]), network: None };
        let host = Allow { modules: list(&["*"]), namespaces: list(&["app.one", "lib"]), network: list(&[]) };
        let both = tenant.meet(&host);
        assert_eq!(both, Allow { modules: list(&["json", "time"]), namespaces: list(&["app.one"]), network: list(&[]) });
        assert_eq!(both, host.meet(&tenant));
        assert!(both.bounds() && !Allow::default().bounds());
        assert_eq!(Allow::default().meet(&tenant), tenant);
        assert_eq!(tenant.meet(&tenant), tenant);
    }
}
