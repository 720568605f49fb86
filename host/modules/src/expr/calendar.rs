//! Dates, layouts, lengths of time and time zones as Lua's module `time` has them. It is the guest's own code, which is pure, so that an
//! expression and a program never disagree about a date.

#[allow(dead_code, reason = "the guest needs more of it")]
#[path = "../../../../guest/src/time/civil.rs"]
pub(super) mod civil;
#[allow(dead_code, reason = "the guest needs more of it")]
#[path = "../../../../guest/src/time/duration.rs"]
pub(super) mod duration;
#[allow(dead_code, reason = "the guest needs more of it")]
#[path = "../../../../guest/src/time/layout.rs"]
pub(super) mod layout;
#[allow(dead_code, reason = "the guest needs more of it")]
#[path = "../../../../guest/src/time/tzif.rs"]
pub(super) mod tzif;
