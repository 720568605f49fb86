//! Tokens to tree, by recursive descent.
//!
//! Owns the cursor, the reports and the way back after an error; the grammar itself is in the modules below. After an error
//! the parser goes on at the next statement, and stays silent until it is certainly in step again, so that one typo gives one
//! report.

mod expression;
mod recovery;
mod statement;
mod types;

use super::ast::{Ast, Block, Expr, ExprId, ExprKind, TypeKind, TypeNode, TypeNodeId};
use super::lexer::{LexError, lex};
use super::token::{Token, TokenKind};
use super::{MAX_NESTING, MAX_SYNTAX_ERRORS, Span};

/// What parsing gives.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The tree; parts that could not be read are marked as errors in it.
    pub ast: Ast,
    /// What could not be read, in order.
    pub errors: Vec<SyntaxError>,
    /// What must go for the text to be plain Lua, in order and without overlap.
    pub erasures: Vec<Erasure>,
    /// The names of the declared types.
    pub type_names: Vec<Span>,
    /// The tokens.
    pub tokens: Vec<Token>,
}

/// A range of text that is not Lua.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// What to replace by white space.
    pub span: Span,
    /// Whether a semicolon must stand there, lest the lines around it become one call.
    pub separator: bool,
}

/// A place where the text does not follow the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to say beside the place.
    pub label: String,
    /// A place that explains it.
    pub related: Option<(Span, String)>,
    /// How to mend it.
    pub help: Option<String>,
    /// A change that certainly mends it: where, the new text, its title.
    pub fix: Option<(Span, String, String)>,
}

impl SyntaxError {
    fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), label: String::new(), related: None, help: None, fix: None }
    }

    fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related = Some((span, text.into()));
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn fix(mut self, span: Span, replacement: impl Into<String>, title: impl Into<String>) -> Self {
        self.fix = Some((span, replacement.into(), title.into()));
        self
    }
}

/// Parses a file.
#[must_use]
pub fn parse(source: &str) -> Parsed {
    let lexed = lex(source);
    let mut parser = Parser::new(source, lexed.tokens, lexed.errors);
    let block = parser.chunk();
    let mut errors = if parser.errors.is_empty() { parser.in_step_errors } else { parser.errors };
    errors.sort_by_key(|error| error.span.start);
    errors.truncate(MAX_SYNTAX_ERRORS);
    Parsed {
        ast: Ast { exprs: parser.exprs, types: parser.types, block, comments: lexed.comments },
        errors,
        erasures: parser.erasures,
        type_names: parser.type_names,
        tokens: parser.tokens,
    }
}

/// Unwinds to the statement list that can go on; the error was reported.
#[derive(Debug, Clone, Copy)]
struct Stop;

type Parse<T> = Result<T, Stop>;

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// The token before the cursor.
    last: Span,
    exprs: Vec<Expr>,
    types: Vec<TypeNode>,
    erasures: Vec<Erasure>,
    type_names: Vec<Span>,
    errors: Vec<SyntaxError>,
    /// Errors in what could be read, such as a `break` outside a loop.
    in_step_errors: Vec<SyntaxError>,
    lex_errors: Vec<LexError>,
    /// Where the parser was last certainly in step.
    in_step_since: u32,
    /// Whether errors may only be consequences of one already reported.
    out_of_step: bool,
    nesting: usize,
    blocks: usize,
    /// Open brackets of any kind in the current function: no statement can start while there are any.
    brackets: usize,
    function: FunctionState,
    /// Whether the file uses `as` as a name; computed when first needed.
    as_is_name: Option<bool>,
    /// While trying a reading that may be given up, errors are not reported.
    trying: bool,
    /// Tokens that were split since then, as they were.
    splits: Vec<(usize, Token)>,
}

/// What a function body needs to know about itself.
#[derive(Debug, Default)]
struct FunctionState {
    vararg: bool,
    loops: usize,
    labels: Vec<(Span, usize)>,
    gotos: Vec<(Span, usize)>,
    /// Whether some labels were not kept, so that no jump can be called wrong.
    too_many_jumps: bool,
}

impl<'a> Parser<'a> {
    fn new(source: &'a str, tokens: Vec<Token>, lex_errors: Vec<LexError>) -> Self {
        let mut parser = Self {
            source,
            exprs: Vec::with_capacity(tokens.len() / 2),
            tokens,
            at: 0,
            last: Span::default(),
            splits: Vec::new(),
            types: Vec::new(),
            erasures: Vec::new(),
            type_names: Vec::new(),
            errors: Vec::new(),
            in_step_errors: Vec::new(),
            lex_errors: Vec::new(),
            in_step_since: 0,
            out_of_step: false,
            nesting: 0,
            blocks: 0,
            brackets: 0,
            function: FunctionState { vararg: true, ..FunctionState::default() },
            as_is_name: None,
            trying: false,
        };
        parser.take_lex_errors(lex_errors);
        parser
    }

    fn token(&self) -> Token {
        self.ahead(0)
    }

    fn kind(&self) -> TokenKind {
        self.token().kind
    }

    fn ahead(&self, count: usize) -> Token {
        const NONE: Token = Token { kind: TokenKind::End, first_on_line: true, span: Span { start: 0, end: 0 } };
        match self.tokens.get(self.at + count) {
            Some(token) => *token,
            None => self.tokens.last().copied().unwrap_or(NONE),
        }
    }

    /// Gives the span of the token before the cursor.
    fn previous(&self) -> Span {
        self.last
    }

    fn advance(&mut self) -> Span {
        let span = self.token().span;
        self.last = span;
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        span
    }

    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.advance();
        }
        found
    }

    fn text(&self, span: Span) -> &'a str {
        span.text(self.source)
    }

    fn at_word(&self, word: &str) -> bool {
        let token = self.token();
        token.kind == TokenKind::Name && self.text(token.span) == word
    }

    fn expr(&mut self, kind: ExprKind, span: Span) -> ExprId {
        let id = ExprId(u32::try_from(self.exprs.len()).unwrap_or(u32::MAX));
        self.exprs.push(Expr { kind, span });
        id
    }

    fn type_node(&mut self, kind: TypeKind, span: Span) -> TypeNodeId {
        let id = TypeNodeId(u32::try_from(self.types.len()).unwrap_or(u32::MAX));
        self.types.push(TypeNode { kind, span });
        id
    }

    fn span_of(&self, id: ExprId) -> Span {
        self.exprs.get(id.index()).map_or(Span::default(), |expr| expr.span)
    }

    fn type_span(&self, id: TypeNodeId) -> Span {
        self.types.get(id.0 as usize).map_or(Span::default(), |node| node.span)
    }

    /// Marks text as not being Lua; marks within it are dropped.
    fn erase(&mut self, span: Span) {
        self.push_erasure(Erasure { span, separator: false });
    }

    fn push_erasure(&mut self, erasure: Erasure) {
        while self.erasures.last().is_some_and(|last| last.span.start >= erasure.span.start) {
            self.erasures.pop();
        }
        self.erasures.push(erasure);
    }

    /// Goes one level deeper; the caller lowers `nesting` again.
    fn enter(&mut self) -> Parse<()> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            let span = self.token().span;
            let message = format!("too deeply nested: more than {MAX_NESTING} levels");
            return Err(
                self.report(SyntaxError::new(span, message).help("move the inner parts into functions or locals of their own"))
            );
        }
        Ok(())
    }

    fn chunk(&mut self) -> Block {
        let mut block = Block::default();
        loop {
            self.block_into(&mut block);
            if self.kind() == TokenKind::End {
                self.close_labels();
                self.check_gotos();
                return block;
            }
            // A block-ending word at the outermost level.
            if self.errors.is_empty() {
                let error = self.stray_block_end();
                self.report(error);
            }
            self.advance();
            self.out_of_step = !self.errors.is_empty();
        }
    }
}
