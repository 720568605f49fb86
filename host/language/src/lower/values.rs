//! Finds the types that a program uses as values, and puts their builders into the text.
//!
//! A type name in an expression means the type if no variable of that name is nearer. A type is declared by a local of its own
//! name on its line; where it is used above that line, the local is declared at the start of the block.

use rustc_hash::{FxHashMap, FxHashSet};

use super::builder::Builder;
use super::edits::Edits;
use crate::names::Names;
use crate::syntax::ast::{
    Ast, Binding, Block, ExprId, ExprKind, Function, Generic, Param, Statement, StatementKind, TableItem, TypeAlias, TypeKind,
    TypeNodeId,
};
use crate::syntax::{Parsed, Span};

/// The number of a type declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AliasId(usize);

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    /// A variable, with its declared type.
    Variable(Option<TypeNodeId>),
    /// A type declaration.
    Alias(AliasId),
    /// A type parameter.
    Generic,
}

/// A type declaration and what became known about it.
pub(super) struct Alias<'a> {
    pub(super) node: &'a TypeAlias,
    pub(super) name: &'a str,
    statement: Span,
    block: Span,
    /// Whether an expression or a used type needs it at run time.
    used: bool,
    /// Whether an expression names it.
    value_used: bool,
    /// Whether something above its line refers to it.
    hoisted: bool,
    /// Whether it refers to itself.
    recursive: bool,
    /// Whether a reference to it cannot use its name, because a variable of that name is nearer.
    second_name: bool,
    text: String,
    references: Vec<AliasId>,
}

impl Alias<'_> {
    pub(super) fn second_name(&self) -> String {
        format!("__type_{}", self.name)
    }

    /// Gives the locals that hold the type and the statement that fills them.
    fn declaration(&self) -> (String, String) {
        let (name, second, text) = (self.name, self.second_name(), &self.text);
        match (self.value_used, self.second_name) {
            (true, true) => (format!("{name}, {second}"), format!("{name} = {text}; {second} = {name}")),
            // The plain name belongs to a variable, so the type must not take it.
            (false, true) => (second.clone(), format!("{second} = {text}")),
            (_, false) => (name.to_owned(), format!("{name} = {text}")),
        }
    }
}

/// A reference from one type to another.
pub(super) struct Reference {
    pub(super) alias: AliasId,
    /// Whether the local exists before the reference is evaluated.
    pub(super) declared: bool,
    /// Whether the plain name means the type at this place.
    pub(super) plain: bool,
}

/// Tells whether any expression names a declared type or asks for one; spares most files the search below.
fn has_candidates(source: &str, parsed: &Parsed) -> bool {
    let mut names: FxHashSet<&str> = parsed.type_names.iter().map(|name| name.text(source)).collect();
    names.insert("typeof");
    parsed.ast.exprs().any(|expr| matches!(expr.kind, ExprKind::Name) && names.contains(expr.span.text(source)))
}

/// Puts type values into the text; tells whether there were any.
pub(super) fn emit(source: &str, parsed: &Parsed, edits: &mut Edits) -> bool {
    let ast = &parsed.ast;
    if !has_candidates(source, parsed) {
        return false;
    }
    let mut finder = Finder {
        source,
        ast,
        names: Names::new(),
        aliases: Vec::new(),
        by_name_place: FxHashMap::default(),
        typeofs: Vec::new(),
    };
    finder.block(&ast.block);
    finder.write(edits)
}

pub(super) struct Finder<'a> {
    pub(super) source: &'a str,
    pub(super) ast: &'a Ast,
    names: Names<'a, Entry>,
    pub(super) aliases: Vec<Alias<'a>>,
    /// The declarations by where their names stand.
    by_name_place: FxHashMap<u32, AliasId>,
    /// Calls of `typeof` whose answer is known: where, what to write, what it refers to.
    typeofs: Vec<(Span, String)>,
}

impl<'a> Finder<'a> {
    fn text(&self, span: Span) -> &'a str {
        span.text(self.source)
    }

    fn declare(&mut self, name: Span, annotation: Option<TypeNodeId>) {
        let name = self.text(name);
        self.names.declare(name, Entry::Variable(annotation));
    }

    fn declare_bindings(&mut self, bindings: &[Binding]) {
        for binding in bindings {
            self.declare(binding.name, binding.annotation);
        }
    }

    fn declare_generics(&mut self, generics: &[Generic]) {
        for generic in generics {
            let name = self.text(generic.name);
            self.names.declare(name, Entry::Generic);
        }
    }

    /// Finds what a name means in an expression.
    pub(super) fn value(&self, name: &str) -> Option<Entry> {
        self.names.all(name).find(|entry| !matches!(entry, Entry::Generic))
    }

    /// Finds what a name means in a type.
    fn type_entry(&self, name: &str) -> Option<Entry> {
        self.names.all(name).find(|entry| !matches!(entry, Entry::Variable(_)))
    }

    /// Finds the declaration that a type name refers to from a place; `Some(None)` for a type parameter.
    pub(super) fn type_reference(&mut self, name: &str, from: u32, current: Option<AliasId>) -> Option<Option<Reference>> {
        let alias = match self.type_entry(name)? {
            Entry::Alias(alias) => alias,
            _ => return Some(None),
        };
        let plain = matches!(self.value(name), Some(Entry::Alias(found)) if found == alias);
        let target = self.aliases.get_mut(alias.0)?;
        let recursive = current == Some(alias);
        target.recursive |= recursive;
        let declared = !recursive && target.statement.end <= from;
        target.second_name |= !plain;
        target.hoisted |= !declared && !recursive;
        if let Some(current) = current.and_then(|current| self.aliases.get_mut(current.0)) {
            current.references.push(alias);
        } else if let Some(target) = self.aliases.get_mut(alias.0) {
            target.used = true;
        }
        Some(Some(Reference { alias, declared, plain }))
    }

    fn block(&mut self, block: &'a Block) {
        let scope = self.names.open();
        self.enter_block(block);
        self.names.close(scope);
    }

    /// Reads a block and leaves its scope open.
    fn enter_block(&mut self, block: &'a Block) {
        for statement in &block.statements {
            if let StatementKind::TypeAlias(node) = &statement.kind {
                let id = AliasId(self.aliases.len());
                let name = self.text(node.name);
                self.by_name_place.insert(node.name.start, id);
                self.aliases.push(Alias {
                    node,
                    name,
                    statement: statement.span,
                    block: block.span,
                    used: false,
                    value_used: false,
                    hoisted: false,
                    recursive: false,
                    second_name: false,
                    text: String::new(),
                    references: Vec::new(),
                });
                self.names.declare(name, Entry::Alias(id));
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
                self.declare_bindings(names);
            }
            StatementKind::LocalFunction { name, function } => {
                self.declare(*name, None);
                self.function(function, false);
            }
            StatementKind::Function { target, method, function } => {
                self.expr(*target);
                self.function(function, *method);
            }
            StatementKind::Assign { targets, values } => {
                self.exprs(values);
                self.exprs(targets);
            }
            StatementKind::Call(call) => self.expr(*call),
            StatementKind::Do(block) => self.block(block),
            StatementKind::While { condition, body } => {
                self.expr(*condition);
                self.block(body);
            }
            StatementKind::Repeat { body, condition } => {
                let scope = self.names.open();
                self.enter_block(body);
                self.expr(*condition);
                self.names.close(scope);
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
                self.scoped_body(std::slice::from_ref(name), body);
            }
            StatementKind::GenericFor { names, values, body } => {
                self.exprs(values);
                self.scoped_body(names, body);
            }
            StatementKind::Return(values) => self.exprs(values),
            StatementKind::TypeAlias(node) => self.alias(node),
            StatementKind::Break
            | StatementKind::Goto(_)
            | StatementKind::Label(_)
            | StatementKind::Empty
            | StatementKind::Error => {}
        }
    }

    fn scoped_body(&mut self, names: &[Binding], body: &'a Block) {
        let scope = self.names.open();
        self.declare_bindings(names);
        self.block(body);
        self.names.close(scope);
    }

    fn function(&mut self, function: &'a Function, method: bool) {
        let scope = self.names.open();
        self.declare_generics(&function.generics);
        if method {
            self.names.declare("self", Entry::Variable(None));
        }
        for Param { name, annotation, .. } in &function.params {
            self.declare(*name, *annotation);
        }
        self.block(&function.body);
        self.names.close(scope);
    }

    fn exprs(&mut self, ids: &[ExprId]) {
        for id in ids {
            self.expr(*id);
        }
    }

    /// Visits an expression. Goes down the left side in a loop: chains of calls and operators may be of any length.
    fn expr(&mut self, mut id: ExprId) {
        let ast = self.ast;
        loop {
            let expr = ast.expr(id);
            match &expr.kind {
                ExprKind::Name => return self.name_use(expr.span),
                ExprKind::Function(function) => return self.function(function, false),
                ExprKind::Field { object, .. } => id = *object,
                ExprKind::Index { object, key } => {
                    self.expr(*key);
                    id = *object;
                }
                ExprKind::Call { callee, args, .. } => {
                    if self.typeof_call(expr.span, *callee, args) {
                        return;
                    }
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
                ExprKind::Unary { operand: inner, .. }
                | ExprKind::Paren(inner)
                | ExprKind::Cast { value: inner, .. }
                | ExprKind::NonNil(inner) => id = *inner,
                ExprKind::Table(items) => return self.table(items),
                ExprKind::Nil
                | ExprKind::True
                | ExprKind::False
                | ExprKind::Number
                | ExprKind::String
                | ExprKind::Vararg
                | ExprKind::Error => return,
            }
        }
    }

    fn table(&mut self, items: &'a [TableItem]) {
        for item in items {
            match item {
                TableItem::Positional(value) | TableItem::Named(_, value) => self.expr(*value),
                TableItem::Keyed(key, value) => {
                    self.expr(*key);
                    self.expr(*value);
                }
            }
        }
    }

    fn name_use(&mut self, span: Span) {
        if let Some(Entry::Alias(id)) = self.value(self.text(span))
            && let Some(alias) = self.aliases.get_mut(id.0)
        {
            alias.used = true;
            alias.value_used = true;
            alias.hoisted |= span.start < alias.statement.start;
        }
    }

    /// Answers `typeof(x)` for a variable of a declared type.
    fn typeof_call(&mut self, span: Span, callee: ExprId, args: &[ExprId]) -> bool {
        let callee = self.ast.expr(callee);
        let [argument] = args else { return false };
        if !matches!(callee.kind, ExprKind::Name) || self.text(callee.span) != "typeof" || self.value("typeof").is_some() {
            return false;
        }
        let argument = self.ast.expr(*argument);
        if !matches!(argument.kind, ExprKind::Name) {
            return false;
        }
        let Some(Entry::Variable(Some(annotation))) = self.value(self.text(argument.span)) else { return false };
        // Of what is declared to be anything, and of a type parameter, only the value itself tells more.
        if let TypeKind::Name { module: None, name, .. } = self.ast.type_node(annotation).kind {
            let name = self.text(name);
            let open = matches!(name, "any" | "unknown" | "Any") && self.type_entry(name).is_none();
            if open || matches!(self.type_entry(name), Some(Entry::Generic)) {
                return false;
            }
        }
        let text = Builder::new(self, span.start, None).write(annotation);
        self.typeofs.push((span, text));
        true
    }

    fn alias(&mut self, node: &'a TypeAlias) {
        let Some(AliasId(index)) = self.by_name_place.get(&node.name.start).copied() else { return };
        let scope = self.names.open();
        self.declare_generics(&node.generics);
        let text = Builder::new(self, node.name.start, Some(AliasId(index))).write_alias(node);
        self.names.close(scope);
        if let Some(alias) = self.aliases.get_mut(index) {
            alias.text = text;
        }
    }

    pub(super) fn generics(&self, id: AliasId) -> &'a [Generic] {
        self.aliases.get(id.0).map_or(&[], |alias| &alias.node.generics)
    }

    pub(super) fn alias_name(&self, id: AliasId, plain: bool) -> String {
        self.aliases.get(id.0).map_or_else(String::new, |alias| if plain { alias.name.to_owned() } else { alias.second_name() })
    }

    fn write(mut self, edits: &mut Edits) -> bool {
        let mut pending: Vec<usize> =
            (0..self.aliases.len()).filter(|index| self.aliases.get(*index).is_some_and(|a| a.used)).collect();
        while let Some(index) = pending.pop() {
            let references = self.aliases.get(index).map_or_else(Vec::new, |alias| alias.references.clone());
            for reference in references {
                if let Some(alias) = self.aliases.get_mut(reference.0)
                    && !alias.used
                {
                    alias.used = true;
                    pending.push(reference.0);
                }
            }
        }
        let mut any = !self.typeofs.is_empty();
        for alias in self.aliases.iter().filter(|alias| alias.used) {
            any = true;
            let (names, text) = alias.declaration();
            let text = match (alias.hoisted, alias.recursive || alias.second_name) {
                (true, _) => {
                    edits.insert(alias.block.start as usize, format!("local {names}; "));
                    text
                }
                (false, true) => format!("local {names}; {text}"),
                (false, false) => format!("local {text}"),
            };
            edits.replace(alias.statement.range(), format!("{text};"));
        }
        for (span, text) in self.typeofs {
            edits.replace(span.range(), text);
        }
        any
    }
}
