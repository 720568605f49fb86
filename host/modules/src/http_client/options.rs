//! What a program says about a request.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use moonlet_registry::parse_duration;
use moonlet_runtime::{ByteStream, Error, Fault, ModuleCall, Value};

use super::multipart::{self, Content, Part, Reader};
use super::tls::TlsOptions;
use super::uri::{Url, encode};
use super::{SPOOL, invalid};
use crate::archive::Spooled;
use crate::fs::{FILE, OpenFile};

/// How long a request may take unless the program says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);
/// The longest time that a program may give.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3600);
/// Headers of one request.
const MAX_HEADERS: usize = 100;
/// Headers that say how a body is framed, which is for the client to say.
const FRAMING: [HeaderName; 5] =
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::UPGRADE, header::TRAILER];

/// A request as it is to be sent.
pub(super) struct Plan {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Content,
    pub(super) timeout: Duration,
    pub(super) stream: bool,
    /// Bytes of the answer, if the program bounds them.
    pub(super) max_body: Option<usize>,
    pub(super) unix_socket: Option<String>,
    pub(super) tls: TlsOptions,
    /// The entry of the network that it goes through, if the program says.
    pub(super) overlay: Option<String>,
}

impl Plan {
    /// Reads method, address and options.
    ///
    /// # Errors
    ///
    /// Raises for wrong types, `Invalid` for wrong values.
    pub(super) fn read(call: &ModuleCall<'_>, method: &str, url: &str, options: &Value) -> Result<Self, Fault> {
        let name = method.to_ascii_uppercase();
        let method = Method::from_bytes(name.as_bytes()).map_err(|_| invalid(format!("`{method}` is no method")))?;
        if method == Method::CONNECT {
            return Err(invalid("the method CONNECT makes tunnels, which this module does not").into());
        }
        let url = Url::parse(url, ["http", "https"]).map_err(|problem| invalid(format!("invalid URL: {problem}")))?;
        let mut plan = Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Content::Bytes(Bytes::new()),
            timeout: DEFAULT_TIMEOUT,
            stream: false,
            max_body: None,
            unix_socket: None,
            tls: TlsOptions::default(),
            overlay: None,
        };
        let fields = match options {
            Value::Map(fields) => fields.as_slice(),
            _ => &[],
        };
        let option = |name: &str| fields.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value);
        if let Some(headers) = option("headers") {
            plan.add_headers(headers)?;
        }
        if let Some(query) = option("query") {
            plan.url.add_query(&form(table(query, "query")?)?);
        }
        plan.add_cookies(option("cookies"))?;
        plan.add_auth(option("auth"))?;
        plan.add_body(call, option("body"), option("form"), option("files"))?;
        if let Some(timeout) = option("timeout") {
            plan.timeout = duration(timeout)?;
        }
        plan.stream = flag(option("stream"), "stream")?;
        plan.max_body = match option("max_response_body").map(|value| (value, value.as_f64())) {
            None => None,
            Some((_, Some(most))) if most >= 0.0 => Some(most as usize).filter(|most| *most > 0),
            Some((_, Some(_))) => return Err(invalid("max_response_body must not be negative").into()),
            Some(_) => return Err(Fault::Raised("max_response_body: number expected".to_owned())),
        };
        plan.unix_socket = option("unix_socket").and_then(Value::as_str).map(str::to_owned);
        if let Some(tls) = option("tls") {
            plan.tls = TlsOptions::read(tls)?;
        }
        if let Some(network) = option("overlay_network").filter(|network| !network.is_nil()) {
            let id = network.as_str().filter(|id| !id.is_empty());
            let id = id.ok_or_else(|| Fault::Raised("overlay_network: the id of an entry expected".to_owned()))?;
            plan.overlay = Some(call.resolve(id));
        }
        Ok(plan)
    }

    fn add_headers(&mut self, headers: &Value) -> Result<(), Fault> {
        for (name, value) in table(headers, "headers")? {
            let name = name.as_str().unwrap_or_default();
            let header =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid(format!("`{name}` is no name of a header")))?;
            let values = match value {
                Value::Array(values) => values.as_slice(),
                value => std::slice::from_ref(value),
            };
            for value in values {
                let Some(text) = bytes(value) else {
                    return Err(Fault::Raised(format!("headers.{name}: string expected")));
                };
                let value = HeaderValue::from_bytes(&text)
                    .map_err(|_| invalid(format!("the value of `{name}` has characters that a header cannot have")))?;
                if !FRAMING.contains(&header) {
                    self.headers.append(header.clone(), value);
                }
                if self.headers.len() > MAX_HEADERS {
                    return Err(invalid(format!("a request has at most {MAX_HEADERS} headers")).into());
                }
            }
        }
        Ok(())
    }

    fn add_cookies(&mut self, cookies: Option<&Value>) -> Result<(), Fault> {
        let Some(cookies) = cookies else { return Ok(()) };
        let mut pairs = Vec::new();
        for (name, value) in table(cookies, "cookies")? {
            let (name, value) = (bytes(name).unwrap_or_default(), bytes(value).unwrap_or_default());
            pairs.push((String::from_utf8_lossy(&name).into_owned(), String::from_utf8_lossy(&value).into_owned()));
        }
        pairs.sort();
        let good = |text: &str| !text.chars().any(|letter| letter.is_control() || matches!(letter, ';' | ',' | '"' | '\\'));
        if let Some((name, _)) = pairs.iter().find(|(name, value)| !good(name) || !good(value) || name.contains(['=', ' '])) {
            return Err(invalid(format!("the cookie `{}` has characters that a cookie cannot have", name.escape_debug())).into());
        }
        let text = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        if let Ok(value) = HeaderValue::from_str(&text) {
            self.headers.append(header::COOKIE, value);
        }
        Ok(())
    }

    fn add_auth(&mut self, auth: Option<&Value>) -> Result<(), Fault> {
        let pair = match auth {
            Some(auth) => {
                let fields = table(auth, "auth")?;
                let field = |name: &str| {
                    let found = fields.iter().find(|(key, _)| key.as_str() == Some(name));
                    found.and_then(|(_, value)| bytes(value)).unwrap_or_default()
                };
                [field("user"), field("pass")].join(&b':')
            }
            None => match self.url.user.take() {
                Some(user) => user.into_bytes(),
                None => return Ok(()),
            },
        };
        if self.headers.contains_key(header::AUTHORIZATION) && auth.is_none() {
            return Ok(());
        }
        let text = format!("Basic {}", data_encoding::BASE64.encode(&pair));
        if let Ok(value) = HeaderValue::from_str(&text) {
            self.headers.insert(header::AUTHORIZATION, value);
        }
        Ok(())
    }

    fn add_body(
        &mut self,
        call: &ModuleCall<'_>,
        body: Option<&Value>,
        fields: Option<&Value>,
        files: Option<&Value>,
    ) -> Result<(), Fault> {
        if let Some(files) = files {
            let mut parts = Vec::new();
            if let Some(fields) = fields {
                for (name, value) in pairs(table(fields, "form")?)? {
                    parts.push(Part::field(&name, value));
                }
            }
            let list = match files {
                Value::Array(files) => files.as_slice(),
                _ => return Err(Fault::Raised("files: list of tables expected".to_owned())),
            };
            for (index, file) in list.iter().enumerate() {
                parts.push(part(call, file).map_err(|problem| invalid(format!("files[{}]: {problem}", index + 1)))?);
            }
            let boundary = multipart::boundary();
            if let Ok(value) = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}")) {
                self.headers.insert(header::CONTENT_TYPE, value);
            }
            self.body = Content::Parts(boundary, parts);
        } else if let Some(fields) = fields {
            let text = form(table(fields, "form")?)?;
            self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            self.body = Content::Bytes(text.into());
        } else if let Some(body) = body {
            let Some(bytes) = bytes(body) else { return Err(Fault::Raised("body: string expected".to_owned())) };
            self.body = Content::Bytes(bytes.into());
        }
        Ok(())
    }
}

fn part(call: &ModuleCall<'_>, file: &Value) -> Result<Part, String> {
    let Value::Map(fields) = file else { return Err("a table with `name` and `content` is needed".to_owned()) };
    let field = |name: &str| fields.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value);
    let text = |name: &str| field(name).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").ok_or("`name` is missing, the field of the form")?;
    let filename = text("filename").unwrap_or_else(|| name.clone());
    if let Some(content) = field("content") {
        let content = bytes(content).ok_or("`content` is no string")?;
        return Ok(Part::file(&name, &filename, content));
    }
    let reader = field("reader").ok_or("`content` or `reader` is missing")?;
    let reader = self::reader(call, reader).ok_or("`reader` is no file or stream that can be sent")?;
    Ok(Part::reader(&name, &filename, reader))
}

/// Finds what the host can read by itself; whatever else can be read, `readers.lua` reads into a spool.
pub(super) fn reader(call: &ModuleCall<'_>, value: &Value) -> Option<Reader> {
    if let Some(file) = call.foreign::<OpenFile>("fs", FILE, value) {
        return Some(Reader::File(file));
    }
    if let Some(spool) = call.foreign::<Spooled>("http_client", SPOOL, value) {
        return Some(Reader::Spool(spool));
    }
    let modules = ["http_client", "http", "archive"];
    modules.iter().find_map(|module| call.foreign::<ByteStream>(module, "Stream", value)).map(Reader::Stream)
}

fn table<'a>(value: &'a Value, name: &str) -> Result<&'a [(Value, Value)], Fault> {
    match value {
        Value::Map(fields) => Ok(fields),
        Value::Array(items) if items.is_empty() => Ok(&[]),
        _ => Err(Fault::Raised(format!("{name}: table expected"))),
    }
}

fn flag(value: Option<&Value>, name: &str) -> Result<bool, Fault> {
    match value {
        None | Some(Value::Nil) => Ok(false),
        // A table of settings for the stream switches it on, too.
        Some(Value::Map(_) | Value::Array(_)) => Ok(true),
        Some(value) => value.as_bool().ok_or_else(|| Fault::Raised(format!("{name}: boolean expected"))),
    }
}

/// Reads a text, or a number or boolean as text.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Binary(bytes) => Some(bytes.clone()),
        Value::Integer(number) => Some(number.to_string().into_bytes()),
        Value::F64(number) => Some(number.to_string().into_bytes()),
        Value::Boolean(flag) => Some(flag.to_string().into_bytes()),
        _ => None,
    }
}

/// Lists fields in the order of their names; a list of values gives one for each.
fn pairs(fields: &[(Value, Value)]) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    let mut pairs = Vec::new();
    for (name, value) in fields {
        let name = String::from_utf8_lossy(&bytes(name).unwrap_or_default()).into_owned();
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values {
            let Some(text) = bytes(value) else { return Err(Fault::Raised(format!("`{name}`: string expected"))) };
            pairs.push((name.clone(), text));
        }
    }
    pairs.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(pairs)
}

fn form(fields: &[(Value, Value)]) -> Result<String, Fault> {
    let pairs = pairs(fields)?;
    let texts = pairs.iter().map(|(name, value)| format!("{}={}", encode(name.as_bytes()), encode(value)));
    Ok(texts.collect::<Vec<_>>().join("&"))
}

/// Reads a number of seconds, or a text such as `1m30s`.
fn duration(value: &Value) -> Result<Duration, Error> {
    let read = match value {
        Value::String(text) => parse_duration(text.as_str().unwrap_or_default()).map_err(|error| error.to_string()),
        other => {
            let seconds = other.as_f64().ok_or_else(|| "a number of seconds or a text such as \"30s\" is needed".to_owned());
            seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string()))
        }
    };
    let read = read.map_err(|problem| invalid(format!("invalid timeout: {problem}")))?;
    Ok(if read.is_zero() { DEFAULT_TIMEOUT } else { read.min(MAX_TIMEOUT) })
}
