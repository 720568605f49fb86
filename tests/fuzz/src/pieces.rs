//! What bytes mean to a process that is fed: arguments and context first, then an event for each piece.
//!
//! Compiled twice, on the types of the contract as the host has them and as the guest has them (`guest/fuzz`).

use super::wire::{Completion, Error, Event, Message, Outcome, Payload, Signal, SignalKind};

/// A program that takes whatever comes in every way there is.
pub(crate) const RECEIVER: &str = "
local function main()
    local time = require('time')
    process.set_options({ trap_links = true })
    local inbox, events, topic = process.inbox(), process.events(), process.listen('topic')
    while true do
        local got = channel.select({ inbox:case_receive(), events:case_receive(), topic:case_receive() })
        if not got.ok then return end
        local value = got.value
        pcall(tostring, value)
        pcall(function()
            local payload = value:payload()
            payload:data()
            payload:unmarshal()
            payload:transcode('json')
        end)
        pcall(function()
            return value.result.error:details(), tostring(value.result.error), value.result.error:stack()
        end)
        pcall(process.send, 'nobody', 'topic', value)
    end
end
return { main = main }";

/// Splits an input; no document has this byte as its first.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == 0xf4)
}

/// A payload of these bytes, with a few handles of channels.
pub(crate) fn payload(bytes: &[u8]) -> Payload {
    let channels = bytes.iter().take(3).map(|byte| u32::from(byte % 4)).collect();
    Payload { data: bytes.to_vec(), channels }
}

/// The event that a piece means: its first byte says which.
pub(crate) fn event(bytes: &[u8]) -> Event {
    let (kind, rest) = bytes.split_first().map_or((0, bytes), |(kind, rest)| (*kind, rest));
    let text = String::from_utf8_lossy(rest.get(..rest.len().min(40)).unwrap_or_default()).into_owned();
    let error =
        Error { kind: text.clone(), message: text.clone(), retryable: Some(true), details: rest.to_vec(), trace: text.clone() };
    let completed = |outcome| Event::Completed(Completion { ticket: u64::from(kind) / 8, outcome });
    match kind % 8 {
        0 => completed(Outcome::Done(payload(rest))),
        1 => completed(Outcome::Failed(error)),
        2 => completed(Outcome::Closed),
        3 | 4 => Event::Signal(Signal {
            kind: [SignalKind::Exit, SignalKind::LinkDown, SignalKind::Cancel, SignalKind::Outdated, SignalKind::Limit]
                [usize::from(kind / 8 % 5)],
            sender: text.clone(),
            at: u64::MAX,
            value: payload(rest),
            error: (kind > 128).then_some(error),
            reason: text.clone(),
            sources: vec![text],
        }),
        5 => Event::Message(Message { sender: None, topic: text, body: payload(rest) }),
        6 => Event::Message(Message { sender: None, topic: "@close".into(), body: payload(rest) }),
        _ => Event::Message(Message { sender: Some(text), topic: "topic".into(), body: payload(rest) }),
    }
}
