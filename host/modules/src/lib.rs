//! Host modules: capabilities that Lua gets by `require`, one folder each, all behind `moonlet_runtime::HostModule`.
//!
//! To add one: write a type that implements the trait, and give it to `Node::new` where the command line makes its node.

use std::sync::Arc;

use moonlet_runtime::HostModule;

mod contract;
mod events;
mod fail;
mod registry;
mod sql;
pub mod store;
mod terminal;
mod zones;

pub use sql::{Databases, Sql};
pub use terminal::Terminal;

/// The modules that show and change what the node itself consists of, by name.
pub const CORE: &[&str] = &["contract", "events", "registry"];

/// Makes the modules that show and change what the node itself consists of.
#[must_use]
pub fn core() -> Vec<Arc<dyn HostModule>> {
    vec![
        Arc::new(contract::Contracts),
        Arc::new(events::Events),
        Arc::<registry::RegistryModule>::default(),
        Arc::new(zones::Zones),
    ]
}

/// The modules that hold data, by name.
pub const DATA: &[&str] = &["sql"];

/// Makes the modules that hold data: databases, files and queues.
#[must_use]
pub fn data(databases: &Arc<Databases>) -> Vec<Arc<dyn HostModule>> {
    vec![Arc::new(Sql::new(Arc::clone(databases)))]
}
