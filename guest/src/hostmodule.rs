//! Modules that live in the host: their tables are made from what `modules.describe` tells.
//!
//! A manifest is a map: `functions` is a list of names; `constants` maps names to values; `resources` maps the name of a type to the
//! list of its methods. A method is the function `Type:method`, whose first argument is the resource; one with a method `__gc` is
//! given back when nothing in the process refers to it any more. `glue` is compiled Lua: a function of that table and of the helpers of
//! `push_kit`, which returns the table that programs see.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use crate::channel;
use crate::errors;
use crate::host::{self, HostError, Reply};
use crate::lua::{self, State, ffi};
use crate::mailbox;
use crate::payload;
use crate::scheduler;

/// The field of a resource's metatable that holds its module; its type stands in `__name`.
const MODULE: &CStr = c"__module";

/// The registry key of the table of modules by name, and of metatables by `module:type`.
static LOADED: u8 = 0;

/// The key of the table of the modules that the image holds, by name.
static IMAGE: u8 = 0;

/// What stands in the userdata of a resource.
#[derive(Clone, Copy)]
struct Resource {
    id: u64,
}

/// The key of the set of metatables of resources.
static CLASSES: u8 = 0;

macro_rules! image_modules {
    ($($name:literal $manifest:literal $($glue:literal)?;)*) => {
        /// Name, manifest in JSON, and glue of each.
        const IMAGE_MODULES: &[(&str, &str, &str)] =
            &[$(($name, $manifest, concat!($(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../", $glue)))?))),*];
    };
}

include!("../modules.rs");

/// Makes the tables of the modules that the image holds. Runs when the image is made, after the modules of the guest were opened.
///
/// Whether a process may take one is for the host to say, which compares them with its own.
pub(crate) unsafe fn open(lua: State) {
    ffi::lua_createtable(lua, 0, 32);
    for key in [&CLASSES, &IMAGE] {
        ffi::lua_createtable(lua, 0, 16);
        ffi::lua_rawsetp(lua, -2, lua::key(key));
    }
    ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&LOADED));
    push_kept(lua, &IMAGE);
    for (name, manifest, source) in IMAGE_MODULES {
        if crate::json::push_decoded(lua, manifest.as_bytes()).is_err() {
            lua::raise_text(lua, "the manifest of a module is no JSON");
        }
        if !source.is_empty() {
            let status =
                ffi::luaL_loadbufferx(lua, source.as_ptr().cast::<c_char>(), source.len(), c"=glue".as_ptr(), c"t".as_ptr());
            if status != ffi::LUA_OK {
                ffi::lua_error(lua);
            }
            ffi::lua_setfield(lua, -2, c"glue".as_ptr());
        }
        build(lua, name);
        lua::push_str(lua, name);
        ffi::lua_insert(lua, -2);
        ffi::lua_rawset(lua, -4);
        ffi::lua_pop(lua, 1);
    }
    ffi::lua_pop(lua, 1);
}

/// Pushes the table of a host module that the image holds; pushes nothing and answers false when it does not.
pub(crate) unsafe fn push_ready(lua: State, name: &str) -> bool {
    push_kept(lua, &IMAGE);
    if lua::raw_field(lua, -1, name) == ffi::LUA_TNIL {
        ffi::lua_pop(lua, 2);
        return false;
    }
    ffi::lua_remove(lua, -2);
    true
}

/// Pushes the table of a host module, or the Error that tells why there is none.
pub(crate) unsafe fn push(lua: State, name: &str) {
    push_kept(lua, &LOADED);
    if lua::raw_field(lua, -1, name) != ffi::LUA_TNIL {
        ffi::lua_remove(lua, -2);
        return;
    }
    ffi::lua_pop(lua, 1);
    match host::describe(name) {
        Ok(manifest) => {
            let result = payload::decode_document(lua, &manifest, 0);
            drop(manifest);
            if result.is_err() || ffi::lua_istable(lua, -1) == 0 {
                errors::push(lua, errors::INTERNAL, "the description of the module cannot be read", None, 0);
            } else {
                build(lua, name);
                lua::push_str(lua, name);
                ffi::lua_pushvalue(lua, -2);
                ffi::lua_rawset(lua, -5);
                ffi::lua_remove(lua, -2);
            }
        }
        Err(error) => {
            errors::push_host(lua, &error);
            drop(error);
        }
    }
    ffi::lua_remove(lua, -2);
}

/// Pushes one of the tables that are kept; all are kept in that of `LOADED`, which alone takes room in the registry.
unsafe fn push_kept(lua: State, key: &'static u8) {
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&LOADED));
    if !ptr::eq(key, &LOADED) {
        ffi::lua_rawgetp(lua, -1, lua::key(key));
        ffi::lua_remove(lua, -2);
    }
}

/// Pushes the table of the module that the manifest on top describes.
unsafe fn build(lua: State, module: &str) {
    let manifest = ffi::lua_gettop(lua);
    ffi::luaL_checkstack(lua, 16, c"too many modules".as_ptr());
    ffi::lua_newtable(lua);
    let table = manifest + 1;
    if lua::raw_field(lua, manifest, "constants") == ffi::LUA_TTABLE {
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, table + 1) != 0 {
            ffi::lua_pushvalue(lua, -2);
            ffi::lua_insert(lua, -2);
            ffi::lua_rawset(lua, table);
        }
    }
    ffi::lua_settop(lua, table);
    lua::raw_field(lua, manifest, "functions");
    set_functions(lua, module, "", table);
    if lua::raw_field(lua, manifest, "resources") == ffi::LUA_TTABLE {
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, table + 1) != 0 {
            if let (Some(kind), true) = (lua::to_text(lua, -2), ffi::lua_istable(lua, -1) != 0) {
                build_class(lua, module, kind);
            }
            ffi::lua_settop(lua, table + 2);
        }
    }
    ffi::lua_settop(lua, table);
    glue(lua, module, manifest, table);
    lua::lua_freezetable(lua, table);
}

/// Replaces the table by what the module's own Lua makes of it, if it has some.
unsafe fn glue(lua: State, module: &str, manifest: c_int, table: c_int) {
    lua::raw_field(lua, manifest, "glue");
    // The image has it loaded already.
    let mut status = ffi::LUA_OK;
    if ffi::lua_isfunction(lua, -1) == 0 {
        let Some(code) = lua::to_bytes(lua, -1) else { return ffi::lua_settop(lua, table) };
        status = ffi::luaL_loadbufferx(lua, code.as_ptr().cast::<c_char>(), code.len(), c"=glue".as_ptr(), c"b".as_ptr());
    }
    if status == ffi::LUA_OK {
        ffi::lua_pushvalue(lua, table);
        push_kit(lua, module);
        if ffi::lua_pcallk(lua, 2, 1, 0, 0, None) == ffi::LUA_OK && ffi::lua_istable(lua, -1) != 0 {
            ffi::lua_replace(lua, table);
            return ffi::lua_settop(lua, table);
        }
    }
    let text = ffi::luaL_tolstring(lua, -1, std::ptr::null_mut());
    let reason = CStr::from_ptr(text).to_string_lossy();
    host::log(host::Level::Error, "modules", &reason, &[], "");
    drop(reason);
    ffi::lua_settop(lua, table);
}

/// Pushes the helpers that glue gets.
unsafe fn push_kit(lua: State, module: &str) {
    ffi::lua_createtable(lua, 0, 6);
    lua::push_str(lua, module);
    ffi::lua_pushcclosure(lua, kit_part, 1);
    ffi::lua_setfield(lua, -2, c"part".as_ptr());
    lua::push_str(lua, module);
    ffi::lua_pushcclosure(lua, kit_methods, 1);
    ffi::lua_setfield(lua, -2, c"methods".as_ptr());
    lua::set_funcs(
        lua,
        -1,
        &[
            (c"feed", kit_feed),
            (c"unfeed", kit_unfeed),
            (c"is_error", kit_is_error),
            (c"resource", kit_resource),
            (c"module", kit_module),
        ],
    );
}

/// `kit.methods(type)`: the table of the methods of a type of resources of the module, to which glue may add its own.
unsafe extern "C-unwind" fn kit_methods(lua: State) -> c_int {
    let kind = lua::check_text(lua, 1);
    let module = lua::to_text(lua, ffi::lua_upvalueindex(1)).unwrap_or("");
    push_kept(lua, &LOADED);
    lua::push_str(lua, module);
    lua::push_str(lua, ":");
    lua::push_str(lua, kind);
    ffi::lua_concat(lua, 3);
    if ffi::lua_rawget(lua, -2) != ffi::LUA_TTABLE {
        return 0;
    }
    ffi::lua_getfield(lua, -1, c"__index".as_ptr());
    1
}

/// `kit.part(name, ...)`: loads more of the module's Lua, which is called with the rest of the arguments; gives what it returns.
///
/// Glue loads this way what few processes use, so that the others do not carry it.
unsafe extern "C-unwind" fn kit_part(lua: State) -> c_int {
    let name = lua::check_text(lua, 1);
    let module = lua::to_text(lua, ffi::lua_upvalueindex(1)).unwrap_or("");
    let described = host::describe(&format!("{module}#{name}"));
    let document = match described {
        Ok(document) => document,
        Err(error) => return errors::fail_host(lua, error),
    };
    let decoded = payload::decode_document(lua, &document, 0).is_ok();
    drop(document);
    let status = match lua::to_bytes(lua, -1).filter(|_| decoded) {
        Some(code) => ffi::luaL_loadbufferx(lua, code.as_ptr().cast::<c_char>(), code.len(), c"=glue".as_ptr(), c"b".as_ptr()),
        None => return errors::fail(lua, errors::INTERNAL, "a part of a module cannot be read"),
    };
    if status != ffi::LUA_OK {
        return errors::fail(lua, errors::INTERNAL, "a part of a module cannot be loaded");
    }
    // The code takes the place of the name, below the other arguments.
    ffi::lua_replace(lua, 1);
    ffi::lua_pop(lua, 1);
    ffi::lua_callk(lua, ffi::lua_gettop(lua) - 1, 1, 0, None);
    1
}

/// `kit.feed(topic)`: the channel of values that the host sends under a topic which starts with `@`.
unsafe extern "C-unwind" fn kit_feed(lua: State) -> c_int {
    let topic = lua::check_text(lua, 1);
    match mailbox::push_topic(lua, topic, false) {
        Ok(()) => 1,
        Err(error) => errors::fail_host(lua, error),
    }
}

/// `kit.unfeed(channel)`: closes a channel of `feed`; false when it is none or is closed already.
unsafe extern "C-unwind" fn kit_unfeed(lua: State) -> c_int {
    let channel = channel::to_channel(lua, 1);
    let stopped = !channel.is_null() && mailbox::stop(lua, channel);
    ffi::lua_pushboolean(lua, c_int::from(stopped));
    1
}

/// `kit.is_error(value)`.
unsafe extern "C-unwind" fn kit_is_error(lua: State) -> c_int {
    ffi::lua_pushboolean(lua, c_int::from(errors::is_error(lua, 1)));
    1
}

/// `kit.module(name)`: a module of the guest, whether the entry lists it or not; what it may do is decided by the host.
unsafe extern "C-unwind" fn kit_module(lua: State) -> c_int {
    c_int::from(crate::modules::push(lua, lua::check_text(lua, 1)))
}

/// `kit.resource(value)`: module and type of a resource of the host; nothing for other values.
unsafe extern "C-unwind" fn kit_resource(lua: State) -> c_int {
    if ffi::lua_type(lua, 1) != ffi::LUA_TUSERDATA || resource(lua, 1).is_none() {
        return 0;
    }
    push_names(lua, 1);
    2
}

/// Sets a function in `table` for each name in the list on top, which it pops. `prefix` stands before the name for the host.
unsafe fn set_functions(lua: State, module: &str, prefix: &str, table: c_int) {
    let list = ffi::lua_gettop(lua);
    if ffi::lua_istable(lua, list) != 0 {
        for number in 1..=ffi::lua_rawlen(lua, list) {
            ffi::lua_rawgeti(lua, list, i64::try_from(number).unwrap_or(0));
            if lua::to_text(lua, -1).is_some() {
                lua::push_str(lua, module);
                lua::push_str(lua, prefix);
                ffi::lua_pushvalue(lua, -3);
                ffi::lua_concat(lua, 2);
                ffi::lua_pushcclosure(lua, invoke, 2);
                ffi::lua_rawset(lua, table);
            }
            ffi::lua_settop(lua, list);
        }
    }
    ffi::lua_settop(lua, list - 1);
}

/// Makes the metatable of a type of resources from the list of methods on top.
unsafe fn build_class(lua: State, module: &str, kind: &str) {
    let list = ffi::lua_gettop(lua);
    let prefix = format!("{kind}:");
    let class = format!("{module}:{kind}");
    ffi::lua_newtable(lua);
    let methods = list + 1;
    ffi::lua_pushvalue(lua, list);
    set_functions(lua, module, &prefix, methods);
    drop(prefix);
    ffi::lua_createtable(lua, 0, 5);
    let metatable = list + 2;
    lua::set_text(lua, metatable, MODULE, module);
    lua::set_text(lua, metatable, c"__name", kind);
    ffi::lua_pushboolean(lua, 0);
    ffi::lua_setfield(lua, metatable, c"__metatable".as_ptr());
    if ffi::lua_getfield(lua, methods, c"__gc".as_ptr()) != ffi::LUA_TNIL {
        ffi::lua_setfield(lua, metatable, c"__gc".as_ptr());
        ffi::lua_pushnil(lua);
        ffi::lua_setfield(lua, methods, c"__gc".as_ptr());
    }
    ffi::lua_pushvalue(lua, methods);
    ffi::lua_setfield(lua, metatable, c"__index".as_ptr());
    push_kept(lua, &LOADED);
    lua::push_str(lua, &class);
    drop(class);
    ffi::lua_pushvalue(lua, metatable);
    ffi::lua_rawset(lua, -3);
    push_kept(lua, &CLASSES);
    ffi::lua_pushvalue(lua, metatable);
    ffi::lua_pushboolean(lua, 1);
    ffi::lua_rawset(lua, -3);
}

/// Pushes a resource that the host names; pushes nothing and answers false when its module is not loaded.
pub(crate) unsafe fn push_resource(lua: State, module: &[u8], kind: &[u8], id: u64) -> bool {
    push_kept(lua, &LOADED);
    lua::push_bytes(lua, module);
    lua::push_str(lua, ":");
    lua::push_bytes(lua, kind);
    ffi::lua_concat(lua, 3);
    if ffi::lua_rawget(lua, -2) != ffi::LUA_TTABLE {
        ffi::lua_pop(lua, 2);
        return false;
    }
    let object = ffi::lua_newuserdatauv(lua, size_of::<Resource>(), 0).cast::<Resource>();
    std::ptr::write(object, Resource { id });
    ffi::lua_insert(lua, -2);
    ffi::lua_setmetatable(lua, -2);
    ffi::lua_remove(lua, -2);
    true
}

/// The number of the resource at `index`; none when it is something else. Never raises.
pub(crate) unsafe fn resource(lua: State, index: c_int) -> Option<u64> {
    if ffi::lua_getmetatable(lua, index) == 0 {
        return None;
    }
    push_kept(lua, &CLASSES);
    ffi::lua_pushvalue(lua, -2);
    ffi::lua_rawget(lua, -2);
    ffi::lua_remove(lua, -2);
    let known = ffi::lua_toboolean(lua, -1) != 0;
    ffi::lua_pop(lua, 2);
    known.then(|| (*ffi::lua_touserdata(lua, index).cast::<Resource>()).id)
}

/// Pushes the module and the type of the resource at `index`.
pub(crate) unsafe fn push_names(lua: State, index: c_int) {
    ffi::luaL_getmetafield(lua, index, MODULE.as_ptr());
    ffi::luaL_getmetafield(lua, index, c"__name".as_ptr());
}

/// Pushes a function of a module of the host that every process has.
pub(crate) unsafe fn push_function(lua: State, module: &str, function: &str) {
    lua::push_str(lua, module);
    lua::push_str(lua, function);
    ffi::lua_pushcclosure(lua, invoke, 2);
}

/// Tells whether a call may have been refused only because Lua has not yet given back what nothing refers to any more: what a resource
/// holds of the host, the collector does not see.
fn garbage_may_matter(error: &HostError) -> bool {
    let names = |limit: &[u8]| error.details.windows(limit.len()).any(|part| part == limit);
    error.kind == errors::LIMIT_EXCEEDED && (names(b"handles") || names(b"quota.memory"))
}

unsafe extern "C-unwind" fn collect(lua: State) -> c_int {
    // The first finds what is garbage, the second runs its finalizers.
    ffi::lua_gc(lua, ffi::LUA_GCCOLLECT);
    ffi::lua_gc(lua, ffi::LUA_GCCOLLECT);
    0
}

/// Calls a function of the host: upvalues are the module and the function.
unsafe extern "C-unwind" fn invoke(lua: State) -> c_int {
    let module = lua::to_text(lua, ffi::lua_upvalueindex(1)).unwrap_or("");
    let function = lua::to_text(lua, ffi::lua_upvalueindex(2)).unwrap_or("");
    let result = payload::encode_arguments(lua, 1, ffi::lua_gettop(lua)).map_err(HostError::from).and_then(|arguments| {
        let mut reply = host::invoke(module, function, &arguments);
        if reply.as_ref().is_err_and(garbage_may_matter) {
            ffi::lua_pushcfunction(lua, collect);
            if ffi::lua_pcallk(lua, 0, 0, 0, 0, None) != ffi::LUA_OK {
                // A finalizer failed, which is no matter of this call.
                ffi::lua_pop(lua, 1);
            }
            reply = host::invoke(module, function, &arguments);
        }
        payload::put_back(arguments);
        reply
    });
    match result {
        Ok(Reply::Done(values)) => {
            let channels = channel::push_channels(lua, &values.channels);
            let decoded = payload::decode_values(lua, &values.data, channels);
            drop(values);
            match decoded {
                Ok(count) => count,
                Err(broken) => errors::fail(lua, errors::INTERNAL, broken),
            }
        }
        Ok(Reply::Pending(ticket)) => {
            if !scheduler::can_block(lua) {
                host::cancel(ticket);
            }
            scheduler::check_can_block(lua);
            scheduler::block_on_ticket(lua, ticket, scheduler::return_outcome)
        }
        Ok(Reply::Raised(message)) => lua::raise(lua, message),
        Err(error) => errors::fail_host(lua, error),
    }
}
