//! Streams of bytes that Lua reads, whatever module gives them: bodies of requests and answers, uploaded files.
//!
//! A module names the types `Stream` and `Scanner` in its manifest, keeps a [`ByteStream`], and passes what begins with their names to
//! [`invoke_stream`]. Nothing is read ahead of what Lua asks for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use moonlet_sandbox::wit::Error;
use rmpv::Value;
use tokio::sync::Mutex;

use super::{Answer, Fault, Freight, ModuleCall};
use crate::document;

/// Bytes of a chunk when the caller does not say how many.
const CHUNK: usize = 32 << 10;
/// The longest token of a scanner in bytes: a line without an end must not fill the memory of the host.
const MAX_TOKEN: usize = 1 << 20;

/// Bytes that a token is charged at least.
const MIN_TOKEN: usize = 256;

/// The methods of `Stream`.
pub const STREAM_METHODS: &[&str] = &["read", "write", "seek", "flush", "stat", "close", "scanner"];
/// The methods of `Scanner`.
pub const SCANNER_METHODS: &[&str] = &["scan", "text", "err"];

/// The next piece of a source; none at its end.
pub type NextBytes<'a> = Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, Error>> + Send + 'a>>;

/// Where bytes come from.
pub trait ByteSource: Send {
    /// Waits for the next piece, of any size above zero; none at the end.
    fn next(&mut self) -> NextBytes<'_>;

    /// Tells how many bytes there are in all, if that is known.
    fn size(&self) -> Option<u64> {
        None
    }
}

/// A source that is in memory already.
impl ByteSource for std::io::Cursor<Vec<u8>> {
    fn next(&mut self) -> NextBytes<'_> {
        let all = std::mem::take(self.get_mut());
        Box::pin(async move { Ok(Some(all).filter(|bytes| !bytes.is_empty())) })
    }

    fn size(&self) -> Option<u64> {
        Some(self.get_ref().len() as u64)
    }
}

/// A stream that Lua reads.
pub struct ByteStream {
    state: Arc<Mutex<State>>,
    size: Option<u64>,
}

struct State {
    /// None once it is closed.
    source: Option<Box<dyn ByteSource>>,
    /// What came and was not asked for yet; `start` counts what was read of it.
    rest: Vec<u8>,
    start: usize,
    position: u64,
    ended: bool,
    /// Whom `rest` is charged to; none before Lua read.
    account: Option<Freight>,
}

impl ByteStream {
    /// Makes a stream of a source.
    #[must_use]
    pub fn new(source: Box<dyn ByteSource>) -> Self {
        let size = source.size();
        let state = State { source: Some(source), rest: Vec::new(), start: 0, position: 0, ended: false, account: None };
        Self { state: Arc::new(Mutex::new(state)), size }
    }

    /// Reads everything that is left, at most so many bytes, which are charged to the call as they come.
    ///
    /// # Errors
    ///
    /// As the source, and `Invalid` when there is more.
    pub async fn read_all(&self, most: usize, freight: &Freight) -> Result<Vec<u8>, Error> {
        let mut state = self.state.lock().await;
        let mut all = Vec::new();
        while let Some(piece) = state.read(CHUNK).await? {
            freight.add(piece.len())?;
            all.extend_from_slice(&piece);
            if all.len() > most {
                return Err(invalid(format!("the stream has more than {most} bytes")));
            }
        }
        Ok(all)
    }
}

impl State {
    async fn fill(&mut self) -> Result<bool, Error> {
        if self.start < self.rest.len() {
            return Ok(true);
        }
        self.forget();
        let Some(source) = &mut self.source else { return Err(internal("the stream is closed")) };
        if self.ended {
            return Ok(false);
        }
        match source.next().await? {
            Some(bytes) => {
                // A program may leave what it did not ask for in thousands of streams.
                if let Some(account) = &self.account {
                    account.add(bytes.len())?;
                }
                self.rest = bytes;
                Ok(true)
            }
            None => {
                self.ended = true;
                Ok(false)
            }
        }
    }

    /// Drops what was read, or is not wanted.
    fn forget(&mut self) {
        let rest = std::mem::take(&mut self.rest);
        self.start = 0;
        if let Some(account) = &self.account {
            account.give_back(rest.len());
        }
    }

    /// Charges what waits here to a process from now on.
    fn charge(&mut self, account: &Freight) -> Result<(), Error> {
        if self.account.is_none() {
            account.add(self.rest.len())?;
            self.account = Some(account.clone());
        }
        Ok(())
    }

    async fn read(&mut self, most: usize) -> Result<Option<Vec<u8>>, Error> {
        if !self.fill().await? {
            return Ok(None);
        }
        let end = self.rest.len().min(self.start.saturating_add(most));
        let piece = self.rest.get(self.start..end).unwrap_or_default().to_vec();
        self.start = end;
        self.position += piece.len() as u64;
        Ok(Some(piece))
    }

    async fn byte(&mut self) -> Result<Option<u8>, Error> {
        if !self.fill().await? {
            return Ok(None);
        }
        let byte = self.rest.get(self.start).copied();
        self.start += 1;
        self.position += 1;
        Ok(byte)
    }
}

/// How a scanner cuts.
#[derive(Debug, Clone, Copy)]
enum Split {
    Lines,
    Words,
    Bytes,
    Runes,
}

/// Cuts a stream into tokens.
struct Scanner {
    stream: Arc<Mutex<State>>,
    split: Split,
    token: Arc<parking_lot::Mutex<Token>>,
}

/// A token, charged to its process at the most that it ever had.
struct Token {
    bytes: Vec<u8>,
    charged: usize,
    account: Freight,
    error: Option<String>,
}

impl Token {
    fn push(&mut self, byte: u8) -> Result<(), Error> {
        if self.bytes.len() == self.charged {
            let more = self.charged.max(MIN_TOKEN);
            self.account.add(more)?;
            self.charged += more;
            self.bytes.reserve_exact(self.charged - self.bytes.len());
        }
        self.bytes.push(byte);
        Ok(())
    }

    fn take(&mut self) -> Self {
        let account = self.account.clone();
        let taken = Self { bytes: std::mem::take(&mut self.bytes), charged: self.charged, account, error: self.error.take() };
        self.charged = 0;
        taken
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.account.give_back(self.charged);
    }
}

/// Reads the next token; false: there is none.
async fn scan(state: &mut State, split: Split, token: &mut Token) -> Result<bool, Error> {
    let mut rune = 1;
    loop {
        let Some(byte) = state.byte().await? else { return Ok(!token.bytes.is_empty()) };
        match split {
            Split::Lines if byte == b'\n' => {
                if token.bytes.last() == Some(&b'\r') {
                    token.bytes.pop();
                }
                return Ok(true);
            }
            Split::Words if byte.is_ascii_whitespace() => {
                if !token.bytes.is_empty() {
                    return Ok(true);
                }
            }
            Split::Lines | Split::Words => token.push(byte)?,
            Split::Bytes => return token.push(byte).map(|()| true),
            Split::Runes => {
                if token.bytes.is_empty() {
                    rune = match byte {
                        0xf0.. => 4,
                        0xe0.. => 3,
                        0xc0.. => 2,
                        _ => 1,
                    };
                }
                token.push(byte)?;
                if token.bytes.len() >= rune {
                    return Ok(true);
                }
            }
        }
        if token.bytes.len() > MAX_TOKEN {
            return Err(invalid(format!("a token is longer than {MAX_TOKEN} bytes")));
        }
    }
}

/// Carries out a method of `Stream` or `Scanner`; none: the function is of something else.
///
/// # Errors
///
/// What Lua gets, as for [`super::HostModule::invoke`].
pub fn invoke_stream(call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Option<Result<Answer, Fault>> {
    if function.starts_with("Stream:") {
        Some(stream_method(call, function, args))
    } else if function.starts_with("Scanner:") {
        Some(scanner_method(call, function, args))
    } else {
        None
    }
}

fn stream_method(call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (stream, args) = call.method::<ByteStream>("Stream", function, args)?;
    let state = Arc::clone(&stream.state);
    let account = call.freight_within("quota.memory", u64::MAX);
    match function {
        "Stream:read" => {
            let wanted = args.opt_integer(1)?.unwrap_or(0);
            let wanted = usize::try_from(wanted).map_err(|_| Fault::from(invalid("the number of bytes must not be negative")))?;
            let most = call.max_bytes().saturating_sub(64).max(1);
            let wanted = if wanted == 0 { CHUNK } else { wanted }.min(most);
            call.run_async(async move {
                let mut state = state.lock().await;
                state.charge(&account)?;
                let piece = state.read(wanted).await?;
                Ok(piece.map(|piece| vec![Value::Binary(piece)]).unwrap_or_default())
            })
        }
        "Stream:close" => call.run_async(async move {
            let mut state = state.lock().await;
            let source = state.source.take();
            state.forget();
            drop(source);
            Ok(vec![true.into()])
        }),
        "Stream:stat" => {
            let size = stream.size.and_then(|size| i64::try_from(size).ok()).unwrap_or(-1);
            call.run_async(async move {
                let state = state.lock().await;
                let field = |name: &str, value: Value| (Value::from(name), value);
                Ok(vec![Value::Map(vec![
                    field("size", size.into()),
                    field("position", state.position.into()),
                    field("readable", state.source.is_some().into()),
                    field("writable", false.into()),
                    field("seekable", false.into()),
                ])])
            })
        }
        "Stream:write" | "Stream:flush" => Err(internal("the stream is not writable").into()),
        "Stream:seek" => {
            if !["set", "cur", "end"].contains(&args.text(1)?) {
                return Err(invalid("whence must be \"set\", \"cur\" or \"end\"").into());
            }
            Err(internal("the stream cannot seek: its bytes come only once").into())
        }
        "Stream:scanner" => {
            let split = match args.opt_text(1)?.unwrap_or("lines") {
                "lines" => Split::Lines,
                "words" => Split::Words,
                "bytes" => Split::Bytes,
                "runes" => Split::Runes,
                other => {
                    return Err(invalid(format!("a scanner cuts by lines, words, bytes or runes, and not by `{other}`")).into());
                }
            };
            let token = Token { bytes: Vec::new(), charged: 0, account, error: None };
            let scanner = Scanner { stream: state, split, token: Arc::new(parking_lot::Mutex::new(token)) };
            Answer::one(call.keep("Scanner", Arc::new(scanner))?)
        }
        _ => Err(internal("streams have no such method").into()),
    }
}

fn scanner_method(call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (scanner, _) = call.method::<Scanner>("Scanner", function, args)?;
    match function {
        "Scanner:scan" => {
            let (stream, split, slot) = (Arc::clone(&scanner.stream), scanner.split, Arc::clone(&scanner.token));
            let account = call.freight_within("quota.memory", u64::MAX);
            call.run_async(async move {
                let mut state = stream.lock().await;
                state.charge(&account)?;
                // Whoever asks for the text meanwhile finds none.
                let mut token = slot.lock().take();
                token.bytes.clear();
                let found = scan(&mut state, split, &mut token).await;
                if !matches!(found, Ok(true)) {
                    token.bytes.clear();
                }
                token.error = found.as_ref().err().map(|error| error.message.clone());
                *slot.lock() = token;
                Ok(vec![found?.into()])
            })
        }
        "Scanner:text" => Answer::one(Value::Binary(scanner.token.lock().bytes.clone())),
        "Scanner:err" => Answer::one(scanner.token.lock().error.clone().map_or(Value::Nil, Value::from)),
        _ => Err(internal("scanners have no such method").into()),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new("Invalid", message).with_retryable(false)
}

fn internal(message: &str) -> Error {
    Error::new("Internal", message).with_retryable(false)
}

/// Reads the text of an error that stands in a document, as Lua programs send them.
#[must_use]
pub fn error_text(value: &Value) -> Option<String> {
    let Value::Ext(1, data) = value else { return None };
    let fields = document::decode_map(data).ok()?;
    document::field(&fields, "message").and_then(Value::as_str).map(str::to_owned)
}
