//! Module `websocket`: WebSocket connections to other servers.

use std::sync::Arc;

use moonlet_runtime::{Answer, Error, Fault, Feed, HostModule, Manifest, ModuleCall, Value};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

mod connect;
mod handshake;
mod options;
mod talk;

use talk::{Given, Order};

/// Gives clients their methods.
const GLUE: &str = include_str!("websocket/glue.lua");
/// Orders that wait until the connection takes them.
const WAITING: usize = 16;

/// WebSocket connections to other servers.
#[derive(Debug, Default)]
pub(crate) struct WebSockets;

/// A connection as its process holds it. When it is dropped, the connection is closed.
struct Client {
    orders: mpsc::Sender<Given>,
}

/// What the process listens to, until it is connected.
struct Prepared(Mutex<Option<Feed>>);

impl HostModule for WebSockets {
    fn name(&self) -> &str {
        "websocket"
    }

    fn manifest(&self) -> Value {
        let table = |list: &[(&str, u16)]| Value::Map(list.iter().map(|(name, code)| ((*name).into(), (*code).into())).collect());
        Manifest::new()
            .functions(&["prepare", "connect"])
            .constant("TEXT", talk::TEXT)
            .constant("BINARY", talk::BINARY)
            .constant("TYPE_TEXT", "text")
            .constant("TYPE_BINARY", "binary")
            .constant("TYPE_PING", "ping")
            .constant("TYPE_PONG", "pong")
            .constant("TYPE_CLOSE", "close")
            .constant("COMPRESSION", table(&[("DISABLED", 0), ("CONTEXT_TAKEOVER", 1), ("NO_CONTEXT", 2)]))
            .constant("CLOSE_CODES", table(talk::CLOSE_CODES))
            .resource("Prepared", &[])
            .resource("Client", &["send", "ping", "close"])
            .build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(GLUE)
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        match function {
            "prepare" => {
                // The process listens before anything can come, and before the connection can end.
                let feed = call.feed();
                let topic = Value::from(feed.topic());
                let prepared = call.keep("Prepared", Arc::new(Prepared(Mutex::new(Some(feed)))))?;
                Ok(Answer::Done(vec![prepared, topic]))
            }
            "connect" => {
                let (prepared, args) = call.method::<Prepared>("Prepared", function, args)?;
                let Some(feed) = prepared.0.lock().take() else { return Err(closed().into()) };
                connect::connect(call, &args, feed)
            }
            "Client:send" => {
                let (client, args) = call.method::<Client>("Client", function, args)?;
                let data = args.bytes(1)?.to_vec();
                let of = args.opt_integer(2)?.unwrap_or(talk::TEXT);
                if of == talk::TEXT && std::str::from_utf8(&data).is_err() {
                    return Err(invalid("a text message is UTF-8: send bytes with websocket.BINARY").into());
                }
                let order = match of {
                    talk::TEXT => Order::Text(String::from_utf8_lossy(&data).into_owned()),
                    talk::BINARY => Order::Binary(data),
                    other => {
                        return Err(
                            invalid(format!("there is no message type {other}: use websocket.TEXT or websocket.BINARY")).into()
                        );
                    }
                };
                give(call, &client, order)
            }
            "Client:ping" => {
                let (client, _) = call.method::<Client>("Client", function, args)?;
                give(call, &client, Order::Ping)
            }
            "Client:close" => {
                let (client, args) = call.method::<Client>("Client", function, args)?;
                let code = args.opt_integer(1)?.unwrap_or(1000);
                let Some(code) = u16::try_from(code).ok().filter(|code| (1000..5000).contains(code)) else {
                    return Err(invalid(format!("{code} is no close code: 1000 to 4999 are")).into());
                };
                let reason = args.opt_text(2)?.unwrap_or_default().to_owned();
                if reason.len() > talk::MAX_REASON {
                    return Err(invalid(format!("a reason has at most {} bytes", talk::MAX_REASON)).into());
                }
                give(call, &client, Order::Close(code, reason))
            }
            other => Err(Error::new("NotFound", format!("module `websocket` has no function `{other}`")).into()),
        }
    }
}

/// Gives an order and waits until it was carried out.
fn give(call: &ModuleCall<'_>, client: &Arc<Client>, order: Order) -> Result<Answer, Fault> {
    let orders = client.orders.clone();
    let closing = matches!(order, Order::Close(..));
    call.run_async(async move {
        let (done, carried_out) = oneshot::channel();
        let order = Given { order, done };
        if orders.send(order).await.is_err() {
            // Closing what is closed is fine.
            return if closing { Ok(vec![true.into()]) } else { Err(closed()) };
        }
        match carried_out.await {
            Ok(result) => result.map(|()| vec![true.into()]),
            Err(_) if closing => Ok(vec![true.into()]),
            Err(_) => Err(closed()),
        }
    })
}

fn closed() -> Error {
    Error::new("Internal", "the connection is closed").with_retryable(false)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new("Invalid", message).with_retryable(false)
}
