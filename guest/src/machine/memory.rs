//! Lua's allocator: the C one, with an account and a limit. And what makes a process dirty few pages of the image.

use std::ffi::c_void;
use std::ptr;

use crate::errors;
use crate::host::{self, HostError};
use crate::lua::{State, ffi};
use crate::machine::machine;

mod hot;

use hot::Hot;
pub(super) use hot::{HOT_STATE, HOT_TABLES, HOT_USERDATA, grow_strings};

/// The account of the Lua heap.
pub(super) struct Account {
    used: usize,
    limit: usize,
    /// The size that was refused last, and whether the host knows that something was refused.
    refused: usize,
    told: bool,
    hot: Hot,
}

impl Account {
    pub(super) const fn new() -> Self {
        Self { used: 0, limit: usize::MAX, refused: 0, told: false, hot: Hot::new() }
    }

    /// Sets the most that may be in use.
    pub(super) fn limit(&mut self, limit: u64) {
        self.limit = usize::try_from(limit).unwrap_or(usize::MAX);
    }

    /// The bytes in use.
    pub(super) fn used(&self) -> u64 {
        u64::try_from(self.used).unwrap_or(u64::MAX)
    }

    /// The error of a process that runs out of memory.
    ///
    /// The limit itself may have been lifted meanwhile, to make room for saying so; `allowed` is what it was.
    pub(super) fn exceeded(&self, allowed: u64) -> HostError {
        let details = errors::limit_details("memory", allowed, self.used());
        let message =
            format!("not enough memory: the process may use {allowed} bytes for Lua values; raise `limits.memory` of its entry");
        HostError { retryable: Some(false), details, ..host::error(errors::LIMIT_EXCEEDED, message) }
    }

    /// Sets which kinds of blocks belong to what every process writes to.
    pub(super) fn hot(&mut self, kinds: u16) {
        self.hot.kinds = kinds;
    }

    /// Tells the host, once, that the program went without. What is refused once only makes Lua collect garbage and ask again.
    #[cold]
    fn refuse(&mut self, size: usize) {
        if self.refused == size && !self.told {
            self.told = true;
            host::refused("memory");
        }
        self.refused = size;
    }

    /// Gives up the place of the hot blocks, after the Lua state was closed.
    pub(super) fn close(&mut self) {
        self.hot.close();
    }
}

/// Prepares the heap for being the image of every process.
///
/// All garbage goes, and the collector becomes generational: what the image holds is old then, and a minor collection neither marks
/// nor sweeps it. An incremental collection would write to every page of it, and each process would get a copy of its own.
pub(super) unsafe fn settle(lua: State) {
    hot::move_registry(lua);
    machine().memory.hot(0);
    ffi::lua_gc(lua, ffi::LUA_GCRESTART);
    ffi::lua_gc(lua, ffi::LUA_GCCOLLECT);
    ffi::lua_gc(lua, ffi::LUA_GCGEN, 0, 0);
    #[cfg(target_arch = "wasm32")]
    fill_holes();
}

/// Uses up the free space between the blocks of the image. What a process allocates then lies side by side in fresh pages
/// instead of in holes all over the image.
#[cfg(target_arch = "wasm32")]
unsafe fn fill_holes() {
    /// No hole is that large, so such a block lies at the end of the heap. It also grows the memory, so that small processes need not;
    /// more would cost every process, because what is written to is looked for in all of the memory when it ends.
    const LARGE: usize = 256 << 10;
    /// What the host copies when a process writes to it.
    const PAGE: usize = 4096;
    let end = realloc(ptr::null_mut(), LARGE);
    free(end);
    let mut size = 4096;
    while size >= 8 {
        loop {
            let block = realloc(ptr::null_mut(), size);
            if block.is_null() || block >= end {
                free(block);
                break;
            }
        }
        size /= 2;
    }
    // What comes next begins with a page: otherwise the same few kilobytes of a process may lie in one page more.
    let mut block = realloc(ptr::null_mut(), 8);
    while !block.is_null() && block as usize % PAGE < PAGE - 16 {
        block = realloc(ptr::null_mut(), 8);
    }
}

unsafe extern "C" {
    fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
}

/// Answers null above the limit, which Lua turns into its catchable "not enough memory" after it has tried to collect garbage.
///
/// For Wasm, `c/lua.c` calls it by this name and not through a pointer.
#[unsafe(export_name = "moonlet_allocate")]
pub(super) unsafe extern "C" fn allocate(account: *mut c_void, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
    let account = &mut *account.cast::<Account>();
    // For a new block Lua passes the kind of the object in place of the old size.
    let size = if block.is_null() { 0 } else { old };
    let used = account.used - size + new;
    // Lua takes for granted that shrinking never fails.
    if new > size && used > account.limit {
        account.refuse(new);
        return ptr::null_mut();
    }
    let place = if account.hot.contains(block) || (block.is_null() && account.hot.wants(old, new)) {
        account.hot.allocate(block, size, new)
    } else if new == 0 {
        free(block);
        ptr::null_mut()
    } else {
        realloc(block, new)
    };
    if new == 0 || !place.is_null() {
        account.used = used;
    }
    place
}
