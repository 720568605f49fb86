//! What Lua does with an answer.

use http::{HeaderName, HeaderValue, StatusCode, header};
use moonlet_runtime::{Answer, Args, Error, Fault, ModuleCall, Value};

use super::Shared;
use crate::exchange::{Transfer, Written, typed};
use crate::json;
use crate::relay;

/// Carries out a function about the answer.
pub(super) fn invoke(call: &ModuleCall<'_>, exchange: &Shared, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let args = Args::new(function, args);
    match function {
        "response" => Answer::one(true),
        "set_status" => {
            let code = args.integer(1)?;
            let status = u16::try_from(code).ok().filter(|code| (200..=599).contains(code));
            let status = status.and_then(|code| StatusCode::from_u16(code).ok());
            let Some(status) = status else {
                return Err(invalid(format!("{code} is no status of an answer: 200 to 599 are")).into());
            };
            done(exchange.set_status(status))
        }
        "set_header" => {
            let name = args.text(1)?.to_owned();
            let value = match args.get(2) {
                Value::Integer(_) | Value::F64(_) => args.get(2).to_string().into_bytes(),
                _ => args.bytes(2)?.to_vec(),
            };
            set_header(exchange, &name, &value)
        }
        "set_content_type" => set_header(exchange, header::CONTENT_TYPE.as_str(), args.bytes(1)?),
        "set_transfer" => {
            let transfer = match args.text(1)? {
                "chunked" => Transfer::Chunked,
                "sse" => Transfer::Events,
                other => return Err(invalid(format!("there is no transfer `{other}`: use http.TRANSFER")).into()),
            };
            done(exchange.set_transfer(transfer))
        }
        "write" => write(call, exchange.write(args.bytes(1)?, None)),
        "write_json" => {
            if args.is_empty() {
                return Err(args.fault(1, "value expected, got no value"));
            }
            let text = json::encode(args.get(1)).map_err(|problem| invalid(format!("the value has no JSON form: {problem}")))?;
            write(call, exchange.write(&text, Some("application/json")))
        }
        "write_event" => {
            let text = event(&args)?;
            if exchange.transfer() != Transfer::Events {
                exchange.set_transfer(Transfer::Events)?;
            }
            exchange.write(&text, None)?;
            write(call, exchange.flush())
        }
        "flush" => write(call, exchange.flush()),
        other => Err(Error::new("NotFound", format!("module `http` has no function `{other}`")).into()),
    }
}

fn done(result: Result<(), Error>) -> Result<Answer, Fault> {
    result?;
    Answer::one(true)
}

fn set_header(exchange: &Shared, name: &str, value: &[u8]) -> Result<Answer, Fault> {
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid(format!("`{name}` is no name of a header")))?;
    let value = HeaderValue::from_bytes(value)
        .map_err(|_| invalid(format!("the value of `{name}` has characters that a header cannot have")))?;
    done(exchange.set_header(header, value))
}

/// Answers when the piece is on its way.
fn write(call: &ModuleCall<'_>, written: Result<Written, Error>) -> Result<Answer, Fault> {
    match written? {
        Written::Done => Answer::one(true),
        Written::Wait(client, bytes) => call.run_async(async move {
            let gone = |_| typed("Internal", "write failed: the client has gone", "write_failed");
            client.send(bytes).await.map_err(gone)?;
            Ok(vec![true.into()])
        }),
    }
}

/// Reads an event: a table with `name` and `data`, and `id` if it has one.
fn event(args: &Args<'_>) -> Result<Vec<u8>, Fault> {
    let fields = args.table(1)?;
    let field = |name: &str| fields.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value);
    let line = |name: &str| match field(name) {
        None | Some(Value::Nil) => Ok(None),
        Some(Value::Integer(number)) => Ok(Some(number.to_string())),
        Some(Value::String(text)) => match text.as_str().filter(|text| !text.contains(['\r', '\n', '\0'])) {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(invalid(format!("`{name}` of an event is one line of text"))),
        },
        Some(_) => Err(invalid(format!("`{name}` of an event is a text"))),
    };
    let Some(name) = line("name")?.filter(|name| !name.is_empty()) else {
        return Err(invalid("an event needs a `name`").into());
    };
    let Some(data) = field("data") else { return Err(invalid("an event needs `data`").into()) };
    let data = json::encode(data).map_err(|problem| invalid(format!("`data` has no JSON form: {problem}")))?;
    let mut text = Vec::new();
    if let Some(id) = line("id")? {
        text.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    text.extend_from_slice(&relay::event(&name, &data));
    Ok(text)
}

fn invalid(message: impl Into<String>) -> Error {
    typed("Invalid", message, "invalid_state")
}
