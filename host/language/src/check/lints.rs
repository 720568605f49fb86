//! Lints: likely mistakes that are no type errors. One file each, with its documentation.

pub(super) mod blocking;
pub(super) mod shadowed_local;
pub(super) mod text_as_error;
pub(super) mod unlike_comparison;
pub(super) mod unreachable_code;
pub(super) mod unused_local;
pub(super) mod unused_result;
