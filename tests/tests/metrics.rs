//! What a running node tells about itself, to Prometheus and to `moonlet top`.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use moonlet_tests::run::{Run, Stream};
use rustix::process::Signal;

fn request(address: &str, line: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{line} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_node_tells_what_its_hosts_and_processes_use() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut run = Run::start(&["run", "tests/projects/services", "--metrics", &address], None).unwrap();
    run.await_text(Stream::Stderr, "polite is ready").unwrap();
    let metrics = request(&address, "GET /metrics");
    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"), "{metrics}");
    assert!(metrics.contains("\nmoonlet_processes{host=\"app:processes\"} 2\n"), "{metrics}");
    assert!(request(&address, "GET /").starts_with("HTTP/1.1 404 "));
    assert!(request(&address, "POST /metrics").starts_with("HTTP/1.1 405 "));
    let top = Run::start(&["top", &address, "--once", "--sort", "memory"], None).unwrap().finish().unwrap();
    assert_eq!(top.code, Some(0), "{top:?}");
    for wanted in ["2 processes on 1 host\n", "HOST ", "app:processes ", "app:stubborn_process ", "app:polite_process "] {
        assert!(top.stdout.contains(wanted), "{}", top.stdout);
    }
    let json = Run::start(&["top", &address, "--json"], None).unwrap().finish().unwrap();
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json.get("processes").and_then(serde_json::Value::as_array).map(Vec::len), Some(2));
    let ps = Run::start(&["ps", &address, "--host", "app:processes"], None).unwrap().finish().unwrap();
    assert_eq!(ps.stdout.lines().count(), 3, "{ps:?}");
    assert!(ps.stdout.contains("{app:processes|") && ps.stdout.contains("app:polite_process "), "{ps:?}");
    let none = Run::start(&["ps", &address, "--host", "app:none", "--json"], None).unwrap().finish().unwrap();
    assert_eq!(none.stdout, "[]\n");
    run.signal(Signal::INT).unwrap();
    assert_eq!(run.finish().unwrap().code, Some(0));
}

#[test]
fn an_address_that_is_taken_keeps_the_node_from_starting() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let finished = Run::start(&["run", "tests/projects/services", "--metrics", &address], None).unwrap().finish().unwrap();
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stderr.contains(&format!("the address {address} for metrics cannot be opened")), "{finished:?}");
}
