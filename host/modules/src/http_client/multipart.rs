//! Bodies of requests: bytes, or forms with files.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use moonlet_runtime::{ByteStream, Error, Freight};

use crate::archive::Spooled;
use crate::fail::{internal, invalid};
use crate::fs::OpenFile;

/// Bytes of a file that comes from a stream: it lies in the memory of the host until it was sent.
const MAX_STREAM: usize = 64 << 20;

/// Bytes of a file that are read at once.
const PIECE: usize = 64 << 10;

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
    Reader(Reader),
}

/// Where the content of a file comes from.
pub(super) enum Reader {
    Stream(Arc<ByteStream>),
    /// A file of a volume, from where the program has read it to.
    File(Arc<OpenFile>),
    Spool(Arc<Spooled>),
}

impl Reader {
    async fn read_all(self, freight: &Freight) -> Result<Vec<u8>, Error> {
        if let Self::Stream(stream) = self {
            return stream.read_all(MAX_STREAM, freight).await;
        }
        let freight = freight.clone();
        let read = tokio::task::spawn_blocking(move || match self {
            Self::File(file) => {
                let mut file = file.duplicate()?;
                gather(&freight, |_, buffer| {
                    file.read(buffer).map_err(|error| internal(format!("failed to read the file: {}", error.kind())))
                })
            }
            Self::Spool(spool) => gather(&freight, |at, buffer| spool.read_at(at, buffer)),
            Self::Stream(_) => Ok(Vec::new()),
        });
        read.await.map_err(|_| internal("reading the file was given up"))?
    }
}

/// Reads to the end; what is read is charged as it comes.
fn gather(freight: &Freight, mut read: impl FnMut(u64, &mut [u8]) -> Result<usize, Error>) -> Result<Vec<u8>, Error> {
    let (mut all, mut piece) = (Vec::new(), vec![0; PIECE]);
    loop {
        let count = read(all.len() as u64, &mut piece)?;
        if count == 0 {
            return Ok(all);
        }
        freight.add(count)?;
        all.extend_from_slice(piece.get(..count).unwrap_or_default());
        if all.len() > MAX_STREAM {
            return Err(invalid(format!("the file has more than {MAX_STREAM} bytes")));
        }
    }
}

impl Part {
    pub(super) fn field(name: &str, value: Vec<u8>) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{}\"\r\n", quoted(name));
        Self { head, content: PartContent::Bytes(value) }
    }

    pub(super) fn file(name: &str, filename: &str, content: Vec<u8>) -> Self {
        Self { head: file_head(name, filename), content: PartContent::Bytes(content) }
    }

    pub(super) fn reader(name: &str, filename: &str, reader: Reader) -> Self {
        Self { head: file_head(name, filename), content: PartContent::Reader(reader) }
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
                PartContent::Reader(reader) => {
                    let content = reader.read_all(freight).await?;
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
