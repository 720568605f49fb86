//! TLS towards databases behind servers: what each `sslmode` takes for enough.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::PathBuf;
use std::{env, fs};

use moonlet_tests::run::Run;
use moonlet_tests::servers::{Kind, Server};

#[path = "support/certificates.rs"]
mod certificates;

/// A connection: its host, its user, its options, and what comes of it.
struct Case {
    host: &'static str,
    user: &'static str,
    options: &'static str,
    expected: &'static str,
}

const fn case(host: &'static str, user: &'static str, options: &'static str, expected: &'static str) -> Case {
    Case { host, user, options, expected }
}

/// The name in the certificate of the servers, and where they really are.
const NAME: &str = "localhost";
const ADDRESS: &str = "127.0.0.1";

const REFUSED: &str = "Unavailable false";

/// A project with an entry for each case, gone when this is dropped.
struct Project(PathBuf);

impl Project {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("moonlet-tls-{name}-{}", std::process::id()));
        certificates::make(&folder.join("certificates"));
        Self(folder)
    }

    fn write(&self, kind: &str, port: u16, question: &str, cases: &[Case]) {
        let mut index = format!(
            "version: \"1.0\"\nnamespace: app\nentries:\n\
             \x20 - {{ name: terminal, kind: terminal.host }}\n\
             \x20 - {{ name: question, kind: env.storage.static, values: {{ QUESTION: \"{question}\" }} }}\n\
             \x20 - {{ name: variable, kind: env.variable, variable: QUESTION, storage: question }}\n\
             \x20 - {{ name: main, kind: process.lua, source: \"file://main.lua\", method: main, modules: [env, io, sql] }}\n"
        );
        for (number, Case { host, user, options, .. }) in cases.iter().enumerate() {
            index += &format!(
                "\x20 - {{ name: case{number}, kind: {kind}, host: {host}, port: {port}, database: app, username: {user}, \
                 password: secret, options: {{ {options} }} }}\n"
            );
        }
        fs::write(self.0.join("_index.yaml"), index).unwrap();
        fs::write(self.0.join("main.lua"), MAIN).unwrap();
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Asks each database of a number whether its connection has TLS.
const MAIN: &str = r#"
local env = require("env")
local io = require("io")
local sql = require("sql")

local function ask(id)
    local db, err = sql.get(id)
    if err then
        return err
    end
    local rows, failed = db:query((env.get("QUESTION")))
    return failed or rows[1].answer
end

local function main(count)
    for number = 0, tonumber(count) - 1 do
        local answer = ask("app:case" .. number)
        if type(answer) == "userdata" then
            io.print(answer:kind() .. " " .. tostring(answer:retryable()) .. ": " .. answer:message())
        else
            io.print("TLS: " .. tostring(answer))
        end
    end
end

return { main = main }
"#;

fn check_all(kind: Kind, name: &str, entries: &str, question: &str, cases: &[Case]) {
    let project = Project::new(name);
    let server = Server::start_with(kind, Some(&project.0.join("certificates"))).unwrap();
    project.write(entries, server.port(), question, cases);
    let (folder, count) = (project.0.display().to_string(), cases.len().to_string());
    let finished = Run::start(&["run", &folder, "-x", "app:main", "--", &count], None).unwrap().finish().unwrap();
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    let answers: Vec<&str> = finished.stdout.lines().collect();
    assert_eq!(answers.len(), cases.len(), "{}", finished.stdout);
    for (answer, Case { host, user, options, expected }) in answers.iter().zip(cases) {
        assert!(answer.starts_with(expected), "{user}@{host} {{ {options} }}: {answer}\n{}", finished.stderr);
    }
}

#[test]
fn postgres_connections_are_as_safe_as_they_are_told_to_be() {
    let cases = [
        case(ADDRESS, "app", "sslmode: disable", "TLS: false"),
        case(ADDRESS, "app", "", "TLS: true"),
        case(ADDRESS, "app", "sslmode: prefer", "TLS: true"),
        case(ADDRESS, "app", "sslmode: require", "TLS: true"),
        case(ADDRESS, "app", "sslmode: verify-ca, sslrootcert: certificates/ca.pem", "TLS: true"),
        case(ADDRESS, "app", "sslmode: verify-ca, sslrootcert: certificates/other.pem", REFUSED),
        case(ADDRESS, "app", "sslmode: verify-ca", REFUSED),
        case(NAME, "app", "sslmode: verify-full, sslrootcert: certificates/ca.pem", "TLS: true"),
        case(ADDRESS, "app", "sslmode: verify-full, sslrootcert: certificates/ca.pem", REFUSED),
        case(NAME, "app", "sslmode: verify-full, sslrootcert: certificates/other.pem", REFUSED),
        case(NAME, "app", "sslmode: verify-full", REFUSED),
        case(NAME, "app", "sslmode: verify-full, sslrootcert: certificates/none.pem", REFUSED),
        case(
            NAME,
            "proven",
            "sslmode: verify-full, sslrootcert: certificates/ca.pem, sslcert: certificates/client.pem, sslkey: certificates/client.key",
            "TLS: true",
        ),
        case(NAME, "proven", "sslmode: verify-full, sslrootcert: certificates/ca.pem", REFUSED),
        case(
            NAME,
            "proven",
            "sslmode: require, sslcert: certificates/stranger.pem, sslkey: certificates/stranger.key",
            "Unavailable",
        ),
    ];
    let question = "SELECT ssl AS answer FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    check_all(Kind::Postgres, "postgres", "db.sql.postgres", question, &cases);
}

#[test]
fn mysql_connections_are_as_safe_as_they_are_told_to_be() {
    let cases = [
        case(ADDRESS, "app", "", "TLS: 0"),
        case(ADDRESS, "app", "sslmode: disable", "TLS: 0"),
        case(ADDRESS, "app", "sslmode: prefer", "TLS: 1"),
        case(ADDRESS, "app", "tls: preferred", "TLS: 1"),
        case(ADDRESS, "app", "sslmode: require", "TLS: 1"),
        case(ADDRESS, "app", "tls: skip-verify", "TLS: 1"),
        case(NAME, "app", "sslmode: verify-ca, sslrootcert: certificates/ca.pem", "TLS: 1"),
        case(NAME, "app", "sslmode: verify-ca, sslrootcert: certificates/other.pem", REFUSED),
        // Unlike in Postgres, the name is looked at.
        case(ADDRESS, "app", "sslmode: verify-ca, sslrootcert: certificates/ca.pem", REFUSED),
        case(NAME, "app", "sslmode: verify-full, sslrootcert: certificates/ca.pem", "TLS: 1"),
        case(NAME, "app", "tls: \"true\", sslrootcert: certificates/ca.pem", "TLS: 1"),
        case(ADDRESS, "app", "sslmode: verify-full, sslrootcert: certificates/ca.pem", REFUSED),
        case(NAME, "app", "sslmode: verify-full, sslrootcert: certificates/other.pem", REFUSED),
        case(NAME, "app", "tls: \"true\"", REFUSED),
        case(NAME, "app", "sslmode: verify-full, sslrootcert: certificates/none.pem", REFUSED),
        case(
            NAME,
            "proven",
            "sslmode: verify-full, sslrootcert: certificates/ca.pem, sslcert: certificates/client.pem, sslkey: certificates/client.key",
            "TLS: 1",
        ),
        case(NAME, "proven", "sslmode: verify-full, sslrootcert: certificates/ca.pem", REFUSED),
        case(
            NAME,
            "proven",
            "sslmode: require, sslcert: certificates/stranger.pem, sslkey: certificates/stranger.key",
            "Unavailable",
        ),
    ];
    let question =
        "SELECT VARIABLE_VALUE <> '' AS answer FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_cipher'";
    check_all(Kind::Mariadb, "mysql", "db.sql.mysql", question, &cases);
}
