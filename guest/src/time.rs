//! The module `time`.

pub(crate) mod civil;
pub(crate) mod duration;
pub(crate) mod layout;
pub(crate) mod tzif;
