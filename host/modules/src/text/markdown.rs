//! Splits Markdown along its headings and blocks. Each chunk starts with the heading that it stands under.

use moonlet_runtime::Error;

use super::splitter::{self, Budget, Options};

/// What a document consists of.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    Heading(usize, String),
    Text(String),
    Code(String),
    /// The lines above the rows, and the rows.
    Table(String, Vec<String>),
}

/// Splits a document.
pub(super) fn split(text: &str, options: &Options, budget: &mut Budget) -> Result<Vec<String>, Error> {
    let mut splitter =
        Splitter { options, budget, chunks: Vec::new(), headings: Vec::new(), current: String::new(), bare: false };
    for block in blocks(text) {
        splitter.block(block)?;
    }
    splitter.flush()?;
    Ok(splitter.chunks)
}

struct Splitter<'a> {
    options: &'a Options,
    budget: &'a mut Budget,
    chunks: Vec<String>,
    /// The headings around the current place.
    headings: Vec<(usize, String)>,
    current: String,
    /// Nothing came after the last heading.
    bare: bool,
}

impl Splitter<'_> {
    fn block(&mut self, block: Block) -> Result<(), Error> {
        match block {
            Block::Heading(level, text) => {
                self.flush()?;
                self.headings.retain(|(above, _)| *above < level);
                self.headings.push((level, text));
                self.bare = true;
                Ok(())
            }
            Block::Text(text) => self.add(&text, true),
            Block::Code(text) => self.add(&text, !self.options.code_blocks),
            Block::Table(head, rows) if self.options.join_table_rows => {
                let mut table = head.clone();
                for row in rows {
                    if table != head && self.length(&table) + row.chars().count() + 1 > self.options.chunk_size {
                        self.add(&std::mem::replace(&mut table, head.clone()), false)?;
                    }
                    table.push('\n');
                    table.push_str(&row);
                }
                self.add(&table, false)
            }
            Block::Table(head, rows) => {
                for row in rows {
                    self.add(&format!("{head}\n{row}"), false)?;
                    self.flush()?;
                }
                Ok(())
            }
        }
    }

    fn length(&self, text: &str) -> usize {
        text.chars().count() + self.prefix().chars().count()
    }

    /// What chunks start with here.
    fn prefix(&self) -> String {
        let from = if self.options.heading_hierarchy { 0 } else { self.headings.len().saturating_sub(1) };
        self.headings.iter().skip(from).map(|(_, text)| format!("{text}\n")).collect()
    }

    fn add(&mut self, text: &str, can_split: bool) -> Result<(), Error> {
        self.bare = false;
        let together = self.current.chars().count() + text.chars().count() + 1;
        if !self.current.is_empty() && together + self.length("") > self.options.chunk_size {
            self.flush()?;
        }
        if can_split && self.length(text) > self.options.chunk_size {
            self.flush()?;
            let prefix = self.prefix();
            let mut options = self.options.clone();
            options.chunk_size = options.chunk_size.saturating_sub(prefix.chars().count()).max(1);
            let mut parts = Vec::new();
            splitter::recurse(text, &options.separators, &options, self.budget, &mut parts)?;
            for part in parts {
                self.push(format!("{prefix}{part}"))?;
            }
            return Ok(());
        }
        if !self.current.is_empty() {
            self.current.push('\n');
        }
        self.current.push_str(text);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let current = std::mem::take(&mut self.current);
        if !current.is_empty() {
            let chunk = format!("{}{current}", self.prefix());
            return self.push(chunk);
        }
        if std::mem::take(&mut self.bare) && !self.options.heading_hierarchy {
            let chunk = self.prefix().trim_end().to_owned();
            return self.push(chunk);
        }
        Ok(())
    }

    fn push(&mut self, chunk: String) -> Result<(), Error> {
        self.budget.spend(&chunk)?;
        self.chunks.push(chunk);
        Ok(())
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() {
            continue;
        }
        if let Some(level) = heading(trimmed) {
            blocks.push(Block::Heading(level, trimmed.trim_end().to_owned()));
        } else if let Some(fence) = fence(trimmed) {
            let mut code = vec![line];
            for line in lines.by_ref() {
                code.push(line);
                let end = line.trim();
                if end.len() >= fence.len() && end.chars().all(|character| fence.starts_with(character)) {
                    break;
                }
            }
            blocks.push(Block::Code(code.join("\n")));
        } else if trimmed.starts_with('|') {
            let mut rows = vec![trimmed.trim_end().to_owned()];
            while let Some(line) = lines.next_if(|line| line.trim_start().starts_with('|')) {
                rows.push(line.trim().to_owned());
            }
            let has_head = rows.get(1).is_some_and(|row| row.contains('-') && row.chars().all(|c| "|-: ".contains(c)));
            let body = rows.split_off(if has_head { 2 } else { 1 });
            blocks.push(Block::Table(rows.join("\n"), body));
        } else {
            let mut paragraph = vec![line.trim_end()];
            let goes_on = |line: &&str| {
                let line = line.trim_start();
                !line.is_empty() && heading(line).is_none() && fence(line).is_none() && !line.starts_with('|')
            };
            while let Some(line) = lines.next_if(goes_on) {
                paragraph.push(line.trim_end());
            }
            blocks.push(Block::Text(paragraph.join("\n")));
        }
    }
    blocks
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

    fn run(text: &str, names: &[&str]) -> Vec<String> {
        let mut fields: Vec<_> = names.iter().map(|name| (Value::from(*name), true.into())).collect();
        fields.push(("chunk_size".into(), 60.into()));
        fields.push(("chunk_overlap".into(), 0.into()));
        split(text, &Options::read(&fields).unwrap(), &mut Budget::new(1 << 20)).unwrap()
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
}
