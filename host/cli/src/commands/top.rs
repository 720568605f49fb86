//! `moonlet top`: what the hosts and processes of a running node use.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use serde_json::Value;

use crate::arguments::{SortKey, TopArguments};
use crate::failure::Failure;
use crate::{exit, output};

/// How long the node may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time between two pictures.
const INTERVAL: Duration = Duration::from_secs(1);
/// Bytes of an answer: a node with as many processes as there can be tells less.
const MAX_ANSWER: u64 = 64 << 20;
/// Clears the screen.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

pub(crate) fn run(arguments: &TopArguments) -> Result<u8, Failure> {
    let first = ask(&arguments.node)?;
    if arguments.json {
        output::line(&first.to_string());
        return Ok(exit::SUCCESS);
    }
    if arguments.once || !io::stdout().is_terminal() {
        output::print(&picture(&first, None, arguments));
        return Ok(exit::SUCCESS);
    }
    let mut before = first;
    loop {
        std::thread::sleep(INTERVAL);
        let now = ask(&arguments.node)?;
        output::print(&format!("{CLEAR}{}", picture(&now, Some(&before), arguments)));
        output::flush();
        before = now;
    }
}

/// Gets the accounts of the node.
pub(super) fn ask(node: &str) -> Result<Value, Failure> {
    let unreachable = |error: &dyn std::error::Error| {
        Failure::caused(format!("no node answers at {node}"), error)
            .help(format!("start one that does: `moonlet run --metrics {node}`, or name its address, `HOST:PORT`"))
    };
    let no_address = || {
        let failure = Failure::message(format!("`{node}` is no address: write a host and a port, such as `127.0.0.1:9464`"));
        failure.usage()
    };
    let address = node.to_socket_addrs().map_err(|_| no_address())?.next().ok_or_else(no_address)?;
    let read = || -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /stats HTTP/1.1\r\nHost: {node}\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = read().map_err(|error| unreachable(&error))?;
    let answer = String::from_utf8_lossy(&answer);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).map_err(|error| unreachable(&error))
}

pub(super) fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

pub(super) fn list<'a>(accounts: &'a Value, name: &str) -> &'a [Value] {
    accounts.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Draws hosts and processes; with what they were before, the CPU time is that since then.
fn picture(now: &Value, before: Option<&Value>, arguments: &TopArguments) -> String {
    let elapsed = number(now, "uptime").saturating_sub(before.map_or(0, |before| number(before, "uptime"))).max(1);
    let earlier = |list_name: &str, key: &str| -> HashMap<String, u64> {
        let known = before.map_or(&[][..], |before| list(before, list_name));
        known.iter().map(|value| (text(value, key).to_owned(), number(value, "cpu"))).collect()
    };
    let percent = |value: &Value, earlier: &HashMap<String, u64>, key: &str| {
        let used = number(value, "cpu").saturating_sub(earlier.get(text(value, key)).copied().unwrap_or(0));
        let elapsed = if before.is_none() && value.get("uptime").is_some() { number(value, "uptime").max(1) } else { elapsed };
        used as f64 * 100.0 / elapsed as f64
    };
    let mut picture = String::new();
    let _ = writeln!(
        picture,
        "up {}, {} on {}\n",
        seconds(number(now, "uptime")),
        count(list(now, "processes").len(), "process", "es"),
        count(list(now, "hosts").len(), "host", "s")
    );
    let known = earlier("hosts", "id");
    let mut rows =
        vec![row(&["HOST", "PROCESSES", "CPU%", "CPU", "MEMORY", "PEAK", "SENT", "RECEIVED", "WAIT", "DENIED", "LIMITS"])];
    for host in list(now, "hosts") {
        let hits: u64 =
            host.get("limit_hits").and_then(Value::as_object).map_or(0, |hits| hits.values().filter_map(Value::as_u64).sum());
        rows.push(vec![
            text(host, "id").to_owned(),
            number(host, "processes").to_string(),
            format!("{:.1}", percent(host, &known, "id")),
            seconds(number(host, "cpu")),
            bytes(number(host, "memory")),
            bytes(number(host, "memory_peak")),
            number(host, "sent").to_string(),
            number(host, "received").to_string(),
            number(host, "mailbox_messages").to_string(),
            number(host, "denials").to_string(),
            hits.to_string(),
        ]);
    }
    draw(&mut picture, &rows);
    picture.push('\n');
    let known = earlier("processes", "pid");
    let mut processes: Vec<(&Value, f64)> =
        list(now, "processes").iter().map(|process| (process, percent(process, &known, "pid"))).collect();
    processes.sort_by(|(one, one_cpu), (other, other_cpu)| {
        let most = |key: &str| number(other, key).cmp(&number(one, key));
        let order = match arguments.sort {
            SortKey::Cpu => other_cpu.total_cmp(one_cpu),
            SortKey::Time => most("cpu"),
            SortKey::Memory => most("memory"),
            SortKey::Mailbox => most("mailbox_messages"),
            SortKey::Sent => most("sent"),
            SortKey::Received => most("received"),
            SortKey::Limits => most("limit_hits"),
            SortKey::Uptime => most("uptime"),
        };
        order.then_with(|| text(one, "pid").cmp(text(other, "pid")))
    });
    let mut rows =
        vec![row(&["PID", "ENTRY", "STATE", "CPU%", "CPU", "MEMORY", "SENT", "RECEIVED", "WAIT", "UP", "DENIED", "LIMITS"])];
    for (process, cpu) in processes.iter().take(arguments.rows) {
        rows.push(vec![
            text(process, "pid").to_owned(),
            text(process, "entry").to_owned(),
            text(process, "state").to_owned(),
            format!("{cpu:.1}"),
            seconds(number(process, "cpu")),
            bytes(number(process, "memory")),
            number(process, "sent").to_string(),
            number(process, "received").to_string(),
            number(process, "mailbox_messages").to_string(),
            seconds(number(process, "uptime")),
            number(process, "denials").to_string(),
            number(process, "limit_hits").to_string(),
        ]);
    }
    draw(&mut picture, &rows);
    if processes.len() > arguments.rows {
        let _ = writeln!(picture, "and {} more; `--rows` shows more of them", processes.len() - arguments.rows);
    }
    picture
}

pub(super) fn count(number: usize, what: &str, plural: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}{plural}") }
}

pub(super) fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// Draws rows as columns: texts to the left, numbers to the right.
pub(super) fn draw(picture: &mut String, rows: &[Vec<String>]) {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let is_text = |column: usize| {
        rows.get(1).and_then(|row| row.get(column)).is_none_or(|cell| !cell.starts_with(|c: char| c.is_ascii_digit()))
    };
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let cell = output::visible(cell);
            let _ = if is_text(column) { write!(line, "{cell:<width$}  ") } else { write!(line, "{cell:>width$}  ") };
        }
        let _ = writeln!(picture, "{}", line.trim_end());
    }
}

pub(super) fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} B"),
        10_240..10_485_760 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

pub(super) fn seconds(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000_000_000 => format!("{} ms", nanoseconds / 1_000_000),
        1_000_000_000..600_000_000_000 => format!("{:.1} s", nanoseconds as f64 / 1e9),
        _ => format!("{} min", nanoseconds / 60_000_000_000),
    }
}
