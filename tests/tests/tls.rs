//! TLS: of HTTP servers, of clients, with certificates that are made here.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, thread};

use moonlet_tests::binary;
use moonlet_tests::run::{Run, Stream};

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

fn python(arguments: &[&Path]) -> String {
    let output = Command::new("python3").args(arguments).output().unwrap();
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn a_client_gets_the_protocol_that_it_asks_for() {
    let project = Project::new();
    let mut run = project.run("app:address", &[]);
    run.await_text(Stream::Stdout, ";").unwrap();
    let seen = run.seen(Stream::Stdout);
    let port = seen.split_once("port ").and_then(|(_, rest)| rest.split_once(';')).unwrap().0;
    let output = python(&[&project.folder.join("h2.py"), Path::new(port), &project.file("ca.pem")]);
    let again = python(&[&project.folder.join("h1.py"), Path::new(port), &project.file("ca.pem")]);
    assert_eq!(output, "protocol h2\n1 200 hello localhost\n3 200 got 32000\n5 404 \n");
    assert_eq!(again, "protocol http/1.1\n200 hello localhost\n");
}
