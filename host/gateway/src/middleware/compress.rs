//! Middleware `compress`: gzip for clients that take it.

use flate2::Compression;
use http::StatusCode;
use http::header::{self, HeaderValue};

use super::Options;
use crate::answer::Answer;
use crate::body::Body;
use crate::server::Context;

pub(super) struct Compress {
    level: Compression,
    min_length: u64,
}

impl Compress {
    pub(super) fn new(options: &Options) -> Self {
        let level = match options.get("compress.level") {
            Some("fastest") => Compression::fast(),
            Some("best") => Compression::best(),
            _ => Compression::default(),
        };
        Self { level, min_length: options.number("compress.min.length", 1024) }
    }

    pub(super) fn after(&self, context: &Context, mut answer: Answer) -> Answer {
        answer.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        let takes = context.header(header::ACCEPT_ENCODING).is_some_and(takes_gzip);
        let status = answer.status();
        let bare = status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::PARTIAL_CONTENT);
        let headers = answer.headers();
        let events = headers.get(header::CONTENT_TYPE).is_some_and(|of| of.as_bytes().starts_with(b"text/event-stream"));
        if !takes
            || bare
            || events
            || headers.contains_key(header::CONTENT_ENCODING)
            || headers.contains_key(header::CONTENT_RANGE)
        {
            return answer;
        }
        if answer.body().length().is_some_and(|length| length < self.min_length) {
            return answer;
        }
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::ACCEPT_RANGES);
        headers.remove(header::ETAG);
        let level = self.level;
        answer.map(|body| Body::gzip(body, level))
    }
}

/// Tells whether a client takes gzip: named or by `*`, and not with a weight of zero.
fn takes_gzip(accept: &str) -> bool {
    accept.split(',').any(|part| {
        let (name, rest) = part.split_once(';').unwrap_or((part, ""));
        let refused = rest.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()) == Some(0.0);
        matches!(name.trim(), "gzip" | "*" | "x-gzip") && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_zero_refuses() {
        for good in ["gzip", "deflate, gzip;q=0.5", "*"] {
            assert!(takes_gzip(good), "{good}");
        }
        for bad in ["", "br", "gzip;q=0", "deflate, gzip; q=0"] {
            assert!(!takes_gzip(bad), "{bad}");
        }
    }
}
