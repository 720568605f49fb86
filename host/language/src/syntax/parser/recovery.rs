//! Reports, and the way back into step after one.

use super::{Parser, Stop, SyntaxError};
use crate::syntax::lexer::LexError;
use crate::syntax::token::{KEYWORDS, TokenKind};
use crate::syntax::{MAX_SYNTAX_ERRORS, Span};

impl Parser<'_> {
    /// Takes over what the lexer could not read: one report a line.
    pub(super) fn take_lex_errors(&mut self, errors: Vec<LexError>) {
        let mut last_line_end = None;
        for error in &errors {
            if last_line_end.is_some_and(|end| error.span.start as usize <= end) {
                continue;
            }
            let rest = self.source.get(error.span.start as usize..).unwrap_or("");
            last_line_end = Some(error.span.start as usize + rest.find('\n').unwrap_or(rest.len()));
            let mut report = SyntaxError::new(error.span, error.message.clone());
            report.help = error.help.clone();
            self.errors.push(report);
        }
        self.lex_errors = errors;
    }

    /// Tells whether an error here would not be reported, so that nobody need find words for it.
    pub(super) fn is_quiet(&self) -> bool {
        self.trying || self.out_of_step || self.errors.len() >= MAX_SYNTAX_ERRORS
    }

    /// Reports an error unless it is a consequence of an earlier one.
    pub(super) fn report(&mut self, error: SyntaxError) -> Stop {
        if !self.trying {
            if !self.is_consequence(error.span) {
                self.errors.push(error);
            }
            self.out_of_step = true;
        }
        Stop
    }

    /// Unwinds without a report.
    pub(super) fn stop(&mut self) -> Stop {
        if !self.trying {
            self.out_of_step = true;
        }
        Stop
    }

    /// Reports an error after which the parser is still in step. It counts only if the whole file can be read.
    pub(super) fn report_in_step(&mut self, error: SyntaxError) {
        if !self.trying && self.in_step_errors.len() < MAX_SYNTAX_ERRORS {
            self.in_step_errors.push(error);
        }
    }

    fn is_consequence(&self, span: Span) -> bool {
        if self.out_of_step || self.errors.len() >= MAX_SYNTAX_ERRORS {
            return true;
        }
        // What lacks is shown at the end of a line, but found on the next.
        let start = span.start.max(self.token().span.start) as usize;
        let rest = self.source.get(start..).unwrap_or("");
        let line_end = start + rest.find('\n').unwrap_or(rest.len());
        self.lex_errors.iter().any(|error| error.span.start >= self.in_step_since && error.span.start as usize <= line_end)
    }

    /// Skips to where a statement may start.
    pub(super) fn recover(&mut self) {
        loop {
            let token = self.token();
            match token.kind {
                TokenKind::End | TokenKind::EndKeyword | TokenKind::Else | TokenKind::ElseIf | TokenKind::Until => return,
                TokenKind::Semicolon => {
                    self.advance();
                    return;
                }
                kind if token.first_on_line && starts_statement(kind) => {
                    self.try_back_in_step();
                    return;
                }
                _ => {
                    self.advance();
                }
            }
        }
    }

    /// A statement word in the first column of the outermost level means that the text before it is over.
    pub(super) fn try_back_in_step(&mut self) {
        let token = self.token();
        let start = token.span.start as usize;
        let first_column = start == 0 || self.source.as_bytes().get(start - 1) == Some(&b'\n');
        if self.blocks == 1 && first_column && (token.kind.is_keyword() || self.at_type_alias()) {
            self.out_of_step = false;
            self.in_step_since = token.span.start;
        }
    }

    /// Reports that something else was expected here.
    pub(super) fn expected(&mut self, what: &str) -> Stop {
        if self.is_quiet() {
            return self.stop();
        }
        let error = self.expected_error(what);
        self.report(error)
    }

    pub(super) fn expected_error(&self, what: &str) -> SyntaxError {
        let token = self.token();
        let found = self.describe_token();
        let mut error = SyntaxError::new(token.span, format!("{what} expected, found {found}"));
        // What lacks at the end of a line is best shown there.
        if token.first_on_line && self.at > 0 {
            let end = self.previous().end;
            error.span = Span { start: end, end };
            error.message = format!("{what} expected");
            error.label = "expected here".to_owned();
        }
        error
    }

    pub(super) fn describe_token(&self) -> String {
        let token = self.token();
        match token.kind {
            TokenKind::End => "the end of the file".to_owned(),
            TokenKind::String => "a string".to_owned(),
            TokenKind::Name | TokenKind::Number => format!("`{}`", shorten(self.text(token.span))),
            kind => format!("`{}`", kind.text()),
        }
    }

    /// Takes a token, or reports that it lacks, pointing at the bracket that it would close.
    pub(super) fn expect_close(&mut self, kind: TokenKind, open: Span) -> Result<Span, Stop> {
        if self.kind() == kind {
            return Ok(self.advance());
        }
        if self.is_quiet() {
            return Err(self.stop());
        }
        let error = self.unclosed(kind, open);
        Err(self.report(error))
    }

    pub(super) fn unclosed(&self, kind: TokenKind, open: Span) -> SyntaxError {
        let mut error = self.expected_error(&format!("`{}`", kind.text()));
        let found = if self.token().first_on_line { String::new() } else { format!(", found {}", self.describe_token()) };
        let line = if self.same_line(open, error.span) { String::new() } else { self.at_line(open) };
        error.message = format!("`{}` expected to close `{}`{line}{found}", kind.text(), self.text(open));
        if open.end < error.span.start {
            error = error.related(open, "opened here");
        }
        error
    }

    /// Takes `end`, or reports that it lacks.
    pub(super) fn expect_end(&mut self, opener: Span) -> Result<Span, Stop> {
        if self.kind() == TokenKind::EndKeyword {
            return Ok(self.advance());
        }
        if self.is_quiet() {
            return Err(self.stop());
        }
        let word = self.text(opener);
        let mut error = self.expected_error("`end`");
        error.message = format!("`end` expected to close `{word}`{}", self.at_line(opener));
        if self.kind() != TokenKind::End {
            error.message = format!("{}, found {}", error.message, self.describe_token());
            error.span = self.token().span;
        }
        error = error.related(opener, "opened here");
        match self.find_unclosed() {
            Some(suspect) if self.is_else_if(suspect) => {
                error = error.related(suspect, "this `if` needs an `end` of its own");
                error = error.help("`else if` opens another block: write `elseif`");
            }
            Some(suspect) if suspect != opener => {
                let here = error.span;
                let line = self.at_line(suspect);
                error.message = format!("`end` expected to close `{}`{line}", self.text(suspect));
                error.span = suspect;
                error.label = "this seems to lack its `end`, going by the indentation".to_owned();
                error = error.related(here, "only noticed here");
            }
            _ => {}
        }
        Err(self.report(error))
    }

    /// Says at which line a place is, for messages that point to another line.
    pub(super) fn at_line(&self, place: Span) -> String {
        if self.same_line(place, self.token().span) {
            return String::new();
        }
        let before = self.source.as_bytes().get(..place.start as usize).unwrap_or(&[]);
        format!(" at line {}", before.iter().filter(|byte| **byte == b'\n').count() + 1)
    }

    fn same_line(&self, first: Span, second: Span) -> bool {
        let between = self.source.as_bytes().get(first.start as usize..second.start as usize);
        !between.unwrap_or(&[]).contains(&b'\n')
    }

    /// Gives the reserved word that a name was probably meant to be.
    pub(super) fn misspelt_keyword(&self, name: Span) -> Option<&'static str> {
        let text = self.text(name);
        match text {
            "elif" | "elsif" | "elseIf" => return Some("elseif"),
            "let" | "var" | "const" => return Some("local"),
            "fn" | "func" | "def" | "fun" => return Some("function"),
            "null" | "None" => return Some("nil"),
            _ => {}
        }
        if text.len() < 3 {
            return None;
        }
        KEYWORDS.iter().copied().find(|keyword| crate::spelling::is_near(text, keyword))
    }

    pub(super) fn stray_block_end(&self) -> SyntaxError {
        let word = self.kind().text();
        let error = SyntaxError::new(self.token().span, format!("unexpected `{word}`"));
        match self.kind() {
            TokenKind::EndKeyword => {
                error.label("there is no open block that it could close").help("remove it, or look for an `end` too many above")
            }
            TokenKind::Until => error.label("there is no open `repeat`"),
            _ => error.label("there is no open `if`"),
        }
    }

    /// Looks, by indentation, for the block that an author forgot to close.
    fn find_unclosed(&self) -> Option<Span> {
        let mut open: Vec<(Span, usize)> = Vec::new();
        let mut pending_loop = false;
        let mut else_if = None;
        let mut indentation = 0;
        for token in &self.tokens {
            if token.first_on_line {
                indentation = self.indentation(token.span);
            }
            match token.kind {
                TokenKind::For | TokenKind::While => {
                    pending_loop = true;
                    open.push((token.span, indentation));
                }
                TokenKind::Do if pending_loop => pending_loop = false,
                TokenKind::Do | TokenKind::Function | TokenKind::If | TokenKind::Repeat => open.push((token.span, indentation)),
                TokenKind::EndKeyword | TokenKind::Until => {
                    let (opener, opener_indentation) = open.pop()?;
                    if self.is_else_if(opener) {
                        else_if = Some(opener);
                    }
                    if token.first_on_line && indentation < opener_indentation {
                        return Some(opener);
                    }
                }
                _ => {}
            }
        }
        let (last, _) = open.last()?;
        Some(else_if.filter(|else_if| else_if.start > last.start).unwrap_or(*last))
    }

    /// Gives the white space before the first token of a line.
    pub(super) fn indentation(&self, token: Span) -> usize {
        let before = self.source.as_bytes().get(..token.start as usize).unwrap_or(&[]);
        before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    }

    fn is_else_if(&self, opener: Span) -> bool {
        let index = self.tokens.partition_point(|token| token.span.start < opener.start);
        index.checked_sub(1).and_then(|index| self.tokens.get(index)).is_some_and(|token| token.kind == TokenKind::Else)
    }
}

fn starts_statement(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Name
            | TokenKind::Local
            | TokenKind::Function
            | TokenKind::If
            | TokenKind::For
            | TokenKind::While
            | TokenKind::Repeat
            | TokenKind::Do
            | TokenKind::Return
            | TokenKind::Break
            | TokenKind::Goto
            | TokenKind::DoubleColon
    )
}

/// Names in messages stay short whatever the file holds.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or("")),
        None => text.to_owned(),
    }
}
