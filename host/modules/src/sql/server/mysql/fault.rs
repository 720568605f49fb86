//! What an error of MySQL means to a program.

use std::io::ErrorKind;

use moonlet_runtime::{Error, document};
use mysql_async::{DriverError, IoError, ServerError};

use super::super::super::work::{unavailable, worded};
use super::super::tls;
use crate::fail::invalid;

/// Says in words and by a kind what happened.
pub(super) fn explain(error: &mysql_async::Error) -> Error {
    match error {
        mysql_async::Error::Server(error) => of_server(error),
        mysql_async::Error::Driver(DriverError::PacketTooLarge) => too_large(),
        mysql_async::Error::Io(error) if error.to_string().contains("max_allowed_packet") => too_large(),
        mysql_async::Error::Driver(DriverError::LocalInfile(_)) => invalid("a statement cannot load files"),
        mysql_async::Error::Io(_) | mysql_async::Error::Driver(_) => unavailable("the connection to the database is lost"),
        other => invalid(worded(other.to_string())),
    }
}

/// Says why there is no connection: what only the operator can mend is not worth another try.
pub(super) fn explain_connect(error: &mysql_async::Error) -> Error {
    match error {
        mysql_async::Error::Server(error) => {
            let explained = of_server(error);
            let again = explained.retryable == Some(true);
            Error { kind: "Unavailable".into(), ..explained }.with_retryable(again)
        }
        // The words of TLS.
        mysql_async::Error::Io(IoError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
            tls::explain(format!("no TLS with the server: {}", worded(error.to_string())))
        }
        mysql_async::Error::Io(IoError::Io(error)) => unavailable(error.kind().to_string()),
        other => unavailable(worded(other.to_string())).with_retryable(false),
    }
}

fn too_large() -> Error {
    // The driver does not say how much that is.
    let message = "a row or a parameter is larger than `max_value` in the `limits` of the database";
    let mut error = Error::new("LimitExceeded", message).with_retryable(false);
    error.details = document::map(&[("limit", "max_value".into())]);
    error
}

fn of_server(error: &ServerError) -> Error {
    let (kind, retryable) = match error.code {
        1062 | 1169 | 1586 => ("AlreadyExists", false),
        1216 | 1217 | 1451 | 1452 => ("Conflict", false),
        1020 | 1213 | 3572 => ("Conflict", true),
        1044 | 1045 | 1095 | 1142 | 1143 | 1227 | 1290 | 1370 | 1698 | 1792 => ("PermissionDenied", false),
        1317 => ("Canceled", true),
        1969 | 3024 => ("Timeout", true),
        1021 | 1114 | 1153 | 3170 => ("LimitExceeded", false),
        1040 | 1053 | 1077 | 1079 | 1152 | 1154..=1161 | 1203 | 1205 | 1226 | 1927 => ("Unavailable", true),
        _ => ("Invalid", false),
    };
    let mut explained = Error::new(kind, worded(error.message.clone())).with_retryable(retryable);
    let details = [("sqlstate", error.state.as_str().into()), ("mysql_code", error.code.into())];
    explained.details = document::map(&details);
    explained
}
