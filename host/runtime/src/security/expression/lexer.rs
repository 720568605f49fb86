//! Cuts an expression into words, texts, numbers and signs.

use std::fmt;

use serde_json::{Number, Value};

use super::literal;

/// The smallest unit of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    Number(Number),
    Sign(String),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) | Self::Sign(text) => f.write_str(text),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl Token {
    /// Gives the value of a token that is one.
    pub(super) fn value(&self) -> Option<Value> {
        match self {
            Self::Text(text) => Some(Value::String(text.clone())),
            Self::Number(number) => Some(Value::Number(number.clone())),
            Self::Word(word) => literal(word),
            Self::Sign(_) => None,
        }
    }
}

/// Longer signs first.
const SIGNS: [&str; 15] = ["==", "!=", "<=", ">=", "&&", "||", "?.", "<", ">", "!", "(", ")", "[", "]", ","];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first == '"' || first == '\'' {
            let (text, length) = quoted(rest, first)?;
            tokens.push(Token::Text(text));
            length
        } else if first.is_ascii_digit() || (first == '-' && starts_value(tokens.last())) {
            let length = span(rest, |character| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '+'));
            let number = rest.get(..length).unwrap_or_default();
            // A minus belongs to a number at its beginning and in an exponent only.
            let read = serde_json::from_str(number).map_err(|_| format!("`{number}` is no number"))?;
            tokens.push(Token::Number(read));
            length
        } else if first.is_alphabetic() || first == '_' {
            let length = span(rest, |character| character.is_alphanumeric() || character == '_');
            tokens.push(Token::Word(rest.get(..length).unwrap_or_default().to_owned()));
            length
        } else if let Some(sign) = SIGNS.iter().chain(&["."]).find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign((*sign).to_owned()));
            sign.len()
        } else {
            return Err(format!("`{}` is not part of expressions", first.escape_debug()));
        };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// Tells whether a minus after this token begins a number.
fn starts_value(before: Option<&Token>) -> bool {
    !matches!(before, Some(Token::Number(_) | Token::Text(_)))
}

fn span(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|character| !belongs(character)).unwrap_or(text.len())
}

/// Reads a text in quotes; also gives how long it is with them.
fn quoted(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut read = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, 'n')) => read.push('\n'),
                Some((_, 't')) => read.push('\t'),
                Some((_, 'r')) => read.push('\r'),
                Some((_, other)) if matches!(other, '\\' | '"' | '\'') => read.push(other),
                // Regular expressions are full of these.
                Some((_, other)) => read.extend(['\\', other]),
                None => break,
            },
            character if character == quote => return Ok((read, at + quote.len_utf8())),
            character => read.push(character),
        }
    }
    Err(format!("a text is not closed: {quote} is missing"))
}
