//! A hostile component: calls every import without the right to, with handles and tickets of others, with documents that are none, and
//! with pointers that lead nowhere.
//!
//! Its first argument says what it does, the others whom it does it to. It returns the list of what it was let through with, which must
//! be empty; what must end it instead is in the attacks of `hostile/components`.

wit_bindgen::generate!({ path: "../../wit", world: "process", generate_all });

mod documents;
mod raw;

use moonlet::runtime::channels::{Offer, SelectCase};
use moonlet::runtime::functions::CallRequest;
use moonlet::runtime::lifecycle::{FirstMessage, ProcessOptions, SpawnRequest};
use moonlet::runtime::names::Scope;
use moonlet::runtime::{blocking, channels, clock, functions, lifecycle, log, messages, modules, names, random, tickets};
use rmpv::Value;

struct Intruder;

export!(Intruder);

impl Guest for Intruder {
    fn run(args: Payload) -> Result<Payload, Error> {
        let values = match rmpv::decode::read_value(&mut args.data.as_slice()) {
            Ok(Value::Array(values)) => values,
            _ => return Err(error("the arguments are no array")),
        };
        let text = |index: usize| values.get(index).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut breaches = Vec::new();
        match text(0).as_str() {
            "neighbour" => neighbour(&text(1), &mut breaches),
            "modules" => other_modules(&mut breaches),
            "documents" => documents::everywhere(&text(1), &mut breaches),
            "handles" => handles(&mut breaches),
            "tickets" => foreign_tickets(&mut breaches),
            "wasi" => wasi(&mut breaches),
            "clocks" => raw::clocks(),
            "switches" => switches(&mut breaches),
            "pointers" => raw::call(values.get(1).and_then(Value::as_u64).unwrap_or(0)),
            "wait" => drop(blocking::wait(u64::MAX)),
            "large" => drop(messages::send("nobody", "topic", &Payload { data: vec![0; 16 << 20], channels: Vec::new() })),
            "large_text" => drop(names::lookup(&"x".repeat(16 << 20))),
            "many_cases" => many_cases(&mut breaches),
            "timers" => timers(&mut breaches),
            "channel_to_itself" => channel_to_itself(&mut breaches),
            "loop" => while std::hint::black_box(true) {},
            "memory" => loop {
                std::mem::forget(std::hint::black_box(vec![1_u8; 1 << 20]));
            },
            "recursion" => drop(descend(0)),
            "panic" => std::process::abort(),
            "exit" => std::process::exit(7),
            "results" => return Ok(Payload { data: vec![0xdd, 0xff, 0xff, 0xff, 0xff], channels: vec![0, 1, u32::MAX] }),
            "error" => {
                return Err(Error {
                    kind: "\u{1b}[31m".repeat(1000),
                    details: vec![0xc1; 1 << 20],
                    ..error(&"\u{1b}[2J".repeat(30_000))
                });
            }
            _ => return Err(error("this is no attack")),
        }
        let list = Value::Array(vec![Value::Array(breaches.into_iter().map(Value::from).collect())]);
        let mut data = Vec::new();
        // Writing to memory cannot fail.
        let _ = rmpv::encode::write_value(&mut data, &list);
        Ok(Payload { data, channels: Vec::new() })
    }
}

fn error(message: &str) -> Error {
    Error { kind: "Invalid".into(), message: message.into(), retryable: None, details: Vec::new(), trace: String::new() }
}

fn empty() -> Payload {
    Payload { data: Vec::new(), channels: Vec::new() }
}

/// Notes what was not refused with one of these kinds.
fn refused<T>(what: &str, kinds: &[&str], result: Result<T, Error>, breaches: &mut Vec<String>) {
    match result {
        Ok(_) => breaches.push(format!("{what} was let through")),
        Err(error) if !kinds.contains(&error.kind.as_str()) => {
            breaches.push(format!("{what}: {}: {}", error.kind, error.message))
        }
        Err(_) => {}
    }
}

fn spawn_request(entry: &str, host: &str) -> SpawnRequest {
    SpawnRequest {
        entry: entry.into(),
        host: host.into(),
        args: empty(),
        monitor: true,
        link: true,
        name: None,
        messages: Vec::new(),
        context: Vec::new(),
        options: Vec::new(),
    }
}

/// Everything that one process can do to another, to one of another tenant.
fn neighbour(victim: &str, breaches: &mut Vec<String>) {
    const DENIED: &[&str] = &["PermissionDenied"];
    for to in [victim, "neighbour.victim"] {
        refused("send", DENIED, messages::send(to, "topic", &empty()), breaches);
        refused("cancel", DENIED, lifecycle::cancel(to, ""), breaches);
        refused("terminate", DENIED, lifecycle::terminate(to), breaches);
        refused("link", DENIED, lifecycle::link(to), breaches);
        refused("monitor", DENIED, lifecycle::monitor(to), breaches);
        refused("register", DENIED, names::register("mine", Some(to), Scope::Local), breaches);
        let with_name = SpawnRequest {
            name: Some(to.to_owned()),
            messages: vec![FirstMessage { topic: "topic".into(), body: empty() }],
            ..spawn_request("tenant:idle", "tenant:processes")
        };
        refused("spawn with its name", DENIED, lifecycle::spawn(&with_name), breaches);
    }
    refused("unregister", DENIED, names::unregister("neighbour.victim", Scope::Local), breaches);
    for scope in [Scope::Eventual, Scope::Consistent, Scope::Strong] {
        refused("a wide name", &["Unavailable"], names::register("mine", None, scope), breaches);
    }
    for (entry, host) in [
        ("neighbour:victim", "tenant:processes"),
        ("neighbour:ping", "neighbour:processes"),
        ("tenant:idle", "neighbour:processes"),
    ] {
        refused("spawn", DENIED, lifecycle::spawn(&spawn_request(entry, host)), breaches);
        refused("exec", DENIED, lifecycle::exec(&spawn_request(entry, host)), breaches);
    }
    let call = CallRequest { entry: "neighbour:function".into(), args: empty(), context: Vec::new(), options: Vec::new() };
    refused("call", DENIED, functions::call(&call), breaches);
}

fn other_modules(breaches: &mut Vec<String>) {
    for name in ["io", "time", "fs", "exec", "sql", "http_client", "registry", "security", "env", "", "\0", "../io", "io:read"] {
        refused("describe", &["NotFound"], modules::describe(name), breaches);
        for function in ["read", "write", "print", "", "x:__gc", ":__gc"] {
            refused("invoke", &["NotFound", "Invalid"], modules::invoke(name, function, &empty()), breaches);
        }
    }
}

fn handles(breaches: &mut Vec<String>) {
    let own = channels::open(1).unwrap_or(0);
    for handle in (0..2000).chain([u32::MAX, u32::MAX - 1, 1 << 31]).filter(|handle| *handle != own) {
        refused("send on a channel", &["Invalid"], channels::send(handle, &empty()), breaches);
        refused("receive from a channel", &["Invalid"], channels::receive(handle), breaches);
        refused("close a channel", &["Invalid"], channels::close(handle), breaches);
        let carried = Payload { data: vec![0x91, 0xd6, 2, 0, 0, 0, 0], channels: vec![handle] };
        refused("send a channel", &["Invalid"], messages::send(&blocking::self_(), "topic", &carried), breaches);
        refused("put a channel into a channel", &["Invalid"], channels::send(own, &carried), breaches);
        let case = SelectCase::Send(Offer { channel: handle, body: empty() });
        refused("select", &["Invalid"], channels::select(&[SelectCase::Receive(handle), case], true), breaches);
        channels::release(handle);
    }
    // More releases than it was handed out, and then its use.
    channels::release(own);
    channels::release(own);
    refused("a released channel", &["Invalid"], channels::send(own, &empty()), breaches);
    refused("a huge capacity", &["LimitExceeded"], channels::open(u32::MAX), breaches);
    let mut last = Ok(0);
    for _ in 0..20_000 {
        last = channels::open(1);
        if last.is_err() {
            break;
        }
    }
    refused("channels without end", &["LimitExceeded"], last, breaches);
}

fn foreign_tickets(breaches: &mut Vec<String>) {
    for ticket in (0..1000).chain([u64::MAX, 1 << 63]) {
        if tickets::cancel(ticket) {
            breaches.push(format!("ticket {ticket} could be cancelled"));
        }
    }
    if random::bytes(u32::MAX).is_ok() {
        breaches.push("four gigabytes of random bytes were given".into());
    }
}

fn switches(breaches: &mut Vec<String>) {
    for topic in ["", "@", "@@", &"x".repeat(256), &format!("@{}", "x".repeat(256))] {
        refused("listen", &["Invalid"], messages::listen(topic), breaches);
    }
    for topic in ["", "@close", "@x", &"x".repeat(256)] {
        refused("send", &["Invalid"], messages::send(&blocking::self_(), topic, &empty()), breaches);
        messages::unlisten(topic);
        messages::pause(Some(topic));
        messages::resume(Some(topic));
    }
    for _ in 0..1000 {
        messages::pause(None);
        messages::open_inbox();
        messages::resume(None);
        lifecycle::set_options(ProcessOptions { trap_links: Some(true), upgradable: Some(true), limit_warnings: Some(true) });
        lifecycle::set_options(ProcessOptions { trap_links: Some(false), upgradable: None, limit_warnings: None });
    }
    let mut last = Ok(());
    for number in 0..20_000 {
        last = messages::listen(&number.to_string());
        if last.is_err() {
            break;
        }
    }
    refused("topics without end", &["LimitExceeded"], last, breaches);
    refused(
        "upgrade",
        &["Unavailable", "NotFound", "PermissionDenied", "Invalid"],
        lifecycle::upgrade(Some("neighbour:ping"), &empty(), &[]),
        breaches,
    );
    log::write(log::Level::Error, &"l".repeat(100_000), &"\u{1b}[2J".repeat(30_000), &[0xc1; 1000], &"p".repeat(100_000));
    log::write(log::Level::Info, "", "", &[0xdf, 0xff, 0xff, 0xff, 0xff], "");
    // The first word counts.
    lifecycle::finish(Ok(&empty()));
    lifecycle::finish(Err(&error("again")));
    let _ = clock::now();
}

fn many_cases(breaches: &mut Vec<String>) {
    let own = channels::open(0).unwrap_or(0);
    let cases: Vec<SelectCase> = (0..6_000).map(|_| SelectCase::Receive(own)).collect();
    refused("a select of 6,000 cases", &["LimitExceeded"], channels::select(&cases, true), breaches);
}

fn timers(breaches: &mut Vec<String>) {
    let mut last = Ok(0);
    // What has ended and was not looked at counts, too.
    for _ in 0..1_000_000 {
        last = clock::timer(0);
        if last.is_err() {
            break;
        }
    }
    refused("timers without end", &["LimitExceeded"], last, breaches);
}

/// Receives that wait, each answered with as much as one message may have, and never looked at.
fn channel_to_itself(breaches: &mut Vec<String>) {
    let own = channels::open(0).unwrap_or(0);
    let body = Payload { data: vec![0xc0; 60_000], channels: Vec::new() };
    let mut last = Ok(None);
    for _ in 0..100_000 {
        if let Err(error) = channels::receive(own) {
            last = Err(error);
            break;
        }
        last = channels::send(own, &body);
        if last.is_err() {
            break;
        }
    }
    refused("values without end", &["LimitExceeded", "RateLimited"], last, breaches);
}

fn wasi(breaches: &mut Vec<String>) {
    for path in ["/etc/passwd", ".", "/", "../x", "moonlet.yaml"] {
        if std::fs::read(path).is_ok() || std::fs::read_dir(path).is_ok() || std::fs::write("x", "x").is_ok() {
            breaches.push(format!("the file system answers for {path}"));
        }
    }
    if std::env::vars().next().is_some() || std::env::args().next().is_some() {
        breaches.push("there is an environment".into());
    }
    if std::net::TcpStream::connect("127.0.0.1:22").is_ok() || std::net::TcpListener::bind("127.0.0.1:0").is_ok() {
        breaches.push("there is a network".into());
    }
    if std::net::UdpSocket::bind("127.0.0.1:0").is_ok() {
        breaches.push("there are datagrams".into());
    }
    println!("\u{1b}[2Jthis must not be seen");
    eprintln!("\u{1b}[2Jthis must not be seen");
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line).is_ok_and(|count| count > 0) {
        breaches.push("there is a standard input".into());
    }
}

#[inline(never)]
fn descend(depth: u64) -> u64 {
    let place = std::hint::black_box([depth; 64]);
    descend(depth + 1) + place[(depth % 64) as usize]
}
