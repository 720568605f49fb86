//! Entries of the HTTP server: services that listen, routers, endpoints, and files.

use std::time::Duration;

use serde_json::Value;

use super::ViewError;
use super::fields::{self, ANY_ENTRY, FUNCTION, LIFECYCLE, Reader};
use super::service::Lifecycle;
use crate::entry::Entry;
use crate::id::EntryId;
use crate::schema::{Field, Object, Target, Type, Unknown};

/// The methods that an endpoint can have.
pub const HTTP_METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"];

/// The last part of a pattern that matches its path alone, and nothing below.
const HTTP_END: &str = "{$}";

/// A server.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpService {
    /// Who it is.
    pub id: EntryId,
    /// Where it listens, such as `:8080`.
    pub addr: String,
    /// How long a client may take to send a request.
    pub read_timeout: Option<Duration>,
    /// How long an answer may take.
    pub write_timeout: Option<Duration>,
    /// How long a connection may lie idle.
    pub idle_timeout: Option<Duration>,
    /// Connections at the same time.
    pub max_connections: u64,
    /// Bytes of the header of one request.
    pub max_header: u64,
    /// Bytes of the body of one request.
    pub max_body: u64,
    /// TLS, if it has it.
    pub tls: Option<HttpTls>,
    /// When it starts and stops, and as whom its requests act.
    pub lifecycle: Lifecycle,
}

/// The TLS of a server; texts are PEM.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpTls {
    /// `manual` or `auto`.
    pub mode: String,
    /// The certificate chain.
    pub cert: String,
    /// The private key.
    pub key: String,
    /// How clients show who they are.
    pub client_auth: Option<String>,
    /// Who may have signed the certificates of clients.
    pub client_ca: Option<String>,
}

impl HttpService {
    /// Connections that a server has at the same time unless it says otherwise.
    pub const DEFAULT_MAX_CONNECTIONS: u64 = 10_000;
    /// Bytes of a header unless the server says otherwise.
    pub const DEFAULT_MAX_HEADER: u64 = 64 << 10;
    /// Bytes of a body unless the server says otherwise.
    pub const DEFAULT_MAX_BODY: u64 = 120 << 20;

    /// Sees an entry as a server.
    ///
    /// # Errors
    /// When it is of another kind, or has no address.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if entry.kind != "http.service" {
            return Err(reader.wrong_kind("an HTTP server"));
        }
        let timeout = |name: &str| {
            let value = reader.get("timeouts").and_then(|timeouts| timeouts.get(name));
            Some(fields::duration(value, Duration::ZERO)).filter(|timeout| !timeout.is_zero())
        };
        let limit = |name: &str, default: u64| {
            let value = reader.get("limits").and_then(|limits| limits.get(name));
            value.and_then(amount).unwrap_or(default)
        };
        let addr = match reader.get("addr") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(port)) => format!(":{port}"),
            _ => return Err(reader.missing("addr")),
        };
        // Networks of this build lead outwards only: a server that should listen inside of one must not listen here.
        if reader.optional_text("network").is_some_and(|network| !network.is_empty()) {
            return Err(reader.missing("network"));
        }
        Ok(Self {
            id: entry.id.clone(),
            addr,
            read_timeout: timeout("read"),
            write_timeout: timeout("write"),
            idle_timeout: timeout("idle"),
            max_connections: limit("connections", Self::DEFAULT_MAX_CONNECTIONS),
            max_header: limit("header", Self::DEFAULT_MAX_HEADER),
            max_body: limit("body", Self::DEFAULT_MAX_BODY),
            tls: reader.get("tls").and_then(tls),
            lifecycle: Lifecycle::read(entry),
        })
    }
}

fn amount(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse::<crate::units::Size>().ok().map(crate::units::Size::as_bytes),
        _ => None,
    }
}

fn tls(value: &Value) -> Option<HttpTls> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let mode = text("mode").filter(|mode| !mode.is_empty())?;
    Some(HttpTls {
        mode,
        cert: text("cert").unwrap_or_default(),
        key: text("key").unwrap_or_default(),
        client_auth: text("client_auth"),
        client_ca: text("client_ca"),
    })
}

/// What runs around the requests of a router or of files, with its options.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HttpMiddleware {
    /// Their names, the first one outermost.
    pub names: Vec<String>,
    /// Options by name, as text.
    pub options: Vec<(String, String)>,
}

impl HttpMiddleware {
    fn read(reader: &Reader<'_>, names: &str, options: &str) -> Self {
        let options = reader.get(options).and_then(Value::as_object);
        let options = options.into_iter().flatten().filter_map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Array(_) => fields::texts(Some(value)).join(","),
                _ => return None,
            };
            Some((name.clone(), text))
        });
        Self { names: fields::texts(reader.get(names)), options: options.collect() }
    }
}

/// A group of endpoints under one prefix.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpRouter {
    /// Who it is.
    pub id: EntryId,
    /// The server that it belongs to.
    pub server: EntryId,
    /// What the paths of its endpoints begin with.
    pub prefix: String,
    /// What runs before an endpoint is looked for.
    pub before: HttpMiddleware,
    /// What runs when an endpoint was found.
    pub after: HttpMiddleware,
}

impl HttpRouter {
    /// Sees an entry as a router.
    ///
    /// # Errors
    /// When it is of another kind, or names no server.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if entry.kind != "http.router" {
            return Err(reader.wrong_kind("an HTTP router"));
        }
        Ok(Self {
            id: entry.id.clone(),
            server: meta_id(entry, "server").ok_or_else(|| reader.missing("meta.server"))?,
            prefix: pattern(reader.get("prefix").and_then(Value::as_str).unwrap_or_default()),
            before: HttpMiddleware::read(&reader, "middleware", "options"),
            after: HttpMiddleware::read(&reader, "post_middleware", "post_options"),
        })
    }
}

/// A route to a function.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpEndpoint {
    /// Who it is.
    pub id: EntryId,
    /// The router that it belongs to.
    pub router: EntryId,
    /// The method, in capitals.
    pub method: String,
    /// The pattern of the path behind the prefix of the router.
    pub path: String,
    /// What answers.
    pub func: EntryId,
}

impl HttpEndpoint {
    /// Sees an entry as an endpoint.
    ///
    /// # Errors
    /// When it is of another kind, or lacks one of its fields.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if entry.kind != "http.endpoint" {
            return Err(reader.wrong_kind("an HTTP endpoint"));
        }
        Ok(Self {
            id: entry.id.clone(),
            router: meta_id(entry, "router").ok_or_else(|| reader.missing("meta.router"))?,
            method: reader.text("method")?.to_ascii_uppercase(),
            path: pattern(reader.text("path")?),
            func: reader.id("func")?,
        })
    }
}

/// Files of a volume under a path.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpStatic {
    /// Who it is.
    pub id: EntryId,
    /// The server that it belongs to.
    pub server: EntryId,
    /// What the paths begin with.
    pub path: String,
    /// The volume.
    pub fs: EntryId,
    /// The directory of the volume that is served; absent: the whole volume.
    pub directory: Option<String>,
    /// Whether paths without a file lead to the index.
    pub spa: bool,
    /// The file for directories, and for paths without a file.
    pub index: Option<String>,
    /// The value of `Cache-Control`.
    pub cache: Option<String>,
    /// What runs before a file is looked for.
    pub before: HttpMiddleware,
}

impl HttpStatic {
    /// Sees an entry as files over HTTP.
    ///
    /// # Errors
    /// When it is of another kind, or lacks one of its fields.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if entry.kind != "http.static" {
            return Err(reader.wrong_kind("files over HTTP"));
        }
        // Older applications write them among the options of the middleware.
        let option = |name: &str| {
            let places = ["static_options", "options"].into_iter().filter_map(|place| reader.get(place));
            places.filter_map(|options| options.get(name)).find(|value| !value.is_null())
        };
        let directory = reader.optional_text("directory").map(|path| path.trim_matches('/').to_owned());
        let text = |name: &str| option(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(Self {
            id: entry.id.clone(),
            server: meta_id(entry, "server").ok_or_else(|| reader.missing("meta.server"))?,
            path: reader.text("path")?.to_owned(),
            fs: reader.id("fs")?,
            directory: directory.filter(|path| !matches!(path.as_str(), "" | ".")),
            spa: fields::bool(option("spa"), false),
            index: text("index"),
            cache: text("cache"),
            before: HttpMiddleware::read(&reader, "middleware", "options"),
        })
    }
}

/// Writes a pattern in one way: `:name` is `{name}`, and what only says that nothing follows is left out.
fn pattern(path: &str) -> String {
    let path = path.strip_suffix(HTTP_END).unwrap_or(path);
    let parts = path.split('/').map(|part| match part.strip_prefix(':') {
        Some(name) if !name.is_empty() && !name.contains(['{', '}']) => format!("{{{name}}}"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

fn meta_id(entry: &Entry, name: &str) -> Option<EntryId> {
    fields::id(entry.meta.get(name)?, entry)
}

/// A server.
static SERVER: Target = Target { what: "an HTTP server", kinds: &["http.service"] };
/// A router.
static ROUTER: Target = Target { what: "an HTTP router", kinds: &["http.router"] };
/// A volume of files.
static VOLUME: Target = Target { what: "a file volume", kinds: &["fs.*"] };

pub(super) static HTTP_SERVICE: Object = Object {
    fields: &[
        Field::required("addr", Type::Scalar, "write `addr: \":8080\"`, where the server listens"),
        Field::new("timeouts", Type::Object(&TIMEOUTS)),
        Field::new("limits", Type::Object(&SERVER_LIMITS)),
        Field::new("host", Type::Object(&RELAY)),
        Field::new("network", Type::Ref(&ANY_ENTRY)),
        Field::new("tls", Type::Object(&TLS)),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

static TIMEOUTS: Object = Object {
    fields: &[Field::new("read", Type::Duration), Field::new("write", Type::Duration), Field::new("idle", Type::Duration)],
    unknown: Unknown::Warned,
};

static SERVER_LIMITS: Object = Object {
    fields: &[
        Field::new("connections", Type::Int(1, 1_000_000)),
        Field::new("header", Type::Size),
        Field::new("body", Type::Size),
    ],
    unknown: Unknown::Refused,
};

static RELAY: Object = Object {
    fields: &[Field::new("buffer_size", Type::Int(0, 1_000_000)), Field::new("worker_count", Type::Int(0, 10_000))],
    unknown: Unknown::Warned,
};

static TLS: Object = Object {
    fields: &[
        Field::new("mode", Type::Choice(&["", "manual", "auto"])),
        Field::new("cert", Type::Text),
        Field::new("key", Type::Text),
        Field::new("cert_env", Type::Text),
        Field::new("key_env", Type::Text),
        Field::new("client_ca", Type::Text),
        Field::new("client_ca_env", Type::Text),
        Field::new("client_auth", Type::Choice(&["request", "require_any", "verify_if_given", "require_and_verify"])),
    ],
    unknown: Unknown::Warned,
};

pub(super) static HTTP_ROUTER: Object = Object {
    fields: &[
        Field::new("prefix", Type::Text),
        Field::new("middleware", Type::OneOrMany(&Type::Text)),
        Field::new("options", Type::Map(&Type::Any)),
        Field::new("post_middleware", Type::OneOrMany(&Type::Text)),
        Field::new("post_options", Type::Map(&Type::Any)),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

pub(super) static HTTP_ENDPOINT: Object = Object {
    fields: &[
        Field::required("method", Type::Text, "write `method: GET`, or another method"),
        Field::required("path", Type::Text, "write `path: /...`, which requests go to this function"),
        Field::required("func", Type::Ref(&FUNCTION), "write `func: name`, the function that answers"),
    ],
    unknown: Unknown::Warned,
};

pub(super) static HTTP_STATIC: Object = Object {
    fields: &[
        Field::required("path", Type::Text, "write `path: /`, under which the files appear"),
        Field::required("fs", Type::Ref(&VOLUME), "write `fs: name`, the volume that holds the files"),
        Field::new("directory", Type::Text),
        Field::new("static_options", Type::Object(&STATIC_OPTIONS)),
        Field::new("middleware", Type::OneOrMany(&Type::Text)),
        Field::new("options", Type::Map(&Type::Any)),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

static STATIC_OPTIONS: Object = Object {
    fields: &[Field::new("spa", Type::Bool), Field::new("index", Type::Text), Field::new("cache", Type::Text)],
    unknown: Unknown::Warned,
};

pub(super) static IN_SERVER: Object = Object {
    fields: &[Field::required("server", Type::Ref(&SERVER), "write `meta: { server: name }`, the `http.service` it belongs to")],
    unknown: Unknown::Allowed,
};

pub(super) static IN_ROUTER: Object = Object {
    fields: &[Field::required("router", Type::Ref(&ROUTER), "write `meta: { router: name }`, the `http.router` it belongs to")],
    unknown: Unknown::Allowed,
};
