//! Host modules: capabilities that Lua gets by `require`, one folder each, all behind `moonlet_runtime::HostModule`.
//!
//! To add one: write a type that implements the trait, and give it to `Node::new` where the command line makes its node.

use std::sync::Arc;

use moonlet_runtime::HostModule;

mod archive;
mod base64;
mod calendar;
mod classes;
mod cloudstorage;
mod compress;
mod contract;
mod crypto;
mod deep;
mod env;
mod eval_runner;
mod events;
mod excel;
mod exec;
mod expr;
mod fail;
mod fs;
mod heavy;
mod history;
mod html;
mod http_client;
mod json;
mod metrics;
mod pg;
mod queue;
mod recent;
mod registry;
mod security;
mod sql;
pub mod store;
mod stream;
mod system;
mod templates;
mod terminal;
mod text;
mod websocket;
mod xml;
mod yaml;
mod zones;

pub use env::EnvModule;
pub use exec::Exec;
pub use fs::Files;
pub use history::{Chronicle, SqliteHistory};
pub use security::SecurityModule;
pub use sql::{Databases, Sql};
pub use system::{Quit, System};
pub use terminal::{Terminal, Tty};

/// The modules that show and change what the node itself consists of, by name.
pub const CORE: &[&str] = &["contract", "eval_runner", "events", "pg", "registry"];

/// Makes the modules that show and change what the node itself consists of.
#[must_use]
pub fn core() -> Vec<Arc<dyn HostModule>> {
    vec![
        Arc::new(contract::Contracts),
        Arc::new(eval_runner::EvalRunner),
        Arc::new(events::Events),
        Arc::<pg::Groups>::default(),
        Arc::<registry::RegistryModule>::default(),
        Arc::new(zones::Zones),
    ]
}

/// The modules that hold data, by name.
pub const DATA: &[&str] = &["sql", "fs", "archive", "cloudstorage", "exec", "queue"];

/// Makes the modules that hold data: databases, files, buckets and queues.
#[must_use]
pub fn data(databases: &Arc<Databases>) -> Vec<Arc<dyn HostModule>> {
    vec![
        Arc::new(Sql::new(Arc::clone(databases))),
        Arc::new(Files::default()),
        Arc::new(archive::Archives),
        Arc::new(cloudstorage::CloudStorage),
        Arc::new(Exec::default()),
        Arc::<queue::QueueModule>::default(),
    ]
}

/// The modules that talk to other servers, by name.
pub const NETWORK: &[&str] = &["http_client", "websocket"];

/// Makes the modules that talk to other servers.
#[must_use]
pub fn network() -> Vec<Arc<dyn HostModule>> {
    vec![Arc::new(http_client::HttpClient::new()), Arc::new(websocket::WebSockets)]
}

/// The modules that only compute, by name.
pub const COMPUTING: &[&str] = &["compress", "crypto", "excel", "expr", "html", "metrics", "templates", "text", "yaml"];

/// Makes the modules that only compute: they guard nothing and hold nothing.
#[must_use]
pub fn computing() -> Vec<Arc<dyn HostModule>> {
    vec![
        Arc::new(compress::Compress),
        Arc::new(crypto::Crypto),
        Arc::new(excel::Excel),
        Arc::new(expr::Expr),
        Arc::new(html::Html),
        Arc::<metrics::Metrics>::default(),
        Arc::new(templates::Templates),
        Arc::new(text::Text),
        Arc::new(yaml::Yaml),
    ]
}
