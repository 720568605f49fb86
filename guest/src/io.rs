//! The module `io`: the terminal of a process that a terminal host runs.
//!
//! It calls these functions of the host module `io`; each may answer at once or with a ticket, and fails with `Unavailable` where
//! there is no terminal, else with `Internal`:
//!
//! - `write(stream, bytes)`: stream 1 is the output, 2 the error output. No values.
//! - `flush()`: no values.
//! - `read(n)`: up to n bytes as soon as there are any. No value at the end of the input.
//! - `readline()`: one line without its end. No value at the end of the input.
//! - `raw(on)`: counts up or down; raw while the count is above 0. No values.
//! - `args()`: one array of strings.

use std::ffi::c_int;

use crate::errors;
use crate::host::{self, HostError, Outcome, Payload, Reply};
use crate::lua::{self, State, ffi};
use crate::{payload, scheduler};

const OUTPUT: i64 = 1;
const ERRORS: i64 = 2;

/// What `read` asks for when it is not told.
const READ: i64 = 1024;

/// The most that one `read` may ask for: the host has to hold as much.
const MOST_READ: i64 = 1 << 20;

/// Pushes the module.
pub(crate) unsafe fn open(lua: State) {
    ffi::lua_createtable(lua, 0, 8);
    lua::set_funcs(
        lua,
        -1,
        &[
            (c"write", write),
            (c"print", print),
            (c"eprint", eprint),
            (c"read", read),
            (c"readline", readline),
            (c"raw", raw),
            (c"flush", flush),
            (c"args", args),
        ],
    );
}

unsafe extern "C-unwind" fn write(lua: State) -> c_int {
    put(lua, OUTPUT, "", "")
}

unsafe extern "C-unwind" fn print(lua: State) -> c_int {
    put(lua, OUTPUT, "\t", "\n")
}

unsafe extern "C-unwind" fn eprint(lua: State) -> c_int {
    put(lua, ERRORS, "\t", "\n")
}

/// Writes all arguments as text.
unsafe fn put(lua: State, stream: i64, between: &str, end: &str) -> c_int {
    let count = ffi::lua_gettop(lua);
    scheduler::check_can_block(lua);
    ffi::luaL_checkstack(lua, count.saturating_mul(2).saturating_add(8), c"too many arguments".as_ptr());
    ffi::lua_pushinteger(lua, stream);
    for index in 1..=count {
        if index > 1 {
            lua::push_str(lua, between);
        }
        ffi::luaL_tolstring(lua, index, std::ptr::null_mut());
    }
    lua::push_str(lua, end);
    ffi::lua_concat(lua, ffi::lua_gettop(lua) - count - 1);
    invoke(lua, "write", 2, acted)
}

unsafe extern "C-unwind" fn flush(lua: State) -> c_int {
    scheduler::check_can_block(lua);
    invoke(lua, "flush", 0, acted)
}

unsafe extern "C-unwind" fn raw(lua: State) -> c_int {
    let on = ffi::lua_isnoneornil(lua, 1) != 0 || {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TBOOLEAN);
        ffi::lua_toboolean(lua, 1) != 0
    };
    scheduler::check_can_block(lua);
    ffi::lua_pushboolean(lua, c_int::from(on));
    invoke(lua, "raw", 1, acted)
}

unsafe extern "C-unwind" fn read(lua: State) -> c_int {
    let count = match ffi::luaL_optinteger(lua, 1, READ) {
        count @ 1.. => count.min(MOST_READ),
        _ => READ,
    };
    scheduler::check_can_block(lua);
    ffi::lua_pushinteger(lua, count);
    invoke(lua, "read", 1, got)
}

unsafe extern "C-unwind" fn readline(lua: State) -> c_int {
    scheduler::check_can_block(lua);
    invoke(lua, "readline", 0, got)
}

unsafe extern "C-unwind" fn args(lua: State) -> c_int {
    scheduler::check_can_block(lua);
    invoke(lua, "args", 0, got)
}

/// What becomes of the values of the host.
type Answer = unsafe fn(State, &Payload) -> c_int;

/// Calls a function of the host module with the top `count` values.
unsafe fn invoke(lua: State, function: &str, count: c_int, answer: Answer) -> c_int {
    let args = match payload::encode_values(lua, ffi::lua_gettop(lua) - count + 1, count) {
        Ok(args) => args,
        Err(failure) => return errors::fail_host(lua, failure.into()),
    };
    let reply = host::invoke("io", function, &args);
    payload::put_back(args);
    match reply {
        Ok(Reply::Done(values)) => answer(lua, &values),
        Ok(Reply::Pending(ticket)) => {
            let k = if std::ptr::fn_addr_eq(answer, acted as Answer) { acted_later } else { got_later as ffi::lua_KFunction };
            scheduler::block_on_ticket(lua, ticket, k)
        }
        Ok(Reply::Raised(message)) => lua::raise(lua, message),
        Err(error) => failed(lua, &error),
    }
}

unsafe extern "C-unwind" fn acted_later(lua: State, _status: c_int, _context: ffi::lua_KContext) -> c_int {
    later(lua, acted)
}

unsafe extern "C-unwind" fn got_later(lua: State, _status: c_int, _context: ffi::lua_KContext) -> c_int {
    later(lua, got)
}

unsafe fn later(lua: State, answer: Answer) -> c_int {
    match scheduler::outcome() {
        Outcome::Done(values) => answer(lua, values),
        Outcome::Failed(error) => failed(lua, error),
        Outcome::Closed => errors::fail(lua, errors::CANCELED, "the operation was given up"),
    }
}

/// The answer of what only acts: `true`.
unsafe fn acted(lua: State, _values: &Payload) -> c_int {
    ffi::lua_pushboolean(lua, 1);
    1
}

/// The answer of what reads: the first value.
unsafe fn got(lua: State, values: &Payload) -> c_int {
    match payload::decode_values(lua, &values.data, 0) {
        Ok(count) if count > 0 && ffi::lua_isnil(lua, -count) == 0 => {
            ffi::lua_pop(lua, count - 1);
            1
        }
        Ok(_) => errors::fail(lua, errors::INTERNAL, "EOF"),
        Err(broken) => errors::fail(lua, errors::INTERNAL, broken),
    }
}

/// A process without a terminal may lack the whole module, which means the same.
unsafe fn failed(lua: State, error: &HostError) -> c_int {
    if error.kind == errors::NOT_FOUND {
        return errors::fail(lua, errors::UNAVAILABLE, "no terminal: run this process on a terminal.host");
    }
    ffi::lua_pushnil(lua);
    errors::push_host(lua, error);
    2
}
