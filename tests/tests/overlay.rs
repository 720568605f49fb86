//! Requests through a SOCKS5 proxy: this test is the proxy, and knows names that nobody else does.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use moonlet_tests::binary::repository;
use moonlet_tests::run::{Finished, Run};

/// Who asked, and for what.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

fn take(stream: &mut TcpStream, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Serves one connection.
fn serve(mut client: TcpStream, seen: &Seen) -> io::Result<()> {
    let ways = take(&mut client, 2)?[1];
    assert_eq!(take(&mut client, ways.into())?, [2], "only the way with a password is offered");
    client.write_all(&[5, 2])?;
    let length = take(&mut client, 2)?[1];
    let name = String::from_utf8(take(&mut client, length.into())?).unwrap();
    let length = take(&mut client, 1)?[0];
    let password = String::from_utf8(take(&mut client, length.into())?).unwrap();
    let made_up = name.len() == 32 && password.len() == 32;
    if !made_up && (name.as_str(), password.as_str()) != ("me", "secret") {
        return client.write_all(&[1, 1]);
    }
    client.write_all(&[1, 0])?;
    assert_eq!(take(&mut client, 4)?, [5, 1, 0, 3], "a connection to a name is asked for");
    let length = take(&mut client, 1)?[0];
    let host = String::from_utf8(take(&mut client, length.into())?).unwrap();
    let port = take(&mut client, 2)?;
    let port = u16::from_be_bytes([port[0], port[1]]);
    seen.lock().unwrap().push((name, host.clone()));
    if host != "shop.example" {
        return client.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let back = thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        to.shutdown(Shutdown::Write)
    });
    let _ = io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Both);
    let _ = back.join();
    Ok(())
}

/// A proxy that serves until the test ends: its port, and what it was asked for.
fn proxy() -> (u16, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Seen::default();
    let known = Arc::clone(&seen);
    thread::spawn(move || {
        for client in listener.incoming() {
            let seen = Arc::clone(&known);
            thread::spawn(move || serve(client.unwrap(), &seen));
        }
    });
    (port, seen)
}

/// Runs a process of the project with the proxy at this port.
fn run(entry: &str, port: u16, options: &[&str]) -> Finished {
    let folder = std::env::temp_dir().join(format!("moonlet-overlay-{port}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for file in ["_index.yaml", "main.lua"] {
        let text = fs::read_to_string(repository().join("tests/projects/overlay").join(file)).unwrap();
        fs::write(folder.join(file), text.replace("PORT", &port.to_string())).unwrap();
    }
    let arguments = [&["run", "-v"], options, &[folder.to_str().unwrap(), "-x", entry]].concat();
    let finished = Run::start(&arguments, None).unwrap().finish().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    finished
}

#[test]
fn requests_go_through_the_network_that_was_chosen_or_inherited() {
    let (port, seen) = proxy();
    let finished = run("app:main", port, &[]);
    let expected = "\
        direct\thello\n\
        chosen\thello\n\
        again\thello\n\
        function\thello\n\
        below\thello\n\
        cleared\thello\n\
        process\thello\n\
        isolated\thello\n\
        isolated\thello\n\
        refused\tInternal cannot connect to closed.example:80 through `app:proxy`: it refused the connection\n\
        stranger\tInternal the proxy `app:stranger` takes no connections from us: look at `username` and `password`\n\
        nowhere\tInternal cannot connect to the proxy `app:nowhere`: connection refused\n\
        disguised\tInvalid the host is neither a name nor an address in its usual form\n\
        no network\tInvalid `app:hello` is of kind `function.lua` and not a network overlay (`kind: network.socks5`)\n\
        no network\tNotFound\n\
        inside\tnil\n";
    assert_eq!(finished.stdout, expected, "{finished:?}");
    assert!(finished.stderr.contains("the server cannot start: `app:inside` has no valid `network`"), "{finished:?}");
    let seen = seen.lock().unwrap();
    let isolated: Vec<&str> = seen.iter().filter(|(name, _)| name != "me").map(|(name, _)| name.as_str()).collect();
    // Connections that are kept apart are not used twice, and each has another name.
    assert!(isolated.len() == 2 && isolated[0] != isolated[1], "{seen:?}");
    assert!(seen.iter().all(|(_, host)| ["shop.example", "closed.example"].contains(&host.as_str())), "{seen:?}");
}

#[test]
fn the_configuration_names_a_network_for_who_says_nothing() {
    let (port, seen) = proxy();
    let finished = run("app:plain", port, &["--set", "network_service.default_network=app:proxy"]);
    assert_eq!(finished.stdout, "hello\n", "{finished:?}");
    assert_eq!(*seen.lock().unwrap(), [("me".to_owned(), "shop.example".to_owned())]);
    // One that is not there is no reason to do without.
    let finished = run("app:plain", port, &["--set", "network_service.default_network=app:none"]);
    assert!(finished.stdout.starts_with("NotFound there is no entry `app:none`"), "{finished:?}");
}
