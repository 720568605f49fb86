//! One command: made, started, waited for, and ended with whoever has it.

use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use moonlet_runtime::Error;
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::unix::pipe;
use tokio::sync::{Semaphore, watch};

use super::bounds::really_below;
use super::command::Command;
use crate::fail::{internal, invalid, not_found};

/// How long a command that was asked to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// A command.
pub(super) struct Process {
    /// Guards what it is doing.
    state: Mutex<State>,
    stdin: tokio::sync::Mutex<Option<pipe::Sender>>,
    stdout: Mutex<Option<pipe::Receiver>>,
    stderr: Mutex<Option<pipe::Receiver>>,
    timeout: Duration,
    max_output: u64,
    places: Arc<Semaphore>,
}

enum State {
    /// It can be started with these.
    New(Box<New>),
    Running(Running),
    /// It was closed, or waited for.
    Closed(Option<Running>),
}

struct New {
    command: Command,
    stdin: Stdio,
    stdout: Stdio,
    stderr: Stdio,
}

#[derive(Clone)]
struct Running {
    pid: Pid,
    exit: watch::Receiver<Option<Exit>>,
}

/// How it ended.
#[derive(Debug, Clone, Copy)]
enum Exit {
    Code(i32),
    Timeout,
    Unknown,
}

/// A stream with a limit on what it gives in all.
pub(super) struct Output {
    receiver: pipe::Receiver,
    left: u64,
}

impl Process {
    /// Makes one that is not started. Call it inside of the runtime.
    pub(super) fn new(command: Command, timeout: Duration, places: Arc<Semaphore>) -> std::io::Result<Self> {
        let (stdin, stdin_writer) = std::io::pipe()?;
        let (stdout_reader, stdout) = std::io::pipe()?;
        let (stderr_reader, stderr) = std::io::pipe()?;
        let new = New { command, stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into() };
        Ok(Self {
            state: Mutex::new(State::New(Box::new(new))),
            stdin: tokio::sync::Mutex::new(Some(pipe::Sender::from_owned_fd(stdin_writer.into())?)),
            stdout: Mutex::new(Some(pipe::Receiver::from_owned_fd(stdout_reader.into())?)),
            stderr: Mutex::new(Some(pipe::Receiver::from_owned_fd(stderr_reader.into())?)),
            timeout,
            max_output: u64::MAX,
            places,
        })
    }

    pub(super) fn with_output(mut self, max: u64) -> Self {
        self.max_output = max;
        self
    }

    /// Starts it. Call it inside of the runtime, where it may wait.
    pub(super) fn start(&self) -> Result<(), Error> {
        let mut state = self.state.lock();
        let new = match std::mem::replace(&mut *state, State::Closed(None)) {
            State::New(new) => new,
            other => {
                let running = matches!(other, State::Running(_));
                *state = other;
                return Err(if running { invalid("process already started") } else { closed() });
            }
        };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Error::new("RateLimited", "the executor runs as many commands as it may: wait for one to end").with_retryable(true)
        })?;
        let New { mut command, stdin, stdout, stderr } = *new;
        if let (Some(base), Some(dir)) = (&command.below, &command.work_dir) {
            command.work_dir = Some(really_below(base, dir)?);
        }
        let mut built = tokio::process::Command::new(&command.program);
        built.args(&command.arguments).env_clear().envs(&command.env).stdin(stdin).stdout(stdout).stderr(stderr);
        built.process_group(0).kill_on_drop(true);
        if let Some(dir) = &command.work_dir {
            built.current_dir(dir);
        }
        let spawned = built.spawn();
        // The ends of the pipes that the command has now must not stay open here.
        drop(built);
        let mut child = spawned.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                not_found(format!("there is no command `{}`, or no such working directory", crate::fail::shown(&command.program)))
            }
            kind => internal(format!("failed to start the command: {kind}")),
        })?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| internal("the command has no process id"))?;
        let (sender, exit) = watch::channel(None);
        let timeout = self.timeout;
        tokio::spawn(async move {
            let ended = match tokio::time::timeout(timeout, child.wait()).await {
                Ok(Ok(status)) => Exit::Code(code(status)),
                Ok(Err(_)) => Exit::Unknown,
                Err(_) => {
                    kill(pid, Signal::KILL);
                    // Killed: it ends now.
                    let _ = child.wait().await;
                    Exit::Timeout
                }
            };
            // What the command started itself ends with it.
            kill(pid, Signal::KILL);
            drop(place);
            sender.send_replace(Some(ended));
        });
        *state = State::Running(Running { pid, exit });
        Ok(())
    }

    fn running(&self) -> Result<Running, Error> {
        match &*self.state.lock() {
            State::New(_) => Err(invalid("process not started")),
            State::Running(running) => Ok(running.clone()),
            State::Closed(_) => Err(closed()),
        }
    }

    /// Waits for its end and gives its code; the process cannot be used after that.
    pub(super) async fn wait(&self) -> Result<i32, Error> {
        let mut running = self.running()?;
        // What nobody reads must not keep it from ending.
        for stream in [&self.stdout, &self.stderr] {
            if let Some(mut receiver) = stream.lock().take() {
                tokio::spawn(async move { drop(tokio::io::copy(&mut receiver, &mut tokio::io::sink()).await) });
            }
        }
        let exit = match running.exit.wait_for(Option::is_some).await {
            Ok(exit) => exit.unwrap_or(Exit::Unknown),
            Err(_) => Exit::Unknown,
        };
        *self.state.lock() = State::Closed(None);
        match exit {
            Exit::Code(code) => Ok(code),
            Exit::Timeout => {
                let message = format!("the command ran longer than {} s, and was killed", self.timeout.as_secs());
                Err(Error::new("Timeout", message).with_retryable(true))
            }
            Exit::Unknown => Err(internal("the end of the command could not be seen")),
        }
    }

    /// Writes to its standard input; nothing to write closes it.
    pub(super) async fn write(&self, data: &[u8]) -> Result<(), Error> {
        self.running()?;
        let mut stdin = self.stdin.lock().await;
        if data.is_empty() {
            stdin.take();
            return Ok(());
        }
        let sender = stdin.as_mut().ok_or_else(|| invalid("the standard input is closed"))?;
        sender.write_all(data).await.map_err(|error| internal(format!("failed to write to the command: {}", error.kind())))
    }

    pub(super) fn stdout(&self) -> Result<Output, Error> {
        self.take(&self.stdout)
    }

    pub(super) fn stderr(&self) -> Result<Output, Error> {
        self.take(&self.stderr)
    }

    fn take(&self, stream: &Mutex<Option<pipe::Receiver>>) -> Result<Output, Error> {
        if matches!(*self.state.lock(), State::Closed(_)) {
            return Err(closed());
        }
        let receiver = stream.lock().take().ok_or_else(|| invalid("the stream was taken already"))?;
        Ok(Output { receiver, left: self.max_output })
    }

    pub(super) fn pid(&self) -> Result<i32, Error> {
        Ok(self.running()?.pid.as_raw_nonzero().get())
    }

    pub(super) fn signal(&self, number: i64) -> Result<(), Error> {
        let running = self.running()?;
        let signal = i32::try_from(number).ok().and_then(Signal::from_named_raw);
        let signal = signal.ok_or_else(|| invalid(format!("there is no signal {number}")))?;
        if running.exit.borrow().is_some() {
            return Err(invalid("the command has ended"));
        }
        kill_process_group(running.pid, signal).map_err(|error| internal(format!("failed to send the signal: {}", error.kind())))
    }

    /// Asks it to end, or ends it at once.
    pub(super) fn close(&self, force: bool, tokio: &tokio::runtime::Handle) {
        let state = std::mem::replace(&mut *self.state.lock(), State::Closed(None));
        let running = match state {
            State::Running(running) => running,
            State::New(_) | State::Closed(_) => return,
        };
        if let Ok(mut stdin) = self.stdin.try_lock() {
            stdin.take();
        }
        if running.exit.borrow().is_some() {
            return;
        }
        kill(running.pid, if force { Signal::KILL } else { Signal::TERM });
        *self.state.lock() = State::Closed(Some(running.clone()));
        tokio.spawn(async move {
            let mut exit = running.exit;
            if tokio::time::timeout(GRACE, exit.wait_for(Option::is_some)).await.is_err() {
                kill(running.pid, Signal::KILL);
            }
        });
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let State::Running(running) | State::Closed(Some(running)) = &*self.state.lock()
            && running.exit.borrow().is_none()
        {
            kill(running.pid, Signal::KILL);
        }
    }
}

impl AsyncRead for Output {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.receiver).poll_read(context, buffer);
        let read = (buffer.filled().len() - before) as u64;
        match self.left.checked_sub(read) {
            Some(left) => self.left = left,
            None => return Poll::Ready(Err(std::io::ErrorKind::QuotaExceeded.into())),
        }
        result
    }
}

/// Sends a signal to a command and all that it started; that they have ended already is no error.
fn kill(pid: Pid, signal: Signal) {
    let _ = kill_process_group(pid, signal);
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

fn closed() -> Error {
    invalid("process closed")
}
