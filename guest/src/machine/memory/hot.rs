//! A place of its own for the blocks of the image that every process writes to.
//!
//! The image is copied on write, page by page. Whatever a process changes in it (the state itself, the registry, the globals, the
//! heads of tables, the table of strings) lies together here, so that it costs a few pages and not one page each.

use std::alloc::{Layout, alloc, dealloc};
use std::ffi::c_void;
use std::ptr;

use crate::lua::{State, ffi};
use crate::machine::machine;

/// Kinds of blocks, as Lua names them to its allocator, one bit each: 0 is an array of anything.
const ARRAYS: u16 = 1;
const TABLES: u16 = 1 << ffi::LUA_TTABLE;
const THREADS: u16 = 1 << ffi::LUA_TTHREAD;

/// While the state itself is made.
pub(in crate::machine) const HOT_STATE: u16 = ARRAYS | TABLES | THREADS;
/// While libraries are opened: a barrier of the collector and the notes on missing metamethods write to the heads of tables.
pub(in crate::machine) const HOT_TABLES: u16 = TABLES;
/// For userdata that change.
pub(in crate::machine) const HOT_USERDATA: u16 = 1 << ffi::LUA_TUSERDATA;

/// Bytes: whole pages for what there is, which is about half of it for the shorter pointers of Wasm.
const SIZE: usize = 5 * 4096 * size_of::<usize>() / 4;
const PAGE: usize = 4096;

/// The place. What is freed in it is lost, except at its end: little is, and only while the image is made.
pub(super) struct Hot {
    /// Which kinds of new blocks go here.
    pub(super) kinds: u16,
    start: *mut u8,
    used: usize,
}

impl Hot {
    pub(super) const fn new() -> Self {
        Self { kinds: 0, start: ptr::null_mut(), used: 0 }
    }

    /// Whether a block lies here.
    pub(super) fn contains(&self, block: *mut c_void) -> bool {
        // One comparison: below the start the difference wraps around.
        !self.start.is_null() && block.addr().wrapping_sub(self.start.addr()) < SIZE
    }

    /// Whether a new block of this kind and size goes here.
    pub(super) fn wants(&mut self, kind: usize, size: usize) -> bool {
        if kind >= 16 || self.kinds & (1 << kind) == 0 {
            return false;
        }
        if self.start.is_null() {
            self.start = match Layout::from_size_align(SIZE, PAGE) {
                Ok(layout) => unsafe { alloc(layout) },
                Err(_) => ptr::null_mut(),
            };
        }
        !self.start.is_null() && self.room() >= size
    }

    fn room(&self) -> usize {
        SIZE - self.used
    }

    /// What Lua's allocator does, for blocks here. A block that finds no room any more moves out.
    pub(super) unsafe fn allocate(&mut self, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
        /// Lua needs this much for floats and pointers.
        const ALIGN: usize = 8;
        let rounded = old.next_multiple_of(ALIGN);
        let is_last = !block.is_null() && block.cast::<u8>().add(rounded) == self.start.add(self.used);
        if is_last {
            self.used -= rounded;
        }
        if new == 0 {
            return ptr::null_mut();
        }
        if is_last && self.room() >= new {
            self.used += new.next_multiple_of(ALIGN);
            return block;
        }
        if !is_last && !block.is_null() && new <= old {
            return block;
        }
        let place = if (block.is_null() || self.kinds != 0) && self.room() >= new.next_multiple_of(ALIGN) {
            let place = self.start.add(self.used).cast::<c_void>();
            self.used += new.next_multiple_of(ALIGN);
            place
        } else {
            super::realloc(ptr::null_mut(), new)
        };
        if !block.is_null() && !place.is_null() {
            ptr::copy(block.cast::<u8>(), place.cast::<u8>(), old.min(new));
        }
        place
    }

    /// Gives the place up.
    pub(super) fn close(&mut self) {
        if let (false, Ok(layout)) = (self.start.is_null(), Layout::from_size_align(SIZE, PAGE)) {
            unsafe { dealloc(self.start, layout) };
        }
        *self = Self::new();
    }
}

/// Lets the table of strings grow to its size in the image before anything else lies behind it, so that it grows in place.
pub(in crate::machine) unsafe fn grow_strings(lua: State) {
    /// Its size doubles when there are as many strings as places, and the image has between 512 and 1024 strings.
    const STRINGS: i64 = 470;
    for number in 0..STRINGS {
        ffi::lua_pushinteger(lua, number);
        ffi::lua_tolstring(lua, -1, ptr::null_mut());
        ffi::lua_pop(lua, 1);
    }
}

/// Moves the registry here, whose array grew while the libraries were opened: it grows once more, and then has room for a process.
pub(super) unsafe fn move_registry(lua: State) {
    /// More keys than any registry of this guest has.
    const MOST: i64 = 1000;
    /// Where the keys start that force it to grow; nothing else uses such keys.
    const FIRST: i64 = 1 << 40;
    let before = machine().memory.hot.used;
    machine().memory.hot(ARRAYS);
    let mut last = FIRST;
    while last < FIRST + MOST && machine().memory.hot.used == before {
        ffi::lua_pushboolean(lua, 1);
        ffi::lua_rawseti(lua, ffi::LUA_REGISTRYINDEX, last);
        last += 1;
    }
    for key in FIRST..last {
        ffi::lua_pushnil(lua);
        ffi::lua_rawseti(lua, ffi::LUA_REGISTRYINDEX, key);
    }
}
