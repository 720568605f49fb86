//! The type checker: a file in, diagnostics and the types that it exports out.
//!
//! Where it cannot know, it stays silent. It must not read files: the caller gives the source and what the file may import.

mod annotations;
mod calls;
mod expressions;
mod flow;
mod generics;
mod library;
mod lints;
mod literals;
mod narrow;
mod probe;
mod relation;
mod scopes;
mod show;
mod statements;
mod suppress;
mod tables;
mod types;
mod ways;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diagnostic::{Diagnostic, Level};
use crate::lower::syntax_diagnostics;
use crate::syntax::ast::{Ast, ExprId};
use crate::syntax::{MAX_SOURCE_BYTES, Parsed, Span, parse};
use flow::Flow;
use library::Library;
pub use library::declarations;
pub use probe::{At, Member, Signature};
use scopes::{Scopes, VarId};
use types::{Pack, Symbol, TypeId, Types};

/// No more diagnostics than this are given for one file: a hostile file must not fill memory with reports.
pub const MAX_DIAGNOSTICS: usize = 500;

/// After so many reports no more names are suggested: each suggestion looks through all names of the file.
const MAX_SUGGESTIONS: usize = 100;

/// A file to check and what it may use.
#[derive(Debug, Clone, Default)]
pub struct Program<'a> {
    /// The text.
    pub source: &'a str,
    /// The path that diagnostics show.
    pub file: &'a str,
    /// The modules that the entry lists.
    pub modules: &'a [String],
    /// The libraries that the entry imports, by the name under which it does.
    pub imports: BTreeMap<String, Exports>,
    /// Whether every module may be used, for files that belong to no entry.
    pub any_module: bool,
}

/// What a checked file gives to those who import it.
#[derive(Debug, Clone)]
pub struct Exports {
    value: TypeId,
    types: BTreeMap<Arc<str>, u32>,
}

impl Exports {
    /// What is known of a library that could not be checked: nothing, so that nothing is reported about its uses.
    #[must_use]
    pub fn unknown() -> Self {
        Self { value: TypeId::ANY, types: BTreeMap::new() }
    }
}

/// What checking gives.
#[derive(Debug)]
pub struct Checked {
    /// The reports, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// What the file gives to others.
    pub exports: Exports,
    /// What an editor asks for.
    pub facts: Facts,
}

/// The type of each expression, for editors.
#[derive(Debug, Default)]
pub struct Facts {
    /// Places with the types there, in words.
    pub types: Vec<(Span, String)>,
    /// What there is at the place that was asked about.
    pub at: Option<At>,
}

/// Checks files that may refer to each other. Types of all of them live here.
#[derive(Debug)]
pub struct Checker {
    types: Types,
    library: Library,
    /// Whether to keep the type of every expression, which costs time and only an editor needs.
    keep_facts: bool,
    /// The offset about which an editor asks.
    probe: Option<u32>,
}

impl Default for Checker {
    fn default() -> Self {
        Self::new()
    }
}

impl Checker {
    /// Makes a checker that knows the modules of the host.
    #[must_use]
    pub fn new() -> Self {
        let mut checker = Self { types: Types::new(), library: Library::default(), keep_facts: false, probe: None };
        checker.load_base();
        checker
    }

    /// Makes the checker keep what editors ask for.
    #[must_use]
    pub fn with_facts(mut self) -> Self {
        self.keep_facts = true;
        self
    }

    /// Checks a file and tells what there is at an offset of it, for editors.
    pub fn probe(&mut self, program: &Program<'_>, offset: usize) -> At {
        self.probe = u32::try_from(offset).ok();
        let parsed = parse(program.source);
        let (_, _, facts) = self.run(program, &parsed, false);
        self.probe = None;
        facts.at.unwrap_or_default()
    }

    /// Checks a file.
    pub fn check(&mut self, program: &Program<'_>) -> Checked {
        let parsed = parse(program.source);
        self.check_parsed(program, &parsed)
    }

    /// Checks a file that was parsed before.
    pub fn check_parsed(&mut self, program: &Program<'_>, parsed: &Parsed) -> Checked {
        let (mut diagnostics, exports, facts) = self.run(program, parsed, false);
        if parsed.errors.is_empty() {
            suppress::apply(program, parsed, &mut diagnostics);
        } else {
            // What could not be read is not there for the checker either: its reports would be consequences.
            diagnostics = syntax_diagnostics(&parsed.errors, program.file);
        }
        diagnostics.sort_by_key(|diagnostic| diagnostic.primary.as_ref().map_or(0, |label| label.span.start));
        diagnostics.truncate(MAX_DIAGNOSTICS);
        Checked { diagnostics, exports, facts }
    }

    /// Gives an exported type in words.
    #[must_use]
    pub fn show(&self, exports: &Exports) -> String {
        self.types.show(exports.value)
    }

    fn run(&mut self, program: &Program<'_>, parsed: &Parsed, declaration: bool) -> (Vec<Diagnostic>, Exports, Facts) {
        debug_assert!(program.source.len() <= MAX_SOURCE_BYTES || !parsed.errors.is_empty());
        let scopes = scopes::resolve(program.source, &parsed.ast);
        let variables = scopes.vars.len();
        let mut file = File {
            source: program.source,
            file: program.file.into(),
            ast: &parsed.ast,
            program,
            checker: self,
            scopes,
            flow: Flow::default(),
            var_types: vec![None; variables],
            type_scopes: FxHashMap::default(),
            type_open: Vec::new(),
            alias_ids: FxHashMap::default(),
            exported: BTreeMap::new(),
            functions: Vec::new(),
            correlated: FxHashMap::default(),
            type_locals: FxHashMap::default(),
            diagnostics: Vec::new(),
            strict: !parsed.erasures.is_empty(),
            declaration,
            depth: 0,
            deferred: Vec::new(),
            requires: None,
            reported_globals: FxHashSet::default(),
            suggested: FxHashSet::default(),
            global_functions: FxHashMap::default(),
            quiet: 0,
            expr_types: Vec::new(),
        };
        if (file.checker.keep_facts || file.checker.probe.is_some()) && !declaration {
            file.expr_types = vec![TypeId::ANY; parsed.ast.expr_count()];
        }
        let exports = file.chunk();
        let facts = file.facts();
        (file.diagnostics, exports, facts)
    }
}

/// What a name means in a type.
#[derive(Debug, Clone, Copy)]
enum TypeEntry {
    Alias(u32),
    Param(TypeId),
}

/// A function body that is being checked.
#[derive(Debug, Default)]
struct Body {
    /// What it is declared to give back.
    declared: Option<Pack>,
    declared_span: Option<Span>,
    /// What its return statements give, if nothing is declared.
    returned: Option<Pack>,
    /// Whether it was left by a return that gives nothing or by its end.
    vararg: Option<TypeId>,
}

/// A read of a field that may be written further down.
#[derive(Debug)]
struct DeferredField {
    table: u32,
    name: Symbol,
    span: Span,
}

/// One file being checked.
struct File<'a> {
    source: &'a str,
    file: Arc<str>,
    ast: &'a Ast,
    program: &'a Program<'a>,
    checker: &'a mut Checker,
    scopes: Scopes<'a>,
    flow: Flow,
    /// What each variable was declared or found to be.
    var_types: Vec<Option<TypeId>>,
    type_scopes: FxHashMap<Symbol, Vec<TypeEntry>>,
    type_open: Vec<Symbol>,
    /// Declared types by where their names stand.
    alias_ids: FxHashMap<u32, u32>,
    exported: BTreeMap<Arc<str>, u32>,
    functions: Vec<Body>,
    /// Variables of which one is nil exactly when the other is not.
    correlated: FxHashMap<VarId, VarId>,
    /// Variables that hold `type(x)`, with that x; neither is written again.
    type_locals: FxHashMap<VarId, ExprId>,
    diagnostics: Vec<Diagnostic>,
    /// Whether the file uses types. In a file that does not, only what is certainly wrong is reported.
    strict: bool,
    /// Whether this declares a module of the host.
    declaration: bool,
    depth: usize,
    deferred: Vec<DeferredField>,
    /// The locals that hold a library or module, by name; found when first needed.
    requires: Option<FxHashMap<&'a str, String>>,
    reported_globals: FxHashSet<&'a str>,
    /// The names that a report about an unknown one suggested.
    suggested: FxHashSet<String>,
    /// The functions that the file declares without `local`.
    global_functions: FxHashMap<&'a str, TypeId>,
    quiet: usize,
    expr_types: Vec<TypeId>,
}

impl<'a> File<'a> {
    fn text(&self, span: Span) -> &'a str {
        span.text(self.source)
    }

    fn types(&mut self) -> &mut Types {
        &mut self.checker.types
    }

    fn symbol(&mut self, span: Span) -> Symbol {
        let text = span.text(self.source);
        self.checker.types.symbol(text)
    }

    fn show(&self, id: TypeId) -> String {
        self.checker.types.show(id)
    }

    /// Adds a report, unless this code is never reached or is being looked at a second time.
    fn report(&mut self, diagnostic: Diagnostic) {
        if self.quiet > 0 || self.flow.dead || self.diagnostics.len() > MAX_DIAGNOSTICS * 2 {
            return;
        }
        self.diagnostics.push(diagnostic);
    }

    fn diagnostic(
        &self,
        level: Level,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::new(Cow::Borrowed(code), level, message).at(self.file.clone(), span.range(), label)
    }

    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>, label: impl Into<String>) {
        let diagnostic = self.diagnostic(Level::Error, code, span, message, label);
        self.report(diagnostic);
    }

    fn facts(&mut self) -> Facts {
        let mut facts = Facts::default();
        if let Some(offset) = self.checker.probe.filter(|_| !self.declaration) {
            facts.at = Some(self.look_at(offset));
            return facts;
        }
        for (expr, id) in self.ast.exprs().zip(&self.expr_types) {
            facts.types.push((expr.span, self.show(*id)));
        }
        facts
    }
}

#[cfg(test)]
mod tests;
