//! What the end-to-end suites share: finding the binary, running it with a time limit, comparing transcripts.
//!
//! The suites themselves are data (see `README.md` in this folder); nothing here knows a single case.

pub mod binary;
pub mod declared;
pub mod endurance;
pub mod hostile;
pub mod run;
#[cfg(target_os = "linux")]
pub mod servers;
pub mod suite;
pub mod transcript;
