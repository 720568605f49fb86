//! Reads what a workbook's file says: its sheets, its texts, its formats, and its cells row by row.
//!
//! Read here and not by a library: the one at hand makes room for as many texts as the file says it has before it looks whether they are
//! there, and copies fonts for each of its styles, so that a small file could take all memory of the node.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_runtime::{Error, Freight};
use rustc_hash::FxHashMap;

use super::cell::{COLUMNS, Cell, Content, ROWS, position};
use super::format;
use super::source::{Package, Part};
use crate::fail::{internal, limit, shown};
use crate::heavy::Canceled;
use crate::xml::Event;

/// Sheets of one workbook.
pub(super) const SHEETS: usize = 1024;
/// Formats of one workbook, as Excel allows.
const FORMATS: usize = 65_490;
/// Bytes of the texts that stand in one row, or that one text is put together from.
const LONGEST_ROW: usize = 1 << 20;
/// Bytes of the name of a sheet or of a part: Excel has 31 characters for the former.
const LONGEST_NAME: usize = 1024;

/// What all sheets of an opened workbook refer to.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// The shared texts, one behind the other, and where each ends.
    texts: String,
    ends: Vec<u32>,
    /// The format of numbers by style.
    formats: Vec<Arc<str>>,
    pub(super) from_1904: bool,
}

impl Tables {
    /// A shared text; an empty one where there is none.
    pub(super) fn text(&self, number: u32) -> &str {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let end = self.ends.get(number).map_or(0, |end| *end as usize);
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        self.texts.get(start..end).unwrap_or_default()
    }

    /// The formats of numbers, one for each style.
    pub(super) fn formats(&self) -> &[Arc<str>] {
        &self.formats
    }

    fn format(&self, number: u32) -> &str {
        self.formats.get(usize::try_from(number).unwrap_or(usize::MAX)).map_or("", |format| format)
    }

    /// The text that a cell shows.
    pub(super) fn shown(&self, cell: &Cell) -> String {
        match &cell.content {
            Content::Text(text) => text.to_string(),
            Content::Shared(number) => self.text(*number).to_owned(),
            Content::Number(value) => format::number(*value, self.format(cell.format), self.from_1904),
            Content::Boolean(truth) => (if *truth { "TRUE" } else { "FALSE" }).to_owned(),
        }
    }
}

/// What the file of a workbook has.
pub(super) struct Opened {
    pub(super) package: Package,
    pub(super) tables: Tables,
    /// The names of its sheets and where they are.
    pub(super) sheets: Vec<(String, String)>,
}

/// Reads everything but the sheets. What stays in memory is charged to `memory`.
pub(super) fn open(package: Package, memory: &Freight, canceled: &Canceled) -> Result<Opened, Error> {
    let root = relations(&package, "", memory, canceled)?;
    let found = root.iter().find(|(_, relation)| relation.kind == "officeDocument");
    let book = found.map_or("xl/workbook.xml", |(_, relation)| &relation.target).to_owned();
    let related = relations(&package, &book, memory, canceled)?;
    let mut tables = Tables::default();
    let mut sheets = Vec::new();
    let mut part = package.part(&book, canceled)?.ok_or_else(|| broken("it names no workbook"))?;
    loop {
        match part.next()? {
            Event::Start if part.name() == "sheet" => {
                let name = part.attribute("name")?.unwrap_or_default().into_owned();
                if name.len() > LONGEST_NAME {
                    return Err(limit("workbook_name", LONGEST_NAME as u64, name.len() as u64));
                }
                let relation = part.attribute("id")?.and_then(|id| related.get(&*id));
                let relation = relation.ok_or_else(|| broken("a sheet has no part"))?;
                // Sheets of charts have no cells.
                if relation.kind == "worksheet" {
                    if sheets.len() >= SHEETS {
                        return Err(limit("workbook_sheets", SHEETS as u64, sheets.len() as u64 + 1));
                    }
                    memory.add(name.len() + relation.target.len() + 256)?;
                    sheets.push((name, relation.target.clone()));
                }
            }
            Event::Start if part.name() == "workbookPr" => {
                tables.from_1904 |= matches!(part.attribute("date1904")?.as_deref(), Some("1" | "true"));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    // One of each: a file that names a part a thousand times would have it read as often.
    for (kind, read) in [("sharedStrings", read_texts as ReadPart), ("styles", read_formats)] {
        let relation = related.values().find(|relation| relation.kind == kind);
        if let Some(relation) = relation
            && let Some(part) = package.part(&relation.target, canceled)?
        {
            read(part, &mut tables, memory)?;
        }
    }
    Ok(Opened { package, tables, sheets })
}

type ReadPart = fn(Part, &mut Tables, &Freight) -> Result<(), Error>;

/// What a part says of another one.
struct Relation {
    kind: String,
    target: String,
}

/// Reads what a part is related to, by id.
fn relations(package: &Package, part: &str, memory: &Freight, canceled: &Canceled) -> Result<BTreeMap<String, Relation>, Error> {
    let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
    let slash = if folder.is_empty() { "" } else { "/" };
    let mut found = BTreeMap::new();
    let Some(mut relations) = package.part(&format!("{folder}{slash}_rels/{name}.rels"), canceled)? else { return Ok(found) };
    loop {
        match relations.next()? {
            Event::Start if relations.name() == "Relationship" => {
                let id = relations.attribute("Id")?.unwrap_or_default().into_owned();
                let kind = relations.attribute("Type")?.unwrap_or_default();
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                let target = relations.attribute("Target")?.unwrap_or_default();
                let target = match target.strip_prefix('/') {
                    Some(whole) => whole.to_owned(),
                    None => format!("{folder}{slash}{target}"),
                };
                if found.len() >= SHEETS * 4 {
                    return Err(limit("workbook_relations", SHEETS as u64 * 4, found.len() as u64 + 1));
                }
                let longest = id.len().max(target.len()).max(kind.len());
                if longest > LONGEST_NAME {
                    return Err(limit("workbook_name", LONGEST_NAME as u64, longest as u64));
                }
                memory.add(id.len() + kind.len() + target.len() + 128)?;
                found.insert(id, Relation { kind, target });
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

fn read_texts(mut part: Part, tables: &mut Tables, memory: &Freight) -> Result<(), Error> {
    loop {
        match part.next()? {
            Event::Start if part.name() == "si" => {
                let text = rich_text(&mut part)?;
                // What a vector and a string double to is counted, too.
                memory.add(2 * (text.len() + 4))?;
                tables.texts.push_str(&text);
                let end = u32::try_from(tables.texts.len()).map_err(|_| broken("its texts are too long"))?;
                tables.ends.push(end);
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// Reads the text of the element that just began: its runs, without what says how to pronounce them.
fn rich_text(part: &mut Part) -> Result<String, Error> {
    let mut text = String::new();
    loop {
        match part.next()? {
            Event::Start if part.name() == "t" => {
                let run = part.content()?;
                if text.len() + run.len() > LONGEST_ROW {
                    return Err(limit("workbook_text", LONGEST_ROW as u64, (text.len() + run.len()) as u64));
                }
                text.push_str(&run);
            }
            Event::Start if part.name() == "r" => {}
            Event::Start => part.skip()?,
            Event::End if part.name() == "r" => {}
            Event::End | Event::Eof => return Ok(unescaped(text)),
            Event::Text => {}
        }
    }
}

/// Puts characters in the place of `_x000D_` and the like, by which Excel writes what XML cannot.
fn unescaped(text: String) -> String {
    if !text.contains("_x") {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("_x") {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let code = from.get(2..6).filter(|code| from.get(6..7) == Some("_") && code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            Some(character) => {
                plain.push(character);
                rest = from.get(7..).unwrap_or_default();
            }
            None => {
                plain.push_str("_x");
                rest = from.get(2..).unwrap_or_default();
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn read_formats(mut part: Part, tables: &mut Tables, memory: &Freight) -> Result<(), Error> {
    let mut named: FxHashMap<u32, Arc<str>> = FxHashMap::default();
    let mut in_cells = false;
    loop {
        let event = part.next()?;
        match event {
            Event::Eof => return Ok(()),
            // Between two elements, the name is that of the first.
            Event::Text => continue,
            Event::Start | Event::End => {}
        }
        match part.name() {
            "cellXfs" => in_cells = event == Event::Start,
            "numFmt" if event == Event::Start => {
                let number = part.attribute("numFmtId")?.and_then(|number| number.parse().ok());
                // What is too long to be looked at shows the number as it is.
                let code = part.attribute("formatCode")?.filter(|code| code.len() <= format::LONGEST).unwrap_or_default();
                if let Some(number) = number {
                    if named.len() >= FORMATS {
                        return Err(limit("workbook_formats", FORMATS as u64, named.len() as u64 + 1));
                    }
                    memory.add(code.len() + 64)?;
                    named.insert(number, (*code).into());
                }
            }
            "xf" if event == Event::Start && in_cells => {
                if tables.formats.len() >= FORMATS {
                    return Err(limit("workbook_formats", FORMATS as u64, tables.formats.len() as u64 + 1));
                }
                let number: u32 = part.attribute("numFmtId")?.and_then(|number| number.parse().ok()).unwrap_or(0);
                memory.add(64)?;
                tables.formats.push(named.get(&number).cloned().unwrap_or_else(|| format::built_in(number).into()));
            }
            _ => {}
        }
    }
}

/// A row of a sheet.
pub(super) struct Row {
    pub(super) number: u32,
    pub(super) cells: BTreeMap<u16, Cell>,
}

/// Reads the rows of a sheet in order.
pub(super) struct Rows {
    part: Part,
    /// The number that the next row has if it does not say another.
    next: u32,
    is_over: bool,
}

impl Rows {
    pub(super) fn new(part: Part) -> Self {
        Self { part, next: 0, is_over: false }
    }

    /// Reads the next row that the file has; none at the end.
    pub(super) fn next(&mut self, canceled: &Canceled) -> Result<Option<Row>, Error> {
        self.part.source().watch(canceled);
        while !self.is_over {
            match self.part.next()? {
                Event::Start if self.part.name() == "row" => return self.row().map(Some),
                Event::End if self.part.name() == "sheetData" => self.is_over = true,
                Event::Eof => self.is_over = true,
                _ => {}
            }
        }
        Ok(None)
    }

    fn row(&mut self) -> Result<Row, Error> {
        let said =
            self.part.attribute("r")?.and_then(|number| number.parse::<u32>().ok()).and_then(|number| number.checked_sub(1));
        let number = said.unwrap_or(self.next);
        if number < self.next || number >= ROWS {
            return Err(broken("its rows are not in order"));
        }
        self.next = number + 1;
        let mut row = Row { number, cells: BTreeMap::new() };
        let (mut column, mut bytes) = (0_u16, 0);
        loop {
            match self.part.next()? {
                Event::Start if self.part.name() == "c" => {
                    if let Some(reference) = self.part.attribute("r")? {
                        let found = position(&reference).and_then(|(_, column)| column);
                        column = found.ok_or_else(|| broken(&format!("`{}` names no cell", shown(&reference))))?;
                    }
                    if column >= COLUMNS {
                        return Err(broken("a row is too long"));
                    }
                    if let Some(cell) = self.cell()? {
                        if let Content::Text(text) = &cell.content {
                            bytes += text.len();
                        }
                        if bytes > LONGEST_ROW {
                            return Err(limit("workbook_row", LONGEST_ROW as u64, bytes as u64));
                        }
                        row.cells.insert(column, cell);
                    }
                    column += 1;
                }
                Event::Start => self.part.skip()?,
                Event::End | Event::Eof => return Ok(row),
                Event::Text => {}
            }
        }
    }

    /// Reads the cell that just began; none when it is empty.
    fn cell(&mut self) -> Result<Option<Cell>, Error> {
        let kind = self.part.attribute("t")?.unwrap_or_default().into_owned();
        let format = self.part.attribute("s")?.and_then(|number| number.parse().ok()).unwrap_or(0);
        let mut content = None;
        loop {
            match self.part.next()? {
                Event::Start if self.part.name() == "v" => {
                    let value = self.part.content()?;
                    if kind != "inlineStr" && !value.is_empty() {
                        content = Some(value_of(&kind, value)?);
                    }
                }
                Event::Start if self.part.name() == "is" => content = Some(Content::Text(rich_text(&mut self.part)?.into())),
                Event::Start => self.part.skip()?,
                Event::End | Event::Eof => return Ok(content.map(|content| Cell { content, format })),
                Event::Text => {}
            }
        }
    }
}

fn value_of(kind: &str, value: String) -> Result<Content, Error> {
    Ok(match kind {
        "s" => Content::Shared(value.trim().parse().map_err(|_| broken("a cell has no text that there is"))?),
        "b" => Content::Boolean(matches!(value.trim(), "1" | "true")),
        "" | "n" => match value.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Content::Number(number),
            _ => Content::Text(value.into()),
        },
        // Results of formulas, errors, and moments that are written out.
        _ => Content::Text(unescaped(value).into()),
    })
}

fn broken(what: &str) -> Error {
    internal(format!("failed to read the workbook: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_unescaped() {
        for (text, plain) in
            [("a_x000D_b", "a\rb"), ("_x_x0041_", "_xA"), ("_x00", "_x00"), ("_xD800_", "_xD800_"), ("ä_xäää_", "ä_xäää_")]
        {
            assert_eq!(unescaped(text.to_owned()), plain);
        }
    }

    #[test]
    fn shared_texts_are_found() {
        let tables = Tables { texts: "onetwo".to_owned(), ends: vec![3, 3, 6], ..Tables::default() };
        assert_eq!([tables.text(0), tables.text(1), tables.text(2), tables.text(3)], ["one", "", "two", ""]);
    }
}
