//! Types: annotations, parameters of types, validators.

use super::{Parse, Parser, SyntaxError};
use crate::syntax::Span;
use crate::syntax::ast::{
    FunctionType, FunctionTypeParam, Generic, RecordField, TypeKind, TypeNodeId, TypePack, Validator, ValidatorArgument,
};
use crate::syntax::token::{Token, TokenKind};

impl Parser<'_> {
    /// Reads `: T` if it is there, and erases it.
    pub(super) fn annotation(&mut self) -> Parse<Option<TypeNodeId>> {
        if self.kind() != TokenKind::Colon {
            return Ok(None);
        }
        let colon = self.advance();
        let id = self.type_expression()?;
        self.erase(colon.to(self.previous()));
        Ok(Some(id))
    }

    /// Reads `<A, B: Bound>`.
    pub(super) fn generics(&mut self) -> Parse<Vec<Generic>> {
        let open = self.advance();
        let mut generics = Vec::new();
        loop {
            let name = self.name("the name of a type parameter")?;
            let bound = if self.eat(TokenKind::Colon) { Some(self.type_expression()?) } else { None };
            generics.push(Generic { name, bound });
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        self.close_angle(open)?;
        Ok(generics)
    }

    /// Takes one `>`, also from the front of a longer token.
    fn close_angle(&mut self, open: Span) -> Parse<()> {
        let token = self.token();
        let rest = match token.kind {
            TokenKind::Greater => {
                self.advance();
                return Ok(());
            }
            TokenKind::ShiftRight => TokenKind::Greater,
            TokenKind::GreaterEqual => TokenKind::Assign,
            _ => return self.expect_close(TokenKind::Greater, open).map(|_| ()),
        };
        // The rest stays where the token was; putting two tokens in its place would move all that follow.
        let middle = token.span.start + 1;
        if let Some(slot) = self.tokens.get_mut(self.at) {
            *slot = Token { kind: rest, first_on_line: false, span: Span { start: middle, end: token.span.end } };
        }
        if self.trying {
            self.splits.push((self.at, token));
        }
        self.last = Span { start: token.span.start, end: middle };
        Ok(())
    }

    pub(super) fn type_expression(&mut self) -> Parse<TypeNodeId> {
        self.enter()?;
        self.eat(TokenKind::Pipe);
        let first = self.intersection_type()?;
        let id = self.union_after(first)?;
        self.nesting -= 1;
        Ok(id)
    }

    fn union_after(&mut self, first: TypeNodeId) -> Parse<TypeNodeId> {
        if self.kind() != TokenKind::Pipe {
            return Ok(first);
        }
        let mut members = vec![first];
        while self.eat(TokenKind::Pipe) {
            members.push(self.intersection_type()?);
        }
        let span = self.type_span(first).to(self.previous());
        Ok(self.type_node(TypeKind::Union(members), span))
    }

    fn intersection_type(&mut self) -> Parse<TypeNodeId> {
        self.eat(TokenKind::Ampersand);
        let first = self.postfix_type()?;
        self.intersection_after(first)
    }

    fn intersection_after(&mut self, first: TypeNodeId) -> Parse<TypeNodeId> {
        if self.kind() != TokenKind::Ampersand {
            return Ok(first);
        }
        let mut members = vec![first];
        while self.eat(TokenKind::Ampersand) {
            members.push(self.postfix_type()?);
        }
        let span = self.type_span(first).to(self.previous());
        Ok(self.type_node(TypeKind::Intersection(members), span))
    }

    fn postfix_type(&mut self) -> Parse<TypeNodeId> {
        let id = self.primary_type()?;
        self.suffixes(id)
    }

    fn suffixes(&mut self, mut id: TypeNodeId) -> Parse<TypeNodeId> {
        loop {
            let start = self.type_span(id);
            match self.kind() {
                TokenKind::Question => {
                    let end = self.advance();
                    id = self.type_node(TypeKind::Optional(id), start.to(end));
                }
                TokenKind::OpenBracket if self.ahead(1).kind == TokenKind::CloseBracket => {
                    self.advance();
                    let end = self.advance();
                    id = self.type_node(TypeKind::Array(id), start.to(end));
                }
                TokenKind::At => {
                    let mut validators = Vec::new();
                    while self.kind() == TokenKind::At {
                        validators.push(self.validator()?);
                    }
                    id = self.type_node(TypeKind::Validated { inner: id, validators }, start.to(self.previous()));
                }
                _ => return Ok(id),
            }
        }
    }

    fn validator(&mut self) -> Parse<Validator> {
        let start = self.advance();
        let name = self.name("the name of a validator")?;
        let mut argument = None;
        if self.kind() == TokenKind::OpenParen {
            let open = self.advance();
            let token = self.token();
            match token.kind {
                TokenKind::Number => {
                    self.advance();
                    argument = Some(ValidatorArgument::Number(token.span));
                }
                TokenKind::Minus if self.ahead(1).kind == TokenKind::Number => {
                    self.advance();
                    argument = Some(ValidatorArgument::Number(token.span.to(self.advance())));
                }
                TokenKind::String => {
                    self.advance();
                    argument = Some(ValidatorArgument::String(token.span));
                }
                TokenKind::CloseParen => {}
                _ => return Err(self.expected("a number or a string")),
            }
            self.expect_close(TokenKind::CloseParen, open)?;
        }
        Ok(Validator { name, argument, span: start.to(self.previous()) })
    }

    fn primary_type(&mut self) -> Parse<TypeNodeId> {
        let token = self.token();
        let kind = match token.kind {
            TokenKind::Nil => TypeKind::Nil,
            TokenKind::True => TypeKind::Boolean(true),
            TokenKind::False => TypeKind::Boolean(false),
            TokenKind::String => TypeKind::String,
            TokenKind::Number => TypeKind::Number,
            TokenKind::Minus if self.ahead(1).kind == TokenKind::Number => {
                self.advance();
                let end = self.advance();
                return Ok(self.type_node(TypeKind::Number, token.span.to(end)));
            }
            TokenKind::Name if self.at_word("typeof") && self.ahead(1).kind == TokenKind::OpenParen => return self.typeof_type(),
            TokenKind::Name => return self.named_type(),
            TokenKind::OpenBrace => return self.table_type(),
            TokenKind::OpenParen => return self.paren_type(),
            TokenKind::Less => {
                let generics = self.generics()?;
                if self.kind() != TokenKind::OpenParen {
                    return Err(self.expected("`(` with the parameters of the function type"));
                }
                let (params, rest) = self.type_params()?;
                return self.function_type(token.span, generics, params, rest);
            }
            TokenKind::Function => {
                let error = SyntaxError::new(token.span, "a type expected, found `function`")
                    .help("write a function type as `(a: A) -> R`, or `(...any) -> ...any` for any function");
                return Err(self.report(error));
            }
            _ => return Err(self.expected("a type")),
        };
        self.advance();
        Ok(self.type_node(kind, token.span))
    }

    fn typeof_type(&mut self) -> Parse<TypeNodeId> {
        let start = self.advance();
        let open = self.advance();
        let brackets = self.brackets;
        self.brackets += 1;
        let value = self.expression()?;
        let close = self.expect_close(TokenKind::CloseParen, open)?;
        self.brackets = brackets;
        Ok(self.type_node(TypeKind::Typeof(value), start.to(close)))
    }

    fn named_type(&mut self) -> Parse<TypeNodeId> {
        let start = self.advance();
        let mut name = start;
        let mut module = None;
        while self.kind() == TokenKind::Dot {
            module = Some(start.to(name));
            self.advance();
            name = self.name("the name of a type")?;
        }
        // `local x: T <const>` declares a constant.
        let attribute = self.ahead(2).kind == TokenKind::Greater && matches!(self.text(self.ahead(1).span), "const" | "close");
        let args = if self.kind() == TokenKind::Less && !attribute { self.type_args()? } else { Vec::new() };
        Ok(self.type_node(TypeKind::Name { module, name, args }, start.to(self.previous())))
    }

    fn type_args(&mut self) -> Parse<Vec<TypeNodeId>> {
        let open = self.advance();
        let mut args = Vec::new();
        loop {
            args.push(self.type_expression()?);
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        self.close_angle(open)?;
        Ok(args)
    }

    /// Reads the type of a cast, after which `<` may also compare.
    pub(super) fn cast_type(&mut self) -> Parse<TypeNodeId> {
        if self.kind() != TokenKind::Name || self.trying {
            return self.type_expression();
        }
        let mut ahead = 1;
        while self.ahead(ahead).kind == TokenKind::Dot && self.ahead(ahead + 1).kind == TokenKind::Name {
            ahead += 2;
        }
        let base = ahead == 1 && is_base_type(self.text(self.token().span));
        if self.ahead(ahead).kind != TokenKind::Less {
            return self.type_expression();
        }
        if base {
            let name = self.advance();
            return Ok(self.type_node(TypeKind::Name { module: None, name, args: Vec::new() }, name));
        }
        let saved = (self.at, self.exprs.len(), self.types.len(), self.nesting, self.brackets);
        let last = self.last;
        self.splits.clear();
        // What is tried marks only text behind the cursor, so the marks before stay as they are.
        let erasures = self.erasures.len();
        self.trying = true;
        let result = self.type_expression();
        self.trying = false;
        if let Ok(id) = result {
            return Ok(id);
        }
        (self.at, _, _, self.nesting, self.brackets) = saved;
        self.last = last;
        for (at, token) in std::mem::take(&mut self.splits) {
            if let Some(slot) = self.tokens.get_mut(at)
                && slot.kind != token.kind
            {
                *slot = token;
            }
        }
        self.exprs.truncate(saved.1);
        self.types.truncate(saved.2);
        self.erasures.truncate(erasures);
        // Only the name: what follows compares.
        let start = self.advance();
        let mut name = start;
        let mut module = None;
        while self.eat(TokenKind::Dot) {
            module = Some(start.to(name));
            name = self.advance();
        }
        Ok(self.type_node(TypeKind::Name { module, name, args: Vec::new() }, start.to(name)))
    }

    fn table_type(&mut self) -> Parse<TypeNodeId> {
        let open = self.advance();
        let mut fields = Vec::new();
        let mut indexers = Vec::new();
        if self.kind() != TokenKind::CloseBrace && !self.at_field() && self.kind() != TokenKind::OpenBracket {
            let element = self.type_expression()?;
            self.reject_tuple()?;
            let close = self.expect_close(TokenKind::CloseBrace, open)?;
            return Ok(self.type_node(TypeKind::Array(element), open.to(close)));
        }
        while self.kind() != TokenKind::CloseBrace {
            if self.kind() == TokenKind::OpenBracket {
                self.indexer(&mut fields, &mut indexers)?;
            } else {
                let field = self.record_field()?;
                fields.push(field);
            }
            if !matches!(self.kind(), TokenKind::Comma | TokenKind::Semicolon) {
                break;
            }
            self.advance();
        }
        if self.kind() != TokenKind::CloseBrace && (self.at_field() || self.kind() == TokenKind::OpenBracket) {
            let at = self.previous().end;
            let here = Span { start: at, end: at };
            let error = SyntaxError::new(here, "`,` expected between the fields of a record")
                .label("expected here")
                .related(open, "the record starts here")
                .fix(here, ",", "add `,`");
            return Err(self.report(error));
        }
        let close = self.expect_close(TokenKind::CloseBrace, open)?;
        Ok(self.type_node(TypeKind::Table { fields, indexers }, open.to(close)))
    }

    fn reject_tuple(&mut self) -> Parse<()> {
        if self.kind() != TokenKind::Comma {
            return Ok(());
        }
        let error = SyntaxError::new(self.token().span, "`}` expected, found `,`")
            .help("an array type has one element type: `{T}`; a record has named fields: `{a: A, b: B}`");
        Err(self.report(error))
    }

    fn at_field(&self) -> bool {
        let ahead = usize::from(self.at_word("readonly") && self.ahead(1).kind == TokenKind::Name);
        if ahead == 1 {
            return true;
        }
        let is_name = self.kind() == TokenKind::Name || self.kind().is_keyword();
        is_name
            && match self.ahead(1).kind {
                TokenKind::Colon | TokenKind::Assign => true,
                TokenKind::Question => self.ahead(2).kind == TokenKind::Colon,
                _ => false,
            }
    }

    fn record_field(&mut self) -> Parse<RecordField> {
        let readonly = self.at_word("readonly") && self.ahead(1).kind == TokenKind::Name;
        if readonly {
            self.advance();
        }
        // A reserved word can be a key of a table, so it can be the name of a field.
        let name = if self.kind().is_keyword() && self.ahead(1).kind != TokenKind::CloseBrace {
            self.advance()
        } else {
            self.name("a field name")?
        };
        let optional = self.eat(TokenKind::Question);
        if !self.eat(TokenKind::Colon) {
            let mut error = self.expected_error("`:` and the type of the field");
            if self.kind() == TokenKind::Assign {
                let span = self.token().span;
                error = error.fix(span, ":", "replace with `:`").help("in a type, `:` stands between a field and its type");
            }
            return Err(self.report(error));
        }
        let value = self.type_expression()?;
        Ok(RecordField { name, optional, readonly, value })
    }

    fn indexer(&mut self, fields: &mut Vec<RecordField>, indexers: &mut Vec<(TypeNodeId, TypeNodeId)>) -> Parse<()> {
        let open = self.advance();
        let literal = self.token();
        let key = self.type_expression()?;
        self.expect_close(TokenKind::CloseBracket, open)?;
        let optional = self.eat(TokenKind::Question);
        if !self.eat(TokenKind::Colon) {
            return Err(self.expected("`:` and the type of the values"));
        }
        let value = self.type_expression()?;
        if literal.kind == TokenKind::String && self.type_span(key) == literal.span {
            fields.push(RecordField { name: literal.span, optional, readonly: false, value });
        } else {
            indexers.push((key, value));
        }
        Ok(())
    }

    /// Reads what starts with a bracket: a type in parentheses or a function type.
    fn paren_type(&mut self) -> Parse<TypeNodeId> {
        let open = self.token().span;
        let (params, rest) = self.type_params()?;
        if self.kind() == TokenKind::Arrow {
            return self.function_type(open, Vec::new(), params, rest);
        }
        if let ([FunctionTypeParam { name: None, optional: false, value }], None) = (params.as_slice(), rest) {
            return Ok(self.type_node(TypeKind::Paren(*value), open.to(self.previous())));
        }
        Err(self.expected("`->` and the result of the function type"))
    }

    /// Reads `(A, b: B, c?: C, ...D)`.
    fn type_params(&mut self) -> Parse<(Vec<FunctionTypeParam>, Option<TypeNodeId>)> {
        let open = self.advance();
        let mut params = Vec::new();
        let mut rest = None;
        while self.kind() != TokenKind::CloseParen {
            if self.kind() == TokenKind::Ellipsis {
                rest = Some(self.rest_type()?);
                break;
            }
            params.push(self.type_param()?);
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        self.expect_close(TokenKind::CloseParen, open)?;
        Ok((params, rest))
    }

    fn type_param(&mut self) -> Parse<FunctionTypeParam> {
        let named = self.kind() == TokenKind::Name
            && match self.ahead(1).kind {
                TokenKind::Colon => true,
                TokenKind::Question => self.ahead(2).kind == TokenKind::Colon,
                _ => false,
            };
        let mut param_name = None;
        let mut optional = false;
        if named {
            param_name = Some(self.advance());
            optional = self.eat(TokenKind::Question);
            self.advance();
        }
        Ok(FunctionTypeParam { name: param_name, optional, value: self.type_expression()? })
    }

    /// Reads `...T`, `...: T` or a bare `...`, which is any.
    fn rest_type(&mut self) -> Parse<TypeNodeId> {
        let dots = self.advance();
        self.eat(TokenKind::Colon);
        if matches!(self.kind(), TokenKind::CloseParen) {
            return Ok(self.type_node(TypeKind::Error, dots));
        }
        self.type_expression()
    }

    fn function_type(
        &mut self,
        start: Span,
        generics: Vec<Generic>,
        params: Vec<FunctionTypeParam>,
        rest: Option<TypeNodeId>,
    ) -> Parse<TypeNodeId> {
        if !self.eat(TokenKind::Arrow) {
            return Err(self.expected("`->` and the result of the function type"));
        }
        let returns = self.return_types()?;
        let kind = TypeKind::Function(Box::new(FunctionType { generics, params, rest, returns }));
        Ok(self.type_node(kind, start.to(self.previous())))
    }

    /// Reads one type, or several in brackets.
    pub(super) fn return_types(&mut self) -> Parse<TypePack> {
        self.enter()?;
        let pack = self.return_types_inner()?;
        self.nesting -= 1;
        Ok(pack)
    }

    fn return_types_inner(&mut self) -> Parse<TypePack> {
        let start = self.token().span;
        if self.kind() == TokenKind::Ellipsis {
            let rest = self.rest_type()?;
            return Ok(TypePack { types: Vec::new(), rest: Some(rest), span: start.to(self.previous()) });
        }
        if self.kind() != TokenKind::OpenParen {
            let id = self.type_expression()?;
            return Ok(TypePack { types: vec![id], rest: None, span: start.to(self.previous()) });
        }
        let (params, rest) = self.type_params()?;
        if self.kind() == TokenKind::Arrow {
            let id = self.function_type(start, Vec::new(), params, rest)?;
            return Ok(TypePack { types: vec![id], rest: None, span: start.to(self.previous()) });
        }
        let types: Vec<TypeNodeId> = params.iter().map(|param| param.value).collect();
        if let ([single], None) = (types.as_slice(), rest) {
            let paren = self.type_node(TypeKind::Paren(*single), start.to(self.previous()));
            let id = self.suffixes(paren)?;
            let id = self.intersection_after(id)?;
            let id = self.union_after(id)?;
            return Ok(TypePack { types: vec![id], rest: None, span: start.to(self.previous()) });
        }
        Ok(TypePack { types, rest, span: start.to(self.previous()) })
    }
}

/// Types that take no arguments, so that `<` after one compares.
fn is_base_type(name: &str) -> bool {
    matches!(
        name,
        "boolean" | "number" | "integer" | "string" | "any" | "unknown" | "never" | "table" | "thread" | "userdata" | "error"
    )
}
