//! Values as MessagePack documents, straight between the Lua stack and bytes.
//!
//! Integers stay integers, floats are always 64 bits, strings that are not UTF-8 travel as `bin`. A table whose keys are exactly
//! 1..n is an array (the empty table, too), any other a map. Extension 1 is an error, extension 2 a channel, extension 3 a resource
//! of a host module, which only its module may see.

use crate::host::{HostError, Payload};
use crate::lua::{State, ffi};

mod decode;
mod encode;
mod object;

pub(crate) use decode::{decode_document, decode_values, each_value};
pub(crate) use encode::{Failure, encode_arguments, encode_document, encode_map, encode_options, encode_values, put_back};
pub(crate) use object::{open, push_document, push_each};

/// The extension type of an error; its data is a map document with `kind`, `message` and, where known, `retryable`, `details`
/// and `trace`.
const EXT_ERROR: i8 = 1;
/// The extension type of a channel; its data is the index into the channels of the payload, four bytes, big endian.
const EXT_CHANNEL: i8 = 2;
/// The extension type of a resource of a host module; its data is an array document: module, type, number.
const EXT_RESOURCE: i8 = 3;

/// Nesting that no limit of a program can exceed: encoding and decoding recurse on the native stack.
const MAX_DEPTH: u32 = 200;

/// Pushes what a document of the host holds; nil for empty bytes or a broken document.
pub(crate) unsafe fn push_details(lua: State, document: &[u8]) {
    if document.is_empty() || decode_document(lua, document, 0).is_err() {
        ffi::lua_pushnil(lua);
    }
}

/// Encodes the one value at `index` as a whole payload.
pub(crate) unsafe fn encode_value(lua: State, index: i32) -> Result<Payload, Failure> {
    encode_values(lua, index, 1)
}

impl From<Failure> for HostError {
    fn from(failure: Failure) -> Self {
        Self { details: failure.details, ..crate::host::error(failure.kind, failure.message) }
    }
}
