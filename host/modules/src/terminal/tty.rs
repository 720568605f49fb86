//! Module `tty`: keys, the mouse and the size of the terminal, for processes on a terminal host, and styles of text.
//!
//! Raw mode is shared with `io`. Whoever asked for events gives the terminal back as it was, at the latest when the process ends.

use std::collections::BTreeMap;
use std::io::{stdin, stdout};
use std::sync::Arc;
use std::time::Duration;

use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};
use parking_lot::Mutex;
use rustix::termios::tcgetwinsize;

use super::keys::Decoder;
use super::raw::RawMode;
use super::reader::Reader;
use super::writer::Writer;
use super::{no_terminal, write};
use crate::fail::{limit, no_function, unsupported};

const DECODER: &str = "Decoder";
/// Bytes of input that are read at once.
const READ: usize = 4096;
/// How often the size of the terminal is looked at while somebody waits for another one.
const LOOK: Duration = Duration::from_millis(200);
/// Pasted text is marked, and the focus is told.
const ON: &[u8] = b"\x1b[?2004h\x1b[?1004h";
const OFF: &[u8] = b"\x1b[?2004l\x1b[?1004l";
/// Buttons, and the mouse while one is pressed, in the form that has no limit.
const MOUSE_ON: &[u8] = b"\x1b[?1002h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1002l\x1b[?1006l";

/// The terminal as a source of events.
pub struct Tty {
    out: Arc<Writer>,
    input: Arc<Reader>,
    raw: Arc<RawMode>,
    /// Who started, and whether they asked for the mouse.
    started: Arc<Mutex<BTreeMap<String, bool>>>,
}

impl Tty {
    pub(super) fn new(out: Arc<Writer>, input: Arc<Reader>, raw: Arc<RawMode>) -> Self {
        Self { out, input, raw, started: Arc::default() }
    }

    fn start(&self, call: &ModuleCall<'_>) -> Result<Answer, Fault> {
        if self.started.lock().contains_key(call.pid()) {
            return Answer::one(true);
        }
        call.hold();
        self.raw.set(call.pid(), true)?;
        self.started.lock().insert(call.pid().to_owned(), false);
        write(call, &self.out, ON)
    }

    fn stop(&self, call: &ModuleCall<'_>) -> Result<Answer, Fault> {
        self.input.interrupt(call.pid());
        let Some(mouse) = self.started.lock().remove(call.pid()) else { return Answer::one(true) };
        self.raw.set(call.pid(), false)?;
        write(call, &self.out, &leaving(mouse))
    }

    fn mouse(&self, call: &ModuleCall<'_>, on: bool) -> Result<Answer, Fault> {
        match self.started.lock().get_mut(call.pid()) {
            Some(mouse) => *mouse = on,
            None => return Err(crate::fail::invalid("the mouse is told about after `tty.start`").into()),
        }
        write(call, &self.out, if on { MOUSE_ON } else { MOUSE_OFF })
    }
}

fn leaving(mouse: bool) -> Vec<u8> {
    if mouse { [MOUSE_OFF, OFF].concat() } else { OFF.to_vec() }
}

/// Asks for the width and the height of the terminal.
fn size() -> Result<(u16, u16), Error> {
    let found = tcgetwinsize(stdout()).or_else(|_| tcgetwinsize(stdin()));
    let found = found.map_err(|error| unsupported(format!("neither standard output nor input is a terminal: {error}")))?;
    Ok((found.ws_col, found.ws_row))
}

impl HostModule for Tty {
    fn name(&self) -> &str {
        "tty"
    }

    fn manifest(&self) -> Value {
        Manifest::new()
            .functions(&["check", "start", "stop", "mouse", "read", "size", "resized", "decoder"])
            .resource(DECODER, &["decode"])
            .build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("tty.lua"))
    }

    fn part(&self, name: &str) -> Option<&'static str> {
        match name {
            "measure" => Some(include_str!("measure.lua")),
            "style" => Some(include_str!("style.lua")),
            _ => None,
        }
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        if function == "Decoder:decode" {
            let (decoder, args) = call.method::<Mutex<Decoder>>(DECODER, function, args)?;
            let bytes = args.bytes(1)?;
            if bytes.len() > READ {
                return Err(limit("decoded_bytes", READ as u64, bytes.len() as u64).into());
            }
            return Answer::one(Value::Array(decoder.lock().decode(bytes)));
        }
        if !call.has_terminal() {
            return Err(no_terminal(call).into());
        }
        let args = Args::new(function, args);
        match function {
            "check" => Answer::one(true),
            "start" => self.start(call),
            "stop" => self.stop(call),
            "mouse" => self.mouse(call, args.opt_boolean(1)?.unwrap_or(true)),
            "read" => self.input.read_until_interrupted(call, READ),
            "size" => {
                let (width, height) = size()?;
                Ok(Answer::Done(vec![width.into(), height.into()]))
            }
            "resized" => {
                let known = (args.integer(1)?, args.integer(2)?);
                let (started, pid) = (Arc::clone(&self.started), call.pid().to_owned());
                call.run_async(async move {
                    loop {
                        tokio::time::sleep(LOOK).await;
                        if !started.lock().contains_key(&pid) {
                            return Ok(Vec::new());
                        }
                        let (width, height) = size()?;
                        if known != (width.into(), height.into()) {
                            return Ok(vec![width.into(), height.into()]);
                        }
                    }
                })
            }
            "decoder" => Answer::one(call.keep(DECODER, Arc::new(Mutex::new(Decoder::default())))?),
            _ => Err(no_function("tty", function)),
        }
    }

    fn forget(&self, pid: &str) {
        if let Some(mouse) = self.started.lock().remove(pid) {
            // Where there is no room the terminal is busy with worse.
            let _ = self.out.offer(&leaving(mouse));
        }
        self.raw.forget(pid);
    }

    fn stop(&self) {
        let started = std::mem::take(&mut *self.started.lock());
        for mouse in started.into_values() {
            let _ = self.out.offer(&leaving(mouse));
        }
    }
}
