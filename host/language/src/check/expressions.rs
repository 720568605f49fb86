//! The types of expressions.

use super::scopes::Use;
use super::types::{Pack, Param, Signature, Type, TypeId};
use super::{Body, File};
use crate::diagnostic::Level;
use crate::spelling::nearest;
use crate::syntax::ast::{BinaryOperator, ExprId, ExprKind, Function, TypeNodeId, UnaryOperator};
use crate::syntax::{Number, Span, number_value, string_value};

/// Expressions nested deeper than this, through chains of calls and operators, are not looked at.
const MAX_DEPTH: usize = 200;

impl<'a> File<'a> {
    /// Gives the type of an expression; `expected` is what its place wants, which tables and functions take as a model.
    pub(super) fn infer(&mut self, id: ExprId, expected: Option<TypeId>) -> TypeId {
        if self.depth > MAX_DEPTH {
            return TypeId::ANY;
        }
        self.depth += 1;
        let found = self.infer_inner(id, expected);
        self.depth -= 1;
        if let Some(slot) = self.expr_types.get_mut(id.index()) {
            *slot = found;
        }
        found
    }

    fn infer_inner(&mut self, id: ExprId, expected: Option<TypeId>) -> TypeId {
        let ast = self.ast;
        let expr = ast.expr(id);
        match &expr.kind {
            ExprKind::Nil => TypeId::NIL,
            ExprKind::True => TypeId::TRUE,
            ExprKind::False => TypeId::FALSE,
            ExprKind::Number => match number_value(self.text(expr.span)) {
                Some(Number::Integer(value)) => self.types().add(Type::Int(value)),
                Some(Number::Float(value)) => self.types().add(Type::Float(value.to_bits())),
                None => TypeId::NUMBER,
            },
            ExprKind::String => {
                let value = string_value(self.text(expr.span));
                match std::str::from_utf8(&value) {
                    Ok(text) if text.len() <= 200 => {
                        let symbol = self.types().symbol(text);
                        self.types().add(Type::Str(symbol))
                    }
                    _ => TypeId::STRING,
                }
            }
            ExprKind::Vararg => self.functions.last().and_then(|body| body.vararg).unwrap_or(TypeId::ANY),
            ExprKind::Function(function) => self.function(function, expected, None),
            ExprKind::Name => self.name(id, expr.span),
            ExprKind::Field { object, name } => self.field(id, *object, *name),
            ExprKind::Index { object, key } => self.index(id, *object, *key),
            ExprKind::Call { .. } | ExprKind::MethodCall { .. } => {
                let pack = self.call(id, expected);
                pack.get(0).unwrap_or(TypeId::NIL)
            }
            ExprKind::Binary { operator, left, right, operator_span } => {
                self.binary(*operator, *left, *right, *operator_span, expected)
            }
            ExprKind::Unary { operator, operand } => self.unary(*operator, *operand),
            ExprKind::Paren(inner) => self.infer(*inner, expected),
            ExprKind::Table(items) => self.table(items, expr.span, expected),
            ExprKind::Cast { value, target } => {
                let target = self.type_of(*target);
                let model = match &ast.expr(*value).kind {
                    // A cast is believed, also about a tag.
                    ExprKind::Table(items) if self.table_model(items, target).is_none() => None,
                    _ => Some(target),
                };
                let found = self.infer(*value, model);
                self.escape(found);
                target
            }
            ExprKind::NonNil(inner) => {
                let found = self.infer(*inner, expected);
                self.types().non_nil(found)
            }
            ExprKind::Error => TypeId::ANY,
        }
    }

    /// Gives all values of an expression at the end of a list.
    pub(super) fn infer_pack(&mut self, id: ExprId, expected: Option<TypeId>) -> Pack {
        match &self.ast.expr(id).kind {
            ExprKind::Call { .. } | ExprKind::MethodCall { .. } => {
                if self.depth > MAX_DEPTH {
                    return Pack::any();
                }
                self.depth += 1;
                let pack = self.call(id, expected);
                self.depth -= 1;
                if let Some(slot) = self.expr_types.get_mut(id.index()) {
                    *slot = pack.get(0).unwrap_or(TypeId::NIL);
                }
                pack
            }
            ExprKind::Vararg => {
                let rest = self.functions.last().and_then(|body| body.vararg).unwrap_or(TypeId::ANY);
                Pack { types: Vec::new(), rest: Some(rest) }
            }
            ExprKind::Cast { value, .. }
                if matches!(self.ast.expr(*value).kind, ExprKind::Call { .. } | ExprKind::MethodCall { .. }) =>
            {
                let first = self.infer(id, expected);
                Pack { types: vec![first], rest: Some(TypeId::ANY) }
            }
            _ => Pack::one(self.infer(id, expected)),
        }
    }

    /// Infers an expression and reports if it does not fit; gives its type.
    pub(super) fn expect(&mut self, id: ExprId, expected: TypeId, what: &dyn Fn(&Self) -> String) -> TypeId {
        let before = self.diagnostics.len();
        let found = self.infer(id, Some(expected));
        // A table or function that was held against a model has reported already.
        let inner = self.ast.unwrap_parens(id);
        let reported =
            self.diagnostics.len() > before && matches!(self.ast.expr(inner).kind, ExprKind::Table(_) | ExprKind::Function(_));
        if !reported {
            self.expect_type(found, expected, self.ast.expr(id).span, what);
        }
        found
    }

    /// Reports if a type does not fit where another is expected.
    pub(super) fn expect_type(&mut self, found: TypeId, expected: TypeId, span: Span, what: &dyn Fn(&Self) -> String) -> bool {
        if self.fits(found, expected) {
            return true;
        }
        let shown = self.shown_found(found, expected);
        let expected_text = self.show(expected);
        let what = what(self);
        let (message, label) = if what.is_empty() {
            (format!("expected `{expected_text}`, found `{shown}`"), String::new())
        } else {
            (format!("{what}: expected `{expected_text}`, found `{shown}`"), format!("this is `{shown}`"))
        };
        let mut diagnostic = self.diagnostic(Level::Error, "type-mismatch", span, message, label);
        if let Some(note) = self.unfolded(expected) {
            diagnostic = diagnostic.note(note);
        }
        if let Some(near) = self.near_literal(found, expected) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix(
                span.range(),
                near.clone(),
                format!("replace with `{near}`"),
            );
        }
        for note in self.reasons(found, expected) {
            diagnostic = diagnostic.note(note);
        }
        let plain = self.types().non_nil(found);
        if plain != found && plain != TypeId::NEVER && self.fits(plain, expected) {
            diagnostic = diagnostic.help("it may be nil: test it first, or give another value with `or`");
        }
        self.report(diagnostic);
        false
    }

    /// Tells whether a value fits. A file without types is only told of what is certainly wrong.
    pub(super) fn fits(&mut self, found: TypeId, expected: TypeId) -> bool {
        if self.types().assignable(found, expected) {
            return true;
        }
        !self.strict && self.types().overlaps(found, expected)
    }

    /// A literal is shown as its base type where nobody wants a literal.
    fn shown_found(&mut self, found: TypeId, expected: TypeId) -> String {
        let literals = self.types().members(expected).iter().any(|member| {
            matches!(self.checker.types.get(*member), Type::Str(_) | Type::Int(_) | Type::Float(_) | Type::Bool(_))
        });
        let shown = if literals { found } else { self.types().widen(found) };
        self.show(shown)
    }

    /// Says what a name for a few literals stands for.
    fn unfolded(&mut self, expected: TypeId) -> Option<String> {
        if !matches!(self.types().get(expected), Type::Named(..)) {
            return None;
        }
        let body = self.types().resolve(expected);
        let (name, text) = (self.show(expected), self.show(body));
        (matches!(self.types().get(body), Type::Union(_)) && text.len() <= 120).then(|| format!("`{name}` is `{text}`"))
    }

    pub(super) fn near_literal(&mut self, found: TypeId, expected: TypeId) -> Option<String> {
        let Type::Str(written) = *self.types().get(found) else { return None };
        let members = self.types().members(expected);
        let known: Vec<&str> = members
            .iter()
            .filter_map(|member| match self.checker.types.get(*member) {
                Type::Str(symbol) => Some(self.checker.types.name(*symbol)),
                _ => None,
            })
            .collect();
        nearest(self.checker.types.name(written), known.into_iter()).map(|near| format!("{near:?}"))
    }

    /// Says which part of two record types does not agree.
    fn reasons(&mut self, found: TypeId, expected: TypeId) -> Vec<String> {
        let mut notes = Vec::new();
        let target = self.types().non_nil(expected);
        let target = self.types().resolve(target);
        let Type::Record(index) = *self.types().get(target) else { return notes };
        let Some(record) = self.types().get_record(index).cloned() else { return notes };
        let found = self.types().non_nil(found);
        if self.types().lua_type(found).is_some_and(|kind| kind != "table") {
            return notes;
        }
        for field in record.fields {
            let wanted = if field.optional { self.types().optional(field.value) } else { field.value };
            let name = self.checker.types.name(field.name).to_owned();
            match self.lookup_field(found, field.name) {
                Some(given) if !self.types().assignable(given, wanted) => {
                    notes.push(format!("field `{name}`: expected `{}`, found `{}`", self.show(wanted), self.show(given)));
                }
                Some(given)
                    if !field.readonly
                        && !self.types().assignable(wanted, given)
                        && matches!(self.types().get(found), Type::Record(_) | Type::Named(..)) =>
                {
                    notes.push(format!(
                        "field `{name}` can be written, so its type must be the same: expected `{}`, found `{}`; `readonly` would allow it",
                        self.show(wanted),
                        self.show(given)
                    ));
                }
                None if !field.optional && !self.types().has_nil(field.value) => notes.push(format!("field `{name}` is missing")),
                _ => {}
            }
            if notes.len() >= 3 {
                break;
            }
        }
        notes
    }

    fn name(&mut self, id: ExprId, span: Span) -> TypeId {
        match self.scopes.uses.get(id.index()).copied().unwrap_or(Use::Global) {
            Use::Var(var) => {
                let path = self.flow.var(var);
                self.flow.fact(path).unwrap_or_else(|| self.var_type(var))
            }
            Use::Type(at) => match self.alias_ids.get(&at).copied() {
                Some(alias) => {
                    let arity = self.types().aliases.get(alias as usize).map_or(0, |alias| alias.params.len());
                    let args = vec![TypeId::ANY; arity];
                    let named = self.types().add(Type::Named(alias, args.into()));
                    self.types().add(Type::Meta(named))
                }
                None => TypeId::ANY,
            },
            Use::Global => self.global(span),
        }
    }

    pub(super) fn var_type(&mut self, var: super::scopes::VarId) -> TypeId {
        self.var_types.get(var.0 as usize).copied().flatten().unwrap_or(TypeId::ANY)
    }

    fn global(&mut self, span: Span) -> TypeId {
        let text = self.text(span);
        if let Some(writes) = self.scopes.globals_written.get(text) {
            // A global function that is declared once is what it was declared to be, from there on.
            let known = self.global_functions.get(text).copied().filter(|_| *writes == 1);
            return known.unwrap_or(TypeId::ANY);
        }
        if let Some(found) = self.ambient(text) {
            return found;
        }
        if self.reported_globals.contains(text) || self.quiet > 0 || self.flow.dead {
            return TypeId::ANY;
        }
        self.reported_globals.insert(text);
        let mut diagnostic =
            self.diagnostic(Level::Error, "unknown-global", span, format!("there is no variable `{text}`"), "not declared here");
        if super::library::module_names().any(|module| module == text) {
            diagnostic.message = format!("module `{text}` is not listed by this entry");
            diagnostic = diagnostic.help(format!("add `{text}` to the `modules` of the entry"));
            diagnostic.code = "undeclared-require".into();
        } else if let Some(absent) = absent_global(text) {
            diagnostic = diagnostic.help(absent);
        } else if self.diagnostics.len() < super::MAX_SUGGESTIONS {
            let globals: Vec<std::sync::Arc<str>> = self.checker.library.globals.keys().cloned().collect();
            let mut known: Vec<&str> = self.scopes.vars.iter().map(|var| var.name.text(self.source)).collect();
            known.extend(self.scopes.globals_written.keys().copied());
            known.sort_unstable();
            let mut globals: Vec<&str> = globals.iter().map(|name| &**name).collect();
            globals.sort_unstable();
            if let Some(near) = nearest(text, known.into_iter().chain(globals)) {
                self.suggested.insert(near.to_owned());
                diagnostic =
                    diagnostic.help(format!("did you mean `{near}`?")).fix(span.range(), near, format!("replace with `{near}`"));
            }
        }
        self.report(diagnostic);
        TypeId::ANY
    }

    fn binary(&mut self, operator: BinaryOperator, left: ExprId, right: ExprId, span: Span, expected: Option<TypeId>) -> TypeId {
        use BinaryOperator as B;
        match operator {
            B::And => {
                let first = self.infer(left, None);
                let mark = self.flow.mark();
                self.narrow(left, true);
                let second = self.infer(right, expected);
                self.flow.rewind(mark);
                let falsy = self.falsy_part(first);
                self.types().union(&[falsy, second])
            }
            B::Or => {
                let first = self.infer(left, expected);
                let mark = self.flow.mark();
                self.narrow(left, false);
                let second = self.infer(right, expected);
                self.flow.rewind(mark);
                let truthy = self.truthy_part(first);
                if truthy == TypeId::ANY && second != TypeId::ANY {
                    // `x or default` of something unknown is taken to be anything: it may be more than the default.
                    return TypeId::ANY;
                }
                self.types().union(&[truthy, second])
            }
            B::Equal | B::NotEqual => {
                let first = self.infer(left, None);
                let second = self.infer(right, None);
                self.unlike_comparison(first, second, operator, span);
                TypeId::BOOLEAN
            }
            B::Less | B::LessEqual | B::Greater | B::GreaterEqual => {
                let first = self.infer(left, None);
                let second = self.infer(right, None);
                self.order(operator, (left, first), (right, second), span);
                TypeId::BOOLEAN
            }
            B::Concat => {
                let first = self.infer(left, None);
                let second = self.infer(right, None);
                self.operand(operator.text(), left, first, &["string", "number"]);
                self.operand(operator.text(), right, second, &["string", "number"]);
                TypeId::STRING
            }
            _ => {
                let first = self.infer(left, None);
                let second = self.infer(right, None);
                let kinds: &[&str] = if self.strict { &["number"] } else { &["number", "string"] };
                let fits = self.operand(operator.text(), left, first, kinds);
                let fits = self.operand(operator.text(), right, second, kinds) && fits;
                if !fits {
                    return TypeId::ANY;
                }
                self.arithmetic(operator, first, second)
            }
        }
    }

    fn arithmetic(&mut self, operator: BinaryOperator, left: TypeId, right: TypeId) -> TypeId {
        use BinaryOperator as B;
        let left = self.types().resolve(left);
        let left = self.types().widen(left);
        let right = self.types().resolve(right);
        let right = self.types().widen(right);
        let known = |id: TypeId| matches!(id, TypeId::INTEGER | TypeId::NUMBER);
        if !known(left) || !known(right) {
            return TypeId::ANY;
        }
        match operator {
            B::Divide | B::Power => TypeId::NUMBER,
            B::BitAnd | B::BitOr | B::BitXor | B::ShiftLeft | B::ShiftRight => TypeId::INTEGER,
            _ if left == TypeId::INTEGER && right == TypeId::INTEGER => TypeId::INTEGER,
            _ => TypeId::NUMBER,
        }
    }

    /// Reports an operand that the operator does not take. Tables may have metamethods unless their type says they are plain.
    fn operand(&mut self, operator: &str, id: ExprId, found: TypeId, takes: &[&str]) -> bool {
        let span = self.ast.expr(id).span;
        let members = self.types().members(found);
        if members.len() > 1 && members.contains(&TypeId::NIL) && self.strict {
            self.maybe_nil(id, found, &format!("an operand of `{operator}`"));
            return false;
        }
        let plain = self.types().non_nil(found);
        let mut wrong = None;
        for member in self.types().members(if found == TypeId::NIL { found } else { plain }) {
            let resolved = self.types().resolve(member);
            let kind = match self.types().get(resolved).clone() {
                Type::Inferred(index)
                    if self
                        .types()
                        .get_inferred(index)
                        .is_some_and(|table| table.metatable || table.escaped || table.parent.is_some()) =>
                {
                    None
                }
                Type::AnyTable | Type::Userdata | Type::Thread => None,
                _ => self.types().lua_type(resolved),
            };
            match kind {
                Some(kind) if !takes.contains(&kind) => wrong = Some(member),
                _ if !self.strict => return true,
                _ => {}
            }
        }
        let Some(wrong) = wrong else { return true };
        let mut diagnostic = self.diagnostic(
            Level::Error,
            "invalid-operation",
            span,
            format!("`{operator}` does not take `{}`", self.show(found)),
            format!("this is `{}`", self.show(wrong)),
        );
        if operator == "+" && self.types().lua_type(wrong) == Some("string") {
            diagnostic = diagnostic.help("`..` joins strings; `tonumber` makes a number of one");
        } else if operator == ".." && self.types().lua_type(wrong).is_some_and(|kind| kind != "nil") {
            diagnostic = diagnostic.help("make a string of it with `tostring`");
        }
        self.report(diagnostic);
        false
    }

    fn order(&mut self, operator: BinaryOperator, left: (ExprId, TypeId), right: (ExprId, TypeId), span: Span) {
        let text = operator.text();
        if matches!(self.checker.types.get(left.1), Type::Meta(_)) {
            return;
        }
        if !self.operand(text, left.0, left.1, &["number", "string"])
            || !self.operand(text, right.0, right.1, &["number", "string"])
        {
            return;
        }
        let (a, b) = (self.types().lua_type(left.1), self.types().lua_type(right.1));
        let plain = |kind: &str| matches!(kind, "number" | "string");
        if let (Some(a), Some(b)) = (a, b)
            && a != b
            && plain(a)
            && plain(b)
        {
            let message = format!(
                "`{text}` compares two numbers or two strings, not `{}` with `{}`",
                self.show(left.1),
                self.show(right.1)
            );
            self.error("invalid-operation", span, message, "");
        }
    }

    fn unary(&mut self, operator: UnaryOperator, operand: ExprId) -> TypeId {
        let found = self.infer(operand, None);
        match operator {
            UnaryOperator::Not => TypeId::BOOLEAN,
            UnaryOperator::Length => {
                self.operand("#", operand, found, &["string", "table"]);
                TypeId::INTEGER
            }
            UnaryOperator::Negate => match *self.types().get(found) {
                Type::Int(value) => self.types().add(Type::Int(value.wrapping_neg())),
                Type::Float(bits) => self.types().add(Type::Float((-f64::from_bits(bits)).to_bits())),
                _ => {
                    let kinds: &[&str] = if self.strict { &["number"] } else { &["number", "string"] };
                    self.operand("-", operand, found, kinds);
                    let widened = self.types().widen(found);
                    if matches!(widened, TypeId::INTEGER | TypeId::NUMBER) { widened } else { TypeId::ANY }
                }
            },
            UnaryOperator::BitNot => {
                self.operand("~", operand, found, &["number", "string"]);
                TypeId::INTEGER
            }
        }
    }

    /// Reports a use of something that may be nil.
    pub(super) fn maybe_nil(&mut self, id: ExprId, found: TypeId, what: &str) {
        if !self.strict || matches!(found, TypeId::ANY | TypeId::UNKNOWN) {
            return;
        }
        let span = self.ast.expr(id).span;
        let text = self.text(span);
        let name = if text.len() <= 40 && !text.contains('\n') { format!("`{text}`") } else { "this value".to_owned() };
        let message = if found == TypeId::NIL {
            format!("{name} is nil, and so cannot be {what}")
        } else {
            format!("{name} may be nil, and so cannot be {what}")
        };
        let diagnostic = self
            .diagnostic(Level::Error, "nil-access", span, message, format!("this is `{}`", self.show(found)))
            .help("test it first, as in `if x then`, or assert it with `!`");
        self.report(diagnostic);
    }

    /// Checks a function and gives its type.
    pub(super) fn function(&mut self, function: &'a Function, expected: Option<TypeId>, self_type: Option<TypeId>) -> TypeId {
        let scope = self.open_types();
        let generics = self.declare_generics(&function.generics);
        let model = expected.and_then(|expected| self.function_model(expected));
        let mut params = Vec::with_capacity(function.params.len() + 1);
        if let Some(self_type) = self_type {
            if let Some(var) = self.scopes.self_params.get(&function.span.start).copied() {
                self.set_var(var, Some(self_type));
            }
            let name = self.types().symbol("self");
            params.push(Param { name: Some(name), value: TypeId::ANY, optional: false });
        }
        let mut declared = function.returns.is_some();
        for (index, param) in function.params.iter().enumerate() {
            let name = self.symbol(param.name);
            let from_model = model.as_ref().and_then(|model| {
                let given = model.params.get(index);
                given.map(|given| (given.value, given.optional)).or(model.rest.map(|rest| (rest, false)))
            });
            // What the call has not found out yet is anything.
            let from_model = from_model
                .map(|(value, optional)| if self.has_param(value, 0) { (TypeId::ANY, optional) } else { (value, optional) });
            let (mut value, optional) = match param.annotation {
                Some(annotation) => {
                    declared = true;
                    (self.type_of(annotation), param.optional)
                }
                None => from_model.map_or((TypeId::ANY, true), |(value, optional)| (value, param.optional || optional)),
            };
            if param.annotation.is_none() && from_model.is_none() {
                value = TypeId::ANY;
            }
            let inside = if optional { self.types().optional(value) } else { value };
            if let Some(var) = self.scopes.declared.get(&param.name.start).copied() {
                self.set_var(var, Some(inside));
            }
            params.push(Param { name: Some(name), value, optional });
        }
        let rest =
            function.vararg.as_ref().map(|vararg| vararg.annotation.map_or(TypeId::ANY, |annotation| self.type_of(annotation)));
        let returns = function.returns.as_ref().map(|returns| self.pack_of(returns));
        let expected_returns = match &returns {
            Some(returns) => Some(returns.clone()),
            None => model.as_ref().filter(|model| !model.returns.types.is_empty()).map(|model| model.returns.clone()),
        };
        let unknown = returns.is_none()
            && expected_returns.as_ref().is_some_and(|pack| pack.types.iter().any(|value| self.has_param(*value, 0)));
        let expected_returns = if unknown { None } else { expected_returns };
        let body = Body {
            declared: expected_returns.clone(),
            declared_span: function.returns.as_ref().map(|returns| returns.span),
            returned: None,
            vararg: rest,
        };
        self.functions.push(body);
        let mark = self.flow.mark();
        self.flow.dead = false;
        self.forget_closure_writes();
        self.block(&function.body);
        let reaches_end = !self.flow.dead;
        let left = if reaches_end { self.left_over(function) } else { None };
        self.flow.rewind(mark);
        let body = self.functions.pop().unwrap_or_default();
        if reaches_end {
            self.end_of_function(function, &body, returns.is_some(), left);
        }
        self.close_types(scope);
        let inferred = match (returns, body.returned) {
            (Some(returns), _) => returns,
            (None, Some(mut pack)) => {
                if reaches_end {
                    for value in &mut pack.types {
                        *value = self.checker.types.optional(*value);
                    }
                }
                pack
            }
            (None, None) => expected_returns.unwrap_or_default(),
        };
        self.types().function(Signature {
            generics,
            params,
            rest,
            returns: inferred,
            declared,
            host: false,
            is_method: self_type.is_some(),
        })
    }

    /// Variables that some function writes to keep nothing of what was found out about them outside.
    fn forget_closure_writes(&mut self) {
        let written = std::mem::take(&mut self.scopes.written_in_closures);
        for var in &written {
            let path = self.flow.var(*var);
            if self.flow.fact(path).is_some() {
                self.flow.set(path, None);
            }
        }
        self.scopes.written_in_closures = written;
    }

    fn function_model(&mut self, expected: TypeId) -> Option<Signature> {
        let plain = self.types().non_nil(expected);
        let plain = self.types().resolve(plain);
        match *self.types().get(plain) {
            Type::Function(index) => self.types().get_function(index).cloned(),
            _ => None,
        }
    }

    /// Says which members of a union no branch of a function looked at.
    fn left_over(&mut self, function: &Function) -> Option<String> {
        for param in &function.params {
            param.annotation?;
            let var = self.scopes.declared.get(&param.name.start).copied()?;
            let path = self.flow.var(var);
            let declared = self.var_type(var);
            if let Some(fact) = self.flow.fact(path)
                && fact != declared
                && fact != TypeId::NIL
                && self.types().members(declared).len() > 1
            {
                return Some(format!("`{}` can still be `{}` here", self.text(param.name), self.show(fact)));
            }
        }
        None
    }

    fn end_of_function(&mut self, function: &Function, body: &Body, declared: bool, left: Option<String>) {
        let (Some(pack), true) = (&body.declared, declared) else { return };
        let missing = pack.types.iter().copied().find(|wanted| !self.types().has_nil(*wanted));
        let Some(missing) = missing else { return };
        let end = function.span.end;
        let span = Span { start: end.saturating_sub(3), end };
        let message = format!("not every path returns a value: expected `{}`", self.show(missing));
        let mut diagnostic =
            self.diagnostic(Level::Error, "missing-return", span, message, "the end is reached without `return`");
        if missing == TypeId::NEVER {
            diagnostic.message = "a function that gives back `never` must not reach its end".to_owned();
        }
        if let Some(left) = left {
            diagnostic = diagnostic.note(left);
        }
        if let Some(declared) = body.declared_span {
            diagnostic = diagnostic.also(self.file.clone(), declared.range(), "declared here");
        }
        self.report(diagnostic);
    }

    /// Gives the type that `typeof` and the like mean by an annotation.
    pub(super) fn annotation(&mut self, id: TypeNodeId) -> TypeId {
        self.type_of(id)
    }
}

/// Says what to use instead of globals that other Luas have.
fn absent_global(name: &str) -> Option<&'static str> {
    Some(match name {
        "load" | "loadstring" | "dofile" | "loadfile" => "code cannot be loaded from text here: put it into a library entry",
        "io" => "`io` is a module: list it in the `modules` of the entry",
        "debug" | "collectgarbage" | "package" => "it does not exist in this runtime",
        "null" | "undefined" | "None" => "the absence of a value is `nil`",
        "this" => "the object of a method is `self`",
        _ => return None,
    })
}
