//! Splits long texts into chunks along their own seams: paragraphs, then lines, then words, then characters.

use std::collections::VecDeque;

use moonlet_runtime::{Error, Value};

use super::markdown;
use crate::fail::{answer_too_long, invalid};

/// How a text is split.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) markdown: bool,
    pub(super) chunk_size: usize,
    pub(super) chunk_overlap: usize,
    pub(super) keep_separator: bool,
    pub(super) separators: Vec<String>,
    pub(super) code_blocks: bool,
    pub(super) heading_hierarchy: bool,
    pub(super) join_table_rows: bool,
}

/// The longest list of separators: one level of recursion each.
const MAX_SEPARATORS: usize = 32;

impl Options {
    pub(super) fn read(fields: &[(Value, Value)]) -> Result<Self, Error> {
        let mut options = Self {
            markdown: false,
            chunk_size: 512,
            chunk_overlap: 100,
            keep_separator: false,
            separators: ["\n\n", "\n", " ", ""].map(str::to_owned).to_vec(),
            code_blocks: false,
            heading_hierarchy: false,
            join_table_rows: false,
        };
        for (name, value) in fields {
            match name.as_str().unwrap_or("") {
                "markdown" => options.markdown = value.as_bool() == Some(true),
                name @ "chunk_size" => options.chunk_size = count(name, value, 1)?,
                name @ "chunk_overlap" => options.chunk_overlap = count(name, value, 0)?,
                name @ "keep_separator" => options.keep_separator = flag(name, value)?,
                name @ "code_blocks" => options.code_blocks = flag(name, value)?,
                name @ "heading_hierarchy" => options.heading_hierarchy = flag(name, value)?,
                name @ "join_table_rows" => options.join_table_rows = flag(name, value)?,
                name @ "reference_links" => drop(flag(name, value)?),
                "separators" => {
                    let texts = value.as_array().map(|items| items.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
                    let texts = texts.flatten().filter(|texts| texts.len() <= MAX_SEPARATORS);
                    let texts =
                        texts.ok_or_else(|| invalid(format!("`separators` is a list of at most {MAX_SEPARATORS} strings")))?;
                    if !texts.is_empty() {
                        options.separators = texts.into_iter().map(str::to_owned).collect();
                    }
                }
                _ => {}
            }
        }
        Ok(options)
    }
}

fn count(name: &str, value: &Value, least: usize) -> Result<usize, Error> {
    let whole = value.as_i64().or_else(|| value.as_f64().filter(|value| value.fract() == 0.0).map(|value| value as i64));
    let count = whole.and_then(|count| usize::try_from(count).ok()).filter(|count| *count >= least);
    count.ok_or_else(|| invalid(format!("`{name}` is an integer of {least} or more")))
}

fn flag(name: &str, value: &Value) -> Result<bool, Error> {
    value.as_bool().ok_or_else(|| invalid(format!("`{name}` is a boolean")))
}

/// How many bytes of chunks may still be made: with much overlap they can be far more than the text.
#[derive(Debug)]
pub(super) struct Budget {
    most: usize,
    left: usize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self { most: bytes, left: bytes }
    }

    pub(super) fn spend(&mut self, chunk: &str) -> Result<(), Error> {
        match self.left.checked_sub(chunk.len() + 1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                let message = "the chunks are longer than one answer to this process may be: use less overlap";
                Err(answer_too_long(message, self.most))
            }
        }
    }
}

/// Splits a text.
pub(super) fn split(text: &str, options: &Options, budget: &mut Budget) -> Result<Vec<String>, Error> {
    if options.markdown {
        return markdown::split(text, options, budget);
    }
    let mut chunks = Vec::new();
    recurse(text, &options.separators, options, budget, &mut chunks)?;
    Ok(chunks)
}

/// Splits a text along the first separator that it has, and what is still too long along the next ones.
pub(super) fn recurse(
    text: &str,
    separators: &[String],
    options: &Options,
    budget: &mut Budget,
    chunks: &mut Vec<String>,
) -> Result<(), Error> {
    let found = separators.iter().position(|separator| separator.is_empty() || text.contains(separator.as_str()));
    let (separator, rest) = match found {
        Some(index) => (separators.get(index), separators.get(index + 1..).unwrap_or_default()),
        None => (separators.last(), &[][..]),
    };
    let separator = separator.map_or("", String::as_str);
    let mut pieces = pieces(text, separator);
    let mut glue = separator;
    if options.keep_separator {
        for piece in pieces.iter_mut().skip(1) {
            piece.insert_str(0, separator);
        }
        glue = "";
    }
    let mut good: Vec<String> = Vec::new();
    for piece in pieces {
        if length(&piece) < options.chunk_size {
            good.push(piece);
            continue;
        }
        merge(&std::mem::take(&mut good), glue, options, budget, chunks)?;
        if rest.is_empty() {
            budget.spend(&piece)?;
            chunks.push(piece);
        } else {
            recurse(&piece, rest, options, budget, chunks)?;
        }
    }
    merge(&good, glue, options, budget, chunks)
}

fn pieces(text: &str, separator: &str) -> Vec<String> {
    if separator.is_empty() {
        return text.chars().map(String::from).collect();
    }
    text.split(separator).map(str::to_owned).collect()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// Joins small pieces to chunks that are as long as allowed, each of which starts with the end of the one before.
fn merge(pieces: &[String], glue: &str, options: &Options, budget: &mut Budget, chunks: &mut Vec<String>) -> Result<(), Error> {
    let gap = length(glue);
    let mut current: VecDeque<(&str, usize)> = VecDeque::new();
    let mut total = 0;
    for piece in pieces {
        let size = length(piece);
        let with_piece = total + size + if current.is_empty() { 0 } else { gap };
        if with_piece > options.chunk_size && !current.is_empty() {
            emit(&current, glue, budget, chunks)?;
            while let Some((_, first)) = current.front().copied() {
                let gap_after = if current.len() < 2 { 0 } else { gap };
                let too_long = total + size + gap_after > options.chunk_size && total > 0;
                if total <= options.chunk_overlap && !too_long {
                    break;
                }
                total -= first + gap_after;
                current.pop_front();
            }
        }
        total += size + if current.is_empty() { 0 } else { gap };
        current.push_back((piece, size));
    }
    emit(&current, glue, budget, chunks)
}

fn emit(current: &VecDeque<(&str, usize)>, glue: &str, budget: &mut Budget, chunks: &mut Vec<String>) -> Result<(), Error> {
    let mut chunk = String::new();
    for (number, (piece, _)) in current.iter().enumerate() {
        if number > 0 {
            chunk.push_str(glue);
        }
        chunk.push_str(piece);
    }
    let chunk = chunk.trim();
    if !chunk.is_empty() {
        budget.spend(chunk)?;
        chunks.push(chunk.to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn run(text: &str, fields: &[(&str, Value)]) -> Vec<String> {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (Value::from(*name), value.clone())).collect();
        split(text, &Options::read(&fields).unwrap(), &mut Budget::new(1 << 20)).unwrap()
    }

    #[test]
    fn chunks_are_short_and_overlap() {
        let size = [("chunk_size", 10.into()), ("chunk_overlap", 0.into())];
        assert_eq!(run("one two three four", &size), ["one two", "three four"]);
        assert_eq!(run("a b\n\nc d", &size), ["a b\n\nc d"]);
        let overlap = [("chunk_size", 8.into()), ("chunk_overlap", 3.into())];
        assert_eq!(run("aa bb cc dd", &overlap), ["aa bb cc", "cc dd"]);
        let text = "x".repeat(100);
        assert!(run(&text, &size).iter().all(|chunk| chunk.len() == 10));
        assert!(run("", &size).is_empty());
    }

    #[test]
    fn hostile_options_end() {
        let fields = [(Value::from("chunk_size"), 5_000.into()), (Value::from("chunk_overlap"), 4_999.into())];
        let options = Options::read(&fields).unwrap();
        let text = "x".repeat(10_000);
        assert_eq!(split(&text, &options, &mut Budget::new(100_000)).unwrap_err().kind, "LimitExceeded");
        assert!(Options::read(&[("chunk_size".into(), 0.into())]).is_err());
    }
}
