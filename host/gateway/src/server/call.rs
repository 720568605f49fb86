//! The call of an endpoint's function, and its answer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Response, StatusCode};
use hyper::body::Incoming;
use moonlet_runtime::{CallOptions, Error, Value};

use super::Context;
use crate::answer::{self, Answer};
use crate::body::Body;
use crate::exchange::{Exchange, Head};
use crate::routes::{Params, Route};

type Call = Pin<Box<dyn Future<Output = Result<Vec<Value>, Error>> + Send>>;

/// Calls the function of a route. Dropping the future, as a disconnect does, ends the call.
pub(super) async fn call(context: &mut Context, route: Arc<Route>, params: Params, body: Incoming) -> Answer {
    let server = Arc::clone(&context.server);
    let parts = Arc::clone(&context.parts);
    let (remote, view) = (context.remote.clone(), &server.view);
    let (exchange, mut head) = Exchange::new(parts, body, params, remote, view.max_body, view.read_timeout);
    let exchange = Arc::new(exchange);
    let attachment: Arc<dyn std::any::Any + Send + Sync> = Arc::<Exchange>::clone(&exchange);
    let (authority, trace) = (context.authority.clone(), context.trace.clone());
    let options = CallOptions { authority, trace, attachment: Some(attachment), ..CallOptions::default() };
    let mut running: Call = match server.node.begin(&route.func, &[], options) {
        Ok((acting, running)) => {
            context.acting = Some(acting);
            Box::pin(running)
        }
        Err(error) => Box::pin(std::future::ready(Err(error))),
    };
    let answered = within(server.view.write_timeout, async {
        tokio::select! {
            biased;
            Ok(head) = &mut head => Ok(head),
            result = &mut running => Err(result),
        }
    });
    let answered = match answered.await {
        // It flushed and ended in one go, and only the end was seen.
        Some(Err(result)) => match head.try_recv() {
            Ok(head) => {
                let companion = companion(Box::pin(std::future::ready(result)), exchange, route, context.remote.clone());
                return live(head, companion);
            }
            Err(_) => Some(Err(result)),
        },
        other => other,
    };
    match answered {
        Some(Ok(head)) => {
            let companion = companion(running, exchange, route, context.remote.clone());
            live(head, companion)
        }
        Some(Err(Ok(_))) => {
            let (status, headers, bytes) = exchange.finish();
            whole(status, headers, bytes)
        }
        Some(Err(Err(error))) => {
            log(&route, &context.remote, &error);
            match error.kind.as_str() {
                "RateLimited" | "Unavailable" => {
                    answer::problem(StatusCode::SERVICE_UNAVAILABLE, "the server is too busy; try again later")
                }
                "LimitExceeded" if error.message.contains("quota.") => {
                    answer::problem(StatusCode::SERVICE_UNAVAILABLE, "the server is too busy; try again later")
                }
                _ => answer::failed(),
            }
        }
        None => {
            let timeout = server.view.write_timeout.unwrap_or_default();
            tracing::error!(
                target: "moonlet",
                endpoint = %route.id,
                "the function did not answer within {} ms (`timeouts.write` of `{}`)",
                timeout.as_millis(),
                server.id()
            );
            answer::problem(StatusCode::GATEWAY_TIMEOUT, "the request took too long")
        }
    }
}

async fn within<T>(timeout: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match timeout {
        Some(timeout) => tokio::time::timeout(timeout, work).await.ok(),
        None => Some(work.await),
    }
}

/// Waits for the end of a function whose answer is on its way; the rest of the body comes last.
async fn companion(running: Call, exchange: Arc<Exchange>, route: Arc<Route>, remote: String) -> io::Result<bytes::Bytes> {
    let result = running.await;
    let (_, _, rest) = exchange.finish();
    match result {
        Ok(_) => Ok(rest),
        Err(error) => {
            log(&route, &remote, &error);
            // The client has seen a good status: only a body that breaks off tells it.
            Err(io::Error::other("the function failed in the middle of its answer"))
        }
    }
}

fn live(head: Head, companion: impl Future<Output = io::Result<bytes::Bytes>> + Send + 'static) -> Answer {
    let mut answer = Response::new(Body::live(head.pieces, Some(Box::pin(companion)), None));
    *answer.status_mut() = head.status;
    *answer.headers_mut() = head.headers;
    answer
}

fn whole(status: StatusCode, headers: HeaderMap, bytes: bytes::Bytes) -> Answer {
    let without_body = status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    let mut answer = Response::new(if without_body { Body::empty() } else { Body::full(bytes) });
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

fn log(route: &Route, remote: &str, error: &Error) {
    let message: String = error.message.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let (endpoint, function, kind) = (&route.id, route.func.as_str(), error.kind.as_str());
    let trace = error.trace.as_str();
    tracing::error!(target: "moonlet", %endpoint, function, kind, remote, trace, "request failed: {message}");
}
