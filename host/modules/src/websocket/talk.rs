//! One connection: what comes goes to the channel of the process, and its orders are carried out.

use std::future::Future;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use moonlet_runtime::{Error, Feed, FeedError, Value};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::connect::Socket;
use super::options::Options;

/// The types of messages that a process sends.
pub(super) const TEXT: i64 = 1;
pub(super) const BINARY: i64 = 2;
/// The longest reason of a close in bytes, as the protocol has it.
pub(super) const MAX_REASON: usize = 123;
/// How often a full mailbox is looked at.
const RETRY: Duration = Duration::from_millis(10);
/// How long the other side may take to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) const CLOSE_CODES: &[(&str, u16)] = &[
    ("NORMAL", 1000),
    ("GOING_AWAY", 1001),
    ("PROTOCOL_ERROR", 1002),
    ("UNSUPPORTED_DATA", 1003),
    ("RESERVED", 1004),
    ("NO_STATUS", 1005),
    ("ABNORMAL_CLOSURE", 1006),
    ("INVALID_PAYLOAD", 1007),
    ("POLICY_VIOLATION", 1008),
    ("MESSAGE_TOO_BIG", 1009),
    ("MANDATORY_EXTENSION", 1010),
    ("INTERNAL_ERROR", 1011),
    ("SERVICE_RESTART", 1012),
    ("TRY_AGAIN_LATER", 1013),
    ("BAD_GATEWAY", 1014),
    ("TLS_HANDSHAKE", 1015),
];

/// What a process wants.
pub(super) enum Order {
    Text(String),
    Binary(Vec<u8>),
    Ping,
    Close(u16, String),
}

/// An order, and who waits for it.
pub(super) struct Given {
    pub(super) order: Order,
    pub(super) done: oneshot::Sender<Result<(), Error>>,
}

/// Carries a connection on until either side ends it. The channel of the process closes with it.
pub(super) async fn talk(mut socket: Socket, feed: Feed, mut orders: mpsc::Receiver<Given>, options: Options) {
    loop {
        tokio::select! {
            given = orders.recv() => {
                // The process has ended, or nobody holds the client any more.
                let Some(Given { order, done }) = given else {
                    let _ = tokio::time::timeout(CLOSE_TIMEOUT, socket.close(None)).await;
                    return;
                };
                let message = match order {
                    Order::Text(text) => Message::Text(text.into()),
                    Order::Binary(bytes) => Message::Binary(bytes.into()),
                    Order::Ping => Message::Ping(Vec::new().into()),
                    Order::Close(code, reason) => {
                        let frame = CloseFrame { code: code.into(), reason: reason.into() };
                        let closed = tokio::time::timeout(CLOSE_TIMEOUT, async {
                            socket.close(Some(frame)).await?;
                            // What still comes is of no use to anybody.
                            while let Some(Ok(_)) = socket.next().await {}
                            Ok::<_, tokio_tungstenite::tungstenite::Error>(())
                        });
                        let _ = closed.await;
                        let _ = done.send(Ok(()));
                        return;
                    }
                };
                let sent = within(options.write_timeout, socket.send(message)).await;
                let failed = |text: String| Error::new("Internal", format!("send failed: {text}")).with_retryable(true);
                let (result, broken) = match sent {
                    Some(Ok(())) => (Ok(()), false),
                    Some(Err(error)) => (Err(failed(error.to_string())), true),
                    None => (Err(failed("the other side takes nothing".to_owned())), true),
                };
                // Who waited may have ended.
                let _ = done.send(result);
                if broken {
                    return;
                }
            }
            received = within(options.read_timeout, socket.next()) => {
                let (of, data) = match received {
                    Some(Some(Ok(Message::Text(text)))) => ("text", Value::from(text.as_str())),
                    Some(Some(Ok(Message::Binary(bytes)))) => ("binary", Value::Binary(bytes.to_vec())),
                    Some(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => continue,
                    // It is over, or nothing came for too long.
                    Some(Some(Ok(Message::Close(_)) | Err(_)) | None) | None => {
                        let _ = tokio::time::timeout(CLOSE_TIMEOUT, socket.close(None)).await;
                        return;
                    }
                };
                let value = Value::Map(vec![("type".into(), of.into()), ("data".into(), data)]);
                if !deliver(&feed, &value).await {
                    return;
                }
            }
        }
    }
}

/// Gives a message to the process; a full mailbox holds the other side up. False: the process has ended.
async fn deliver(feed: &Feed, value: &Value) -> bool {
    loop {
        match feed.send(value.clone()) {
            Ok(()) => return true,
            Err(FeedError::Ended) => return false,
            Err(FeedError::Full) => tokio::time::sleep(RETRY).await,
        }
    }
}

async fn within<T>(timeout: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match timeout {
        Some(timeout) => tokio::time::timeout(timeout, work).await.ok(),
        None => Some(work.await),
    }
}
