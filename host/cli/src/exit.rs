//! Exit codes.
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | it worked; a process that ends with `true`, `nil`, `0` or a text; services that were asked to stop |
//! | 1 | something is wrong with the project, or the process ended with an error or `false` |
//! | 2 | the command line is wrong |
//! | other | the number that the process of `-x` returned, in its lowest eight bits |
//! | 130, 143 | a second SIGINT or SIGTERM ended it before it had stopped |

/// It worked.
pub(crate) const SUCCESS: u8 = 0;
/// Something failed, and there is a message about it.
pub(crate) const FAILURE: u8 = 1;
/// The command line is wrong.
pub(crate) const USAGE: u8 = 2;

/// What shells report for a process that a signal ended.
pub(crate) fn signal(number: u8) -> u8 {
    128 + number
}
