//! Environment: variables and the storages that hold their values.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::ViewError;
use super::fields::{self, Reader};
use crate::entry::Entry;
use crate::id::EntryId;
use crate::schema::{Field, Object, Target, Type, Unknown};

/// A place that holds values of variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// Who it is.
    pub id: EntryId,
    /// How it holds them.
    pub form: StorageForm,
}

/// How a storage holds values.
#[derive(Debug, Clone, PartialEq)]
pub enum StorageForm {
    /// In memory, lost at exit.
    Memory,
    /// In a file of `KEY=VALUE` lines.
    File {
        /// The file; a relative path starts at the project directory.
        path: PathBuf,
        /// Whether a missing file is made.
        auto_create: bool,
        /// The permissions of a file that is made.
        file_mode: u32,
        /// The permissions of directories that are made.
        dir_mode: u32,
    },
    /// In the environment of the node; read only.
    Os,
    /// In the entry; read only.
    Static(BTreeMap<String, String>),
    /// In other storages, asked in order; writes go to the first.
    Router(Vec<EntryId>),
}

impl Storage {
    /// Sees an entry as a storage.
    ///
    /// # Errors
    /// When it is of another kind, or was never checked and lacks its path.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        let form = match entry.kind.as_str() {
            "env.storage.memory" => StorageForm::Memory,
            "env.storage.os" => StorageForm::Os,
            "env.storage.file" => StorageForm::File {
                path: reader.text("file_path")?.into(),
                auto_create: fields::bool(reader.get("auto_create"), false),
                file_mode: mode(reader.get("file_mode"), 0o644),
                dir_mode: mode(reader.get("dir_mode"), 0o755),
            },
            "env.storage.static" => StorageForm::Static(values(reader.get("values"))),
            "env.storage.router" => StorageForm::Router(fields::ids(reader.get("storages"), entry)),
            _ => return Err(reader.wrong_kind("a storage of variables")),
        };
        Ok(Self { id: entry.id.clone(), form })
    }
}

fn values(value: Option<&Value>) -> BTreeMap<String, String> {
    let pairs = value.and_then(Value::as_object).into_iter().flatten();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    pairs.map(|(name, value)| (name.clone(), text(value))).collect()
}

/// Reads permissions, which YAML gives as a number and people quote as `"0755"`.
fn mode(value: Option<&Value>, default: u32) -> u32 {
    match value {
        Some(Value::Number(number)) => number.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(default),
        Some(Value::String(text)) => u32::from_str_radix(text.trim_start_matches("0o"), 8).unwrap_or(default),
        _ => default,
    }
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Who it is.
    pub id: EntryId,
    /// Its public name; absent: it is found by its id alone.
    pub variable: Option<String>,
    /// Where its value is; absent: it has its default only.
    pub storage: Option<EntryId>,
    /// Its value where the storage has none.
    pub default: Option<String>,
    /// Whether it cannot be changed.
    pub readonly: bool,
}

impl Variable {
    /// Sees an entry as a variable.
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if entry.kind != "env.variable" {
            return Err(reader.wrong_kind("a variable"));
        }
        let default = reader.get("default").map(|value| match value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        });
        Ok(Self {
            id: entry.id.clone(),
            variable: reader.optional_text("variable"),
            storage: reader.id("storage").ok(),
            default,
            readonly: fields::bool(reader.get("readonly").or(reader.get("read_only")), false),
        })
    }
}

static STORAGE: Target = Target { what: "a storage of variables", kinds: &["env.storage.*"] };

pub(super) static NO_FIELDS: Object = Object { fields: &[], unknown: Unknown::Warned };

pub(super) static FILE_STORAGE: Object = Object {
    fields: &[
        Field::required("file_path", Type::Text, "write `file_path: .env`"),
        Field::new("auto_create", Type::Bool),
        Field::new("file_mode", Type::Scalar),
        Field::new("dir_mode", Type::Scalar),
    ],
    unknown: Unknown::Warned,
};

pub(super) static STATIC_STORAGE: Object =
    Object { fields: &[Field::new("values", Type::Map(&Type::Scalar))], unknown: Unknown::Warned };

pub(super) static ROUTER_STORAGE: Object = Object {
    fields: &[Field::required(
        "storages",
        Type::List(&Type::Ref(&STORAGE)),
        "write `storages: [name]`, the storages to ask in order",
    )],
    unknown: Unknown::Warned,
};

pub(super) static VARIABLE: Object = Object {
    fields: &[
        Field::new("variable", Type::Text),
        // A module may leave it to its application, which need not care.
        Field::new("storage", Type::Ref(&STORAGE)),
        Field::new("default", Type::Scalar),
        Field::new("readonly", Type::Bool),
        Field::new("read_only", Type::Bool),
    ],
    unknown: Unknown::Warned,
};
