//! Writing to a standard stream from a thread of its own.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;

use moonlet_runtime::{Completer, Error};
use parking_lot::{Condvar, Mutex};

/// Bytes that are taken over before they are out; whoever writes more waits.
const BUFFER: usize = 256 << 10;

type Open = fn() -> Box<dyn Write + Send>;

/// A stream that never blocks who writes to it.
pub(crate) struct Writer {
    name: &'static str,
    open: Open,
    shared: Arc<Shared>,
}

/// What the writers and the thread share.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Something to write came, or something is out.
    news: Condvar,
}

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    /// Texts for which the buffer has no room, with their numbers.
    waiting: VecDeque<(u64, Vec<u8>, Option<Completer>)>,
    numbers: u64,
    running: bool,
    /// The thread is writing what it took off the buffer.
    busy: bool,
    /// Why nothing can be written any more.
    broken: Option<String>,
}

impl Shared {
    /// Forgets a text whose process is gone.
    pub(crate) fn cancel(&self, number: u64) {
        let waiting = {
            let mut state = self.state.lock();
            let position = state.waiting.iter().position(|(other, ..)| *other == number);
            position.and_then(|position| state.waiting.remove(position))
        };
        // Its completer answers nobody, and must do so without the lock.
        drop(waiting);
    }
}

impl Writer {
    pub(crate) fn new(name: &'static str, open: Open) -> Self {
        Self { name, open, shared: Arc::new(Shared { state: Mutex::new(State::default()), news: Condvar::new() }) }
    }

    /// Takes a text over; false when there is no room for it now.
    ///
    /// # Errors
    ///
    /// `Internal` when the stream is closed.
    pub(crate) fn offer(&self, text: &[u8]) -> Result<bool, Error> {
        let mut state = self.shared.state.lock();
        broken(&state)?;
        if !state.waiting.is_empty() || (!state.buffer.is_empty() && state.buffer.len() + text.len() > BUFFER) {
            return Ok(false);
        }
        state.buffer.extend_from_slice(text);
        self.run(&mut state)?;
        drop(state);
        self.shared.news.notify_all();
        Ok(true)
    }

    /// Says whether the stream can be written to.
    ///
    /// # Errors
    ///
    /// `Internal` when it is closed.
    pub(crate) fn check(&self) -> Result<(), Error> {
        broken(&self.shared.state.lock())
    }

    /// Returns a number for a text that waits.
    pub(crate) fn number(&self) -> u64 {
        let mut state = self.shared.state.lock();
        state.numbers += 1;
        state.numbers
    }

    /// Returns where a waiting text can be cancelled.
    pub(crate) fn waiting(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Takes a text over later.
    pub(crate) fn wait(&self, number: u64, text: Vec<u8>, completer: Completer) {
        let refused = {
            let mut state = self.shared.state.lock();
            // It may have been closed since the text was offered, and then nobody looks at what waits.
            match broken(&state) {
                Ok(()) => {
                    state.waiting.push_back((number, text, Some(completer)));
                    None
                }
                Err(error) => Some((completer, error)),
            }
        };
        match refused {
            None => {
                self.shared.news.notify_all();
            }
            Some((completer, error)) => completer.complete(Err(error)),
        }
    }

    /// Waits until everything that was taken over is out.
    pub(crate) fn drain(&self) {
        let mut state = self.shared.state.lock();
        while state.running && state.broken.is_none() && (state.busy || !state.buffer.is_empty()) {
            self.shared.news.wait(&mut state);
        }
    }

    fn run(&self, state: &mut State) -> Result<(), Error> {
        if state.running {
            return Ok(());
        }
        let (shared, open) = (Arc::clone(&self.shared), self.open);
        let builder = std::thread::Builder::new().name(self.name.to_owned());
        let thread = builder.spawn(move || work(&shared, &mut *open()));
        thread.map_err(|error| Error::new("Internal", format!("failed to start a thread for output: {error}")))?;
        state.running = true;
        Ok(())
    }
}

fn broken(state: &State) -> Result<(), Error> {
    match &state.broken {
        None => Ok(()),
        Some(reason) => Err(Error::new("Internal", format!("failed to write: {reason}")).with_retryable(false)),
    }
}

/// Writes what comes, until the program ends.
fn work(shared: &Shared, stream: &mut (dyn Write + Send)) {
    let mut taken = Vec::new();
    let mut accepted = Vec::new();
    loop {
        {
            let mut state = shared.state.lock();
            state.busy = false;
            shared.news.notify_all();
            while state.buffer.is_empty() && state.waiting.is_empty() {
                shared.news.wait(&mut state);
            }
            std::mem::swap(&mut taken, &mut state.buffer);
            while taken.len() < BUFFER {
                let Some((_, text, completer)) = state.waiting.pop_front() else { break };
                taken.extend_from_slice(&text);
                accepted.extend(completer);
            }
            state.busy = true;
        }
        let written = stream.write_all(&taken).and_then(|()| stream.flush());
        taken.clear();
        if let Err(error) = written {
            let waiting = {
                let mut state = shared.state.lock();
                state.broken = Some(error.to_string());
                state.busy = false;
                state.buffer = Vec::new();
                std::mem::take(&mut state.waiting)
            };
            shared.news.notify_all();
            let failed = || Err(Error::new("Internal", format!("failed to write: {error}")).with_retryable(false));
            let waiting = waiting.into_iter().filter_map(|(_, _, completer)| completer);
            for completer in accepted.drain(..).chain(waiting) {
                completer.complete(failed());
            }
            return;
        }
        for completer in accepted.drain(..) {
            completer.complete(Ok(Vec::new()));
        }
    }
}
