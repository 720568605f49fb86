//! From a program to its main function: environments, `require`, libraries, the arguments.
//!
//! Each chunk runs as the function of the main coroutine itself, not below a frame of C, so that it can wait and its yields stay cheap.

use std::ffi::{CString, c_char, c_int};

use crate::bindings::moonlet::runtime::programs::{Chunk, Program};
use crate::channel;
use crate::errors;
use crate::host::{self, HostError};
use crate::lua::{self, State, ffi};
use crate::payload;
use crate::scheduler;

/// What is left to load.
pub(crate) struct Loader {
    program: Program,
    /// The next library, then the main chunk, then the main function.
    stage: usize,
}

/// What the main coroutine does next.
pub(crate) enum Next {
    /// It runs on.
    Running,
    /// Its results are the results of the process.
    Finished,
}

/// The registry key of the table of what libraries returned, by entry.
static LIBRARIES: u8 = 0;

impl Loader {
    /// Makes the main coroutine for a program.
    pub(crate) unsafe fn start(lua: State, program: Program) -> Result<Self, HostError> {
        ffi::lua_createtable(lua, 0, c_int::try_from(program.libraries.len()).unwrap_or(0));
        ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&LIBRARIES));
        let thread = ffi::lua_newthread(lua);
        let mut loader = Self { program, stage: 0 };
        loader.push_chunk(thread)?;
        scheduler::add(lua, 0);
        ffi::lua_pop(lua, 1);
        Ok(loader)
    }

    /// Goes on after the main coroutine returned `results` values.
    pub(crate) unsafe fn next(&mut self, thread: State, results: c_int) -> Result<Next, HostError> {
        let libraries = self.program.libraries.len();
        if self.stage > libraries {
            return Ok(Next::Finished);
        }
        if results == 0 {
            ffi::lua_pushnil(thread)
        } else {
            ffi::lua_settop(thread, ffi::lua_gettop(thread) - results + 1)
        }
        if let Some(library) = self.program.libraries.get(self.stage) {
            push_libraries(thread);
            ffi::lua_insert(thread, -2);
            if ffi::lua_isnil(thread, -1) != 0 {
                ffi::lua_pop(thread, 1);
                ffi::lua_pushboolean(thread, 1);
            }
            lua::push_str(thread, &library.entry);
            ffi::lua_insert(thread, -2);
            ffi::lua_rawset(thread, -3);
            ffi::lua_settop(thread, 0);
            self.stage += 1;
            self.push_chunk(thread)?;
            scheduler::again(scheduler::MAIN, 0);
            return Ok(Next::Running);
        }
        self.stage += 1;
        self.push_main(thread)?;
        let values = self.push_arguments(thread)?;
        scheduler::again(scheduler::MAIN, values);
        Ok(Next::Running)
    }

    /// Pushes the function of the chunk whose turn it is.
    unsafe fn push_chunk(&mut self, thread: State) -> Result<(), HostError> {
        let libraries = self.program.libraries.len();
        let is_main = self.stage == libraries;
        let chunk = self.program.libraries.get_mut(self.stage).unwrap_or(&mut self.program.main);
        let code = std::mem::take(&mut chunk.code);
        let name = CString::new(chunk.entry.as_str()).unwrap_or_default();
        let status = ffi::luaL_loadbufferx(thread, code.as_ptr().cast::<c_char>(), code.len(), name.as_ptr(), c"b".as_ptr());
        if status != ffi::LUA_OK {
            let reason = String::from_utf8_lossy(lua::to_bytes(thread, -1).unwrap_or(b"")).into_owned();
            let kind = if status == ffi::LUA_ERRMEM { errors::LIMIT_EXCEEDED } else { errors::INVALID };
            return Err(host::error(kind, format!("failed to load the code of `{}`: {reason}", chunk.entry)));
        }
        set_environment(thread, chunk, &self.program.image_modules, is_main);
        Ok(())
    }

    /// Replaces what the main chunk returned by the main function.
    unsafe fn push_main(&self, thread: State) -> Result<(), HostError> {
        let entry = &self.program.main.entry;
        let method = &self.program.method;
        let problem = match ffi::lua_type(thread, -1) {
            ffi::LUA_TFUNCTION => return Ok(()),
            ffi::LUA_TTABLE if method.is_empty() => {
                format!("entry `{entry}` returned a table, and names no method; write `method: NAME` in the entry")
            }
            ffi::LUA_TTABLE => {
                let found = lua::raw_field(thread, -1, method);
                if found == ffi::LUA_TFUNCTION {
                    ffi::lua_remove(thread, -2);
                    return Ok(());
                }
                let what = if found == ffi::LUA_TNIL { "no" } else { "no function as" };
                format!("entry `{entry}` has no method `{method}`: the table that its chunk returns has {what} `{method}`")
            }
            _ => {
                let name = lua::type_name(thread, -1);
                let wanted =
                    if method.is_empty() { "a function".to_owned() } else { format!("a table with the method `{method}`") };
                format!("entry `{entry}` returned a {name} instead of {wanted}; end its source with `return`")
            }
        };
        Err(host::error(errors::INVALID, problem))
    }

    unsafe fn push_arguments(&mut self, thread: State) -> Result<c_int, HostError> {
        let arguments = std::mem::replace(&mut self.program.args, host::Payload { data: Vec::new(), channels: Vec::new() });
        let channels = channel::push_channels(thread, &arguments.channels);
        let count = payload::decode_values(thread, &arguments.data, channels)
            .map_err(|broken| host::error(errors::INVALID, format!("the arguments cannot be read: {broken}")))?;
        if channels != 0 {
            ffi::lua_remove(thread, channels);
        }
        Ok(count)
    }
}

/// Gives the function on top its environment: the globals for the main chunk, a table of its own over them for a library. `ready` are
/// the host modules that the image holds.
unsafe fn set_environment(thread: State, chunk: &Chunk, ready: &[String], is_main: bool) {
    if is_main {
        ffi::lua_rawgeti(thread, ffi::LUA_REGISTRYINDEX, ffi::LUA_RIDX_GLOBALS);
    } else {
        ffi::lua_createtable(thread, 0, c_int::try_from(chunk.modules.len() + chunk.imports.len() + 1).unwrap_or(0));
        ffi::lua_createtable(thread, 0, 2);
        ffi::lua_rawgeti(thread, ffi::LUA_REGISTRYINDEX, ffi::LUA_RIDX_GLOBALS);
        ffi::lua_setfield(thread, -2, c"__index".as_ptr());
        ffi::lua_rawgeti(thread, ffi::LUA_REGISTRYINDEX, ffi::LUA_RIDX_GLOBALS);
        ffi::lua_setfield(thread, -2, c"__newindex".as_ptr());
        ffi::lua_pushboolean(thread, 0);
        ffi::lua_setfield(thread, -2, c"__metatable".as_ptr());
        ffi::lua_setmetatable(thread, -2);
    }
    let environment = ffi::lua_gettop(thread);
    push_names(thread, chunk, ready, environment);
    lua::push_str(thread, &chunk.entry);
    ffi::lua_pushcclosure(thread, require, 2);
    lua::push_str(thread, "require");
    ffi::lua_insert(thread, -2);
    ffi::lua_rawset(thread, environment);
    if ffi::lua_setupvalue(thread, -2, 1).is_null() {
        // Code without globals has no environment to set.
        ffi::lua_pop(thread, 1);
    }
}

/// Pushes the table of what the chunk may require, and sets the same names in its environment.
unsafe fn push_names(thread: State, chunk: &Chunk, ready: &[String], environment: c_int) {
    ffi::lua_createtable(thread, 0, c_int::try_from(chunk.modules.len() + chunk.imports.len()).unwrap_or(0));
    let names = ffi::lua_gettop(thread);
    for module in &chunk.modules {
        if !crate::modules::push(thread, module) {
            crate::modules::push_builtin(thread, module.as_bytes());
            if ffi::lua_isnil(thread, -1) == 0 {
                // It needs no declaration; that there is one changes nothing.
                ffi::lua_pop(thread, 1);
                continue;
            }
            ffi::lua_pop(thread, 1);
            if !ready.contains(module) || !crate::hostmodule::push_ready(thread, module) {
                crate::hostmodule::push(thread, module);
            }
        }
        set_name(thread, names, environment, module);
    }
    for import in &chunk.imports {
        if let Some(module) = import.entry.strip_prefix(':') {
            // A module under another name. One that is not among the modules is not granted.
            if lua::raw_field(thread, names, module) == ffi::LUA_TNIL {
                ffi::lua_pop(thread, 1);
            } else {
                set_name(thread, names, environment, &import.name);
            }
            continue;
        }
        push_libraries(thread);
        lua::raw_field(thread, -1, &import.entry);
        ffi::lua_remove(thread, -2);
        set_name(thread, names, environment, &import.name);
    }
}

/// Pops a value into the names and the environment. A module that cannot be had is an Error there, which `require` raises.
unsafe fn set_name(thread: State, names: c_int, environment: c_int, name: &str) {
    let value = ffi::lua_gettop(thread);
    if !errors::is_error(thread, value) {
        lua::push_str(thread, name);
        ffi::lua_pushvalue(thread, value);
        ffi::lua_rawset(thread, environment);
    }
    lua::push_str(thread, name);
    ffi::lua_pushvalue(thread, value);
    ffi::lua_rawset(thread, names);
    ffi::lua_settop(thread, value - 1);
}

unsafe fn push_libraries(thread: State) {
    ffi::lua_rawgetp(thread, ffi::LUA_REGISTRYINDEX, lua::key(&LIBRARIES));
}

/// `require(name)` of one chunk: upvalues are its names and its entry.
unsafe extern "C-unwind" fn require(lua: State) -> c_int {
    let name = lua::check_str(lua, 1);
    ffi::lua_settop(lua, 1);
    ffi::lua_pushvalue(lua, 1);
    if ffi::lua_rawget(lua, ffi::lua_upvalueindex(1)) != ffi::LUA_TNIL {
        if errors::is_error(lua, -1) {
            ffi::lua_error(lua);
        }
        return 1;
    }
    crate::modules::push_builtin(lua, name);
    if ffi::lua_isnil(lua, -1) == 0 {
        return 1;
    }
    let entry = String::from_utf8_lossy(lua::to_bytes(lua, ffi::lua_upvalueindex(2)).unwrap_or(b""));
    let name = String::from_utf8_lossy(name);
    let message = format!(
        "module '{name}' not found; if it exists, add `{name}` to `modules:` (or `imports:`) of entry `{entry}`, and to \
            `allow: {{ modules }}` of its process host if that has a list"
    );
    drop((entry, name));
    lua::raise(lua, message)
}
