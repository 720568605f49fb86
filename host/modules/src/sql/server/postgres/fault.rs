//! What an error of Postgres means to a program.

use moonlet_runtime::{Error, document};
use tokio_postgres::error::{DbError, ErrorPosition};

use super::super::super::work::{unavailable, worded};
use crate::fail::invalid;

/// Says in words and by a kind what happened.
pub(super) fn explain(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(error) => of_server(error),
        None if is_lost(error) => unavailable("the connection to the database is lost"),
        // A parameter that cannot be written, or a statement that asks for another protocol such as `COPY FROM STDIN`.
        None => invalid(std::error::Error::source(error).map_or_else(
            || "the statement asks for something that only programs with an own connection can do".to_owned(),
            ToString::to_string,
        )),
    }
}

/// Says why there is no connection: what only the operator can mend is not worth another try.
pub(super) fn explain_connect(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(error) => {
            let explained = of_server(error);
            let again = explained.retryable == Some(true) && explained.kind == "Unavailable";
            Error { kind: "Unavailable".into(), ..explained }.with_retryable(again)
        }
        None if is_lost(error) => unavailable("the server closed the connection"),
        None => unavailable(std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string))
            .with_retryable(false),
    }
}

fn is_lost(error: &tokio_postgres::Error) -> bool {
    error.is_closed() || std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

fn of_server(error: &DbError) -> Error {
    let code = error.code().code();
    let (kind, retryable) = match (code.get(..2).unwrap_or_default(), code) {
        (_, "23505") => ("AlreadyExists", false),
        (_, "23503") => ("Conflict", false),
        (_, "40001" | "40P01") => ("Conflict", true),
        (_, "42501" | "25006") => ("PermissionDenied", false),
        (_, "57014") if error.message().contains("timeout") => ("Timeout", true),
        (_, "57014") => ("Canceled", true),
        (_, "53100") | ("54", _) => ("LimitExceeded", false),
        (_, "55P03") | ("08" | "53" | "57", _) => ("Unavailable", true),
        ("28" | "58", _) => ("Unavailable", false),
        ("XX", _) => ("Internal", false),
        _ => ("Invalid", false),
    };
    let mut message = error.message().to_owned();
    if let Some(ErrorPosition::Original(position)) = error.position() {
        message.push_str(&format!(" (at character {position} of the statement)"));
    }
    for more in [error.detail(), error.hint()].into_iter().flatten() {
        message.push_str(": ");
        message.push_str(more);
    }
    let mut explained = Error::new(kind, worded(message)).with_retryable(retryable);
    let mut details = vec![("sqlstate", code.into())];
    details.extend(error.constraint().map(|name| ("constraint", name.into())));
    explained.details = document::map(&details);
    explained
}
