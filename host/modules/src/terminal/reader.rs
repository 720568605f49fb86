//! Reading from standard input on a thread of its own.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use moonlet_runtime::{Answer, Completer, Error, Fault, ModuleCall, Value};
use parking_lot::{Condvar, Mutex};

/// Bytes asked for at once.
const CHUNK: usize = 8 << 10;

/// Standard input.
pub(crate) struct Reader {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wanted: Condvar,
}

#[derive(Default)]
struct State {
    requests: VecDeque<Request>,
    numbers: u64,
    running: bool,
}

struct Request {
    number: u64,
    /// How many bytes at most; none: a line.
    bytes: Option<usize>,
    /// The longest line.
    most: usize,
    completer: Completer,
    /// Who can be told to wait no longer.
    owner: Option<String>,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Self { shared: Arc::new(Shared::default()) }
    }

    /// Reads so many bytes at most, or a line. At the end of the input there is no value.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` when the caller waits for too much already.
    pub(crate) fn read(&self, call: &ModuleCall<'_>, bytes: Option<usize>) -> Result<Answer, Fault> {
        self.request(call, bytes, None)
    }

    /// Reads so many bytes at most, until [`Reader::interrupt`]; then there is no value.
    ///
    /// # Errors
    ///
    /// As [`Reader::read`].
    pub(crate) fn read_until_interrupted(&self, call: &ModuleCall<'_>, bytes: usize) -> Result<Answer, Fault> {
        self.request(call, Some(bytes), Some(call.pid().to_owned()))
    }

    /// Ends the reads of a process that can be ended. What comes is for the next one.
    pub(crate) fn interrupt(&self, pid: &str) {
        let mut ended = Vec::new();
        {
            let mut state = self.shared.state.lock();
            while let Some(at) = state.requests.iter().position(|request| request.owner.as_deref() == Some(pid)) {
                ended.extend(state.requests.remove(at));
            }
        }
        // Completers answer without the lock.
        for request in ended {
            request.completer.complete(Ok(Vec::new()));
        }
    }

    fn request(&self, call: &ModuleCall<'_>, bytes: Option<usize>, owner: Option<String>) -> Result<Answer, Fault> {
        let number = {
            let mut state = self.shared.state.lock();
            if !state.running {
                let shared = Arc::clone(&self.shared);
                let builder = std::thread::Builder::new().name("moonlet-stdin".to_owned());
                let thread = builder.spawn(move || work(&shared));
                thread.map_err(|error| Error::new("Internal", format!("failed to start a thread for input: {error}")))?;
                state.running = true;
            }
            state.numbers += 1;
            state.numbers
        };
        let shared = Arc::clone(&self.shared);
        let (ticket, completer) = call.later(move || shared.cancel(number))?;
        let request = Request { number, bytes, most: call.max_bytes() / 2, completer, owner };
        self.shared.state.lock().requests.push_back(request);
        self.shared.wanted.notify_one();
        Ok(Answer::Pending(ticket))
    }
}

impl Shared {
    fn cancel(&self, number: u64) {
        let request = {
            let mut state = self.state.lock();
            let position = state.requests.iter().position(|request| request.number == number);
            position.and_then(|position| state.requests.remove(position))
        };
        // Its completer answers nobody, and must do so without the lock.
        drop(request);
    }
}

/// Serves requests in order, until the program ends. What was read beyond a request is there for the next.
fn work(shared: &Shared) {
    let mut input = std::io::stdin();
    let mut buffer: VecDeque<u8> = VecDeque::new();
    let mut chunk = [0; CHUNK];
    loop {
        let (bytes, most) = {
            let mut state = shared.state.lock();
            while state.requests.is_empty() {
                shared.wanted.wait(&mut state);
            }
            let Some(request) = state.requests.front() else { continue };
            (request.bytes, request.most)
        };
        let answer = match take(&mut buffer, bytes, most) {
            Some(answer) => Ok(Some(answer)),
            None => match input.read(&mut chunk) {
                Ok(0) => Ok(rest(&mut buffer)),
                Ok(count) => {
                    buffer.extend(chunk.iter().take(count));
                    continue;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => Err(Error::new("Internal", format!("failed to read: {error}"))),
            },
        };
        let request = shared.state.lock().requests.pop_front();
        if let Some(request) = request {
            request.completer.complete(answer.map(|value| value.into_iter().collect()));
        }
    }
}

/// Takes what a request wants off the buffer, if it is there.
fn take(buffer: &mut VecDeque<u8>, bytes: Option<usize>, most: usize) -> Option<Value> {
    match bytes {
        Some(_) if buffer.is_empty() => None,
        Some(bytes) => Some(string(buffer.drain(..bytes.min(buffer.len())).collect())),
        None => match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let mut line: Vec<u8> = buffer.drain(..=end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                Some(string(line))
            }
            None if buffer.len() >= most => Some(string(buffer.drain(..most).collect())),
            None => None,
        },
    }
}

/// Takes what is left when the input has ended.
fn rest(buffer: &mut VecDeque<u8>) -> Option<Value> {
    (!buffer.is_empty()).then(|| string(buffer.drain(..).collect()))
}

/// Text that is not UTF-8 travels as bytes.
fn string(bytes: Vec<u8>) -> Value {
    match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => Value::Binary(error.into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_their_ends_and_the_rest_waits() {
        let mut buffer: VecDeque<u8> = b"one\r\ntwo\nthr".iter().copied().collect();
        assert_eq!(take(&mut buffer, None, 100), Some("one".into()));
        assert_eq!(take(&mut buffer, None, 100), Some("two".into()));
        assert_eq!(take(&mut buffer, None, 100), None);
        assert_eq!(take(&mut buffer, Some(2), 100), Some("th".into()));
        assert_eq!(rest(&mut buffer), Some("r".into()));
        assert_eq!(rest(&mut buffer), None);
    }

    #[test]
    fn a_line_without_end_comes_in_pieces() {
        let mut buffer: VecDeque<u8> = [b'x'; 10].into();
        assert_eq!(take(&mut buffer, None, 4), Some("xxxx".into()));
    }

    #[test]
    fn what_is_not_utf_8_travels_as_bytes() {
        assert_eq!(string(vec![0xff, 0x61]), Value::Binary(vec![0xff, 0x61]));
    }
}
