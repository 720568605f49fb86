//! A short run of what `tests/hostile/endure` does for an hour: whether it works, and what holds at any time. Whether memory stays flat
//! takes longer to see.

#![cfg(target_os = "linux")]

use std::time::Duration;

use moonlet_tests::endurance::endure;

#[test]
fn all_attacks_at_once_leave_nothing_and_lose_nothing() -> Result<(), String> {
    endure(Duration::from_secs(20), |_| {}).map(drop)
}
