//! How a node is watched: the log, the address of metrics. Options of the command line win over the configuration.

use std::net::{SocketAddr, ToSocketAddrs as _};

use serde_json::Value;

use crate::arguments::{LogFormat, WatchArguments};
use crate::failure::Failure;

/// What `run` was told about watching a node.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where the node tells what it uses, if anywhere.
    pub(crate) metrics: Option<SocketAddr>,
    /// Whether records of the log are JSON.
    pub(crate) json_log: bool,
    /// Whether each HTTP request is a record.
    pub(crate) access_log: bool,
}

impl Settings {
    /// Reads the sections `logger` and `prometheus`.
    pub(crate) fn read(config: &Value, arguments: &WatchArguments) -> Result<Self, Failure> {
        let logger = Section::of(config, "logger")?;
        let configured = match logger.text("encoding")? {
            None | Some("console" | "text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => return Err(logger.wrong("encoding", "`console` or `json`", &format!("`{other}`"))),
        };
        let prometheus = Section::of(config, "prometheus")?;
        let metrics = match (arguments.metrics, prometheus.flag("enabled")?.unwrap_or(false)) {
            (Some(address), _) => Some(address),
            (None, true) => Some(address(&prometheus)?),
            (None, false) => None,
        };
        Ok(Self {
            metrics,
            json_log: arguments.log_format.unwrap_or(configured) == LogFormat::Json,
            access_log: arguments.access_log || logger.flag("access")?.unwrap_or(false),
        })
    }
}

fn address(prometheus: &Section<'_>) -> Result<SocketAddr, Failure> {
    let text = prometheus.text("address")?.unwrap_or_default();
    let found = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.ok_or_else(|| prometheus.wrong("address", "an address with a port, such as `localhost:9464`", &format!("`{text}`")))
}

/// A section of the configuration.
pub(crate) struct Section<'a> {
    name: &'a str,
    fields: Option<&'a Value>,
}

impl<'a> Section<'a> {
    /// Finds a section; one that is missing says nothing.
    pub(crate) fn of(config: &'a Value, name: &'a str) -> Result<Self, Failure> {
        let section = Self { name, fields: config.get(name).filter(|fields| !fields.is_null()) };
        match section.fields {
            Some(Value::Object(_)) | None => Ok(section),
            Some(_) => Err(Failure::message(format!("the section `{name}` of the configuration must be a map"))),
        }
    }

    pub(crate) fn get(&self, field: &str) -> Option<&'a Value> {
        self.fields?.get(field).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, field: &str) -> Result<Option<&'a str>, Failure> {
        let wrong = |value: &Value| self.wrong(field, "a text", &value.to_string());
        self.get(field).map(|value| value.as_str().ok_or_else(|| wrong(value))).transpose()
    }

    pub(crate) fn flag(&self, field: &str) -> Result<Option<bool>, Failure> {
        let wrong = |value: &Value| self.wrong(field, "true or false", &value.to_string());
        self.get(field).map(|value| value.as_bool().ok_or_else(|| wrong(value))).transpose()
    }

    /// Says that a field is not what it must be.
    pub(crate) fn wrong(&self, field: &str, wanted: &str, found: &str) -> Failure {
        Failure::message(format!("`{}.{field}` of the configuration must be {wanted}, and is {found}", self.name))
    }
}
