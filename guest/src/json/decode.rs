//! JSON text as Lua values, built on the Lua stack while it is read.
//!
//! The values of a container gather on the stack until its end shows how many there are, so that its table is made in the right
//! size at once. A container that is longer than `BATCH` gets its table early and is filled directly from there on.

use std::ffi::c_int;

use super::parse::{self, Failure, MAX_DEPTH, Sink};
use crate::lua::{self, State, ffi};

/// Stack slots that one container may fill before its table is made.
const BATCH: c_int = 128;

/// What a container needs besides its batch: its table, a key and a value with their copies.
const SLACK: c_int = 8;

/// Decodes a text and pushes the value; on failure pushes nothing and answers the message.
pub(crate) unsafe fn decode(lua: State, text: &[u8]) -> Result<(), String> {
    let top = ffi::lua_gettop(lua);
    if ffi::lua_checkstack(lua, BATCH + SLACK) == 0 {
        return Err("stack overflow".to_owned());
    }
    let mut builder = Builder { lua, levels: [Level { table: 0, count: 0, made: false }; MAX_DEPTH], depth: 0 };
    match parse::parse(text, &mut builder) {
        Ok(()) => Ok(()),
        Err(failure) => {
            ffi::lua_settop(lua, top);
            Err(match failure {
                Failure::Syntax(reason, at) => parse::describe(text, reason, at),
                Failure::Stopped(message) => message.to_owned(),
            })
        }
    }
}

/// A container that is being read.
#[derive(Clone, Copy)]
struct Level {
    /// The stack slot kept for its table.
    table: c_int,
    /// Elements or members read so far.
    count: i64,
    /// Whether the table exists.
    made: bool,
}

struct Builder {
    lua: State,
    levels: [Level; MAX_DEPTH],
    depth: usize,
}

type Built = Result<(), &'static str>;

impl Builder {
    /// The innermost container.
    #[inline(always)]
    fn level(&mut self) -> &mut Level {
        // The parser limits the depth and pairs begin and end.
        let index = self.depth.wrapping_sub(1) % MAX_DEPTH;
        &mut self.levels[index]
    }

    #[inline]
    fn begin(&mut self) -> Built {
        // SAFETY: the state lives as long as the builder.
        unsafe {
            if ffi::lua_checkstack(self.lua, BATCH + SLACK) == 0 {
                return Err("stack overflow");
            }
            ffi::lua_pushnil(self.lua);
            let table = ffi::lua_gettop(self.lua);
            self.depth += 1;
            *self.level() = Level { table, count: 0, made: false };
        }
        Ok(())
    }
}

impl Sink for Builder {
    type Stop = &'static str;

    #[inline]
    fn null(&mut self) -> Built {
        unsafe { ffi::lua_pushnil(self.lua) };
        Ok(())
    }

    #[inline]
    fn boolean(&mut self, value: bool) -> Built {
        unsafe { ffi::lua_pushboolean(self.lua, c_int::from(value)) };
        Ok(())
    }

    #[inline]
    fn integer(&mut self, value: i64) -> Built {
        unsafe { ffi::lua_pushinteger(self.lua, value) };
        Ok(())
    }

    #[inline]
    fn float(&mut self, value: f64) -> Built {
        unsafe { ffi::lua_pushnumber(self.lua, value) };
        Ok(())
    }

    #[inline]
    fn string(&mut self, text: &[u8]) -> Built {
        unsafe { lua::push_bytes(self.lua, text) };
        Ok(())
    }

    #[inline]
    fn key(&mut self, text: &[u8]) -> Built {
        unsafe { lua::push_bytes(self.lua, text) };
        Ok(())
    }

    fn begin_array(&mut self) -> Built {
        self.begin()
    }

    #[inline]
    fn end_element(&mut self) -> Built {
        let lua = self.lua;
        let level = self.level();
        level.count += 1;
        if level.made {
            unsafe { ffi::lua_rawseti(lua, level.table, level.count) };
        } else if level.count == i64::from(BATCH) {
            level.made = true;
            unsafe { fill_array(lua, level.table, BATCH, BATCH * 2) };
        }
        Ok(())
    }

    #[inline]
    fn end_array(&mut self) -> Built {
        let lua = self.lua;
        let level = *self.level();
        self.depth -= 1;
        if !level.made {
            let count = level.count as c_int;
            unsafe { fill_array(lua, level.table, count, count) };
        }
        Ok(())
    }

    fn begin_object(&mut self) -> Built {
        self.begin()
    }

    #[inline]
    fn end_member(&mut self) -> Built {
        let lua = self.lua;
        let level = self.level();
        level.count += 1;
        if level.made {
            unsafe { ffi::lua_rawset(lua, level.table) };
        } else if level.count == i64::from(BATCH / 2) {
            level.made = true;
            unsafe { fill_object(lua, level.table, BATCH / 2, BATCH) };
        }
        Ok(())
    }

    #[inline]
    fn end_object(&mut self) -> Built {
        let lua = self.lua;
        let level = *self.level();
        self.depth -= 1;
        if !level.made {
            let count = level.count as c_int;
            // Room for one key marks an empty table as an object, for whoever encodes it again.
            unsafe { fill_object(lua, level.table, count, count.max(1)) };
        }
        Ok(())
    }
}

/// Replaces the nil at `table` by a table with room for `room` elements and moves the `count` values above it in.
unsafe fn fill_array(lua: State, table: c_int, count: c_int, room: c_int) {
    ffi::lua_createtable(lua, room, 0);
    ffi::lua_replace(lua, table);
    for index in (1..=count).rev() {
        ffi::lua_rawseti(lua, table, ffi::lua_Integer::from(index));
    }
}

/// The same with pairs of keys and values, in their order, so that of equal keys the last one counts.
unsafe fn fill_object(lua: State, table: c_int, count: c_int, room: c_int) {
    ffi::lua_createtable(lua, 0, room);
    ffi::lua_replace(lua, table);
    for pair in 0..count {
        ffi::lua_pushvalue(lua, table + 1 + pair * 2);
        ffi::lua_pushvalue(lua, table + 2 + pair * 2);
        ffi::lua_rawset(lua, table);
    }
    ffi::lua_settop(lua, table);
}
