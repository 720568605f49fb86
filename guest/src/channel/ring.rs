//! A ring of Lua values in a Lua table that doubles when it is full.

use std::ffi::c_int;

use crate::lua::{State, ffi};

/// Where the values lie in the table.
pub(super) struct Ring {
    /// The number of places, a power of two; 0 before there is a table.
    places: u32,
    first: u32,
    count: u32,
}

/// Places of a new ring.
const START: u32 = 4;

impl Ring {
    pub(super) const fn new() -> Self {
        Self { places: 0, first: 0, count: 0 }
    }

    /// How many values wait.
    pub(super) fn len(&self) -> u32 {
        self.count
    }

    /// Where the value lies that has so many before it.
    pub(super) fn place(&self, offset: u32) -> i64 {
        i64::from(self.first.wrapping_add(offset) & (self.places.wrapping_sub(1))) + 1
    }
}

/// Puts the value on top into the table below it and pops the value. True when the table was replaced by a larger one.
pub(super) unsafe fn push(lua: State, ring: &mut Ring) -> bool {
    let grown = ring.count == ring.places;
    if grown {
        let places = (ring.places * 2).max(START);
        ffi::lua_createtable(lua, c_int::try_from(places).unwrap_or(0), 0);
        for offset in 0..ring.count {
            ffi::lua_rawgeti(lua, -3, ring.place(offset));
            ffi::lua_rawseti(lua, -2, i64::from(offset) + 1);
        }
        ffi::lua_replace(lua, -3);
        ring.places = places;
        ring.first = 0;
    }
    ffi::lua_rawseti(lua, -2, ring.place(ring.count));
    ring.count += 1;
    grown
}

/// Pushes the first value and removes it from the table on top.
pub(super) unsafe fn pop(lua: State, ring: &mut Ring) {
    let place = ring.place(0);
    ffi::lua_rawgeti(lua, -1, place);
    ffi::lua_pushnil(lua);
    ffi::lua_rawseti(lua, -3, place);
    ring.first = ring.first.wrapping_add(1);
    ring.count -= 1;
}
