//! Splits Markdown along its headings and blocks. Each chunk starts with the heading that it stands under.

use moonlet_runtime::Error;

use super::splitter::{self, Budget, Options};

/// What a document consists of.
#[derive(Debug, PartialEq, Eq)]
enum Block<'a> {
    Heading(usize, &'a str),
    Text(String),
    Code(String),
    /// The lines above the rows, and the rows.
    Table(String, &'a str),
}

/// Splits a document.
pub(super) fn split(text: &str, options: &Options, budget: &mut Budget) -> Result<Vec<String>, Error> {
    // The longest block, and what is put together of blocks.
    budget.watch.hold(text.len().saturating_mul(3))?;
    let mut splitter = Splitter {
        options,
        budget,
        chunks: Vec::new(),
        headings: Vec::new(),
        prefix: Text::default(),
        current: Text::default(),
        bare: false,
    };
    for block in (Blocks { rest: text }) {
        splitter.block(block)?;
    }
    splitter.flush()?;
    Ok(splitter.chunks)
}

/// A text that grows, and how many characters it has.
#[derive(Debug, Default)]
struct Text {
    text: String,
    length: usize,
}

impl Text {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.length += text.chars().count();
    }
}

struct Splitter<'a> {
    options: &'a Options,
    budget: &'a mut Budget,
    chunks: Vec<String>,
    /// The headings around the current place, and what chunks start with here.
    headings: Vec<(usize, &'a str)>,
    prefix: Text,
    current: Text,
    /// Nothing came after the last heading.
    bare: bool,
}

impl<'a> Splitter<'a> {
    fn block(&mut self, block: Block<'a>) -> Result<(), Error> {
        self.budget.watch.check()?;
        match block {
            Block::Heading(level, text) => {
                self.flush()?;
                self.headings.retain(|(above, _)| *above < level);
                self.headings.push((level, text));
                self.set_prefix()?;
                self.bare = true;
                Ok(())
            }
            Block::Text(text) => self.add(&text, true),
            Block::Code(text) => self.add(&text, !self.options.code_blocks),
            Block::Table(head, rows) if self.options.join_table_rows => {
                let mut table = Text::default();
                table.push(&head);
                let (empty, mut is_empty) = (table.length, true);
                for row in rows.lines().map(str::trim) {
                    self.budget.watch.check()?;
                    let length = row.chars().count() + 1;
                    if !is_empty && table.length + self.prefix.length + length > self.options.chunk_size {
                        self.add(&table.text, false)?;
                        table.text.truncate(head.len());
                        table.length = empty;
                    }
                    table.push("\n");
                    table.push(row);
                    is_empty = false;
                }
                self.add(&table.text, false)
            }
            Block::Table(head, rows) => {
                for row in rows.lines().map(str::trim) {
                    self.add(&format!("{head}\n{row}"), false)?;
                    self.flush()?;
                }
                Ok(())
            }
        }
    }

    /// Puts together what chunks start with at this place.
    fn set_prefix(&mut self) -> Result<(), Error> {
        self.prefix = Text::default();
        let from = if self.options.heading_hierarchy { 0 } else { self.headings.len().saturating_sub(1) };
        for (_, text) in self.headings.iter().skip(from) {
            self.prefix.push(text);
            self.prefix.push("\n");
        }
        // Long headings are copied again for each one below them.
        self.budget.read(self.prefix.text.len())
    }

    fn add(&mut self, text: &str, can_split: bool) -> Result<(), Error> {
        self.bare = false;
        let length = text.chars().count();
        if !self.current.text.is_empty() && self.current.length + length + 1 + self.prefix.length > self.options.chunk_size {
            self.flush()?;
        }
        if can_split && length + self.prefix.length > self.options.chunk_size {
            self.flush()?;
            let mut sizes = self.options.sizes();
            sizes.chunk = sizes.chunk.saturating_sub(self.prefix.length).max(1);
            let mut parts = Vec::new();
            splitter::recurse(text, &self.options.separators, &sizes, self.budget, &mut parts)?;
            for part in parts {
                self.push(&part)?;
            }
            return Ok(());
        }
        if !self.current.text.is_empty() {
            self.current.push("\n");
        }
        self.current.text.push_str(text);
        self.current.length += length;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let current = std::mem::take(&mut self.current).text;
        if !current.is_empty() {
            return self.push(&current);
        }
        if std::mem::take(&mut self.bare) && !self.options.heading_hierarchy {
            self.budget.spend(self.prefix.text.len())?;
            self.chunks.push(self.prefix.text.trim_end().to_owned());
        }
        Ok(())
    }

    /// Adds a chunk that stands under the current heading.
    fn push(&mut self, text: &str) -> Result<(), Error> {
        self.budget.spend(self.prefix.text.len() + text.len())?;
        self.chunks.push([&self.prefix.text, text].concat());
        Ok(())
    }
}

/// Reads the blocks of a document one after another.
struct Blocks<'a> {
    rest: &'a str,
}

impl<'a> Blocks<'a> {
    /// Takes the next line, if there is one and it fits.
    fn line_if(&mut self, fits: impl FnOnce(&str) -> bool) -> Option<&'a str> {
        let line = self.rest.lines().next().filter(|line| fits(line))?;
        let end = self.rest.find('\n').map_or(self.rest.len(), |end| end + 1);
        self.rest = self.rest.get(end..).unwrap_or_default();
        Some(line)
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        while self.line_if(|line| line.trim_start().is_empty()).is_some() {}
        let line = self.line_if(|_| true)?;
        let trimmed = line.trim_start();
        if let Some(level) = heading(trimmed) {
            return Some(Block::Heading(level, trimmed.trim_end()));
        }
        if let Some(fence) = fence(trimmed) {
            let mut code = line.to_owned();
            while let Some(line) = self.line_if(|_| true) {
                code.push('\n');
                code.push_str(line);
                let end = line.trim();
                if end.len() >= fence.len() && end.chars().all(|character| fence.starts_with(character)) {
                    break;
                }
            }
            return Some(Block::Code(code));
        }
        if trimmed.starts_with('|') {
            let is_row = |line: &str| line.trim_start().starts_with('|');
            let mut head = trimmed.trim_end().to_owned();
            let is_line = |row: &str| row.contains('-') && row.chars().all(|c| "|-: ".contains(c));
            if let Some(row) = self.line_if(|line| is_row(line) && is_line(line.trim())) {
                head.push('\n');
                head.push_str(row.trim());
            }
            let body = self.rest;
            while self.line_if(is_row).is_some() {}
            let length = body.len() - self.rest.len();
            return Some(Block::Table(head, body.get(..length).unwrap_or_default()));
        }
        let mut paragraph = line.trim_end().to_owned();
        let goes_on = |line: &str| {
            let line = line.trim_start();
            !line.is_empty() && heading(line).is_none() && fence(line).is_none() && !line.starts_with('|')
        };
        while let Some(line) = self.line_if(goes_on) {
            paragraph.push('\n');
            paragraph.push_str(line.trim_end());
        }
        Some(Block::Text(paragraph))
    }
}

fn heading(line: &str) -> Option<usize> {
    let level = line.chars().take_while(|character| *character == '#').count();
    let after = line.get(level..)?;
    ((1..=6).contains(&level) && (after.is_empty() || after.starts_with([' ', '\t']))).then_some(level)
}

/// The characters that open a block of code.
fn fence(line: &str) -> Option<&str> {
    let first = line.chars().next().filter(|character| "`~".contains(*character))?;
    let length = line.chars().take_while(|character| *character == first).count();
    line.get(..length).filter(|fence| fence.len() >= 3)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use moonlet_runtime::Value;

    use super::*;
    use crate::heavy::Watch;

    fn run(text: &str, names: &[&str]) -> Vec<String> {
        let mut fields: Vec<_> = names.iter().map(|name| (Value::from(*name), true.into())).collect();
        fields.push(("chunk_size".into(), 60.into()));
        fields.push(("chunk_overlap".into(), 0.into()));
        split(text, &Options::read(&fields).unwrap(), &mut Budget::new(1 << 20, Watch::default())).unwrap()
    }

    #[test]
    fn chunks_follow_headings() {
        let text = "# A\n\nfirst\n\n## B\n\nsecond\n\nthird\n\n# C\n";
        assert_eq!(run(text, &[]), ["# A\nfirst", "## B\nsecond\nthird", "# C"]);
        assert_eq!(run(text, &["heading_hierarchy"]), ["# A\nfirst", "# A\n## B\nsecond\nthird"]);
    }

    #[test]
    fn code_and_tables_stay_together() {
        let code = format!("# A\n\n```lua\n{}```\n", "local x = 1\n".repeat(10));
        assert_eq!(run(&code, &["code_blocks"]).len(), 1);
        assert!(run(&code, &[]).len() > 1);
        let table = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n";
        assert_eq!(run(table, &["join_table_rows"]).len(), 1);
        assert_eq!(run(table, &[]), ["| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 3 | 4 |"]);
    }
    #[test]
    fn hostile_documents_end() {
        let options = |names: &[&str]| {
            let mut fields: Vec<_> = names.iter().map(|name| (Value::from(*name), true.into())).collect();
            fields.push(("chunk_size".into(), 100_000_000.into()));
            Options::read(&fields).unwrap()
        };
        let heading = format!("# {}\n", "x".repeat(200_000));
        for text in [
            "|\n".repeat(200_000),
            "a\n\n".repeat(200_000),
            "```\n".repeat(200_000),
            format!("{heading}{}", "a\n\n".repeat(200_000)),
            format!("{heading}{}", "## b\n".repeat(200_000)),
            format!("|{}|\n{}", "x".repeat(200_000), "|\n".repeat(200_000)),
        ] {
            for names in [&[][..], &["join_table_rows", "heading_hierarchy"]] {
                let start = std::time::Instant::now();
                // Some are too long, none takes long.
                let _ = split(&text, &options(names), &mut Budget::new(8 << 20, Watch::default()));
                assert!(start.elapsed().as_secs() < 5);
            }
        }
    }
}
