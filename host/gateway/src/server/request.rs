//! The way of one request: routes, middleware, and what answers.

use std::net::SocketAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use moonlet_runtime::{Authority, NodeHandle, Span, TraceContext};

use super::{Server, access, call, trace};
use crate::answer::{self, Answer};
use crate::counters::Counted;
use crate::routes::{Route, Target};

/// One request as middleware sees it.
pub(crate) struct Context {
    pub(crate) server: Arc<Server>,
    pub(crate) parts: Arc<Parts>,
    /// The other end of the connection.
    pub(crate) peer: SocketAddr,
    /// Where the request comes from, as far as it can be trusted.
    pub(crate) remote: String,
    /// As whom it acts.
    pub(crate) authority: Option<Arc<Authority>>,
    /// The endpoint, once it is known.
    pub(crate) route: Option<Arc<Route>>,
    /// The pattern of the endpoint or of the files; none for what is nowhere. A path would be too many different things.
    pub(crate) pattern: Option<Arc<str>>,
    /// The trace that it is part of.
    pub(crate) trace: Option<Arc<TraceContext>>,
    /// Counts it while it goes on.
    pub(crate) counted: Option<Counted>,
    /// Acts in the name of the function that was called; none before, and where none is.
    pub(crate) acting: Option<NodeHandle>,
    /// The connection itself, for those that go over to another protocol.
    pub(crate) upgrade: Option<OnUpgrade>,
    /// When it came.
    pub(crate) start: std::time::Instant,
}

impl Context {
    /// Returns a header as text; nothing when it is none.
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Answers a request.
pub(crate) async fn answer(server: &Arc<Server>, mut request: Request<Incoming>, peer: SocketAddr) -> Answer {
    let upgrade = request.headers().contains_key(header::UPGRADE).then(|| hyper::upgrade::on(&mut request));
    let (parts, body) = request.into_parts();
    let table = server.table.load_full();
    let target = table.find(parts.method.as_str(), parts.uri.path());
    let trace = trace::incoming(server, &parts);
    let span = trace::begin(server, &parts, &target, trace.as_deref());
    let mut context = Context {
        server: Arc::clone(server),
        parts: Arc::new(parts),
        peer,
        remote: peer.to_string(),
        authority: server.authority.load_full(),
        route: None,
        pattern: None,
        trace: span.as_ref().map(Span::context).or(trace),
        counted: None,
        acting: None,
        upgrade,
        start: std::time::Instant::now(),
    };
    let answer = respond(&mut context, target, body).await;
    access::log(&context, &answer);
    trace::end(span, &context, &answer);
    answer
}

async fn respond(context: &mut Context, target: Target, body: Incoming) -> Answer {
    match target {
        Target::Route(route, params) => {
            let router = Arc::clone(&route.router);
            context.pattern = Some(Arc::clone(&route.pattern));
            context.route = Some(Arc::clone(&route));
            let mut passed = router.before.enter(context);
            let answer = match passed.take_answer() {
                Some(answer) => answer,
                None => {
                    let mut inner = router.after.enter(context);
                    let answer = match inner.take_answer() {
                        Some(answer) => answer,
                        None => match oversized(context) {
                            Some(answer) => answer,
                            None => call::call(context, route, params, body).await,
                        },
                    };
                    router.after.leave(inner, context, answer).await
                }
            };
            router.before.leave(passed, context, answer).await
        }
        Target::NotAllowed(router, allowed) => {
            let mut passed = router.before.enter(context);
            let answer = passed.take_answer().unwrap_or_else(|| answer::method_not_allowed(&allowed));
            router.before.leave(passed, context, answer).await
        }
        Target::Files(mount, path) => {
            context.pattern = Some(Arc::clone(&mount.pattern));
            let mut passed = mount.before.enter(context);
            let answer = match passed.take_answer() {
                Some(answer) => answer,
                None => mount.files.answer(context, path).await,
            };
            mount.before.leave(passed, context, answer).await
        }
        Target::Nowhere(None) => answer::not_found(),
        Target::Nowhere(Some(router)) => {
            let mut passed = router.before.enter(context);
            let answer = passed.take_answer().unwrap_or_else(answer::not_found);
            router.before.leave(passed, context, answer).await
        }
    }
}

/// Refuses a body whose size is known to be too large before anything runs for it.
fn oversized(context: &Context) -> Option<Answer> {
    let length: u64 = context.header(header::CONTENT_LENGTH)?.parse().ok()?;
    let most = context.server.view.max_body;
    (length > most).then(|| answer::problem(StatusCode::PAYLOAD_TOO_LARGE, &format!("a body may have at most {most} bytes")))
}
