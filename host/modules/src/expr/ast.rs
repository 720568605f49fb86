//! What an expression consists of.

use std::sync::Arc;

/// An expression that was read.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) root: Node,
    /// How many parts stand within each other.
    pub(super) height: usize,
    pub(super) source: String,
}

/// A part of an expression, with its place in the source.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) at: usize,
}

impl Node {
    /// Counts how many parts stand within each other at most, without following them down by calls.
    pub(super) fn height(&self) -> usize {
        let (mut most, mut waiting) = (0, vec![(self, 1)]);
        while let Some((node, height)) = waiting.pop() {
            most = most.max(height);
            let mut push = |node| waiting.push((node, height + 1));
            match &node.kind {
                Kind::Nil
                | Kind::Bool(_)
                | Kind::Int(_)
                | Kind::Float(_)
                | Kind::Text(_)
                | Kind::Name(_)
                | Kind::Pointer(_)
                | Kind::Environment => {}
                Kind::Array(nodes) | Kind::Call(_, nodes) => nodes.iter().for_each(push),
                Kind::Map(fields) => fields.iter().for_each(|(key, value)| {
                    push(key);
                    push(value);
                }),
                Kind::Unary(_, operand) | Kind::Chain(operand) => push(operand),
                Kind::Binary(_, left, right) | Kind::Let(_, left, right) => {
                    push(left);
                    push(right);
                }
                Kind::Conditional(condition, then, otherwise) => {
                    push(condition);
                    push(then);
                    push(otherwise);
                }
                Kind::Member { object, key, .. } => {
                    push(object);
                    push(key);
                }
                Kind::Slice(object, from, to) => {
                    push(object);
                    from.iter().chain(to).for_each(|node| push(node));
                }
                Kind::Method { object, args, .. } => {
                    push(object);
                    args.iter().for_each(push);
                }
                Kind::Predicate { list, body, rest, .. } => {
                    push(list);
                    body.iter().chain(rest).for_each(|node| push(node));
                }
            }
        }
        most
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    Array(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// A variable, or a field of the environment.
    Name(Arc<str>),
    /// `#`, `#acc` or `#index`.
    Pointer(Pointer),
    /// `$env`.
    Environment,
    Unary(Unary, Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    Conditional(Box<Node>, Box<Node>, Box<Node>),
    /// `object[key]` or `object.key`; optional with `?.`.
    Member {
        object: Box<Node>,
        key: Box<Node>,
        optional: bool,
    },
    /// The end of a chain with `?.` in it, which is nil as a whole where an object is nil.
    Chain(Box<Node>),
    Slice(Box<Node>, Option<Box<Node>>, Option<Box<Node>>),
    Call(Arc<str>, Vec<Node>),
    /// `object.Name(arguments)`; optional with `?.`.
    Method {
        object: Box<Node>,
        name: Arc<str>,
        args: Vec<Node>,
        optional: bool,
    },
    /// A function with a predicate, which is the second argument.
    Predicate {
        name: Arc<str>,
        list: Box<Node>,
        body: Option<Box<Node>>,
        rest: Option<Box<Node>>,
    },
    Let(Arc<str>, Box<Node>, Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pointer {
    Item,
    Accumulator,
    Index,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Minus,
    Plus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Or,
    And,
    Coalesce,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    Range,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
}

impl Binary {
    /// Returns how the operator is written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Coalesce => "??",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Matches => "matches",
            Self::Range => "..",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Power => "**",
        }
    }
}
