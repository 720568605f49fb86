//! Limits of one process, quotas of a process host, and what a host allows at most.
//!
//! Owns names, units, defaults and how limits combine. Enforcing them is for those who run processes.

use std::time::Duration;

use serde_json::Value;

use crate::schema::{Field, Object, Type, Unknown};
use crate::units::{Size, format_duration, parse_duration};

mod allow;
mod quota;

pub(crate) use allow::ALLOW;
pub use allow::{Allow, split_target};
pub(crate) use quota::QUOTA;
pub use quota::Quota;

/// A limit's value as it is written and compared.
pub(crate) trait Amount: Copy + Ord {
    /// The type that a field of this amount has.
    const TYPE: Type;

    /// In what it is written.
    const UNIT: &str;

    /// Reads a value that the schema has accepted.
    fn read(value: &Value) -> Option<Self>;

    /// Writes the amount so that it can be read back.
    fn show(self) -> String;

    /// Gives the amount as a number: bytes, nanoseconds or a count.
    fn number(self) -> u64;
}

impl Amount for Size {
    const TYPE: Type = Type::Size;
    const UNIT: &str = "size";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_u64().map(Self::bytes),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn show(self) -> String {
        self.to_string()
    }

    fn number(self) -> u64 {
        self.as_bytes()
    }
}

impl Amount for Duration {
    const TYPE: Type = Type::Period;
    const UNIT: &str = "time";

    fn read(value: &Value) -> Option<Self> {
        parse_duration(value.as_str()?).ok()
    }

    fn show(self) -> String {
        format_duration(self)
    }

    fn number(self) -> u64 {
        u64::try_from(self.as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Amount for u64 {
    const TYPE: Type = Type::Count;
    const UNIT: &str = "count";

    fn read(value: &Value) -> Option<Self> {
        value.as_u64()
    }

    fn show(self) -> String {
        self.to_string()
    }

    fn number(self) -> u64 {
        self
    }
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $ty:ty = $default:expr;)+) => {
        /// What one process may use at most; an absent limit is inherited.
        ///
        /// In an entry they stand below `limits:`, under these names. Sizes are written as `64MB` or `512KiB`, times as `10s`,
        /// counts as whole numbers. A process host's limits are the ceiling for whatever runs there.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: Option<$ty>,)+
        }

        impl Limits {
            /// The names of all limits.
            pub const NAMES: &[&str] = &[$(stringify!($name)),+];

            /// Gives the limits that hold where neither an entry nor its host says anything.
            ///
            /// They are wide enough for ordinary applications, and finite wherever one process could harm another.
            #[must_use]
            pub const fn defaults() -> Self {
                Self { $($name: $default,)+ }
            }

            /// Combines the limits of a process host with those of an entry: the entry can lower, never raise.
            ///
            /// What the host leaves open is at its default.
            #[must_use]
            pub fn merged(host: &Self, entry: &Self) -> Self {
                let defaults = Self::defaults();
                Self { $($name: lower(host.$name.or(defaults.$name), entry.$name),)+ }
            }

            /// Keeps these limits below a ceiling, which is the limit where there is none here.
            #[must_use]
            pub fn below(&self, ceiling: &Self) -> Self {
                Self { $($name: lower(ceiling.$name, self.$name),)+ }
            }

            /// Reads a `limits` map that was checked when it was loaded.
            pub(crate) fn read(value: Option<&Value>) -> Self {
                let field = |name: &str| value.and_then(|value| value.get(name));
                Self { $($name: field(stringify!($name)).and_then(<$ty as Amount>::read),)+ }
            }

            /// Lists the limits that are set, as name and text.
            #[must_use]
            pub fn list(&self) -> Vec<(&'static str, String)> {
                let mut list = Vec::new();
                $(if let Some(amount) = self.$name { list.push((stringify!($name), amount.show())); })+
                list
            }

            /// Lists what exceeds a ceiling: name, own amount and ceiling.
            pub(crate) fn above(&self, ceiling: &Self) -> Vec<(&'static str, String, String)> {
                let mut list = Vec::new();
                $(if let (Some(own), Some(most)) = (self.$name, ceiling.$name) && own > most {
                    list.push((stringify!($name), own.show(), most.show()));
                })+
                list
            }

            /// Gives a limit by its name, as a number of bytes, nanoseconds or things.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<u64> {
                match name {
                    $(stringify!($name) => self.$name.map(Amount::number),)+
                    _ => None,
                }
            }

            /// Gives a limit as it is written, by its name.
            #[must_use]
            pub fn shown(&self, name: &str) -> Option<String> {
                match name {
                    $(stringify!($name) => self.$name.map(Amount::show),)+
                    _ => None,
                }
            }

            /// Says in what a limit is written: `size`, `time` or `count`.
            #[must_use]
            pub fn unit(name: &str) -> Option<&'static str> {
                match name {
                    $(stringify!($name) => Some(<$ty as Amount>::UNIT),)+
                    _ => None,
                }
            }

            /// Says which attack a limit stops.
            #[must_use]
            pub fn describe(name: &str) -> Option<&'static str> {
                match name {
                    $(stringify!($name) => Some(concat!($($doc),+).trim_ascii()),)+
                    _ => None,
                }
            }
        }

        /// The fields of a `limits` map.
        pub(crate) static LIMITS: Object = Object {
            fields: &[$(Field::new(stringify!($name), <$ty as Amount>::TYPE)),+],
            unknown: Unknown::Refused,
        };

        /// The fields of a `limits` map of WebAssembly code, which may name the time of one run as the reference does.
        pub(crate) static WASM_LIMITS: Object = Object {
            fields: &[
                $(Field::new(stringify!($name), <$ty as Amount>::TYPE),)+
                Field::new("max_execution_ms", Type::Count),
            ],
            unknown: Unknown::Refused,
        };
    };
}

limits! {
    /// Linear memory: stops a program that allocates until the machine swaps.
    memory: Size = Some(Size::mib(64));
    /// CPU time from one block to the next: stops an endless loop. Unlimited by default, because slices keep neighbours served.
    cpu_per_turn: Duration = None;
    /// CPU time over its whole life: stops a program that mines at the cost of others. Unlimited by default.
    cpu_total: Duration = None;
    /// Time from spawn to exit: stops processes that are left behind. Unlimited by default.
    wall_time: Duration = None;
    /// Messages that wait: stops a sender that is faster than its receiver.
    mailbox_messages: u64 = Some(10_000);
    /// Bytes of messages that wait: stops few huge messages doing what many small ones may not.
    mailbox_bytes: Size = Some(Size::mib(16));
    /// Bytes of one message, argument or result: stops one send that stalls the host with copying.
    message_size: Size = Some(Size::mib(8));
    /// How deep values of one message nest: stops a message that overflows its receiver's stack.
    message_depth: u64 = Some(64);
    /// Coroutines that live: stops a spawn storm inside the process.
    coroutines: u64 = Some(10_000);
    /// Channels that are open: stops a program that fills tables of the host with channels.
    channels: u64 = Some(10_000);
    /// Values that one channel buffers: stops a buffer that is memory by another name.
    channel_buffer: u64 = Some(65_536);
    /// Timers and tickers that run: stops a storm of wake-ups.
    timers: u64 = Some(10_000);
    /// Handles of host modules that are open: stops a program that exhausts files, connections or statements.
    handles: u64 = Some(1_000);
    /// Processes it has spawned that are alive: stops a fork bomb.
    children: u64 = Some(10_000);
    /// Processes started each second, calls included: stops a fork bomb whose children end at once. Unlimited by default, because hosts
    /// share the CPU time.
    spawns_per_second: u64 = None;
    /// Messages sent each second: stops a flood. Unlimited by default, because mailboxes are bounded.
    messages_per_second: u64 = None;
    /// Calls into the host each second: stops a program that keeps the host busy instead of itself. Unlimited by default.
    host_calls_per_second: u64 = None;
    /// Log lines each second: stops a flood that hides what matters.
    log_lines_per_second: u64 = Some(10_000);
    /// Bytes of log text each second: stops a flood that fills the disk.
    log_bytes_per_second: Size = Some(Size::mib(4));
    /// Names it has registered: stops a program that takes every name.
    names: u64 = Some(1_000);
    /// Calls, sleeps and other operations that wait for the host: stops a program that starts work without end.
    pending_calls: u64 = Some(10_000);
    /// Bytes of its source with all imports: stops a source made to exhaust the parser.
    source_size: Size = Some(Size::mib(4));
}

/// The least memory that a process can start with; less would fail at every spawn.
pub(crate) const MIN_MEMORY: Size = Size::mib(1);

fn lower<T: Ord>(ceiling: Option<T>, own: Option<T>) -> Option<T> {
    match (ceiling, own) {
        (Some(ceiling), Some(own)) => Some(ceiling.min(own)),
        (ceiling, own) => ceiling.or(own),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_lowers_and_never_raises() {
        let host = Limits { memory: Some(Size::mib(32)), cpu_total: Some(Duration::from_secs(9)), ..Limits::default() };
        let entry = Limits { memory: Some(Size::mib(128)), coroutines: Some(5), timers: Some(u64::MAX), ..Limits::default() };
        let merged = Limits::merged(&host, &entry);
        assert_eq!(merged.memory, Some(Size::mib(32)));
        assert_eq!(merged.coroutines, Some(5));
        assert_eq!(merged.cpu_total, Some(Duration::from_secs(9)));
        assert_eq!(merged.timers, Limits::defaults().timers, "what the host leaves open is at its default");
        assert_eq!(merged.wall_time, None);
    }

    #[test]
    fn a_host_may_raise_the_defaults() {
        let host = Limits { memory: Some(Size::mib(512)), ..Limits::default() };
        assert_eq!(Limits::merged(&host, &Limits::default()).memory, Some(Size::mib(512)));
    }

    #[test]
    fn limits_are_found_by_name() {
        let limits = Limits::read(Some(&serde_json::json!({"memory": "2MiB", "wall_time": "1m", "names": 3})));
        assert_eq!(
            (limits.get("memory"), limits.get("wall_time"), limits.get("names")),
            (Some(2 << 20), Some(60_000_000_000), Some(3))
        );
        assert_eq!(limits.list(), [("memory", "2MiB".to_owned()), ("wall_time", "1m".to_owned()), ("names", "3".to_owned())]);
        assert!(Limits::NAMES.iter().all(|name| Limits::describe(name).is_some_and(|text| text.contains("stops"))));
    }
}
