//! One run of the binary: output as it comes, signals, and an end within a time limit.
//!
//! Nothing here waits for a time to pass: a test waits for a line of output or for the end.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::binary;

/// A run that takes longer than this hangs. Far above what any case needs, also on a busy machine.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Bytes that are kept of the end of standard error in a run that writes without end.
const KEPT: usize = 512 << 10;

/// The two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a run ended and what it wrote.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Everything on standard output.
    pub stdout: String,
    /// Everything on standard error.
    pub stderr: String,
    /// The exit code; none when a signal ended the run.
    pub code: Option<i32>,
    /// The signal that ended the run.
    pub signal: Option<i32>,
}

enum Input {
    Piece(Stream, Vec<u8>),
    Closed,
}

/// A run under way. Dropping it ends it.
pub struct Run {
    child: Child,
    stdin: Option<ChildStdin>,
    pieces: Receiver<Input>,
    open: usize,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    deadline: Instant,
    /// The texts whose lines are kept of standard error, besides its end; none: all is kept.
    keeping: Option<&'static [&'static str]>,
    kept: Vec<u8>,
    command: String,
}

impl Run {
    /// Starts the binary in the root of the repository. Without `stdin` its standard input is empty.
    ///
    /// # Errors
    ///
    /// When the binary is missing or does not start.
    pub fn start<A: AsRef<OsStr>>(arguments: &[A], stdin: Option<&Path>) -> Result<Run, String> {
        let stdin = match stdin {
            Some(path) => File::open(path).map_err(|error| format!("cannot open {}: {error}", path.display()))?.into(),
            None => Stdio::null(),
        };
        Run::spawn(arguments, stdin, Stdio::piped(), &[])
    }

    /// Starts the binary with variables in its environment, and an empty standard input.
    ///
    /// # Errors
    ///
    /// When the binary is missing or does not start.
    pub fn start_with<A: AsRef<OsStr>>(arguments: &[A], variables: &[(&str, &str)]) -> Result<Run, String> {
        Run::spawn(arguments, Stdio::null(), Stdio::piped(), variables)
    }

    /// Starts the binary with a standard input that [`Run::type_line`] writes to.
    ///
    /// # Errors
    ///
    /// When the binary is missing or does not start.
    pub fn interactive<A: AsRef<OsStr>>(arguments: &[A]) -> Result<Run, String> {
        Run::spawn(arguments, Stdio::piped(), Stdio::piped(), &[])
    }

    /// Starts the binary with a standard output that nobody reads any more.
    ///
    /// # Errors
    ///
    /// When the binary is missing or does not start.
    pub fn unheard<A: AsRef<OsStr>>(arguments: &[A]) -> Result<Run, String> {
        let (reader, writer) = io::pipe().map_err(|error| format!("cannot make a pipe: {error}"))?;
        drop(reader);
        Run::spawn(arguments, Stdio::null(), writer.into(), &[])
    }

    /// Starts the binary on a terminal of 80 columns and 24 rows, which `script` of util-linux makes, and shows the settings of that
    /// terminal when it has ended. [`Run::type_text`] types there.
    ///
    /// # Errors
    ///
    /// When `script` or the binary is missing or does not start.
    pub fn on_terminal(arguments: &[&str]) -> Result<Run, String> {
        let moonlet = binary::moonlet()?;
        let mut command = Command::new("script");
        let line = format!("stty cols 80 rows 24; '{}' {}; stty -a", moonlet.display(), arguments.join(" "));
        command.args(["-q", "-c", &line, "/dev/null"]);
        Run::begin(command, Stdio::piped(), Stdio::piped())
    }

    fn spawn<A: AsRef<OsStr>>(arguments: &[A], stdin: Stdio, stdout: Stdio, variables: &[(&str, &str)]) -> Result<Run, String> {
        let mut command = Command::new(binary::moonlet()?);
        command.args(arguments).envs(variables.iter().copied());
        Run::begin(command, stdin, stdout)
    }

    fn begin(mut command: Command, stdin: Stdio, stdout: Stdio) -> Result<Run, String> {
        command
            .current_dir(binary::repository())
            .env("NO_COLOR", "1")
            .env("TZ", "UTC")
            .env_remove("RUST_LOG")
            .stdin(stdin)
            .stdout(stdout)
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let (sender, pieces) = mpsc::channel();
        let mut open = 0;
        if let Some(stdout) = child.stdout.take() {
            open += 1;
            forward(stdout, Stream::Stdout, sender.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            open += 1;
            forward(stderr, Stream::Stderr, sender);
        }
        Ok(Run {
            stdin: child.stdin.take(),
            child,
            pieces,
            open,
            stdout: Vec::new(),
            stderr: Vec::new(),
            deadline: Instant::now() + TIME_LIMIT,
            keeping: None,
            kept: Vec::new(),
            command: format!("{command:?}"),
        })
    }

    /// Gives it another time limit, from now on.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Run {
        self.deadline = Instant::now() + limit;
        self
    }

    /// Keeps only the end of standard error, for runs that write without end, and lines that contain one of these texts.
    #[must_use]
    pub fn keeping(mut self, texts: &'static [&'static str]) -> Run {
        self.keeping = Some(texts);
        self
    }

    /// Drops what was read of a stream so far.
    pub fn forget(&mut self, stream: Stream) {
        match stream {
            Stream::Stdout => self.stdout.clear(),
            Stream::Stderr => self.stderr.clear(),
        }
    }

    /// Returns its id in the system.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns what was read of a stream so far.
    #[must_use]
    pub fn seen(&self, stream: Stream) -> String {
        let bytes = match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        };
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Waits until one stream contains a text.
    ///
    /// # Errors
    ///
    /// When the stream ends or the time limit passes before.
    pub fn await_text(&mut self, stream: Stream, text: &str) -> Result<(), String> {
        loop {
            let seen = match stream {
                Stream::Stdout => &self.stdout,
                Stream::Stderr => &self.stderr,
            };
            if String::from_utf8_lossy(seen).contains(text) {
                return Ok(());
            }
            if !self.take_piece()? {
                return Err(self.complain(&format!("ended without {text:?} on {stream:?}")));
            }
        }
    }

    /// Writes one line to standard input.
    ///
    /// # Errors
    ///
    /// When the run does not read any more.
    pub fn type_line(&mut self, line: &str) -> Result<(), String> {
        let stdin = self.stdin.as_mut().ok_or("standard input is closed")?;
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).map_err(|error| format!("cannot write a line: {error}"))
    }

    /// Writes text to standard input, without the end of a line.
    ///
    /// # Errors
    ///
    /// When the run does not read any more.
    pub fn type_text(&mut self, text: &str) -> Result<(), String> {
        let stdin = self.stdin.as_mut().ok_or("standard input is closed")?;
        stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush()).map_err(|error| format!("cannot type: {error}"))
    }

    /// Sends a signal to the run.
    ///
    /// # Errors
    ///
    /// When the run has ended already.
    pub fn signal(&mut self, signal: Signal) -> Result<(), String> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or("no such process id")?;
        kill_process(pid, signal).map_err(|error| self.complain(&format!("cannot be signalled: {error}")))
    }

    /// Waits for the end, closing standard input first.
    ///
    /// # Errors
    ///
    /// When the time limit passes before; the run is ended then, and its output is in the error.
    pub fn finish(mut self) -> Result<Finished, String> {
        self.stdin = None;
        while self.take_piece()? {}
        let status = self.child.wait().map_err(|error| format!("cannot wait for the run: {error}"))?;
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        #[cfg(not(unix))]
        let signal = None;
        Ok(Finished { stdout: text(&self.stdout), stderr: text(&self.kept) + &text(&self.stderr), code: status.code(), signal })
    }

    /// Takes over one piece of output; false when both streams have ended.
    fn take_piece(&mut self) -> Result<bool, String> {
        if self.open == 0 {
            return Ok(false);
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.pieces.recv_timeout(left) {
            Ok(Input::Piece(Stream::Stdout, piece)) => self.stdout.extend(piece),
            Ok(Input::Piece(Stream::Stderr, piece)) => self.stderr.extend(piece),
            Ok(Input::Closed) => self.open -= 1,
            Err(RecvTimeoutError::Disconnected) => self.open = 0,
            Err(RecvTimeoutError::Timeout) => {
                let _ = self.child.kill();
                return Err(self.complain("did not end within its time limit"));
            }
        }
        if let Some(texts) = self.keeping
            && self.stderr.len() > 2 * KEPT
        {
            let dropped: Vec<u8> = self.stderr.drain(..self.stderr.len() - KEPT).collect();
            let dropped = text(&dropped);
            // As much as is kept of the end: a fault may come again and again.
            for line in dropped.lines().filter(|line| texts.iter().any(|text| line.contains(text))) {
                if self.kept.len() < KEPT {
                    self.kept.extend(line.bytes().chain([b'\n']));
                }
            }
        }
        Ok(true)
    }

    fn complain(&self, what: &str) -> String {
        format!("{} {what}\n--- stdout\n{}\n--- stderr\n{}", self.command, text(&self.stdout), text(&self.stderr))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes that are not UTF-8 are replaced, so that a failure can be shown.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Forwards a stream as it comes.
fn forward(mut source: impl Read + Send + 'static, stream: Stream, sink: Sender<Input>) {
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count) = source.read(&mut buffer) {
            let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
            if sink.send(Input::Piece(stream, piece.to_vec())).is_err() {
                break;
            }
        }
        let _ = sink.send(Input::Closed);
    });
}
