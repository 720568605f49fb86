//! Relays: connections that processes talk through, WebSockets and streams of events.
//!
//! A function names a process in a header of its answer; from then on the connection is a process of its own, a port: what the client
//! says becomes messages to the named process, and messages to the port go to the client.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use http::header;
use moonlet_registry::parse_duration;
use moonlet_runtime::{Error, NodeHandle, Port, Value, document};
use serde_json::Value as Json;
use tokio::sync::Notify;

use crate::answer::Answer;
use crate::json;
use crate::middleware::Origins;
use crate::server::Context;

mod events;
mod websocket;

pub(crate) use events::{SseRelay, event};
pub(crate) use websocket::WebSocketRelay;

/// Between two signs of life unless the function says otherwise.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// The shortest time between two signs of life: each is a message.
const MIN_HEARTBEAT: Duration = Duration::from_millis(100);
/// How long the relay waits for room in a full mailbox.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest topic in bytes, as for messages between processes.
const MAX_TOPIC: usize = 255;
/// Refused messages of which a connection tells in the log: who may send to it could fill the log otherwise.
const MAX_WARNINGS: u32 = 16;
/// How often it looks for room.
const RETRY: Duration = Duration::from_millis(10);

/// What a function or a control message says about a relay.
#[derive(Debug, Clone, Default)]
struct Config {
    target: Option<String>,
    topic: Option<String>,
    heartbeat: Option<Duration>,
    idle: Option<Duration>,
    hard: Option<Duration>,
    metadata: Option<Json>,
}

impl Config {
    fn parse(text: &str) -> Result<Self, String> {
        let json: Json = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
        Self::read(&json)
    }

    fn read(json: &Json) -> Result<Self, String> {
        if !json.is_object() {
            return Err("it is no object".to_owned());
        }
        let text = |name: &str| match json.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("`{name}` is no text")),
        };
        let duration = |name: &str| match json.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => parse_duration(text).map(Some).map_err(|error| format!("`{name}`: {error}")),
            Some(Json::Number(nanoseconds)) => Ok(nanoseconds.as_u64().map(Duration::from_nanos)),
            Some(_) => Err(format!("`{name}` is no duration")),
        };
        let topic = text("message_topic")?;
        if topic.as_deref().is_some_and(|topic| topic.starts_with('@')) {
            return Err("`message_topic` must not start with `@`".to_owned());
        }
        if topic.as_ref().is_some_and(|topic| topic.len() > MAX_TOPIC) {
            return Err(format!("`message_topic` is longer than {MAX_TOPIC} bytes"));
        }
        Ok(Self {
            target: text("target_pid")?,
            topic: topic.filter(|topic| !topic.is_empty()),
            heartbeat: duration("heartbeat_interval")?.filter(|every| !every.is_zero()).map(|every| every.max(MIN_HEARTBEAT)),
            idle: duration("idle_timeout")?.filter(|idle| !idle.is_zero()),
            hard: duration("hard_timeout")?.filter(|hard| !hard.is_zero()),
            metadata: json.get("metadata").filter(|metadata| !metadata.is_null()).cloned(),
        })
    }
}

/// Takes the configuration off an answer; none: the function wants no relay.
fn take_config(answer: &mut Answer, name: &'static str) -> Option<Result<Config, String>> {
    let value = answer.headers_mut().remove(name)?;
    if answer.status().is_client_error() || answer.status().is_server_error() {
        return None;
    }
    let text = value.to_str().map_err(|_| "it is no text".to_owned());
    Some(text.and_then(Config::parse))
}

/// Tells whether a page may open the relay. Who sends no origin is no browser.
fn may_open(context: &Context, origins: &Origins) -> bool {
    let Some(origin) = context.header(header::ORIGIN) else { return true };
    if !origins.is_empty() {
        return origins.allow(origin);
    }
    let own = context.header(header::HOST).unwrap_or_default();
    origin.split_once("://").is_some_and(|(_, host)| host.eq_ignore_ascii_case(own))
}

/// A connection as a process. It reaches the processes that the function which asked for it could reach, and no others: whoever writes
/// a header or a control message says whom it talks to.
struct Session {
    /// Acts in the name of that function.
    node: NodeHandle,
    port: Port,
    wake: Arc<Notify>,
    target: Option<String>,
    metadata: Value,
    start: std::time::Instant,
    messages: u64,
    /// What the names of its own messages begin with: `ws` or `sse`.
    prefix: &'static str,
    /// What it has told in the log.
    warnings: u32,
}

impl Session {
    fn open(context: &Context, config: &Config, prefix: &'static str) -> Result<Self, Error> {
        let node = context.acting.clone().ok_or_else(|| Error::new("Invalid", "no function was called for this answer"))?;
        let wake = Arc::new(Notify::new());
        let woken = Arc::clone(&wake);
        let port = node.open_port(context.server.id().as_str(), move || woken.notify_one())?;
        let target = config.target.clone().filter(|target| !target.is_empty());
        if let Some(target) = &target {
            port.monitor(&node, target)?;
        }
        let metadata = config.metadata.as_ref().map_or(Value::Nil, document::from_json);
        let start = std::time::Instant::now();
        Ok(Self { node, port, wake, target, metadata, start, messages: 0, prefix, warnings: 0 })
    }

    /// Tells in the log of a message to the connection that came to nothing.
    fn warn(&mut self, problem: &str) {
        self.warnings += 1;
        if self.warnings <= MAX_WARNINGS {
            tracing::warn!(target: "moonlet", pid = self.port.pid(), "a message to a `{}` relay failed: {problem}", self.prefix);
        }
    }

    /// Tells the target something about the connection.
    async fn report(&self, what: &str, with_numbers: bool) -> Result<(), Error> {
        let mut fields: Vec<(Value, Value)> = vec![("client_pid".into(), self.port.pid().into())];
        if with_numbers {
            fields.push(("uptime".into(), self.start.elapsed().as_secs().into()));
            fields.push(("message_count".into(), self.messages.into()));
        }
        if !self.metadata.is_nil() {
            fields.push(("metadata".into(), self.metadata.clone()));
        }
        self.tell(&format!("{}.{what}", self.prefix), Value::Map(fields)).await
    }

    /// Sends to the target; a full mailbox holds the client up.
    async fn tell(&self, topic: &str, value: Value) -> Result<(), Error> {
        let Some(target) = &self.target else { return Ok(()) };
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let sent = self.node.send_from(Some(self.port.pid()), target, topic, std::slice::from_ref(&value));
            match sent {
                Err(error) if is_full(&error) && tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(RETRY).await;
                }
                other => return other,
            }
        }
    }

    /// Goes over to another target: the old one hears that the client left, the new one that it came.
    async fn transfer(&mut self, config: &Config) -> Result<(), Error> {
        if let Some(metadata) = &config.metadata {
            self.metadata = document::from_json(metadata);
        }
        let Some(target) = config.target.clone() else { return Ok(()) };
        if self.target.as_deref() == Some(target.as_str()) {
            return Ok(());
        }
        if let Some(old) = &self.target {
            // Who has ended already need not hear of it.
            let _ = self.report("leave", false).await;
            self.port.unmonitor(old);
        }
        self.target = None;
        if target.is_empty() {
            return Ok(());
        }
        self.port.monitor(&self.node, &target)?;
        self.target = Some(target);
        self.report("join", false).await
    }
}

/// Tells whether there is no room for a message now: the mailbox is full, or a rate is used up.
fn is_full(error: &Error) -> bool {
    error.kind == "RateLimited" || (error.kind == "LimitExceeded" && error.retryable == Some(true))
}

/// Turns the values of a message into one, as Lua sees it.
fn single(mut values: Vec<Value>) -> Value {
    match values.len() {
        0 => Value::Nil,
        1 => values.remove(0),
        _ => Value::Array(values),
    }
}

/// Reads a control message, which is a table.
fn control(values: Vec<Value>) -> Result<Config, String> {
    let value = single(values);
    let text = match &value {
        // Some programs encode it themselves.
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Binary(bytes) => bytes.clone(),
        other => json::encode(other)?,
    };
    let json: Json = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    Config::read(&json)
}

/// Reads the reason of a close message.
fn reason(values: Vec<Value>) -> String {
    match single(values) {
        Value::String(text) => text.into_str().unwrap_or_default(),
        Value::Binary(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::Map(fields) => {
            let found = fields.iter().find(|(name, _)| name.as_str() == Some("reason"));
            found.and_then(|(_, reason)| reason.as_str()).unwrap_or_default().to_owned()
        }
        _ => String::new(),
    }
}

/// Writes the value of a message as JSON; bytes that are no text become base64.
fn data(values: Vec<Value>) -> Result<Vec<u8>, String> {
    match single(values) {
        Value::Binary(bytes) if std::str::from_utf8(&bytes).is_err() => Ok(format!("\"{}\"", base64(&bytes)).into_bytes()),
        value => json::encode(&value),
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn base64_has_its_padding() {
        let all: Vec<String> = ["", "f", "fo", "foo", "foob"].iter().map(|text| base64(text.as_bytes())).collect();
        assert_eq!(all, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }

    #[test]
    fn a_configuration_is_checked() {
        let read = Config::parse(r#"{"target_pid":"{a:b|0x1}","heartbeat_interval":"1ms","metadata":{"a":1}}"#).unwrap();
        assert_eq!((read.target.as_deref(), read.heartbeat), (Some("{a:b|0x1}"), Some(MIN_HEARTBEAT)));
        for bad in ["", "[]", r#"{"target_pid":1}"#, r#"{"heartbeat_interval":"soon"}"#, r#"{"message_topic":"@close"}"#] {
            assert!(Config::parse(bad).is_err(), "{bad}");
        }
    }
}
