//! Writes a workbook as a file of Excel, row by row, into a spool.
//!
//! Written here and not by a library: the one at hand holds all cells a second time and writes each sheet on a thread of its own, whose
//! time nobody could be charged for.

use std::fmt::Write as _;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use moonlet_runtime::{Error, Spool};
use parking_lot::Mutex;

use super::book::Book;
use super::cell::{Cell, Content};
use super::read::{Row, Tables};
use crate::archive::Zipper;
use crate::fail::internal;
use crate::heavy::Canceled;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
/// A file that its owner may write, as Unix keeps it in modes.
const MODE: u32 = 0o100_644;
/// Bytes of rows that are compressed at once.
const PIECE: usize = 64 << 10;
/// The first number for formats that a file brings along.
const FIRST_FORMAT: usize = 164;

/// A file that was written, and is given out piece by piece.
pub(super) struct Packed(Mutex<Spool>);

impl Packed {
    pub(super) fn new(book: &Book, canceled: &Canceled) -> Result<Self, Error> {
        if book.sheets.is_empty() {
            return Err(internal("failed to write the workbook: it has no sheet"));
        }
        let mut zip = Zipper::new(Spool::new()?);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        for (name, text) in [
            ("[Content_Types].xml", types(book)),
            ("_rels/.rels", root()),
            ("xl/workbook.xml", workbook(book)),
            ("xl/_rels/workbook.xml.rels", related(book)),
        ] {
            let written = zip.begin(name, MODE, now, false).and_then(|()| zip.data(text.as_bytes()));
            written.map_err(|error| failed(&error))?;
        }
        zip.begin("xl/styles.xml", MODE, now, false).map_err(|error| failed(&error))?;
        styles(&book.tables, &mut zip).map_err(|error| failed(&error))?;
        for sheet in 0..book.sheets.len() {
            zip.begin(&format!("xl/worksheets/sheet{}.xml", sheet + 1), MODE, now, false).map_err(|error| failed(&error))?;
            write_sheet(book, sheet, &mut zip, canceled)?;
        }
        let mut spool = zip.finish().map_err(|error| failed(&error))?;
        spool.rewind()?;
        Ok(Self(Mutex::new(spool)))
    }

    /// Gives the next bytes; none at the end.
    pub(super) fn read(&self, most: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut bytes = vec![0; most];
        let count = io::Read::read(&mut *self.0.lock(), &mut bytes).map_err(|error| failed(&error))?;
        bytes.truncate(count);
        Ok((count > 0).then_some(bytes))
    }
}

fn write_sheet(book: &Book, sheet: usize, zip: &mut Zipper<Spool>, canceled: &Canceled) -> Result<(), Error> {
    let mut text = format!("{HEAD}<worksheet xmlns=\"{MAIN}\"><sheetData>");
    let mut walk = book.rows(sheet, canceled)?;
    while let Some(row) = book.next_row(sheet, &mut walk, canceled)? {
        write_row(&book.tables, &row, &mut text, zip, canceled)?;
    }
    text.push_str("</sheetData></worksheet>");
    zip.data(text.as_bytes()).map_err(|error| failed(&error))
}

/// Writes a row piece by piece: its cells may all show one long text of the file, which is there only once.
fn write_row(tables: &Tables, row: &Row, text: &mut String, zip: &mut Zipper<Spool>, canceled: &Canceled) -> Result<(), Error> {
    let number = row.number + 1;
    let _ = write!(text, "<row r=\"{number}\">");
    for (column, cell) in &row.cells {
        if canceled.is_set() {
            return Err(internal("writing the workbook was given up"));
        }
        let _ = write!(text, "<c r=\"{}{number}\"", letters(*column));
        write_cell(tables, cell, text);
        flush(text, zip).map_err(|error| failed(&error))?;
    }
    text.push_str("</row>");
    Ok(())
}

/// Hands on what was written once it is worth compressing.
fn flush(text: &mut String, zip: &mut Zipper<Spool>) -> io::Result<()> {
    if text.len() >= PIECE {
        zip.data(text.as_bytes())?;
        text.clear();
    }
    Ok(())
}

fn write_cell(tables: &Tables, cell: &Cell, text: &mut String) {
    // A style that the file does not have is the first one.
    if cell.format > 0 && usize::try_from(cell.format).is_ok_and(|format| format < tables.formats().len()) {
        let _ = write!(text, " s=\"{}\"", cell.format);
    }
    let string = match &cell.content {
        Content::Number(value) if value.abs() >= 1e15 || value.abs() < 1e-5 && *value != 0.0 => {
            let _ = write!(text, "><v>{value:e}</v></c>");
            return;
        }
        Content::Number(value) => {
            let _ = write!(text, "><v>{value}</v></c>");
            return;
        }
        Content::Boolean(truth) => {
            let _ = write!(text, " t=\"b\"><v>{}</v></c>", u8::from(*truth));
            return;
        }
        Content::Text(string) => string,
        Content::Shared(number) => tables.text(*number),
    };
    text.push_str(" t=\"inlineStr\"><is><t xml:space=\"preserve\">");
    escape(string, text);
    text.push_str("</t></is></c>");
}

/// The letters of a column.
fn letters(column: u16) -> String {
    let mut letters = Vec::new();
    let mut rest = u32::from(column) + 1;
    while rest > 0 {
        rest -= 1;
        letters.insert(0, char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    letters.into_iter().collect()
}

/// Writes text so that XML and Excel read it as it is.
fn escape(string: &str, text: &mut String) {
    for (at, character) in string.char_indices() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\t' | '\n' => text.push(character),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(text, "_x{:04X}_", u32::from(character));
            }
            '_' if is_code(string.get(at..).unwrap_or_default()) => text.push_str("_x005F_"),
            _ => text.push(character),
        }
    }
}

/// Tells whether text begins as a character that Excel wrote as a code.
fn is_code(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.starts_with(b"_x")
        && bytes.get(6) == Some(&b'_')
        && bytes.get(2..6).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

fn types(book: &Book) -> String {
    let mut text = format!(
        "{HEAD}<Types xmlns=\"{PACKAGE}/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
         <Override PartName=\"/xl/workbook.xml\" ContentType=\"{TYPE}.sheet.main+xml\"/>\
         <Override PartName=\"/xl/styles.xml\" ContentType=\"{TYPE}.styles+xml\"/>"
    );
    for number in 1..=book.sheets.len() {
        let _ = write!(text, "<Override PartName=\"/xl/worksheets/sheet{number}.xml\" ContentType=\"{TYPE}.worksheet+xml\"/>");
    }
    text.push_str("</Types>");
    text
}

fn root() -> String {
    format!(
        "{HEAD}<Relationships xmlns=\"{PACKAGE}/relationships\">\
         <Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
    )
}

fn workbook(book: &Book) -> String {
    let mut text = format!("{HEAD}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\">");
    if book.tables.from_1904 {
        text.push_str("<workbookPr date1904=\"1\"/>");
    }
    text.push_str("<sheets>");
    for (index, sheet) in book.sheets.iter().enumerate() {
        text.push_str("<sheet name=\"");
        escape(&sheet.name.replace(char::is_control, " "), &mut text);
        let number = index + 1;
        let _ = write!(text, "\" sheetId=\"{number}\" r:id=\"rId{number}\"/>");
    }
    text.push_str("</sheets></workbook>");
    text
}

fn related(book: &Book) -> String {
    let mut text = format!("{HEAD}<Relationships xmlns=\"{PACKAGE}/relationships\">");
    for number in 1..=book.sheets.len() {
        let _ = write!(
            text,
            "<Relationship Id=\"rId{number}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{number}.xml\"/>"
        );
    }
    let number = book.sheets.len() + 1;
    let _ = write!(text, "<Relationship Id=\"rId{number}\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/></Relationships>");
    text
}

/// Writes the formats of numbers; of all that a style can be, this is what a value is not itself without.
fn styles(tables: &Tables, zip: &mut Zipper<Spool>) -> io::Result<()> {
    let formats = tables.formats();
    let mut text = format!("{HEAD}<styleSheet xmlns=\"{MAIN}\">");
    let named = formats.iter().enumerate().filter(|(_, format)| !format.is_empty());
    let count = named.clone().count();
    if count > 0 {
        let _ = write!(text, "<numFmts count=\"{count}\">");
        for (index, format) in named {
            let _ = write!(text, "<numFmt numFmtId=\"{}\" formatCode=\"", FIRST_FORMAT + index);
            escape(format, &mut text);
            text.push_str("\"/>");
            flush(&mut text, zip)?;
        }
        text.push_str("</numFmts>");
    }
    text.push_str(
        "<fonts count=\"1\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts>\
         <fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills>\
         <borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
         <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>",
    );
    let _ = write!(text, "<cellXfs count=\"{}\">", formats.len().max(1));
    let numbers = formats.iter().enumerate().map(|(index, format)| if format.is_empty() { 0 } else { FIRST_FORMAT + index });
    for number in numbers.chain(formats.is_empty().then_some(0)) {
        let _ = write!(text, "<xf numFmtId=\"{number}\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"");
        text.push_str(if number > 0 { " applyNumberFormat=\"1\"/>" } else { "/>" });
        flush(&mut text, zip)?;
    }
    text.push_str(
        "</cellXfs><cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>",
    );
    zip.data(text.as_bytes())
}

fn failed(error: &io::Error) -> Error {
    internal(format!("failed to write the workbook: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_letters() {
        for (column, text) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")] {
            assert_eq!(letters(column), text);
        }
    }

    #[test]
    fn what_xml_cannot_say_is_written_as_codes() {
        let mut text = String::new();
        escape("a<b>&\"\r\0_x000D__xyz_\t", &mut text);
        assert_eq!(text, "a&lt;b&gt;&amp;&quot;_x000D__x0000__x005F_x000D__xyz_\t");
    }
}
