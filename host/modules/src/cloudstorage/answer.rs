//! Answers: what they say of an object, and what went wrong.

use http::{HeaderMap, StatusCode};
use moonlet_runtime::{Error, Value};

use crate::calendar::civil::days_of_date;
use crate::fail::{internal, invalid, not_found, shown};
use crate::xml::{Event, Xml};

/// The longest text of an answer that says what went wrong.
const LONGEST: usize = 8 << 10;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Says what the service refused, and why.
pub(super) fn refused(status: StatusCode, words: Vec<u8>) -> Error {
    let said = said(words);
    let because = if said.is_empty() { String::new() } else { format!(": {}", shown(&said)) };
    let conflict = |message: String| Error::new("Conflict", message).with_retryable(false);
    match status {
        StatusCode::NOT_FOUND => not_found(format!("the object does not exist{because}")),
        StatusCode::PRECONDITION_FAILED | StatusCode::NOT_MODIFIED => {
            conflict(format!("precondition_failed: the object is not as the condition says{because}"))
        }
        StatusCode::CONFLICT => conflict(format!("the object is being changed by somebody else{because}")),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Error::new("PermissionDenied", format!("the storage refused the request{because}")).with_retryable(false)
        }
        StatusCode::RANGE_NOT_SATISFIABLE => invalid(format!("the object has no such range{because}")),
        status => {
            let again = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
            internal(format!("the storage answered {}{because}", status.as_u16())).with_retryable(again)
        }
    }
}

/// Reads the code and the message of an answer.
fn said(words: Vec<u8>) -> String {
    let mut xml = Xml::new(Some(words), LONGEST);
    let (mut code, mut message) = (String::new(), String::new());
    while let Ok(event) = xml.next() {
        let read = match event {
            Event::Start if xml.name() == "Code" => xml.content().map(|text| code = text),
            Event::Start if xml.name() == "Message" => xml.content().map(|text| message = text),
            Event::Eof => break,
            _ => continue,
        };
        if read.is_err() {
            break;
        }
    }
    if message.is_empty() { code } else { format!("{code} ({message})") }
}

/// Describes an object by the headers of an answer.
pub(super) fn described(headers: &HeaderMap) -> Value {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut metadata: Vec<(Value, Value)> = Vec::new();
    let mut raw: Vec<(Value, Value)> = Vec::new();
    for name in headers.keys() {
        let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        let value = values.join(", ");
        if let Some(name) = name.as_str().strip_prefix("x-amz-meta-") {
            metadata.push((name.into(), value.as_str().into()));
        }
        raw.push((name.as_str().into(), value.into()));
    }
    let mut fields: Vec<(Value, Value)> = vec![
        ("size".into(), text("content-length").parse::<u64>().unwrap_or(0).into()),
        ("metadata".into(), Value::Map(metadata)),
        ("headers".into(), Value::Map(raw)),
    ];
    for (field, name) in [
        ("etag", "etag"),
        ("content_type", "content-type"),
        ("cache_control", "cache-control"),
        ("content_disposition", "content-disposition"),
        ("content_encoding", "content-encoding"),
    ] {
        fields.push((field.into(), text(name).into()));
    }
    let class = text("x-amz-storage-class");
    fields.push(("storage_class".into(), (if class.is_empty() { "STANDARD" } else { class }).into()));
    if !text("x-amz-version-id").is_empty() {
        fields.push(("version_id".into(), text("x-amz-version-id").into()));
    }
    if let Some(seconds) = seconds(text("last-modified")) {
        fields.push(("last_modified".into(), seconds.into()));
    }
    Value::Map(fields)
}

/// Reads a moment, as `2024-01-02T03:04:05.000Z` or as `Tue, 02 Jan 2024 03:04:05 GMT`, in seconds since 1970.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let (year, month, day, time) = if let Some((date, time)) = text.split_once('T').filter(|(date, _)| date.len() == 10) {
        let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
        (parts.next()??, parts.next()??, parts.next()??, time)
    } else {
        let mut parts = text.split_once(", ")?.1.split(' ');
        let day = parts.next()?.parse().ok()?;
        let name = parts.next()?;
        let month = MONTHS.iter().position(|month| *month == name)?;
        (parts.next()?.parse().ok()?, i64::try_from(month).ok()? + 1, day, parts.next()?)
    };
    let mut clock = time.get(..8)?.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_of_date(year, u32::try_from(month).ok()?, day);
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_both_forms() {
        for text in ["2024-01-02T03:04:05.000Z", "2024-01-02T03:04:05Z", "Tue, 02 Jan 2024 03:04:05 GMT"] {
            assert_eq!(seconds(text), Some(1_704_164_645), "{text}");
        }
        for text in ["", "yesterday", "2024-13-01T00:00:00Z", "Tue, 02 Foo 2024 03:04:05 GMT", "2024-01-02T3"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn answers_say_what_went_wrong() {
        let words = b"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>not here</Message></Error>".to_vec();
        let error = refused(StatusCode::NOT_FOUND, words);
        assert_eq!(
            (error.kind.as_str(), error.message.as_str()),
            ("NotFound", "the object does not exist: NoSuchKey (not here)")
        );
        assert_eq!(refused(StatusCode::BAD_GATEWAY, b"<html>oops".to_vec()).retryable, Some(true));
    }
}
