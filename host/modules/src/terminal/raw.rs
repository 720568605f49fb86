//! Raw mode of the terminal, counted for each process that asked for it.

use std::collections::BTreeMap;
use std::io::stdin;

use moonlet_runtime::Error;
use parking_lot::Mutex;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// How often which process asked for raw mode, and what the terminal was like before.
#[derive(Default)]
pub(crate) struct RawMode {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    wanted: BTreeMap<String, u32>,
    before: Option<Termios>,
}

impl RawMode {
    /// Turns raw mode on or off once for a process.
    ///
    /// # Errors
    ///
    /// `Unavailable` when standard input is no terminal.
    pub(crate) fn set(&self, pid: &str, on: bool) -> Result<(), Error> {
        let mut state = self.state.lock();
        if on {
            state.enter()?;
            *state.wanted.entry(pid.to_owned()).or_default() += 1;
        } else if let Some(count) = state.wanted.get_mut(pid) {
            *count -= 1;
            if *count == 0 {
                state.wanted.remove(pid);
            }
            state.leave();
        }
        Ok(())
    }

    /// Turns off what a process left on.
    pub(crate) fn forget(&self, pid: &str) {
        let mut state = self.state.lock();
        if state.wanted.remove(pid).is_some() {
            state.leave();
        }
    }

    /// Gives the terminal back as it was.
    pub(crate) fn reset(&self) {
        let mut state = self.state.lock();
        state.wanted.clear();
        state.leave();
    }
}

impl State {
    fn enter(&mut self) -> Result<(), Error> {
        if self.before.is_some() {
            return Ok(());
        }
        let unavailable =
            |error| Error::new("Unavailable", format!("standard input is no terminal: {error}")).with_retryable(false);
        let before = tcgetattr(stdin()).map_err(unavailable)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Flush, &raw).map_err(unavailable)?;
        self.before = Some(before);
        Ok(())
    }

    fn leave(&mut self) {
        if self.wanted.is_empty()
            && let Some(before) = self.before.take()
        {
            // The terminal may be gone by now, and then there is nothing to give back.
            let _ = tcsetattr(stdin(), OptionalActions::Flush, &before);
        }
    }
}
