//! Starting processes: `process.spawn` and its kin, `process.exec`, `process.upgrade`, and the builder of `with_context`.

use std::ffi::{CStr, c_int};

use crate::builder::{self, Builder, CONTEXT, OPTIONS};
use crate::errors;
use crate::host::{self, Event, FirstMessage, HostError, SpawnRequest};
use crate::lua::{self, State, ffi};
use crate::mailbox;
use crate::payload;
use crate::scheduler;

const CLASS: &CStr = c"SpawnBuilder";
/// The user value that is the name to register.
const NAME: c_int = 3;
/// The user value that is the list of messages, each `{topic, n = count, values..}`.
const MESSAGES: c_int = 4;
const VALUES: c_int = 4;

/// How a new process relates to this one.
#[derive(Clone, Copy)]
struct Relation {
    monitor: bool,
    link: bool,
}

const PLAIN: Relation = Relation { monitor: false, link: false };
const MONITORED: Relation = Relation { monitor: true, link: false };
const LINKED: Relation = Relation { monitor: false, link: true };
const BOTH: Relation = Relation { monitor: true, link: true };

/// Adds the functions to the table on top.
pub(super) unsafe fn open(lua: State) {
    lua::new_class(
        lua,
        CLASS,
        &[
            (c"with_context", with_context),
            (c"with_options", with_options),
            (c"with_actor", with_actor),
            (c"with_scope", with_scope),
            (c"with_name", with_name),
            (c"with_message", with_message),
            (c"spawn", builder_spawn),
            (c"spawn_monitored", builder_spawn_monitored),
            (c"spawn_linked", builder_spawn_linked),
            (c"spawn_linked_monitored", builder_spawn_linked_monitored),
            (c"exec", builder_exec),
        ],
        &[],
    );
    lua::set_funcs(
        lua,
        -1,
        &[
            (c"spawn", spawn),
            (c"spawn_monitored", spawn_monitored),
            (c"spawn_linked", spawn_linked),
            (c"spawn_linked_monitored", spawn_linked_monitored),
            (c"exec", exec),
            (c"upgrade", upgrade),
            (c"with_context", new_with_context),
            (c"with_options", new_with_options),
        ],
    );
}

/// The request of a call whose entry stands at `first`, the process host after it, then the arguments. The caller has checked both.
unsafe fn request(lua: State, first: c_int, builder: c_int, relation: Relation) -> Result<SpawnRequest, HostError> {
    let (context, options) = if builder == 0 { (Vec::new(), Vec::new()) } else { builder::documents(lua, builder)? };
    let mut messages = Vec::new();
    let mut name = None;
    let top = ffi::lua_gettop(lua);
    if builder != 0 {
        messages = first_messages(lua, builder)?;
        ffi::lua_getiuservalue(lua, builder, NAME);
        name = lua::to_text(lua, -1).map(str::to_owned);
        ffi::lua_settop(lua, top);
    }
    Ok(SpawnRequest {
        entry: lua::to_text(lua, first).unwrap_or("").to_owned(),
        host: lua::to_text(lua, first + 1).unwrap_or("").to_owned(),
        args: payload::encode_values(lua, first + 2, top - first - 1)?,
        monitor: relation.monitor,
        link: relation.link,
        name,
        messages,
        context,
        options,
    })
}

unsafe fn first_messages(lua: State, builder: c_int) -> Result<Vec<FirstMessage>, HostError> {
    let top = ffi::lua_gettop(lua);
    let mut messages = Vec::new();
    ffi::lua_getiuservalue(lua, builder, MESSAGES);
    if ffi::lua_istable(lua, -1) != 0 {
        for number in 1..=ffi::lua_rawlen(lua, -1) {
            ffi::lua_rawgeti(lua, top + 1, i64::try_from(number).unwrap_or(0));
            let message = ffi::lua_gettop(lua);
            ffi::lua_rawgeti(lua, message, 1);
            let topic = lua::to_text(lua, -1).unwrap_or("").to_owned();
            ffi::lua_pop(lua, 1);
            lua::raw_field(lua, message, "n");
            let count = c_int::try_from(ffi::lua_tointegerx(lua, -1, std::ptr::null_mut())).unwrap_or(0);
            ffi::lua_pop(lua, 1);
            if ffi::lua_checkstack(lua, count + 4) == 0 {
                return Err(host::error(errors::LIMIT_EXCEEDED, "too many values in a message".to_owned()));
            }
            for value in 0..count {
                ffi::lua_rawgeti(lua, message, i64::from(value) + 2);
            }
            let body = payload::encode_values(lua, message + 1, count)?;
            messages.push(FirstMessage { topic, body });
            ffi::lua_settop(lua, top + 1);
        }
    }
    ffi::lua_settop(lua, top);
    Ok(messages)
}

/// Raises for what is no string before anything is made; pushes `nil` and an error, and answers false, for what is missing or not text.
unsafe fn check_target(lua: State, first: c_int) -> bool {
    if !super::has_arguments(lua, first + 1, "the id of a process and a process host are needed") {
        return false;
    }
    let entry = lua::check_utf8(lua, first).is_some();
    if entry && lua::check_utf8(lua, first + 1).is_some() {
        return true;
    }
    errors::not_text(lua, if entry { "the process host" } else { "the id of the entry" });
    false
}

unsafe fn spawn_at(lua: State, first: c_int, builder: c_int, relation: Relation) -> c_int {
    if !check_target(lua, first) {
        return 2;
    }
    let result = request(lua, first, builder, relation).and_then(|request| {
        let pid = host::spawn(&request);
        payload::put_back(request.args);
        pid
    });
    match result {
        Ok(pid) => {
            lua::push_str(lua, &pid);
            drop(pid);
            1
        }
        Err(error) => errors::fail_host(lua, error),
    }
}

unsafe fn exec_at(lua: State, first: c_int, builder: c_int) -> c_int {
    if !check_target(lua, first) {
        return 2;
    }
    scheduler::check_can_block(lua);
    let result = request(lua, first, builder, PLAIN).and_then(|request| {
        let ticket = host::exec(&request);
        payload::put_back(request.args);
        ticket
    });
    match result {
        Ok(ticket) => scheduler::block_on_ticket(lua, ticket, executed),
        Err(error) => errors::fail_host(lua, error),
    }
}

/// Goes on with the result of the process: always a value, even if it is nil.
unsafe extern "C-unwind" fn executed(lua: State, status: c_int, context: ffi::lua_KContext) -> c_int {
    match scheduler::return_outcome(lua, status, context) {
        0 => {
            ffi::lua_pushnil(lua);
            1
        }
        count => count,
    }
}

unsafe fn check_builder(lua: State) {
    lua::check_object::<Builder>(lua, 1, CLASS);
}

unsafe extern "C-unwind" fn spawn(lua: State) -> c_int {
    spawn_at(lua, 1, 0, PLAIN)
}

unsafe extern "C-unwind" fn spawn_monitored(lua: State) -> c_int {
    spawn_at(lua, 1, 0, MONITORED)
}

unsafe extern "C-unwind" fn spawn_linked(lua: State) -> c_int {
    spawn_at(lua, 1, 0, LINKED)
}

unsafe extern "C-unwind" fn spawn_linked_monitored(lua: State) -> c_int {
    spawn_at(lua, 1, 0, BOTH)
}

unsafe extern "C-unwind" fn exec(lua: State) -> c_int {
    exec_at(lua, 1, 0)
}

unsafe extern "C-unwind" fn builder_spawn(lua: State) -> c_int {
    check_builder(lua);
    spawn_at(lua, 2, 1, PLAIN)
}

unsafe extern "C-unwind" fn builder_spawn_monitored(lua: State) -> c_int {
    check_builder(lua);
    spawn_at(lua, 2, 1, MONITORED)
}

unsafe extern "C-unwind" fn builder_spawn_linked(lua: State) -> c_int {
    check_builder(lua);
    spawn_at(lua, 2, 1, LINKED)
}

unsafe extern "C-unwind" fn builder_spawn_linked_monitored(lua: State) -> c_int {
    check_builder(lua);
    spawn_at(lua, 2, 1, BOTH)
}

unsafe extern "C-unwind" fn builder_exec(lua: State) -> c_int {
    check_builder(lua);
    exec_at(lua, 2, 1)
}

/// Refuses to go away from more unread messages than one call can hand over.
fn check_unread(unread: &[Event]) -> Result<(), HostError> {
    /// What one message takes beside its bytes.
    const OVERHEAD: usize = 256;
    let size = |event: &Event| match event {
        Event::Message(message) => message.body.data.len() + message.topic.len() + OVERHEAD,
        Event::Signal(signal) => signal.value.data.len() + OVERHEAD,
        Event::Completed(_) => 0,
    };
    let allowed = crate::machine::machine().limits.message_size as usize * 3;
    if unread.iter().map(size).sum::<usize>() <= allowed {
        return Ok(());
    }
    let message =
        format!("more than {allowed} bytes of messages are delivered and not received: receive them before the upgrade");
    Err(host::error(errors::LIMIT_EXCEEDED, message))
}

/// `process.upgrade([id], ...)`: does not return when it succeeds, because this code ends with the step.
unsafe extern "C-unwind" fn upgrade(lua: State) -> c_int {
    let Some(entry) = lua::opt_utf8(lua, 1) else { return errors::not_text(lua, "the id of the entry") };
    scheduler::check_can_block(lua);
    match payload::encode_values(lua, 2, (ffi::lua_gettop(lua) - 1).max(0)) {
        Ok(args) => {
            let unread = mailbox::take_unread(lua);
            let result = match check_unread(&unread) {
                Ok(()) => host::upgrade(entry, &args, &unread),
                Err(error) => Err(error),
            };
            payload::put_back(args);
            if result.is_err() {
                // Whoever fails to go away reads on.
                mailbox::give_unread(lua, &unread);
            }
            drop(unread);
            match result {
                Ok(()) => {
                    scheduler::begin_wait(lua, true);
                    scheduler::park(lua, 0, None)
                }
                Err(error) => errors::fail_host(lua, error),
            }
        }
        Err(failure) => errors::fail_host(lua, failure.into()),
    }
}

unsafe fn new_with(lua: State, value: c_int) -> c_int {
    ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
    ffi::lua_settop(lua, 1);
    if !builder::permitted(lua, "process.context", "context") {
        return 2;
    }
    builder::push(lua, CLASS, VALUES);
    builder::lay_over(lua, value);
    1
}

unsafe extern "C-unwind" fn new_with_context(lua: State) -> c_int {
    new_with(lua, CONTEXT)
}

unsafe extern "C-unwind" fn new_with_options(lua: State) -> c_int {
    new_with(lua, OPTIONS)
}

unsafe extern "C-unwind" fn with_context(lua: State) -> c_int {
    ffi::luaL_checktype(lua, 2, ffi::LUA_TTABLE);
    if !builder::permitted(lua, "process.context", "context") {
        return 2;
    }
    builder::with_table(lua, CLASS, VALUES, CONTEXT)
}

unsafe extern "C-unwind" fn with_options(lua: State) -> c_int {
    builder::with_table(lua, CLASS, VALUES, OPTIONS)
}

unsafe extern "C-unwind" fn with_actor(lua: State) -> c_int {
    builder::with_identity(lua, CLASS, VALUES, "Actor", "process.security")
}

unsafe extern "C-unwind" fn with_scope(lua: State) -> c_int {
    builder::with_identity(lua, CLASS, VALUES, "Scope", "process.security")
}

unsafe extern "C-unwind" fn with_name(lua: State) -> c_int {
    check_builder(lua);
    if lua::check_utf8(lua, 2).is_none() {
        return errors::not_text(lua, "the name");
    }
    ffi::lua_settop(lua, 2);
    builder::push_copy(lua, CLASS, VALUES);
    ffi::lua_pushvalue(lua, 2);
    ffi::lua_setiuservalue(lua, -2, NAME);
    1
}

/// `builder:with_message(topic, ...)`: the list is copied, so that the builder it came from stays as it is.
unsafe extern "C-unwind" fn with_message(lua: State) -> c_int {
    check_builder(lua);
    if lua::check_utf8(lua, 2).is_none() {
        return errors::not_text(lua, "the topic");
    }
    let count = ffi::lua_gettop(lua) - 2;
    ffi::lua_createtable(lua, count + 1, 1);
    ffi::lua_insert(lua, 2);
    for place in (1..=count + 1).rev() {
        ffi::lua_rawseti(lua, 2, i64::from(place));
    }
    lua::set_integer(lua, 2, c"n", i64::from(count));
    builder::push_copy(lua, CLASS, VALUES);
    ffi::lua_newtable(lua);
    let mut last = 0;
    if ffi::lua_getiuservalue(lua, 1, MESSAGES) == ffi::LUA_TTABLE {
        last = i64::try_from(ffi::lua_rawlen(lua, -1)).unwrap_or(0);
        for number in 1..=last {
            ffi::lua_rawgeti(lua, -1, number);
            ffi::lua_rawseti(lua, -3, number);
        }
    }
    ffi::lua_pop(lua, 1);
    ffi::lua_pushvalue(lua, 2);
    ffi::lua_rawseti(lua, -2, last + 1);
    ffi::lua_setiuservalue(lua, -2, MESSAGES);
    1
}
