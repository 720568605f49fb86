//! Expressions.

use super::{Erasure, Parse, Parser, SyntaxError};
use crate::syntax::Span;
use crate::syntax::ast::{BinaryOperator, ExprId, ExprKind, TableItem, UnaryOperator};
use crate::syntax::token::{Token, TokenKind};

/// How strongly a prefix operator binds.
const UNARY_PRIORITY: u8 = 12;

impl Parser<'_> {
    pub(super) fn expression_list(&mut self) -> Parse<Vec<ExprId>> {
        let mut list = Vec::with_capacity(1);
        loop {
            list.push(self.expression()?);
            if !self.eat(TokenKind::Comma) {
                return Ok(list);
            }
        }
    }

    pub(super) fn expression(&mut self) -> Parse<ExprId> {
        self.operators(0)
    }

    /// Reads an expression of operators that bind more strongly than a limit.
    fn operators(&mut self, limit: u8) -> Parse<ExprId> {
        self.enter()?;
        let mut left = if let Some(operator) = unary_operator(self.kind()) {
            let start = self.advance();
            let operand = self.operators(UNARY_PRIORITY)?;
            let span = start.to(self.span_of(operand));
            self.expr(ExprKind::Unary { operator, operand }, span)
        } else {
            self.simple_expression()?
        };
        while let Some((operator, left_priority, right_priority)) = binary_operator(self.kind()) {
            if left_priority <= limit {
                break;
            }
            let operator_span = self.advance();
            self.reject_doubled(operator_span)?;
            let right = self.operators(right_priority)?;
            let span = self.span_of(left).to(self.span_of(right));
            left = self.expr(ExprKind::Binary { operator, left, right, operator_span }, span);
        }
        self.nesting -= 1;
        Ok(left)
    }

    /// `&&` and `||` are what other languages write.
    fn reject_doubled(&mut self, operator: Span) -> Parse<()> {
        let next = self.token();
        let word = match (self.text(operator), next.kind) {
            ("&", TokenKind::Ampersand) => "and",
            ("|", TokenKind::Pipe) => "or",
            _ => return Ok(()),
        };
        if next.span.start != operator.end {
            return Ok(());
        }
        let span = operator.to(next.span);
        let error = SyntaxError::new(span, format!("Lua has no operator `{}`", self.text(span)))
            .help(format!("write `{word}`"))
            .fix(span, word, format!("replace with `{word}`"));
        Err(self.report(error))
    }

    fn simple_expression(&mut self) -> Parse<ExprId> {
        let token = self.token();
        let kind = match token.kind {
            TokenKind::Number => ExprKind::Number,
            TokenKind::String => ExprKind::String,
            TokenKind::Nil => ExprKind::Nil,
            TokenKind::True => ExprKind::True,
            TokenKind::False => ExprKind::False,
            TokenKind::Ellipsis => {
                if !self.function.vararg {
                    let error = SyntaxError::new(token.span, "`...` outside a function that takes `...`");
                    self.report_in_step(error.help("add `...` to the parameters"));
                }
                ExprKind::Vararg
            }
            TokenKind::Function => {
                let opener = self.advance();
                let function = self.function_body(opener)?;
                let span = function.span;
                let id = self.expr(ExprKind::Function(Box::new(function)), span);
                return self.casts(id);
            }
            TokenKind::OpenBrace => {
                let id = self.table()?;
                return self.casts(id);
            }
            _ => {
                let id = self.suffixed_expression()?;
                return self.casts(id);
            }
        };
        self.advance();
        let id = self.expr(kind, token.span);
        self.casts(id)
    }

    fn primary_expression(&mut self) -> Parse<ExprId> {
        let token = self.token();
        match token.kind {
            TokenKind::Name => {
                self.advance();
                Ok(self.expr(ExprKind::Name, token.span))
            }
            TokenKind::OpenParen => {
                self.advance();
                self.brackets += 1;
                let inner = self.expression()?;
                let close = self.expect_close(TokenKind::CloseParen, token.span)?;
                self.brackets -= 1;
                Ok(self.expr(ExprKind::Paren(inner), token.span.to(close)))
            }
            _ => {
                let mut error = self.expected_error("an expression");
                match token.kind {
                    TokenKind::Bang => {
                        error = SyntaxError::new(token.span, "an expression expected, found `!`").help("write `not`").fix(
                            token.span,
                            "not ",
                            "replace with `not`",
                        );
                    }
                    TokenKind::Assign if self.text(self.previous()) == "!" && self.previous().end == token.span.start => {
                        error = not_equal(self.previous().to(token.span));
                    }
                    kind if kind.is_keyword() && !token.first_on_line && kind != TokenKind::EndKeyword => {
                        error.help = Some(format!("`{}` is a reserved word and cannot be a name", kind.text()));
                    }
                    _ => {}
                }
                Err(self.report(error))
            }
        }
    }

    pub(super) fn suffixed_expression(&mut self) -> Parse<ExprId> {
        let mut id = self.primary_expression()?;
        loop {
            let token = self.token();
            let start = self.span_of(id);
            match token.kind {
                TokenKind::Dot => {
                    self.advance();
                    let name = self.name("a field name")?;
                    id = self.expr(ExprKind::Field { object: id, name }, start.to(name));
                }
                TokenKind::OpenBracket => {
                    self.advance();
                    self.brackets += 1;
                    let key = self.expression()?;
                    let close = self.expect_close(TokenKind::CloseBracket, token.span)?;
                    self.brackets -= 1;
                    id = self.expr(ExprKind::Index { object: id, key }, start.to(close));
                }
                TokenKind::Colon => {
                    // `local x = a : T` or `x: T = 1`: the caller knows more about a colon without a call.
                    let called = matches!(self.ahead(2).kind, TokenKind::OpenParen | TokenKind::OpenBrace | TokenKind::String);
                    if self.ahead(1).kind == TokenKind::Name && !called {
                        if self.brackets == 0 && !matches!(self.exprs.get(id.index()).map(|e| &e.kind), Some(ExprKind::Name)) {
                            let error = SyntaxError::new(self.ahead(1).span, "`(` expected: a colon calls a method")
                                .help(format!("write `:{}()` to call it, or `.{0}` to read it", self.text(self.ahead(1).span)));
                            return Err(self.report(error));
                        }
                        return Ok(id);
                    }
                    self.advance();
                    let name = self.name("a method name")?;
                    let (args, args_span) = self.args()?;
                    id = self.expr(ExprKind::MethodCall { object: id, name, args, args_span }, start.to(args_span));
                }
                TokenKind::OpenParen | TokenKind::String | TokenKind::OpenBrace => {
                    let (args, args_span) = self.args()?;
                    id = self.expr(ExprKind::Call { callee: id, args, args_span }, start.to(args_span));
                }
                TokenKind::Bang => {
                    let next = self.ahead(1);
                    if next.kind == TokenKind::Assign && next.span.start == token.span.end {
                        let error = not_equal(token.span.to(next.span));
                        return Err(self.report(error));
                    }
                    self.advance();
                    self.erase(token.span);
                    id = self.expr(ExprKind::NonNil(id), start.to(token.span));
                }
                _ => return Ok(id),
            }
        }
    }

    fn args(&mut self) -> Parse<(Vec<ExprId>, Span)> {
        let token = self.token();
        match token.kind {
            TokenKind::OpenParen => {
                self.advance();
                self.brackets += 1;
                let args = if self.at_args_end() { Vec::new() } else { self.expression_list()? };
                let close = self.close_args(token.span)?;
                self.brackets -= 1;
                Ok((args, token.span.to(close)))
            }
            TokenKind::String => {
                self.advance();
                Ok((vec![self.expr(ExprKind::String, token.span)], token.span))
            }
            TokenKind::OpenBrace => {
                let table = self.table()?;
                Ok((vec![table], self.span_of(table)))
            }
            _ => Err(self.expected("`(` with the arguments")),
        }
    }

    /// After the opening bracket of a call: whether no argument follows, because of the closing one or of what lacks.
    fn at_args_end(&self) -> bool {
        match self.kind() {
            TokenKind::CloseParen => true,
            TokenKind::Function | TokenKind::Not | TokenKind::Nil | TokenKind::True | TokenKind::False => false,
            kind => kind.is_keyword() && self.token().first_on_line,
        }
    }

    fn close_args(&mut self, open: Span) -> Parse<Span> {
        let token = self.token();
        let starts_value = matches!(token.kind, TokenKind::Name | TokenKind::String | TokenKind::Number | TokenKind::OpenBrace);
        if starts_value && !token.first_on_line {
            let error = SyntaxError::new(token.span, format!("`,` or `)` expected, found {}", self.describe_token()))
                .related(open, "the arguments start here")
                .help("separate arguments with `,`");
            return Err(self.report(error));
        }
        if token.kind == TokenKind::Assign {
            let error = SyntaxError::new(token.span, "`,` or `)` expected, found `=`")
                .help("to compare, write `==`; to pass named arguments, pass a table: `f({name = value})`");
            return Err(self.report(error));
        }
        self.expect_close(TokenKind::CloseParen, open)
    }

    fn table(&mut self) -> Parse<ExprId> {
        self.enter()?;
        let open = self.advance();
        self.brackets += 1;
        let mut items = Vec::new();
        while self.kind() != TokenKind::CloseBrace {
            items.push(self.table_item()?);
            if !matches!(self.kind(), TokenKind::Comma | TokenKind::Semicolon) {
                break;
            }
            self.advance();
        }
        if self.kind() != TokenKind::CloseBrace && !items.is_empty() {
            let error = self.unclosed_table(open);
            return Err(self.report(error));
        }
        let close = self.expect_close(TokenKind::CloseBrace, open)?;
        self.brackets -= 1;
        self.nesting -= 1;
        Ok(self.expr(ExprKind::Table(items), open.to(close)))
    }

    /// At `name:`: whether a method name and its arguments follow.
    fn at_method_call(&self) -> bool {
        let called = matches!(self.ahead(3).kind, TokenKind::OpenParen | TokenKind::OpenBrace | TokenKind::String);
        self.ahead(2).kind == TokenKind::Name && called
    }

    fn unclosed_table(&self, open: Span) -> SyntaxError {
        let token = self.token();
        let at = self.previous().end;
        let here = Span { start: at, end: at };
        let more = matches!(
            token.kind,
            TokenKind::Name | TokenKind::String | TokenKind::Number | TokenKind::OpenBracket | TokenKind::OpenBrace
        );
        if more {
            return SyntaxError::new(here, "`,` expected between the parts of a table")
                .label("expected here")
                .related(open, "the table starts here")
                .fix(here, ",", "add `,`");
        }
        if token.kind == TokenKind::Colon {
            return SyntaxError::new(token.span, "`=` expected between key and value, found `:`").fix(
                token.span,
                " =",
                "replace with `=`",
            );
        }
        self.unclosed(TokenKind::CloseBrace, open)
    }

    fn table_item(&mut self) -> Parse<TableItem> {
        if self.kind() == TokenKind::Name && self.ahead(1).kind == TokenKind::Colon && !self.at_method_call() {
            let colon = self.ahead(1).span;
            let error = SyntaxError::new(colon, "`=` expected between key and value, found `:`")
                .help("write `name = value`; a colon calls a method")
                .fix(colon, " =", "replace with `=`");
            return Err(self.report(error));
        }
        if self.kind() == TokenKind::Name && self.ahead(1).kind == TokenKind::Assign {
            let name = self.advance();
            self.advance();
            return Ok(TableItem::Named(name, self.expression()?));
        }
        if self.kind() == TokenKind::OpenBracket {
            let open = self.advance();
            let key = self.expression()?;
            self.expect_close(TokenKind::CloseBracket, open)?;
            if !self.eat(TokenKind::Assign) {
                return Err(self.expected("`=` after the key"));
            }
            return Ok(TableItem::Keyed(key, self.expression()?));
        }
        Ok(TableItem::Positional(self.expression()?))
    }

    /// Reads the casts after an expression.
    fn casts(&mut self, mut value: ExprId) -> Parse<ExprId> {
        loop {
            match self.kind() {
                TokenKind::DoubleColon if !self.at_label() => {}
                TokenKind::Name if self.at_as_cast() => {}
                TokenKind::Bang
                    if self.ahead(1).kind != TokenKind::Assign || self.ahead(1).span.start != self.token().span.end =>
                {
                    let span = self.advance();
                    self.erase(span);
                    value = self.expr(ExprKind::NonNil(value), self.span_of(value).to(span));
                    continue;
                }
                TokenKind::Bang => {
                    let error = not_equal(self.token().span.to(self.ahead(1).span));
                    return Err(self.report(error));
                }
                _ => return Ok(value),
            }
            let sign = self.advance();
            let target = self.cast_type()?;
            let end = self.previous();
            // The next statement must not become the arguments of a call of this expression.
            let separator = self.kind() == TokenKind::OpenParen;
            self.push_erasure(Erasure { span: sign.to(end), separator });
            let span = self.span_of(value).to(end);
            value = self.expr(ExprKind::Cast { value, target }, span);
        }
    }

    /// At `::` after an expression: whether Lua would read a label here.
    fn at_label(&self) -> bool {
        if self.brackets > 0 || self.ahead(1).kind != TokenKind::Name || self.ahead(2).kind != TokenKind::DoubleColon {
            return false;
        }
        // After `::name::` a type makes it two casts, unless the type could be the start of a statement.
        let next = self.ahead(3);
        match next.kind {
            TokenKind::OpenBrace
            | TokenKind::String
            | TokenKind::Number
            | TokenKind::Nil
            | TokenKind::True
            | TokenKind::False => false,
            TokenKind::Name if self.text(next.span) == "type" || self.text(next.span) == "export" => true,
            TokenKind::Name => {
                let mut ahead = 4;
                while self.ahead(ahead).kind == TokenKind::Dot && self.ahead(ahead + 1).kind == TokenKind::Name {
                    ahead += 2;
                }
                starts_call_or_assignment(self.ahead(ahead).kind)
            }
            _ => true,
        }
    }

    /// At a name after an expression: whether it is the `as` of a cast.
    fn at_as_cast(&mut self) -> bool {
        if !self.at_word("as") {
            return false;
        }
        let token = self.token();
        let next = self.ahead(1);
        match next.kind {
            // No statement reads `as name`.
            TokenKind::Name | TokenKind::Nil | TokenKind::True | TokenKind::False | TokenKind::Number => true,
            TokenKind::OpenParen | TokenKind::OpenBrace | TokenKind::String => {
                self.brackets > 0 || (!token.first_on_line && !self.as_is_name())
            }
            _ => false,
        }
    }

    /// Tells whether the file declares `as` anywhere, as a variable or a function.
    fn as_is_name(&mut self) -> bool {
        if let Some(known) = self.as_is_name {
            return known;
        }
        let mut found = false;
        let mut before: Option<Token> = None;
        let mut was_as = false;
        for token in &self.tokens {
            if was_as && token.kind == TokenKind::Assign {
                found = true;
                break;
            }
            was_as = token.kind == TokenKind::Name && self.text(token.span) == "as";
            if was_as && before.is_some_and(|before| matches!(before.kind, TokenKind::Local | TokenKind::Function)) {
                found = true;
                break;
            }
            before = Some(*token);
        }
        self.as_is_name = Some(found);
        found
    }
}

fn not_equal(span: Span) -> SyntaxError {
    SyntaxError::new(span, "Lua has no operator `!=`").help("write `~=`").fix(span, "~=", "replace with `~=`")
}

/// What may follow a name, with or without fields, at the start of a statement.
fn starts_call_or_assignment(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Assign
            | TokenKind::Comma
            | TokenKind::OpenParen
            | TokenKind::OpenBrace
            | TokenKind::OpenBracket
            | TokenKind::String
            | TokenKind::Colon
            | TokenKind::Dot
    )
}

fn unary_operator(kind: TokenKind) -> Option<UnaryOperator> {
    match kind {
        TokenKind::Minus => Some(UnaryOperator::Negate),
        TokenKind::Not => Some(UnaryOperator::Not),
        TokenKind::Hash => Some(UnaryOperator::Length),
        TokenKind::Tilde => Some(UnaryOperator::BitNot),
        _ => None,
    }
}

/// Gives an operator with how strongly it binds to its left and right.
fn binary_operator(kind: TokenKind) -> Option<(BinaryOperator, u8, u8)> {
    use BinaryOperator as B;
    Some(match kind {
        TokenKind::Or => (B::Or, 1, 1),
        TokenKind::And => (B::And, 2, 2),
        TokenKind::Less => (B::Less, 3, 3),
        TokenKind::Greater => (B::Greater, 3, 3),
        TokenKind::LessEqual => (B::LessEqual, 3, 3),
        TokenKind::GreaterEqual => (B::GreaterEqual, 3, 3),
        TokenKind::NotEqual => (B::NotEqual, 3, 3),
        TokenKind::Equal => (B::Equal, 3, 3),
        TokenKind::Pipe => (B::BitOr, 4, 4),
        TokenKind::Tilde => (B::BitXor, 5, 5),
        TokenKind::Ampersand => (B::BitAnd, 6, 6),
        TokenKind::ShiftLeft => (B::ShiftLeft, 7, 7),
        TokenKind::ShiftRight => (B::ShiftRight, 7, 7),
        TokenKind::Concat => (B::Concat, 9, 8),
        TokenKind::Plus => (B::Add, 10, 10),
        TokenKind::Minus => (B::Subtract, 10, 10),
        TokenKind::Star => (B::Multiply, 11, 11),
        TokenKind::Slash => (B::Divide, 11, 11),
        TokenKind::DoubleSlash => (B::FloorDivide, 11, 11),
        TokenKind::Percent => (B::Modulo, 11, 11),
        TokenKind::Caret => (B::Power, 14, 13),
        _ => return None,
    })
}
