//! The table of all kinds: those of this build, and those that applications of the reference use.
//!
//! A kind that gets built moves from `Missing` to `Built` here; that is all the loader needs to know.

use super::cloud::{AWS, BUCKET};
use super::contract::{BINDING, CONTRACT};
use super::data::{COMMANDS, CONSUMER, FILE_DRIVER, FILE_STORE, MEMORY_DRIVER, QUEUE, SQL_STORE};
use super::database::{SQL_SERVER, SQLITE};
use super::environment::{FILE_STORAGE, NO_FIELDS, ROUTER_STORAGE, STATIC_STORAGE, VARIABLE};
use super::fields::RUN_META;
use super::groups::GROUP_SCOPE;
use super::host::{POOL_HOST, TERMINAL_HOST};
use super::http::{HTTP_ENDPOINT, HTTP_ROUTER, HTTP_SERVICE, HTTP_STATIC, IN_ROUTER, IN_SERVER};
use super::lua::{LIBRARY, RUNNABLE};
use super::network::SOCKS5;
use super::security::{EXPRESSION_POLICY_ENTRY, POLICY_ENTRY, TOKEN_STORE};
use super::service::SERVICE;
use super::store::MEMORY_STORE;
use super::supervisor::SUPERVISOR;
use super::template::{TEMPLATE, TEMPLATE_SET};
use super::volume::{DIRECTORY, EMBEDDED};
use super::wasm::{COMPONENT, TEXT};
use super::{Kind, Support};
use crate::schema::Object;

const fn built(name: &'static str, purpose: &'static str, data: &'static Object) -> Kind {
    Kind { name, purpose, support: Support::Built, data: Some(data), meta: None }
}

/// A kind whose entries run: its meta names commands, hosts and retries.
const fn code(name: &'static str, purpose: &'static str, data: &'static Object) -> Kind {
    Kind { name, purpose, support: Support::Built, data: Some(data), meta: Some(&RUN_META) }
}

/// A kind whose meta names what its entries belong to.
const fn part(name: &'static str, purpose: &'static str, data: &'static Object, meta: &'static Object) -> Kind {
    Kind { name, purpose, support: Support::Built, data: Some(data), meta: Some(meta) }
}

/// A kind that only holds data.
const fn free(name: &'static str, purpose: &'static str) -> Kind {
    Kind { name, purpose, support: Support::Built, data: None, meta: None }
}

const fn missing(name: &'static str, purpose: &'static str, feature: &'static str) -> Kind {
    Kind { name, purpose, support: Support::Missing(feature), data: None, meta: None }
}

const CLUSTER: &str = "clustering";
const OVERLAYS: &str = "network overlays";
const TEMPORAL: &str = "Temporal workflows";
const BYTECODE: &str = "precompiled Lua";

static KINDS: &[Kind] = &[
    code("function.lua", "a Lua function", &RUNNABLE),
    code("process.lua", "a Lua process", &RUNNABLE),
    built("library.lua", "Lua code that other code imports", &LIBRARY),
    code("process.wasm", "a process as a WebAssembly component", &COMPONENT),
    code("function.wasm", "a function as a WebAssembly component", &COMPONENT),
    code("function.wat", "a function as WebAssembly text", &TEXT),
    missing("module.lua", "the surface of a Lua module", "module surfaces"),
    missing("workflow.lua", "a durable Lua workflow", TEMPORAL),
    missing("function.lua.bc", "a precompiled Lua function", BYTECODE),
    missing("process.lua.bc", "a precompiled Lua process", BYTECODE),
    missing("library.lua.bc", "a precompiled Lua library", BYTECODE),
    missing("workflow.lua.bc", "a precompiled Lua workflow", BYTECODE),
    built("process.host", "a pool that runs processes", &POOL_HOST),
    built("process.service", "a supervised process", &SERVICE),
    built("process.supervisor", "a tree of supervised processes", &SUPERVISOR),
    built("terminal.host", "runs one process with the terminal", &TERMINAL_HOST),
    free("registry.entry", "free data"),
    free("ns.definition", "a description of a module"),
    free("ns.dependency", "a module that the application needs"),
    free("ns.requirement", "a value that a module needs from its application"),
    built("env.variable", "a variable", &VARIABLE),
    built("env.storage.memory", "variables in memory", &NO_FIELDS),
    built("env.storage.file", "variables in a file", &FILE_STORAGE),
    built("env.storage.os", "variables of the operating system", &NO_FIELDS),
    built("env.storage.static", "fixed variables", &STATIC_STORAGE),
    built("env.storage.router", "variables in several storages", &ROUTER_STORAGE),
    built("store.memory", "a store in memory", &MEMORY_STORE),
    built("store.sql", "a store in a database", &SQL_STORE),
    built("store.redb", "a store in a file", &FILE_STORE),
    missing("store.kv.raft", "a replicated store", CLUSTER),
    missing("store.kv.crdt", "a replicated store", CLUSTER),
    built("security.policy", "a policy with conditions", &POLICY_ENTRY),
    built("security.policy.expr", "a policy with an expression", &EXPRESSION_POLICY_ENTRY),
    built("security.token_store", "a store of tokens", &TOKEN_STORE),
    built("contract.definition", "an interface", &CONTRACT),
    built("contract.binding", "an implementation of an interface", &BINDING),
    built("http.service", "an HTTP server", &HTTP_SERVICE),
    part("http.router", "a group of routes", &HTTP_ROUTER, &IN_SERVER),
    part("http.endpoint", "a route", &HTTP_ENDPOINT, &IN_ROUTER),
    part("http.static", "files over HTTP", &HTTP_STATIC, &IN_SERVER),
    built("queue.driver.memory", "a queue driver in memory", &MEMORY_DRIVER),
    built("queue.driver.redb", "a queue driver in a file", &FILE_DRIVER),
    missing("queue.driver.amqp", "a queue driver over AMQP", "queues over AMQP"),
    missing("queue.driver.sqs", "a queue driver over SQS", "queues over SQS"),
    built("queue.queue", "a queue", &QUEUE),
    built("queue.consumer", "a consumer of a queue", &CONSUMER),
    built("db.sql.sqlite", "a SQLite database", &SQLITE),
    built("db.sql.postgres", "a Postgres database", &SQL_SERVER),
    built("db.sql.mysql", "a MySQL database", &SQL_SERVER),
    missing("db.sql.mssql", "a SQL Server database", "databases of SQL Server"),
    missing("db.cdc.postgres", "changes of a Postgres database", "change data capture"),
    built("fs.directory", "a directory", &DIRECTORY),
    built("fs.embed", "files of the project, to read only", &EMBEDDED),
    built("template.set", "a set of templates", &TEMPLATE_SET),
    built("template.jet", "a template", &TEMPLATE),
    built("exec.native", "commands of the operating system", &COMMANDS),
    missing("exec.docker", "commands in containers", "containers"),
    built("config.aws", "access to AWS", &AWS),
    built("cloudstorage.s3", "a bucket of objects", &BUCKET),
    built("pg.scope", "a scope of process groups", &GROUP_SCOPE),
    missing("network", "a network overlay", OVERLAYS),
    built("network.socks5", "a SOCKS5 proxy that traffic goes through", &SOCKS5),
    missing("network.i2p", "an I2P overlay", OVERLAYS),
    missing("network.tailscale", "a Tailscale overlay", OVERLAYS),
    missing("temporal.client", "a connection to Temporal", TEMPORAL),
    missing("temporal.worker", "runs Temporal workflows", TEMPORAL),
];

/// Lists all kinds that are known.
#[must_use]
pub fn all_kinds() -> &'static [Kind] {
    KINDS
}

/// Finds what is known about a kind.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
