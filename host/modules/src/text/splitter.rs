//! Splits long texts into chunks along their own seams: paragraphs, then lines, then words, then characters.

use moonlet_runtime::{Error, Value};

use super::markdown;
use crate::fail::{answer_too_long, exceeded, invalid};
use crate::heavy::Watch;

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

/// The most bytes of headings that are put together for one text.
const MAX_COPIED: u64 = 1 << 30;
/// What a chunk takes, beside the text in it.
const CHUNK: usize = 96;

/// How many bytes of chunks may still be made: with much overlap they can be far more than the text.
#[derive(Debug)]
pub(super) struct Budget {
    most: usize,
    left: usize,
    copied: u64,
    pub(super) watch: Watch,
}

impl Budget {
    pub(super) fn new(bytes: usize, watch: Watch) -> Self {
        Self { most: bytes, left: bytes, copied: 0, watch }
    }

    /// Asks before so many bytes are copied that are in no chunk yet.
    pub(super) fn read(&mut self, bytes: usize) -> Result<(), Error> {
        self.copied = self.copied.saturating_add(bytes as u64);
        if self.copied > MAX_COPIED {
            return Err(exceeded("the headings are too long for so many of them", "copied_bytes", MAX_COPIED));
        }
        self.watch.check()
    }

    /// Asks before a chunk is made of so many bytes of text, blanks at its ends included.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        self.watch.hold(bytes + CHUNK)?;
        match self.left.checked_sub(bytes + 1) {
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
    recurse(text, &options.separators, &options.sizes(), budget, &mut chunks)?;
    Ok(chunks)
}

/// How long chunks are, in characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) chunk: usize,
    overlap: usize,
    keep_separator: bool,
}

impl Options {
    pub(super) fn sizes(&self) -> Sizes {
        Sizes { chunk: self.chunk_size, overlap: self.chunk_overlap, keep_separator: self.keep_separator }
    }
}

/// Splits a text along the first separator that it has, and what is still too long along the next ones.
pub(super) fn recurse(
    text: &str,
    separators: &[String],
    sizes: &Sizes,
    budget: &mut Budget,
    chunks: &mut Vec<String>,
) -> Result<(), Error> {
    let found = separators.iter().position(|separator| separator.is_empty() || text.contains(separator.as_str()));
    let (separator, rest) = match found {
        Some(index) => (separators.get(index), separators.get(index + 1..).unwrap_or_default()),
        None => (separators.last(), &[][..]),
    };
    let pieces = Pieces::new(text, separator.map_or("", String::as_str), sizes.keep_separator);
    let mut chunk = Chunk::new(text, &pieces);
    let mut after = pieces;
    while let Some(piece) = after.next() {
        budget.watch.check()?;
        let size = length(piece.text);
        if size < sizes.chunk {
            chunk.add(&piece, size, sizes, budget, chunks)?;
            continue;
        }
        chunk.emit(budget, chunks)?;
        chunk = Chunk::new(text, &after);
        if rest.is_empty() {
            budget.spend(piece.text.len())?;
            chunks.push(piece.text.to_owned());
        } else {
            recurse(piece.text, rest, sizes, budget, chunks)?;
        }
    }
    chunk.emit(budget, chunks)
}

/// A piece of a text, and where it lies.
#[derive(Debug)]
struct Piece<'a> {
    text: &'a str,
    start: usize,
}

/// The pieces of a text between separators, one after another; of an empty one, its characters.
#[derive(Debug, Clone)]
struct Pieces<'a> {
    text: &'a str,
    separator: &'a str,
    /// Each piece but the first starts with the separator.
    keep: bool,
    /// Where the text of the next piece starts, behind its separator; none: there is no more.
    at: Option<usize>,
}

impl<'a> Pieces<'a> {
    fn new(text: &'a str, separator: &'a str, keep: bool) -> Self {
        let at = (!text.is_empty() || !separator.is_empty()).then_some(0);
        Self { text, separator, keep, at }
    }

    /// What stands between two pieces that are joined.
    fn glue(&self) -> &'a str {
        if self.keep { "" } else { self.separator }
    }

    /// Where the next piece starts.
    fn start(&self) -> Option<usize> {
        self.at.map(|at| if self.keep { at.saturating_sub(self.separator.len()) } else { at })
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let (at, start) = (self.at?, self.start()?);
        let rest = self.text.get(at..)?;
        let length = if self.separator.is_empty() {
            let length = rest.chars().next().map_or(0, char::len_utf8);
            self.at = Some(at + length).filter(|next| *next < self.text.len());
            length
        } else {
            let length = rest.find(self.separator);
            self.at = length.map(|length| at + length + self.separator.len());
            length.unwrap_or(rest.len())
        };
        Some(Piece { text: self.text.get(start..at + length)?, start })
    }
}

/// Small pieces that become chunks which are as long as allowed, each of which starts with the end of the one before.
///
/// Pieces lie side by side in the text with the glue between them, so that what they are joined to is a part of the text.
struct Chunk<'a> {
    text: &'a str,
    /// The pieces from the first one of this chunk on, and how many of them are in it.
    from: Pieces<'a>,
    count: usize,
    gap: usize,
    /// Its length in characters.
    total: usize,
    start: usize,
    end: usize,
}

impl<'a> Chunk<'a> {
    /// An empty one in front of the next piece.
    fn new(text: &'a str, next: &Pieces<'a>) -> Self {
        Self { text, from: next.clone(), count: 0, gap: length(next.glue()), total: 0, start: 0, end: 0 }
    }

    fn add(
        &mut self,
        piece: &Piece<'a>,
        size: usize,
        sizes: &Sizes,
        budget: &mut Budget,
        chunks: &mut Vec<String>,
    ) -> Result<(), Error> {
        if self.count > 0 && self.total + self.gap + size > sizes.chunk {
            self.emit(budget, chunks)?;
            while self.count > 0 {
                let gap_after = if self.count < 2 { 0 } else { self.gap };
                let too_long = self.total + size + gap_after > sizes.chunk && self.total > 0;
                if self.total <= sizes.overlap && !too_long {
                    break;
                }
                let first = self.from.next().map_or(0, |first| length(first.text));
                self.total -= first + gap_after;
                self.count -= 1;
                self.start = self.from.start().unwrap_or(self.end);
            }
        }
        if self.count == 0 {
            self.start = piece.start;
        }
        self.total += size + if self.count == 0 { 0 } else { self.gap };
        self.count += 1;
        self.end = piece.start + piece.text.len();
        Ok(())
    }

    fn emit(&self, budget: &mut Budget, chunks: &mut Vec<String>) -> Result<(), Error> {
        if self.count == 0 {
            return Ok(());
        }
        let chunk = self.text.get(self.start..self.end).unwrap_or_default();
        budget.spend(chunk.len())?;
        let chunk = chunk.trim();
        if !chunk.is_empty() {
            chunks.push(chunk.to_owned());
        }
        Ok(())
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn run(text: &str, fields: &[(&str, Value)]) -> Vec<String> {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (Value::from(*name), value.clone())).collect();
        split(text, &Options::read(&fields).unwrap(), &mut Budget::new(1 << 20, Watch::default())).unwrap()
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
    fn separators_stay_where_they_are_wanted() {
        let fields = [("chunk_size", 6.into()), ("chunk_overlap", 0.into()), ("keep_separator", true.into())];
        assert_eq!(run("aa bb cc", &fields), ["aa bb", "cc"]);
        let fields = [("chunk_size", 4.into()), ("chunk_overlap", 0.into()), ("separators", Value::Array(vec!["--".into()]))];
        assert_eq!(run("a--b--cdefgh--i--", &fields), ["a--b", "cdefgh", "i--"]);
    }

    #[test]
    fn hostile_options_end() {
        let fields = [(Value::from("chunk_size"), 5_000.into()), (Value::from("chunk_overlap"), 4_999.into())];
        let options = Options::read(&fields).unwrap();
        for text in ["x", " "] {
            let text = text.repeat(10_000);
            let mut budget = Budget::new(100_000, Watch::default());
            assert_eq!(split(&text, &options, &mut budget).unwrap_err().kind, "LimitExceeded");
            let mut budget = Budget::new(100_000_000, Watch::canceled_now());
            assert_eq!(split(&text, &options, &mut budget).unwrap_err().kind, "Canceled");
        }
        assert!(Options::read(&[("chunk_size".into(), 0.into())]).is_err());
    }
}
