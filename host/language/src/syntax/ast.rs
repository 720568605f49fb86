//! The tree of a file: plain data with exact spans.
//!
//! Expressions and types live in two arrays and refer to each other by number, so that a tree is cheap to build and to drop
//! however deep it is, and so that later passes can keep facts about a node in arrays of their own.

use std::ops::Range;

/// A range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One after the last byte.
    pub end: u32,
}

impl Span {
    /// Makes a span; positions beyond 32 bits count as the largest one.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
    }

    /// Gives the span from the start of this one to the end of another.
    #[must_use]
    pub fn to(self, end: Self) -> Self {
        Self { start: self.start, end: end.end.max(self.start) }
    }

    /// Gives the span as offsets.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Gives the text under this span.
    #[must_use]
    pub fn text(self, source: &str) -> &str {
        source.get(self.range()).unwrap_or("")
    }

    /// Tells whether another span lies within this one.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// The number of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprId(pub(super) u32);

/// The number of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeNodeId(pub(super) u32);

impl ExprId {
    /// Gives the number as an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The tree of a file.
#[derive(Debug, Default)]
pub struct Ast {
    pub(super) exprs: Vec<Expr>,
    pub(super) types: Vec<TypeNode>,
    /// The statements of the file.
    pub block: Block,
    /// Comments in order.
    pub comments: Vec<Span>,
}

impl Ast {
    /// Gives an expression.
    #[must_use]
    pub fn expr(&self, id: ExprId) -> &Expr {
        const NONE: Expr = Expr { kind: ExprKind::Error, span: Span { start: 0, end: 0 } };
        self.exprs.get(id.0 as usize).unwrap_or(&NONE)
    }

    /// Gives a type.
    #[must_use]
    pub fn type_node(&self, id: TypeNodeId) -> &TypeNode {
        const NONE: TypeNode = TypeNode { kind: TypeKind::Error, span: Span { start: 0, end: 0 } };
        self.types.get(id.0 as usize).unwrap_or(&NONE)
    }

    /// Gives all expressions, in no order that means anything.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.exprs.iter()
    }

    /// Tells how many expressions there are.
    #[must_use]
    pub fn expr_count(&self) -> usize {
        self.exprs.len()
    }

    /// Gives an expression without the parentheses around it.
    #[must_use]
    pub fn unwrap_parens(&self, mut id: ExprId) -> ExprId {
        while let ExprKind::Paren(inner) = self.expr(id).kind {
            id = inner;
        }
        id
    }
}

/// Statements in order.
#[derive(Debug, Default, Clone)]
pub struct Block {
    /// The statements.
    pub statements: Vec<Statement>,
    /// From the first to the last statement; empty for an empty block.
    pub span: Span,
}

/// A statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// Where it is.
    pub span: Span,
}

/// What a statement is.
#[derive(Debug, Clone)]
pub enum StatementKind {
    /// `local a: T, b = 1, 2`.
    Local {
        /// What is declared.
        names: Vec<Binding>,
        /// The values.
        values: Vec<ExprId>,
    },
    /// `local function f() end`.
    LocalFunction {
        /// The name.
        name: Span,
        /// The function.
        function: Box<Function>,
    },
    /// `function a.b:c() end`.
    Function {
        /// What is assigned to: a name, a field or a method.
        target: ExprId,
        /// Whether the last part follows a colon.
        method: bool,
        /// The function.
        function: Box<Function>,
    },
    /// `a, b.c = 1, 2`.
    Assign {
        /// Left of the sign.
        targets: Vec<ExprId>,
        /// Right of the sign.
        values: Vec<ExprId>,
    },
    /// A call.
    Call(ExprId),
    /// `do ... end`.
    Do(Block),
    /// `while c do ... end`.
    While {
        /// The condition.
        condition: ExprId,
        /// What is repeated.
        body: Block,
    },
    /// `repeat ... until c`.
    Repeat {
        /// What is repeated.
        body: Block,
        /// The condition; it sees the locals of the body.
        condition: ExprId,
    },
    /// `if c then ... elseif c then ... else ... end`.
    If {
        /// The conditions with what they guard.
        arms: Vec<(ExprId, Block)>,
        /// What is done else.
        otherwise: Option<Block>,
    },
    /// `for i = 1, 10, 2 do ... end`.
    NumericFor {
        /// The variable.
        name: Binding,
        /// Start, limit and, if given, step.
        values: Vec<ExprId>,
        /// What is repeated.
        body: Block,
    },
    /// `for k, v in pairs(t) do ... end`.
    GenericFor {
        /// The variables.
        names: Vec<Binding>,
        /// What is iterated.
        values: Vec<ExprId>,
        /// What is repeated.
        body: Block,
    },
    /// `return a, b`.
    Return(Vec<ExprId>),
    /// `break`.
    Break,
    /// `goto name`.
    Goto(Span),
    /// `::name::`.
    Label(Span),
    /// `type Name<T> = ...`.
    TypeAlias(Box<TypeAlias>),
    /// A lone semicolon.
    Empty,
    /// Text that could not be read.
    Error,
}

/// A declared name.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The name.
    pub name: Span,
    /// Its declared type.
    pub annotation: Option<TypeNodeId>,
    /// The word between angle brackets: `const` or `close`.
    pub attribute: Option<Span>,
}

/// `type Name<T: Bound> = ...`.
#[derive(Debug, Clone)]
pub struct TypeAlias {
    /// The name.
    pub name: Span,
    /// Whether `export` precedes.
    pub exported: bool,
    /// The parameters.
    pub generics: Vec<Generic>,
    /// The right side.
    pub definition: TypeNodeId,
}

/// A type parameter.
#[derive(Debug, Clone)]
pub struct Generic {
    /// Its name.
    pub name: Span,
    /// What it must be.
    pub bound: Option<TypeNodeId>,
}

/// A function.
#[derive(Debug, Clone)]
pub struct Function {
    /// The type parameters.
    pub generics: Vec<Generic>,
    /// The parameters, without an implied `self`.
    pub params: Vec<Param>,
    /// The `...`, if there is one.
    pub vararg: Option<Vararg>,
    /// The declared results.
    pub returns: Option<TypePack>,
    /// The body.
    pub body: Block,
    /// From the word `function` to `end`.
    pub span: Span,
    /// From the first bracket to the end of the result types.
    pub signature: Span,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Param {
    /// Its name.
    pub name: Span,
    /// Whether a question mark follows the name.
    pub optional: bool,
    /// Its declared type.
    pub annotation: Option<TypeNodeId>,
}

/// The `...` of a function.
#[derive(Debug, Clone)]
pub struct Vararg {
    /// Where the dots are.
    pub span: Span,
    /// The declared type of each value.
    pub annotation: Option<TypeNodeId>,
}

/// A list of types: results, or the parameters of a function type.
#[derive(Debug, Clone, Default)]
pub struct TypePack {
    /// The types in order.
    pub types: Vec<TypeNodeId>,
    /// What any further value is.
    pub rest: Option<TypeNodeId>,
    /// Where it is.
    pub span: Span,
}

/// An expression.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// `nil`.
    Nil,
    /// `true`.
    True,
    /// `false`.
    False,
    /// A number; its text is under the span.
    Number,
    /// A string; its text is under the span.
    String,
    /// `...`.
    Vararg,
    /// `function() end`.
    Function(Box<Function>),
    /// A variable or a type.
    Name,
    /// `a.b`.
    Field {
        /// Left of the point.
        object: ExprId,
        /// Right of it.
        name: Span,
    },
    /// `a[b]`.
    Index {
        /// Before the bracket.
        object: ExprId,
        /// Within the brackets.
        key: ExprId,
    },
    /// `f(a, b)`.
    Call {
        /// What is called.
        callee: ExprId,
        /// The arguments.
        args: Vec<ExprId>,
        /// From the first bracket to the last.
        args_span: Span,
    },
    /// `a:b(c)`.
    MethodCall {
        /// Left of the colon.
        object: ExprId,
        /// The method.
        name: Span,
        /// The arguments without the object.
        args: Vec<ExprId>,
        /// From the first bracket to the last.
        args_span: Span,
    },
    /// `a + b`.
    Binary {
        /// The operator.
        operator: BinaryOperator,
        /// Left of it.
        left: ExprId,
        /// Right of it.
        right: ExprId,
        /// Where the operator is.
        operator_span: Span,
    },
    /// `-a`.
    Unary {
        /// The operator.
        operator: UnaryOperator,
        /// What it applies to.
        operand: ExprId,
    },
    /// `(a)`.
    Paren(ExprId),
    /// `{a, b = 1, [c] = 2}`.
    Table(Vec<TableItem>),
    /// `a :: T` or `a as T`.
    Cast {
        /// What is cast.
        value: ExprId,
        /// To what.
        target: TypeNodeId,
    },
    /// `a!`.
    NonNil(ExprId),
    /// Text that could not be read.
    Error,
}

/// One part of a table constructor.
#[derive(Debug, Clone)]
pub enum TableItem {
    /// `value`.
    Positional(ExprId),
    /// `name = value`.
    Named(Span, ExprId),
    /// `[key] = value`.
    Keyed(ExprId, ExprId),
}

macro_rules! operators {
    ($(#[$doc:meta])* $enum_name:ident { $($name:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each operator is named after the text that `text` gives")]
        pub enum $enum_name { $($name,)* }

        impl $enum_name {
            /// Gives the operator as it is written.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

operators! {
    /// An operator between two expressions.
    BinaryOperator {
        Add = "+", Subtract = "-", Multiply = "*", Divide = "/", FloorDivide = "//", Modulo = "%", Power = "^", Concat = "..",
        Equal = "==", NotEqual = "~=", Less = "<", LessEqual = "<=", Greater = ">", GreaterEqual = ">=", And = "and", Or = "or",
        BitAnd = "&", BitOr = "|", BitXor = "~", ShiftLeft = "<<", ShiftRight = ">>",
    }
}

operators! {
    /// An operator before an expression.
    UnaryOperator { Negate = "-", Not = "not", Length = "#", BitNot = "~", }
}

/// A type as written.
#[derive(Debug, Clone)]
pub struct TypeNode {
    /// What it is.
    pub kind: TypeKind,
    /// Where it is.
    pub span: Span,
}

/// What a type as written is.
#[derive(Debug, Clone)]
pub enum TypeKind {
    /// `Name`, `lib.Name`, `Name<A, B>`.
    Name {
        /// What stands before the last point.
        module: Option<Span>,
        /// The last name.
        name: Span,
        /// The arguments.
        args: Vec<TypeNodeId>,
    },
    /// `nil`.
    Nil,
    /// `true` or `false`.
    Boolean(bool),
    /// A string literal.
    String,
    /// A number literal, a minus sign included.
    Number,
    /// `T?`.
    Optional(TypeNodeId),
    /// `A | B`.
    Union(Vec<TypeNodeId>),
    /// `A & B`.
    Intersection(Vec<TypeNodeId>),
    /// `{T}` or `T[]`.
    Array(TypeNodeId),
    /// `{a: T, [K]: V}`.
    Table {
        /// The named fields in order.
        fields: Vec<RecordField>,
        /// Keys and values.
        indexers: Vec<(TypeNodeId, TypeNodeId)>,
    },
    /// `<T>(a: A, ...B) -> R`.
    Function(Box<FunctionType>),
    /// `typeof(e)`.
    Typeof(ExprId),
    /// `T @min(1)`.
    Validated {
        /// What is validated.
        inner: TypeNodeId,
        /// By what.
        validators: Vec<Validator>,
    },
    /// `(T)`.
    Paren(TypeNodeId),
    /// Text that could not be read.
    Error,
}

/// A field of a record type.
#[derive(Debug, Clone)]
pub struct RecordField {
    /// The name; a quoted string for names that are no words.
    pub name: Span,
    /// Whether it may be absent.
    pub optional: bool,
    /// Whether it must not be assigned.
    pub readonly: bool,
    /// What it holds.
    pub value: TypeNodeId,
}

/// A function type.
#[derive(Debug, Clone)]
pub struct FunctionType {
    /// The type parameters.
    pub generics: Vec<Generic>,
    /// The parameters.
    pub params: Vec<FunctionTypeParam>,
    /// What any further argument is.
    pub rest: Option<TypeNodeId>,
    /// The results.
    pub returns: TypePack,
}

/// A parameter of a function type.
#[derive(Debug, Clone)]
pub struct FunctionTypeParam {
    /// Its name, for messages.
    pub name: Option<Span>,
    /// Whether it may be left out.
    pub optional: bool,
    /// What it is.
    pub value: TypeNodeId,
}

/// `@name(argument)`.
#[derive(Debug, Clone)]
pub struct Validator {
    /// The name after the sign.
    pub name: Span,
    /// The literal between the brackets.
    pub argument: Option<ValidatorArgument>,
    /// Where all of it is.
    pub span: Span,
}

/// What a validator is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidatorArgument {
    /// A number, a minus sign included.
    Number(Span),
    /// A quoted string.
    String(Span),
}
