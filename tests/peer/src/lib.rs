//! Counts words: greets whoever asks, then receives lines from a channel and tells the process that started it how many words
//! each has.
//!
//! It shows that a process need not be Lua. What Lua calls `process.send`, `ch:receive` and the result of `main` are the imports
//! `messages.send` and `channels.receive` and the result of `run` here.

wit_bindgen::generate!({ path: "../../wit", world: "process", generate_all });

use moonlet::runtime::channels::{self, Reception};
use moonlet::runtime::types::{Event, Outcome};
use moonlet::runtime::{blocking, messages};
use rmpv::Value;

struct Peer;

export!(Peer);

impl Guest for Peer {
    fn run(args: Payload) -> Result<Payload, Error> {
        let values = decode(&args)?;
        let owner =
            values.first().and_then(Value::as_str).ok_or_else(|| invalid("the first argument is the pid to report to"))?;
        let lines = *args.channels.first().ok_or_else(|| invalid("the second argument is a channel of lines"))?;

        greet(owner)?;
        let (mut words, mut count) = (0, 0);
        while let Some(line) = receive(lines)? {
            let in_line = line.split_whitespace().count();
            words += in_line;
            count += 1;
            send(owner, "counted", map([("line", line.into()), ("words", in_line.into())]))?;
        }
        Ok(encode(map([("lines", count.into()), ("words", words.into())])))
    }
}

/// Waits for the message that says whom to greet, and answers it.
fn greet(owner: &str) -> Result<(), Error> {
    loop {
        if let Some(Event::Message(message)) = blocking::receive(None)
            && message.topic == "greet"
        {
            let name = decode(&message.body)?;
            let name = name.first().and_then(Value::as_str).unwrap_or("stranger");
            return send(owner, "greeting", format!("hello {name}, this is Rust").into());
        }
    }
}

/// Receives one line; none when the channel is closed.
fn receive(lines: u32) -> Result<Option<String>, Error> {
    let body = match channels::receive(lines)? {
        Reception::Value(body) => body,
        Reception::Closed => return Ok(None),
        Reception::Pending(ticket) => match blocking::wait(ticket) {
            Outcome::Done(body) => body,
            Outcome::Failed(error) => return Err(error),
            Outcome::Closed => return Ok(None),
        },
    };
    let values = decode(&body)?;
    let line = values.first().and_then(Value::as_str).ok_or_else(|| invalid("a line is a string"))?;
    Ok(Some(line.to_owned()))
}

fn send(to: &str, topic: &str, value: Value) -> Result<(), Error> {
    messages::send(to, topic, &encode(value))
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// A payload is one MessagePack array with an element per value.
fn encode(value: Value) -> Payload {
    let mut data = Vec::new();
    // Writing to memory cannot fail.
    let _ = rmpv::encode::write_value(&mut data, &Value::Array(vec![value]));
    Payload { data, channels: Vec::new() }
}

fn decode(payload: &Payload) -> Result<Vec<Value>, Error> {
    match rmpv::decode::read_value(&mut payload.data.as_slice()) {
        Ok(Value::Array(values)) => Ok(values),
        _ => Err(invalid("a payload is a MessagePack array")),
    }
}

fn invalid(message: &str) -> Error {
    Error { kind: "Invalid".into(), message: message.into(), retryable: None, details: Vec::new(), trace: String::new() }
}
