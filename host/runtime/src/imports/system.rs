//! Clock, tickets, randomness and log.

use moonlet_sandbox::wit::{self, Error, Level};

use super::Calls;
use crate::document;
use crate::errors;
use crate::process::Pending;
use crate::shared::Shared;

/// Random bytes of one call.
const MAX_RANDOM: u32 = 65_536;
/// Bytes of one log message; the rest is cut.
const MAX_LOG: usize = 64 << 10;
/// Bytes of the name of a logger, and of a place in code.
const MAX_LOG_NAME: usize = 255;

impl wit::clock::Host for Calls {
    fn now(&mut self) -> u64 {
        Shared::wall_clock()
    }

    fn monotonic(&mut self) -> u64 {
        self.node.clock()
    }

    fn timer(&mut self, after: u64) -> Result<u64, Error> {
        self.timer_ticket(after, true)
    }
}

impl wit::tickets::Host for Calls {
    fn cancel(&mut self, ticket: u64) -> bool {
        // Whether an operation on a channel has ended is known to the channels only.
        if matches!(self.process.inner().pending(ticket), Some(Pending::Channel)) {
            return self.node.cancel_channel(&self.process, ticket);
        }
        // Ticket zero is the wall time of the process and not its own.
        let withdrawn = if ticket == 0 { None } else { self.process.inner().withdraw(ticket) };
        match withdrawn {
            Some(pending) => {
                self.node.abandon(pending);
                true
            }
            None => false,
        }
    }
}

impl wit::random::Host for Calls {
    fn number(&mut self) -> u64 {
        self.node.random()
    }

    fn bytes(&mut self, count: u32) -> Result<Vec<u8>, Error> {
        if count > MAX_RANDOM {
            return Err(errors::invalid(format!("{count} random bytes are too many: ask for at most {MAX_RANDOM} at once")));
        }
        let mut bytes = vec![0; count as usize];
        getrandom::fill(&mut bytes).map_err(|error| errors::internal(format!("the system has no randomness: {error}")))?;
        Ok(bytes)
    }
}

impl wit::log::Host for Calls {
    fn write(&mut self, level: Level, logger: String, message: String, fields: Vec<u8>, location: String) {
        let pid = &*self.process.pid;
        let entry = &*self.process.terms.program.entry;
        macro_rules! write {
            ($level:expr) => {
                if tracing::enabled!(target: "moonlet::process", $level) {
                    let message = errors::plain(cut(&message));
                    let (logger, location) = (errors::plain(cut_name(&logger)), errors::plain(cut_name(&location)));
                    let fields = shown_fields(&fields);
                    tracing::event!(target: "moonlet::process", $level, pid, entry, logger, location, fields, "{message}");
                }
            };
        }
        match level {
            Level::Debug => write!(tracing::Level::DEBUG),
            Level::Info => write!(tracing::Level::INFO),
            Level::Warn => write!(tracing::Level::WARN),
            Level::Error => write!(tracing::Level::ERROR),
        }
    }
}

fn cut(message: &str) -> &str {
    message.get(..message.floor_char_boundary(MAX_LOG)).unwrap_or_default()
}

fn cut_name(name: &str) -> &str {
    name.get(..name.floor_char_boundary(MAX_LOG_NAME)).unwrap_or_default()
}

/// Writes the fields of a record as `name=value`, without control characters.
fn shown_fields(fields: &[u8]) -> String {
    if fields.len() > MAX_LOG {
        return format!("unreadable_fields=more than {MAX_LOG} bytes of fields");
    }
    let mut shown = String::new();
    for (name, value) in document::decode_map(fields).unwrap_or_default() {
        if shown.len() > MAX_LOG {
            break;
        }
        if !shown.is_empty() {
            shown.push(' ');
        }
        let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        shown.push_str(&errors::plain(cut(&format!("{name}={value}"))));
    }
    shown
}
