//! The kinds of entries: which there are, what each is for, which fields it has, and typed views of the ones that run.
//!
//! Tables say what is valid (`schema` walks them); a view reads what the tables have accepted.

use crate::schema::Object;

mod cloud;
mod contract;
mod data;
mod database;
mod environment;
mod fields;
mod groups;
mod host;
mod http;
mod lua;
mod network;
mod security;
mod service;
mod store;
mod supervisor;
mod table;
mod template;
mod volume;
mod wasm;

pub use contract::{Binding, BoundContract, Contract, ContractMethod};
pub use environment::{Storage, StorageForm, Variable};
pub use groups::GroupScope;
pub use host::{HostForm, ProcessHost};
pub use http::{HTTP_METHODS, HttpEndpoint, HttpMiddleware, HttpRouter, HttpService, HttpStatic, HttpTls};
pub use lua::{Command, LuaEntry, LuaForm, Pool, PoolType, Retry};
pub(crate) use lua::{METHOD_HELP, imports};
pub use security::{Condition, Effect, Operand, Policy, PolicyRule, TokenStore};
pub use service::{Lifecycle, Restart, Service, ServiceSecurity, Startup};
pub use store::MemoryStore;
pub use supervisor::{Child, ChildRestart, ChildTarget, Intensity, Strategy, Supervisor};
pub use table::{all_kinds, kind};
pub use volume::VolumeFolder;
pub(crate) use wasm::component_file;
pub use wasm::{WasiFields, WasiMount, WasiVariable, WasmEntry, WasmForm};

/// What is known about a kind of entries.
#[derive(Debug)]
pub struct Kind {
    /// Its name, such as `process.lua`.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub purpose: &'static str,
    /// Whether this build gives it its meaning.
    pub support: Support,
    /// The fields of the data; absent where they are not checked.
    pub(crate) data: Option<&'static Object>,
    /// The known fields of meta.
    pub(crate) meta: Option<&'static Object>,
}

/// Whether this build gives a kind its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Yes.
    Built,
    /// No: the named feature is missing. Such entries load and do nothing, so that the rest of an application runs.
    Missing(&'static str),
}

/// Why an entry cannot be seen as some kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// The entry is of another kind.
    #[error("`{id}` is of kind `{kind}` and not {expected}")]
    Kind {
        /// The entry.
        id: String,
        /// Its kind.
        kind: String,
        /// What was asked for.
        expected: &'static str,
    },
    /// A field is missing or malformed; entries in a registry were checked, so that this means an unchecked one.
    #[error("`{id}` has no valid `{field}`")]
    Field {
        /// The entry.
        id: String,
        /// The field.
        field: &'static str,
    },
}
