//! What an operator sees of requests: numbers, JSON records and traces.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use moonlet_tests::run::{Run, Stream};
use serde_json::Value;

const PROJECT: &str = "tests/projects/traces";

/// Starts the project with JSON records, and returns where its server listens.
fn start(options: &[&str]) -> (Run, String) {
    let mut arguments = vec!["run", PROJECT, "--log-format", "json"];
    arguments.extend(options);
    let mut run = Run::start(&arguments, None).unwrap();
    let marker = "the address is ";
    run.await_text(Stream::Stderr, marker).unwrap();
    run.await_text(Stream::Stderr, " .").unwrap();
    let seen = run.seen(Stream::Stderr);
    let address = seen.split(marker).nth(1).unwrap().split(' ').next().unwrap().to_owned();
    (run, address)
}

/// A port that was free a moment ago.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn ask(address: &str, line: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// All records of the log so far.
fn records(run: &Run) -> Vec<Value> {
    let seen = run.seen(Stream::Stderr);
    let whole = seen.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn record<'a>(records: &'a [Value], message: &str) -> &'a Value {
    records.iter().find(|record| text(record, "message").starts_with(message)).expect(message)
}

fn text<'a>(record: &'a Value, field: &str) -> &'a str {
    record.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn requests_and_what_applications_count_are_metrics() {
    let metrics = free_address();
    let (mut run, address) = start(&["--metrics", &metrics]);
    assert!(ask(&address, "POST /orders/7", "").ends_with("ordered 7"));
    assert!(ask(&address, "POST /orders/8", "").ends_with("ordered 8"));
    assert!(ask(&address, "GET /orders/8", "").starts_with("HTTP/1.1 405"));
    assert!(ask(&address, "MAKEUP /nowhere/1", "").starts_with("HTTP/1.1 404"));
    let text = ask(&metrics, "GET /metrics", "");
    for wanted in [
        "\nmoonlet_processes{host=\"app:processes\"} 1\n",
        "\norders_total{kind=\"plain\"} 2\n",
        "\nwippy_http_requests_total{server=\"app:gateway\",method=\"POST\",route=\"/orders/{id}\",status=\"200\"} 2\n",
        "\nwippy_http_requests_total{server=\"app:gateway\",method=\"GET\",route=\"unmatched\",status=\"405\"} 1\n",
        "\nwippy_http_requests_total{server=\"app:gateway\",method=\"other\",route=\"unmatched\",status=\"404\"} 1\n",
        "\nwippy_http_request_duration_seconds_count{server=\"app:gateway\",method=\"POST\",route=\"/orders/{id}\"} 2\n",
        "\nwippy_http_requests_in_flight{server=\"app:gateway\"} 0\n",
    ] {
        assert!(text.contains(wanted), "no {wanted:?} in {text}");
    }
    // Each family is described once: a scrape would be refused otherwise.
    let mut families: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let count = families.len();
    families.sort_unstable();
    families.dedup();
    assert_eq!(families.len(), count);
    run.signal(rustix::process::Signal::INT).unwrap();
    assert_eq!(run.finish().unwrap().code, Some(0));
}

#[test]
fn json_records_say_who_and_where() {
    let (mut run, address) = start(&["--access-log"]);
    assert!(ask(&address, "POST /orders/7?secret=1", "").ends_with("ordered 7"));
    run.await_text(Stream::Stderr, "\"noted\"").unwrap();
    run.await_text(Stream::Stderr, "\"request\"").unwrap();
    run.signal(rustix::process::Signal::INT).unwrap();
    run.await_text(Stream::Stderr, "\"stopping\"").unwrap();
    let records = records(&run);
    let ordered = record(&records, "ordered");
    assert_eq!(text(ordered, "level"), "info");
    assert_eq!(text(ordered, "target"), "moonlet::process");
    assert_eq!(text(ordered, "entry"), "app:order");
    assert!(text(ordered, "pid").starts_with(&format!("{{{}|", text(ordered, "host"))), "{ordered}");
    assert!(text(ordered, "location").contains("order"), "{ordered}");
    assert!(text(ordered, "time").ends_with('Z'), "{ordered}");
    assert_eq!(ordered.get("fields").unwrap(), &serde_json::json!({ "id": "7", "price": 42, "lines": ["one", "two"] }));
    let noted = record(&records, "noted");
    assert_eq!((text(noted, "entry"), text(noted, "host")), ("app:ledger", "app:processes"));
    let request = record(&records, "request");
    assert_eq!(text(request, "target"), "moonlet::http");
    assert_eq!((text(request, "method"), text(request, "route")), ("POST", "/orders/{id}"));
    assert_eq!((text(request, "path"), text(request, "entry")), ("/orders/7", "app:order.endpoint"));
    assert_eq!(request.get("status").unwrap(), 200);
    assert!(request.get("duration_ms").unwrap().is_number());
}

#[test]
fn requests_are_no_records_unless_somebody_wants_them() {
    let (mut run, address) = start(&[]);
    assert!(ask(&address, "POST /orders/7", "").ends_with("ordered 7"));
    run.await_text(Stream::Stderr, "\"noted\"").unwrap();
    assert!(!run.seen(Stream::Stderr).contains("\"request\""));
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Answers one request with what its head was.
fn mirror() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let answer = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").unwrap();
        head.to_ascii_lowercase()
    });
    (port, answer)
}

fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

#[test]
fn a_trace_goes_from_request_to_request_as_it_came() {
    let (_run, address) = start(&[]);
    let (port, mirrored) = mirror();
    let headers = format!("Traceparent: {PARENT}\r\nTracestate: a=1\r\nTracestate: b=2\r\n");
    assert!(ask(&address, &format!("GET /out/{port}"), &headers).ends_with("ok"));
    let head = mirrored.join().unwrap();
    assert!(head.contains(&format!("\r\ntraceparent: {PARENT}\r\n")), "{head}");
    assert!(head.contains("\r\ntracestate: a=1,b=2\r\n"), "{head}");
    for wrong in [
        String::new(),
        format!("Traceparent: {}\r\n", PARENT.to_ascii_uppercase()),
        format!("Traceparent: {PARENT}\r\nTraceparent: {PARENT}\r\n"),
        format!("Traceparent: {PARENT}{}\r\n", "0".repeat(2_000)),
    ] {
        let (port, mirrored) = mirror();
        assert!(ask(&address, &format!("GET /out/{port}"), &wrong).ends_with("ok"));
        let head = mirrored.join().unwrap();
        assert!(!head.contains("traceparent"), "{head}");
    }
}

#[test]
fn records_name_the_trace_that_calls_queues_and_messages_carry() {
    let (mut run, address) = start(&["--access-log"]);
    assert!(ask(&address, "POST /orders/7", &format!("Traceparent: {PARENT}\r\n")).ends_with("ordered 7"));
    run.await_text(Stream::Stderr, "\"noted\"").unwrap();
    run.await_text(Stream::Stderr, "\"request\"").unwrap();
    assert!(ask(&address, "POST /orders/8", "").ends_with("ordered 8"));
    run.await_text(Stream::Stderr, "{\"id\":\"8\"}").unwrap();
    run.await_text(Stream::Stderr, "\n").unwrap();
    run.signal(rustix::process::Signal::INT).unwrap();
    run.await_text(Stream::Stderr, "\"stopping\"").unwrap();
    let records = records(&run);
    for message in ["ordered", "noted", "request"] {
        let found: Vec<&Value> = records.iter().filter(|record| text(record, "message") == message).collect();
        let ids: Vec<&str> = found.iter().map(|record| text(record, "trace_id")).collect();
        // The second request is part of no trace, and the process that notes both does not stay in the first one.
        assert_eq!(ids, [TRACE, ""], "{message}");
    }
}

/// Takes the requests of an exporter until the node has ended, and returns all spans.
struct Collector {
    address: String,
    taken: std::sync::Arc<std::sync::Mutex<Vec<Value>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let taken = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let shared = std::sync::Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let head = read_head(&mut stream).to_ascii_lowercase();
                assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
                assert!(head.contains("\r\ncontent-type: application/json\r\n"), "{head}");
                let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap();
                let mut body = vec![0; length.parse().unwrap()];
                stream.read_exact(&mut body).unwrap();
                shared.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
            }
        });
        Self { address, taken }
    }

    fn spans(&self) -> Vec<Value> {
        let mut spans = Vec::new();
        for request in self.taken.lock().unwrap().iter() {
            let resource = request.pointer("/resourceSpans/0/resource/attributes").unwrap();
            assert_eq!(attribute(resource, "service.name"), "shop");
            spans.extend(request.pointer("/resourceSpans/0/scopeSpans/0/spans").unwrap().as_array().unwrap().clone());
        }
        spans
    }
}

fn attribute<'a>(attributes: &'a Value, key: &str) -> &'a str {
    let found = attributes.as_array().unwrap().iter().find(|attribute| text(attribute, "key") == key);
    let value = found.and_then(|found| found.get("value")).expect(key);
    value.get("stringValue").or(value.get("intValue")).and_then(Value::as_str).unwrap()
}

fn traced(collector: &str) -> Vec<String> {
    let endpoint = format!("otel.endpoint={collector}");
    let set = ["otel.enabled=true", &endpoint, "otel.service_name=shop"];
    set.iter().flat_map(|set| ["--set".to_owned(), (*set).to_owned()]).collect()
}

#[test]
fn one_request_is_one_trace_with_everything_that_it_causes() {
    let (collector, metrics) = (Collector::start(), free_address());
    let mut options = traced(&collector.address);
    options.extend(["--metrics".to_owned(), metrics.clone()]);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let (mut run, address) = start(&options);
    assert!(ask(&address, "POST /orders/7", &format!("Traceparent: {PARENT}\r\n")).ends_with("ordered 7"));
    run.await_text(Stream::Stderr, "\"noted\"").unwrap();
    let (port, mirrored) = mirror();
    assert!(ask(&address, &format!("GET /out/{port}"), "").ends_with("ok"));
    let head = mirrored.join().unwrap();
    assert!(ask(&metrics, "GET /metrics", "").contains("\nmoonlet_spans_dropped_total 0\n"));
    run.signal(rustix::process::Signal::INT).unwrap();
    let finished = run.finish().unwrap();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    // The end of the node sends what is left.
    let spans = collector.spans();
    let span = |name: &str| spans.iter().find(|span| text(span, "name") == name).expect(name);
    let mut parent = "b7ad6b7169203331";
    for (name, kind) in
        [("POST /orders/{id}", 2), ("app:order", 1), ("send app:orders", 4), ("process app:orders", 5), ("app:pack", 1)]
    {
        let span = span(name);
        assert_eq!((text(span, "traceId"), text(span, "parentSpanId")), (TRACE, parent), "{span}");
        assert_eq!(span.get("kind").unwrap(), kind, "{span}");
        assert!(text(span, "endTimeUnixNano") >= text(span, "startTimeUnixNano"), "{span}");
        parent = text(span, "spanId");
    }
    let noted = finished.stderr.lines().find(|line| line.contains("\"noted\"")).unwrap();
    let noted: Value = serde_json::from_str(noted).unwrap();
    assert_eq!((text(&noted, "trace_id"), text(&noted, "span_id")), (TRACE, parent));
    let price = span("app:price");
    assert_eq!(text(price, "parentSpanId"), text(span("app:order"), "spanId"));
    assert_eq!(attribute(price.get("attributes").unwrap(), "code.function.name"), "app:price");
    let request = span("POST /orders/{id}").get("attributes").unwrap();
    assert_eq!(attribute(request, "http.route"), "/orders/{id}");
    assert_eq!(attribute(request, "http.response.status_code"), "200");
    // A request without a trace begins one, and the other server hears of it.
    let (client, server) = (span("GET"), span("GET /out/{port}"));
    assert_eq!(text(server, "parentSpanId"), "");
    let expected = format!("\r\ntraceparent: 00-{}-{}-01\r\n", text(server, "traceId"), text(client, "spanId"));
    assert!(head.contains(&expected), "{expected} {head}");
    assert!(!attribute(client.get("attributes").unwrap(), "url.full").contains("secret"));
}

#[test]
fn a_collector_that_is_away_keeps_nobody_waiting() {
    let options = traced(&free_address());
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let (mut run, address) = start(&options);
    assert!(ask(&address, "POST /orders/7", "").ends_with("ordered 7"));
    run.await_text(Stream::Stderr, "spans are lost").unwrap();
    assert!(ask(&address, "POST /orders/8", "").ends_with("ordered 8"));
    run.signal(rustix::process::Signal::INT).unwrap();
    assert_eq!(run.finish().unwrap().code, Some(0));
}
