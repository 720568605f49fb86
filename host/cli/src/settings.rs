//! How a node is watched: the log, the address of metrics, where spans go; and the network that it uses. Options of the command line win over the configuration.

use std::net::{SocketAddr, ToSocketAddrs as _};

use serde_json::Value;
use tracing_subscriber::filter::LevelFilter;

use crate::arguments::{LogFormat, WatchArguments};
use crate::failure::Failure;
use crate::telemetry::Otel;

/// What `run` was told about watching a node.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where the node tells what it uses, if anywhere.
    pub(crate) metrics: Option<SocketAddr>,
    /// Whether records of the log are JSON.
    pub(crate) json_log: bool,
    /// Whether each HTTP request is a record.
    pub(crate) access_log: bool,
    /// The least level of records; absent: what the command line says.
    pub(crate) least_level: Option<LevelFilter>,
    /// Where spans go, if there are any.
    pub(crate) otel: Option<Otel>,
    /// The entry of the network that requests go through where nobody chose another one.
    pub(crate) network: Option<String>,
}

impl Settings {
    /// Reads the sections `logger`, `logmanager`, `prometheus`, `otel` and `network_service`.
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
            (None, true) => address(&prometheus)?,
            (None, false) => None,
        };
        Ok(Self {
            metrics,
            json_log: arguments.log_format.unwrap_or(configured) == LogFormat::Json,
            access_log: arguments.access_log || logger.flag("access")?.unwrap_or(false),
            least_level: least_level(&Section::of(config, "logmanager")?)?,
            otel: Otel::read(config, |name| std::env::var(name).ok())?,
            network: Section::of(config, "network_service")?
                .text("default_network")?
                .filter(|id| !id.is_empty())
                .map(str::to_owned),
        })
    }
}

/// Reads below which level records are left out, in the numbers of the reference.
fn least_level(logmanager: &Section<'_>) -> Result<Option<LevelFilter>, Failure> {
    if logmanager.flag("propagate_downstream")? == Some(false) {
        return Ok(Some(LevelFilter::OFF));
    }
    let Some(value) = logmanager.get("min_level") else { return Ok(None) };
    match value.as_i64() {
        Some(-1) => Ok(None),
        Some(0) => Ok(Some(LevelFilter::INFO)),
        Some(1) => Ok(Some(LevelFilter::WARN)),
        Some(2) => Ok(Some(LevelFilter::ERROR)),
        _ => Err(logmanager.wrong("min_level", "-1, 0, 1 or 2", &value.to_string())),
    }
}

/// Reads where metrics are told; without an address they are not, as in the reference.
fn address(prometheus: &Section<'_>) -> Result<Option<SocketAddr>, Failure> {
    let text = prometheus.text("address")?.unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    // A port alone stands for every address, as it does for `addr` of an `http.service`.
    let whole = if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.to_owned() };
    match whole.to_socket_addrs().ok().and_then(|mut addresses| addresses.next()) {
        Some(address) => Ok(Some(address)),
        None => Err(prometheus.wrong("address", "an address with a port, such as `localhost:9464`", &format!("`{text}`"))),
    }
}

/// A section of the configuration.
pub(crate) struct Section<'a> {
    name: String,
    fields: Option<&'a Value>,
}

impl<'a> Section<'a> {
    /// Finds a section; one that is missing says nothing.
    pub(crate) fn of(config: &'a Value, name: &str) -> Result<Self, Failure> {
        Self::new(name.to_owned(), config.get(name))
    }

    /// Finds a section of this one.
    pub(crate) fn section(&self, name: &str) -> Result<Self, Failure> {
        Self::new(format!("{}.{name}", self.name), self.get(name))
    }

    fn new(name: String, fields: Option<&'a Value>) -> Result<Self, Failure> {
        match fields.filter(|fields| !fields.is_null()) {
            fields @ (Some(Value::Object(_)) | None) => Ok(Self { name, fields }),
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

    pub(crate) fn texts(&self, field: &str) -> Result<Option<Vec<String>>, Failure> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let texts = value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        texts.map(Some).ok_or_else(|| self.wrong(field, "a list of texts", &value.to_string()))
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use serde_json::json;

    use super::*;

    #[test]
    fn metrics_may_be_told_at_a_port_or_nowhere() {
        let read = |config: Value| {
            let found = address(&Section::of(&config, "prometheus").unwrap());
            found.map(|address| address.map(|address| address.to_string())).ok()
        };
        assert_eq!(read(json!({"prometheus": {"address": ":9090"}})), Some(Some("0.0.0.0:9090".to_owned())));
        assert_eq!(read(json!({"prometheus": {"address": "127.0.0.1:9090"}})), Some(Some("127.0.0.1:9090".to_owned())));
        assert_eq!(read(json!({"prometheus": {"enabled": true}})), Some(None));
        assert_eq!(read(json!({"prometheus": {"address": "nowhere"}})), None);
    }

    #[test]
    fn levels_are_the_numbers_of_the_reference() {
        let read = |config: Value| least_level(&Section::of(&config, "logmanager").unwrap()).ok();
        assert_eq!(read(json!({})), Some(None));
        assert_eq!(read(json!({"logmanager": {"min_level": -1}})), Some(None));
        assert_eq!(read(json!({"logmanager": {"min_level": 1}})), Some(Some(LevelFilter::WARN)));
        assert_eq!(read(json!({"logmanager": {"propagate_downstream": false}})), Some(Some(LevelFilter::OFF)));
        assert_eq!(read(json!({"logmanager": {"min_level": "info"}})), None);
    }
}
