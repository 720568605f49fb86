//! Streams: what several modules hand out to read from or write to, in one shape.
//!
//! A module that hands them out names the type `Stream` in its manifest with [`METHODS`], answers its methods by [`invoke`], and adds
//! `scanner` in its glue from the part [`SCANNER`].

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use moonlet_runtime::{Answer, Args, Error, Fault, ModuleCall, Value};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Mutex;

use crate::fail::{internal, invalid};

/// The name of the type.
pub(crate) const STREAM: &str = "Stream";
/// Its methods; `scanner` is glue.
pub(crate) const METHODS: &[&str] = &["read", "write", "seek", "flush", "stat", "close"];
/// The Lua that makes scanners, for `HostModule::part`.
pub(crate) const SCANNER: &str = include_str!("stream/scanner.lua");

/// Bytes of a read that does not say how many.
const CHUNK: usize = 32 << 10;

/// Something to read from.
pub(crate) struct Stream {
    reader: Mutex<Option<Pin<Box<dyn AsyncRead + Send>>>>,
    closed: AtomicBool,
    position: AtomicU64,
}

impl Stream {
    pub(crate) fn reader(reader: impl AsyncRead + Send + 'static) -> Self {
        Self { reader: Mutex::new(Some(Box::pin(reader))), closed: AtomicBool::new(false), position: AtomicU64::new(0) }
    }

    /// Reads up to that many bytes; none at the end.
    async fn read(&self, count: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut reader = self.reader.lock().await;
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let Some(reader) = reader.as_mut() else { return Ok(None) };
        let mut bytes = vec![0; count];
        let read = reader.read(&mut bytes).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::QuotaExceeded => {
                Error::new("LimitExceeded", "the command gave more output than `max_output` of its executor allows")
                    .with_retryable(false)
            }
            kind => internal(format!("failed to read: {kind}")),
        })?;
        bytes.truncate(read);
        self.position.fetch_add(read as u64, Ordering::Relaxed);
        Ok((read > 0).then_some(bytes))
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // A read that waits now drops the reader when it ends or is given up.
        if let Ok(mut reader) = self.reader.try_lock() {
            reader.take();
        }
    }
}

fn closed() -> Error {
    internal("the stream is closed")
}

/// Reads how many bytes a program wants.
pub(crate) fn count(call: &ModuleCall<'_>, args: &Args<'_>, default: usize) -> Result<usize, Fault> {
    let wanted = args.opt_integer(1)?.unwrap_or(0);
    let wanted = usize::try_from(wanted).map_err(|_| invalid("size must be positive"))?;
    // A little is left for what stands around the bytes in an answer.
    Ok((if wanted == 0 { default } else { wanted }).min(call.max_bytes().saturating_sub(64)).max(1))
}

/// Answers a method of a stream.
pub(crate) fn invoke(call: &ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (stream, args) = call.method::<Stream>(STREAM, function, args)?;
    match function.trim_start_matches("Stream:") {
        "read" => {
            let count = count(call, &args, CHUNK)?;
            read(call, stream, count)
        }
        "write" => {
            args.bytes(1)?;
            Err(internal("the stream is not writable").into())
        }
        "seek" => {
            let whence = args.text(1)?;
            args.opt_integer(2)?;
            if !["set", "cur", "end"].contains(&whence) {
                return Err(invalid("invalid whence: must be 'set', 'cur' or 'end'").into());
            }
            Err(internal("the stream is not seekable").into())
        }
        "flush" => Answer::one(true),
        "stat" => {
            if stream.closed.load(Ordering::Acquire) {
                return Err(closed().into());
            }
            let position = stream.position.load(Ordering::Relaxed);
            let fields = [
                ("size", (-1).into()),
                ("position", position.into()),
                ("readable", true.into()),
                ("writable", false.into()),
                ("seekable", false.into()),
            ];
            let fields = fields.into_iter().map(|(name, value): (&str, Value)| (name.into(), value));
            Answer::one(Value::Map(fields.collect()))
        }
        "close" => {
            stream.close();
            Answer::one(true)
        }
        other => Err(invalid(format!("a stream has no method `{other}`")).into()),
    }
}

fn read(call: &ModuleCall<'_>, stream: Arc<Stream>, count: usize) -> Result<Answer, Fault> {
    call.run_async(async move {
        let bytes = stream.read(count).await?;
        Ok(bytes.map(|bytes| vec![Value::Binary(bytes)]).unwrap_or_default())
    })
}
