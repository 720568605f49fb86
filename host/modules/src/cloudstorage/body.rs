//! Bodies: what is sent piece by piece, and what comes.

use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use moonlet_runtime::{Bill, Error};
use tokio::sync::{Mutex, mpsc};

use super::storage::Answered;
use crate::archive::{Cut, Source};
use crate::fail::limit;
use crate::http_client::network::failed;

/// Bytes that are read from a file at once.
const PIECE: usize = 64 << 10;
/// Pieces that wait to be sent.
const WAITING: usize = 2;
/// How long the next piece of a download may take.
const NEXT_TIMEOUT: Duration = Duration::from_secs(60);

/// A body that is sent.
pub(super) struct Outgoing {
    /// None when there is nothing to send.
    pieces: Option<mpsc::Receiver<io::Result<Bytes>>>,
    left: u64,
}

impl Outgoing {
    pub(super) fn none() -> Self {
        Self { pieces: None, left: 0 }
    }

    /// Sends a source, which other threads read as fast as it is taken.
    pub(super) fn of(source: Source, bill: Bill) -> Self {
        let left = source.len();
        if left == 0 {
            return Self::none();
        }
        let (to, pieces) = mpsc::channel(WAITING);
        let mut cut = Cut::whole(&Arc::new(source));
        // A thread is taken for one piece only: a server that takes nothing must not hold one.
        tokio::spawn(async move {
            loop {
                let bill = bill.clone();
                let reading = tokio::task::spawn_blocking(move || {
                    let mut piece = vec![0; PIECE];
                    let read = bill.run(|| cut.read(&mut piece)).map(|count| {
                        piece.truncate(count);
                        Bytes::from(piece)
                    });
                    (cut, read)
                });
                let Ok((rest, read)) = reading.await else { return };
                cut = rest;
                let is_over = !read.as_ref().is_ok_and(|piece| !piece.is_empty());
                // Nobody takes it when the request was given up.
                if to.send(read).await.is_err() || is_over {
                    return;
                }
            }
        });
        Self { pieces: Some(pieces), left }
    }

    pub(super) fn length(&self) -> u64 {
        self.left
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let Some(pieces) = &mut self.pieces else { return Poll::Ready(None) };
        let Poll::Ready(piece) = pieces.poll_recv(cx) else { return Poll::Pending };
        let mut piece = match piece {
            Some(Ok(piece)) if !piece.is_empty() => piece,
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            _ => return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")))),
        };
        // A file that grows meanwhile is sent as long as it was.
        piece.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// An object that comes.
pub(super) struct Download(Mutex<State>);

struct State {
    /// None once it is over.
    answered: Option<Answered>,
    rest: Bytes,
}

impl Download {
    pub(super) fn new(answered: Answered) -> Self {
        Self(Mutex::new(State { answered: Some(answered), rest: Bytes::new() }))
    }

    /// Waits for the next bytes, at most so many; none at the end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub(super) async fn read(&self, most: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut state = self.0.lock().await;
        while state.rest.is_empty() {
            let Some(answered) = &mut state.answered else { return Ok(None) };
            let frame = tokio::time::timeout(NEXT_TIMEOUT, answered.response.body_mut().frame()).await;
            match frame.map_err(|_| failed("the object did not go on"))? {
                Some(frame) => {
                    let frame = frame.map_err(|error| failed(format!("the object broke off: {error}")))?;
                    state.rest = frame.into_data().unwrap_or_default();
                }
                None => state.answered = None,
            }
        }
        let count = state.rest.len().min(most);
        Ok(Some(state.rest.split_to(count).to_vec()))
    }
}

/// Reads a body that must be short.
pub(super) async fn read_all(
    mut incoming: Incoming,
    most: usize,
    charge: impl Fn(usize) -> Result<(), Error>,
) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| failed(format!("the answer of the storage broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if all.len() + data.len() > most {
            return Err(limit("storage_answer", most as u64, (all.len() + data.len()) as u64));
        }
        charge(data.len())?;
        all.extend_from_slice(&data);
    }
    Ok(all)
}
