//! Servers of databases, started on loopback in a folder of their own, as Debian packages them.
//!
//! `tests/run` sees to it that they are there. Where the packages cannot be installed it unpacks them, and names the folder in
//! [`ROOT_VARIABLE`].

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};

/// Names the folder that the packages are unpacked in, instead of the root of the file system.
pub const ROOT_VARIABLE: &str = "MOONLET_SERVERS";

/// A server that takes longer than this to start hangs.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// Who servers run as where this runs as root, for which Postgres refuses to: `nobody`.
const NOBODY: u32 = 65_534;

/// The files of a server that has TLS.
const CERTIFICATE: &str = "server.pem";
const KEY: &str = "server.key";
const AUTHORITY: &str = "ca.pem";

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    Mariadb,
}

/// A server with a database `app`, which the user `app` owns, with the password `secret`. Dropping it ends it.
///
/// One with certificates also has a user `proven`, who must show a certificate of that name.
pub struct Server {
    kind: Kind,
    tls: bool,
    folder: PathBuf,
    port: u16,
    running: Option<Child>,
}

impl Server {
    /// Makes a server and starts it.
    ///
    /// # Errors
    ///
    /// What to install when it is not there; else what it said.
    pub fn start(kind: Kind) -> Result<Self, String> {
        Self::start_with(kind, None)
    }

    /// Makes a server and starts it, with `server.pem`, `server.key` and `ca.pem` of a folder.
    ///
    /// # Errors
    ///
    /// What to install when it is not there; else what it said.
    pub fn start_with(kind: Kind, certificates: Option<&Path>) -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("moonlet-{kind:?}-{}-{number}", std::process::id()).to_lowercase());
        let text = |error: std::io::Error| format!("cannot make {}: {error}", folder.display());
        fs::create_dir_all(&folder).map_err(text)?;
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(text)?.port();
        give_away(&folder).map_err(text)?;
        let mut server = Self { kind, tls: certificates.is_some(), folder: folder.clone(), port, running: None };
        if let Some(certificates) = certificates {
            for name in [CERTIFICATE, KEY, AUTHORITY] {
                let path = folder.join(name);
                fs::copy(certificates.join(name), &path).map_err(text)?;
                // Postgres refuses a key that others can read.
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(text)?;
                give_away(&path).map_err(text)?;
            }
        }
        server.make()?;
        server.resume()?;
        Ok(server)
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it at once, as a crash does.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub fn crash(&mut self) -> Result<(), String> {
        let Some(mut child) = self.running.take() else { return Ok(()) };
        // Postgres itself ends its other processes at this, without writing anything more.
        let signal = if self.kind == Kind::Postgres { Signal::QUIT } else { Signal::KILL };
        let number = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("the server has no number")?;
        kill_process(number, signal).map_err(|error| format!("cannot end the server: {error}"))?;
        child.wait().map(|_| ()).map_err(|error| format!("cannot wait for the server: {error}"))
    }

    /// Starts it again.
    ///
    /// # Errors
    ///
    /// What it said when it does not start.
    pub fn resume(&mut self) -> Result<(), String> {
        let (mut command, ready) = match self.kind {
            Kind::Postgres => (self.postgres()?, "ready to accept connections"),
            Kind::Mariadb => (self.mariadb()?, "ready for connections"),
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let stderr = child.stderr.take().ok_or("the server has no standard error")?;
        self.running = Some(child);
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            // To the end, so that the server never waits for a reader.
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut said = String::new();
        loop {
            match lines.recv_timeout(TIME_LIMIT) {
                Ok(line) if line.contains(ready) => return Ok(()),
                Ok(line) => said = said + &line + "\n",
                Err(RecvTimeoutError::Timeout) => return Err(format!("{command:?} does not start:\n{said}")),
                Err(RecvTimeoutError::Disconnected) => return Err(format!("{command:?} ended:\n{said}")),
            }
        }
    }

    fn make(&self) -> Result<(), String> {
        let data = self.folder.join("data");
        match self.kind {
            Kind::Postgres => {
                let mut command = self.command(&find_postgres("initdb")?);
                let arguments = ["--auth=scram-sha-256", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"];
                let password = self.folder.join("password");
                fs::write(&password, "secret\n").map_err(|error| format!("cannot write {}: {error}", password.display()))?;
                give_away(&password).map_err(|error| error.to_string())?;
                command.args(arguments).arg("--pwfile").arg(&password).arg("--pgdata").arg(&data);
                run(command, "")?;
                let mut command = self.command(&find_postgres("postgres")?);
                command.args(["--single", "-D"]).arg(&data).arg("postgres");
                let proven = if self.tls { "CREATE ROLE proven LOGIN\n" } else { "" };
                run(command, &format!("CREATE ROLE app LOGIN PASSWORD 'secret'\nCREATE DATABASE app OWNER app\n{proven}"))?;
                if self.tls {
                    let access = data.join("pg_hba.conf");
                    let text = |error: std::io::Error| format!("cannot change {}: {error}", access.display());
                    let rules = fs::read_to_string(&access).map_err(text)?;
                    fs::write(&access, format!("hostssl all proven 127.0.0.1/32 cert\n{rules}")).map_err(text)?;
                }
                Ok(())
            }
            Kind::Mariadb => {
                let mut script = "CREATE DATABASE IF NOT EXISTS app CHARACTER SET utf8mb4;\n\
                    CREATE USER IF NOT EXISTS app@'127.0.0.1' IDENTIFIED BY 'secret';\n\
                    GRANT ALL ON app.* TO app@'127.0.0.1';\n"
                    .to_owned();
                if self.tls {
                    script += "CREATE USER IF NOT EXISTS proven@'127.0.0.1' IDENTIFIED BY 'secret' REQUIRE X509;\n\
                        GRANT ALL ON app.* TO proven@'127.0.0.1';\n";
                }
                let path = self.folder.join("init.sql");
                fs::write(&path, script).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
                give_away(&path).map_err(|error| error.to_string())?;
                let program = find("mariadb-install-db", &["usr/bin"], "mariadb-server")?;
                let mut command = self.command(&program);
                command.args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"]);
                command.arg(base(&program)).arg(format!("--datadir={}", data.display()));
                run(command, "")
            }
        }
    }

    fn postgres(&self) -> Result<Command, String> {
        let mut command = self.command(&find_postgres("postgres")?);
        command.arg("-D").arg(self.folder.join("data")).args(["-p", &self.port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=40"] {
            command.args(["-c", setting]);
        }
        if self.tls {
            let path = |name: &str| self.folder.join(name).display().to_string();
            command.args(["-c", "ssl=on"]);
            for (setting, name) in [("ssl_cert_file", CERTIFICATE), ("ssl_key_file", KEY), ("ssl_ca_file", AUTHORITY)] {
                command.args(["-c", &format!("{setting}={}", path(name))]);
            }
        }
        Ok(command)
    }

    fn mariadb(&self) -> Result<Command, String> {
        let program = find("mariadbd", &["usr/sbin"], "mariadb-server")?;
        let mut command = self.command(&program);
        let path = |name: &str| self.folder.join(name).display().to_string();
        command.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-buffer-pool-size=32M"]);
        command.arg(base(&program));
        command.args([
            format!("--datadir={}", path("data")),
            format!("--socket={}", path("socket")),
            format!("--pid-file={}", path("number")),
            format!("--init-file={}", path("init.sql")),
            format!("--port={}", self.port),
        ]);
        if self.tls {
            for (option, name) in [("cert", CERTIFICATE), ("key", KEY), ("ca", AUTHORITY)] {
                command.arg(format!("--ssl-{option}={}", path(name)));
            }
        }
        Ok(command)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env("LC_ALL", "C").env("HOME", &self.folder);
        if let Some(libraries) = unpacked().map(|root| root.join("usr/lib")).filter(|libraries| libraries.is_dir()) {
            let machine = format!("{}-linux-gnu", env::consts::ARCH);
            command.env("LD_LIBRARY_PATH", format!("{0}/{machine}:{0}", libraries.display()));
        }
        if geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.crash();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn unpacked() -> Option<PathBuf> {
    env::var_os(ROOT_VARIABLE).filter(|root| !root.is_empty()).map(PathBuf::from)
}

/// Where to look, in this order.
fn roots() -> impl Iterator<Item = PathBuf> {
    unpacked().into_iter().chain([PathBuf::from("/")])
}

/// Tells MariaDB where its other files are: beside the program.
fn base(program: &Path) -> String {
    let base = program.ancestors().nth(2).unwrap_or(program);
    format!("--basedir={}", base.display())
}

fn find_postgres(program: &str) -> Result<PathBuf, String> {
    let installed = roots().flat_map(|root| {
        let versions = fs::read_dir(root.join("usr/lib/postgresql")).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
        // The newest first, whose number is the highest.
        folders.sort_by_key(|folder| {
            let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
            std::cmp::Reverse(version.and_then(|version| version.parse::<u32>().ok()))
        });
        folders
    });
    let found = installed.map(|folder| folder.join(program)).find(|path| path.is_file());
    found.map_or_else(|| find(program, &["usr/bin", "usr/local/bin"], "postgresql"), Ok)
}

fn find(program: &str, folders: &[&str], package: &str) -> Result<PathBuf, String> {
    let places = roots().flat_map(|root| folders.iter().map(move |folder| root.join(folder)).collect::<Vec<_>>());
    let found = places.map(|folder| folder.join(program)).find(|path| path.is_file());
    found.ok_or_else(|| {
        let how = format!("`tests/servers` does, or name a folder in {ROOT_VARIABLE} that it is unpacked in");
        format!("no `{program}` on this machine: install the package `{package}` ({how})")
    })
}

fn run(mut command: Command, input: &str) -> Result<(), String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(|error| format!("{command:?} reads nothing: {error}"))?;
    }
    let output = child.wait_with_output().map_err(|error| format!("cannot wait for {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Err(format!("{command:?} failed:\n{}", said.concat()))
}

fn give_away(path: &Path) -> std::io::Result<()> {
    if geteuid().is_root() { chown(path, Some(NOBODY), Some(NOBODY)) } else { Ok(()) }
}
