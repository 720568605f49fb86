//! Module `excel`: workbooks of Excel, read and written.
//!
//! A sheet stays in its file until a cell of it is set, and is read row by row; what a workbook keeps in memory is charged to its
//! process host and bounded. Workbooks come from files and streams that the program has, so that the module guards nothing itself.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};
use parking_lot::Mutex;

use crate::archive::Spooled;
use crate::fail::{internal, invalid, no_function};
use crate::fs::{FILE, OpenFile};
use crate::heavy::{self, Canceled};

mod book;
mod cell;
mod format;
mod read;
mod rows;
mod source;
mod write;

use book::{Book, Workbook};
use cell::Cell;
use rows::Cursor;
use source::Package;
use write::Packed;

const WORKBOOK: &str = "Workbook";
const CURSOR: &str = "Cursor";
const PACKED: &str = "Packed";
const SPOOL: &str = "Spool";
/// What one workbook keeps in memory: its texts, and the cells of sheets that were changed.
const LARGEST: u64 = 128 << 20;
/// Bytes of a workbook that are taken in or given out at once.
const PIECE: usize = 256 << 10;

/// The module.
#[derive(Debug, Default)]
pub(crate) struct Excel;

impl HostModule for Excel {
    fn name(&self) -> &str {
        "excel"
    }

    fn manifest(&self) -> Value {
        Manifest::new()
            .functions(&["new", "open", "spool"])
            .resource(WORKBOOK, &["new_sheet", "get_sheet_list", "set_cell_value", "get_rows", "rows", "pack", "close"])
            .resource(CURSOR, &["read", "close"])
            .resource(PACKED, &["read"])
            .resource(SPOOL, &["add"])
            .build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(concat!(include_str!("streams.lua"), include_str!("excel/excel.lua")))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        match function.split_once(':') {
            Some((WORKBOOK, method)) => on_workbook(call, method, function, args),
            Some((CURSOR, method)) => on_cursor(call, method, function, args),
            Some((PACKED, "read")) => {
                let (packed, _) = call.method::<Packed>(PACKED, function, args)?;
                let most = call.max_bytes().saturating_sub(64).clamp(1, PIECE);
                call.run_blocking(move || Ok(packed.read(most)?.map(|bytes| vec![Value::Binary(bytes)]).unwrap_or_default()))
            }
            Some((SPOOL, "add")) => {
                let (spool, args) = call.method::<Spooled>(SPOOL, function, args)?;
                let bytes = args.bytes(1)?.to_vec();
                call.run_blocking(move || spool.add(&bytes).map(|()| vec![true.into()]))
            }
            None => on_module(call, function, &Args::new(function, args)),
            Some(_) => Err(no_function("excel", function)),
        }
    }
}

/// Gets the bytes of a workbook, on a thread that may wait.
type Fetch = Box<dyn FnOnce(&Canceled) -> Result<Arc<Spooled>, Error> + Send>;

fn on_module(call: &ModuleCall<'_>, function: &str, args: &Args<'_>) -> Result<Answer, Fault> {
    let memory = call.freight_within("workbook_memory", LARGEST);
    match function {
        "new" => Answer::one(call.keep(WORKBOOK, Arc::new(Workbook(Mutex::new(Some(Book::new(memory))))))?),
        "spool" => Answer::one(call.keep(SPOOL, Arc::<Spooled>::default())?),
        "open" => {
            let value = args.get(1);
            let spool: Fetch = if let Some(file) = call.foreign::<OpenFile>("fs", FILE, value) {
                Box::new(move |canceled| copy(file.duplicate()?, canceled))
            } else if let Ok(spool) = call.resource::<Spooled>(SPOOL, value) {
                Box::new(move |_| Ok(spool))
            } else {
                return Err(internal("a workbook is opened from a file or a stream").into());
            };
            let keeper = call.keeper();
            heavy::run(call, move |canceled| {
                let book = Book::open(Package::open(spool(canceled)?, &memory)?, memory, canceled)?;
                Ok(vec![keeper.keep(WORKBOOK, Arc::new(Workbook(Mutex::new(Some(book)))))?])
            })
        }
        _ => Err(no_function("excel", function)),
    }
}

/// Copies a file: sheets are read when they are asked for, and the file may have been written anew by then, by this workbook itself.
fn copy(mut file: File, canceled: &Canceled) -> Result<Arc<Spooled>, Error> {
    let spool = Spooled::default();
    let mut piece = vec![0; PIECE];
    let failed = |error: io::Error| internal(format!("failed to read: {}", error.kind()));
    file.rewind().map_err(failed)?;
    loop {
        if canceled.is_set() {
            return Err(internal("reading the workbook was given up"));
        }
        match file.read(&mut piece).map_err(failed)? {
            0 => return Ok(Arc::new(spool)),
            count => spool.add(piece.get(..count).unwrap_or_default())?,
        }
    }
}

fn on_workbook(call: &ModuleCall<'_>, method: &str, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (workbook, args) = call.method::<Workbook>(WORKBOOK, function, args)?;
    match method {
        "new_sheet" => {
            let name = args.text(1)?.to_owned();
            quick(call, &workbook, |_| true, move |book, _| Ok(vec![book.add(&name)?.into()]))
        }
        "get_sheet_list" => quick(
            call,
            &workbook,
            |_| true,
            |book, _| Ok(vec![Value::Array(book.sheets.iter().map(|sheet| sheet.name.as_str().into()).collect())]),
        ),
        "set_cell_value" => {
            let (name, place, cell) = (args.text(1)?.to_owned(), cell::place(args.text(2)?)?, Cell::of(args.get(3))?);
            let sheet = name.clone();
            let is_loaded = move |book: &Book| book.find(&sheet).is_ok_and(|sheet| book.is_loaded(sheet));
            quick(call, &workbook, is_loaded, move |book, canceled| {
                let sheet = book.find(&name)?;
                book.set(sheet, place, cell, canceled).map(|()| vec![true.into()])
            })
        }
        "get_rows" => {
            let (name, room) = (args.text(1)?.to_owned(), call.max_bytes().saturating_sub(64));
            heavy::run(call, move |canceled| {
                let book = workbook.0.lock();
                let book = book.as_ref().ok_or_else(rows::closed)?;
                Ok(vec![rows::all(book, book.find(&name)?, room, canceled)?])
            })
        }
        "rows" => {
            let name = args.text(1)?.to_owned();
            let (keeper, memory) = (call.keeper(), call.freight_within("cursor_memory", rows::CURSOR as u64));
            heavy::run(call, move |canceled| {
                let (sheet, walk) = {
                    let book = workbook.0.lock();
                    let book = book.as_ref().ok_or_else(rows::closed)?;
                    let sheet = book.find(&name)?;
                    (sheet, book.rows(sheet, canceled)?)
                };
                Ok(vec![keeper.keep(CURSOR, Arc::new(Cursor::new(workbook, sheet, walk, memory)?))?])
            })
        }
        "pack" => {
            let keeper = call.keeper();
            heavy::run(call, move |canceled| {
                let book = workbook.0.lock();
                let packed = Packed::new(book.as_ref().ok_or_else(rows::closed)?, canceled)?;
                Ok(vec![keeper.keep(PACKED, Arc::new(packed))?])
            })
        }
        "close" => heavy::run(call, move |_| {
            workbook.0.lock().take();
            Ok(vec![true.into()])
        }),
        _ => Err(no_function("excel", function)),
    }
}

/// Does what takes no time at once, unless `ready` says that a sheet must be read for it, or another coroutine is at work.
fn quick(
    call: &ModuleCall<'_>,
    workbook: &Arc<Workbook>,
    ready: impl FnOnce(&Book) -> bool,
    act: impl FnOnce(&mut Book, &Canceled) -> Result<Vec<Value>, Error> + Send + 'static,
) -> Result<Answer, Fault> {
    if let Some(mut book) = workbook.0.try_lock() {
        let book = book.as_mut().ok_or_else(rows::closed)?;
        if ready(book) {
            return Ok(Answer::Done(act(book, &Canceled::default())?));
        }
    }
    let workbook = Arc::clone(workbook);
    heavy::run(call, move |canceled| act(workbook.0.lock().as_mut().ok_or_else(rows::closed)?, canceled))
}

fn on_cursor(call: &ModuleCall<'_>, method: &str, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (cursor, args) = call.method::<Cursor>(CURSOR, function, args)?;
    match method {
        "read" => {
            let count = args.opt_integer(1)?.unwrap_or(1);
            let count = usize::try_from(count.min(rows::BATCH)).ok().filter(|count| *count > 0);
            let count = count.ok_or_else(|| invalid("the number of rows must be above zero"))?;
            let room = call.max_bytes().saturating_sub(64);
            heavy::run(call, move |canceled| Ok(cursor.read(count, room, canceled)?.map(|rows| vec![rows]).unwrap_or_default()))
        }
        "close" => heavy::run(call, move |_| {
            cursor.close();
            Ok(vec![true.into()])
        }),
        _ => Err(no_function("excel", function)),
    }
}
