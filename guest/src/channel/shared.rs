//! Channels that other processes know, too: what the host holds for them.

use std::ffi::c_int;

use crate::host;
use crate::lua::{State, ffi};
use crate::payload::Failure;
use crate::scheduler::Parked;

pub(crate) unsafe fn share(_lua: State, _index: c_int) -> Result<u32, Failure> {
    Err(Failure { kind: crate::errors::UNAVAILABLE, message: "not yet".to_owned() })
}

pub(crate) unsafe fn push_channels(_lua: State, _handles: &[u32]) -> c_int {
    0
}

pub(super) unsafe fn send(_lua: State, _handle: u32) -> c_int {
    0
}

pub(super) unsafe fn receive(_lua: State, _handle: u32) -> c_int {
    0
}

pub(super) unsafe fn try_send(_lua: State, _handle: u32, _case: c_int) -> bool {
    false
}

pub(super) unsafe fn try_receive(_lua: State, _handle: u32) -> bool {
    false
}

pub(super) unsafe fn wait_case(_lua: State, _handle: u32, _case: c_int, _send: bool, _parked: Parked, _number: u32) {}

pub(super) unsafe fn release(_lua: State, handle: u32) {
    let _ = ffi::LUA_OK;
    host::channel_release(handle);
}
