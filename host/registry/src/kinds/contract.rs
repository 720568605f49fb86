//! Contracts: interfaces, and the functions that implement them.

use serde_json::Value;

use super::ViewError;
use super::fields::{self, LIFECYCLE, Reader};
use crate::entry::Entry;
use crate::id::EntryId;
use crate::schema::{Field, Object, Target, Type, Unknown};

/// An interface.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// Who it is.
    pub id: EntryId,
    /// Its methods, in the order in which they are written.
    pub methods: Vec<ContractMethod>,
}

/// A method of an interface.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractMethod {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What its arguments must look like, one after the other: `{format, definition}`.
    pub input_schemas: Vec<Value>,
    /// What its results look like.
    pub output_schemas: Vec<Value>,
}

/// Implementations of one or more interfaces.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// Who it is.
    pub id: EntryId,
    /// What it implements.
    pub contracts: Vec<BoundContract>,
}

/// An interface with what implements it.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundContract {
    /// The interface.
    pub contract: EntryId,
    /// Whether it is the implementation for those who name none.
    pub default: bool,
    /// The function of each method, by the name of the method.
    pub methods: Vec<(String, EntryId)>,
    /// Context values without which it cannot be opened.
    pub context_required: Vec<String>,
}

impl Contract {
    /// Sees an entry as an interface.
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if entry.kind != "contract.definition" {
            return Err(reader.wrong_kind("a contract"));
        }
        let methods = fields::many(reader.get("methods")).iter().filter_map(ContractMethod::read);
        Ok(Self { id: entry.id.clone(), methods: methods.collect() })
    }

    /// Finds a method.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&ContractMethod> {
        self.methods.iter().find(|method| method.name == name)
    }
}

impl ContractMethod {
    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let list = |name: &str| fields::many(value.get(name)).to_vec();
        Some(Self {
            name: text("name")?,
            description: text("description").unwrap_or_default(),
            input_schemas: list("input_schemas"),
            output_schemas: list("output_schemas"),
        })
    }
}

impl Binding {
    /// Sees an entry as implementations.
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if entry.kind != "contract.binding" {
            return Err(reader.wrong_kind("an implementation of a contract"));
        }
        let contracts = fields::many(reader.get("contracts")).iter().filter_map(|value| BoundContract::read(value, entry));
        Ok(Self { id: entry.id.clone(), contracts: contracts.collect() })
    }
}

impl BoundContract {
    fn read(value: &Value, entry: &Entry) -> Option<Self> {
        let methods = value.get("methods").and_then(Value::as_object).into_iter().flatten();
        Some(Self {
            contract: fields::id(value.get("contract")?, entry)?,
            default: fields::bool(value.get("default"), false),
            methods: methods.filter_map(|(name, id)| Some((name.clone(), fields::id(id, entry)?))).collect(),
            context_required: fields::texts(value.get("context_required")),
        })
    }
}

static CONTRACT_TARGET: Target = Target { what: "a contract", kinds: &["contract.definition"] };

/// Whatever can be called.
static CALLABLE: Target =
    Target { what: "a function", kinds: &["function.*", "process.lua", "process.lua.bc", "process.wasm", "workflow.lua*"] };

pub(super) static CONTRACT: Object = Object {
    fields: &[
        Field::required("methods", Type::List(&Type::Object(&METHOD)), "write `methods:` and below it `- name: greet`"),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

static METHOD: Object = Object {
    fields: &[
        Field::required("name", Type::Text, "write `name: ...`, what the method is called"),
        Field::new("description", Type::Text),
        Field::new("input_schemas", Type::OneOrMany(&Type::Object(&SCHEMA))),
        Field::new("output_schemas", Type::OneOrMany(&Type::Object(&SCHEMA))),
    ],
    unknown: Unknown::Warned,
};

static SCHEMA: Object =
    Object { fields: &[Field::new("format", Type::Text), Field::new("definition", Type::Any)], unknown: Unknown::Warned };

pub(super) static BINDING: Object = Object {
    fields: &[
        Field::required("contracts", Type::List(&Type::Object(&BOUND)), "write `contracts:` and below it `- contract: name`"),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

static BOUND: Object = Object {
    fields: &[
        Field::required("contract", Type::Ref(&CONTRACT_TARGET), "write `contract: name`, the `contract.definition` entry"),
        Field::new("default", Type::Bool),
        Field::required("methods", Type::Map(&Type::Ref(&CALLABLE)), "write `methods:` and below it `greet: function`"),
        Field::new("context_required", Type::List(&Type::Text)),
    ],
    unknown: Unknown::Warned,
};
