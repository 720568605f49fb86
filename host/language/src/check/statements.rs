//! Statements: declarations, assignments, and what is known after each way through them.

use super::scopes::{Use, VarId};
use super::types::{Pack, Type, TypeId};
use super::{Body, Exports, File, lints};
use crate::diagnostic::Level;
use crate::syntax::Span;
use crate::syntax::ast::{Binding, Block, ExprId, ExprKind, Function, Statement, StatementKind};

impl<'a> File<'a> {
    /// Checks the whole file.
    pub(super) fn chunk(&mut self) -> Exports {
        self.functions.push(Body { vararg: Some(TypeId::ANY), ..Body::default() });
        let ast = self.ast;
        let scope = self.open_types();
        self.declare_aliases(&ast.block);
        self.statements(&ast.block.statements);
        self.flow.dead = false;
        self.settle_deferred();
        if !self.declaration {
            lints::unused_local::check(self);
            lints::shadowed_local::check(self);
        }
        self.close_types(scope);
        let body = self.functions.pop().unwrap_or_default();
        let value = body.returned.and_then(|pack| pack.get(0)).unwrap_or(TypeId::ANY);
        if let Type::Inferred(index) = *self.types().get(value)
            && let Some(table) = self.types().inferred_mut(index)
        {
            table.sealed = !table.dynamic && !table.metatable && !table.escaped && table.parent.is_none();
        }
        Exports { value, types: std::mem::take(&mut self.exported) }
    }

    pub(super) fn block(&mut self, block: &'a Block) {
        let scope = self.open_types();
        self.declare_aliases(block);
        self.statements(&block.statements);
        self.close_types(scope);
    }

    pub(super) fn statements(&mut self, statements: &'a [Statement]) {
        let mut reported = false;
        for (index, statement) in statements.iter().enumerate() {
            let ended = index > 0 && self.flow.dead && !reported;
            if ended {
                reported = lints::unreachable_code::check(self, statements.get(index - 1), statement);
            }
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'a Statement) {
        match &statement.kind {
            StatementKind::Local { names, values } => self.local(names, values),
            StatementKind::LocalFunction { name, function } => self.local_function(*name, function),
            StatementKind::Function { target, method, function } => self.function_statement(*target, *method, function),
            StatementKind::Assign { targets, values } => self.assign(targets, values),
            StatementKind::Call(call) => {
                let pack = self.infer_pack(*call, None);
                if !self.flow.dead {
                    lints::unused_result::check(self, *call, &pack);
                }
            }
            StatementKind::Do(block) => self.block(block),
            StatementKind::While { condition, body } => self.while_loop(statement.span, *condition, body),
            StatementKind::Repeat { body, condition } => self.repeat_loop(statement.span, body, *condition),
            StatementKind::If { arms, otherwise } => self.if_statement(arms, otherwise.as_ref()),
            StatementKind::NumericFor { name, values, body } => self.numeric_for(statement.span, name, values, body),
            StatementKind::GenericFor { names, values, body } => self.generic_for(statement.span, names, values, body),
            StatementKind::Return(values) => self.return_statement(values, statement.span),
            StatementKind::Break | StatementKind::Goto(_) => self.flow.dead = true,
            StatementKind::Label(_) => self.flow.dead = false,
            StatementKind::TypeAlias(_) | StatementKind::Empty | StatementKind::Error => {}
        }
    }

    pub(super) fn set_var(&mut self, var: VarId, value: Option<TypeId>) {
        if let Some(slot) = self.var_types.get_mut(var.0 as usize) {
            *slot = value;
        }
    }

    pub(super) fn var_of(&self, name: Span) -> Option<VarId> {
        self.scopes.declared.get(&name.start).copied()
    }

    /// Gives the types of a list of values for a number of places; what is declared serves as a model.
    fn value_list(&mut self, values: &'a [ExprId], models: &[Option<TypeId>]) -> Vec<(Option<ExprId>, TypeId)> {
        let mut found = Vec::with_capacity(models.len());
        let last = values.len().saturating_sub(1);
        for (index, value) in values.iter().enumerate() {
            let model = models.get(index).copied().flatten();
            if index == last && values.len() < models.len() {
                let pack = self.infer_pack(*value, model);
                for at in 0..=(models.len() - values.len()) {
                    let part = pack.get(at).unwrap_or(TypeId::NIL);
                    found.push(((at == 0).then_some(*value), part));
                }
            } else {
                let before = self.diagnostics.len();
                let part = self.infer(*value, model);
                let inner = self.ast.unwrap_parens(*value);
                let literal = matches!(self.ast.expr(inner).kind, ExprKind::Table(_) | ExprKind::Function(_));
                let reported = literal && model.is_some() && self.diagnostics.len() > before;
                found.push((Some(*value), if reported { TypeId::ANY } else { part }));
            }
        }
        found
    }

    fn local(&mut self, names: &'a [Binding], values: &'a [ExprId]) {
        let models: Vec<Option<TypeId>> =
            names.iter().map(|name| name.annotation.map(|annotation| self.annotation(annotation))).collect();
        let found = self.value_list(values, &models);
        for (index, binding) in names.iter().enumerate() {
            let Some(var) = self.var_of(binding.name) else { continue };
            let given = found.get(index).copied();
            let value = given.map_or(TypeId::NIL, |(_, value)| value);
            match models.get(index).copied().flatten() {
                Some(declared) => {
                    self.set_var(var, Some(declared));
                    if let Some((id, value)) = given {
                        let place = id.or(values.last().copied()).map_or(binding.name, |id| self.ast.expr(id).span);
                        let before = self.diagnostics.len();
                        let fits = self.expect_type(value, declared, place, &|_| String::new());
                        if fits {
                            self.assigned(var, declared, value);
                        } else if self.diagnostics.len() > before {
                            let span = binding.annotation.map_or(binding.name, |annotation| self.ast.type_node(annotation).span);
                            let label = crate::diagnostic::Label::new(self.file.clone(), span.range(), "declared here");
                            if let Some(last) = self.diagnostics.last_mut() {
                                last.secondary.push(label);
                            }
                            self.fix_label();
                        }
                    }
                }
                None => self.declare_inferred(var, value, given.is_some()),
            }
            self.name_table(binding.name, value);
        }
        self.correlate(names, values);
        self.note_type_locals(names, values);
    }

    /// `local t = type(v)`: a test of `t` is one of `v`.
    fn note_type_locals(&mut self, names: &'a [Binding], values: &'a [ExprId]) {
        for (binding, value) in names.iter().zip(values) {
            let (Some(var), Some(argument)) = (self.var_of(binding.name), self.type_call(*value)) else { continue };
            let argument = self.ast.unwrap_parens(argument);
            let Some(Use::Var(of)) = self.scopes.uses.get(argument.index()).copied() else { continue };
            if matches!(self.ast.expr(argument).kind, ExprKind::Name) && !self.is_written(var) && !self.is_written(of) {
                self.type_locals.insert(var, argument);
            }
        }
    }

    /// The label beside the value repeats what the headline says: shorten it.
    fn fix_label(&mut self) {
        if let Some(label) = self.diagnostics.last_mut().and_then(|last| last.primary.as_mut())
            && label.text.is_empty()
        {
            label.text = "this value".to_owned();
        }
    }

    fn name_table(&mut self, name: Span, value: TypeId) {
        if let Type::Inferred(index) = *self.types().get(value) {
            let symbol = self.symbol(name);
            if let Some(table) = self.types().inferred_mut(index)
                && table.name.is_none()
            {
                table.name = Some(symbol);
            }
        }
    }

    /// A variable without a declared type is what it was given, for as long as that is certain.
    fn declare_inferred(&mut self, var: VarId, value: TypeId, given: bool) {
        let Some(info) = self.scopes.vars.get(var.0 as usize).cloned() else { return };
        if info.writes == 0 {
            let value = if given { value } else { TypeId::NIL };
            self.set_var(var, Some(value));
            return;
        }
        self.set_var(var, Some(TypeId::ANY));
        if info.written_in_closure {
            self.escape(value);
            return;
        }
        let path = self.flow.var(var);
        // What starts as nil is filled in later, on ways that cannot all be followed.
        let fact = if self.types().has_nil(value) { TypeId::ANY } else { self.types().widen(value) };
        self.flow.set(path, Some(fact));
    }

    /// Notes what a variable of a declared type holds now.
    fn assigned(&mut self, var: VarId, declared: TypeId, value: TypeId) {
        let Some(info) = self.scopes.vars.get(var.0 as usize) else { return };
        if info.written_in_closure {
            return;
        }
        let path = self.flow.var(var);
        self.flow.forget_fields(path);
        self.flow.forget_keyed(var);
        let several = self.types().members(declared).len() > 1;
        let precise = several && !matches!(value, TypeId::ANY | TypeId::UNKNOWN) && value != declared;
        if !precise {
            self.flow.set(path, None);
            return;
        }
        // The part of the declared type that the value belongs to.
        let members = self.types().members(declared);
        let parts = self.types().members(value);
        let kept: Vec<TypeId> = members
            .into_iter()
            .filter(|member| {
                parts
                    .iter()
                    .any(|part| self.checker.types.assignable(*part, *member) || self.checker.types.assignable(*member, *part))
            })
            .collect();
        let narrowed = self.types().union(&kept);
        let narrowed = if narrowed == TypeId::NEVER { declared } else { narrowed };
        self.flow.set(path, (narrowed != declared).then_some(narrowed));
    }

    /// `local value, err = f()`: one is nil when the other is not, if the types allow to read it so.
    fn correlate(&mut self, names: &'a [Binding], values: &'a [ExprId]) {
        let ([first, second], [value]) = (names, values) else { return };
        if !matches!(self.ast.expr(*value).kind, ExprKind::Call { .. } | ExprKind::MethodCall { .. }) {
            return;
        }
        let (Some(first), Some(second)) = (self.var_of(first.name), self.var_of(second.name)) else { return };
        let nilable = |file: &mut Self, var: VarId| {
            let path = file.flow.var(var);
            let found = file.flow.fact(path).unwrap_or_else(|| file.var_type(var));
            found != TypeId::ANY && file.types().has_nil(found)
        };
        let second_type = self.var_type(second);
        let plain = self.types().non_nil(second_type);
        let name = names.get(1).map_or("", |binding| binding.name.text(self.source));
        let is_error = match plain {
            TypeId::ERROR => true,
            // Two texts may well come together: only the name says that one of them tells what went wrong.
            TypeId::STRING | TypeId::ANY => is_error_name(name),
            _ => self.is_named_error(plain),
        };
        if nilable(self, first) && nilable(self, second) && is_error {
            self.correlated.insert(first, second);
            self.correlated.insert(second, first);
        }
    }

    fn is_named_error(&mut self, id: TypeId) -> bool {
        let name = self.show(id);
        name == "Error" || name.ends_with("Error")
    }

    fn local_function(&mut self, name: Span, function: &'a Function) {
        let var = self.var_of(name);
        if let Some(var) = var {
            // Its own calls see what is written; what is inferred is not known yet.
            let declared = self.declared_signature(function);
            self.set_var(var, Some(declared));
        }
        let found = self.function(function, None, None);
        if let Some(var) = var {
            let reassigned = self.scopes.vars.get(var.0 as usize).is_some_and(|var| var.writes > 0);
            self.set_var(var, Some(if reassigned { TypeId::ANY } else { found }));
        }
    }

    /// Gives the type of a function as far as it is written down.
    fn declared_signature(&mut self, function: &'a Function) -> TypeId {
        if function.returns.is_none() {
            return TypeId::ANY;
        }
        let scope = self.open_types();
        self.quiet += 1;
        let generics = self.declare_generics(&function.generics);
        let mut params = Vec::new();
        for param in &function.params {
            let value = param.annotation.map_or(TypeId::ANY, |annotation| self.annotation(annotation));
            let name = self.symbol(param.name);
            params.push(super::types::Param { name: Some(name), value, optional: param.optional || param.annotation.is_none() });
        }
        let rest = function
            .vararg
            .as_ref()
            .map(|vararg| vararg.annotation.map_or(TypeId::ANY, |annotation| self.annotation(annotation)));
        let returns = function.returns.as_ref().map(|returns| self.pack_of(returns)).unwrap_or_default();
        self.quiet -= 1;
        self.close_types(scope);
        self.types().function(super::types::Signature {
            generics,
            params,
            rest,
            returns,
            declared: true,
            host: false,
            is_method: false,
        })
    }

    fn function_statement(&mut self, target: ExprId, method: bool, function: &'a Function) {
        let ast = self.ast;
        match &ast.expr(target).kind {
            ExprKind::Field { object, name } => {
                let object_type = self.infer(*object, None);
                let self_type = if method { Some(self.self_type(object_type)) } else { None };
                let symbol = self.symbol(*name);
                let model = match self.types().get(object_type) {
                    Type::Inferred(_) => None,
                    _ => self.lookup_field(object_type, symbol),
                };
                let mut before = None;
                if method && matches!(self.checker.types.get(object_type), Type::Inferred(_)) {
                    // Known before its body, which may call it.
                    let declared = self.declared_signature(function);
                    self.write_field(*object, object_type, symbol, *name, (None, declared));
                    before = Some(declared);
                }
                let found = self.function(function, model, self_type);
                self.forget_field(object_type, symbol, before);
                self.write_field(*object, object_type, symbol, *name, (None, found));
                if let Some(path) = self.path(target) {
                    self.flow.set(path, None);
                }
            }
            _ => {
                let name = ast.expr(target).span.text(self.source);
                let global = self.scopes.uses.get(target.index()) == Some(&Use::Global);
                if global {
                    let declared = self.declared_signature(function);
                    self.global_functions.insert(name, declared);
                }
                let found = self.function(function, None, None);
                if global && self.functions.len() == 1 {
                    self.global_functions.insert(name, found);
                } else {
                    self.global_functions.remove(name);
                }
                if let Some(Use::Var(var)) = self.scopes.uses.get(target.index()).copied() {
                    self.write_var(var, target, None, found);
                }
            }
        }
    }

    fn self_type(&mut self, object: TypeId) -> TypeId {
        match *self.types().get(object) {
            Type::Inferred(index) => self.instance_of(object, index),
            _ => object,
        }
    }

    fn assign(&mut self, targets: &'a [ExprId], values: &'a [ExprId]) {
        let models: Vec<Option<TypeId>> = targets.iter().map(|target| self.target_model(*target)).collect();
        let found = self.value_list(values, &models);
        for (index, target) in targets.iter().enumerate() {
            let (id, value) = found.get(index).copied().unwrap_or((None, TypeId::NIL));
            self.assign_one(*target, id, value);
        }
    }

    /// Gives what a target is declared to hold.
    fn target_model(&mut self, target: ExprId) -> Option<TypeId> {
        match &self.ast.expr(target).kind {
            ExprKind::Name => match self.scopes.uses.get(target.index()).copied() {
                Some(Use::Var(var)) => {
                    let declared = self.scopes.vars.get(var.0 as usize).is_some_and(|var| var.annotation.is_some());
                    declared.then(|| self.var_type(var))
                }
                _ => None,
            },
            ExprKind::Field { object, name } => {
                self.quiet += 1;
                let object = self.infer(*object, None);
                self.quiet -= 1;
                let symbol = self.symbol(*name);
                let plain = self.types().non_nil(object);
                match self.types().get(plain) {
                    Type::Inferred(_) => None,
                    _ => self.lookup_field(plain, symbol),
                }
            }
            ExprKind::Index { object, .. } => {
                self.quiet += 1;
                let object = self.infer(*object, None);
                self.quiet -= 1;
                let resolved = self.types().resolve(object);
                match *self.types().get(resolved) {
                    Type::Array(value) | Type::Map(_, value) => Some(self.types().optional(value)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn assign_one(&mut self, target: ExprId, id: Option<ExprId>, value: TypeId) {
        let ast = self.ast;
        match &ast.expr(target).kind {
            ExprKind::Name => match self.scopes.uses.get(target.index()).copied() {
                Some(Use::Var(var)) => self.write_var(var, target, id, value),
                Some(Use::Type(_)) => {
                    let span = ast.expr(target).span;
                    let message = format!("`{}` is a type and cannot be assigned to", self.text(span));
                    self.error("type-mismatch", span, message, "");
                }
                _ => self.escape(value),
            },
            ExprKind::Field { object, name } => {
                let object_type = self.infer(*object, None);
                let symbol = self.symbol(*name);
                self.write_field(*object, object_type, symbol, *name, (id, value));
                self.note_field(target, value);
            }
            ExprKind::Index { object, key } => {
                let object_type = self.infer(*object, None);
                self.write_index(*object, object_type, *key, (id, value));
                self.note_field(target, value);
            }
            _ => {}
        }
    }

    /// Remembers what a field was just given.
    fn note_field(&mut self, target: ExprId, value: TypeId) {
        let Some(path) = self.path(target) else { return };
        self.flow.forget_fields(path);
        if self.types().has_nil(value) {
            self.flow.forget_siblings(path);
        }
        let declared = self.target_model(target);
        let fact = match declared {
            Some(declared) if value != TypeId::ANY && self.types().assignable(value, declared) => {
                let widened = self.types().widen(value);
                let plain = self.types().non_nil(declared);
                if value == TypeId::NIL {
                    Some(TypeId::NIL)
                } else if !self.types().has_nil(widened) {
                    Some(plain)
                } else {
                    None
                }
            }
            _ => None,
        };
        self.flow.set(path, fact);
    }

    fn write_var(&mut self, var: VarId, target: ExprId, id: Option<ExprId>, value: TypeId) {
        let Some(info) = self.scopes.vars.get(var.0 as usize).cloned() else { return };
        let span = self.ast.expr(target).span;
        if info.constant {
            let diagnostic = self
                .diagnostic(
                    Level::Error,
                    "constant-write",
                    span,
                    format!("`{}` is a constant", self.text(span)),
                    "assigned again here",
                )
                .also(self.file.clone(), info.name.range(), "declared here");
            self.report(diagnostic);
            return;
        }
        if info.annotation.is_some() {
            let declared = self.var_type(var);
            let place = id.map_or(span, |id| self.ast.expr(id).span);
            let name = self.text(span).to_owned();
            if self.expect_type(value, declared, place, &move |_| format!("`{name}`")) {
                self.assigned(var, declared, value);
            } else {
                let file = self.file.clone();
                if let Some(last) = self.diagnostics.last_mut() {
                    last.secondary.push(crate::diagnostic::Label::new(file, info.name.range(), "declared here"));
                }
            }
            self.escape(value);
            return;
        }
        self.escape(value);
        let path = self.flow.var(var);
        self.flow.forget_fields(path);
        self.flow.forget_keyed(var);
        let fact = if info.written_in_closure || self.types().has_nil(value) { None } else { Some(self.types().widen(value)) };
        self.flow.set(path, fact);
    }

    fn write_index(&mut self, object: ExprId, object_type: TypeId, key: ExprId, value: (Option<ExprId>, TypeId)) {
        let key_type = self.infer(key, None);
        let key_span = self.ast.expr(key).span;
        if let Type::Str(symbol) = *self.types().get(key_type) {
            return self.write_field(object, object_type, symbol, key_span, value);
        }
        let plain = self.without_nil(object, object_type, "indexed");
        let resolved = self.types().resolve(plain);
        let place = value.0.map_or(key_span, |value| self.ast.expr(value).span);
        match self.types().get(resolved).clone() {
            Type::Array(element) => {
                self.expect_type(key_type, TypeId::NUMBER, key_span, &|_| "index of the array".to_owned());
                let wanted = self.types().optional(element);
                self.expect_type(value.1, wanted, place, &|_| "element of the array".to_owned());
            }
            Type::Map(wanted_key, wanted) => {
                self.expect_type(key_type, wanted_key, key_span, &|_| "key of the map".to_owned());
                let wanted = self.types().optional(wanted);
                self.expect_type(value.1, wanted, place, &|_| "value of the map".to_owned());
            }
            Type::Inferred(index) => {
                let number = self.types().lua_type(key_type) == Some("number");
                let widened = self.types().widen(value.1);
                if let Some(table) = self.types().inferred_mut(index) {
                    if number {
                        table.element = match table.element {
                            Some(known) if known == widened => Some(known),
                            None if table.fields.is_empty() && !table.dynamic => Some(widened),
                            _ => Some(TypeId::ANY),
                        };
                        if table.element.is_some_and(|element| element == TypeId::NIL) {
                            table.element = Some(TypeId::ANY);
                        }
                    } else {
                        table.dynamic = true;
                    }
                }
            }
            _ => {}
        }
        self.escape(value.1);
    }

    fn return_statement(&mut self, values: &'a [ExprId], span: Span) {
        let declared = self.functions.last().and_then(|body| body.declared.clone());
        match declared {
            Some(declared) => self.checked_return(values, span, &declared),
            None => {
                let mut pack = Pack::default();
                let last = values.len().saturating_sub(1);
                for (index, value) in values.iter().enumerate() {
                    if index == last {
                        let tail = self.infer_pack(*value, None);
                        pack.types.extend(tail.types);
                        pack.rest = tail.rest;
                    } else {
                        let found = self.infer(*value, None);
                        pack.types.push(found);
                    }
                }
                if !self.flow.dead {
                    let known = self.functions.last_mut().and_then(|body| body.returned.take());
                    let joined = match known {
                        Some(known) => self.join_packs(&known, &pack),
                        None => pack,
                    };
                    if let Some(body) = self.functions.last_mut() {
                        body.returned = Some(joined);
                    }
                }
            }
        }
        self.flow.dead = true;
    }

    fn checked_return(&mut self, values: &'a [ExprId], span: Span, declared: &Pack) {
        let last = values.len().saturating_sub(1);
        let mut given = 0;
        let mut open = false;
        for (index, value) in values.iter().enumerate() {
            let wanted = declared.get(index);
            let place = self.ast.expr(*value).span;
            let many = index == last
                && matches!(self.ast.expr(*value).kind, ExprKind::Call { .. } | ExprKind::MethodCall { .. } | ExprKind::Vararg);
            if many {
                let pack = self.infer_pack(*value, wanted);
                for (at, found) in pack.types.iter().enumerate() {
                    if let Some(wanted) = declared.get(index + at) {
                        self.expect_type(*found, wanted, place, &move |_| return_words(index + at, declared.types.len()));
                    }
                }
                if let (Some(rest), Some(wanted)) = (pack.rest, declared.get(index + pack.types.len())) {
                    self.expect_type(rest, wanted, place, &move |_| return_words(index, declared.types.len()));
                }
                given += pack.types.len();
                open = pack.rest.is_some();
                continue;
            }
            given += 1;
            match wanted {
                Some(wanted) => {
                    let found = self.expect(*value, wanted, &move |_| return_words(index, declared.types.len()));
                    if index > 0 && index + 1 == declared.types.len() {
                        lints::text_as_error::check(self, *value, found, wanted);
                    }
                    self.escape(found);
                }
                None => {
                    let found = self.infer(*value, None);
                    self.escape(found);
                    let message = format!(
                        "the function is declared to return {}",
                        super::annotations::count(declared.types.len(), "value")
                    );
                    self.error("type-mismatch", place, message, "one too many");
                }
            }
        }
        if open {
            return;
        }
        let lacking = declared.types.iter().copied().skip(given).find(|wanted| !self.checker.types.has_nil(*wanted));
        if let Some(lacking) = lacking {
            let message = format!(
                "this returns {}, expected `{}` at position {}",
                super::annotations::count(given, "value"),
                self.show(lacking),
                given + 1
            );
            self.error("type-mismatch", span, message, "");
        }
    }
}

/// Tells whether a variable is called as one that holds what went wrong.
fn is_error_name(name: &str) -> bool {
    let name =
        name.trim_start_matches('_').trim_end_matches(|last: char| last.is_ascii_digit() || last == '_').to_ascii_lowercase();
    const WORDS: &[&str] = &["err", "e", "ex", "problem", "reason", "message", "msg", "failure", "fault", "why"];
    WORDS.contains(&name.as_str()) || name.ends_with("err") || name.ends_with("error")
}

fn return_words(index: usize, count: usize) -> String {
    if count <= 1 { "result".to_owned() } else { format!("result {}", index + 1) }
}
