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

/// The fields of an `allow` map.
pub(crate) static ALLOW: Object = Object {
    fields: &[
        Field::new("modules", Type::OneOrMany(&Type::Text)),
        Field::new("namespaces", Type::OneOrMany(&Type::Text)),
        Field::new("network", Type::OneOrMany(&Type::Text)),
    ],
    unknown: Unknown::Refused,
};
