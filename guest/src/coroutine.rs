//! The `coroutine` table: the standard one, through whose coroutines blocking calls pass, and `spawn`.

use std::ffi::c_int;

use crate::errors;
use crate::lua::{self, State, ffi, lua_closethread};
use crate::machine::machine;
use crate::scheduler::{self, mark};

/// Pushes the `coroutine` table.
pub(crate) unsafe fn open(lua: State) {
    ffi::lua_createtable(lua, 0, 9);
    lua::set_funcs(
        lua,
        -1,
        &[
            (c"create", create),
            (c"resume", resume),
            (c"wrap", wrap),
            (c"yield", r#yield),
            (c"status", status),
            (c"running", running),
            (c"isyieldable", is_yieldable),
            (c"close", close),
            (c"spawn", spawn),
        ],
    );
}

/// What running an inner coroutine came to.
enum Ran {
    /// It yielded or returned; so many values were moved to the caller.
    Values(c_int),
    /// It raised; the error was moved to the caller.
    Raised,
    /// It waits inside a blocking call; the caller must yield, too.
    Blocked,
}

/// Runs `inner`, which has `values` values on its stack for it, on behalf of `lua`.
unsafe fn run(lua: State, inner: State, values: c_int) -> Ran {
    let scheduler = &mut machine().scheduler;
    let passable = scheduler.passable;
    scheduler.passable = passable && ffi::lua_isyieldable(lua) != 0;
    let mut results = 0;
    let status = ffi::lua_resume(inner, lua, values, &mut results);
    let scheduler = &mut machine().scheduler;
    scheduler.passable = passable;
    match status {
        ffi::LUA_YIELD if scheduler.blocking => {
            mark::set(inner, mark::BLOCKED);
            Ran::Blocked
        }
        ffi::LUA_OK | ffi::LUA_YIELD => {
            if ffi::lua_checkstack(lua, results + 1) == 0 {
                ffi::lua_pop(inner, results);
                lua::push_str(lua, "too many results to resume");
                return Ran::Raised;
            }
            ffi::lua_xmove(inner, lua, results);
            Ran::Values(results)
        }
        _ => {
            ffi::lua_xmove(inner, lua, 1);
            Ran::Raised
        }
    }
}

/// Goes on with a coroutine that waited inside a blocking call.
unsafe fn run_again(lua: State, inner: State) -> Ran {
    mark::set(inner, 0);
    let values = scheduler::values_for(inner);
    run(lua, inner, values)
}

/// Moves the top `values` values to `inner` and runs it; pushes a message instead when it cannot run.
unsafe fn start(lua: State, inner: State, values: c_int) -> Ran {
    if mark::get(inner) != 0 || state_of(lua, inner) == Status::Normal {
        lua::push_str(lua, "cannot resume non-suspended coroutine");
        return Ran::Raised;
    }
    if ffi::lua_checkstack(inner, values) == 0 {
        lua::push_str(lua, "too many arguments to resume");
        return Ran::Raised;
    }
    match state_of(lua, inner) {
        Status::Suspended => {}
        Status::Dead => {
            lua::push_str(lua, "cannot resume dead coroutine");
            return Ran::Raised;
        }
        Status::Running | Status::Normal => {
            lua::push_str(lua, "cannot resume non-suspended coroutine");
            return Ran::Raised;
        }
    }
    ffi::lua_xmove(lua, inner, values);
    run(lua, inner, values)
}

unsafe fn check_thread(lua: State, index: c_int) -> State {
    let thread = ffi::lua_tothread(lua, index);
    if thread.is_null() {
        lua::type_error(lua, index, "coroutine");
    }
    thread
}

unsafe extern "C-unwind" fn create(lua: State) -> c_int {
    ffi::luaL_checktype(lua, 1, ffi::LUA_TFUNCTION);
    let thread = ffi::lua_newthread(lua);
    mark::set(thread, 0);
    ffi::lua_pushvalue(lua, 1);
    ffi::lua_xmove(lua, thread, 1);
    1
}

unsafe extern "C-unwind" fn resume(lua: State) -> c_int {
    let inner = check_thread(lua, 1);
    let ran = start(lua, inner, ffi::lua_gettop(lua) - 1);
    resumed(lua, ran)
}

unsafe extern "C-unwind" fn resume_again(lua: State, _status: c_int, _context: ffi::lua_KContext) -> c_int {
    let inner = ffi::lua_tothread(lua, 1);
    let ran = run_again(lua, inner);
    resumed(lua, ran)
}

unsafe fn resumed(lua: State, ran: Ran) -> c_int {
    match ran {
        Ran::Values(values) => {
            ffi::lua_pushboolean(lua, 1);
            ffi::lua_insert(lua, -(values + 1));
            values + 1
        }
        Ran::Raised => {
            ffi::lua_pushboolean(lua, 0);
            ffi::lua_insert(lua, -2);
            2
        }
        Ran::Blocked => {
            ffi::lua_settop(lua, 1);
            ffi::lua_yieldk(lua, 0, 0, Some(resume_again))
        }
    }
}

unsafe extern "C-unwind" fn wrap(lua: State) -> c_int {
    create(lua);
    ffi::lua_pushcclosure(lua, call_wrapped, 1);
    1
}

unsafe extern "C-unwind" fn call_wrapped(lua: State) -> c_int {
    let inner = ffi::lua_tothread(lua, ffi::lua_upvalueindex(1));
    let ran = start(lua, inner, ffi::lua_gettop(lua));
    wrapped(lua, inner, ran)
}

unsafe extern "C-unwind" fn call_wrapped_again(lua: State, _status: c_int, _context: ffi::lua_KContext) -> c_int {
    let inner = ffi::lua_tothread(lua, ffi::lua_upvalueindex(1));
    let ran = run_again(lua, inner);
    wrapped(lua, inner, ran)
}

unsafe fn wrapped(lua: State, inner: State, ran: Ran) -> c_int {
    match ran {
        Ran::Values(values) => values,
        Ran::Blocked => {
            ffi::lua_settop(lua, 0);
            ffi::lua_yieldk(lua, 0, 0, Some(call_wrapped_again))
        }
        Ran::Raised => {
            let status = ffi::lua_status(inner);
            if status != ffi::LUA_OK && status != ffi::LUA_YIELD {
                // The coroutine died of it: its pending variables are closed, which may raise something else.
                lua_closethread(inner, lua);
                if ffi::lua_gettop(inner) > 0 && ffi::lua_checkstack(lua, 1) != 0 {
                    ffi::lua_pop(lua, 1);
                    ffi::lua_xmove(inner, lua, 1);
                }
            }
            if status != ffi::LUA_ERRMEM && ffi::lua_type(lua, -1) == ffi::LUA_TSTRING {
                ffi::luaL_where(lua, 1);
                ffi::lua_insert(lua, -2);
                ffi::lua_concat(lua, 2);
            }
            ffi::lua_error(lua)
        }
    }
}

unsafe extern "C-unwind" fn r#yield(lua: State) -> c_int {
    if scheduler::is_main(lua) {
        lua::raise_text(lua, "attempt to yield from outside a coroutine");
    }
    ffi::lua_yieldk(lua, ffi::lua_gettop(lua), 0, None)
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Status {
    Running,
    Suspended,
    Normal,
    Dead,
}

unsafe fn state_of(lua: State, thread: State) -> Status {
    if lua == thread {
        return Status::Running;
    }
    match ffi::lua_status(thread) {
        ffi::LUA_YIELD if mark::get(thread) == mark::BLOCKED => Status::Normal,
        ffi::LUA_YIELD => Status::Suspended,
        ffi::LUA_OK => {
            let mut frame = std::mem::MaybeUninit::<ffi::lua_Debug>::zeroed().assume_init();
            if ffi::lua_getstack(thread, 0, &mut frame) != 0 {
                Status::Normal
            } else if ffi::lua_gettop(thread) == 0 {
                Status::Dead
            } else {
                Status::Suspended
            }
        }
        _ => Status::Dead,
    }
}

unsafe extern "C-unwind" fn status(lua: State) -> c_int {
    let thread = check_thread(lua, 1);
    lua::push_str(
        lua,
        match state_of(lua, thread) {
            Status::Running => "running",
            Status::Suspended => "suspended",
            Status::Normal => "normal",
            Status::Dead => "dead",
        },
    );
    1
}

unsafe extern "C-unwind" fn running(lua: State) -> c_int {
    ffi::lua_pushthread(lua);
    ffi::lua_pushboolean(lua, c_int::from(scheduler::is_main(lua)));
    2
}

unsafe extern "C-unwind" fn is_yieldable(lua: State) -> c_int {
    let thread = if ffi::lua_isthread(lua, 1) != 0 { ffi::lua_tothread(lua, 1) } else { lua };
    let yieldable = ffi::lua_isyieldable(thread) != 0 && !scheduler::is_main(thread);
    ffi::lua_pushboolean(lua, c_int::from(yieldable));
    1
}

unsafe extern "C-unwind" fn close(lua: State) -> c_int {
    let thread = check_thread(lua, 1);
    let state = state_of(lua, thread);
    if mark::get(thread) != 0 && state != Status::Dead {
        lua::raise_text(lua, "cannot close a coroutine that waits inside a blocking call");
    }
    match state {
        Status::Running => lua::raise_text(lua, "cannot close a running coroutine"),
        Status::Normal => lua::raise_text(lua, "cannot close a normal coroutine"),
        Status::Suspended | Status::Dead => {}
    }
    if lua_closethread(thread, lua) == ffi::LUA_OK {
        ffi::lua_pushboolean(lua, 1);
        return 1;
    }
    ffi::lua_pushboolean(lua, 0);
    ffi::lua_xmove(thread, lua, 1);
    2
}

/// `coroutine.spawn(f, ...)`: runs beside the caller from its next wait on.
unsafe extern "C-unwind" fn spawn(lua: State) -> c_int {
    ffi::luaL_checktype(lua, 1, ffi::LUA_TFUNCTION);
    let limit = machine().limits.coroutines;
    if u32::try_from(machine().scheduler.alive()).unwrap_or(u32::MAX) >= limit {
        let text = format!("the process has {limit} coroutines already, the limit of this process");
        let error = errors::exceeded("coroutines", limit, limit.saturating_add(1), text);
        errors::push_host(lua, &error);
        drop(error);
        ffi::lua_error(lua);
    }
    let count = ffi::lua_gettop(lua);
    let thread = ffi::lua_newthread(lua);
    ffi::lua_insert(lua, 1);
    if ffi::lua_checkstack(thread, count) == 0 {
        lua::raise_text(lua, "too many arguments to spawn");
    }
    ffi::lua_xmove(lua, thread, count);
    scheduler::add(lua, count - 1);
    1
}
