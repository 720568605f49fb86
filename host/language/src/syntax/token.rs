//! Tokens: kinds and places. Whatever lies between two tokens is white space and comments.

use super::Span;

/// One token. The text before it, back to the end of its predecessor, is its trivia.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Whether a line break stands between it and its predecessor.
    pub first_on_line: bool,
    /// Where it is.
    pub span: Span,
}

macro_rules! token_kinds {
    ($($name:ident = $text:literal,)*) => {
        /// What a token is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each kind is named after the text that `text` gives")]
        pub enum TokenKind { $($name,)* }

        impl TokenKind {
            /// Gives how messages name this kind.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

token_kinds! {
    End = "end of file",
    Name = "name",
    Number = "number",
    String = "string",
    And = "and",
    Break = "break",
    Do = "do",
    Else = "else",
    ElseIf = "elseif",
    EndKeyword = "end",
    False = "false",
    For = "for",
    Function = "function",
    Goto = "goto",
    If = "if",
    In = "in",
    Local = "local",
    Nil = "nil",
    Not = "not",
    Or = "or",
    Repeat = "repeat",
    Return = "return",
    Then = "then",
    True = "true",
    Until = "until",
    While = "while",
    Plus = "+",
    Minus = "-",
    Star = "*",
    Slash = "/",
    DoubleSlash = "//",
    Percent = "%",
    Caret = "^",
    Hash = "#",
    Ampersand = "&",
    Tilde = "~",
    Pipe = "|",
    ShiftLeft = "<<",
    ShiftRight = ">>",
    Equal = "==",
    NotEqual = "~=",
    LessEqual = "<=",
    GreaterEqual = ">=",
    Less = "<",
    Greater = ">",
    Assign = "=",
    OpenParen = "(",
    CloseParen = ")",
    OpenBrace = "{",
    CloseBrace = "}",
    OpenBracket = "[",
    CloseBracket = "]",
    DoubleColon = "::",
    Semicolon = ";",
    Colon = ":",
    Comma = ",",
    Dot = ".",
    Concat = "..",
    Ellipsis = "...",
    Arrow = "->",
    Question = "?",
    Bang = "!",
    At = "@",
}

impl TokenKind {
    /// Tells whether this is a reserved word.
    #[must_use]
    pub fn is_keyword(self) -> bool {
        (self as u8) >= (Self::And as u8) && (self as u8) <= (Self::While as u8)
    }

    /// Gives the reserved word that a text is, or `Name`.
    pub(super) fn of_word(word: &[u8]) -> Self {
        match word {
            b"and" => Self::And,
            b"break" => Self::Break,
            b"do" => Self::Do,
            b"else" => Self::Else,
            b"elseif" => Self::ElseIf,
            b"end" => Self::EndKeyword,
            b"false" => Self::False,
            b"for" => Self::For,
            b"function" => Self::Function,
            b"goto" => Self::Goto,
            b"if" => Self::If,
            b"in" => Self::In,
            b"local" => Self::Local,
            b"nil" => Self::Nil,
            b"not" => Self::Not,
            b"or" => Self::Or,
            b"repeat" => Self::Repeat,
            b"return" => Self::Return,
            b"then" => Self::Then,
            b"true" => Self::True,
            b"until" => Self::Until,
            b"while" => Self::While,
            _ => Self::Name,
        }
    }
}

/// Every reserved word, for spelling help.
pub(super) const KEYWORDS: &[&str] = &[
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or",
    "repeat", "return", "then", "true", "until", "while",
];
