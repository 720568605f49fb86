//! The HTTP server and clients that do not behave: they go away, dawdle, or send too much.
//!
//! Every test waits for a line of output or for an answer, never for a time to pass.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use moonlet_tests::run::{Run, Stream};
use rustix::process::Signal;

fn start() -> (Run, String) {
    let mut run = Run::start(&["run", "tests/projects/http"], None).unwrap();
    let marker = "the address is ";
    run.await_text(Stream::Stderr, marker).unwrap();
    run.await_text(Stream::Stderr, " .").unwrap();
    let seen = run.seen(Stream::Stderr);
    let address = seen.split(marker).nth(1).unwrap().split(' ').next().unwrap().to_owned();
    (run, address)
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Sends bytes and reads all that comes until the server closes the connection.
fn ask(address: &str, request: &str) -> String {
    let mut stream = connect(address);
    // The server may close before it has read everything.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(address: &str, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
}

#[test]
fn a_disconnect_ends_the_call() {
    let (mut run, address) = start();
    let mut stream = connect(&address);
    stream.write_all(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    run.await_text(Stream::Stderr, "the function waits").unwrap();
    drop(stream);
    run.await_text(Stream::Stderr, "the call ended: canceled").unwrap();
    assert!(get(&address, "/hello").ends_with("hello"));
}

#[test]
fn a_disconnect_in_the_middle_of_an_answer_ends_the_call() {
    let (mut run, address) = start();
    let mut stream = connect(&address);
    stream.write_all(b"GET /floods HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    run.await_text(Stream::Stderr, "the function floods").unwrap();
    let mut some = [0; 1024];
    stream.read_exact(&mut some).unwrap();
    drop(stream);
    run.await_text(Stream::Stderr, "the call ended: ").unwrap();
    assert!(!run.seen(Stream::Stderr).contains("the call ended: well"));
}

#[test]
fn a_client_that_dawdles_over_its_header_is_cut_off() {
    let (_run, address) = start();
    let answer = ask(&address, "GET /hello HTTP/1.1\r\nHost:");
    assert!(!answer.contains("200"), "{answer}");
    assert!(get(&address, "/hello").ends_with("hello"));
}

#[test]
fn a_body_that_dawdles_is_not_waited_for() {
    let (_run, address) = start();
    let answer = ask(&address, "POST /reads HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc");
    assert!(answer.contains("read timeout"), "{answer}");
}

#[test]
fn a_websocket_that_says_goodbye_is_answered() {
    let (_run, address) = start();
    let mut stream = connect(&address);
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let head = format!(
        "GET /ws/relays HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // A close with the code 1000; the mask is zero.
    stream.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let shown = String::from_utf8_lossy(&all);
    assert!(shown.starts_with("HTTP/1.1 101 "), "{shown}");
    assert!(all.ends_with(&[0x88, 0x02, 0x03, 0xe8]), "{shown}");
}

#[test]
fn a_header_that_is_too_large_or_no_header_at_all_is_refused() {
    let (_run, address) = start();
    let large = format!("GET /hello HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n", "x".repeat(100_000));
    assert!(ask(&address, &large).starts_with("HTTP/1.1 431"));
    let many: String = (0..500).map(|number| format!("X-{number}: 1\r\n")).collect();
    assert!(ask(&address, &format!("GET /hello HTTP/1.1\r\nHost: x\r\n{many}\r\n")).starts_with("HTTP/1.1 431"));
    assert!(ask(&address, "NONSENSE\r\n\r\n").starts_with("HTTP/1.1 400"));
    assert!(get(&address, "/hello").ends_with("hello"));
}

#[test]
fn a_function_that_fails_in_the_middle_breaks_the_answer_off() {
    let (mut run, address) = start();
    let answer = get(&address, "/breaks");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("part"), "{answer}");
    // The last chunk, which says that all is there, is missing.
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
    run.await_text(Stream::Stderr, "app:breaks:").unwrap();
}

#[test]
fn what_was_begun_is_answered_before_the_node_stops() {
    let (mut run, address) = start();
    let mut stream = connect(&address);
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    run.await_text(Stream::Stderr, "the slow function begins").unwrap();
    run.signal(Signal::TERM).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    let finished = run.finish().unwrap();
    assert_eq!(finished.code, Some(0), "{finished:?}");
}
