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
