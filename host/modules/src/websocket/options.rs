//! Options of a connection.

use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use moonlet_registry::parse_duration;
use moonlet_runtime::{Error, Fault, Value};

use super::invalid;

/// How long connecting may take unless the program says otherwise.
const DIAL_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of one message unless the program says otherwise, and at most.
const READ_LIMIT: usize = 1 << 20;
const MAX_READ_LIMIT: i64 = 128 << 20;
/// Headers of the handshake.
const MAX_HEADERS: usize = 100;
/// Headers that the handshake sets itself.
const OWN: [HeaderName; 7] = [
    header::HOST,
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::SEC_WEBSOCKET_EXTENSIONS,
    header::CONTENT_LENGTH,
];

/// What a program says about a connection.
pub(super) struct Options {
    pub(super) headers: HeaderMap,
    pub(super) protocols: Vec<String>,
    pub(super) dial_timeout: Duration,
    pub(super) read_timeout: Option<Duration>,
    pub(super) write_timeout: Option<Duration>,
    pub(super) read_limit: usize,
}

impl Options {
    pub(super) fn read(fields: &[(Value, Value)]) -> Result<Self, Fault> {
        let option = |name: &str| fields.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value);
        let mut options = Self {
            headers: HeaderMap::new(),
            protocols: Vec::new(),
            dial_timeout: DIAL_TIMEOUT,
            read_timeout: None,
            write_timeout: None,
            read_limit: READ_LIMIT,
        };
        if let Some(headers) = option("headers") {
            options.add_headers(headers)?;
        }
        if let Some(protocols) = option("protocols") {
            let list = match protocols {
                Value::Array(list) => list.as_slice(),
                single => std::slice::from_ref(single),
            };
            for protocol in list {
                let Some(text) = protocol.as_str() else {
                    return Err(Fault::Raised("protocols: list of strings expected".to_owned()));
                };
                let good = !text.is_empty()
                    && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte));
                if !good {
                    return Err(invalid(format!("`{}` is no name of a protocol", text.escape_debug())).into());
                }
                options.protocols.push(text.to_owned());
            }
        }
        if let Some(timeout) = duration("dial_timeout", option("dial_timeout"))? {
            options.dial_timeout = timeout;
        }
        options.read_timeout = duration("read_timeout", option("read_timeout"))?;
        options.write_timeout = duration("write_timeout", option("write_timeout"))?;
        if let Some(limit) = number("read_limit", option("read_limit"), 0, MAX_READ_LIMIT)?.filter(|limit| *limit > 0) {
            options.read_limit = usize::try_from(limit).unwrap_or(READ_LIMIT);
        }
        // Compression is never negotiated, and the mailbox bounds what waits: these only have to be in their range.
        number("compression", option("compression"), 0, 2)?;
        number("compression_threshold", option("compression_threshold"), 0, 100 << 20)?;
        number("channel_capacity", option("channel_capacity"), 1, 10_000)?;
        Ok(options)
    }

    fn add_headers(&mut self, headers: &Value) -> Result<(), Fault> {
        let Value::Map(fields) = headers else {
            return if headers.as_array().is_some_and(Vec::is_empty) {
                Ok(())
            } else {
                Err(Fault::Raised("headers: table expected".to_owned()))
            };
        };
        for (name, value) in fields {
            let (Some(name), Some(text)) = (name.as_str(), value.as_str()) else {
                return Err(Fault::Raised("headers: strings expected".to_owned()));
            };
            let header =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid(format!("`{name}` is no name of a header")))?;
            let value = HeaderValue::from_str(text)
                .map_err(|_| invalid(format!("the value of `{name}` has characters that a header cannot have")))?;
            if !OWN.contains(&header) {
                self.headers.insert(header, value);
            }
            if self.headers.len() > MAX_HEADERS {
                return Err(invalid(format!("a handshake has at most {MAX_HEADERS} headers")).into());
            }
        }
        Ok(())
    }
}

/// Reads a number of milliseconds, or a text such as `5s`; zero is none.
fn duration(name: &str, value: Option<&Value>) -> Result<Option<Duration>, Error> {
    let read = match value {
        None | Some(Value::Nil) => return Ok(None),
        Some(Value::String(text)) => parse_duration(text.as_str().unwrap_or_default()).map_err(|error| error.to_string()),
        Some(other) => {
            let millis = other.as_f64().ok_or_else(|| "a number of milliseconds or a text such as \"5s\" is needed".to_owned());
            millis.and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).map_err(|error| error.to_string()))
        }
    };
    let read = read.map_err(|problem| invalid(format!("invalid {name}: {problem}")))?;
    Ok(Some(read).filter(|read| !read.is_zero()))
}

fn number(name: &str, value: Option<&Value>, least: i64, most: i64) -> Result<Option<i64>, Fault> {
    let Some(value) = value.filter(|value| !value.is_nil()) else { return Ok(None) };
    let Some(number) = value.as_i64() else { return Err(Fault::Raised(format!("{name}: number expected"))) };
    if (least..=most).contains(&number) {
        return Ok(Some(number));
    }
    Err(invalid(format!("{name} must be from {least} to {most}, and is {number}")).into())
}
