//! Statements and blocks.

use super::{Erasure, FunctionState, Parse, Parser, SyntaxError};
use crate::syntax::Span;
use crate::syntax::ast::{Binding, Block, ExprId, ExprKind, Function, Param, Statement, StatementKind, TypeAlias, Vararg};
use crate::syntax::token::TokenKind;

/// Jumps and labels of one function beyond this many are left to Lua's compiler: each pair is compared.
const MAX_JUMPS: usize = 500;

impl Parser<'_> {
    pub(super) fn block(&mut self) -> Block {
        let mut block = Block::default();
        self.block_into(&mut block);
        self.close_labels();
        block
    }

    /// Reads statements up to a word that ends a block. Never fails: what cannot be read becomes an error statement.
    pub(super) fn block_into(&mut self, block: &mut Block) {
        self.blocks += 1;
        let brackets = std::mem::take(&mut self.brackets);
        while !self.at_block_end() {
            if self.out_of_step {
                self.try_back_in_step();
            }
            let start = self.token().span;
            let nesting = self.nesting;
            let position = self.at;
            let returned = self.kind() == TokenKind::Return;
            let kind = match self.statement() {
                Ok(kind) => kind,
                Err(_) => {
                    self.nesting = nesting;
                    self.brackets = 0;
                    if self.at == position && !self.token().first_on_line {
                        self.advance();
                    }
                    self.recover_from(position);
                    StatementKind::Error
                }
            };
            let failed = matches!(kind, StatementKind::Error);
            let span = start.to(self.previous());
            if !matches!(kind, StatementKind::Empty) {
                block.statements.push(Statement { kind, span });
            }
            if returned && !failed && !self.at_block_end() {
                self.after_return(start);
            }
        }
        self.brackets = brackets;
        self.blocks -= 1;
        if let (Some(first), Some(last)) = (block.statements.first(), block.statements.last()) {
            block.span = first.span.to(last.span);
        }
    }

    /// Recovers, and makes sure that the cursor moves.
    fn recover_from(&mut self, position: usize) {
        self.recover();
        if self.at == position && !self.at_block_end() {
            self.advance();
            self.recover();
        }
    }

    /// After a `return` that does not end its block.
    fn after_return(&mut self, statement: Span) {
        if self.is_quiet() {
            self.stop();
            return;
        }
        let token = self.token();
        let error = if !token.first_on_line {
            SyntaxError::new(token.span, format!("unexpected {} after the values of `return`", self.describe_token()))
        } else if self.indentation(token.span) < self.indentation(statement) {
            let end = self.previous().end;
            SyntaxError::new(Span { start: end, end }, "`end` expected after `return`")
                .label("expected here, going by the indentation")
        } else {
            SyntaxError::new(token.span, "`return` must be the last statement of its block")
                .label("nothing can follow")
                .related(statement, "the block ends here")
                .help("to leave early, write `do return end`")
        };
        self.report(error);
    }

    fn at_block_end(&self) -> bool {
        matches!(self.kind(), TokenKind::End | TokenKind::EndKeyword | TokenKind::Else | TokenKind::ElseIf | TokenKind::Until)
    }

    fn statement(&mut self) -> Parse<StatementKind> {
        self.enter()?;
        let kind = self.statement_inner()?;
        self.nesting -= 1;
        Ok(kind)
    }

    fn statement_inner(&mut self) -> Parse<StatementKind> {
        match self.kind() {
            TokenKind::Semicolon => {
                self.advance();
                Ok(StatementKind::Empty)
            }
            TokenKind::Local => self.local(),
            TokenKind::Function => self.function_statement(),
            TokenKind::If => self.if_statement(),
            TokenKind::While => self.while_statement(),
            TokenKind::For => self.for_statement(),
            TokenKind::Repeat => self.repeat_statement(),
            TokenKind::Do => {
                let opener = self.advance();
                let block = self.block();
                self.expect_end(opener)?;
                Ok(StatementKind::Do(block))
            }
            TokenKind::Return => self.return_statement(),
            TokenKind::Break => {
                let span = self.advance();
                if self.function.loops == 0 {
                    self.report_in_step(SyntaxError::new(span, "`break` outside a loop"));
                }
                Ok(StatementKind::Break)
            }
            TokenKind::Goto => {
                self.advance();
                let name = self.name("the name of a label")?;
                if self.function.gotos.len() < MAX_JUMPS {
                    self.function.gotos.push((name, self.blocks));
                }
                Ok(StatementKind::Goto(name))
            }
            TokenKind::DoubleColon => {
                self.advance();
                let name = self.name("the name of the label")?;
                if !self.eat(TokenKind::DoubleColon) {
                    return Err(self.expected("`::`"));
                }
                self.label(name);
                Ok(StatementKind::Label(name))
            }
            TokenKind::Name if self.at_type_alias() => self.type_alias(),
            _ => self.expression_statement(),
        }
    }

    fn label(&mut self, name: Span) {
        let text = self.text(name);
        let earlier = self.function.labels.iter().find(|(label, _)| self.text(*label) == text).copied();
        if let Some((earlier, _)) = earlier {
            let error = SyntaxError::new(name, format!("label `{text}` is already defined")).related(earlier, "here");
            self.report_in_step(error);
        }
        if self.function.labels.len() < MAX_JUMPS {
            self.function.labels.push((name, self.blocks));
        } else {
            self.function.too_many_jumps = true;
        }
    }

    /// Settles the jumps of a block that ends: those without a label here look in the block around.
    pub(super) fn close_labels(&mut self) {
        // `blocks` was lowered already: labels of the ended block carry a higher number.
        let depth = self.blocks;
        let source = self.source;
        let FunctionState { labels, gotos, .. } = &mut self.function;
        gotos.retain_mut(|(name, at)| {
            if *at <= depth {
                return true;
            }
            let wanted = name.text(source);
            if labels.iter().any(|(label, at)| *at > depth && label.text(source) == wanted) {
                return false;
            }
            *at = depth;
            true
        });
        labels.retain(|(_, at)| *at <= depth);
    }

    /// Reports the jumps of a function that ends without a label for them.
    pub(super) fn check_gotos(&mut self) {
        let gotos = std::mem::take(&mut self.function.gotos);
        if self.function.too_many_jumps {
            return;
        }
        for (name, _) in gotos {
            let text = self.text(name);
            let mut error = SyntaxError::new(name, format!("no visible label `{text}` for this `goto`"));
            if text == "continue" {
                error = error.help("put `::continue::` before the `end` of the loop");
            }
            self.report_in_step(error);
        }
    }

    pub(super) fn name(&mut self, what: &str) -> Parse<Span> {
        if self.kind() == TokenKind::Name {
            return Ok(self.advance());
        }
        let mut error = self.expected_error(what);
        if self.kind().is_keyword() && !self.token().first_on_line {
            error.help = Some(format!("`{}` is a reserved word: choose another name", self.kind().text()));
        }
        Err(self.report(error))
    }

    fn binding(&mut self, what: &str) -> Parse<Binding> {
        let name = self.name(what)?;
        self.declared(name);
        let mut binding = Binding { name, annotation: None, attribute: None };
        self.attribute_into(&mut binding);
        binding.annotation = self.annotation()?;
        if binding.attribute.is_none() {
            self.attribute_into(&mut binding);
        }
        Ok(binding)
    }

    fn attribute_into(&mut self, binding: &mut Binding) {
        if self.kind() == TokenKind::Less && self.ahead(1).kind == TokenKind::Name && self.ahead(2).kind == TokenKind::Greater {
            self.advance();
            binding.attribute = Some(self.attribute());
            self.advance();
        }
    }

    fn attribute(&mut self) -> Span {
        let word = self.advance();
        if !matches!(self.text(word), "const" | "close") {
            let error = SyntaxError::new(word, format!("unknown attribute `{}`", self.text(word)));
            self.report_in_step(error.help("the attributes are `<const>` and `<close>`; a type follows a colon"));
        }
        word
    }

    /// Notes that a name is declared, because `as` as a name makes casts ambiguous.
    pub(super) fn declared(&mut self, name: Span) {
        if self.text(name) == "as" {
            self.as_is_name = Some(true);
        }
    }

    fn local(&mut self) -> Parse<StatementKind> {
        self.advance();
        if self.kind() == TokenKind::Function {
            let opener = self.advance();
            let name = self.name("the name of the function")?;
            self.declared(name);
            let function = self.function_body(opener)?;
            return Ok(StatementKind::LocalFunction { name, function: Box::new(function) });
        }
        let mut names = Vec::with_capacity(1);
        loop {
            names.push(self.binding("a name")?);
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        let values = if self.eat(TokenKind::Assign) { self.expression_list()? } else { Vec::new() };
        if values.is_empty() && !self.token().first_on_line {
            self.reject_after_local()?;
        }
        Ok(StatementKind::Local { names, values })
    }

    /// Says what is probably meant by something odd after `local x`.
    fn reject_after_local(&mut self) -> Parse<()> {
        let token = self.token();
        let error = match token.kind {
            TokenKind::Equal => SyntaxError::new(token.span, "`=` expected, found `==`")
                .fix(token.span, "=", "replace with `=`")
                .help("`==` compares; `=` gives a value"),
            TokenKind::Plus | TokenKind::Dot | TokenKind::OpenBracket | TokenKind::String | TokenKind::Number => {
                self.expected_error("`=` or a new statement")
            }
            _ => return Ok(()),
        };
        Err(self.report(error))
    }

    fn function_statement(&mut self) -> Parse<StatementKind> {
        let opener = self.advance();
        let name = self.name("the name of the function")?;
        self.declared(name);
        let mut target = self.expr(ExprKind::Name, name);
        let mut method = false;
        while !method && matches!(self.kind(), TokenKind::Dot | TokenKind::Colon) {
            method = self.kind() == TokenKind::Colon;
            self.advance();
            let field = self.name("a field name")?;
            let span = self.span_of(target).to(field);
            target = self.expr(ExprKind::Field { object: target, name: field }, span);
        }
        let function = self.function_body(opener)?;
        Ok(StatementKind::Function { target, method, function: Box::new(function) })
    }

    /// Reads a function from its type parameters on; `opener` is the word `function`.
    pub(super) fn function_body(&mut self, opener: Span) -> Parse<Function> {
        let generics = if self.kind() == TokenKind::Less {
            let start = self.token().span;
            let generics = self.generics()?;
            self.erase(start.to(self.previous()));
            generics
        } else {
            Vec::new()
        };
        let open = self.token().span;
        if !self.eat(TokenKind::OpenParen) {
            return Err(self.expected("`(` with the parameters"));
        }
        let (params, vararg) = self.params(open)?;
        let returns = if self.kind() == TokenKind::Colon {
            let colon = self.advance();
            let pack = self.return_types()?;
            self.erase(colon.to(self.previous()));
            Some(pack)
        } else {
            if self.kind() == TokenKind::Arrow {
                let arrow = self.token().span;
                let error = SyntaxError::new(arrow, "`:` expected before the type of the result, found `->`")
                    .fix(arrow, ":", "replace with `:`")
                    .help("write `function f(a: A): R`; the arrow belongs to function types");
                return Err(self.report(error));
            }
            None
        };
        let signature = open.to(self.previous());
        let state = FunctionState { vararg: vararg.is_some(), ..FunctionState::default() };
        let outer = std::mem::replace(&mut self.function, state);
        let body = self.block();
        self.check_gotos();
        self.function = outer;
        let end = self.expect_end(opener)?;
        Ok(Function { generics, params, vararg, returns, body, span: opener.to(end), signature })
    }

    fn params(&mut self, open: Span) -> Parse<(Vec<Param>, Option<Vararg>)> {
        let mut params = Vec::new();
        let mut vararg = None;
        if self.kind() != TokenKind::CloseParen {
            loop {
                if self.kind() == TokenKind::Ellipsis {
                    let span = self.advance();
                    vararg = Some(Vararg { span, annotation: self.annotation()? });
                    break;
                }
                let name = self.name("a parameter or `)`")?;
                self.declared(name);
                let optional = if self.kind() == TokenKind::Question {
                    let span = self.advance();
                    self.erase(span);
                    true
                } else {
                    false
                };
                params.push(Param { name, optional, annotation: self.annotation()? });
                if self.kind() == TokenKind::Assign {
                    let name = self.text(name);
                    let error = SyntaxError::new(self.token().span, "a parameter has no default value in Lua")
                        .help(format!("write `{name} = {name} or ...` in the body"));
                    return Err(self.report(error));
                }
                if !self.eat(TokenKind::Comma) {
                    break;
                }
            }
        }
        self.expect_close(TokenKind::CloseParen, open)?;
        Ok((params, vararg))
    }

    fn condition(&mut self, opener: Span, closer: TokenKind) -> Parse<ExprId> {
        let condition = self.expression()?;
        if self.kind() == closer {
            self.advance();
            return Ok(condition);
        }
        let word = self.text(opener);
        if self.kind() == TokenKind::Assign {
            let span = self.token().span;
            let error = SyntaxError::new(span, format!("`{}` expected, found `=`", closer.text()))
                .fix(span, "==", "replace with `==`")
                .help("`=` gives a value; `==` compares");
            return Err(self.report(error));
        }
        let at = self.previous().end;
        let first_on_line = self.token().first_on_line;
        if self.is_quiet() {
            let stop = self.stop();
            return if first_on_line && self.kind() != TokenKind::End { Ok(condition) } else { Err(stop) };
        }
        let mut error = self.expected_error(&format!("`{}`", closer.text()));
        error.message = format!("{} after the condition of `{word}`{}", error.message, self.at_line(opener));
        if self.token().first_on_line {
            let here = Span { start: at, end: at };
            error = error.fix(here, format!(" {}", closer.text()), format!("add `{}`", closer.text()));
        }
        // The body is read all the same: the word was probably forgotten.
        let stop = self.report(error);
        if first_on_line && !matches!(self.kind(), TokenKind::End) { Ok(condition) } else { Err(stop) }
    }

    fn if_statement(&mut self) -> Parse<StatementKind> {
        let opener = self.advance();
        let mut arms = Vec::with_capacity(1);
        let condition = self.condition(opener, TokenKind::Then)?;
        arms.push((condition, self.block()));
        let mut otherwise = None;
        loop {
            match self.kind() {
                TokenKind::ElseIf => {
                    let word = self.advance();
                    let condition = self.condition(word, TokenKind::Then)?;
                    arms.push((condition, self.block()));
                }
                TokenKind::Else => {
                    self.advance();
                    otherwise = Some(self.block());
                    self.expect_end(opener)?;
                    break;
                }
                _ => {
                    self.expect_end(opener)?;
                    break;
                }
            }
        }
        Ok(StatementKind::If { arms, otherwise })
    }

    fn loop_body(&mut self) -> Block {
        self.function.loops += 1;
        let body = self.block();
        self.function.loops -= 1;
        body
    }

    fn while_statement(&mut self) -> Parse<StatementKind> {
        let opener = self.advance();
        let condition = self.condition(opener, TokenKind::Do)?;
        let body = self.loop_body();
        self.expect_end(opener)?;
        Ok(StatementKind::While { condition, body })
    }

    fn repeat_statement(&mut self) -> Parse<StatementKind> {
        let opener = self.advance();
        let body = self.loop_body();
        if !self.eat(TokenKind::Until) {
            let mut error = self.expected_error("`until`");
            error.message = format!("`until` expected to close `repeat`{}", self.at_line(opener));
            return Err(self.report(error.related(opener, "opened here")));
        }
        let condition = self.expression()?;
        Ok(StatementKind::Repeat { body, condition })
    }

    fn for_statement(&mut self) -> Parse<StatementKind> {
        let opener = self.advance();
        let first = self.binding("the name of a loop variable")?;
        if self.eat(TokenKind::Assign) {
            let values = self.expression_list()?;
            if !(2..=3).contains(&values.len()) {
                let span = values.first().map_or(self.previous(), |first| self.span_of(*first).to(self.previous()));
                let error = SyntaxError::new(span, "a numeric `for` takes a start, a limit and maybe a step");
                self.report_in_step(error.help("write `for i = 1, 10 do`"));
            }
            self.expect_do(opener)?;
            let body = self.loop_body();
            self.expect_end(opener)?;
            return Ok(StatementKind::NumericFor { name: first, values, body });
        }
        let mut names = vec![first];
        while self.eat(TokenKind::Comma) {
            names.push(self.binding("the name of a loop variable")?);
        }
        if !self.eat(TokenKind::In) {
            return Err(self.expected(if names.len() == 1 { "`=` or `in`" } else { "`in`" }));
        }
        let values = self.expression_list()?;
        self.expect_do(opener)?;
        let body = self.loop_body();
        self.expect_end(opener)?;
        Ok(StatementKind::GenericFor { names, values, body })
    }

    fn expect_do(&mut self, opener: Span) -> Parse<()> {
        if self.eat(TokenKind::Do) {
            return Ok(());
        }
        let at = self.previous().end;
        let first_on_line = self.token().first_on_line;
        if self.is_quiet() {
            let stop = self.stop();
            return if first_on_line && self.kind() != TokenKind::End { Ok(()) } else { Err(stop) };
        }
        let mut error = self.expected_error("`do`");
        error.message = format!("{} after the head of `for`{}", error.message, self.at_line(opener));
        if first_on_line {
            error = error.fix(Span { start: at, end: at }, " do", "add `do`");
        }
        let stop = self.report(error);
        if first_on_line && self.kind() != TokenKind::End { Ok(()) } else { Err(stop) }
    }

    fn return_statement(&mut self) -> Parse<StatementKind> {
        self.advance();
        let mut values = Vec::new();
        if !self.at_block_end() && self.kind() != TokenKind::Semicolon {
            values = self.expression_list()?;
        }
        self.eat(TokenKind::Semicolon);
        Ok(StatementKind::Return(values))
    }

    pub(super) fn at_type_alias(&self) -> bool {
        let exported = self.at_word("export") && self.ahead(1).kind == TokenKind::Name && self.text(self.ahead(1).span) == "type";
        exported || (self.at_word("type") && self.ahead(1).kind == TokenKind::Name)
    }

    fn type_alias(&mut self) -> Parse<StatementKind> {
        let start = self.token().span;
        let exported = self.at_word("export");
        if exported {
            self.advance();
        }
        self.advance();
        let name = self.name("the name of the type")?;
        let generics = if self.kind() == TokenKind::Less { self.generics()? } else { Vec::new() };
        if !self.eat(TokenKind::Assign) {
            return Err(self.expected("`=` and the type"));
        }
        let definition = self.type_expression()?;
        let span = start.to(self.previous());
        let separator = self.kind() == TokenKind::OpenParen;
        self.push_erasure(Erasure { span, separator });
        self.type_names.push(name);
        Ok(StatementKind::TypeAlias(Box::new(TypeAlias { name, exported, generics, definition })))
    }

    fn expression_statement(&mut self) -> Parse<StatementKind> {
        let start = self.token();
        if !matches!(start.kind, TokenKind::Name | TokenKind::OpenParen) {
            if self.is_quiet() {
                return Err(self.stop());
            }
            let error = self.not_a_statement();
            return Err(self.report(error));
        }
        let first = self.suffixed_expression()?;
        if matches!(self.kind(), TokenKind::Assign | TokenKind::Comma) {
            return self.assignment(first);
        }
        if let Some(ExprKind::Call { .. } | ExprKind::MethodCall { .. }) = self.exprs.get(first.index()).map(|expr| &expr.kind) {
            if !self.token().first_on_line && matches!(self.kind(), TokenKind::Equal) {
                let error = self.unfinished_statement(first);
                return Err(self.report(error));
            }
            return Ok(StatementKind::Call(first));
        }
        if self.is_quiet() {
            return Err(self.stop());
        }
        let error = self.unfinished_statement(first);
        Err(self.report(error))
    }

    fn assignment(&mut self, first: ExprId) -> Parse<StatementKind> {
        let mut targets = vec![first];
        while self.eat(TokenKind::Comma) {
            targets.push(self.suffixed_expression()?);
        }
        for target in &targets {
            let span = self.span_of(*target);
            match self.exprs.get(target.index()).map(|expr| &expr.kind) {
                Some(ExprKind::Name) => self.declared(span),
                Some(ExprKind::Field { .. } | ExprKind::Index { .. }) => {}
                Some(ExprKind::Call { .. } | ExprKind::MethodCall { .. }) => {
                    return Err(self.report(SyntaxError::new(span, "cannot assign to the result of a call")));
                }
                _ => return Err(self.report(SyntaxError::new(span, "cannot assign to this").label("not a variable or field"))),
            }
        }
        if !self.eat(TokenKind::Assign) {
            return Err(self.expected("`=`"));
        }
        let values = self.expression_list()?;
        Ok(StatementKind::Assign { targets, values })
    }

    fn not_a_statement(&self) -> SyntaxError {
        let token = self.token();
        let error = SyntaxError::new(token.span, format!("a statement expected, found {}", self.describe_token()));
        match token.kind {
            TokenKind::DoubleSlash | TokenKind::Hash => error.help("a comment starts with `--`"),
            TokenKind::CloseParen | TokenKind::CloseBrace | TokenKind::CloseBracket => {
                SyntaxError::new(token.span, format!("unexpected `{}`", token.kind.text()))
                    .label("nothing is open that it could close")
            }
            TokenKind::String | TokenKind::Number | TokenKind::Nil | TokenKind::True | TokenKind::False => {
                error.help("a value alone does nothing: give it to a variable or return it")
            }
            TokenKind::Then => error.help("`then` belongs to an `if` or `elseif`"),
            TokenKind::In => error.help("`in` belongs to a `for`"),
            _ => error,
        }
    }

    /// Says what is probably meant by an expression that is no statement.
    fn unfinished_statement(&self, expression: ExprId) -> SyntaxError {
        let span = self.span_of(expression);
        let token = self.token();
        let text = self.text(span);
        let is_name = matches!(self.exprs.get(expression.index()).map(|expr| &expr.kind), Some(ExprKind::Name));
        let next = self.ahead(1);
        let adjacent = next.span.start == token.span.end;
        if is_name && text == "continue" {
            return SyntaxError::new(span, "Lua has no `continue`")
                .help("write `goto continue`, and `::continue::` before the `end` of the loop");
        }
        if is_name
            && !token.first_on_line
            && !matches!(token.kind, TokenKind::Equal | TokenKind::Plus | TokenKind::Minus)
            && let Some(keyword) = self.misspelt_keyword(span)
        {
            return SyntaxError::new(span, format!("unexpected name `{text}`")).help(format!("did you mean `{keyword}`?")).fix(
                span,
                keyword,
                format!("replace with `{keyword}`"),
            );
        }
        let operator = matches!(
            token.kind,
            TokenKind::Plus | TokenKind::Minus | TokenKind::Star | TokenKind::Slash | TokenKind::Concat | TokenKind::Percent
        );
        if operator && adjacent && next.kind == TokenKind::Assign && !token.first_on_line {
            let operator = token.kind.text();
            return SyntaxError::new(token.span.to(next.span), format!("Lua has no operator `{operator}=`"))
                .fix(token.span.to(next.span), format!("= {text} {operator}"), format!("write `{text} = {text} {operator} ...`"))
                .help(format!("write `{text} = {text} {operator} ...`"));
        }
        if token.kind == TokenKind::Plus && adjacent && next.kind == TokenKind::Plus {
            return SyntaxError::new(token.span.to(next.span), "Lua has no operator `++`")
                .help(format!("write `{text} = {text} + 1`"));
        }
        if token.kind == TokenKind::Equal {
            return SyntaxError::new(token.span, "a comparison is not a statement").help("`==` compares; `=` gives a value").fix(
                token.span,
                "=",
                "replace with `=`",
            );
        }
        if token.kind == TokenKind::Colon && is_name {
            return SyntaxError::new(token.span, format!("the type of `{text}` can only be given where it is declared"))
                .help(format!("write `local {text}: ...`"));
        }
        if token.first_on_line || token.kind == TokenKind::End {
            return SyntaxError::new(span, "an expression is not a statement").label("its value is not used").help(format!(
                "call it: `{}()`, or give it to a variable",
                text.lines().next().unwrap_or("").get(..30).unwrap_or(text.lines().next().unwrap_or(""))
            ));
        }
        self.expected_error("`=` or a call")
    }
}
