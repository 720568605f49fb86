//! Calls: arguments, type parameters, and the base functions that change what is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::annotations::count;
use super::generics::{Solution, Within};
use super::scopes::Use;
use super::types::{Pack, Signature, Type, TypeId};
use super::{File, lints};
use crate::diagnostic::Level;
use crate::spelling::nearest;
use crate::syntax::Span;
use crate::syntax::ast::{ExprId, ExprKind, StatementKind};

/// What is called, for messages and for the place of a report.
pub(super) struct Callee {
    pub(super) text: String,
    pub(super) span: Span,
    /// The object before a colon.
    pub(super) object: Option<(ExprId, TypeId)>,
    /// What stands between an object and the name of a function that is called with a dot.
    dot: Option<Span>,
}

impl<'a> File<'a> {
    /// Checks a call and gives its results.
    pub(super) fn call(&mut self, id: ExprId, expected: Option<TypeId>) -> Pack {
        let ast = self.ast;
        let expr = ast.expr(id);
        let pack = match &expr.kind {
            ExprKind::Call { callee, args, args_span } => {
                let callee_expr = ast.expr(*callee);
                let global =
                    matches!(callee_expr.kind, ExprKind::Name) && self.scopes.uses.get(callee.index()) == Some(&Use::Global);
                let name = if global { self.text(callee_expr.span) } else { "" };
                match self.base_call(name, args, expr.span, expected) {
                    Some(pack) => pack,
                    None => {
                        let found = self.infer(*callee, None);
                        let text = shown_callee(self.text(callee_expr.span));
                        lints::blocking::check(self, text.as_str(), callee_expr.span);
                        let found = self.without_nil(*callee, found, "called");
                        let dot = match &callee_expr.kind {
                            ExprKind::Field { object, name } => Some(Span { start: ast.expr(*object).span.end, end: name.start }),
                            _ => None,
                        };
                        let callee = Callee { text, span: callee_expr.span, object: None, dot };
                        self.call_type(found, &callee, args, *args_span, expected)
                    }
                }
            }
            ExprKind::MethodCall { object, name, args, args_span } => {
                let found = self.infer(*object, None);
                let found = self.without_nil(*object, found, "called a method of");
                let text = shown_callee(self.text(Span { start: ast.expr(*object).span.start, end: name.end }));
                lints::blocking::check_method(self, self.text(*name), found, *name);
                if let Type::Meta(inner) = *self.types().get(found) {
                    return self.type_method(inner, self.text(*name), args);
                }
                let symbol = self.symbol(*name);
                let method = self.read_field(found, symbol, *name, Some(*object));
                let callee = Callee { text, span: *name, object: Some((*object, found)), dot: None };
                let method = self.types().non_nil(method);
                self.call_type(method, &callee, args, *args_span, expected)
            }
            _ => Pack::any(),
        };
        if pack.types.first() == Some(&TypeId::NEVER) {
            self.flow.dead = true;
        }
        pack
    }

    /// The base functions that mean more than their types say.
    fn base_call(&mut self, name: &str, args: &'a [ExprId], span: Span, expected: Option<TypeId>) -> Option<Pack> {
        if name.is_empty() || self.scopes.globals_written.contains_key(name) || self.program.imports.contains_key(name) {
            return None;
        }
        match (name, args) {
            ("require", [argument]) => Some(self.require(*argument)),
            ("assert", [condition, ..]) => {
                let pack =
                    if args.len() == 1 { self.infer_pack(*condition, None) } else { Pack::one(self.infer(*condition, None)) };
                self.infer_args(args.get(1..).unwrap_or(&[]));
                self.narrow(*condition, true);
                let first = pack.get(0).unwrap_or(TypeId::NIL);
                let first = self.truthy_part(first);
                let mut result = pack;
                match result.types.first_mut() {
                    Some(slot) => *slot = first,
                    None => result.types.push(first),
                }
                if first == TypeId::NEVER {
                    // A condition that is known to fail: nothing is known after it.
                    result.types.clear();
                    result.rest = Some(TypeId::ANY);
                }
                Some(result)
            }
            ("setmetatable", [table, metatable]) => Some(Pack::one(self.set_metatable(*table, *metatable, expected))),
            ("pcall" | "xpcall", [function, ..]) => {
                let found = self.infer(*function, None);
                let dead = self.flow.dead;
                self.infer_args(args.get(1..).unwrap_or(&[]));
                self.flow.dead = dead;
                self.escape(found);
                Some(Pack { types: vec![TypeId::BOOLEAN], rest: Some(TypeId::ANY) })
            }
            ("string", [argument]) => {
                let found = self.infer(*argument, None);
                self.escape(found);
                Some(Pack::one(TypeId::STRING))
            }
            ("ipairs", [argument]) => {
                let found = self.infer(*argument, None);
                let found = self.without_nil(*argument, found, "iterated");
                let bad = self.types().lua_type(found).is_some_and(|kind| kind != "table");
                if bad {
                    let place = self.ast.expr(*argument).span;
                    self.expect_type(found, TypeId::TABLE, place, &|_| "argument 1 of `ipairs`".to_owned());
                }
                Some(Pack::any())
            }
            ("pairs" | "next", [argument, rest @ ..]) => {
                let found = self.infer(*argument, None);
                let found = self.without_nil(*argument, found, "iterated");
                self.infer_args(rest);
                let bad = self.types().lua_type(found).is_some_and(|kind| kind != "table");
                if bad {
                    let place = self.ast.expr(*argument).span;
                    self.expect_type(found, TypeId::TABLE, place, &move |_| "argument 1 of `pairs`".to_owned());
                }
                Some(Pack::any())
            }
            ("rawset", [table, ..]) => {
                let found = self.infer(*table, None);
                self.infer_args(args.get(1..).unwrap_or(&[]));
                self.escape(found);
                Some(Pack::one(found))
            }
            _ => {
                let _ = span;
                None
            }
        }
    }

    fn require(&mut self, argument: ExprId) -> Pack {
        let found = self.infer(argument, None);
        if !matches!(self.ast.expr(argument).kind, ExprKind::String) {
            return Pack::any();
        }
        let Type::Str(symbol) = *self.types().get(found) else { return Pack::any() };
        let name = self.checker.types.name(symbol).to_owned();
        if let Some(exports) = self.required(&name) {
            return Pack::one(exports.value);
        }
        let span = self.ast.expr(argument).span;
        let mut diagnostic = self.diagnostic(
            Level::Error,
            "undeclared-require",
            span,
            format!("`{name}` is neither a module nor an import of this entry"),
            "not declared",
        );
        let known = super::library::module_names().any(|module| module == name);
        let program = self.program;
        let mut declared: Vec<String> = program.imports.keys().chain(program.modules).cloned().collect();
        declared.extend(super::library::module_names().map(str::to_owned));
        diagnostic = if known {
            diagnostic.help(format!("add `{name}` to the `modules` of the entry"))
        } else if let Some(near) = nearest(&name, declared.iter().map(String::as_str)) {
            diagnostic.help(format!("did you mean `{near}`?"))
        } else {
            diagnostic.help(format!("add it to the `imports` of the entry: `{name}: namespace:name`"))
        };
        self.report(diagnostic);
        Pack::any()
    }

    fn set_metatable(&mut self, table: ExprId, metatable: ExprId, expected: Option<TypeId>) -> TypeId {
        let found = self.infer(table, expected.filter(|_| false));
        let meta = self.infer(metatable, None);
        let Type::Inferred(index) = *self.types().get(found) else { return found };
        if let Some(inferred) = self.types().inferred_mut(index) {
            inferred.metatable = true;
        }
        let Type::Inferred(class) = *self.types().get(meta) else { return found };
        let instance = self.instance_of(meta, class);
        // The usual class: what the constructor sets belongs to every instance.
        let fields = self.types().get_inferred(index).map(|inferred| inferred.fields.clone()).unwrap_or_default();
        if instance == found {
            return found;
        }
        if let Type::Inferred(at) = *self.types().get(instance)
            && let Some(inferred) = self.types().inferred_mut(at)
        {
            for field in fields {
                if !inferred.by_name.contains_key(&field.name) {
                    super::tables::add_field(inferred, field.name, field.value, field.span);
                }
            }
        }
        instance
    }

    /// Gives the table type of the instances of a class.
    pub(super) fn instance_of(&mut self, class_type: TypeId, class: u32) -> TypeId {
        if let Some(known) = self.types().get_inferred(class).and_then(|class| class.instance) {
            return known;
        }
        let name = self.types().get_inferred(class).and_then(|class| class.name);
        let instance = super::types::Inferred { metatable: true, parent: Some(class_type), name, ..Default::default() };
        let id = self.types().inferred_table(instance);
        if let Some(class) = self.types().inferred_mut(class) {
            class.instance = Some(id);
        }
        id
    }

    /// `T:is(v)` and reflection.
    fn type_method(&mut self, inner: TypeId, name: &str, args: &'a [ExprId]) -> Pack {
        self.infer_args(args);
        match name {
            "is" => {
                let value = self.types().optional(inner);
                let message = self.types().optional(TypeId::STRING);
                Pack { types: vec![value, message], rest: None }
            }
            "kind" => Pack::one(TypeId::STRING),
            // A field of the type may have the name of a method.
            _ => Pack::any(),
        }
    }

    pub(super) fn infer_args(&mut self, args: &'a [ExprId]) {
        for argument in args {
            let found = self.infer(*argument, None);
            self.escape(found);
        }
    }

    fn call_type(
        &mut self,
        found: TypeId,
        callee: &Callee,
        args: &'a [ExprId],
        args_span: Span,
        expected: Option<TypeId>,
    ) -> Pack {
        let resolved = self.types().resolve(found);
        match self.types().get(resolved).clone() {
            Type::Function(index) => {
                let Some(signature) = self.types().get_function(index).cloned() else { return Pack::any() };
                self.call_signature(&signature, callee, args, args_span, expected)
            }
            Type::Meta(inner) => self.construct(inner, args),
            Type::Union(_) => self.call_union(resolved, callee, args, args_span, expected),
            Type::Nil
            | Type::Boolean
            | Type::Bool(_)
            | Type::Number
            | Type::Integer
            | Type::Int(_)
            | Type::Float(_)
            | Type::Str(_)
            | Type::String
            | Type::Array(_) => {
                self.infer_args(args);
                let message = format!("`{}` is not a function but `{}`", callee.text, self.show(found));
                self.error("not-callable", callee.span, message, "cannot be called");
                Pack::any()
            }
            Type::Inferred(index) => {
                self.infer_args(args);
                let open = self
                    .types()
                    .get_inferred(index)
                    .is_none_or(|table| table.metatable || table.escaped || table.parent.is_some());
                if !open && self.strict {
                    let message = format!("`{}` is not a function but a table", callee.text);
                    self.error("not-callable", callee.span, message, "cannot be called");
                }
                Pack::any()
            }
            _ => {
                self.infer_args(args);
                Pack::any()
            }
        }
    }

    /// One of several functions: the results of all, if all can be called so.
    fn call_union(
        &mut self,
        found: TypeId,
        callee: &Callee,
        args: &'a [ExprId],
        args_span: Span,
        expected: Option<TypeId>,
    ) -> Pack {
        let members = self.types().members(found);
        let mut signatures = Vec::new();
        for member in members {
            let member = self.types().resolve(member);
            match *self.types().get(member) {
                Type::Function(index) => signatures.extend(self.types().get_function(index).cloned()),
                _ => {
                    self.infer_args(args);
                    return Pack::any();
                }
            }
        }
        let mut result: Option<Pack> = None;
        for (index, signature) in signatures.iter().enumerate() {
            self.quiet += usize::from(index > 0);
            let pack = self.call_signature(signature, callee, args, args_span, expected);
            self.quiet -= usize::from(index > 0);
            result = Some(match result {
                Some(known) => self.join_packs(&known, &pack),
                None => pack,
            });
        }
        result.unwrap_or_else(Pack::any)
    }

    /// `User(v)`, and `Box(String)` for a type with parameters.
    fn construct(&mut self, inner: TypeId, args: &'a [ExprId]) -> Pack {
        if let Type::Named(alias, known) = self.types().get(inner).clone()
            && !known.is_empty()
            && known.iter().all(|arg| *arg == TypeId::ANY)
        {
            let mut given = Vec::new();
            for argument in args {
                let found = self.infer(*argument, None);
                if let Type::Meta(inner) = *self.types().get(found) {
                    given.push(inner);
                }
            }
            if given.len() == known.len() {
                let named = self.types().add(Type::Named(alias, given.into()));
                return Pack::one(self.types().add(Type::Meta(named)));
            }
            return Pack::any();
        }
        self.infer_args(args);
        Pack::one(inner)
    }

    fn call_signature(
        &mut self,
        signature: &Signature,
        callee: &Callee,
        args: &'a [ExprId],
        args_span: Span,
        expected: Option<TypeId>,
    ) -> Pack {
        let offset = usize::from(callee.object.is_some());
        let mut solution = Solution::default();
        let generic = !signature.generics.is_empty();
        if let (Some((object, found)), Some(param)) = (callee.object, signature.params.first()) {
            if generic {
                self.unify(param.value, found, &mut solution, Within::default());
            }
            let plain = if generic { self.types().substitute(param.value, &solution.map, 0) } else { param.value };
            let place = self.ast.expr(object).span;
            if !signature.is_method || plain != TypeId::ANY {
                let text = callee.text.clone();
                let named_self = param.name.is_some_and(|name| self.checker.types.name(name) == "self");
                if named_self {
                    if !generic && self.types().assignable(found, plain) {
                    } else if !generic {
                        self.expect_type(found, plain, place, &move |_| format!("the object of `{text}`"));
                    }
                } else if signature.declared && self.strict && !self.types().assignable(found, plain) {
                    let name = self.text(callee.span);
                    let diagnostic = self
                        .diagnostic(
                            Level::Error,
                            "type-mismatch",
                            callee.span,
                            format!("`{name}` takes no object before its arguments"),
                            "called with a colon",
                        )
                        .help(format!("write `.{name}(`: a colon passes the object as the first argument"));
                    self.report(diagnostic);
                    self.infer_args(args);
                    return Pack::any();
                }
            }
        }
        let mut given: Vec<(Option<ExprId>, TypeId)> = Vec::with_capacity(args.len());
        let mut rest = None;
        let last = args.len().saturating_sub(1);
        for (index, argument) in args.iter().enumerate() {
            let param = signature.params.get(index + offset);
            let declared = param.map(|param| (param.value, param.optional)).or(signature.rest.map(|rest| (rest, true)));
            let function = matches!(self.ast.expr(self.ast.unwrap_parens(*argument)).kind, ExprKind::Function(_));
            if function {
                // A function that goes on from a literal will hardly give the same literal.
                for value in solution.map.values_mut() {
                    *value = self.checker.types.widen(*value);
                }
            }
            let model = declared.map(|(value, _)| match (generic, function) {
                (false, _) => value,
                (true, false) => self.types().substitute(value, &solution.map, 0),
                (true, true) => self.callback_model(value, &solution),
            });
            let model = model.filter(|model| !self.has_param(*model, 0));
            let multiple = index == last
                && matches!(
                    self.ast.expr(*argument).kind,
                    ExprKind::Call { .. } | ExprKind::MethodCall { .. } | ExprKind::Vararg
                );
            if multiple {
                let pack = self.infer_pack(*argument, model);
                let mut first = true;
                for value in &pack.types {
                    given.push((first.then_some(*argument), *value));
                    first = false;
                }
                rest = pack.rest;
                if first && rest.is_none() {
                    given.push((Some(*argument), TypeId::NIL));
                }
            } else {
                let before = self.diagnostics.len();
                let found = self.infer(*argument, model);
                let inner = self.ast.unwrap_parens(*argument);
                let literal = matches!(self.ast.expr(inner).kind, ExprKind::Table(_) | ExprKind::Function(_));
                // A literal that reported against its model has said enough.
                let found = if literal && self.diagnostics.len() > before && model.is_some() { TypeId::ANY } else { found };
                let found = if generic && function { self.without_modelled(inner, found) } else { found };
                given.push((Some(*argument), found));
            }
            if generic {
                for at in index..given.len() {
                    let declared = signature.params.get(at + offset).map(|param| param.value).or(signature.rest);
                    let found = given.get(at).map(|(_, found)| *found);
                    if let (Some(declared), Some(found)) = (declared, found) {
                        self.unify(declared, found, &mut solution, Within { literal: function, ..Within::default() });
                    }
                }
            }
        }
        if generic {
            if let (Some(rest), Some(declared)) = (rest, signature.rest) {
                self.unify(declared, rest, &mut solution, Within::default());
            }
            self.settle_params(signature, callee.object.map(|(_, found)| found), &given, &mut solution);
        }
        if self.lacks_object(signature, callee, &given, rest) {
            return self.generic_results(signature, &solution, expected);
        }
        let before = self.diagnostics.len();
        self.check_arguments(signature, callee, &given, rest, &mut solution.map, args_span, offset);
        if generic && self.diagnostics.len() == before {
            self.check_bounds(signature, callee, &given, &mut solution.map, args_span);
        }
        for (_, found) in &given {
            self.escape(*found);
        }
        if !generic {
            return signature.returns.clone();
        }
        self.generic_results(signature, &solution, expected)
    }

    /// Reports a method that is called with a dot and without its object.
    fn lacks_object(
        &mut self,
        signature: &Signature,
        callee: &Callee,
        given: &[(Option<ExprId>, TypeId)],
        rest: Option<TypeId>,
    ) -> bool {
        let (Some(dot), Some(first), None) = (callee.dot, signature.params.first(), rest) else { return false };
        let method = first.name.is_some_and(|name| self.checker.types.name(name) == "self");
        if !method || !signature.declared || self.text(dot) != "." {
            return false;
        }
        let lacks = match given.first() {
            None => !first.optional && !self.types().has_nil(first.value),
            Some((_, found)) if first.value == TypeId::ANY => {
                let needed = signature.params.iter().filter(|param| !param.optional && !self.checker.types.has_nil(param.value));
                let needed = needed.count() + usize::from(signature.is_method);
                given.len() < needed && self.types().lua_type(*found).is_some_and(|kind| kind != "table")
            }
            Some((_, found)) => !self.has_param(first.value, 0) && !self.fits(*found, first.value),
        };
        if !lacks {
            return false;
        }
        let called = Span { start: callee.span.start, end: dot.start };
        let name = self.text(Span { start: dot.end, end: callee.span.end });
        let owner = shown_callee(self.text(called));
        let message = format!("`{name}` is a method and takes its object first");
        let diagnostic = self
            .diagnostic(Level::Error, "type-mismatch", callee.span, message, "called with a dot")
            .help(format!("write `{owner}:{name}(`: a colon passes the object"))
            .fix(dot.range(), ":", "call it with a colon");
        self.report(diagnostic);
        true
    }

    #[expect(clippy::too_many_arguments, reason = "all of it is one call, taken apart")]
    fn check_arguments(
        &mut self,
        signature: &Signature,
        callee: &Callee,
        given: &[(Option<ExprId>, TypeId)],
        rest: Option<TypeId>,
        map: &mut FxHashMap<u32, TypeId>,
        args_span: Span,
        offset: usize,
    ) {
        let mut bound_failed = false;
        for (index, param) in signature.params.iter().enumerate().skip(offset) {
            let wanted = if map.is_empty() { param.value } else { self.types().substitute(param.value, map, 0) };
            let wanted = if param.optional { self.types().optional(wanted) } else { wanted };
            match given.get(index - offset) {
                Some((id, found)) => {
                    let bound = self.own_bound(signature, param.value);
                    let wanted = match bound {
                        // The first that is no such thing says enough.
                        Some(_) if bound_failed => continue,
                        Some(bound) if !(self.fits(*found, bound) || param.optional && *found == TypeId::NIL) => {
                            bound_failed = true;
                            bound
                        }
                        _ => wanted,
                    };
                    if self.has_param(wanted, 0) {
                        continue;
                    }
                    let place = id.map_or(args_span, |id| self.ast.expr(id).span);
                    let (text, number, name) = (callee.text.clone(), index + 1 - offset, param.name);
                    self.expect_type(*found, wanted, place, &move |file| match name {
                        Some(name) => format!("argument {number} (`{}`) of `{text}`", file.checker.types.name(name)),
                        None => format!("argument {number} of `{text}`"),
                    });
                }
                None if rest.is_some() || self.types().has_nil(wanted) || !signature.declared => {}
                None => {
                    // Those before the last one that is needed have to be there too, whatever they are.
                    let mut needed = |param: &super::types::Param| !param.optional && !self.checker.types.has_nil(param.value);
                    let mut wanted_count = 0;
                    for (position, param) in signature.params.iter().skip(offset).enumerate() {
                        if needed(param) {
                            wanted_count = position + 1;
                        }
                    }
                    let exact = signature.rest.is_none() && wanted_count + offset == signature.params.len();
                    let missing =
                        param.name.map_or_else(String::new, |name| format!(": `{}` is missing", self.checker.types.name(name)));
                    let message =
                        format!("`{}` takes {}, got {}{missing}", callee.text, at_least(wanted_count, exact), given.len());
                    let mut out = String::new();
                    self.checker.types.write_signature(&mut out, signature, 0);
                    let diagnostic = self
                        .diagnostic(Level::Error, "argument-count", args_span, message, "")
                        .note(format!("its type is `{out}`"));
                    self.report(diagnostic);
                    return;
                }
            }
        }
        let fixed = signature.params.len().saturating_sub(offset);
        if let Some(wanted) = signature.rest {
            let bound = self.own_bound(signature, wanted);
            for (index, (id, found)) in given.iter().enumerate().skip(fixed) {
                let wanted = match bound {
                    Some(_) if bound_failed => break,
                    Some(bound) if !self.fits(*found, bound) => {
                        bound_failed = true;
                        bound
                    }
                    _ => self.types().substitute(wanted, map, 0),
                };
                let place = id.map_or(args_span, |id| self.ast.expr(id).span);
                let text = callee.text.clone();
                self.expect_type(*found, wanted, place, &move |_| format!("argument {} of `{text}`", index + 1));
            }
        } else if signature.declared && !signature.host && self.strict && given.len() > fixed {
            let extra = given.get(fixed).and_then(|(id, _)| *id);
            if let Some(extra) = extra {
                let place = self.ast.expr(extra).span;
                let message = format!("`{}` takes {}, got {}", callee.text, count(fixed, "argument"), given.len());
                self.error("argument-count", place, message, "one too many");
            }
        }
    }

    /// Gives what two lists of results have in common, position by position.
    pub(super) fn join_packs(&mut self, left: &Pack, right: &Pack) -> Pack {
        let length = left.types.len().max(right.types.len());
        let mut types = Vec::with_capacity(length);
        for index in 0..length {
            let a = left.get(index).unwrap_or(TypeId::NIL);
            let b = right.get(index).unwrap_or(TypeId::NIL);
            let joined = self.types().union(&[a, b]);
            types.push(joined);
        }
        let rest = match (left.rest, right.rest) {
            (Some(a), Some(b)) => Some(self.types().union(&[a, b])),
            (a, b) => a.or(b),
        };
        Pack { types, rest }
    }

    /// Gives the types that a module or library exports, by the name it has in this file.
    pub(super) fn module_types(&mut self, name: &str) -> Option<BTreeMap<Arc<str>, u32>> {
        let required = self.required_as(name);
        self.required(&required).map(|exports| exports.types)
    }

    /// Gives the value of a module or library, by the name it has in this file.
    pub(super) fn module_value(&mut self, name: &str) -> Option<TypeId> {
        let required = self.required_as(name);
        self.required(&required).map(|exports| exports.value)
    }

    /// Finds `local name = require("other")` among the outermost statements.
    fn required_as(&mut self, name: &str) -> String {
        if self.requires.is_none() {
            let mut requires = FxHashMap::default();
            for statement in &self.ast.block.statements {
                let StatementKind::Local { names, values } = &statement.kind else { continue };
                for (binding, value) in names.iter().zip(values) {
                    if let Some(required) = self.required_name(*value) {
                        requires.insert(self.text(binding.name), required);
                    }
                }
            }
            self.requires = Some(requires);
        }
        let known = self.requires.as_ref().and_then(|requires| requires.get(name)).cloned();
        known.unwrap_or_else(|| name.to_owned())
    }

    fn required_name(&self, value: ExprId) -> Option<String> {
        let ExprKind::Call { callee, args, .. } = &self.ast.expr(value).kind else { return None };
        let [argument] = args.as_slice() else { return None };
        let argument = self.ast.expr(*argument);
        if self.text(self.ast.expr(*callee).span) != "require" || !matches!(argument.kind, ExprKind::String) {
            return None;
        }
        let value = crate::syntax::string_value(self.text(argument.span));
        Some(String::from_utf8_lossy(&value).into_owned())
    }
}

fn at_least(wanted: usize, exact: bool) -> String {
    if exact { count(wanted, "argument") } else { format!("at least {}", count(wanted, "argument")) }
}

/// Messages name what is called only if it is short.
fn shown_callee(text: &str) -> String {
    if text.len() <= 60 && !text.contains('\n') { text.to_owned() } else { "this function".to_owned() }
}
