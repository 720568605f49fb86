//! Middleware `websocket_relay`: a WebSocket as a process.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use moonlet_runtime::{PortEvent, Value};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use super::{Config, HEARTBEAT, Session, control, data, is_full, may_open, reason, take_config};
use crate::answer::{self, Answer};
use crate::body::Body;
use crate::middleware::{Options, Origins};
use crate::server::Context;

/// The name of the header with which a function asks for a relay.
const HEADER: &str = "x-ws-relay";
/// Bytes of one message of a client.
const MAX_MESSAGE: usize = 1 << 20;
/// Bytes that wait for a client.
const MAX_WAITING: usize = 4 << 20;
/// The longest reason of a close in bytes, as the protocol has it.
const MAX_REASON: usize = 123;
/// How long a client may take to answer a close.
const CLOSE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

pub(crate) struct WebSocketRelay {
    origins: Origins,
}

impl WebSocketRelay {
    pub(crate) fn new(options: &Options) -> Self {
        Self { origins: Origins::new(options.list("wsrelay.allowed.origins")) }
    }

    pub(crate) fn after(&self, context: &mut Context, mut answer: Answer) -> Answer {
        let config = match take_config(&mut answer, HEADER) {
            None => return answer,
            Some(Ok(config)) => config,
            Some(Err(problem)) => return broken(context, &problem),
        };
        if !may_open(context, &self.origins) {
            return answer::problem(StatusCode::FORBIDDEN, "this origin may not open a WebSocket here");
        }
        let (Some(key), Some(upgrade)) = (handshake(context), context.upgrade.take()) else {
            let mut answer = answer::problem(StatusCode::UPGRADE_REQUIRED, "this path speaks WebSocket only");
            answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            answer.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            return answer;
        };
        if config.target.as_deref().is_none_or(str::is_empty) {
            return broken(context, "it has no `target_pid`");
        }
        let session = match Session::open(context, &config, "ws") {
            Ok(session) => session,
            Err(error) => return broken(context, &error.message),
        };
        let stop = context.server.stop.clone();
        context.server.tracker.spawn(run(session, config, upgrade, stop));
        let mut switched = Response::new(Body::empty());
        *switched.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *switched.headers_mut() = std::mem::take(answer.headers_mut());
        let headers = switched.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        switched
    }
}

fn broken(context: &Context, problem: &str) -> Answer {
    let endpoint = context.route.as_ref().map_or("", |route| route.id.as_str());
    tracing::error!(target: "moonlet", endpoint, "the relay cannot start, because of its header `X-WS-Relay`: {problem}");
    answer::failed()
}

/// Returns the key of a client that begins a WebSocket.
fn handshake(context: &Context) -> Option<String> {
    let has = |name: header::HeaderName, word: &str| {
        context.header(name).is_some_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    let good = has(header::UPGRADE, "websocket")
        && has(header::CONNECTION, "upgrade")
        && context.header(header::SEC_WEBSOCKET_VERSION) == Some("13");
    context.header(header::SEC_WEBSOCKET_KEY).filter(|key| good && key.len() == 24).map(str::to_owned)
}

type Socket = WebSocketStream<TokioIo<Upgraded>>;

async fn run(mut session: Session, config: Config, upgrade: OnUpgrade, stop: CancellationToken) {
    let Ok(upgraded) = upgrade.await else { return };
    let settings = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .max_write_buffer_size(MAX_WAITING);
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(settings)).await;
    let topic = config.topic.clone().unwrap_or_else(|| "ws.message".to_owned());
    let joined = session.report("join", false).await;
    let end = match joined {
        Ok(()) => talk(&mut session, &mut socket, topic, config.heartbeat.unwrap_or(HEARTBEAT), &stop).await,
        Err(_) => Some((CloseCode::Normal, String::new())),
    };
    // The target hears of it even when the client says goodbye slowly; a target that has ended hears nothing.
    let _ = session.report("leave", false).await;
    let closing = async {
        match end {
            Some((code, text)) => {
                let mut end = text.len().min(MAX_REASON);
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                let reason = text.get(..end).unwrap_or_default().into();
                let _ = socket.close(Some(CloseFrame { code, reason })).await;
            }
            // The answer to a close of the client's waits in the socket.
            None => drop(socket.flush().await),
        }
        while let Some(Ok(_)) = socket.next().await {}
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, closing).await;
}

/// Carries messages both ways. Returns what to tell the client at the end; nothing when it is the one who left.
async fn talk(
    session: &mut Session,
    socket: &mut Socket,
    mut topic: String,
    mut every: std::time::Duration,
    stop: &CancellationToken,
) -> Option<(CloseCode, String)> {
    let wake = Arc::clone(&session.wake);
    let mut beat = tokio::time::Instant::now() + every;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Some((CloseCode::Away, "the server stops".to_owned())),
            () = tokio::time::sleep_until(beat) => {
                beat = tokio::time::Instant::now() + every;
                session.report("heartbeat", true).await.ok()?;
                // A client that is gone without a word shows now.
                socket.send(Message::Ping(Vec::new().into())).await.ok()?;
            }
            received = socket.next() => {
                let value = match received {
                    Some(Ok(Message::Text(text))) => Value::from(text.as_str()),
                    Some(Ok(Message::Binary(bytes))) => Value::Binary(bytes.to_vec()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                    Some(Err(Error::Capacity(_))) => {
                        return Some((CloseCode::Size, format!("a message has at most {MAX_MESSAGE} bytes")));
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                };
                session.messages += 1;
                if let Err(error) = session.tell(&topic, value).await {
                    let code = if is_full(&error) { CloseCode::Again } else { CloseCode::Normal };
                    return Some((code, "nobody takes the messages".to_owned()));
                }
            }
            () = wake.notified() => {
                if let Some(end) = deliver(session, socket, &mut topic, &mut every).await {
                    return end;
                }
            }
        }
    }
}

/// Sends on what has arrived at the port. Returns how it ends, if it does.
async fn deliver(
    session: &mut Session,
    socket: &mut Socket,
    topic: &mut String,
    every: &mut std::time::Duration,
) -> Option<Option<(CloseCode, String)>> {
    loop {
        if !session.port.is_open() {
            return Some(Some((CloseCode::Normal, "the connection was ended".to_owned())));
        }
        let events = session.port.take();
        if events.is_empty() {
            return None;
        }
        for event in events {
            match event {
                PortEvent::Cancel(reason) => return Some(Some((CloseCode::Away, reason))),
                PortEvent::Exit(pid) if session.target.as_ref() == Some(&pid) => {
                    session.target = None;
                    return Some(Some((CloseCode::Normal, "the process behind it has ended".to_owned())));
                }
                PortEvent::Exit(_) => {}
                PortEvent::Message { topic: name, values, .. } => match name.as_str() {
                    "ws.close" => return Some(Some((CloseCode::Normal, reason(values)))),
                    "ws.control" => {
                        let moved = match control(values) {
                            Ok(config) => {
                                *every = config.heartbeat.unwrap_or(*every);
                                if let Some(new) = &config.topic {
                                    topic.clone_from(new);
                                }
                                session.transfer(&config).await.map_err(|error| error.message)
                            }
                            Err(problem) => Err(problem),
                        };
                        if let Err(problem) = moved {
                            session.warn(&problem);
                            if session.target.is_none() {
                                return Some(Some((CloseCode::Error, "the process behind it has ended".to_owned())));
                            }
                        }
                    }
                    name => {
                        let text = match data(values) {
                            Ok(data) => wrap(name, &data),
                            Err(problem) => {
                                session.warn(&problem);
                                continue;
                            }
                        };
                        if socket.feed(Message::Text(text.into())).await.is_err() {
                            return Some(None);
                        }
                    }
                },
            }
        }
        if socket.flush().await.is_err() {
            return Some(None);
        }
    }
}

fn wrap(topic: &str, data: &[u8]) -> String {
    let topic = serde_json::Value::from(topic).to_string();
    format!("{{\"topic\":{topic},\"data\":{}}}", String::from_utf8_lossy(data))
}
