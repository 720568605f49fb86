//! Regular expressions for `@pattern` validators: matchers that prelude/types/values.lua keeps.
//!
//! The engine knows the syntax of RE2 without Unicode classes, and takes time linear in the text.

use std::ffi::{CStr, c_int};
use std::ptr;

use regex_lite::Regex;

use crate::lua::{self, State, ffi};

/// The name of the class.
const CLASS: &CStr = c"Pattern";

/// Bytes that a compiled pattern may take: repetitions of repetitions would grow without end.
const SIZE_LIMIT: usize = 1 << 20;

/// Sets the global `__regex_compile`. Runs when the image is made.
pub(crate) unsafe fn open(lua: State) {
    lua::new_class(lua, CLASS, &[], &[(c"__gc", collect)]);
    ffi::lua_pushcclosure(lua, compile, 0);
    ffi::lua_setglobal(lua, c"__regex_compile".as_ptr());
}

/// Compiles a pattern within the limit of size.
pub(crate) fn compile_text(pattern: &str) -> Result<Regex, regex_lite::Error> {
    regex_lite::RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build()
}

/// `__regex_compile(pattern) -> matcher | nil, message`
unsafe extern "C-unwind" fn compile(lua: State) -> c_int {
    let pattern = lua::check_text(lua, 1);
    // The place first: once it is there, nothing between making the expression and storing it can raise.
    let place = ffi::lua_newuserdatauv(lua, size_of::<Option<Regex>>(), 0).cast::<Option<Regex>>();
    ptr::write(place, None);
    ffi::luaL_setmetatable(lua, CLASS.as_ptr());
    match compile_text(pattern) {
        Ok(regex) => *place = Some(regex),
        Err(error) => {
            let message = error.to_string();
            ffi::lua_pushnil(lua);
            lua::push_str(lua, &message);
            return 2;
        }
    }
    ffi::lua_pushcclosure(lua, matches, 1);
    1
}

/// The matcher: whether the pattern is found in a text. What is not UTF-8 counts as the replacement character.
unsafe extern "C-unwind" fn matches(lua: State) -> c_int {
    let text = lua::check_str(lua, 1);
    let regex = ffi::lua_touserdata(lua, ffi::lua_upvalueindex(1)).cast::<Option<Regex>>();
    let found = match regex.as_ref() {
        Some(Some(regex)) => regex.is_match(&String::from_utf8_lossy(text)),
        _ => false,
    };
    ffi::lua_pushboolean(lua, c_int::from(found));
    1
}

unsafe extern "C-unwind" fn collect(lua: State) -> c_int {
    let place = lua::check_object::<Option<Regex>>(lua, 1, CLASS);
    drop((*place).take());
    0
}

#[cfg(test)]
mod tests {
    use crate::testing::Lua;

    unsafe fn open(lua: crate::lua::State) {
        super::open(lua);
        crate::lua::ffi::lua_pushnil(lua);
    }

    #[test]
    fn patterns_match_or_say_what_is_wrong() {
        Lua::new(&[(c"unused", open)]).run(
            r##"
            local match = assert(__regex_compile([[^[a-z]+\d{2}$]]))
            assert(match("abc12") == true and match("abc1") == false and match("") == false and match("\xff") == false)
            assert(__regex_compile("^.{3}$")("\u{e4}\u{f6}\u{fc}") and __regex_compile("b")("abc") and not __regex_compile("(?i)^B$")("abc"))
            local none, message = __regex_compile("("); assert(none == nil and type(message) == "string")
            none, message = __regex_compile("((a{1000}){1000}){1000}"); assert(none == nil and type(message) == "string")
            assert(not pcall(__regex_compile) and not pcall(__regex_compile, "\xff") and not pcall(match))
            for i = 1, 2000 do __regex_compile("a" .. i) end
            collectgarbage()
        "##,
        );
    }
}
