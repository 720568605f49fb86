//! Runs processes: the process table, the scheduler, mailboxes, timers, names, links, monitors, channels, calls and services.
//!
//! Each process lives in an instance of `moonlet-sandbox`; what it may ask of its host stands in `imports`. The kernel parts
//! (`mailbox`, `relations`, `names`, `channels`, `supervision`) are synchronous state machines without clock or threads.

mod accounts;
mod arrival;
mod ceiling;
mod channels;
mod crash;
pub mod document;
mod environment;
mod errors;
mod events;
mod events_bus;
mod foreign;
mod functions;
mod handle;
mod handles;
mod host;
mod imports;
mod life;
mod mailbox;
mod meter;
mod module;
mod names;
mod node;
mod port;
mod process;
mod program;
mod relations;
mod reserve;
mod scheduler;
#[allow(dead_code, unused_imports, reason = "complete and tested; programs reach it step by step")]
mod security;
mod services;
mod shared;
mod spawn;
mod supervision;
mod table;
mod terms;
mod terms_cache;
mod timers;
mod trace;
mod upgrade;

pub use accounts::{Accounts, HostStats, ProcessStats};
pub use environment::Environment;
pub use events::EventStats;
pub use handle::{CallOptions, NodeHandle, Running};
pub use handles::kind_of;
pub use module::{
    Answer, Args, Bill, Compiler, Completer, Evaluation, Fault, Feed, FeedError, Freight, HostModule, Import, Job, Keeper,
    Manifest, ModuleCall, Prepared, Room, Spool, Ticket, image_manifest,
};
pub use module::{ByteSource, ByteStream, NextBytes, SCANNER_METHODS, STREAM_METHODS, error_text, invoke_stream};
pub use moonlet_sandbox::wit::Error;
pub use moonlet_sandbox::{SandboxConfig, wit};
pub use node::{Node, NodeConfig, NodeError, NodeStats, ProcessExit, ServiceInfo, Started};
pub use port::{Port, PortEvent};
pub use rmpv::Value;
pub use security::{Actor, Authority, Decision, Policy, Scope, check_policies};
pub use trace::{Attribute, Sampler, Span, SpanData, SpanKind, SpanSink, SpanSource, TraceContext, Tracing};
