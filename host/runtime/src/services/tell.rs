//! News about services, for the log.

use super::units::Key;
use crate::crash::Crash;
use crate::supervision::Report;

/// Writes news to the log. `crash` is what is known about the process whose end they tell of.
pub(super) fn tell(report: &Report<Key>, crash: Option<&Crash>) {
    macro_rules! log {
        ($level:ident, $service:expr, $($text:tt)*) => {
            tracing::$level!(target: "moonlet", service = %$service, $($text)*)
        };
    }
    // With the process that failed, so that one record has the cause and what was decided.
    macro_rules! failed {
        ($level:ident, $service:expr, $($text:tt)*) => {
            match crash {
                Some(crash) => crash_record!($level, $service, crash, $($text)*),
                None => log!($level, $service, $($text)*),
            }
        };
    }
    macro_rules! crash_record {
        ($level:ident, $service:expr, $crash:expr, $($text:tt)*) => {
            tracing::$level!(
                target: "moonlet",
                service = %$service,
                pid = &*$crash.pid,
                entry = &*$crash.entry,
                kind = $crash.kind,
                usage = $crash.usage,
                topics = $crash.topics,
                trace = $crash.trace,
                $($text)*
            )
        };
    }
    match report {
        Report::Waiting { service, missing } => {
            let missing: Vec<&str> = missing.iter().map(|key| &**key).collect();
            log!(info, service, "the service waits for {}", missing.join(", "));
        }
        Report::Starting { service, attempt: 0 } => log!(debug, service, "the service starts"),
        Report::Starting { service, attempt } => log!(info, service, "the service starts again, attempt {attempt}"),
        Report::Running { service } => log!(info, service, "the service is up"),
        Report::Failed { service, reason, attempt, delay } => {
            let delay = delay / 1_000_000;
            failed!(error, service, "the service failed; restart {attempt} follows in {delay} ms: {reason}");
        }
        Report::GaveUp { service, reason } => failed!(error, service, "the service failed for good: {reason}"),
        Report::Finished { service } => log!(info, service, "the service ended"),
        Report::Stopping { service } => log!(debug, service, "the service stops"),
        Report::Stopped { service } => log!(info, service, "the service is down"),
        Report::ChildRestarts { service, supervisor, child, reason, restarts } => {
            failed!(warn, service, "`{supervisor}` restarts `{child}`, restart {restarts} in its window: {reason}");
        }
        Report::ChildEnded { service, supervisor, child, reason } => {
            failed!(warn, service, "`{child}` of `{supervisor}` ended and is not restarted: {reason}");
        }
        Report::SupervisorGaveUp { service, supervisor, reason } => failed!(error, service, "`{supervisor}` gives up: {reason}"),
    }
}
