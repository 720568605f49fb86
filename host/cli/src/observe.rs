//! What a running node tells about itself: a small HTTP server on an address that the operator chose.
//!
//! `/metrics` is text for Prometheus, with what HTTP servers and applications count; `/stats` is JSON for `moonlet top`. There is nothing else, and nothing can be changed through it.
//! One client is served at a time and has little time, so that it costs the node next to nothing.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use moonlet_runtime::{Accounts, NodeHandle};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::telemetry::Telemetry;

mod prometheus;

/// Where `moonlet top` looks when it is not told where.
pub(crate) const DEFAULT_ADDRESS: &str = "127.0.0.1:9464";
/// How long a client may take for its request, and again for reading the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of a request.
const MAX_REQUEST: usize = 8 << 10;

/// Opens the address and serves it until the program ends.
pub(crate) fn serve(address: SocketAddr, node: NodeHandle, telemetry: Option<Arc<Telemetry>>) -> Result<(), Failure> {
    let failed = |error: &io::Error| {
        let failure = Failure::caused(format!("the address {address} for metrics cannot be opened"), error);
        failure.help("name another one: `--metrics 127.0.0.1:0` takes any port that is free")
    };
    let listener = TcpListener::bind(address).map_err(|error| failed(&error))?;
    let local = listener.local_addr().map_err(|error| failed(&error))?;
    tracing::info!(target: "moonlet", "metrics at http://{local}/metrics; `moonlet top {local}` shows them");
    let serve = move || {
        for stream in listener.incoming().flatten() {
            // A client that went away is no fault of the node.
            let _ = answer(stream, &node, telemetry.as_deref());
        }
    };
    thread::Builder::new().name("moonlet-metrics".to_owned()).spawn(serve).map_err(|error| failed(&error))?;
    Ok(())
}

fn answer(mut stream: TcpStream, node: &NodeHandle, telemetry: Option<&Telemetry>) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = read_request(&mut stream)?;
    let mut words = request.split_ascii_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, _query) = path.split_once('?').unwrap_or((path, ""));
    let (status, kind, body) = match (method, path) {
        ("GET" | "HEAD", "/metrics" | "/stats") => match node.accounts() {
            Ok(accounts) if path == "/metrics" => {
                let mut text = prometheus::text(&accounts);
                text.push_str(&node.module_metrics().unwrap_or_default());
                text.push_str(&telemetry.map(Telemetry::metrics).unwrap_or_default());
                ("200 OK", "text/plain; version=0.0.4", text)
            }
            Ok(accounts) => ("200 OK", "application/json", to_json(&accounts).to_string()),
            Err(error) => ("503 Service Unavailable", "text/plain", error.message),
        },
        ("GET" | "HEAD", _) => ("404 Not Found", "text/plain", "there is /metrics and /stats\n".to_owned()),
        _ => ("405 Method Not Allowed", "text/plain", "only GET\n".to_owned()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    if method != "HEAD" {
        stream.write_all(body.as_bytes())?;
    }
    stream.flush()
}

/// Reads the head of a request; its first line is all that matters.
fn read_request(stream: &mut TcpStream) -> io::Result<String> {
    let deadline = Instant::now() + PATIENCE;
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || request.len() > MAX_REQUEST {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer)? {
            0 => break,
            count => request.extend_from_slice(buffer.get(..count).unwrap_or_default()),
        }
    }
    Ok(String::from_utf8_lossy(&request).into_owned())
}

/// Puts accounts into the words of `/stats`: times in nanoseconds, sizes in bytes.
fn to_json(accounts: &Accounts) -> Value {
    let map = |counts: &[(&'static str, u64)]| counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
    let hosts = accounts.hosts.iter().map(|host| {
        let (hits, exits): (serde_json::Map<_, _>, serde_json::Map<_, _>) = (map(&host.limit_hits), map(&host.limit_exits));
        json!({
            "id": host.id, "processes": host.processes, "spawned": host.spawned, "failed": host.failed, "cpu": host.cpu,
            "cpu_weight": host.cpu_weight, "memory": host.memory, "memory_peak": host.memory_peak, "sent": host.sent,
            "received": host.received, "mailbox_messages": host.mailbox_messages, "mailbox_bytes": host.mailbox_bytes,
            "denials": host.denials, "limit_hits": hits, "limit_exits": exits,
        })
    });
    let processes = accounts.processes.iter().map(|process| {
        json!({
            "pid": process.pid, "entry": process.entry, "host": process.host, "parent": process.parent, "state": process.state,
            "uptime": process.uptime, "cpu": process.cpu, "memory": process.memory, "memory_peak": process.memory,
            "sent": process.sent, "received": process.received, "mailbox_messages": process.mailbox_messages,
            "mailbox_bytes": process.mailbox_bytes, "pending": process.pending, "children": process.children,
            "spawned": process.spawned, "limit_hits": process.limit_hits, "denials": process.denials,
        })
    });
    json!({ "uptime": accounts.uptime, "handles": accounts.handles, "jobs": accounts.jobs, "hosts": hosts.collect::<Vec<_>>(), "processes": processes.collect::<Vec<_>>() })
}
