//! Module `io`: the terminal, for processes on a terminal host.
//!
//! Reading and writing may block for as long as whoever is at the other end likes, hence both happen on threads of their own:
//! a slow reader of standard output makes the process wait that writes, and no other. What Lua sees is the guest's module `io`,
//! which calls `write(stream, text)`, `flush()`, `read(count)`, `readline()`, `raw(on)` and `args()` here.

use std::io::{stderr, stdout};
use std::sync::Arc;

use moonlet_runtime::{Answer, Error, Fault, HostModule, ModuleCall, Value};

mod keys;
mod raw;
mod reader;
mod tty;
mod writer;

use raw::RawMode;
use reader::Reader;
pub use tty::Tty;
use writer::Writer;

/// The streams of `write`.
const OUTPUT: i64 = 1;
const ERRORS: i64 = 2;
/// Bytes that `read` returns when the caller does not say how many.
const DEFAULT_READ: usize = 1024;

/// The terminal of this node.
pub struct Terminal {
    args: Vec<String>,
    out: Arc<Writer>,
    err: Writer,
    input: Arc<Reader>,
    raw: Arc<RawMode>,
}

impl Terminal {
    /// Takes the standard streams of this program; `args` is what `io.args` returns.
    #[must_use]
    pub fn new(args: Vec<String>) -> Self {
        Self {
            args,
            out: Arc::new(Writer::new("moonlet-stdout", || Box::new(stdout()))),
            err: Writer::new("moonlet-stderr", || Box::new(stderr())),
            input: Arc::new(Reader::new()),
            raw: Arc::new(RawMode::default()),
        }
    }

    /// Makes the module `tty` of the same terminal.
    #[must_use]
    pub fn tty(&self) -> Tty {
        Tty::new(Arc::clone(&self.out), Arc::clone(&self.input), Arc::clone(&self.raw))
    }

    /// Waits until everything that processes wrote is out, and gives the terminal back as it was. Call it before the program
    /// ends.
    pub fn close(&self) {
        self.out.drain();
        self.err.drain();
        self.raw.reset();
    }
}

fn no_terminal(call: &ModuleCall<'_>) -> Error {
    let message = format!(
        "`{}` runs on `{}`, which has no terminal: run it on a host of kind `terminal.host`, as `moonlet run -x` does",
        call.entry(),
        call.host()
    );
    Error::new("Unavailable", message).with_retryable(false)
}

/// Writes, or waits until there is room.
fn write(call: &ModuleCall<'_>, writer: &Writer, text: &[u8]) -> Result<Answer, Fault> {
    if writer.offer(text)? {
        return Ok(Answer::Done(Vec::new()));
    }
    let number = writer.number();
    let waiting = writer.waiting();
    let (ticket, completer) = call.later(move || waiting.cancel(number))?;
    writer.wait(number, text.to_vec(), completer);
    Ok(Answer::Pending(ticket))
}

impl HostModule for Terminal {
    fn name(&self) -> &str {
        "io"
    }

    fn manifest(&self) -> Value {
        let functions = ["write", "flush", "read", "readline", "raw", "args"];
        let functions = functions.into_iter().map(Value::from).collect();
        Value::Map(vec![("functions".into(), Value::Array(functions))])
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        if function == "args" {
            let args = self.args.iter().map(|arg| Value::from(arg.as_str())).collect();
            return Ok(Answer::Done(vec![Value::Array(args)]));
        }
        if !call.has_terminal() {
            return Err(no_terminal(call).into());
        }
        match function {
            "write" => {
                let text = match args.get(1) {
                    Some(Value::String(text)) => text.as_bytes(),
                    Some(Value::Binary(bytes)) => bytes,
                    _ => return Err(Error::new("Invalid", "`write` takes a stream and a text").into()),
                };
                match args.first().and_then(Value::as_i64) {
                    Some(OUTPUT) => write(call, &self.out, text),
                    Some(ERRORS) => write(call, &self.err, text),
                    _ => Err(Error::new("Invalid", "`write` knows the streams 1 and 2 only").into()),
                }
            }
            "flush" => {
                // Nothing is held back: what was taken over is on its way.
                self.out.check()?;
                Ok(Answer::Done(Vec::new()))
            }
            "read" => {
                let wanted = args.first().and_then(Value::as_u64).and_then(|bytes| usize::try_from(bytes).ok());
                let wanted = wanted.filter(|bytes| *bytes > 0).unwrap_or(DEFAULT_READ);
                self.input.read(call, Some(wanted.min(call.max_bytes() / 2)))
            }
            "readline" => self.input.read(call, None),
            "raw" => {
                let on = args.first().and_then(Value::as_bool).unwrap_or(true);
                call.hold();
                self.raw.set(call.pid(), on)?;
                Ok(Answer::Done(Vec::new()))
            }
            other => Err(Error::new("NotFound", format!("module `io` has no function `{other}`")).into()),
        }
    }

    fn forget(&self, pid: &str) {
        self.raw.forget(pid);
    }
}
