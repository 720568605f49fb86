//! The syntax of typed Lua: tokens, tree and an error-tolerant parser.
//!
//! Parsing never fails: it gives a tree and a list of errors. This module must not know types, names or lowering.

pub mod ast;
mod lexer;
mod literal;
mod parser;
mod token;

pub use ast::Span;
pub use lexer::{LexError, Lexed, lex};
pub use literal::{Number, number_value, string_value};
pub use parser::{Erasure, Parsed, SyntaxError, parse};
pub use token::{Token, TokenKind};

/// A longer source is refused before it is read: spans are 32 bits, and a tenant must not buy memory with text.
pub const MAX_SOURCE_BYTES: usize = 16 * 1024 * 1024;

/// How deep statements, expressions and types may nest in each other.
///
/// The same bound as Lua's own compiler has; without one a line of brackets would overflow the stack of the host.
pub const MAX_NESTING: usize = 200;

/// No more syntax errors than this are reported for one file.
pub const MAX_SYNTAX_ERRORS: usize = 20;
