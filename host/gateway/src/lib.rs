//! The HTTP server: listens for `http.service`, finds the endpoint of a request, and calls its function.
//!
//! Each request is one call: a fresh process on the host of its function, which reads the request and writes the answer through module
//! `http`. What a client can choose (sizes, times, numbers) is bounded here; what the function may do is for the runtime.
//!
//! ```text
//! gateway   the module `http`: starts, rebuilds and stops the servers
//! server    one listener and its connections
//! routes    which endpoint a request goes to
//! exchange  one request and its answer, shared with the process that works on it
//! module    what Lua sees of it
//! middleware, relay, files   what stands around, behind or in the place of an endpoint
//! counters  how many requests there were, and how they went
//! ```

mod answer;
mod body;
mod counters;
mod exchange;
mod files;
mod gateway;
mod json;
mod middleware;
mod module;
mod query;
mod relay;
mod routes;
mod server;

pub use gateway::Gateway;
