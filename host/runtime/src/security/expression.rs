//! Expressions of `security.policy.expr`: conditions with and, or, not and parentheses.
//!
//! ```text
//! (actor.meta.role == "editor" && action == "write") || actor.id == meta.owner
//! not (resource startsWith "secret:") and actor.meta.level >= 3
//! action in ["read", "list"] or "admin" in actor.meta.roles or resource matches "^doc:[0-9]+$"
//! ```
//!
//! Facts are those of conditions; `["name"]` reads what `.name` reads. There are no variables, calls, loops or arithmetic, so an
//! evaluation takes time in proportion to the text.

use regex::Regex;
use serde_json::Value;

use self::lexer::{Token, tokens};
use super::condition::read_regex;
use super::fact::{Fact, Field, Request};

mod lexer;

/// The longest expression in bytes, and how deep it may be nested: reading and evaluating follow it down.
const MAX_BYTES: usize = 4_096;
const MAX_DEPTH: usize = 64;

/// An expression that was read.
#[derive(Debug, Clone)]
pub(super) struct Expression(Node);

#[derive(Debug, Clone)]
enum Node {
    Literal(Value),
    Fact(Field),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Compare(Box<Node>, Operator, Box<Node>),
    Matches(Box<Node>, Regex),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Contains,
    StartsWith,
    EndsWith,
}

/// The expression has no answer: something has the wrong type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecided;

impl Expression {
    /// Reads an expression; an error says what is wrong and where.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("is missing: give a condition, such as `actor.id == meta.owner`".to_owned());
        }
        if text.len() > MAX_BYTES {
            return Err(format!("must have at most {MAX_BYTES} bytes"));
        }
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens, place: 0, depth: 0 };
        let node = parser.either()?;
        match parser.next() {
            None => Ok(Self(node)),
            Some(token) => Err(format!("`{token}` is not expected here: join conditions with `&&` or `||`")),
        }
    }

    /// Tells whether the expression holds.
    pub(super) fn holds(&self, request: &Request<'_>) -> Result<bool, Undecided> {
        self.0.holds(request)
    }
}

impl Node {
    fn holds(&self, request: &Request<'_>) -> Result<bool, Undecided> {
        match self {
            Self::Not(node) => Ok(!node.holds(request)?),
            Self::And(nodes) => {
                for node in nodes {
                    if !node.holds(request)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(nodes) => {
                for node in nodes {
                    if node.holds(request)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Compare(one, operator, two) => {
                if let (Some(one), Some(two)) = (one.fact(request), two.fact(request)) {
                    return compare(one, *operator, two);
                }
                let (one, two) = (one.holds(request)?, two.holds(request)?);
                match operator {
                    Operator::Equal => Ok(one == two),
                    Operator::NotEqual => Ok(one != two),
                    _ => Err(Undecided),
                }
            }
            Self::Matches(node, regex) => match node.fact(request) {
                Some(fact) if fact.is_missing() => Ok(false),
                Some(fact) => fact.text().map(|text| regex.is_match(text)).ok_or(Undecided),
                None => Err(Undecided),
            },
            Self::Literal(_) | Self::Fact(_) => match self.fact(request) {
                Some(Fact::Value(Value::Bool(value))) => Ok(*value),
                _ => Err(Undecided),
            },
        }
    }

    fn fact<'a>(&'a self, request: &Request<'a>) -> Option<Fact<'a>> {
        match self {
            Self::Literal(value) => Some(Fact::Value(value)),
            Self::Fact(field) => Some(field.of(request)),
            _ => None,
        }
    }
}

fn compare(one: Fact<'_>, operator: Operator, two: Fact<'_>) -> Result<bool, Undecided> {
    // Both missing, or one missing and the other written as nil.
    let equal = one.equals(two) || (one.is_missing() && two.is_missing());
    let texts = || one.text().zip(two.text());
    // What is missing begins, ends and has nothing; what has another type is a mistake.
    let on_texts = |test: fn(&str, &str) -> bool| match texts() {
        Some((one, two)) => Ok(test(one, two)),
        None if one.is_missing() => Ok(false),
        None => Err(Undecided),
    };
    match operator {
        Operator::Equal => Ok(equal),
        Operator::NotEqual => Ok(!equal),
        Operator::Less => one.compare(two).map(|order| order.is_lt()).ok_or(Undecided),
        Operator::LessOrEqual => one.compare(two).map(|order| order.is_le()).ok_or(Undecided),
        Operator::Greater => one.compare(two).map(|order| order.is_gt()).ok_or(Undecided),
        Operator::GreaterOrEqual => one.compare(two).map(|order| order.is_ge()).ok_or(Undecided),
        Operator::In | Operator::NotIn => {
            let has = match two {
                Fact::Value(Value::Array(_)) => two.has(one),
                Fact::Value(Value::Object(fields)) => one.text().is_some_and(|name| fields.contains_key(name)),
                two if two.is_missing() => false,
                _ => return Err(Undecided),
            };
            Ok(has == (operator == Operator::In))
        }
        Operator::Contains if matches!(one, Fact::Value(Value::Array(_))) => Ok(one.has(two)),
        Operator::Contains => on_texts(|one, two| one.contains(two)),
        Operator::StartsWith => on_texts(|one, two| one.starts_with(two)),
        Operator::EndsWith => on_texts(|one, two| one.ends_with(two)),
    }
}

struct Parser {
    tokens: Vec<Token>,
    place: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.place)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.place).cloned();
        self.place += 1;
        token
    }

    /// Takes the next token if it is one of these.
    fn take(&mut self, texts: &[&str]) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(sign)) if texts.contains(&sign.as_str()))
            || matches!(self.peek(), Some(Token::Word(word)) if texts.contains(&word.as_str()));
        if found {
            self.place += 1;
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.take(&[sign]) {
            return Ok(());
        }
        match self.peek() {
            Some(token) => Err(format!("`{token}` is not expected here: `{sign}` is")),
            None => Err(format!("ends too early: `{sign}` is missing")),
        }
    }

    fn either(&mut self) -> Result<Node, String> {
        self.deeper(|parser| {
            let mut nodes = vec![parser.both()?];
            while parser.take(&["||", "or"]) {
                nodes.push(parser.both()?);
            }
            Ok(single(nodes, Node::Or))
        })
    }

    fn both(&mut self) -> Result<Node, String> {
        let mut nodes = vec![self.negation()?];
        while self.take(&["&&", "and"]) {
            nodes.push(self.negation()?);
        }
        Ok(single(nodes, Node::And))
    }

    fn negation(&mut self) -> Result<Node, String> {
        if self.take(&["!", "not"]) {
            return self.deeper(|parser| Ok(Node::Not(Box::new(parser.negation()?))));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Node, String> {
        let one = self.value()?;
        if self.take(&["matches"]) {
            return match self.next() {
                Some(Token::Text(pattern)) => Ok(Node::Matches(Box::new(one), read_regex(&pattern)?)),
                _ => Err("`matches` is followed by a regular expression in quotes".to_owned()),
            };
        }
        let Some(operator) = self.operator()? else {
            return Ok(one);
        };
        let two = self.value()?;
        Ok(Node::Compare(Box::new(one), operator, Box::new(two)))
    }

    fn operator(&mut self) -> Result<Option<Operator>, String> {
        const OPERATORS: [(&str, Operator); 10] = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<", Operator::Less),
            ("<=", Operator::LessOrEqual),
            (">", Operator::Greater),
            (">=", Operator::GreaterOrEqual),
            ("in", Operator::In),
            ("contains", Operator::Contains),
            ("startsWith", Operator::StartsWith),
            ("endsWith", Operator::EndsWith),
        ];
        if self.take(&["not"]) {
            self.expect("in")?;
            return Ok(Some(Operator::NotIn));
        }
        Ok(OPERATORS.iter().find(|(text, _)| self.take(&[text])).map(|(_, operator)| *operator))
    }

    fn value(&mut self) -> Result<Node, String> {
        match self.next() {
            Some(Token::Sign(sign)) if sign == "(" => {
                let node = self.either()?;
                self.expect(")")?;
                Ok(node)
            }
            Some(Token::Sign(sign)) if sign == "[" => self.list().map(Node::Literal),
            Some(Token::Word(word)) if literal(&word).is_none() => self.path(word),
            Some(token) => token.value().map(Node::Literal).ok_or_else(|| format!("`{token}` is not expected here")),
            None => Err("ends too early: a fact or a value is missing".to_owned()),
        }
    }

    /// Reads the rest of a list of literals.
    fn list(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        while !self.take(&["]"]) {
            if !items.is_empty() {
                self.expect(",")?;
            }
            let token = self.next().ok_or("ends too early: `]` is missing")?;
            items.push(token.value().ok_or_else(|| format!("a list holds texts, numbers, true and false, not `{token}`"))?);
        }
        Ok(Value::Array(items))
    }

    /// Reads the rest of a path such as `actor.meta["role"]`.
    fn path(&mut self, first: String) -> Result<Node, String> {
        let mut path = vec![first];
        loop {
            if self.take(&[".", "?."]) {
                match self.next() {
                    Some(Token::Word(word)) => path.push(word),
                    _ => return Err(format!("a name is missing after `{}.`", path.join("."))),
                }
            } else if self.take(&["["]) {
                match self.next() {
                    Some(Token::Text(name)) => path.push(name),
                    Some(Token::Number(number)) => path.push(number.to_string()),
                    _ => return Err(format!("a name in quotes or a number is missing after `{}[`", path.join("."))),
                }
                self.expect("]")?;
            } else {
                break;
            }
        }
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        Field::new(&parts)
            .map(Node::Fact)
            .ok_or_else(|| format!("`{}` is no fact: use actor.id, actor.meta.*, action, resource or meta.*", path.join(".")))
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Result<Node, String>) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("is nested more than {MAX_DEPTH} levels deep"));
        }
        let node = read(self);
        self.depth -= 1;
        node
    }
}

fn single(mut nodes: Vec<Node>, several: fn(Vec<Node>) -> Node) -> Node {
    match (nodes.pop(), nodes.is_empty()) {
        (Some(node), true) => node,
        (last, _) => {
            nodes.extend(last);
            several(nodes)
        }
    }
}

/// The words that are values.
fn literal(word: &str) -> Option<Value> {
    match word {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "nil" | "null" => Some(Value::Null),
        _ => None,
    }
}
