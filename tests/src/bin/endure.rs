//! Runs the hostile programs in a loop for so many minutes; see `../../hostile/README.md`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program to run by hand")]

use std::process::ExitCode;
use std::time::Duration;

use moonlet_tests::endurance::endure;

fn main() -> ExitCode {
    let minutes = std::env::args().nth(1).and_then(|minutes| minutes.parse().ok()).filter(|minutes| *minutes > 0.0);
    let Some(minutes) = minutes.filter(|minutes: &f64| *minutes < 1e6) else {
        eprintln!("usage: endure MINUTES");
        return ExitCode::from(2);
    };
    match endure(Duration::from_secs_f64(minutes * 60.0), |line| println!("{line}")) {
        Ok(summary) => {
            println!("passed\n{summary}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("failed\n{why}");
            ExitCode::FAILURE
        }
    }
}
