//! Module `metrics`: counters, gauges and histograms of applications, in the text format of Prometheus.
//!
//! They belong to the node and not to a process. Names and combinations of labels are bounded, as each of them stays for good.

use std::collections::BTreeMap;
use std::fmt::Write;

use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};
use parking_lot::Mutex;

use crate::fail::{exceeded, invalid, no_function, shown};

/// The most series of the node, and of the processes of one process host.
const MAX_SERIES: usize = 20_000;
const MAX_SERIES_OF_HOST: usize = 5_000;
/// The most labels of one series, and the longest name and value.
const MAX_LABELS: usize = 16;
const MAX_NAME: usize = 128;
const MAX_VALUE: usize = 256;
/// The upper bounds of histograms, in whatever is measured; seconds mostly.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What names of the node start with: a family of an application must not claim one of them, because a scrape with two families of one
/// name is refused as a whole.
const RESERVED: [&str; 2] = ["moonlet_", "wippy_"];
/// What the names of the series of a histogram end with.
const SUFFIXES: [&str; 3] = ["_bucket", "_sum", "_count"];

/// The module.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// Guards what was recorded; held for one record or one scrape.
    recorded: Mutex<Recorded>,
}

impl HostModule for Metrics {
    fn name(&self) -> &str {
        "metrics"
    }

    fn manifest(&self) -> Value {
        let functions = ["counter_inc", "counter_add", "gauge_set", "gauge_inc", "gauge_dec", "histogram"];
        Manifest::new().functions(&functions).build()
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        let args = Args::new(function, args);
        let (kind, has_value) = match function {
            "counter_inc" => (Kind::Counter, false),
            "counter_add" => (Kind::Counter, true),
            "gauge_set" => (Kind::Gauge, true),
            "gauge_inc" | "gauge_dec" => (Kind::Gauge, false),
            "histogram" => (Kind::Histogram, true),
            other => return Err(no_function("metrics", other)),
        };
        let name = plain_name(args.text(1)?)?;
        let value = if has_value { args.number(2)? } else { 1.0 };
        let labels = labels(args.opt_table(if has_value { 3 } else { 2 })?)?;
        if !value.is_finite() || (kind == Kind::Counter && value < 0.0) {
            let wanted = if kind == Kind::Counter { "a number of 0 or more" } else { "a finite number" };
            return Err(invalid(format!("the value of `{name}` is {value}; it must be {wanted}")).into());
        }
        let mut recorded = self.recorded.lock();
        let series = recorded.series(name, kind, labels, call.host())?;
        match function {
            "gauge_set" => series.sum = value,
            "gauge_dec" => series.sum -= value,
            _ => series.sum += value,
        }
        if kind == Kind::Histogram {
            series.count += 1;
            let counts = BUCKETS.iter().zip(&mut series.buckets).filter(|(bound, _)| value <= **bound);
            counts.for_each(|(_, count)| *count += 1);
        }
        Answer::one(true)
    }

    fn metrics(&self) -> String {
        self.recorded.lock().render()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

#[derive(Debug, Default)]
struct Recorded {
    families: BTreeMap<String, Family>,
    count: usize,
    of_hosts: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct Family {
    kind: Kind,
    /// By their labels as they are written.
    series: BTreeMap<String, Series>,
}

#[derive(Debug, Default)]
struct Series {
    /// The value; of a histogram the sum of all.
    sum: f64,
    count: u64,
    buckets: [u64; BUCKETS.len()],
}

impl Recorded {
    fn series(&mut self, name: String, kind: Kind, labels: String, host: &str) -> Result<&mut Series, Error> {
        let known = self.families.get(&name);
        if let Some(family) = known.filter(|family| family.kind != kind) {
            let message = format!("`{name}` is a {} and cannot be a {}, too", family.kind.name(), kind.name());
            return Err(invalid(message));
        }
        if known.is_none() {
            self.check_name(&name, kind)?;
        }
        if known.is_none_or(|family| !family.series.contains_key(&labels)) {
            let of_host = self.of_hosts.entry(host.to_owned()).or_default();
            if self.count >= MAX_SERIES || *of_host >= MAX_SERIES_OF_HOST {
                let message = "there are too many metrics: use fewer names, and labels with fewer different values";
                let message = format!("{message} (at most {MAX_SERIES_OF_HOST} for a process host)");
                return Err(exceeded(message, "metrics", MAX_SERIES_OF_HOST as u64));
            }
            self.count += 1;
            *of_host += 1;
        }
        let family = self.families.entry(name).or_insert_with(|| Family { kind, series: BTreeMap::new() });
        Ok(family.series.entry(labels).or_default())
    }

    /// Refuses the name of a new family whose lines could be taken for those of another one.
    fn check_name(&self, name: &str, kind: Kind) -> Result<(), Error> {
        if let Some(prefix) = RESERVED.iter().find(|prefix| name.starts_with(**prefix)) {
            return Err(invalid(format!("`{name}` cannot be a metric: names that start with `{prefix}` belong to the node")));
        }
        let bases = SUFFIXES.iter().filter_map(|suffix| name.strip_suffix(suffix));
        let is_histogram = |base: &str| self.families.get(base).is_some_and(|family| family.kind == Kind::Histogram);
        let base = bases.into_iter().find(|base| is_histogram(base)).map(str::to_owned);
        let mut parts = SUFFIXES.iter().map(|suffix| format!("{name}{suffix}"));
        let taken = if kind == Kind::Histogram { parts.find(|part| self.families.contains_key(part)) } else { None };
        match base.or(taken) {
            Some(other) => {
                Err(invalid(format!("`{name}` cannot be a metric beside `{other}`: their lines would have the same names")))
            }
            None => Ok(()),
        }
    }

    fn render(&self) -> String {
        let mut text = String::new();
        for (name, family) in &self.families {
            let _ = writeln!(text, "# TYPE {name} {}", family.kind.name());
            for (labels, series) in &family.series {
                if family.kind == Kind::Histogram {
                    series.render(&mut text, name, labels);
                } else {
                    let _ = writeln!(text, "{name}{} {}", braced(labels), series.sum);
                }
            }
        }
        text
    }
}

impl Series {
    fn render(&self, text: &mut String, name: &str, labels: &str) {
        let comma = if labels.is_empty() { "" } else { "," };
        for (bound, count) in BUCKETS.iter().zip(self.buckets) {
            let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}");
        }
        let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {}", self.count);
        let _ = writeln!(text, "{name}_sum{} {}", braced(labels), self.sum);
        let _ = writeln!(text, "{name}_count{} {}", braced(labels), self.count);
    }
}

fn braced(labels: &str) -> String {
    if labels.is_empty() { String::new() } else { format!("{{{labels}}}") }
}

/// Makes a name that Prometheus takes: other characters become `_`.
fn plain_name(name: &str) -> Result<String, Error> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(invalid(format!("the name of a metric or a label has 1 to {MAX_NAME} bytes, not `{}`", shown(name))));
    }
    let keep = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == ':' { c } else { '_' };
    let plain: String = name.chars().map(keep).collect();
    Ok(if plain.starts_with(|c: char| c.is_ascii_digit()) { format!("_{plain}") } else { plain })
}

/// Writes labels in the order of their names.
fn labels(fields: &[(Value, Value)]) -> Result<String, Error> {
    if fields.len() > MAX_LABELS {
        return Err(invalid(format!("a metric has at most {MAX_LABELS} labels, not {}", fields.len())));
    }
    let mut labels = BTreeMap::new();
    for (name, value) in fields {
        let name = plain_name(name.as_str().ok_or_else(|| invalid("labels are named values, such as {method = \"GET\"}"))?)?;
        if name == "le" || name.starts_with("__") {
            return Err(invalid(format!("the label `{name}` is reserved")));
        }
        let text = match value {
            Value::String(text) => text.as_str().unwrap_or("").to_owned(),
            Value::Integer(value) => value.to_string(),
            Value::F64(value) => value.to_string(),
            Value::Boolean(value) => value.to_string(),
            _ => return Err(invalid(format!("the label `{name}` must be a string, a number or a boolean"))),
        };
        if text.len() > MAX_VALUE {
            return Err(invalid(format!("the label `{name}` is longer than {MAX_VALUE} bytes")));
        }
        labels.insert(name, text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
    }
    Ok(labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_is_recorded_is_written() {
        let mut recorded = Recorded::default();
        let labels = labels(&[("path".into(), "a\"b".into()), ("code".into(), 200.into())]).unwrap();
        recorded.series("requests_total".to_owned(), Kind::Counter, labels, "h").unwrap().sum += 2.0;
        let series = recorded.series("seconds".to_owned(), Kind::Histogram, String::new(), "h").unwrap();
        series.sum = 0.3;
        series.count = 1;
        let text = recorded.render();
        assert!(text.contains("# TYPE requests_total counter\nrequests_total{code=\"200\",path=\"a\\\"b\"} 2\n"), "{text}");
        assert!(text.contains("seconds_bucket{le=\"+Inf\"} 1\nseconds_sum 0.3\nseconds_count 1\n"), "{text}");
    }

    #[test]
    fn no_family_can_be_taken_for_another_one() {
        let mut recorded = Recorded::default();
        let mut add = |name: &str, kind: Kind| recorded.series(name.to_owned(), kind, String::new(), "h").map(|_| ());
        assert!(add("moonlet_processes", Kind::Gauge).is_err());
        assert!(add("wippy_http_requests_total", Kind::Counter).is_err());
        add("seconds", Kind::Histogram).unwrap();
        assert!(add("seconds_count", Kind::Counter).is_err());
        add("size_sum", Kind::Gauge).unwrap();
        assert!(add("size", Kind::Histogram).is_err());
        assert!(add("size", Kind::Gauge).is_ok());
    }

    #[test]
    fn series_are_bounded() {
        let mut recorded = Recorded::default();
        let mut add =
            |host: &str, number: usize| recorded.series("n".to_owned(), Kind::Gauge, format!("l=\"{number}\""), host).map(|_| ());
        for number in 0..MAX_SERIES_OF_HOST {
            add("a", number).unwrap();
        }
        assert_eq!(add("a", MAX_SERIES).unwrap_err().kind, "LimitExceeded");
        assert!(add("a", 0).is_ok() && add("b", MAX_SERIES).is_ok());
        assert!(recorded.series("n".to_owned(), Kind::Counter, String::new(), "b").is_err());
    }
}
