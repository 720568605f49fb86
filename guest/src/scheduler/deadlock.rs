//! Finding out that nothing can ever happen again, and saying where each coroutine stands.

use std::mem::MaybeUninit;

use super::{MAIN, tickets};
use crate::lua::{self, State, ffi};
use crate::machine::machine;

/// Describes a deadlock: every coroutine waits, and nobody outside of the process can end any of the waits. None when there is none.
pub(crate) unsafe fn describe() -> Option<String> {
    let scheduler = &machine().scheduler;
    if !scheduler.ready.is_empty()
        || tickets::any_pending()
        || scheduler.coroutines.iter().flatten().any(|coroutine| coroutine.external)
    {
        return None;
    }
    let mut text = String::from("deadlock: every coroutine waits on a channel that nobody else can reach");
    for (id, coroutine) in scheduler.coroutines.iter().enumerate() {
        let Some(coroutine) = coroutine else { continue };
        let name = if u32::try_from(id) == Ok(MAIN) { "main".to_owned() } else { format!("coroutine {id}") };
        text.push_str(&format!("\n  {name} waits at {}", position(coroutine.inner)));
    }
    Some(text)
}

/// The first position of Lua code on a suspended thread, and what it called there.
unsafe fn position(thread: State) -> String {
    let mut waits_in = String::new();
    for level in 0.. {
        let mut frame = MaybeUninit::<ffi::lua_Debug>::zeroed().assume_init();
        if ffi::lua_getstack(thread, level, &mut frame) == 0 {
            break;
        }
        ffi::lua_getinfo(thread, c"Sln".as_ptr(), &mut frame);
        if frame.currentline > 0 {
            let source = lua::c_text(frame.short_src.as_ptr());
            return format!("{source}:{}{waits_in}", frame.currentline);
        }
        let name = lua::c_text(frame.name);
        if waits_in.is_empty() && !name.is_empty() {
            waits_in = format!(": in {name}");
        }
    }
    "an unknown place".to_owned()
}
