//! From tokens to a program, by precedence.

use std::sync::Arc;

use super::ast::{Binary, Kind, Node, Pointer, Program, Unary};
use super::lexer::{Problem, Token, TokenKind, tokens};
use super::{builtins, predicate};

/// How deep an expression may nest: reading and evaluating follow it down.
const MAX_DEPTH: usize = 64;
/// How many parts may stand within each other: evaluating follows them down, and parentheses make more of them than nesting does.
const MAX_HEIGHT: usize = 256;

type Parsed = Result<Node, Problem>;

/// Reads an expression.
pub(super) fn parse(source: &str) -> Result<Program, Problem> {
    parse_at(source, 0)
}

/// Reads an expression that has a current item from outside.
pub(super) fn parse_within(source: &str) -> Result<Program, Problem> {
    parse_at(source, 1)
}

fn parse_at(source: &str, predicates: usize) -> Result<Program, Problem> {
    let mut parser = Parser { tokens: tokens(source)?, next: 0, depth: 0, predicates };
    let root = parser.sequence()?;
    match &parser.peek().kind {
        TokenKind::End => {
            let height = root.height();
            if height > MAX_HEIGHT {
                let message = format!("the expression has more than {MAX_HEIGHT} parts that stand within each other");
                return Err(Problem::new(0, message));
            }
            Ok(Program { root, height, source: source.to_owned() })
        }
        _ => Err(parser.unexpected()),
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    /// How many predicates are around this place.
    predicates: usize,
}

const UNARY_NOT: u8 = 50;
const UNARY_SIGN: u8 = 90;
const END: Token = Token { kind: TokenKind::End, at: usize::MAX };

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).unwrap_or(&END)
    }

    fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek().kind, TokenKind::Symbol(found) if found == symbol)
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(&self.peek().kind, TokenKind::Name(found) if found == name)
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Problem> {
        if self.accept(symbol) {
            return Ok(());
        }
        let found = self.shown();
        Err(Problem::new(self.peek().at, format!("expected `{symbol}`, found {found}")))
    }

    fn shown(&self) -> String {
        match &self.peek().kind {
            TokenKind::Name(name) => format!("`{name}`"),
            TokenKind::Int(value) => format!("`{value}`"),
            TokenKind::Float(value) => format!("`{value}`"),
            TokenKind::Text(_) => "a string".to_owned(),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "the end".to_owned(),
        }
    }

    fn unexpected(&self) -> Problem {
        let found = if matches!(self.peek().kind, TokenKind::End) { "end".to_owned() } else { self.shown() };
        Problem::new(self.peek().at, format!("unexpected {found}"))
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        if self.depth >= MAX_DEPTH {
            return Err(Problem::new(self.peek().at, format!("the expression nests deeper than {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// An expression with `let` before it.
    fn sequence(&mut self) -> Parsed {
        self.deeper(|parser| {
            let at = parser.peek().at;
            if parser.is_name("let") && matches!(parser.tokens.get(parser.next + 1).map(|t| &t.kind), Some(TokenKind::Name(_))) {
                parser.next += 1;
                let name = parser.name()?;
                parser.expect("=")?;
                let value = parser.expression(0)?;
                parser.expect(";")?;
                let body = parser.sequence()?;
                return Ok(Node { kind: Kind::Let(name.into(), Box::new(value), Box::new(body)), at });
            }
            parser.expression(0)
        })
    }

    fn name(&mut self) -> Result<String, Problem> {
        match self.advance().kind {
            TokenKind::Name(name) => Ok(name),
            _ => {
                self.next -= 1;
                Err(Problem::new(self.peek().at, format!("expected a name, found {}", self.shown())))
            }
        }
    }

    fn expression(&mut self, least: u8) -> Parsed {
        self.deeper(|parser| parser.operators(least))
    }

    fn operators(&mut self, least: u8) -> Parsed {
        let mut left = self.unary()?;
        // Each operator makes the tree one level deeper on its left.
        let mut links = 0;
        loop {
            let at = self.peek().at;
            if least == 0 && self.accept("|") {
                left = self.pipe(left, at)?;
            } else if let Some((operator, precedence, right, negated, length)) = self.operator() {
                if precedence < least {
                    break;
                }
                self.next += length;
                let operand = self.expression(if right { precedence } else { precedence + 1 })?;
                let kind = Kind::Binary(operator, Box::new(left), Box::new(operand));
                left = Node { kind, at };
                if negated {
                    left = Node { kind: Kind::Unary(Unary::Not, Box::new(left)), at };
                }
            } else {
                break;
            }
            links += 1;
            if self.depth + links > MAX_DEPTH * 2 {
                return Err(Problem::new(at, "the expression has too many operators in a row; use parentheses or functions"));
            }
        }
        if least == 0 && self.is_symbol("?") {
            let at = self.advance().at;
            let then = if self.is_symbol(":") { None } else { Some(self.expression(0)?) };
            self.expect(":")?;
            let otherwise = self.expression(0)?;
            let kind = match then {
                Some(then) => Kind::Conditional(Box::new(left), Box::new(then), Box::new(otherwise)),
                None => Kind::Binary(Binary::Or, Box::new(left), Box::new(otherwise)),
            };
            return Ok(Node { kind, at });
        }
        Ok(left)
    }

    /// The operator that is next: its precedence, whether it binds to the right, whether it is negated, and how many tokens it has.
    fn operator(&self) -> Option<(Binary, u8, bool, bool, usize)> {
        let simple = |kind: &TokenKind| {
            Some(match kind {
                TokenKind::Symbol("||") => (Binary::Or, 10, false),
                TokenKind::Symbol("&&") => (Binary::And, 15, false),
                TokenKind::Symbol("==") => (Binary::Equal, 20, false),
                TokenKind::Symbol("!=") => (Binary::NotEqual, 20, false),
                TokenKind::Symbol("<") => (Binary::Less, 20, false),
                TokenKind::Symbol("<=") => (Binary::LessOrEqual, 20, false),
                TokenKind::Symbol(">") => (Binary::Greater, 20, false),
                TokenKind::Symbol(">=") => (Binary::GreaterOrEqual, 20, false),
                TokenKind::Symbol("..") => (Binary::Range, 25, false),
                TokenKind::Symbol("+") => (Binary::Add, 30, false),
                TokenKind::Symbol("-") => (Binary::Subtract, 30, false),
                TokenKind::Symbol("*") => (Binary::Multiply, 60, false),
                TokenKind::Symbol("/") => (Binary::Divide, 60, false),
                TokenKind::Symbol("%") => (Binary::Modulo, 60, false),
                TokenKind::Symbol("**" | "^") => (Binary::Power, 100, true),
                TokenKind::Symbol("??") => (Binary::Coalesce, 105, false),
                TokenKind::Name(name) => match name.as_str() {
                    "or" => (Binary::Or, 10, false),
                    "and" => (Binary::And, 15, false),
                    "in" => (Binary::In, 20, false),
                    "contains" => (Binary::Contains, 20, false),
                    "startsWith" => (Binary::StartsWith, 20, false),
                    "endsWith" => (Binary::EndsWith, 20, false),
                    "matches" => (Binary::Matches, 20, false),
                    _ => return None,
                },
                _ => return None,
            })
        };
        if self.is_name("not") {
            let after = self.tokens.get(self.next + 1)?;
            let (operator, precedence, right) = simple(&after.kind)?;
            let can = [Binary::In, Binary::Contains, Binary::StartsWith, Binary::EndsWith, Binary::Matches].contains(&operator);
            return can.then_some((operator, precedence, right, true, 2));
        }
        simple(&self.peek().kind).map(|(operator, precedence, right)| (operator, precedence, right, false, 1))
    }

    /// `value | f(args)` is `f(value, args)`.
    fn pipe(&mut self, value: Node, at: usize) -> Parsed {
        let name = self.name()?;
        let node = self.call(name, Some(value), at)?;
        self.postfix(node)
    }

    fn unary(&mut self) -> Parsed {
        let at = self.peek().at;
        let (operator, precedence) = if self.is_name("not") || self.is_symbol("!") {
            (Unary::Not, UNARY_NOT)
        } else if self.is_symbol("-") {
            (Unary::Minus, UNARY_SIGN)
        } else if self.is_symbol("+") {
            (Unary::Plus, UNARY_SIGN)
        } else {
            let primary = self.primary()?;
            return self.postfix(primary);
        };
        self.next += 1;
        let operand = self.expression(precedence)?;
        Ok(Node { kind: Kind::Unary(operator, Box::new(operand)), at })
    }

    fn primary(&mut self) -> Parsed {
        let token = self.advance();
        let at = token.at;
        let kind = match token.kind {
            TokenKind::Int(value) => Kind::Int(value),
            TokenKind::Float(value) => Kind::Float(value),
            TokenKind::Text(text) => Kind::Text(text.into()),
            TokenKind::Symbol("(") => {
                let inner = self.sequence()?;
                self.expect(")")?;
                return Ok(inner);
            }
            TokenKind::Symbol("[") => Kind::Array(self.list("]")?),
            TokenKind::Symbol("{") => self.map()?,
            TokenKind::Symbol("#") if self.predicates > 0 => {
                let pointer = if self.is_name("acc") {
                    Pointer::Accumulator
                } else if self.is_name("index") {
                    Pointer::Index
                } else {
                    Pointer::Item
                };
                self.next += usize::from(pointer != Pointer::Item);
                Kind::Pointer(pointer)
            }
            TokenKind::Symbol(".") if self.predicates > 0 => {
                // A field of the current item.
                self.next -= 1;
                Kind::Pointer(Pointer::Item)
            }
            TokenKind::Symbol("$") if self.is_name("env") => {
                self.next += 1;
                Kind::Environment
            }
            TokenKind::Name(name) => return self.named(name, at),
            _ => {
                self.next -= 1;
                return Err(self.unexpected());
            }
        };
        Ok(Node { kind, at })
    }

    fn named(&mut self, name: String, at: usize) -> Parsed {
        let kind = match name.as_str() {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "nil" | "null" => Kind::Nil,
            "if" => return self.branches(at),
            _ if self.is_symbol("(") => return self.call(name, None, at),
            _ => Kind::Name(name.into()),
        };
        Ok(Node { kind, at })
    }

    /// `if condition { a } else { b }`.
    fn branches(&mut self, at: usize) -> Parsed {
        let condition = self.expression(0)?;
        self.expect("{")?;
        let then = self.sequence()?;
        self.expect("}")?;
        let found = self.name()?;
        if found != "else" {
            return Err(Problem::new(at, "an `if` needs an `else`"));
        }
        let otherwise = if self.is_name("if") {
            let at = self.advance().at;
            self.deeper(|parser| parser.branches(at))?
        } else {
            self.expect("{")?;
            let otherwise = self.sequence()?;
            self.expect("}")?;
            otherwise
        };
        Ok(Node { kind: Kind::Conditional(Box::new(condition), Box::new(then), Box::new(otherwise)), at })
    }

    fn list(&mut self, end: &str) -> Result<Vec<Node>, Problem> {
        let mut items = Vec::new();
        while !self.accept(end) {
            if !items.is_empty() {
                self.expect(",")?;
                if self.accept(end) {
                    break;
                }
            }
            items.push(self.sequence()?);
        }
        Ok(items)
    }

    fn map(&mut self) -> Result<Kind, Problem> {
        let mut fields = Vec::new();
        while !self.accept("}") {
            if !fields.is_empty() {
                self.expect(",")?;
                if self.accept("}") {
                    break;
                }
            }
            let token = self.advance();
            let at = token.at;
            let key = match token.kind {
                TokenKind::Name(name) | TokenKind::Text(name) => Node { kind: Kind::Text(name.into()), at },
                TokenKind::Int(value) => Node { kind: Kind::Text(value.to_string().into()), at },
                TokenKind::Symbol("(") => {
                    let key = self.sequence()?;
                    self.expect(")")?;
                    key
                }
                _ => {
                    self.next -= 1;
                    return Err(Problem::new(self.peek().at, format!("a key is a name or a string, found {}", self.shown())));
                }
            };
            self.expect(":")?;
            fields.push((key, self.sequence()?));
        }
        Ok(Kind::Map(fields))
    }

    /// A call whose name was read; `first` came through a pipe.
    fn call(&mut self, name: String, first: Option<Node>, at: usize) -> Parsed {
        let is_predicate = predicate::takes(&name);
        if !is_predicate && !builtins::knows(&name) {
            let near = builtins::names().chain(predicate::names());
            let near = near.filter(|other| other.eq_ignore_ascii_case(&name)).map(|other| format!("; did you mean `{other}`?"));
            let near = near.take(1).collect::<String>();
            return Err(Problem::new(at, format!("unknown function `{name}`{near}")));
        }
        // A pipe needs no parentheses where nothing else is passed.
        if first.is_some() && !self.is_symbol("(") {
            let args = first.into_iter().collect();
            return Ok(Node { kind: Kind::Call(name.into(), args), at });
        }
        self.expect("(")?;
        let name: Arc<str> = name.into();
        if !is_predicate {
            let mut args: Vec<Node> = first.into_iter().collect();
            args.extend(self.list(")")?);
            return Ok(Node { kind: Kind::Call(name, args), at });
        }
        let piped = first.is_some();
        let list = match first {
            Some(list) => list,
            None => self.sequence()?,
        };
        let mut body = None;
        let mut rest = None;
        if !self.is_symbol(")") {
            if !piped {
                self.expect(",")?;
            }
            body = Some(Box::new(self.predicate()?));
            if self.accept(",") {
                rest = Some(Box::new(self.sequence()?));
            }
        }
        self.expect(")")?;
        if body.is_none() && !predicate::is_optional(&name) {
            return Err(Problem::new(at, format!("`{name}` needs a predicate, such as `{name}(list, # > 1)`")));
        }
        Ok(Node { kind: Kind::Predicate { name, list: Box::new(list), body, rest }, at })
    }

    fn predicate(&mut self) -> Parsed {
        self.predicates += 1;
        // Braces around a predicate are old syntax.
        let body = if self.accept("{") {
            let body = self.sequence()?;
            self.expect("}")?;
            body
        } else {
            self.sequence()?
        };
        self.predicates -= 1;
        Ok(body)
    }

    fn postfix(&mut self, node: Node) -> Parsed {
        let mut node = node;
        let mut has_optional = false;
        let mut links = 0;
        loop {
            let at = self.peek().at;
            links += 1;
            if links > MAX_DEPTH {
                return Err(Problem::new(at, "too many fields in a row"));
            }
            let object = |node: Node| Box::new(node);
            if self.is_symbol(".") || self.is_symbol("?.") {
                let optional = self.is_symbol("?.");
                has_optional |= optional;
                self.next += 1;
                if optional && self.accept("[") {
                    let key = self.expression(0)?;
                    self.expect("]")?;
                    node = Node { kind: Kind::Member { object: object(node), key: Box::new(key), optional }, at };
                    continue;
                }
                let name = self.name()?;
                if self.accept("(") {
                    let args = self.list(")")?;
                    node = Node { kind: Kind::Method { object: object(node), name: name.into(), args, optional }, at };
                    continue;
                }
                let key = Node { kind: Kind::Text(name.into()), at };
                node = Node { kind: Kind::Member { object: object(node), key: Box::new(key), optional }, at };
            } else if self.accept("[") {
                node = self.index(node, at)?;
            } else {
                break;
            }
        }
        if has_optional {
            let at = node.at;
            node = Node { kind: Kind::Chain(Box::new(node)), at };
        }
        Ok(node)
    }

    fn index(&mut self, node: Node, at: usize) -> Parsed {
        let from = if self.is_symbol(":") { None } else { Some(Box::new(self.expression(0)?)) };
        if self.accept(":") {
            let to = if self.is_symbol("]") { None } else { Some(Box::new(self.expression(0)?)) };
            self.expect("]")?;
            return Ok(Node { kind: Kind::Slice(Box::new(node), from, to), at });
        }
        self.expect("]")?;
        let key = from.ok_or_else(|| Problem::new(at, "an index is missing"))?;
        Ok(Node { kind: Kind::Member { object: Box::new(node), key, optional: false }, at })
    }
}
