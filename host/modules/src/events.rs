//! Module `events`: news that anybody may publish and whoever subscribed hears of.
//!
//! The bus is the runtime's. Lua takes its events one by one: a coroutine of the glue waits for the next one and puts it into the channel
//! of the subscription, so that what a slow process does not take waits in the host, up to a bound, and is counted beyond it.

use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};

/// The event bus.
#[derive(Debug, Default)]
pub(crate) struct Events;

impl HostModule for Events {
    fn name(&self) -> &str {
        "events"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(&["subscribe", "send", "next", "close"]).build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("events/glue.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        let mut args = Args::new(function, args);
        match function {
            "subscribe" => {
                let (system, kind) = (args.text(1)?, args.opt_text(2)?);
                call.check("events.subscribe", system)?;
                Answer::one(call.subscribe(system, kind)?)
            }
            "send" => {
                let data = args.take(4);
                let (system, kind, path) = (args.text(1)?, args.text(2)?, args.text(3)?);
                call.check("events.send", system)?;
                call.publish(system, kind, path, data)?;
                Answer::one(true)
            }
            "next" => call.next_event(number(&args)?),
            "close" => Answer::one(call.unsubscribe(number(&args)?)),
            other => Err(Error::new("NotFound", format!("module `events` has no function `{other}`")).into()),
        }
    }
}

fn number(args: &Args<'_>) -> Result<u64, Fault> {
    u64::try_from(args.integer(1)?).map_err(|_| args.fault(1, "the number of a subscription expected"))
}
