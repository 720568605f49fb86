//! What an error of SQLite means to a program.

use std::time::Duration;

use moonlet_runtime::{Error, document};
use rusqlite::ErrorCode;
use rusqlite::ffi::{
    self, SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE,
};

use super::super::job::End;
use super::super::work::{canceled, timed_out};
use crate::fail::invalid;

/// Why a statement came to nothing.
pub(super) enum Failure {
    /// SQLite refused or failed.
    Sqlite(rusqlite::Error),
    /// The host did.
    Given(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Given(error)
    }
}

/// Says in words and by a kind what happened.
pub(super) fn explain(failure: Failure, end: End, span: Duration) -> Error {
    let error = match failure {
        Failure::Given(error) => return error,
        Failure::Sqlite(error) => error,
    };
    match end {
        End::Timeout => return timed_out(span),
        End::Canceled => return canceled(),
        End::Slow | End::None => {}
    }
    let (code, text) = match error {
        rusqlite::Error::SqliteFailure(code, text) => (code, text),
        rusqlite::Error::SqlInputError { error, msg, sql: _, offset } => {
            let place = if offset > 0 { format!(" (at byte {offset} of the statement)") } else { String::new() };
            (error, Some(format!("{msg}{place}")))
        }
        rusqlite::Error::NulError(_) => return invalid("a statement cannot have a zero byte in it"),
        other => return invalid(other.to_string()),
    };
    of_code(code, text)
}

/// Temporary tables would be larger than they may be.
pub(super) fn temporary(allowed: u64) -> Error {
    let message = format!("temporary tables hold at most {} MiB: use a table of the database", allowed >> 20);
    let mut error = Error::new("LimitExceeded", message).with_retryable(false);
    error.details = document::map(&[("limit", "temporary_tables".into()), ("allowed", allowed.into())]);
    error
}

fn of_code(code: ffi::Error, text: Option<String>) -> Error {
    let text = text.unwrap_or_else(|| code.to_string());
    let (kind, retryable, text) = match code.code {
        ErrorCode::ConstraintViolation => match code.extended_code {
            SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_ROWID => ("AlreadyExists", false, text),
            SQLITE_CONSTRAINT_FOREIGNKEY => ("Conflict", false, text),
            _ => ("Invalid", false, text),
        },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => ("Unavailable", true, text),
        ErrorCode::DiskFull => {
            ("LimitExceeded", false, format!("{text}: raise `max_size` in the `limits` of the database, or delete rows"))
        }
        ErrorCode::TooBig | ErrorCode::OutOfMemory => ("LimitExceeded", false, text),
        ErrorCode::AuthorizationForStatementDenied => {
            let why = "a statement may not attach files, load extensions or change how the database is kept";
            ("PermissionDenied", false, format!("{text}: {why}"))
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => ("PermissionDenied", false, text),
        ErrorCode::OperationInterrupted | ErrorCode::OperationAborted => ("Canceled", true, text),
        ErrorCode::SystemIoFailure => ("Unavailable", true, text),
        ErrorCode::CannotOpen => ("Unavailable", false, "the database file cannot be opened".to_owned()),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::InternalMalfunction => ("Internal", false, text),
        _ if text.starts_with("not authorized") => ("PermissionDenied", false, text),
        _ => ("Invalid", false, text),
    };
    let mut error = Error::new(kind, text).with_retryable(retryable);
    let mut details =
        vec![("sqlite_code", (code.extended_code & 0xff).into()), ("sqlite_extended_code", code.extended_code.into())];
    match code.code {
        ErrorCode::DiskFull => details.push(("limit", "max_size".into())),
        ErrorCode::TooBig => details.push(("limit", "max_value".into())),
        _ => {}
    }
    error.details = document::map(&details);
    error
}
