//! Entries: what an application consists of, where it was written down, and how it changes while it runs.
//!
//! [`load`] reads a project directory into a [`Registry`], or gives one [`Report`] of everything that is wrong with it.
//! A [`Snapshot`] is the registry at one version; typed views such as [`LuaEntry`], [`ProcessHost`] and [`Service`] say
//! what an entry means. The crate runs nothing, prints nothing, and is neither async nor aware of Wasm: it knows what was
//! written, the runtime knows what happens.
//!
//! # Examples
//!
//! ```no_run
//! use moonlet_registry::{LoadOptions, LuaEntry, load};
//!
//! match load(std::path::Path::new("."), &LoadOptions::default()) {
//!     Ok(loaded) => {
//!         for entry in loaded.registry.snapshot().of_kind("process.lua") {
//!             let process = LuaEntry::new(entry)?;
//!             assert!(!process.source.is_empty());
//!         }
//!     }
//!     Err(report) => assert!(report.errors() > 0),
//! }
//! # Ok::<(), moonlet_registry::ViewError>(())
//! ```

mod check;
mod entry;
mod id;
mod inline;
mod kinds;
mod limits;
mod load;
mod modules;
mod order;
mod overrides;
mod path;
mod pattern;
mod query;
mod report;
mod requirements;
mod schema;
mod source;
mod state;
mod suggest;
mod types;
mod units;

pub use entry::{Entry, EntrySpans, Origin, SourceFile};
pub use id::{EntryId, IdError, MAX_ID_BYTES, Namespace};
pub use kinds::{
    Binding, BoundContract, Child, ChildRestart, ChildTarget, Command, Condition, Contract, ContractMethod, Effect, GroupScope,
    HostForm, Intensity, Kind, Lifecycle, LuaEntry, LuaForm, MemoryStore, Operand, Policy, PolicyRule, Pool, PoolType,
    ProcessHost, Restart, Retry, Service, ServiceSecurity, Startup, Storage, StorageForm, Strategy, Supervisor, Support,
    TokenStore, Variable, ViewError, VolumeFolder, WasiFields, WasiMount, WasiVariable, WasmEntry, WasmForm, all_kinds, kind,
};
pub use kinds::{HTTP_METHODS, HttpEndpoint, HttpMiddleware, HttpRouter, HttpService, HttpStatic, HttpTls};
pub use limits::{Allow, Limits, Quota, split_target};
pub use load::{LoadOptions, Loaded, load};
pub use modules::{ModuleCatalog, ModuleSupport, is_always_there};
pub use moonlet_language::diagnostic::Diagnostic;
pub use order::{StartOrder, start_order};
pub use overrides::{Override, OverrideError};
pub use path::{FieldPath, Segment, Spans};
pub use pattern::{Glob, PatternError};
pub use query::{Filter, FilterError};
pub use report::{MAX_DIAGNOSTICS, Report};
pub use source::{Config, ConfigLayers, Disabled, HistoryPlace, Project};
pub use state::{
    Applied, Change, ChangeError, ChangeKind, ChangeSet, History, HistoryError, Kept, MAX_ENTRIES, MAX_REGISTRY_BYTES,
    MemoryHistory, Operation, Registry, Review, Snapshot, Version, VersionRecord, Watcher, delta,
};
pub use suggest::nearest;
pub use types::check_types;
pub use units::{DurationError, Size, SizeError, format_duration, parse_duration};
