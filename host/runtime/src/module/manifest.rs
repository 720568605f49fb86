//! What a module consists of, as the guest reads it.

use rmpv::Value;

/// Builds the description of a module.
///
/// ```
/// # use moonlet_runtime::Manifest;
/// let manifest = Manifest::new().functions(&["get"]).constant("LIMIT", 3).resource("Store", &["get", "set"]).build();
/// ```
#[derive(Debug, Default)]
pub struct Manifest {
    functions: Vec<Value>,
    constants: Vec<(Value, Value)>,
    resources: Vec<(Value, Value)>,
}

impl Manifest {
    /// A module without anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds functions.
    #[must_use]
    pub fn functions(mut self, names: &[&str]) -> Self {
        self.functions.extend(names.iter().map(|name| Value::from(*name)));
        self
    }

    /// Adds a constant, which may be a table.
    #[must_use]
    pub fn constant(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.constants.push((name.into(), value.into()));
        self
    }

    /// Adds a type of resources with its methods. What the process no longer refers to is given back by itself.
    #[must_use]
    pub fn resource(mut self, kind: &str, methods: &[&str]) -> Self {
        let methods = methods.iter().chain(&["__gc"]).map(|name| Value::from(*name)).collect();
        self.resources.push((kind.into(), Value::Array(methods)));
        self
    }

    /// Adds a type of resources that the module names itself and that stand for nothing that could be given back.
    #[must_use]
    pub fn mark(mut self, kind: &str) -> Self {
        self.resources.push((kind.into(), Value::Array(Vec::new())));
        self
    }

    /// Gives the description.
    #[must_use]
    pub fn build(self) -> Value {
        Value::Map(vec![
            ("functions".into(), Value::Array(self.functions)),
            ("constants".into(), Value::Map(self.constants)),
            ("resources".into(), Value::Map(self.resources)),
        ])
    }
}
