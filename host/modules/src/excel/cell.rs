//! Cells: where they are, and what they hold.

use std::sync::Arc;

use moonlet_runtime::{Error, Value};

use crate::fail::{internal, invalid, shown};

/// Rows and columns of a sheet, as Excel has them.
pub(super) const ROWS: u32 = 1_048_576;
pub(super) const COLUMNS: u16 = 16_384;
/// Characters in one cell, as Excel has them.
pub(super) const LONGEST: usize = 32_767;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Text(Arc<str>),
    /// A text that stands in the table of the workbook, by its place.
    Shared(u32),
    Number(f64),
    Boolean(bool),
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) content: Content,
    /// The format of its number, by its place in the workbook.
    pub(super) format: u32,
}

impl Cell {
    pub(super) fn new(content: Content) -> Self {
        Self { content, format: 0 }
    }

    /// Makes a cell of what Lua has; none for nil, which empties it.
    pub(super) fn of(value: &Value) -> Result<Option<Self>, Error> {
        let content = match value {
            Value::Nil => return Ok(None),
            Value::Boolean(truth) => Content::Boolean(*truth),
            Value::Integer(_) | Value::F32(_) | Value::F64(_) => {
                let number = value.as_f64().filter(|number| number.is_finite());
                Content::Number(number.ok_or_else(|| invalid("a cell holds no infinite number and none that is not a number"))?)
            }
            Value::String(text) if text.as_str().is_some() => Content::Text(text.as_str().unwrap_or_default().into()),
            Value::String(_) | Value::Binary(_) => return Err(invalid("a cell holds UTF-8 only")),
            _ => return Err(invalid("a cell holds a string, a number or a boolean")),
        };
        if let Content::Text(text) = &content
            && text.chars().count() > LONGEST
        {
            return Err(crate::fail::limit("cell_characters", LONGEST as u64, text.chars().count() as u64));
        }
        Ok(Some(Self::new(content)))
    }
}

/// Reads where a cell is, such as `AB12`: its row and its column, from zero.
pub(super) fn place(reference: &str) -> Result<(u32, u16), Error> {
    let found = position(reference).filter(|(row, column)| row.is_some() && column.is_some());
    let found = found.and_then(|(row, column)| Some((row?, column?)));
    found.ok_or_else(|| internal(format!("`{}` names no cell: write a column and a row, such as `B2`", shown(reference))))
}

/// Reads a reference that may lack its row, or its column; none when it is none.
pub(super) fn position(reference: &str) -> Option<(Option<u32>, Option<u16>)> {
    let split = reference.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(reference.len());
    let (letters, digits) = reference.split_at(split);
    if letters.len() > 3 || digits.len() > 7 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let mut column = 0_u32;
    for letter in letters.bytes() {
        column = column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1;
    }
    let column = match letters {
        "" => None,
        _ => Some(u16::try_from(column - 1).ok().filter(|column| *column < COLUMNS)?),
    };
    let row = match digits {
        "" => None,
        _ => Some(digits.parse::<u32>().ok()?.checked_sub(1).filter(|row| *row < ROWS)?),
    };
    Some((row, column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_counted_from_zero() {
        for (reference, row, column) in [("A1", 0, 0), ("z9", 8, 25), ("AA100", 99, 26), ("XFD1048576", 1_048_575, 16_383)] {
            assert_eq!(place(reference).ok(), Some((row, column)), "{reference}");
        }
        for reference in ["", "A", "1", "A0", "XFE1", "A1048577", "AAAA1", "A1:B2", "$A$1", "A-1", "Ä1", "A1 "] {
            assert!(place(reference).is_err(), "{reference}");
        }
    }
}
