//! A workbook as a program has it: sheets that stay in their file until a cell is set, and those that are in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_runtime::{Error, Freight};
use parking_lot::Mutex;

use super::cell::{Cell, Content};
use super::read::{self, Row, Rows, SHEETS, Tables};
use super::source::Package;
use crate::fail::{internal, invalid, limit, shown};
use crate::heavy::Canceled;

/// Characters in the name of a sheet, as Excel has them.
const LONGEST_NAME: usize = 31;
/// Bytes of a workbook that is given back where it stands.
const QUICKLY_DROPPED: u64 = 4 << 20;
/// What a cell takes in memory beside its text.
const CELL: usize = 96;

/// A workbook. Its lock is held while a sheet is read, which is why only threads that may wait take it without trying.
pub(super) struct Workbook(pub(super) Mutex<Option<Book>>);

impl Drop for Workbook {
    fn drop(&mut self) {
        let Some(book) = self.0.get_mut().take().filter(|book| book.memory.bytes() > QUICKLY_DROPPED) else { return };
        // A million cells take a while, which is no worker's. Without a thread it has to be.
        let _ = std::thread::Builder::new().name("moonlet-workbook".to_owned()).spawn(move || drop(book));
    }
}

/// What an open workbook has.
pub(super) struct Book {
    pub(super) tables: Arc<Tables>,
    pub(super) sheets: Vec<Sheet>,
    package: Option<Package>,
    memory: Freight,
}

/// A sheet.
pub(super) struct Sheet {
    pub(super) name: String,
    cells: Cells,
}

enum Cells {
    /// In the part of the file with this name.
    Packed(String),
    Grid(BTreeMap<(u32, u16), Cell>),
}

impl Book {
    /// A workbook with one empty sheet.
    pub(super) fn new(memory: Freight) -> Self {
        let sheet = Sheet { name: "Sheet1".to_owned(), cells: Cells::Grid(BTreeMap::new()) };
        Self { tables: Arc::default(), sheets: vec![sheet], package: None, memory }
    }

    pub(super) fn open(package: Package, memory: Freight, canceled: &Canceled) -> Result<Self, Error> {
        let opened = read::open(package, &memory, canceled)?;
        let sheets = opened.sheets.into_iter().map(|(name, part)| Sheet { name, cells: Cells::Packed(part) }).collect();
        Ok(Self { tables: Arc::new(opened.tables), sheets, package: Some(opened.package), memory })
    }

    /// Finds a sheet by its name, in whatever case.
    pub(super) fn find(&self, name: &str) -> Result<usize, Error> {
        let found = self.position(name);
        found.ok_or_else(|| internal(format!("the workbook has no sheet `{}`", shown(name))))
    }

    fn position(&self, name: &str) -> Option<usize> {
        let wanted = name.to_lowercase();
        self.sheets.iter().position(|sheet| sheet.name.to_lowercase() == wanted)
    }

    /// Adds a sheet, and returns its number; that of the one which is there already.
    pub(super) fn add(&mut self, name: &str) -> Result<usize, Error> {
        if let Some(found) = self.position(name) {
            return Ok(found);
        }
        let possible = !name.is_empty()
            && name.chars().count() <= LONGEST_NAME
            && !name.contains(|character: char| ":\\/?*[]".contains(character) || character.is_control())
            && !name.starts_with('\'')
            && !name.ends_with('\'');
        if !possible {
            return Err(invalid(format!(
                "`{}` is no possible name of a sheet: it has 1 to {LONGEST_NAME} characters and none of : \\ / ? * [ ]",
                shown(name)
            )));
        }
        if self.sheets.len() >= SHEETS {
            return Err(limit("workbook_sheets", SHEETS as u64, self.sheets.len() as u64 + 1));
        }
        self.memory.add(name.len() + 256)?;
        self.sheets.push(Sheet { name: name.to_owned(), cells: Cells::Grid(BTreeMap::new()) });
        Ok(self.sheets.len() - 1)
    }

    /// Tells whether a sheet is in memory.
    pub(super) fn is_loaded(&self, sheet: usize) -> bool {
        matches!(self.sheets.get(sheet), Some(Sheet { cells: Cells::Grid(_), .. }))
    }

    /// Sets a cell; none empties it. The format of what was there stays.
    pub(super) fn set(&mut self, sheet: usize, place: (u32, u16), cell: Option<Cell>, canceled: &Canceled) -> Result<(), Error> {
        self.load(sheet, canceled)?;
        let tables = Arc::clone(&self.tables);
        let Some(Sheet { cells: Cells::Grid(grid), .. }) = self.sheets.get_mut(sheet) else { return Err(gone()) };
        if let Some(cell) = &cell {
            self.memory.add(size(&tables, cell))?;
        }
        let before = match cell {
            Some(mut cell) => {
                cell.format = grid.get(&place).map_or(0, |before| before.format);
                grid.insert(place, cell)
            }
            None => grid.remove(&place),
        };
        if let Some(before) = before {
            self.memory.give_back(size(&tables, &before));
        }
        Ok(())
    }

    /// Takes a sheet into memory.
    fn load(&mut self, sheet: usize, canceled: &Canceled) -> Result<(), Error> {
        if self.is_loaded(sheet) {
            return Ok(());
        }
        let mut rows = self.rows(sheet, canceled)?;
        let (mut grid, mut charged) = (BTreeMap::new(), 0);
        let read = loop {
            match self.next_row(sheet, &mut rows, canceled) {
                Ok(None) => break Ok(()),
                Ok(Some(row)) => {
                    let bytes = row.cells.values().map(|cell| size(&self.tables, cell)).sum();
                    if let Err(error) = self.memory.add(bytes) {
                        break Err(error);
                    }
                    charged += bytes;
                    grid.extend(row.cells.into_iter().map(|(column, cell)| ((row.number, column), cell)));
                }
                Err(error) => break Err(error),
            }
        };
        if let Err(error) = read {
            self.memory.give_back(charged);
            return Err(error);
        }
        self.sheets.get_mut(sheet).ok_or_else(gone)?.cells = Cells::Grid(grid);
        Ok(())
    }

    /// Begins to read a sheet from its start.
    pub(super) fn rows(&self, sheet: usize, canceled: &Canceled) -> Result<Walk, Error> {
        match &self.sheets.get(sheet).ok_or_else(gone)?.cells {
            Cells::Grid(_) => Ok(Walk::Grid(0)),
            Cells::Packed(part) => {
                let package = self.package.as_ref().ok_or_else(gone)?;
                let part = package.part(part, canceled)?.ok_or_else(|| internal("the file of the workbook lacks this sheet"))?;
                Ok(Walk::Packed(Box::new(Rows::new(part))))
            }
        }
    }

    /// Reads the next row that has a cell, or that the file has.
    pub(super) fn next_row(&self, sheet: usize, walk: &mut Walk, canceled: &Canceled) -> Result<Option<Row>, Error> {
        let from = match walk {
            Walk::Packed(rows) => return rows.next(canceled),
            Walk::Grid(from) => from,
        };
        let Some(Sheet { cells: Cells::Grid(grid), .. }) = self.sheets.get(sheet) else { return Err(gone()) };
        let Some((&(number, _), _)) = grid.range((*from, 0)..).next() else { return Ok(None) };
        *from = number + 1;
        let cells = grid.range((number, 0)..=(number, u16::MAX)).map(|(&(_, column), cell)| (column, cell.clone())).collect();
        Ok(Some(Row { number, cells }))
    }
}

/// A sheet that is read, and where.
pub(super) enum Walk {
    Packed(Box<Rows>),
    /// The first row that was not read yet.
    Grid(u32),
}

/// What a cell takes in memory. A shared text counts as if it were the cell's own, because it is written as often.
fn size(tables: &Tables, cell: &Cell) -> usize {
    CELL + match &cell.content {
        Content::Text(text) => text.len(),
        Content::Shared(number) => tables.text(*number).len(),
        Content::Number(_) | Content::Boolean(_) => 0,
    }
}

fn gone() -> Error {
    internal("the sheet is gone")
}
