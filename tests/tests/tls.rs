//! TLS: of HTTP servers, of clients, with certificates that are made here.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, thread};

use moonlet_tests::binary;
use moonlet_tests::run::{Run, Stream};
use rustix::process::Signal;

#[path = "support/certificates.rs"]
mod certificates;

/// A copy of the project with certificates, gone when this is dropped.
struct Project {
    folder: PathBuf,
}

impl Project {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("moonlet-tls-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for file in fs::read_dir(binary::repository().join("tests/projects/tls")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
        certificates::make(&folder.join("certificates"));
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join("certificates").join(name)
    }

    /// Starts the node with one of its processes.
    fn run(&self, process: &str, rest: &[&str]) -> Run {
        let folder = self.folder.display().to_string();
        let key = fs::read_to_string(self.file("server.key")).unwrap();
        let mut arguments = vec!["run", &folder, "-x", process];
        if !rest.is_empty() {
            arguments.push("--");
            arguments.extend(rest);
        }
        Run::start_with(&arguments, &[("MOONLET_TEST_KEY", &key)]).unwrap()
    }

    fn output(&self, process: &str, rest: &[&str]) -> String {
        let finished = self.run(process, rest).finish().unwrap();
        assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
        finished.stdout
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Finds what was said about something.
fn said<'a>(output: &'a str, what: &str) -> &'a str {
    let found = output.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(": "));
    assert!(found.is_some(), "nothing about `{what}` in:\n{output}");
    found.unwrap()
}

#[test]
fn servers_and_clients_prove_who_they_are() {
    let project = Project::new();
    let output = project.output("app:client", &[]);
    for (what, expected) in [
        ("an authority of our own", "200 hello localhost"),
        ("the usual authorities", "Internal: no TLS with `localhost`: invalid peer certificate: UnknownIssuer"),
        ("another authority", "Internal: no TLS with `localhost`: invalid peer certificate: "),
        ("another name", "Internal: no TLS with `127.0.0.1`: invalid peer certificate: "),
        ("the name said", "200 hello 127.0.0.1"),
        ("nothing looked at", "200 hello 127.0.0.1"),
        ("a certificate without its key", "Invalid: `tls.cert` and `tls.key` belong together"),
        ("a key that is none", "Invalid: `tls.key` is no private key"),
        ("an authority that is none", "Invalid: `tls.ca` holds no certificate in PEM form"),
        ("mutual, with a certificate", "200 hello localhost"),
        ("mutual, with none", "Internal: "),
        ("mutual, with a stranger's", "Internal: "),
        ("if given, with a certificate", "200 hello localhost"),
        ("if given, with none", "200 hello localhost"),
        ("if given, with a stranger's", "Internal: "),
        ("any, with a stranger's", "200 hello localhost"),
        ("any, with none", "Internal: "),
    ] {
        let said = said(&output, what);
        assert!(said.starts_with(expected), "{what}: {said}");
    }
}

#[test]
fn what_is_beside_a_request_needs_an_action_of_its_own() {
    let project = Project::new();
    let output = project.output("app:bound_client", &[]);
    assert_eq!(said(&output, "looked at"), "200 hello localhost");
    assert_eq!(said(&output, "led away and looked at"), "200 hello localhost");
    let refused = [
        ("not looked at", "http_client.insecure_tls"),
        ("led away and not looked at", "where a redirect leads"),
        ("by a socket", "http_client.unix_socket"),
    ];
    for (what, action) in refused {
        let said = said(&output, what);
        assert!(said.starts_with("PermissionDenied: ") && said.contains(action), "{what}: {said}");
    }
}

#[test]
fn a_request_goes_by_a_socket() {
    let project = Project::new();
    let path = project.folder.join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nby local").unwrap();
        String::from_utf8(request).unwrap()
    });
    let output = project.output("app:socket", &[path.to_str().unwrap()]);
    assert_eq!(said(&output, "by a socket"), "200 by local");
    assert!(said(&output, "by none").starts_with("Internal: cannot connect to the socket"), "{output}");
    let request = server.join().unwrap();
    assert!(request.starts_with("GET /path?x=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("\r\nhost: anything\r\n"), "{request}");
}

/// Starts the node for clients from outside, and says at which port.
fn served(project: &Project) -> (Run, String) {
    let mut run = project.run("app:address", &[]);
    run.await_text(Stream::Stdout, ";").unwrap();
    let seen = run.seen(Stream::Stdout);
    let port = seen.split_once("port ").and_then(|(_, rest)| rest.split_once(';')).unwrap().0.to_owned();
    (run, port)
}

/// Starts a client in Python.
fn python(project: &Project, script: &str, port: &str, part: &str) -> Child {
    let mut command = Command::new("python3");
    command.arg(project.folder.join(script)).arg(port).arg(project.file("ca.pem")).arg(part);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end_of(client: Child) -> String {
    let output = client.wait_with_output().unwrap();
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn a_client_gets_the_protocol_that_it_asks_for() {
    let project = Project::new();
    let (_run, port) = served(&project);
    let output = end_of(python(&project, "h2.py", &port, "ask"));
    assert_eq!(output, "protocol h2\n1 200 hello localhost\n3 200 got 32000\n5 404 \n");
    let output = end_of(python(&project, "h1.py", &port, ""));
    assert_eq!(output, "protocol http/1.1\n200 hello localhost\n");
}

#[test]
fn an_answer_that_has_no_body_gets_none() {
    let project = Project::new();
    let (_run, port) = served(&project);
    assert_eq!(end_of(python(&project, "h2.py", &port, "silent")), "protocol h2\n1 200 \n3 404 \n5 204 \n");
}

#[test]
fn a_stream_that_is_reset_ends_its_call_and_nothing_else() {
    let project = Project::new();
    let (mut run, port) = served(&project);
    let client = python(&project, "h2.py", &port, "reset");
    // The client still is connected.
    run.await_text(Stream::Stdout, "the call ended: ").unwrap();
    assert!(!run.seen(Stream::Stdout).contains("the call ended: well"));
    assert_eq!(end_of(client), "protocol h2\n3 200 hello localhost\n5 200 hello localhost\n");
}

#[test]
fn a_client_that_asks_for_nothing_more_is_told_to_go() {
    let project = Project::new();
    let (_run, port) = served(&project);
    assert_eq!(end_of(python(&project, "h2.py", &port, "idle")), "protocol h2\n1 200 hello localhost\ntold to go\n");
}

#[test]
fn streams_that_were_begun_are_answered_before_the_node_stops() {
    let project = Project::new();
    let (mut run, port) = served(&project);
    let client = python(&project, "h2.py", &port, "stop");
    run.await_text(Stream::Stdout, "slow has begun;").unwrap();
    run.signal(Signal::TERM).unwrap();
    assert_eq!(end_of(client), "protocol h2\n1 200 done\n");
    let finished = run.finish().unwrap();
    assert_eq!(finished.signal, None, "{finished:?}");
}
