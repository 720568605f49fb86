//! Databases behind servers: PostgreSQL and MariaDB, which the tests start themselves.
//!
//! What Lua sees is in `apps/sql_servers/main.lua`, the same for every database; here is what takes the servers in hand.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use moonlet_tests::run::{Finished, Run, Stream};
use moonlet_tests::servers::{Kind, Server};

/// The arguments that lead the entries of a kind to a server.
fn ports(name: &str, server: &Server) -> Vec<String> {
    let entries = [name.to_owned(), format!("{name}_tight"), format!("{name}_wrong"), format!("{name}_tls")];
    entries.iter().flat_map(|entry| ["-o".to_owned(), format!("sql_servers:{entry}:port={}", server.port())]).collect()
}

fn arguments(ports: Vec<String>, rest: &[&str]) -> Vec<String> {
    let mut arguments = vec!["run".to_owned(), "tests/apps".to_owned()];
    arguments.extend(ports);
    arguments.extend(rest.iter().map(|&argument| argument.to_owned()));
    arguments
}

fn is_well(finished: &Finished) {
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
    for secret in ["secret", "Packet"] {
        assert!(!finished.stderr.contains(secret) && !finished.stdout.contains(secret), "{}{}", finished.stdout, finished.stderr);
    }
}

#[test]
fn every_database_does_what_sqlite_does() {
    let (postgres, mariadb) = (Server::start(Kind::Postgres).unwrap(), Server::start(Kind::Mariadb).unwrap());
    let ports = [ports("postgres", &postgres), ports("mysql", &mariadb)].concat();
    let finished = Run::start(&arguments(ports, &["-x", "sql_servers:servers"]), None).unwrap().finish().unwrap();
    is_well(&finished);
    let cases = finished.stdout.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(finished.stdout.ends_with(&format!("\n{cases} passed\n")), "{}", finished.stdout);
}

fn goes_away_and_comes_back(kind: Kind, name: &str) {
    let mut server = Server::start(kind).unwrap();
    let id = format!("sql_servers:{name}");
    let mut run = Run::start(&arguments(ports(name, &server), &["-x", "sql_servers:watcher", "--", &id]), None).unwrap();
    run.await_text(Stream::Stdout, "up\n").unwrap();
    server.crash().unwrap();
    run.await_text(Stream::Stdout, "down Unavailable true\n").unwrap();
    server.resume().unwrap();
    let finished = run.finish().unwrap();
    is_well(&finished);
    assert_eq!(finished.stdout, "up\ndown Unavailable true\nup\nback 2\n", "{}", finished.stderr);
}

#[test]
fn a_postgres_server_that_goes_away_is_unavailable_until_it_is_back() {
    goes_away_and_comes_back(Kind::Postgres, "postgres");
}

#[test]
fn a_mysql_server_that_goes_away_is_unavailable_until_it_is_back() {
    goes_away_and_comes_back(Kind::Mariadb, "mysql");
}
