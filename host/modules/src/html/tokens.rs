//! From a page to tokens, as browsers read one.

/// A part of a page. Texts and values have their references still in them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Text(&'a str),
    Start { name: String, attributes: Vec<(String, &'a str)>, closed: bool },
    End(String),
}

/// The most attributes of one tag.
const MAX_ATTRIBUTES: usize = 256;

/// Elements whose content is text up to their own end tag, whatever stands in it.
const RAW: &[&str] = &["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"];

/// Reads the tokens of a page one after another. Comments and declarations are left out.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// The element whose raw content comes next.
    raw: Option<String>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(page: &'a str) -> Self {
        Self { rest: page, raw: None }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn raw_text(&mut self, element: &str) -> &'a str {
        let bytes = self.rest.as_bytes();
        let is_end = |at: &usize| {
            let after =
                bytes.get(at + 2..at + 2 + element.len()).is_some_and(|name| name.eq_ignore_ascii_case(element.as_bytes()));
            let end = bytes.get(at + 2 + element.len());
            bytes.get(at + 1) == Some(&b'/') && after && end.is_none_or(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte))
        };
        let length = self.rest.match_indices('<').map(|(at, _)| at).find(is_end).unwrap_or(self.rest.len());
        self.take(length)
    }

    /// Reads a tag whose `<` or `</` was taken.
    fn tag(&mut self, is_end: bool) -> Option<Token<'a>> {
        let length = self.rest.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>')?;
        let name = self.take(length).to_ascii_lowercase();
        let mut attributes = Vec::new();
        loop {
            let start = self.rest.find(|c: char| !c.is_ascii_whitespace())?;
            self.take(start);
            if self.rest.starts_with('>') {
                self.take(1);
                return Some(if is_end { Token::End(name) } else { Token::Start { name, attributes, closed: false } });
            }
            if self.rest.starts_with('/') {
                self.take(1);
                if self.rest.starts_with('>') {
                    self.take(1);
                    return Some(if is_end { Token::End(name) } else { Token::Start { name, attributes, closed: true } });
                }
                continue;
            }
            let (name, value) = self.attribute()?;
            if attributes.len() < MAX_ATTRIBUTES && !attributes.iter().any(|(other, _)| *other == name) {
                attributes.push((name, value));
            }
        }
    }

    fn attribute(&mut self) -> Option<(String, &'a str)> {
        // An equals sign at the start belongs to the name.
        let first = usize::from(self.rest.starts_with('='));
        let end = self.rest.get(first..)?.find(|c: char| c.is_ascii_whitespace() || "/>=".contains(c))?;
        let name = self.take(first + end).to_ascii_lowercase();
        let start = self.rest.find(|c: char| !c.is_ascii_whitespace())?;
        if !self.rest.get(start..)?.starts_with('=') {
            return Some((name, ""));
        }
        self.take(start + 1);
        let start = self.rest.find(|c: char| !c.is_ascii_whitespace())?;
        self.take(start);
        let quote = self.rest.chars().next()?;
        if quote == '"' || quote == '\'' {
            self.take(1);
            let end = self.rest.find(quote)?;
            let value = self.take(end);
            self.take(1);
            return Some((name, value));
        }
        let end = self.rest.find(|c: char| c.is_ascii_whitespace() || c == '>')?;
        Some((name, self.take(end)))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if let Some(element) = self.raw.take() {
                let text = self.raw_text(&element);
                if !text.is_empty() {
                    return Some(Token::Text(text));
                }
            }
            if self.rest.is_empty() {
                return None;
            }
            let is_markup = |at: &usize| {
                let mut after = self.rest.get(at + 1..).unwrap_or("").chars();
                let next = after.next();
                next.is_some_and(|c| c.is_ascii_alphabetic() || c == '!' || c == '?')
                    || (next == Some('/') && after.next().is_some())
            };
            let markup = self.rest.match_indices('<').map(|(at, _)| at).find(is_markup);
            match markup {
                None => return Some(Token::Text(self.take(self.rest.len()))),
                Some(0) => {}
                Some(at) => return Some(Token::Text(self.take(at))),
            }
            self.take(1);
            if let Some(comment) = self.rest.strip_prefix("!--") {
                // `<!-->` and `<!--->` are whole comments.
                let short = if comment.starts_with('>') { Some(1) } else { comment.starts_with("->").then_some(2) };
                let end = short.or_else(|| {
                    // No farther than to the first end: what is behind it is read again.
                    let mut ends = comment.match_indices('>').map(|(at, _)| at);
                    let is_end =
                        |at: &usize| comment.get(..*at).is_some_and(|text| text.ends_with("--") || text.ends_with("--!"));
                    ends.find(is_end).map(|at| at + 1)
                });
                self.take(3 + end.unwrap_or(comment.len()));
                continue;
            }
            let is_end = self.rest.starts_with('/');
            let name = self.rest.get(usize::from(is_end)..).unwrap_or("");
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                let end = self.rest.find('>').map_or(self.rest.len(), |at| at + 1);
                self.take(end);
                continue;
            }
            self.take(usize::from(is_end));
            match self.tag(is_end) {
                Some(token) => {
                    if let Token::Start { name, .. } = &token
                        && RAW.contains(&name.as_str())
                    {
                        self.raw = Some(name.clone());
                    }
                    return Some(token);
                }
                // A tag that never ends is none.
                None => self.rest = "",
            }
        }
    }
}
