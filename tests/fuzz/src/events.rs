//! A Lua process, through the component boundary: arguments, context, messages, signals, completions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use moonlet_sandbox::wit::{self, Status};
use moonlet_sandbox::{InstanceLimits, Sandbox, SandboxConfig};

use crate::nothing::{MAX_SLICES, Nothing};
use crate::pieces::{RECEIVER, event, payload, pieces};

/// A sandbox with a compiled receiver, and the thread that ends its slices.
pub struct Receiver {
    sandbox: Sandbox,
    code: Vec<u8>,
    done: Arc<AtomicBool>,
    ticker: Option<JoinHandle<()>>,
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

impl Receiver {
    /// Makes a sandbox and compiles the receiver.
    ///
    /// # Panics
    ///
    /// When either is impossible here.
    #[must_use]
    pub fn new() -> Self {
        let sandbox = Sandbox::new(&SandboxConfig { max_processes: 20, max_stacks: 2, ..SandboxConfig::default() }).unwrap();
        let code = sandbox.compile(RECEIVER.as_bytes(), "fuzz:receiver").unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let (ticking, stop) = (sandbox.clone(), Arc::clone(&done));
        let ticker = thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(1));
                ticking.tick();
            }
        });
        Self { sandbox, code, done, ticker: Some(ticker) }
    }

    /// Feeds a new receiver with what the bytes say and tells what it asked of its host, as numbers of functions.
    ///
    /// # Panics
    ///
    /// When the guest traps or hangs; to end is a decision of its code.
    #[must_use]
    pub fn feed(&self, bytes: &[u8]) -> Vec<u8> {
        let host = Nothing::default();
        let limits = InstanceLimits { memory: 32 << 20, message: 1 << 20 };
        let mut machine = self.sandbox.machine(Box::new(host.clone()), limits).unwrap();
        let mut pieces = pieces(bytes);
        let program = wit::Program {
            pid: "{fuzz:host|0x1}".into(),
            main: wit::Chunk {
                entry: "fuzz:receiver".into(),
                code: self.code.clone(),
                modules: vec!["time".into()],
                imports: Vec::new(),
            },
            libraries: Vec::new(),
            image_modules: Vec::new(),
            method: "main".into(),
            args: payload(pieces.next().unwrap_or_default()),
            context: pieces.next().unwrap_or_default().to_vec(),
            seed: 1,
            limits: wit::SoftLimits {
                memory: 8 << 20,
                coroutines: 100,
                channels: 100,
                channel_buffer: 100,
                timers: 100,
                depth: 64,
                message_size: 1 << 20,
            },
        };
        let mut status = machine.start(&program);
        for piece in pieces {
            match status {
                Ok(Status::Blocked) => status = machine.step(&[event(piece)]),
                Ok(Status::Finished) | Err(_) => break,
            }
        }
        assert!(host.slices.load(Ordering::Relaxed) < MAX_SLICES, "a step hangs");
        if let Err(failure) = status {
            panic!("the guest failed: {failure}");
        }
        std::mem::take(&mut *host.acts.lock().unwrap())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker.take() {
            let _ = ticker.join();
        }
    }
}
