//! What the section `otel` of the configuration and the variables of OpenTelemetry say.

use hyper::Uri;
use moonlet_runtime::{Sampler, SpanSource};
use serde_json::Value;

use crate::failure::Failure;
use crate::settings::Section;

/// Where a collector listens unless something else is said.
const ENDPOINT: &str = "localhost:4318";
/// Where it takes spans.
const PATH: &str = "/v1/traces";

/// Where spans go, and which there are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Otel {
    /// The collector, as it is shown.
    pub(crate) target: String,
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) path: String,
    /// Headers of each request, such as a key.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) service_name: String,
    pub(crate) service_version: Option<String>,
    pub(crate) sampler: Sampler,
    pub(crate) extract: bool,
    pub(crate) inject: bool,
    pub(crate) sources: Vec<SpanSource>,
}

impl Otel {
    /// Reads the configuration; variables win. None: spans are not wanted.
    ///
    /// They are wanted with `otel.enabled`, or where `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector and the configuration does not say no.
    pub(crate) fn read(config: &Value, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Failure> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let otel = Section::of(config, "otel")?;
        let named = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT"));
        let wanted = otel.flag("enabled")?.unwrap_or(named.is_some()) && otel.flag("traces_enabled")?.unwrap_or(true);
        let disabled = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if !wanted || disabled {
            return Ok(None);
        }
        let protocol = variable("OTEL_EXPORTER_OTLP_PROTOCOL").or(otel.text("protocol")?.map(str::to_owned));
        if let Some(protocol) = protocol.filter(|protocol| !matches!(protocol.as_str(), "http/protobuf" | "http/json")) {
            let failure = otel.wrong("protocol", "`http/json` or `http/protobuf`", &format!("`{protocol}`"));
            return Err(failure.help("spans go out by HTTP; collectors listen for that on port 4318"));
        }
        let endpoint = named.clone().or(otel.text("endpoint")?.map(str::to_owned)).unwrap_or_else(|| ENDPOINT.to_owned());
        let whole = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").is_some();
        let insecure = otel.flag("insecure")?.unwrap_or(true);
        let Some((tls, host, port, path)) = parts(&endpoint, insecure, whole) else {
            return Err(otel.wrong("endpoint", "an address such as `localhost:4318` or a URL", &format!("`{endpoint}`")));
        };
        let target = format!("{}://{host}:{port}{path}", if tls { "https" } else { "http" });
        let propagators = match variable("OTEL_PROPAGATORS") {
            Some(list) => list.split(',').map(|name| name.trim().to_owned()).collect(),
            None => otel.texts("propagators")?.unwrap_or_else(|| vec!["tracecontext".to_owned()]),
        };
        let carried = propagators.iter().any(|name| name == "tracecontext");
        let text = |name: &str, field: &str| Ok::<_, Failure>(variable(name).or(otel.text(field)?.map(str::to_owned)));
        let (http, process) = (otel.section("http")?, otel.section("process")?);
        let (queue, interceptor) = (otel.section("queue")?, otel.section("interceptor")?);
        let is_on = |section: &Section<'_>, field: &str| Ok::<_, Failure>(section.flag(field)?.unwrap_or(true));
        let lives = is_on(&process, "enabled")? && is_on(&process, "trace_lifecycle")?;
        let sources = [
            (SpanSource::Http, is_on(&http, "enabled")?),
            (SpanSource::Process, lives),
            (SpanSource::Queue, is_on(&queue, "enabled")?),
            (SpanSource::Function, is_on(&interceptor, "enabled")?),
        ];
        Ok(Some(Self {
            target,
            tls,
            host,
            port,
            path,
            headers: variable("OTEL_EXPORTER_OTLP_HEADERS").map(|list| headers(&list)).unwrap_or_default(),
            service_name: text("OTEL_SERVICE_NAME", "service_name")?.unwrap_or_else(|| "moonlet".to_owned()),
            service_version: text("OTEL_SERVICE_VERSION", "service_version")?,
            sampler: sampler(&otel, variable("OTEL_TRACES_SAMPLER").as_deref(), variable("OTEL_TRACES_SAMPLER_ARG").as_deref())?,
            extract: carried && is_on(&http, "extract_headers")?,
            inject: carried && is_on(&http, "inject_headers")?,
            sources: sources.into_iter().filter(|(_, on)| *on).map(|(source, _)| source).collect(),
        }))
    }
}

/// Takes an address or URL apart: TLS, host, port, path.
fn parts(endpoint: &str, insecure: bool, whole: bool) -> Option<(bool, String, u16, String)> {
    let scheme = if insecure { "http" } else { "https" };
    let url = if endpoint.contains("://") { endpoint.to_owned() } else { format!("{scheme}://{endpoint}") };
    let url: Uri = url.parse().ok()?;
    let tls = match url.scheme_str()? {
        "http" => false,
        "https" => true,
        _ => return None,
    };
    let host = url.host()?.trim_matches(['[', ']']).to_owned();
    let port = url.port_u16().unwrap_or(if tls { 443 } else { 4318 });
    let path = if whole { url.path().to_owned() } else { format!("{}{PATH}", url.path().trim_end_matches('/')) };
    (!host.is_empty()).then_some((tls, host, port, path))
}

/// Reads `name=value,name=value`.
fn headers(list: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    list.split(',').filter_map(pair).collect()
}

/// Reads which traces are kept.
fn sampler(otel: &Section<'_>, name: Option<&str>, argument: Option<&str>) -> Result<Sampler, Failure> {
    let ratio = match argument {
        Some(text) => text.parse().ok(),
        None => otel.get("sample_rate").map_or(Some(1.0), Value::as_f64),
    };
    let Some(ratio) = ratio.filter(|ratio| (0.0..=1.0).contains(ratio)) else {
        let found = argument.map_or_else(|| otel.get("sample_rate").map(Value::to_string).unwrap_or_default(), str::to_owned);
        return Err(otel.wrong("sample_rate", "a number from 0 to 1", &found));
    };
    let (follows_parent, ratio) = match name.unwrap_or("parentbased_traceidratio") {
        "always_on" => (false, 1.0),
        "always_off" => (false, 0.0),
        "traceidratio" => (false, ratio),
        "parentbased_always_on" => (true, 1.0),
        "parentbased_always_off" => (true, 0.0),
        "parentbased_traceidratio" => (true, ratio),
        other => {
            let known = "always_on, always_off, traceidratio, and these with parentbased_ in front";
            return Err(Failure::message(format!("`OTEL_TRACES_SAMPLER` is `{other}`")).help(format!("it may be {known}")));
        }
    };
    Ok(Sampler { follows_parent, ratio })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    fn read(config: &Value, variables: &[(&str, &str)]) -> Result<Option<Otel>, Failure> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Otel::read(config, find)
    }

    #[test]
    fn spans_are_wanted_when_somebody_says_so() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example/base/");
        let on = json!({ "otel": { "enabled": true } });
        assert_eq!(read(&Value::Null, &[]).unwrap(), None);
        assert_eq!(read(&json!({ "otel": { "endpoint": "a:1" } }), &[]).unwrap(), None);
        assert_eq!(read(&json!({ "otel": { "enabled": false } }), &[endpoint]).unwrap(), None);
        assert_eq!(read(&on, &[("OTEL_SDK_DISABLED", "true")]).unwrap(), None);
        assert_eq!(read(&on, &[]).unwrap().unwrap().target, "http://localhost:4318/v1/traces");
        assert_eq!(read(&Value::Null, &[endpoint]).unwrap().unwrap().target, "https://collector.example:443/base/v1/traces");
        let whole = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://[::1]:9/here");
        let otel = read(&on, &[endpoint, whole]).unwrap().unwrap();
        assert_eq!((otel.host.as_str(), otel.port, otel.path.as_str()), ("::1", 9, "/here"));
    }

    #[test]
    fn variables_win() {
        let config = json!({ "otel": {
            "enabled": true, "service_name": "a", "sample_rate": 0.5, "queue": { "enabled": false },
            "process": { "trace_lifecycle": false }, "http": { "inject_headers": false },
        } });
        let otel = read(&config, &[]).unwrap().unwrap();
        assert_eq!((otel.service_name.as_str(), otel.sampler), ("a", Sampler { follows_parent: true, ratio: 0.5 }));
        assert_eq!(otel.sources, [SpanSource::Http, SpanSource::Function]);
        assert!(otel.extract && !otel.inject);
        let variables = [
            ("OTEL_SERVICE_NAME", "b"),
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("OTEL_PROPAGATORS", "baggage"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "key=a=b, other=c"),
        ];
        let otel = read(&config, &variables).unwrap().unwrap();
        assert_eq!((otel.service_name.as_str(), otel.sampler), ("b", Sampler { follows_parent: false, ratio: 0.25 }));
        assert!(!otel.extract && !otel.inject);
        assert_eq!(otel.headers, [("key".to_owned(), "a=b".to_owned()), ("other".to_owned(), "c".to_owned())]);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for wrong in [
            json!({ "enabled": true, "protocol": "grpc" }),
            json!({ "enabled": true, "endpoint": "ftp://a" }),
            json!({ "enabled": true, "sample_rate": 2 }),
            json!({ "enabled": "yes" }),
            json!({ "enabled": true, "http": true }),
            json!(1),
        ] {
            assert!(read(&json!({ "otel": wrong }), &[]).is_err(), "{wrong}");
        }
        assert!(read(&json!({ "otel": { "enabled": true } }), &[("OTEL_TRACES_SAMPLER", "maybe")]).is_err());
    }
}
