//! Answers: what comes before the body, and the body as a whole or as a stream.

use std::io::Write;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use flate2::write::GzDecoder;
use http::{HeaderMap, StatusCode, header};
use hyper::body::{Body, Incoming};
use moonlet_runtime::{ByteSource, Error, Freight, NextBytes, Value};

use super::network::failed;
use crate::fail::answer_too_long;

/// Bytes that are unpacked at once. They can become a thousand times as many, and only what has come out is counted.
const UNPACKED_AT_ONCE: usize = 512;

/// What comes before the body of an answer.
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) url: String,
}

impl Head {
    /// Makes the table that Lua sees.
    pub(super) fn into_value(self, body: Option<Vec<u8>>, stream: Option<Value>) -> Value {
        let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
        for (name, value) in &self.headers {
            let name = canonical(name.as_str());
            match headers.iter_mut().find(|(other, _)| *other == name) {
                Some((_, all)) => {
                    all.extend_from_slice(b", ");
                    all.extend_from_slice(value.as_bytes());
                }
                None => headers.push((name, value.as_bytes().to_vec())),
            }
        }
        let cookies = self.headers.get_all(header::SET_COOKIE).iter().filter_map(|cookie| {
            let (name, value) = cookie.to_str().ok()?.split(';').next()?.split_once('=')?;
            Some((Value::from(name.trim()), Value::from(value.trim().trim_matches('"'))))
        });
        let size = body.as_ref().map_or(-1, |body| i64::try_from(body.len()).unwrap_or(i64::MAX));
        let mut fields: Vec<(Value, Value)> = vec![
            ("status_code".into(), self.status.as_u16().into()),
            ("body_size".into(), size.into()),
            ("headers".into(), Value::Map(headers.into_iter().map(|(name, value)| (name.into(), text(value))).collect())),
            ("cookies".into(), Value::Map(cookies.collect())),
            ("url".into(), self.url.into()),
        ];
        if let Some(body) = body {
            fields.push(("body".into(), text(body)));
        }
        if let Some(stream) = stream {
            fields.push(("stream".into(), stream));
        }
        Value::Map(fields)
    }
}

fn text(bytes: Vec<u8>) -> Value {
    String::from_utf8(bytes).map_or_else(|error| Value::Binary(error.into_bytes()), Value::from)
}

/// Writes the name of a header as people do: `content-type` as `Content-Type`.
fn canonical(name: &str) -> String {
    let mut start = true;
    let letters = name.chars().map(|letter| {
        let written = if start { letter.to_ascii_uppercase() } else { letter };
        start = letter == '-';
        written
    });
    letters.collect()
}

/// The body of an answer, unpacked if the client asked for packing.
pub(super) struct Packed {
    incoming: Incoming,
    decoder: Option<GzDecoder<Vec<u8>>>,
    /// What came and was not unpacked yet.
    packed: Bytes,
    /// How long the next piece may take.
    timeout: Duration,
    length: Option<u64>,
    over: bool,
}

impl Packed {
    pub(super) fn new(incoming: Incoming, gzip: bool, timeout: Duration) -> Self {
        let length = if gzip { None } else { incoming.size_hint().exact() };
        Self { incoming, decoder: gzip.then(|| GzDecoder::new(Vec::new())), packed: Bytes::new(), timeout, length, over: false }
    }

    async fn piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        while !self.over {
            if self.packed.is_empty() {
                let incoming = &mut self.incoming;
                let frame = std::future::poll_fn(|cx| Pin::new(&mut *incoming).poll_frame(cx)).await;
                match frame {
                    Some(frame) => {
                        let frame = frame.map_err(|error| failed(format!("the answer broke off: {error}")))?;
                        self.packed = frame.into_data().unwrap_or_default();
                    }
                    None => self.over = true,
                }
            }
            let Some(decoder) = &mut self.decoder else {
                if self.packed.is_empty() {
                    continue;
                }
                return Ok(Some(std::mem::take(&mut self.packed).to_vec()));
            };
            let broken = |error: std::io::Error| failed(format!("the answer cannot be unpacked: {error}"));
            let some = self.packed.split_to(self.packed.len().min(UNPACKED_AT_ONCE));
            decoder.write_all(&some).map_err(broken)?;
            if self.over {
                decoder.try_finish().map_err(broken)?;
            }
            let unpacked = std::mem::take(decoder.get_mut());
            if !unpacked.is_empty() {
                return Ok(Some(unpacked));
            }
        }
        Ok(None)
    }

    /// Reads everything, at most so many bytes: more is an error, also when it was packed into less.
    /// What there is so far is charged to the call.
    pub(super) async fn read_all(&mut self, most: usize, freight: &Freight) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        while let Some(piece) = self.piece().await? {
            if all.len() + piece.len() > most {
                let message = format!(
                    "the answer has more than {most} bytes: raise `max_response_body` and `limits.message_size` of the process, or read it with `stream = true`"
                );
                return Err(answer_too_long(message, most));
            }
            freight.add(piece.len())?;
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }
}

impl ByteSource for Packed {
    fn next(&mut self) -> NextBytes<'_> {
        Box::pin(async move {
            let timeout = self.timeout;
            let piece = tokio::time::timeout(timeout, self.piece()).await;
            piece.map_err(|_| failed(format!("the answer did not go on within {} ms", timeout.as_millis())))?
        })
    }

    fn size(&self) -> Option<u64> {
        self.length
    }
}
