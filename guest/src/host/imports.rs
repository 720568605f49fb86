//! The imports of the component, by the names that the rest of the guest uses.

pub(crate) use crate::bindings::moonlet::runtime::channels::{
    close as channel_close, open as channel_open, receive as channel_receive, release as channel_release,
    select as channel_select, send as channel_send,
};
pub(crate) use crate::bindings::moonlet::runtime::clock::{monotonic, now, timer};
pub(crate) use crate::bindings::moonlet::runtime::functions::call;
pub(crate) use crate::bindings::moonlet::runtime::lifecycle::{
    cancel as cancel_process, exec, finish, get_options, link, monitor, set_options, spawn, terminate, unlink, unmonitor, upgrade,
};
pub(crate) use crate::bindings::moonlet::runtime::log::write as log;
pub(crate) use crate::bindings::moonlet::runtime::messages::{listen, open_inbox, pause, resume, send, unlisten};
pub(crate) use crate::bindings::moonlet::runtime::modules::{describe, invoke};
pub(crate) use crate::bindings::moonlet::runtime::names::{lookup, register, unregister};
pub(crate) use crate::bindings::moonlet::runtime::random::number as random_number;
pub(crate) use crate::bindings::moonlet::runtime::tickets::cancel;
