//! One Lua state and the process that runs in it: the life from image to exit.

use std::ffi::{c_int, c_void};
use std::ptr;

use crate::lua::{State, ffi};

/// The one machine of this instance (natively: of this thread).
pub(crate) struct Machine {
    /// The main thread of the Lua state. No Lua code runs on it; the process runs in coroutines.
    pub(crate) lua: State,
    /// What Lua has allocated and may allocate.
    pub(crate) memory: Memory,
}

/// The account of the Lua heap.
pub(crate) struct Memory {
    /// Bytes in use.
    pub(crate) used: usize,
    /// The most that may be in use.
    pub(crate) limit: usize,
}

impl Machine {
    const fn new() -> Self {
        Self { lua: ptr::null_mut(), memory: Memory { used: 0, limit: usize::MAX } }
    }
}

#[cfg(target_arch = "wasm32")]
static mut MACHINE: Machine = Machine::new();

#[cfg(not(target_arch = "wasm32"))]
thread_local! {
    static MACHINE: std::cell::UnsafeCell<Machine> = const { std::cell::UnsafeCell::new(Machine::new()) };
}

/// The machine. Never keep the reference over a call into Lua: what runs there asks for the machine, too.
pub(crate) fn machine() -> &'static mut Machine {
    #[cfg(target_arch = "wasm32")]
    // One thread, and no caller keeps the reference over a call that could ask for a second one.
    unsafe {
        &mut *(&raw mut MACHINE)
    }
    #[cfg(not(target_arch = "wasm32"))]
    MACHINE.with(|machine| unsafe { &mut *machine.get() })
}

/// Makes the Lua state with everything in it that does not depend on the program.
pub(crate) unsafe fn prepare() {
    let memory: *mut Memory = &mut machine().memory;
    let lua = ffi::lua_newstate(allocate, memory.cast::<c_void>());
    machine().lua = lua;
    ffi::lua_pushcclosure(lua, open, 0);
    let status = ffi::lua_pcall(lua, 0, 0, 0);
    debug_assert_eq!(status, ffi::LUA_OK, "{:?}", crate::lua::to_text(lua, -1));
}

/// Opens the libraries. Protected, because anything here may raise.
unsafe extern "C-unwind" fn open(lua: State) -> c_int {
    ffi::lua_pushcclosure(lua, ffi::luaopen_base, 0);
    ffi::lua_call(lua, 0, 0);
    for (name, open) in [
        (c"string", ffi::luaopen_string as crate::lua::Function),
        (c"table", ffi::luaopen_table),
        (c"math", ffi::luaopen_math),
        (c"utf8", ffi::luaopen_utf8),
        (c"coroutine", ffi::luaopen_coroutine),
    ] {
        ffi::lua_pushcclosure(lua, open, 0);
        ffi::lua_call(lua, 0, 1);
        ffi::lua_setglobal(lua, name.as_ptr());
    }
    crate::modules::open(lua);
    0
}

unsafe extern "C" {
    fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
}

/// Lua's allocator: the C one, with an account.
unsafe extern "C" fn allocate(memory: *mut c_void, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
    let memory = &mut *memory.cast::<Memory>();
    // For a new block Lua passes the kind of the object in place of the old size.
    let old = if block.is_null() { 0 } else { old };
    if new == 0 {
        memory.used -= old;
        free(block);
        return ptr::null_mut();
    }
    let used = memory.used - old + new;
    if new > old && used > memory.limit {
        return ptr::null_mut();
    }
    let block = realloc(block, new);
    if !block.is_null() {
        memory.used = used;
    }
    block
}
