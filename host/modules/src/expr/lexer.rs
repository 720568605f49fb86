//! From text to tokens.

/// A token with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Name(String),
    Int(i64),
    Float(f64),
    Text(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    End,
}

/// What is wrong with an expression, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    message: String,
    at: usize,
}

impl Problem {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), at }
    }

    /// Writes the problem with its line and column.
    pub(super) fn describe(&self, source: &str) -> String {
        let (line, column) = place(source, self.at);
        format!("failed to read the expression: {} ({line}:{column})", self.message)
    }
}

/// Returns line and column of a place, from 1.
pub(super) fn place(source: &str, at: usize) -> (usize, usize) {
    let before = source.get(..at).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |index| index + 1);
    (before.matches('\n').count() + 1, before.get(line_start..).unwrap_or("").chars().count() + 1)
}

/// Symbols, longer ones first.
const SYMBOLS: &[&str] = &[
    "...", "&&", "||", "==", "!=", "<=", ">=", "??", "?.", "..", "**", "(", ")", "[", "]", "{", "}", ",", ":", ";", "?", ".",
    "+", "-", "*", "/", "%", "^", "<", ">", "!", "|", "=", "#", "$",
];

/// Reads all tokens; the last one is the end.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or(' ');
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 2).ok_or_else(|| Problem::new(at, "the comment has no end"))?
        } else {
            let (kind, length) = token(rest, at)?;
            tokens.push(Token { kind, at });
            length
        };
        at += length;
    }
    tokens.push(Token { kind: TokenKind::End, at });
    Ok(tokens)
}

fn token(rest: &str, at: usize) -> Result<(TokenKind, usize), Problem> {
    let first = rest.chars().next().unwrap_or(' ');
    let second = rest.chars().nth(1).unwrap_or(' ');
    if first.is_alphabetic() || first == '_' {
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        return Ok((TokenKind::Name(rest.get(..length).unwrap_or("").to_owned()), length));
    }
    if first.is_ascii_digit() || (first == '.' && second.is_ascii_digit()) {
        return number(rest, at);
    }
    if first == '`' {
        let end = rest.get(1..).and_then(|inner| inner.find('`')).ok_or_else(|| Problem::new(at, "the string has no end"))?;
        return Ok((TokenKind::Text(rest.get(1..=end).unwrap_or("").to_owned()), end + 2));
    }
    if first == '"' || first == '\'' {
        return text(rest, first, at);
    }
    match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        Some(symbol) => Ok((TokenKind::Symbol(symbol), symbol.len())),
        None => Err(Problem::new(at, format!("unexpected character `{}`", first.escape_default()))),
    }
}

fn number(rest: &str, at: usize) -> Result<(TokenKind, usize), Problem> {
    let radix = match rest.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0b" | "0B") => 2,
        Some("0o" | "0O") => 8,
        _ => 10,
    };
    let broken = || Problem::new(at, "this is no number");
    if radix != 10 {
        let digits = rest.get(2..).unwrap_or("");
        let length = digits.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(digits.len());
        let digits = digits.get(..length).unwrap_or("").replace('_', "");
        let value = i64::from_str_radix(&digits, radix).map_err(|_| broken())?;
        return Ok((TokenKind::Int(value), length + 2));
    }
    let bytes = rest.as_bytes();
    let digit = |index: usize| bytes.get(index).is_some_and(|byte| byte.is_ascii_digit() || *byte == b'_');
    let mut end = 0;
    while digit(end) {
        end += 1;
    }
    let mut float = false;
    // Two dots are a range.
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1) != Some(&b'.') && digit(end + 1) {
        float = true;
        end += 1;
        while digit(end) {
            end += 1;
        }
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if digit(end + 1 + sign) {
            float = true;
            end += 1 + sign;
            while digit(end) {
                end += 1;
            }
        }
    }
    let digits = rest.get(..end).unwrap_or("").replace('_', "");
    if rest.get(end..).and_then(|rest| rest.chars().next()).is_some_and(char::is_alphabetic) {
        return Err(broken());
    }
    if !float && let Ok(value) = digits.parse() {
        return Ok((TokenKind::Int(value), end));
    }
    digits.parse().map(|value| (TokenKind::Float(value), end)).map_err(|_| broken())
}

fn text(rest: &str, quote: char, at: usize) -> Result<(TokenKind, usize), Problem> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((index, character)) = characters.next() {
        match character {
            _ if character == quote => return Ok((TokenKind::Text(text), index + 1)),
            '\\' => {
                let (_, escaped) = characters.next().ok_or_else(|| Problem::new(at, "the string has no end"))?;
                text.push(match escaped {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'v' => '\u{b}',
                    '\\' | '\'' | '"' | '`' | '?' => escaped,
                    'x' | 'u' | 'U' => {
                        let count = match escaped {
                            'x' => 2,
                            'u' => 4,
                            _ => 8,
                        };
                        let digits: String = characters.by_ref().take(count).map(|(_, digit)| digit).collect();
                        let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                        code.ok_or_else(|| Problem::new(at + index, "this is no character"))?
                    }
                    _ => return Err(Problem::new(at + index, format!("unknown escape `\\{}`", escaped.escape_default()))),
                });
            }
            _ => text.push(character),
        }
    }
    Err(Problem::new(at, "the string has no end"))
}
