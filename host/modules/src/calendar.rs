//! Dates, layouts, lengths of time and time zones as Lua's module `time` has them. It is the guest's own code, which is pure, so that a
//! program and a module of the host never disagree about a date.

#[allow(dead_code, reason = "the guest needs more of it")]
#[path = "../../../guest/src/time/civil.rs"]
pub(crate) mod civil;
#[allow(dead_code, reason = "the guest needs more of it")]
#[path = "../../../guest/src/time/duration.rs"]
pub(crate) mod duration;
#[allow(dead_code, reason = "the guest needs more of it")]
#[path = "../../../guest/src/time/layout.rs"]
pub(crate) mod layout;
#[allow(dead_code, reason = "the guest needs more of it")]
#[path = "../../../guest/src/time/tzif.rs"]
pub(crate) mod tzif;
