//! The module `funcs`: calling entries as functions.

use std::ffi::{CStr, c_int};

use crate::builder::{self, Builder, CONTEXT, OPTIONS};
use crate::errors;
use crate::host::{self, CallRequest, HostError};
use crate::lua::{self, State, ffi};
use crate::payload;
use crate::scheduler;

mod future;

const CLASS: &CStr = c"Executor";
const VALUES: c_int = 2;

/// Makes the classes and pushes the `funcs` table.
pub(crate) unsafe fn open(lua: State) {
    future::open(lua);
    lua::new_class(
        lua,
        CLASS,
        &[
            (c"with_context", with_context),
            (c"with_options", with_options),
            (c"with_actor", with_actor),
            (c"with_scope", with_scope),
            (c"call", builder_call),
            (c"async", builder_async),
        ],
        &[],
    );
    ffi::lua_createtable(lua, 0, 3);
    lua::set_funcs(lua, -1, &[(c"new", new), (c"call", call), (c"async", r#async)]);
}

unsafe extern "C-unwind" fn new(lua: State) -> c_int {
    builder::push(lua, CLASS, VALUES);
    1
}

unsafe extern "C-unwind" fn with_context(lua: State) -> c_int {
    ffi::luaL_checktype(lua, 2, ffi::LUA_TTABLE);
    if !builder::permitted(lua, "funcs.context", "context") {
        return 2;
    }
    builder::with_table(lua, CLASS, VALUES, CONTEXT)
}

unsafe extern "C-unwind" fn with_options(lua: State) -> c_int {
    builder::with_table(lua, CLASS, VALUES, OPTIONS)
}

unsafe extern "C-unwind" fn with_actor(lua: State) -> c_int {
    builder::with_identity(lua, CLASS, VALUES, "Actor", "funcs.security")
}

unsafe extern "C-unwind" fn with_scope(lua: State) -> c_int {
    builder::with_identity(lua, CLASS, VALUES, "Scope", "funcs.security")
}

/// Starts the call of the entry at `index` with the arguments after it; `builder` is the place of the builder, 0 for none.
unsafe fn start(lua: State, index: c_int, builder: c_int) -> Result<u64, HostError> {
    let entry = lua::to_text(lua, index).unwrap_or("");
    let (context, options) = if builder == 0 { (Vec::new(), Vec::new()) } else { builder::documents(lua, builder)? };
    let args = payload::encode_values(lua, index + 1, ffi::lua_gettop(lua) - index)?;
    let request = CallRequest { entry: entry.to_owned(), args, context, options };
    let ticket = host::call(&request);
    payload::put_back(request.args);
    ticket
}

unsafe fn call_and_wait(lua: State, index: c_int, builder: c_int) -> c_int {
    if lua::check_utf8(lua, index).is_none() {
        return errors::not_text(lua, "the id of the function");
    }
    scheduler::check_can_block(lua);
    match start(lua, index, builder) {
        Ok(ticket) => scheduler::block_on_ticket(lua, ticket, returned),
        Err(error) => errors::fail_host(lua, error),
    }
}

/// Goes on with the result of a call: always a value, even if it is nil.
unsafe extern "C-unwind" fn returned(lua: State, status: c_int, context: ffi::lua_KContext) -> c_int {
    let count = scheduler::return_outcome(lua, status, context);
    if count == 0 {
        ffi::lua_pushnil(lua);
        return 1;
    }
    count
}

unsafe fn call_in_background(lua: State, index: c_int, builder: c_int) -> c_int {
    if lua::check_utf8(lua, index).is_none() {
        return errors::not_text(lua, "the id of the function");
    }
    match start(lua, index, builder) {
        Ok(ticket) => {
            future::push(lua, ticket);
            1
        }
        Err(error) => errors::fail_host(lua, error),
    }
}

unsafe extern "C-unwind" fn call(lua: State) -> c_int {
    call_and_wait(lua, 1, 0)
}

unsafe extern "C-unwind" fn r#async(lua: State) -> c_int {
    call_in_background(lua, 1, 0)
}

unsafe extern "C-unwind" fn builder_call(lua: State) -> c_int {
    lua::check_object::<Builder>(lua, 1, CLASS);
    call_and_wait(lua, 2, 1)
}

unsafe extern "C-unwind" fn builder_async(lua: State) -> c_int {
    lua::check_object::<Builder>(lua, 1, CLASS);
    call_in_background(lua, 2, 1)
}
