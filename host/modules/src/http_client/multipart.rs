//! Bodies of requests: bytes, or forms with files.

use std::sync::Arc;

use bytes::Bytes;
use moonlet_runtime::{ByteStream, Error, Freight};

/// Bytes of a file that comes from a stream: it lies in the memory of the host until it was sent.
const MAX_STREAM: usize = 64 << 20;

/// The body of a request.
pub(super) enum Content {
    Bytes(Bytes),
    /// Parts with the boundary between them.
    Parts(String, Vec<Part>),
}

/// A part of a form.
pub(super) struct Part {
    head: String,
    content: PartContent,
}

enum PartContent {
    Bytes(Vec<u8>),
    Stream(Arc<ByteStream>),
}

impl Part {
    pub(super) fn field(name: &str, value: Vec<u8>) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{}\"\r\n", quoted(name));
        Self { head, content: PartContent::Bytes(value) }
    }

    pub(super) fn file(name: &str, filename: &str, content: Vec<u8>) -> Self {
        Self { head: file_head(name, filename), content: PartContent::Bytes(content) }
    }

    pub(super) fn stream(name: &str, filename: &str, stream: Arc<ByteStream>) -> Self {
        Self { head: file_head(name, filename), content: PartContent::Stream(stream) }
    }
}

impl Content {
    /// Puts the bytes together.
    pub(super) async fn into_bytes(self, freight: &Freight) -> Result<Bytes, Error> {
        let (boundary, parts) = match self {
            Self::Bytes(bytes) => return Ok(bytes),
            Self::Parts(boundary, parts) => (boundary, parts),
        };
        let mut body = Vec::new();
        for part in parts {
            body.extend_from_slice(format!("--{boundary}\r\n{}\r\n", part.head).as_bytes());
            match part.content {
                PartContent::Bytes(bytes) => body.extend_from_slice(&bytes),
                PartContent::Stream(stream) => {
                    let content = stream.read_all(MAX_STREAM, freight).await?;
                    freight.add(content.len())?;
                    body.extend_from_slice(&content);
                }
            }
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Ok(body.into())
    }
}

/// Makes a boundary that no content holds, but for a chance of nothing.
pub(super) fn boundary() -> String {
    let random = || getrandom::u64().unwrap_or_default();
    format!("{:016x}{:016x}{:016x}", random(), random(), random())
}

fn file_head(name: &str, filename: &str) -> String {
    format!(
        "Content-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: application/octet-stream\r\n",
        quoted(name),
        quoted(filename)
    )
}

/// Escapes what would end the name early.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "%0D").replace('\n', "%0A")
}
