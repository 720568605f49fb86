//! The imports of the component, by the names that the rest of the guest uses.
//!
//! The host ends a process that hands over more in one call than the largest messages need. What Lua code chooses is therefore cut
//! or refused here: no pid, name, topic or entry is as long as what is cut, so that the host answers the same.

use super::{CallRequest, Event, HostError, Level, Payload, Scope, SelectCase, Selection, SpawnRequest, error};
use crate::bindings::moonlet::runtime::{channels, functions, lifecycle, log as logs, messages, modules, names};
use crate::errors;
use crate::machine::machine;

pub(crate) use crate::bindings::moonlet::runtime::channels::{
    close as channel_close, open as channel_open, receive as channel_receive, release as channel_release, send as channel_send,
};
pub(crate) use crate::bindings::moonlet::runtime::clock::{monotonic, now, timer};
pub(crate) use crate::bindings::moonlet::runtime::lifecycle::{get_options, refused, set_options};
pub(crate) use crate::bindings::moonlet::runtime::messages::{open_inbox, pause, resume};
pub(crate) use crate::bindings::moonlet::runtime::modules::invoke;
pub(crate) use crate::bindings::moonlet::runtime::random::number as random_number;
pub(crate) use crate::bindings::moonlet::runtime::tickets::cancel;

/// Longer than any pid, name, topic, entry or reason can be.
const NAME: usize = 8 << 10;
/// Longer than the longest text of a log or an error that the host keeps.
const TEXT: usize = (64 << 10) + 16;

fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn name(text: &str) -> &str {
    cut(text, NAME)
}

/// Refuses what is too large together, though each part may be sent.
fn check_total(sizes: impl Iterator<Item = usize>) -> Result<(), HostError> {
    let allowed = (machine().limits.message_size as usize).saturating_mul(3);
    let total = sizes.fold(0, usize::saturating_add);
    if total <= allowed {
        return Ok(());
    }
    Err(error(errors::LIMIT_EXCEEDED, format!("limit `message_size` exceeded: {total} bytes in one call, {allowed} are allowed")))
}

pub(crate) fn send(to: &str, topic: &str, body: &Payload) -> Result<(), HostError> {
    messages::send(name(to), name(topic), body)
}

pub(crate) fn listen(topic: &str) -> Result<(), HostError> {
    messages::listen(name(topic))
}

pub(crate) fn unlisten(topic: &str) {
    messages::unlisten(name(topic));
}

pub(crate) fn cancel_process(to: &str, reason: &str) -> Result<(), HostError> {
    lifecycle::cancel(name(to), name(reason))
}

pub(crate) fn terminate(to: &str) -> Result<(), HostError> {
    lifecycle::terminate(name(to))
}

pub(crate) fn link(to: &str) -> Result<(), HostError> {
    lifecycle::link(name(to))
}

pub(crate) fn unlink(to: &str) -> Result<(), HostError> {
    lifecycle::unlink(name(to))
}

pub(crate) fn monitor(to: &str) -> Result<(), HostError> {
    lifecycle::monitor(name(to))
}

pub(crate) fn unmonitor(to: &str) -> Result<(), HostError> {
    lifecycle::unmonitor(name(to))
}

pub(crate) fn upgrade(entry: Option<&str>, args: &Payload, unread: &[Event]) -> Result<(), HostError> {
    lifecycle::upgrade(entry.map(name), args, unread)
}

pub(crate) fn register(text: &str, process: Option<&str>, scope: Scope) -> Result<(), HostError> {
    names::register(name(text), process.map(name), scope)
}

pub(crate) fn lookup(text: &str) -> Result<String, HostError> {
    names::lookup(name(text))
}

pub(crate) fn unregister(text: &str, scope: Scope) -> Result<(), HostError> {
    names::unregister(name(text), scope)
}

pub(crate) fn describe(module: &str) -> Result<Vec<u8>, HostError> {
    modules::describe(name(module))
}

pub(crate) fn spawn(request: &SpawnRequest) -> Result<String, HostError> {
    check_spawn(request)?;
    lifecycle::spawn(request)
}

pub(crate) fn exec(request: &SpawnRequest) -> Result<u64, HostError> {
    check_spawn(request)?;
    lifecycle::exec(request)
}

fn check_spawn(request: &SpawnRequest) -> Result<(), HostError> {
    check_entry(&request.entry)?;
    check_entry(&request.host)?;
    let own = [&request.args.data, &request.context, &request.options].map(Vec::len);
    let named = request.name.as_ref().map_or(0, String::len);
    let first = request.messages.iter().map(|message| message.topic.len() + message.body.data.len());
    check_total(own.into_iter().chain([named]).chain(first))
}

pub(crate) fn call(request: &CallRequest) -> Result<u64, HostError> {
    check_entry(&request.entry)?;
    check_total([&request.args.data, &request.context, &request.options].map(Vec::len).into_iter())?;
    functions::call(request)
}

fn check_entry(entry: &str) -> Result<(), HostError> {
    if entry.len() <= NAME {
        return Ok(());
    }
    Err(error(errors::INVALID, format!("a text of {} bytes cannot be the id of an entry", entry.len())))
}

pub(crate) fn channel_select(cases: &[SelectCase], wait: bool) -> Result<Selection, HostError> {
    check_total(cases.iter().map(|case| match case {
        SelectCase::Send(offer) => offer.body.data.len(),
        SelectCase::Receive(_) => 0,
    }))?;
    channels::select(cases, wait)
}

pub(crate) fn log(level: Level, logger: &str, message: &str, fields: &[u8], location: &str) {
    let fields = fields.get(..TEXT).unwrap_or(fields);
    logs::write(level, name(logger), cut(message, TEXT), fields, name(location));
}

pub(crate) fn finish(outcome: Result<&Payload, &HostError>) {
    let error = match outcome {
        Ok(_) => return lifecycle::finish(outcome),
        Err(error) => error,
    };
    lifecycle::finish(Err(&HostError {
        kind: name(&error.kind).to_owned(),
        message: cut(&error.message, TEXT).to_owned(),
        retryable: error.retryable,
        details: error.details.clone(),
        trace: cut(&error.trace, TEXT).to_owned(),
    }));
}
