//! Rows as Lua gets them: lists of texts, all at once or batch by batch.

use std::sync::Arc;

use moonlet_runtime::{Error, Freight, Value};
use parking_lot::Mutex;

use super::book::{Book, Walk, Workbook};
use super::read::{Row, Tables};
use crate::fail::{internal, limit};
use crate::heavy::Canceled;

/// Rows that one read of a cursor gives at most.
pub(super) const BATCH: i64 = 10_000;
/// What a cursor takes in memory at most: the buffers of a decompressor, and a row that did not fit into an answer.
pub(super) const CURSOR: usize = 2 << 20;

/// What a row and a text of it take in the memory of a program, beside the bytes of the text: more than in an answer.
const ROW: usize = 64;
const TEXT: usize = 24;

/// Makes a row of texts, with empty ones for the gaps; `room` is what it may take of an answer.
fn texts(tables: &Tables, row: &Row, room: usize) -> Result<(Value, usize), Error> {
    let (mut texts, mut bytes) = (Vec::new(), ROW);
    for (column, cell) in &row.cells {
        while texts.len() < usize::from(*column) {
            texts.push("".into());
            bytes += TEXT;
        }
        let text = tables.shown(cell);
        bytes += text.len() + TEXT;
        if bytes > room {
            return Err(limit("message_size", room as u64, bytes as u64));
        }
        texts.push(text.into());
    }
    Ok((Value::Array(texts), bytes))
}

/// Reads a whole sheet; rows behind the last one with a cell are left out.
pub(super) fn all(book: &Book, sheet: usize, room: usize, canceled: &Canceled) -> Result<Value, Error> {
    let mut walk = book.rows(sheet, canceled)?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = book.next_row(sheet, &mut walk, canceled)? {
        if canceled.is_set() {
            break;
        }
        if row.cells.is_empty() {
            continue;
        }
        let gap = usize::try_from(row.number).unwrap_or(usize::MAX).saturating_sub(rows.len());
        let larger = |mut error: Error| {
            error.message.push_str("; read the sheet in parts with `rows`");
            error
        };
        bytes += gap.saturating_mul(ROW);
        if bytes > room {
            return Err(larger(limit("message_size", room as u64, bytes as u64)));
        }
        rows.extend(std::iter::repeat_n(Value::Array(Vec::new()), gap));
        let (texts, more) = texts(&book.tables, &row, room - bytes).map_err(larger)?;
        bytes += more;
        rows.push(texts);
    }
    Ok(Value::Array(rows))
}

/// A sheet that is read batch by batch.
pub(super) struct Cursor {
    workbook: Arc<Workbook>,
    sheet: usize,
    state: Mutex<State>,
}

struct State {
    /// None once it is over or closed.
    walk: Option<Walk>,
    /// A row that was read and not given out yet.
    ahead: Option<Row>,
    /// The number of the next row that is given out.
    next: u32,
    /// What every further read gives, too.
    failed: Option<Error>,
    /// What it is charged for until it is closed.
    memory: Option<Freight>,
}

impl Cursor {
    pub(super) fn new(workbook: Arc<Workbook>, sheet: usize, walk: Walk, memory: Freight) -> Result<Self, Error> {
        memory.add(CURSOR)?;
        let state = State { walk: Some(walk), ahead: None, next: 0, failed: None, memory: Some(memory) };
        Ok(Self { workbook, sheet, state: Mutex::new(state) })
    }

    /// Reads up to so many rows, fewer when more would not fit into an answer; none at the end.
    pub(super) fn read(&self, count: usize, room: usize, canceled: &Canceled) -> Result<Option<Value>, Error> {
        let book = self.workbook.0.lock();
        let mut state = self.state.lock();
        let Some(book) = book.as_ref() else {
            state.walk = None;
            return Err(closed());
        };
        if let Some(error) = &state.failed {
            return Err(error.clone());
        }
        let batch = self.batch(book, &mut state, count, room, canceled);
        if let Err(error) = &batch {
            (state.walk, state.ahead, state.failed) = (None, None, Some(error.clone()));
        }
        batch
    }

    fn batch(
        &self,
        book: &Book,
        state: &mut State,
        count: usize,
        room: usize,
        canceled: &Canceled,
    ) -> Result<Option<Value>, Error> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while rows.len() < count && !canceled.is_set() {
            if state.ahead.is_none() {
                let Some(walk) = &mut state.walk else { break };
                state.ahead = book.next_row(self.sheet, walk, canceled)?;
            }
            let Some(row) = &state.ahead else {
                state.walk = None;
                break;
            };
            let (texts, more) = if row.number > state.next {
                (Value::Array(Vec::new()), ROW)
            } else {
                match texts(&book.tables, row, room.saturating_sub(bytes)) {
                    Err(_) if !rows.is_empty() => break,
                    made => made?,
                }
            };
            if bytes + more > room {
                break;
            }
            if row.number <= state.next {
                state.ahead = None;
            }
            state.next += 1;
            bytes += more;
            rows.push(texts);
        }
        Ok((!rows.is_empty()).then_some(Value::Array(rows)))
    }

    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        (state.walk, state.ahead, state.failed) = (None, None, Some(internal("the cursor is closed")));
        state.memory = None;
    }
}

pub(super) fn closed() -> Error {
    internal("the workbook is closed")
}
