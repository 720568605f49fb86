//! Numbers about requests, for Prometheus: how many there were, how long they took, and how many go on.
//!
//! A label is what an operator wrote (servers, patterns of routes) or one of a few words (methods, status codes), never what a client sent:
//! each combination is a series that stays for good.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use http::{Method, StatusCode};
use parking_lot::Mutex;

use crate::server::Context;

/// Combinations of server, method and route that are told apart; patterns come and go with the registry. Others are counted under the
/// route `other`.
const MAX_SERIES: usize = 5_000;
/// The upper bounds of durations, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// The route of what is nowhere.
const UNMATCHED: &str = "unmatched";
/// The route of what is too much to tell apart.
const OTHER: &str = "other";

/// The numbers of all servers of a node.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Guards the series; held for one request or one scrape.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    series: BTreeMap<Labels, Series>,
    /// By server.
    in_flight: BTreeMap<Arc<str>, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Labels {
    server: Arc<str>,
    method: &'static str,
    route: Arc<str>,
}

#[derive(Debug, Default)]
struct Series {
    statuses: BTreeMap<Status, u64>,
    count: u64,
    sum: f64,
    buckets: [u64; BUCKETS.len()],
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Code(u16),
    /// A code that nobody has given a meaning.
    Unusual,
    /// The client went away.
    Canceled,
}

/// A request that is counted; one that is dropped was given up by its client.
#[derive(Debug)]
pub(crate) struct Counted {
    counters: Arc<Counters>,
    labels: Labels,
    start: Instant,
    ended: bool,
}

impl Counters {
    /// Counts a request in.
    pub(crate) fn begin(self: &Arc<Self>, context: &Context) -> Counted {
        let server = Arc::from(context.server.id().as_str());
        let route = context.pattern.as_ref().map_or_else(|| Arc::from(UNMATCHED), Arc::clone);
        self.count(Labels { server, method: word(&context.parts.method), route }, context.start)
    }

    fn count(self: &Arc<Self>, labels: Labels, start: Instant) -> Counted {
        *self.state.lock().in_flight.entry(Arc::clone(&labels.server)).or_default() += 1;
        Counted { counters: Arc::clone(self), labels, start, ended: false }
    }

    /// Writes the numbers in the text format of Prometheus.
    pub(crate) fn render(&self) -> String {
        let state = self.state.lock();
        let mut text = String::new();
        if state.in_flight.is_empty() {
            return text;
        }
        head(&mut text, "wippy_http_requests_total", "counter", "Requests that were answered or given up.");
        for (labels, series) in &state.series {
            let labels = labels.show();
            for (status, count) in &series.statuses {
                // Writing to a text cannot fail, here and below.
                let _ = writeln!(text, "wippy_http_requests_total{{{labels},status=\"{}\"}} {count}", status.show());
            }
        }
        let duration = "wippy_http_request_duration_seconds";
        head(&mut text, duration, "histogram", "Time until a request was answered; of a stream, until it began.");
        for (labels, series) in &state.series {
            let labels = labels.show();
            for (bound, count) in BUCKETS.iter().zip(series.buckets) {
                let _ = writeln!(text, "{duration}_bucket{{{labels},le=\"{bound}\"}} {count}");
            }
            let _ = writeln!(text, "{duration}_bucket{{{labels},le=\"+Inf\"}} {}", series.count);
            let _ = writeln!(text, "{duration}_sum{{{labels}}} {}", series.sum);
            let _ = writeln!(text, "{duration}_count{{{labels}}} {}", series.count);
        }
        head(&mut text, "wippy_http_requests_in_flight", "gauge", "Requests that are not answered yet.");
        for (server, count) in &state.in_flight {
            let _ = writeln!(text, "wippy_http_requests_in_flight{{server=\"{}\"}} {count}", escaped(server));
        }
        text
    }
}

impl State {
    fn end(&mut self, labels: &Labels, status: Status, seconds: f64) {
        if let Some(count) = self.in_flight.get_mut(&labels.server) {
            *count = count.saturating_sub(1);
        }
        let full = self.series.len() >= MAX_SERIES && !self.series.contains_key(labels);
        let labels = if full { Labels { route: Arc::from(OTHER), ..labels.clone() } } else { labels.clone() };
        let series = self.series.entry(labels).or_default();
        *series.statuses.entry(status).or_default() += 1;
        series.count += 1;
        series.sum += seconds;
        BUCKETS.iter().zip(&mut series.buckets).filter(|(bound, _)| seconds <= **bound).for_each(|(_, count)| *count += 1);
    }
}

impl Counted {
    /// Counts the answer.
    pub(crate) fn end(mut self, status: StatusCode) {
        let usual = status.canonical_reason().is_some();
        self.note(if usual { Status::Code(status.as_u16()) } else { Status::Unusual });
    }

    fn note(&mut self, status: Status) {
        if !std::mem::replace(&mut self.ended, true) {
            self.counters.state.lock().end(&self.labels, status, self.start.elapsed().as_secs_f64());
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.note(Status::Canceled);
    }
}

impl Labels {
    fn show(&self) -> String {
        format!("server=\"{}\",method=\"{}\",route=\"{}\"", escaped(&self.server), self.method, escaped(&self.route))
    }
}

impl Status {
    fn show(self) -> String {
        match self {
            Self::Code(code) => code.to_string(),
            Self::Unusual => OTHER.to_owned(),
            Self::Canceled => "canceled".to_owned(),
        }
    }
}

/// Gives the name of a method; a client can make up others.
pub(crate) fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER,
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(route: &str) -> Labels {
        Labels { server: Arc::from("app:web"), method: "GET", route: Arc::from(route) }
    }

    #[test]
    fn requests_are_counted_by_what_became_of_them() {
        let counters = Arc::new(Counters::default());
        counters.count(labels("/a/{id}"), Instant::now()).end(StatusCode::OK);
        drop(counters.count(labels("/a/{id}"), Instant::now()));
        let open = counters.count(labels("/b"), Instant::now());
        let text = counters.render();
        for wanted in [
            "wippy_http_requests_total{server=\"app:web\",method=\"GET\",route=\"/a/{id}\",status=\"200\"} 1\n",
            "wippy_http_requests_total{server=\"app:web\",method=\"GET\",route=\"/a/{id}\",status=\"canceled\"} 1\n",
            "wippy_http_request_duration_seconds_bucket{server=\"app:web\",method=\"GET\",route=\"/a/{id}\",le=\"+Inf\"} 2\n",
            "wippy_http_requests_in_flight{server=\"app:web\"} 1\n",
        ] {
            assert!(text.contains(wanted), "{text}");
        }
        open.end(StatusCode::NOT_FOUND);
        assert!(counters.render().contains("in_flight{server=\"app:web\"} 0\n"));
    }

    #[test]
    fn series_are_bounded() {
        let counters = Arc::new(Counters::default());
        for number in 0..MAX_SERIES + 10 {
            counters.count(labels(&format!("/{number}")), Instant::now()).end(StatusCode::OK);
        }
        assert_eq!(counters.state.lock().series.len(), MAX_SERIES + 1);
        assert!(counters.render().contains("route=\"other\",status=\"200\"} 10\n"));
    }
}
