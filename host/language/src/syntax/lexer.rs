//! Text to tokens. Never fails: a lexical error is noted and the text goes on as a likely token.

use super::token::{Token, TokenKind};
use super::{MAX_SOURCE_BYTES, Span};

/// No more lexical errors than this are kept: a binary file must not fill memory with reports.
const MAX_LEX_ERRORS: usize = 20;

/// The tokens of a text.
#[derive(Debug, Default)]
pub struct Lexed {
    /// All tokens; the last one is always the end of the file.
    pub tokens: Vec<Token>,
    /// Comments, from the dashes to the end without the line break.
    pub comments: Vec<Span>,
    /// What could not be read, in order.
    pub errors: Vec<LexError>,
}

/// A piece of text that is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LexError {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// Splits a text into tokens.
#[must_use]
pub fn lex(source: &str) -> Lexed {
    let mut lexer = Lexer { bytes: source.as_bytes(), source, at: 0, out: Lexed::default() };
    if source.len() > MAX_SOURCE_BYTES {
        lexer.error(0, 0, format!("the file is longer than {} MiB", MAX_SOURCE_BYTES >> 20), Some("split it".to_owned()));
        lexer.push(TokenKind::End, 0, false);
        return lexer.out;
    }
    if source.starts_with('\u{1b}') {
        let help = "give the source text; compiled code is not loaded".to_owned();
        lexer.error(0, 1, "this is compiled code, not Lua source".to_owned(), Some(help));
        lexer.at = source.len();
        lexer.push(TokenKind::End, source.len(), false);
        return lexer.out;
    }
    lexer.out.tokens.reserve(source.len() / 4 + 16);
    lexer.run();
    lexer.out
}

struct Lexer<'a> {
    bytes: &'a [u8],
    source: &'a str,
    at: usize,
    out: Lexed,
}

impl Lexer<'_> {
    fn run(&mut self) {
        // A first line that starts with `#` serves Unix shells.
        if self.peek(0) == b'#' {
            self.skip_line();
        }
        if self.source.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        loop {
            let first_on_line = self.skip_trivia();
            let start = self.at;
            if start >= self.bytes.len() {
                self.push(TokenKind::End, start, first_on_line);
                return;
            }
            if let Some(kind) = self.token() {
                self.push(kind, start, first_on_line);
            }
        }
    }

    fn push(&mut self, kind: TokenKind, start: usize, first_on_line: bool) {
        self.out.tokens.push(Token { kind, first_on_line, span: Span::new(start, self.at) });
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn error(&mut self, start: usize, end: usize, message: String, help: Option<String>) {
        if self.out.errors.len() < MAX_LEX_ERRORS {
            self.out.errors.push(LexError { span: Span::new(start, end), message, help });
        }
    }

    /// Skips white space and comments; tells whether a line break was among them.
    fn skip_trivia(&mut self) -> bool {
        let mut line_break = self.at == 0;
        loop {
            match self.peek(0) {
                b'\n' => {
                    line_break = true;
                    self.at += 1;
                }
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c => self.at += 1,
                b'-' if self.peek(1) == b'-' => {
                    let start = self.at;
                    self.at += 2;
                    if self.peek(0) == b'[' && self.long_bracket_level().is_some() {
                        let level = self.long_bracket_level().unwrap_or(0);
                        let before = self.at;
                        if !self.skip_long_bracket(level) {
                            self.error(
                                start,
                                before + level + 2,
                                "unfinished long comment".to_owned(),
                                Some(format!("close it with `]{}]`", "=".repeat(level))),
                            );
                        }
                        line_break |= self.bytes.get(start..self.at).is_some_and(|text| text.contains(&b'\n'));
                    } else {
                        self.skip_line();
                    }
                    self.out.comments.push(Span::new(start, self.at));
                }
                _ => return line_break,
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        if self.at > 0 && self.bytes.get(self.at - 1) == Some(&b'\r') && self.at < self.bytes.len() {
            self.at -= 1;
        }
    }

    /// At `[`: the number of `=` signs if a long bracket opens here.
    fn long_bracket_level(&self) -> Option<usize> {
        let mut level = 0;
        while self.peek(1 + level) == b'=' {
            level += 1;
        }
        (self.peek(1 + level) == b'[').then_some(level)
    }

    /// Skips a long bracket from its opening to its closing; false if it does not close.
    fn skip_long_bracket(&mut self, level: usize) -> bool {
        self.at += level + 2;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            if byte != b']' {
                continue;
            }
            let mut signs = 0;
            while self.peek(signs) == b'=' {
                signs += 1;
            }
            if signs == level && self.peek(signs) == b']' {
                self.at += signs + 1;
                return true;
            }
            self.at += signs;
        }
        false
    }

    /// Reads one token; none if the text here is no token (an error was noted).
    fn token(&mut self) -> Option<TokenKind> {
        use TokenKind as T;
        let (kind, length) = match (self.peek(0), self.peek(1)) {
            (b'a'..=b'z' | b'A'..=b'Z' | b'_', _) => return Some(self.word()),
            (b'0'..=b'9', _) | (b'.', b'0'..=b'9') => return Some(self.number()),
            (b'"' | b'\'', _) => return Some(self.string()),
            (b'[', b'[' | b'=') => match self.long_bracket_level() {
                Some(level) => return Some(self.long_string(level)),
                None if self.peek(1) == b'=' => return Some(self.bad_long_bracket()),
                None => (T::OpenBracket, 1),
            },
            (b'+', _) => (T::Plus, 1),
            (b'-', b'>') => (T::Arrow, 2),
            (b'-', _) => (T::Minus, 1),
            (b'*', _) => (T::Star, 1),
            (b'/', b'/') => (T::DoubleSlash, 2),
            (b'/', _) => (T::Slash, 1),
            (b'%', _) => (T::Percent, 1),
            (b'^', _) => (T::Caret, 1),
            (b'#', _) => (T::Hash, 1),
            (b'&', _) => (T::Ampersand, 1),
            (b'~', b'=') => (T::NotEqual, 2),
            (b'~', _) => (T::Tilde, 1),
            (b'|', _) => (T::Pipe, 1),
            (b'<', b'<') => (T::ShiftLeft, 2),
            (b'<', b'=') => (T::LessEqual, 2),
            (b'<', _) => (T::Less, 1),
            (b'>', b'>') => (T::ShiftRight, 2),
            (b'>', b'=') => (T::GreaterEqual, 2),
            (b'>', _) => (T::Greater, 1),
            (b'=', b'=') => (T::Equal, 2),
            (b'=', _) => (T::Assign, 1),
            (b'(', _) => (T::OpenParen, 1),
            (b')', _) => (T::CloseParen, 1),
            (b'{', _) => (T::OpenBrace, 1),
            (b'}', _) => (T::CloseBrace, 1),
            (b'[', _) => (T::OpenBracket, 1),
            (b']', _) => (T::CloseBracket, 1),
            (b';', _) => (T::Semicolon, 1),
            (b':', b':') => (T::DoubleColon, 2),
            (b':', _) => (T::Colon, 1),
            (b',', _) => (T::Comma, 1),
            (b'.', b'.') if self.peek(2) == b'.' => (T::Ellipsis, 3),
            (b'.', b'.') => (T::Concat, 2),
            (b'.', _) => (T::Dot, 1),
            (b'?', _) => (T::Question, 1),
            (b'!', _) => (T::Bang, 1),
            (b'@', _) => (T::At, 1),
            _ => return self.bad_character(),
        };
        self.at += length;
        Some(kind)
    }

    fn word(&mut self) -> TokenKind {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or(&[]);
        let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').unwrap_or(rest.len());
        self.at += length;
        TokenKind::of_word(rest.get(..length).unwrap_or(&[]))
    }

    fn bad_character(&mut self) -> Option<TokenKind> {
        let start = self.at;
        let character = self.source.get(start..).and_then(|rest| rest.chars().next()).unwrap_or('\u{fffd}');
        self.at += character.len_utf8().max(1);
        if character.is_alphabetic() {
            while let Some(next) = self.source.get(self.at..).and_then(|rest| rest.chars().next()) {
                if !(next.is_alphanumeric() || next == '_') {
                    break;
                }
                self.at += next.len_utf8();
            }
            let message = "a name may only hold the letters a to z, digits and `_`".to_owned();
            self.error(start, self.at, message, None);
            return Some(TokenKind::Name);
        }
        let help = match character {
            '\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}' | '`' => Some("write a straight quote: `\"`".to_owned()),
            '\u{a0}' => Some("replace the no-break space by an ordinary space".to_owned()),
            '\\' => Some("a backslash has a meaning only inside a string".to_owned()),
            '$' => Some("a name may only hold the letters a to z, digits and `_`".to_owned()),
            _ => None,
        };
        self.error(start, self.at, format!("unexpected character `{character}`"), help);
        None
    }

    fn number(&mut self) -> TokenKind {
        let start = self.at;
        let hex = self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'X');
        if hex {
            self.at += 2;
        }
        let mut digits = 0;
        let mut points = 0;
        let mut exponent = None;
        loop {
            let byte = self.peek(0);
            match byte {
                b'e' | b'E' if !hex && exponent.is_none() => exponent = Some(0),
                b'p' | b'P' if hex && exponent.is_none() => exponent = Some(0),
                b'.' => points += if exponent.is_some() { 2 } else { 1 },
                _ if byte.is_ascii_digit() || (hex && exponent.is_none() && byte.is_ascii_hexdigit()) => match &mut exponent {
                    Some(count) => *count += 1,
                    None => digits += 1,
                },
                _ => break,
            }
            self.at += 1;
            if exponent == Some(0) && matches!(byte, b'e' | b'E' | b'p' | b'P') && matches!(self.peek(0), b'+' | b'-') {
                self.at += 1;
            }
        }
        let well_formed = digits > 0 && points <= 1 && exponent != Some(0);
        let word = self.peek(0).is_ascii_alphanumeric() || self.peek(0) == b'_';
        if word {
            self.word();
        }
        if word || !well_formed {
            let text = self.source.get(start..self.at).unwrap_or("");
            let help = if points == 2 && text.contains("..") {
                Some("put a space before `..`".to_owned())
            } else if word && digits > 0 {
                Some("a name cannot start with a digit".to_owned())
            } else {
                None
            };
            self.error(start, self.at, format!("malformed number `{text}`"), help);
        }
        TokenKind::Number
    }

    fn string(&mut self) -> TokenKind {
        let start = self.at;
        let quote = self.peek(0);
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                Some(&byte) if byte == quote => {
                    self.at += 1;
                    return TokenKind::String;
                }
                Some(b'\\') => self.escape(),
                None | Some(b'\n') => {
                    let help = format!("close it with `{}`, or write `[[...]]` for several lines", char::from(quote));
                    let end =
                        if self.peek(0) == b'\n' && self.bytes.get(self.at - 1) == Some(&b'\r') { self.at - 1 } else { self.at };
                    self.error(start, end, "unfinished string".to_owned(), Some(help));
                    return TokenKind::String;
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) {
        let start = self.at;
        self.at += 1;
        let byte = self.peek(0);
        match byte {
            b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'\\' | b'"' | b'\'' | b'\n' => self.at += 1,
            b'\r' => self.at += if self.peek(1) == b'\n' { 2 } else { 1 },
            b'z' => {
                self.at += 1;
                while matches!(self.peek(0), b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c) {
                    self.at += 1;
                }
            }
            b'x' => {
                if self.peek(1).is_ascii_hexdigit() && self.peek(2).is_ascii_hexdigit() {
                    self.at += 3;
                } else {
                    self.at += 1;
                    self.error(start, self.at, "`\\x` needs two hexadecimal digits".to_owned(), None);
                }
            }
            b'0'..=b'9' => {
                let mut value = 0_u32;
                let mut count = 0;
                while count < 3 && self.peek(0).is_ascii_digit() {
                    value = value * 10 + u32::from(self.peek(0) - b'0');
                    self.at += 1;
                    count += 1;
                }
                if value > 255 {
                    self.error(start, self.at, "a decimal escape may be at most `\\255`".to_owned(), None);
                }
            }
            b'u' => self.unicode_escape(start),
            _ => {
                let character = self.source.get(self.at..).and_then(|rest| rest.chars().next());
                self.at += character.map_or(0, char::len_utf8);
                if let Some(character) = character {
                    let help = "write `\\\\` for a backslash".to_owned();
                    self.error(start, self.at, format!("invalid escape `\\{character}`"), Some(help));
                }
            }
        }
    }

    fn unicode_escape(&mut self, start: usize) {
        self.at += 1;
        let mut value = 0_u64;
        let mut digits = 0;
        if self.peek(0) == b'{' {
            self.at += 1;
            while let Some(digit) = char::from(self.peek(0)).to_digit(16) {
                value = (value * 16 + u64::from(digit)).min(u64::from(u32::MAX));
                digits += 1;
                self.at += 1;
            }
            if digits > 0 && self.peek(0) == b'}' && value < 0x8000_0000 {
                self.at += 1;
                return;
            }
        }
        self.error(start, self.at, "invalid unicode escape".to_owned(), Some("write it as `\\u{1F600}`".to_owned()));
    }

    fn long_string(&mut self, level: usize) -> TokenKind {
        let start = self.at;
        if !self.skip_long_bracket(level) {
            let help = format!("close it with `]{}]`", "=".repeat(level));
            self.error(start, start + level + 2, "unfinished long string".to_owned(), Some(help));
        }
        TokenKind::String
    }

    fn bad_long_bracket(&mut self) -> TokenKind {
        let start = self.at;
        self.at += 1;
        while self.peek(0) == b'=' {
            self.at += 1;
        }
        self.error(start, self.at, "invalid opening of a long string".to_owned(), Some("write `[[` or `[=[`".to_owned()));
        TokenKind::String
    }
}
