//! The connection to a Postgres server: TCP, TLS, and what has to be known of each message before it is read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};

use moonlet_runtime::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::super::super::work::unavailable;
use super::super::settings::{Mode, ServerSettings};
use super::super::tls;
use crate::fail::unsupported;

/// Asks whether the server has TLS: its length and a number in place of a version.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// The length of what begins each message: a letter and the length of the rest.
const HEAD: usize = 5;
/// What a message may have beside a value: names of columns, words of errors.
const SLACK: u64 = 1 << 20;

/// A connection of either sort.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects, with TLS as the settings want it.
pub(super) async fn dial(settings: &ServerSettings) -> Result<Box<dyn Stream>, Error> {
    let lost = |error: io::Error| unavailable(error.kind().to_string());
    let mut stream = TcpStream::connect((settings.host.as_str(), settings.port)).await.map_err(lost)?;
    stream.set_nodelay(true).map_err(lost)?;
    if settings.tls.mode == Mode::Disable {
        return Ok(Box::new(stream));
    }
    stream.write_all(&TLS_REQUEST).await.map_err(lost)?;
    match stream.read_u8().await.map_err(lost)? {
        b'S' => {
            let secured = tls::options(&settings.tls)?.connect(&settings.host, stream).await;
            Ok(Box::new(secured.map_err(|error| tls::explain(error.message))?))
        }
        _ if settings.tls.mode == Mode::Prefer => Ok(Box::new(stream)),
        _ => Err(unsupported("the server has no TLS: set it up there, or write `options: { sslmode: disable }`")),
    }
}

/// What was seen of the messages of a server.
pub(super) struct Seen {
    /// The last thing that the server said about transactions: `I` none, `T` open, `E` failed.
    status: AtomicU8,
    /// Whether a message was larger than the settings allow, for which the connection was given up.
    too_large: AtomicBool,
}

impl Seen {
    /// Tells whether a transaction is open, failed or not.
    pub(super) fn in_transaction(&self) -> bool {
        matches!(self.status.load(Ordering::Acquire), b'T' | b'E')
    }

    /// Tells whether a transaction is open in which a statement failed.
    pub(super) fn has_failed(&self) -> bool {
        self.status.load(Ordering::Acquire) == b'E'
    }

    /// Tells whether a message was too large.
    pub(super) fn is_too_large(&self) -> bool {
        self.too_large.load(Ordering::Acquire)
    }
}

/// A connection whose messages are looked at on their way: nobody waits in memory for the end of one that is too large.
pub(super) struct Watched {
    stream: Box<dyn Stream>,
    head: [u8; HEAD],
    /// How many bytes of the head are there.
    have: usize,
    /// How many bytes of the message are still to come.
    rest: u64,
    most: u64,
    seen: Arc<Seen>,
}

impl Watched {
    pub(super) fn new(stream: Box<dyn Stream>, settings: &ServerSettings) -> (Self, Arc<Seen>) {
        let seen = Arc::new(Seen { status: AtomicU8::new(b'I'), too_large: AtomicBool::new(false) });
        let most = settings.terms.max_value + SLACK;
        (Self { stream, head: [0; HEAD], have: 0, rest: 0, most, seen: Arc::clone(&seen) }, seen)
    }

    fn watch(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while let Some((first, others)) = bytes.split_first() {
            if self.rest > 0 {
                if self.head.first() == Some(&b'Z') {
                    self.seen.status.store(*first, Ordering::Release);
                }
                let here = usize::try_from(self.rest).unwrap_or(usize::MAX).min(bytes.len());
                bytes = bytes.get(here..).unwrap_or_default();
                self.rest -= here as u64;
                continue;
            }
            bytes = others;
            if let Some(slot) = self.head.get_mut(self.have) {
                *slot = *first;
            }
            self.have += 1;
            if self.have == HEAD {
                self.have = 0;
                let [_, a, b, c, d] = self.head;
                // The length counts itself.
                self.rest = u64::from(u32::from_be_bytes([a, b, c, d])).saturating_sub(4);
                if self.rest > self.most {
                    self.seen.too_large.store(true, Ordering::Release);
                    return Err(io::Error::other("a message is too large"));
                }
            }
        }
        Ok(())
    }
}

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = read {
            this.watch(buffer.filled().get(before..).unwrap_or_default())?;
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn watched(most: u64) -> (Watched, Arc<Seen>) {
        let seen = Arc::new(Seen { status: AtomicU8::new(b'I'), too_large: AtomicBool::new(false) });
        let stream = Box::new(tokio::io::empty());
        (Watched { stream, head: [0; HEAD], have: 0, rest: 0, most, seen: Arc::clone(&seen) }, seen)
    }

    fn message(letter: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[letter], length.to_be_bytes().as_slice(), body].concat()
    }

    #[test]
    fn the_state_is_known_however_messages_are_cut() {
        let bytes = [message(b'D', &[b'Z'; 40]), message(b'1', b""), message(b'Z', b"T"), message(b'C', b"SELECT 1\0")].concat();
        for size in 1..bytes.len() {
            let (mut watched, seen) = watched(100);
            for piece in bytes.chunks(size) {
                watched.watch(piece).unwrap();
            }
            assert!(seen.in_transaction() && !seen.has_failed(), "in pieces of {size}");
        }
    }

    #[test]
    fn a_message_that_is_too_large_is_refused_by_its_head() {
        let (mut watched, seen) = watched(100);
        watched.watch(&message(b'D', &[0; 100])).unwrap();
        assert!(!seen.is_too_large());
        assert!(watched.watch(&[b'D', 0x7f, 0xff, 0xff, 0xff]).is_err());
        assert!(seen.is_too_large());
    }
}
