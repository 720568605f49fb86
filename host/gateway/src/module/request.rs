//! What Lua asks about a request.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use moonlet_runtime::{Answer, Args, ByteStream, Error, Fault, ModuleCall, Value, document};

use super::{Shared, form, table, text};
use crate::exchange::{Length, typed};

/// Carries out a function about the request; none: it is about the answer.
pub(super) fn invoke(
    call: &mut ModuleCall<'_>,
    exchange: &Shared,
    function: &str,
    args: &[Value],
) -> Option<Result<Answer, Fault>> {
    let args = Args::new(function, args.to_vec());
    Some(match function {
        "request" => facts(exchange, &args),
        "query" => args.text(1).map(|name| {
            let found = exchange.query().iter().find(|(other, _)| other == name);
            optional(found.map(|(_, value)| value.as_str().into()))
        }),
        "query_params" => {
            let fields = exchange.query().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            Answer::one(table(fields))
        }
        "header" => args.text(1).map(|name| optional(joined(&exchange.parts.headers, name))),
        "headers" => {
            let canonical: Vec<(String, &[u8])> =
                exchange.parts.headers.iter().map(|(name, value)| (canonical(name.as_str()), value.as_bytes())).collect();
            Answer::one(table(canonical.iter().map(|(name, value)| (name.as_str(), *value))))
        }
        "param" => args.text(1).map(|name| {
            let found = exchange.params.iter().find(|(other, _)| other == name);
            optional(found.map(|(_, value)| value.as_str().into()))
        }),
        "params" => Answer::one(table(exchange.params.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))),
        "is_content_type" => args.text(1).and_then(|wanted| Answer::one(is_type(exchange, wanted))),
        "accepts" => args.text(1).and_then(|wanted| {
            let accept = exchange.header(header::ACCEPT.as_str()).and_then(|accept| accept.to_str().ok());
            Answer::one(accepts(accept, wanted))
        }),
        "body" => body(call, exchange),
        "body_json" => body_json(call, exchange),
        "parse_multipart" => form::parse(call, exchange, &args),
        "stream" => stream(call, exchange),
        _ => return None,
    })
}

/// All values of a header, as one.
fn joined(headers: &HeaderMap, name: &str) -> Option<Value> {
    let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    let between: &[u8] = if name.eq_ignore_ascii_case("cookie") { b"; " } else { b", " };
    (!values.is_empty()).then(|| text(&values.join(between)))
}

fn optional(value: Option<Value>) -> Answer {
    Answer::Done(vec![value.unwrap_or(Value::Nil)])
}

/// Gives what does not change at once, so that asking for it costs nothing more.
fn facts(exchange: &Shared, args: &Args<'_>) -> Result<Answer, Fault> {
    let (mut timeout, mut most) = (None, None);
    for (name, value) in args.opt_table(1)? {
        let number = || value.as_f64().filter(|number| *number > 0.0);
        match name.as_str() {
            Some("timeout") => match number() {
                Some(millis) => timeout = Duration::try_from_secs_f64(millis / 1000.0).ok(),
                None => {
                    return Err(typed("Invalid", "timeout must be a number of milliseconds above zero", "invalid_state").into());
                }
            },
            Some("max_body") => match number() {
                Some(bytes) => most = Some(bytes as u64),
                None => return Err(typed("Invalid", "max_body must be a number of bytes above zero", "invalid_state").into()),
            },
            _ => {}
        }
    }
    exchange.bound(timeout, most);
    let parts = &exchange.parts;
    let header = |name: header::HeaderName| parts.headers.get(name).map_or(Value::Nil, |value| text(value.as_bytes()));
    let host = match header(header::HOST) {
        Value::Nil => parts.uri.authority().map_or(Value::Nil, |authority| authority.as_str().into()),
        host => host,
    };
    let length: i64 = match exchange.length() {
        Length::None => 0,
        Length::Known(length) => i64::try_from(length).unwrap_or(i64::MAX),
        Length::Unknown => -1,
    };
    let path = crate::query::decode(parts.uri.path(), false);
    Answer::one(Value::Map(vec![
        ("method".into(), parts.method.as_str().into()),
        ("path".into(), path.into()),
        ("host".into(), host),
        ("remote_addr".into(), exchange.remote.as_str().into()),
        ("content_type".into(), header(header::CONTENT_TYPE)),
        ("content_length".into(), length.into()),
        ("has_body".into(), (exchange.length() != Length::None).into()),
    ]))
}

fn body(call: &ModuleCall<'_>, exchange: &Shared) -> Result<Answer, Fault> {
    if exchange.length() == Length::None {
        return Answer::one("");
    }
    let (exchange, most, freight) = (Shared::clone(exchange), call.max_bytes().saturating_sub(64), call.freight());
    call.run_async(async move { Ok(vec![Value::Binary(exchange.read_all(most, freight).await?.to_vec())]) })
}

fn body_json(call: &ModuleCall<'_>, exchange: &Shared) -> Result<Answer, Fault> {
    let (exchange, most, freight) = (Shared::clone(exchange), call.max_bytes(), call.freight());
    call.run_async(async move {
        let body = exchange.read_all(most, freight).await?;
        if body.is_empty() {
            return Err(Error::new("Invalid", "invalid JSON: the body is empty").with_retryable(false));
        }
        let json: serde_json::Value = serde_json::from_slice(&body)
            .map_err(|error| Error::new("Invalid", format!("invalid JSON: {error}")).with_retryable(false))?;
        Ok(vec![document::from_json(&json)])
    })
}

fn stream(call: &ModuleCall<'_>, exchange: &Shared) -> Result<Answer, Fault> {
    // The resource must be made now, and whether the body is free shows when it is read.
    let source = Box::new(Lazy { exchange: Some(Shared::clone(exchange)), source: None });
    Answer::one(call.keep("Stream", std::sync::Arc::new(ByteStream::new(source)))?)
}

/// A body that is taken when the first piece is asked for.
struct Lazy {
    exchange: Option<Shared>,
    source: Option<Box<dyn moonlet_runtime::ByteSource>>,
}

impl moonlet_runtime::ByteSource for Lazy {
    fn next(&mut self) -> moonlet_runtime::NextBytes<'_> {
        Box::pin(async move {
            if let Some(exchange) = self.exchange.take() {
                self.source = Some(exchange.source().await?);
            }
            match &mut self.source {
                Some(source) => source.next().await,
                None => Ok(None),
            }
        })
    }

    fn size(&self) -> Option<u64> {
        match self.exchange.as_ref()?.length() {
            Length::None => Some(0),
            Length::Known(length) => Some(length),
            Length::Unknown => None,
        }
    }
}

fn is_type(exchange: &Shared, wanted: &str) -> bool {
    let media = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let of = exchange.header(header::CONTENT_TYPE.as_str()).and_then(|value| value.to_str().ok());
    of.is_some_and(|of| media(of) == media(wanted))
}

/// Tells whether a client takes a type. Who says nothing takes everything; the closest entry decides.
fn accepts(accept: Option<&str>, wanted: &str) -> bool {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else { return true };
    let wanted = wanted.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let family = wanted.split('/').next().unwrap_or_default().to_owned();
    let mut best: Option<(u8, bool)> = None;
    for part in accept.split(',') {
        let mut pieces = part.split(';').map(str::trim);
        let range = pieces.next().unwrap_or_default().to_ascii_lowercase();
        let weight = pieces.find_map(|piece| piece.strip_prefix("q=")).and_then(|weight| weight.parse::<f32>().ok());
        let rank = if range == wanted {
            3
        } else if range == format!("{family}/*") {
            2
        } else if range == "*/*" {
            1
        } else {
            continue;
        };
        if best.is_none_or(|(other, _)| rank > other) {
            best = Some((rank, weight != Some(0.0)));
        }
    }
    best.is_some_and(|(_, taken)| taken)
}

/// Writes the name of a header as people do: `content-type` as `Content-Type`.
fn canonical(name: &str) -> String {
    let mut start = true;
    let letters = name.chars().map(|letter| {
        let written = if start { letter.to_ascii_uppercase() } else { letter };
        start = letter == '-';
        written
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_range_decides() {
        for (accept, wanted, taken) in [
            (None, "text/html", true),
            (Some("application/json"), "application/json", true),
            (Some("text/*;q=0.5"), "text/html", true),
            (Some("text/*, text/html;q=0"), "text/html", false),
            (Some("*/*;q=0, text/plain"), "text/html", false),
            (Some("text/html"), "application/json", false),
        ] {
            assert_eq!(accepts(accept, wanted), taken, "{accept:?} {wanted}");
        }
    }

    #[test]
    fn names_of_headers_are_written_as_people_do() {
        assert_eq!(canonical("x-request-id"), "X-Request-Id");
    }
}
