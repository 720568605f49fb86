//! What stands around endpoints: a chain is entered from the outside in, and left the other way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use moonlet_registry::HttpMiddleware;
use moonlet_runtime::{Error, NodeHandle};

use crate::answer::Answer;
use crate::counters::Counters;
use crate::relay::{SseRelay, WebSocketRelay};
use crate::server::Context;

mod compress;
mod cors;
mod firewall;
mod options;
mod rate_limit;
mod real_ip;
mod sendfile;
mod token_auth;

pub(crate) use options::{Options, Origins};

/// What chains are made with.
pub(crate) struct Kit {
    node: NodeHandle,
    project: PathBuf,
    counters: Arc<Counters>,
}

impl Kit {
    pub(crate) fn new(node: NodeHandle, counters: Arc<Counters>) -> Result<Self, Error> {
        let project = node.project()?;
        Ok(Self { node, project, counters })
    }

    /// Returns where relative paths start.
    pub(crate) fn project(&self) -> &Path {
        &self.project
    }

    /// Makes a chain. The names were checked when the entries were loaded; what is not known does nothing.
    pub(crate) fn chain(&self, view: &HttpMiddleware) -> Chain {
        let options = Options::new(view);
        let make = |name: &String| {
            let one = match name.as_str() {
                "cors" => Middleware::Cors(cors::Cors::new(&options)),
                "ratelimit" => Middleware::RateLimit(rate_limit::RateLimit::new(&options)),
                "compress" => Middleware::Compress(compress::Compress::new(&options)),
                "real_ip" => Middleware::RealIp(real_ip::RealIp::new(&options)),
                "token_auth" => Middleware::TokenAuth(token_auth::TokenAuth::new(&options)),
                "metrics" => Middleware::Metrics(Arc::clone(&self.counters)),
                // Every request is traced where tracing is on, so that this name has nothing left to do.
                "otel" => return None,
                "sendfile" => Middleware::SendFile(sendfile::SendFile::new(&options, &self.node, &self.project)),
                "endpoint_firewall" => Middleware::Firewall(firewall::Firewall::endpoint(&options)),
                "resource_firewall" => Middleware::Firewall(firewall::Firewall::resource(&options)),
                "websocket_relay" => Middleware::WebSocket(WebSocketRelay::new(&options)),
                "sse_relay" => Middleware::Events(SseRelay::new(&options)),
                _ => return None,
            };
            Some(one)
        };
        Chain(view.names.iter().filter_map(make).collect())
    }
}

enum Middleware {
    Cors(cors::Cors),
    RateLimit(rate_limit::RateLimit),
    Compress(compress::Compress),
    RealIp(real_ip::RealIp),
    TokenAuth(token_auth::TokenAuth),
    /// Counts requests.
    Metrics(Arc<Counters>),
    SendFile(sendfile::SendFile),
    Firewall(firewall::Firewall),
    WebSocket(WebSocketRelay),
    Events(SseRelay),
}

/// Middleware in its order, the first one outermost.
pub(crate) struct Chain(Vec<Middleware>);

/// How far a request came into a chain.
pub(crate) struct Passed {
    /// How many let it pass; these see the answer.
    count: usize,
    answer: Option<Answer>,
}

impl Passed {
    /// Takes the answer that one of them gave itself.
    pub(crate) fn take_answer(&mut self) -> Option<Answer> {
        self.answer.take()
    }
}

impl Chain {
    /// Lets a request in.
    pub(crate) fn enter(&self, context: &mut Context) -> Passed {
        for (count, middleware) in self.0.iter().enumerate() {
            let answer = match middleware {
                Middleware::Cors(cors) => cors.before(context),
                Middleware::RateLimit(limit) => limit.before(context),
                Middleware::Firewall(firewall) => firewall.before(context),
                Middleware::RealIp(real_ip) => {
                    real_ip.before(context);
                    None
                }
                Middleware::TokenAuth(auth) => {
                    auth.before(context);
                    None
                }
                Middleware::Metrics(counters) => {
                    // Two of them in one chain count a request once.
                    if context.counted.is_none() {
                        context.counted = Some(counters.begin(context));
                    }
                    None
                }
                Middleware::Compress(_) | Middleware::SendFile(_) | Middleware::WebSocket(_) | Middleware::Events(_) => None,
            };
            if answer.is_some() {
                return Passed { count, answer };
            }
        }
        Passed { count: self.0.len(), answer: None }
    }

    /// Lets an answer out.
    pub(crate) async fn leave(&self, passed: Passed, context: &mut Context, mut answer: Answer) -> Answer {
        let count = passed.count;
        // What a chain answered itself was taken; a body must not be held across a wait.
        drop(passed);
        for middleware in self.0.iter().take(count).rev() {
            answer = match middleware {
                Middleware::Cors(cors) => cors.after(context, answer),
                Middleware::Compress(compress) => compress.after(context, answer),
                Middleware::SendFile(files) => files.after(context, answer).await,
                Middleware::WebSocket(relay) => relay.after(context, answer),
                Middleware::Events(relay) => relay.after(context, answer),
                Middleware::Metrics(_) => {
                    if let Some(counted) = context.counted.take() {
                        counted.end(answer.status());
                    }
                    answer
                }
                Middleware::RateLimit(_) | Middleware::Firewall(_) | Middleware::RealIp(_) | Middleware::TokenAuth(_) => answer,
            };
        }
        answer
    }
}
