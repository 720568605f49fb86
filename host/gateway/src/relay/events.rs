//! Middleware `sse_relay`: a stream of events as a process.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use moonlet_runtime::PortEvent;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Config, HEARTBEAT, Session, control, data, may_open, take_config};
use crate::answer::{self, Answer};
use crate::body::Body;
use crate::middleware::{Options, Origins};
use crate::server::Context;

/// The name of the header with which a function asks for a relay.
const HEADER: &str = "x-sse-relay";
/// Events that wait for the client; more wait in the mailbox.
const WAITING: usize = 16;
/// As good as never.
const NEVER: Duration = Duration::from_secs(365 * 86_400);

pub(crate) struct SseRelay {
    origins: Origins,
}

impl SseRelay {
    pub(crate) fn new(options: &Options) -> Self {
        Self { origins: Origins::new(options.list("sserelay.allowed.origins")) }
    }

    pub(crate) fn after(&self, context: &mut Context, mut answer: Answer) -> Answer {
        let config = match take_config(&mut answer, HEADER) {
            None => return answer,
            Some(Ok(config)) => config,
            Some(Err(problem)) => return broken(context, &problem),
        };
        if !may_open(context, &self.origins) {
            return answer::problem(StatusCode::FORBIDDEN, "this origin may not open a stream here");
        }
        let session = match Session::open(context, &config, "sse") {
            Ok(session) => session,
            Err(error) => return broken(context, &error.message),
        };
        let (sender, pieces) = mpsc::channel(WAITING);
        let stop = context.server.stop.clone();
        context.server.tracker.spawn(run(session, config, sender, stop));
        let mut stream = Response::new(Body::live(pieces, None, None));
        *stream.headers_mut() = std::mem::take(answer.headers_mut());
        let headers = stream.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        stream
    }
}

fn broken(context: &Context, problem: &str) -> Answer {
    let endpoint = context.route.as_ref().map_or("", |route| route.id.as_str());
    tracing::error!(target: "moonlet", endpoint, "the relay cannot start, because of its header `X-SSE-Relay`: {problem}");
    answer::failed()
}

async fn run(mut session: Session, config: Config, client: mpsc::Sender<Bytes>, stop: CancellationToken) {
    let topic = config.topic.clone().unwrap_or_else(|| "sse.message".to_owned());
    let begun = if session.target.is_some() {
        session.report("join", false).await.is_ok()
    } else {
        let ready = serde_json::json!({ "stream_pid": session.port.pid(), "message_topic": topic });
        client.send(event("ready", ready.to_string().as_bytes())).await.is_ok()
    };
    if begun {
        talk(&mut session, config, topic, &client, &stop).await;
    }
    // A target that has ended hears nothing.
    let _ = session.report("leave", false).await;
}

async fn talk(session: &mut Session, config: Config, mut topic: String, client: &mpsc::Sender<Bytes>, stop: &CancellationToken) {
    let wake = Arc::clone(&session.wake);
    let mut every = config.heartbeat.unwrap_or(HEARTBEAT);
    let (mut idle, mut hard) = (config.idle.unwrap_or(NEVER), config.hard.unwrap_or(NEVER));
    let start = Instant::now();
    let (mut beat, mut last) = (start + every, start);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = client.closed() => return,
            () = sleep_until(last + idle) => return,
            () = sleep_until(start + hard) => return,
            () = sleep_until(beat) => {
                beat = Instant::now() + every;
                if session.report("heartbeat", true).await.is_err() {
                    return;
                }
                // A comment: a client that is gone without a word shows now.
                if client.send(Bytes::from_static(b":\n\n")).await.is_err() {
                    return;
                }
            }
            () = wake.notified() => {
                loop {
                    if !session.port.is_open() {
                        return;
                    }
                    let events = session.port.take();
                    if events.is_empty() {
                        break;
                    }
                    for arrived in events {
                        match arrived {
                            PortEvent::Cancel(_) => return,
                            PortEvent::Exit(pid) if session.target.as_ref() == Some(&pid) => {
                                session.target = None;
                                return;
                            }
                            PortEvent::Exit(_) => {}
                            PortEvent::Message { topic: name, values, .. } if name == "sse.control" => match control(values) {
                                Ok(config) => {
                                    every = config.heartbeat.unwrap_or(every);
                                    idle = config.idle.unwrap_or(idle);
                                    hard = config.hard.unwrap_or(hard);
                                    if let Some(new) = &config.topic {
                                        topic.clone_from(new);
                                    }
                                    if let Err(error) = session.transfer(&config).await {
                                        session.warn(&error.message);
                                    }
                                }
                                Err(problem) => session.warn(&problem),
                            },
                            PortEvent::Message { topic: name, .. } if name == "sse.close" => return,
                            PortEvent::Message { topic: name, values, .. } if name == topic => {
                                session.messages += 1;
                                last = Instant::now();
                                match data(values) {
                                    Ok(data) => {
                                        if client.send(event(&name, &data)).await.is_err() {
                                            return;
                                        }
                                    }
                                    Err(problem) => session.warn(&problem),
                                }
                            }
                            PortEvent::Message { .. } => {}
                        }
                    }
                }
            }
        }
    }
}

/// Writes an event. The data is JSON, which has no line ends of its own; those of a name would begin another field.
pub(crate) fn event(name: &str, data: &[u8]) -> Bytes {
    let name: String = name.chars().filter(|letter| !matches!(letter, '\r' | '\n' | '\0')).collect();
    let mut text = Vec::with_capacity(name.len() + data.len() + 17);
    text.extend_from_slice(b"event: ");
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"\ndata: ");
    text.extend_from_slice(data);
    text.extend_from_slice(b"\n\n");
    text.into()
}
