//! Which declaration each name refers to, and what the whole file does with it.
//!
//! Runs before types are looked at, because a type may depend on what happens further down: a variable that a function body
//! writes to cannot keep what a condition found out about it.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::names::Names;
use crate::syntax::Span;
use crate::syntax::ast::{
    Ast, Binding, Block, ExprId, ExprKind, Function, Generic, Statement, StatementKind, TableItem, TypeKind, TypeNodeId, TypePack,
};

/// Beyond so many variables that closures write to, the rest keep nothing at all: they have no facts in the first place.
const MAX_CLOSURE_WRITES: usize = 1_000;

/// The number of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct VarId(pub(crate) u32);

/// How a variable came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VarKind {
    Local,
    LocalFunction,
    Param,
    Loop,
    SelfParam,
}

/// A variable.
#[derive(Debug, Clone)]
pub(crate) struct Var {
    pub(crate) name: Span,
    pub(crate) kind: VarKind,
    pub(crate) annotation: Option<TypeNodeId>,
    pub(crate) constant: bool,
    /// Whether more names follow in the same declaration, so that this one cannot be left out.
    pub(crate) placeholder: bool,
    pub(crate) reads: u32,
    pub(crate) writes: u32,
    /// Whether a function other than the one that declares it writes to it.
    pub(crate) written_in_closure: bool,
    /// A variable of the same name that this one hides.
    pub(crate) shadows: Option<VarId>,
    function: u32,
}

/// What a name in an expression refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Global,
    Var(VarId),
    /// A declared type, by where its name stands.
    Type(u32),
}

/// What is known about the names of a file.
#[derive(Debug, Default)]
pub(crate) struct Scopes<'a> {
    pub(crate) vars: Vec<Var>,
    /// By expression number.
    pub(crate) uses: Vec<Use>,
    /// Variables by where they are declared.
    pub(crate) declared: FxHashMap<u32, VarId>,
    /// The implied `self` of a method, by where the function starts.
    pub(crate) self_params: FxHashMap<u32, VarId>,
    /// What a loop writes to, by where its statement starts.
    pub(crate) loop_writes: FxHashMap<u32, Vec<VarId>>,
    /// The globals that the file writes to, and how often.
    pub(crate) globals_written: FxHashMap<&'a str, u32>,
    /// How often each field name is written in the file.
    pub(crate) field_writes: FxHashMap<&'a str, u32>,
    /// The variables that some function other than their own writes to.
    pub(crate) written_in_closures: Vec<VarId>,
    /// Types that expressions name.
    pub(crate) types_used: FxHashSet<u32>,
}

/// Looks through a file.
pub(crate) fn resolve<'a>(source: &'a str, ast: &'a Ast) -> Scopes<'a> {
    let mut resolver = Resolver {
        source,
        ast,
        out: Scopes { uses: vec![Use::Global; ast.expr_count()], ..Scopes::default() },
        names: Names::new(),
        loops: Vec::new(),
        function: 0,
        functions: 0,
    };
    resolver.block(&ast.block);
    let mut out = resolver.out;
    let ids = out.vars.iter().enumerate().filter(|(_, var)| var.written_in_closure);
    out.written_in_closures =
        ids.map(|(index, _)| VarId(u32::try_from(index).unwrap_or(u32::MAX))).take(MAX_CLOSURE_WRITES).collect();
    out
}

#[derive(Debug, Clone, Copy)]
enum Entry {
    Var(VarId),
    Type(u32),
}

struct Resolver<'a> {
    source: &'a str,
    ast: &'a Ast,
    out: Scopes<'a>,
    names: Names<'a, Entry>,
    /// The loops that are open, with what they write to.
    loops: Vec<Vec<VarId>>,
    function: u32,
    functions: u32,
}

impl<'a> Resolver<'a> {
    fn text(&self, span: Span) -> &'a str {
        span.text(self.source)
    }

    fn declare(&mut self, name: Span, kind: VarKind, annotation: Option<TypeNodeId>, constant: bool) -> VarId {
        let text = if kind == VarKind::SelfParam { "self" } else { self.text(name) };
        let shadows = match self.names.get(text) {
            Some(Entry::Var(var)) => Some(var),
            Some(Entry::Type(_)) | None => None,
        };
        let id = VarId(u32::try_from(self.out.vars.len()).unwrap_or(u32::MAX));
        self.out.vars.push(Var {
            name,
            kind,
            annotation,
            constant,
            placeholder: false,
            reads: 0,
            writes: 0,
            written_in_closure: false,
            shadows,
            function: self.function,
        });
        if kind == VarKind::SelfParam {
            self.out.self_params.insert(name.start, id);
        } else {
            self.out.declared.insert(name.start, id);
        }
        self.names.declare(text, Entry::Var(id));
        id
    }

    fn bindings(&mut self, bindings: &[Binding], kind: VarKind) {
        for annotation in bindings.iter().filter_map(|binding| binding.annotation) {
            self.ty(annotation);
        }
        for (index, binding) in bindings.iter().enumerate() {
            let id = self.declare(binding.name, kind, binding.annotation, binding.attribute.is_some());
            if let Some(var) = self.out.vars.get_mut(id.0 as usize) {
                var.placeholder = index + 1 < bindings.len();
            }
        }
    }

    fn block(&mut self, block: &'a Block) {
        let scope = self.names.open();
        self.enter(block);
        self.names.close(scope);
    }

    fn enter(&mut self, block: &'a Block) {
        for statement in &block.statements {
            if let StatementKind::TypeAlias(alias) = &statement.kind {
                self.names.declare(self.text(alias.name), Entry::Type(alias.name.start));
            }
        }
        for statement in &block.statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'a Statement) {
        match &statement.kind {
            StatementKind::Local { names, values } => {
                self.exprs(values);
                self.bindings(names, VarKind::Local);
            }
            StatementKind::LocalFunction { name, function } => {
                self.declare(*name, VarKind::LocalFunction, None, false);
                self.function(function, false);
            }
            StatementKind::Function { target, method, function } => {
                self.write(*target);
                self.function(function, *method);
            }
            StatementKind::Assign { targets, values } => {
                self.exprs(values);
                for target in targets {
                    self.write(*target);
                }
            }
            StatementKind::Call(call) => self.expr(*call),
            StatementKind::Do(block) => self.block(block),
            StatementKind::While { condition, body } => {
                self.loops.push(Vec::new());
                self.expr(*condition);
                self.block(body);
                self.end_loop(statement.span);
            }
            StatementKind::Repeat { body, condition } => {
                self.loops.push(Vec::new());
                let scope = self.names.open();
                self.enter(body);
                self.expr(*condition);
                self.names.close(scope);
                self.end_loop(statement.span);
            }
            StatementKind::If { arms, otherwise } => {
                for (condition, block) in arms {
                    self.expr(*condition);
                    self.block(block);
                }
                if let Some(block) = otherwise {
                    self.block(block);
                }
            }
            StatementKind::NumericFor { name, values, body } => {
                self.exprs(values);
                self.for_body(statement.span, std::slice::from_ref(name), body);
            }
            StatementKind::GenericFor { names, values, body } => {
                self.exprs(values);
                self.for_body(statement.span, names, body);
            }
            StatementKind::Return(values) => self.exprs(values),
            StatementKind::TypeAlias(alias) => {
                self.generics(&alias.generics);
                self.ty(alias.definition);
            }
            _ => {}
        }
    }

    fn for_body(&mut self, span: Span, names: &[Binding], body: &'a Block) {
        let scope = self.names.open();
        self.loops.push(Vec::new());
        self.bindings(names, VarKind::Loop);
        self.block(body);
        self.end_loop(span);
        self.names.close(scope);
    }

    fn end_loop(&mut self, span: Span) {
        if let Some(mut writes) = self.loops.pop() {
            writes.sort_unstable();
            writes.dedup();
            if let Some(outer) = self.loops.last_mut() {
                outer.extend(writes.iter().copied());
            }
            self.out.loop_writes.insert(span.start, writes);
        }
    }

    fn function(&mut self, function: &'a Function, method: bool) {
        let scope = self.names.open();
        let outer = self.function;
        self.functions += 1;
        self.function = self.functions;
        if method {
            self.declare(function.span, VarKind::SelfParam, None, false);
        }
        for param in &function.params {
            self.declare(param.name, VarKind::Param, param.annotation, false);
        }
        self.generics(&function.generics);
        for annotation in function.params.iter().filter_map(|param| param.annotation) {
            self.ty(annotation);
        }
        if let Some(annotation) = function.vararg.as_ref().and_then(|vararg| vararg.annotation) {
            self.ty(annotation);
        }
        if let Some(returns) = &function.returns {
            self.pack(returns);
        }
        self.block(&function.body);
        self.function = outer;
        self.names.close(scope);
    }

    fn generics(&mut self, generics: &[Generic]) {
        for bound in generics.iter().filter_map(|generic| generic.bound) {
            self.ty(bound);
        }
    }

    fn pack(&mut self, pack: &TypePack) {
        for id in pack.types.iter().chain(pack.rest.iter()) {
            self.ty(*id);
        }
    }

    /// Finds the expressions in a type: `typeof` has one. The parser bounds how deep types nest.
    fn ty(&mut self, id: TypeNodeId) {
        let ast = self.ast;
        match &ast.type_node(id).kind {
            TypeKind::Typeof(value) => self.expr(*value),
            TypeKind::Name { args: list, .. } | TypeKind::Union(list) | TypeKind::Intersection(list) => {
                for id in list {
                    self.ty(*id);
                }
            }
            TypeKind::Optional(inner) | TypeKind::Array(inner) | TypeKind::Paren(inner) | TypeKind::Validated { inner, .. } => {
                self.ty(*inner)
            }
            TypeKind::Table { fields, indexers } => {
                for field in fields {
                    self.ty(field.value);
                }
                for (key, value) in indexers {
                    self.ty(*key);
                    self.ty(*value);
                }
            }
            TypeKind::Function(function) => {
                self.generics(&function.generics);
                for param in &function.params {
                    self.ty(param.value);
                }
                if let Some(rest) = function.rest {
                    self.ty(rest);
                }
                self.pack(&function.returns);
            }
            TypeKind::Nil | TypeKind::Boolean(_) | TypeKind::String | TypeKind::Number | TypeKind::Error => {}
        }
    }

    fn exprs(&mut self, ids: &[ExprId]) {
        for id in ids {
            self.expr(*id);
        }
    }

    fn expr(&mut self, mut id: ExprId) {
        let ast = self.ast;
        loop {
            let expr = ast.expr(id);
            match &expr.kind {
                ExprKind::Name => return self.read(id, expr.span),
                ExprKind::Function(function) => return self.function(function, false),
                ExprKind::Field { object, .. } => id = *object,
                ExprKind::Index { object, key } => {
                    self.expr(*key);
                    id = *object;
                }
                ExprKind::Call { callee, args, .. } => {
                    self.exprs(args);
                    id = *callee;
                }
                ExprKind::MethodCall { object, args, .. } => {
                    self.exprs(args);
                    id = *object;
                }
                ExprKind::Binary { left, right, .. } => {
                    self.expr(*right);
                    id = *left;
                }
                ExprKind::Unary { operand: inner, .. } | ExprKind::Paren(inner) | ExprKind::NonNil(inner) => id = *inner,
                ExprKind::Cast { value, target } => {
                    self.ty(*target);
                    id = *value;
                }
                ExprKind::Table(items) => {
                    for item in items {
                        match item {
                            TableItem::Positional(value) => self.expr(*value),
                            TableItem::Named(name, value) => {
                                self.count_field(self.text(*name));
                                self.expr(*value);
                            }
                            TableItem::Keyed(key, value) => {
                                self.expr(*key);
                                self.expr(*value);
                            }
                        }
                    }
                    return;
                }
                _ => return,
            }
        }
    }

    fn lookup(&self, span: Span) -> Option<Entry> {
        self.names.get(self.text(span))
    }

    fn set_use(&mut self, id: ExprId, value: Use) {
        if let Some(slot) = self.out.uses.get_mut(id.index()) {
            *slot = value;
        }
    }

    fn read(&mut self, id: ExprId, span: Span) {
        match self.lookup(span) {
            Some(Entry::Var(var)) => {
                self.set_use(id, Use::Var(var));
                if let Some(var) = self.out.vars.get_mut(var.0 as usize) {
                    var.reads += 1;
                }
            }
            Some(Entry::Type(at)) => {
                self.set_use(id, Use::Type(at));
                self.out.types_used.insert(at);
            }
            None => {}
        }
    }

    fn count_field(&mut self, name: &'a str) {
        *self.out.field_writes.entry(name).or_default() += 1;
    }

    fn write(&mut self, target: ExprId) {
        let expr = self.ast.expr(target);
        match &expr.kind {
            ExprKind::Name => match self.lookup(expr.span) {
                Some(Entry::Var(id)) => {
                    self.set_use(target, Use::Var(id));
                    let function = self.function;
                    if let Some(var) = self.out.vars.get_mut(id.0 as usize) {
                        var.writes += 1;
                        var.written_in_closure |= var.function != function;
                    }
                    if let Some(writes) = self.loops.last_mut() {
                        writes.push(id);
                    }
                }
                Some(Entry::Type(at)) => self.set_use(target, Use::Type(at)),
                None => {
                    *self.out.globals_written.entry(expr.span.text(self.source)).or_default() += 1;
                }
            },
            ExprKind::Field { object, name } => {
                self.count_field(self.text(*name));
                self.expr(*object);
            }
            _ => self.expr(target),
        }
    }
}
