//! What the entry of a database server says.

use std::path::{Path, PathBuf};
use std::time::Duration;

use moonlet_registry::{Entry, parse_duration};
use moonlet_runtime::Error;
use serde_json::Value as Json;

use super::super::database::{Dialect, Terms};
use crate::fail::invalid;

/// How many connections there may be when the entry sets no limit: what servers take by themselves, less some for others.
const MAX_OPEN: usize = 64;
/// How many connections wait for their next statement unless the entry says otherwise.
const MAX_IDLE: usize = 4;
/// How long a connection lives unless the entry says otherwise.
const MAX_LIFETIME: Duration = Duration::from_secs(3600);
/// How long to wait for a server unless the entry says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How a connection is made.
#[derive(Clone, PartialEq)]
pub(in crate::sql) struct ServerSettings {
    /// The id of the entry.
    pub(super) id: String,
    pub(in crate::sql) dialect: Dialect,
    pub(in crate::sql) terms: Terms,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) database: String,
    pub(super) username: String,
    /// Never shown: this type has no `Debug`.
    pub(super) password: Option<String>,
    pub(super) max_open: usize,
    pub(super) max_idle: usize,
    pub(super) max_lifetime: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) tls: Tls,
    /// Whether MySQL's times are written as in RFC 3339.
    pub(super) parse_time: bool,
    /// Whether MySQL counts the rows that it found instead of those that it changed.
    pub(super) found_rows: bool,
    /// Settings of each session on the server.
    pub(super) session: Vec<(String, String)>,
}

/// How much TLS proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// No TLS.
    Disable,
    /// TLS if the server has it.
    Prefer,
    /// TLS with whoever answers.
    Require,
    /// TLS with a server of a known authority.
    VerifyCa,
    /// TLS with the server of this name.
    VerifyFull,
}

/// TLS towards a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tls {
    pub(super) mode: Mode,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) authorities: Option<PathBuf>,
}

/// Options that other drivers know, and that mean nothing here.
const IGNORED: &[&str] = &[
    "charset",
    "collation",
    "loc",
    "allowNativePasswords",
    "checkConnLiveness",
    "interpolateParams",
    "maxAllowedPacket",
    "multiStatements",
    "readTimeout",
    "writeTimeout",
    "rejectReadOnly",
    "fallback_application_name",
    "binary_parameters",
];

impl ServerSettings {
    /// Reads an entry whose placeholders are filled.
    pub(in crate::sql) fn read(entry: &Entry, dialect: Dialect, terms: Terms, project: Option<&Path>) -> Result<Self, Error> {
        let id = entry.id.as_str();
        let text = |name: &str| entry.data.get(name).and_then(scalar).filter(|text| !text.is_empty());
        let needed = |name: &str, example: &str| {
            text(name).ok_or_else(|| invalid(format!("`{id}` has no `{name}`: write `{name}: {example}`")))
        };
        let host = needed("host", "localhost")?;
        if host.starts_with('/') || host.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err(invalid(format!("`host` of `{id}` must be the name or the address of a machine")));
        }
        let port = match text("port") {
            None if dialect == Dialect::Mysql => 3306,
            None => 5432,
            Some(port) => port
                .parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| invalid(format!("`port` of `{id}` is no port")))?,
        };
        let pool = entry.data.get("pool");
        let count = |name: &str| {
            let number = pool.and_then(|pool| pool.get(name)).and_then(scalar)?;
            number.parse::<usize>().ok()
        };
        let max_open = count("max_open").filter(|count| *count > 0).unwrap_or(MAX_OPEN);
        let max_lifetime = pool.and_then(|pool| pool.get("max_lifetime")).and_then(Json::as_str);
        let mut settings = Self {
            id: id.to_owned(),
            dialect,
            terms,
            host,
            port,
            database: needed("database", "app")?,
            username: needed("username", "app")?,
            password: text("password"),
            max_open,
            max_idle: count("max_idle").unwrap_or(MAX_IDLE).min(max_open),
            max_lifetime: max_lifetime.and_then(|text| parse_duration(text).ok()).unwrap_or(MAX_LIFETIME),
            connect_timeout: CONNECT_TIMEOUT,
            tls: Tls {
                mode: if dialect == Dialect::Postgres { Mode::Prefer } else { Mode::Disable },
                certificate: None,
                key: None,
                authorities: None,
            },
            parse_time: false,
            found_rows: false,
            session: Vec::new(),
        };
        let options = entry.data.get("options").and_then(Json::as_object);
        for (name, value) in options.into_iter().flatten() {
            let value = scalar(value).ok_or_else(|| invalid(format!("`options.{name}` of `{id}` must be a text or a number")))?;
            settings.option(name, value, project)?;
        }
        if settings.tls.certificate.is_some() != settings.tls.key.is_some() {
            return Err(invalid(format!("`sslcert` and `sslkey` of `{id}` belong together: give both or none")));
        }
        Ok(settings)
    }

    fn option(&mut self, name: &str, value: String, project: Option<&Path>) -> Result<(), Error> {
        let wrong = |allowed: &str| {
            let shown = crate::fail::shown(&value);
            invalid(format!("`options.{name}` of `{}` is `{shown}`: write {allowed}", self.id))
        };
        let path = || Some(project.map_or_else(|| PathBuf::from(&value), |project| project.join(&value)));
        match name {
            "sslmode" => {
                self.tls.mode = match value.as_str() {
                    "disable" => Mode::Disable,
                    "allow" | "prefer" => Mode::Prefer,
                    "require" => Mode::Require,
                    "verify-ca" => Mode::VerifyCa,
                    "verify-full" => Mode::VerifyFull,
                    _ => return Err(wrong("`disable`, `prefer`, `require`, `verify-ca` or `verify-full`")),
                };
            }
            "tls" if self.dialect == Dialect::Mysql => {
                self.tls.mode = match value.as_str() {
                    "false" => Mode::Disable,
                    "preferred" => Mode::Prefer,
                    "skip-verify" => Mode::Require,
                    "true" => Mode::VerifyFull,
                    _ => return Err(wrong("`true`, `false`, `skip-verify` or `preferred`")),
                };
            }
            "sslcert" => self.tls.certificate = path(),
            "sslkey" => self.tls.key = path(),
            "sslrootcert" => self.tls.authorities = path(),
            "connect_timeout" | "timeout" => {
                let seconds = value.parse::<u64>().ok().map(Duration::from_secs);
                let span = seconds.or_else(|| parse_duration(&value).ok()).filter(|span| !span.is_zero());
                self.connect_timeout = span.ok_or_else(|| wrong("a number of seconds"))?;
            }
            "parseTime" => self.parse_time = value == "true",
            "clientFoundRows" => self.found_rows = value == "true",
            _ if IGNORED.contains(&name) => {}
            _ => {
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
                if name.is_empty() || !name.bytes().all(fits) || value.contains('\0') {
                    return Err(invalid(format!("`{}` has no option `{}`", self.id, crate::fail::shown(name))));
                }
                self.session.push((name.to_owned(), value));
            }
        }
        Ok(())
    }
}

fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}
