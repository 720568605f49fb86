//! What a condition tells about the values in it.

use super::File;
use super::flow::Path;
use super::scopes::Use;
use super::tables::VARIABLE_KEY;
use super::types::{Symbol, Type, TypeId};
use crate::syntax::ast::{BinaryOperator, ExprId, ExprKind, UnaryOperator};

/// Conditions nested deeper than this tell nothing.
const MAX_DEPTH: usize = 60;

impl File<'_> {
    /// Takes a condition to hold, or not to.
    pub(super) fn narrow(&mut self, condition: ExprId, holds: bool) {
        self.narrow_at(condition, holds, 0);
    }

    fn narrow_at(&mut self, condition: ExprId, holds: bool, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let ast = self.ast;
        let id = ast.unwrap_parens(condition);
        match &ast.expr(id).kind {
            ExprKind::Name | ExprKind::Field { .. } | ExprKind::Index { .. } => self.narrow_truth(id, holds),
            ExprKind::Unary { operator: UnaryOperator::Not, operand } => self.narrow_at(*operand, !holds, depth + 1),
            ExprKind::Binary { operator: BinaryOperator::And, left, right, .. } => {
                if holds {
                    self.narrow_at(*left, true, depth + 1);
                    self.narrow_at(*right, true, depth + 1);
                } else {
                    self.either(
                        |file| file.narrow_at(*left, false, depth + 1),
                        |file| {
                            file.narrow_at(*left, true, depth + 1);
                            file.narrow_at(*right, false, depth + 1);
                        },
                    );
                }
            }
            ExprKind::Binary { operator: BinaryOperator::Or, left, right, .. } => {
                if holds {
                    self.either(
                        |file| file.narrow_at(*left, true, depth + 1),
                        |file| {
                            file.narrow_at(*left, false, depth + 1);
                            file.narrow_at(*right, true, depth + 1);
                        },
                    );
                } else {
                    self.narrow_at(*left, false, depth + 1);
                    self.narrow_at(*right, false, depth + 1);
                }
            }
            ExprKind::Binary { operator: BinaryOperator::Equal, left, right, .. } => self.narrow_equal(*left, *right, holds),
            ExprKind::Binary { operator: BinaryOperator::NotEqual, left, right, .. } => self.narrow_equal(*left, *right, !holds),
            ExprKind::Call { callee, args, .. } => {
                // `T.is(x)`.
                if let (ExprKind::Field { object, name }, [argument]) = (&ast.expr(*callee).kind, args.as_slice())
                    && self.text(*name) == "is"
                {
                    self.narrow_is(*object, *argument, holds);
                }
            }
            ExprKind::MethodCall { object, name, args, .. } => {
                if let [argument] = args.as_slice()
                    && self.text(*name) == "is"
                {
                    self.narrow_is(*object, *argument, holds);
                }
            }
            _ => {}
        }
    }

    /// One of two ways led here.
    fn either(&mut self, one: impl FnOnce(&mut Self), other: impl FnOnce(&mut Self)) {
        let mark = self.flow.mark();
        one(self);
        let first = self.flow.rewind(mark);
        let mark = self.flow.mark();
        other(self);
        let second = self.flow.rewind(mark);
        self.join(&[first, second]);
    }

    fn narrow_truth(&mut self, id: ExprId, holds: bool) {
        let Some(path) = self.path(id) else { return };
        let current = self.current(id, path);
        let narrowed = if holds { self.truthy_part(current) } else { self.falsy_part(current) };
        self.set_fact(path, current, narrowed);
        self.narrow_correlated(path, holds);
        self.narrow_parent(path, |file, field| {
            let part = if holds { file.truthy_part(field) } else { file.falsy_part(field) };
            part != TypeId::NEVER
        });
    }

    /// The other variable of a `value, err` pair.
    fn narrow_correlated(&mut self, path: Path, holds: bool) {
        let Some(var) = self.flow.as_var(path) else { return };
        let Some(other) = self.correlated.get(&var).copied() else { return };
        let other_path = self.flow.var(other);
        let current = self.flow.fact(other_path).unwrap_or_else(|| self.var_type(other));
        if current == TypeId::ANY {
            return;
        }
        if holds && (self.types().non_nil(current) == TypeId::STRING || self.is_written(var) || self.is_written(other)) {
            // Texts may come together, and a variable that is written again is not what the call gave.
            return;
        }
        let narrowed = if holds { TypeId::NIL } else { self.types().non_nil(current) };
        if narrowed != TypeId::NEVER {
            self.flow.set(other_path, Some(narrowed));
            self.flow.forget_fields(other_path);
        }
    }

    pub(super) fn is_written(&self, var: super::scopes::VarId) -> bool {
        self.scopes.vars.get(var.0 as usize).is_some_and(|var| var.writes > 0)
    }

    fn narrow_equal(&mut self, left: ExprId, right: ExprId, holds: bool) {
        for (side, other) in [(left, right), (right, left)] {
            let side = self.ast.unwrap_parens(side);
            let literal = match self.ast.expr(self.ast.unwrap_parens(other)).kind {
                ExprKind::Nil
                | ExprKind::True
                | ExprKind::False
                | ExprKind::String
                | ExprKind::Number
                | ExprKind::Unary { .. } => {
                    self.quiet += 1;
                    let literal = self.infer(other, None);
                    self.quiet -= 1;
                    literal
                }
                _ => continue,
            };
            if let Type::Str(name) = *self.types().get(literal)
                && let Some(argument) = self.type_call(side)
            {
                self.narrow_lua_type(argument, name, holds);
                return;
            }
            if let Some(path) = self.path(side) {
                let current = self.current(side, path);
                let narrowed = if holds { self.equal_part(current, literal) } else { self.unequal_part(current, literal) };
                self.set_fact(path, current, narrowed);
                if literal == TypeId::NIL {
                    self.narrow_correlated(path, !holds);
                }
                self.narrow_parent(path, |file, field| {
                    let part = if holds { file.equal_part(field, literal) } else { file.unequal_part(field, literal) };
                    part != TypeId::NEVER
                });
                return;
            }
        }
    }

    /// Gives the argument of `type(x)`, or of a local that holds the result of one.
    pub(super) fn type_call(&mut self, id: ExprId) -> Option<ExprId> {
        if let (ExprKind::Name, Some(Use::Var(var))) = (&self.ast.expr(id).kind, self.scopes.uses.get(id.index())) {
            return self.type_locals.get(var).copied();
        }
        let ExprKind::Call { callee, args, .. } = &self.ast.expr(id).kind else { return None };
        let callee_expr = self.ast.expr(*callee);
        let is_type = matches!(callee_expr.kind, ExprKind::Name)
            && self.text(callee_expr.span) == "type"
            && self.scopes.uses.get(callee.index()) == Some(&Use::Global);
        match args.as_slice() {
            [argument] if is_type => Some(*argument),
            _ => None,
        }
    }

    fn narrow_lua_type(&mut self, id: ExprId, name: Symbol, holds: bool) {
        let Some(path) = self.path(id) else { return };
        let current = self.current(id, path);
        let wanted = self.checker.types.name(name).to_owned();
        let narrowed = self.lua_type_part(current, &wanted, holds);
        self.set_fact(path, current, narrowed);
        if wanted == "nil" {
            self.narrow_correlated(path, !holds);
        }
    }

    fn lua_type_part(&mut self, current: TypeId, wanted: &str, holds: bool) -> TypeId {
        let base = match wanted {
            "nil" => TypeId::NIL,
            "boolean" => TypeId::BOOLEAN,
            "number" => TypeId::NUMBER,
            "string" => TypeId::STRING,
            "table" => TypeId::TABLE,
            "function" => TypeId::FUNCTION,
            "thread" => TypeId::THREAD,
            "userdata" => TypeId::USERDATA,
            _ => return current,
        };
        if matches!(current, TypeId::ANY | TypeId::UNKNOWN) {
            return match (holds, current) {
                // A table of unknown content is anything.
                (true, TypeId::ANY) if matches!(base, TypeId::TABLE | TypeId::USERDATA | TypeId::FUNCTION) => TypeId::ANY,
                (true, _) => base,
                (false, _) => current,
            };
        }
        let mut kept = Vec::new();
        for member in self.types().members(current) {
            match self.types().lua_type(member) {
                Some(kind) => {
                    if (kind == wanted) == holds {
                        kept.push(member);
                    }
                }
                None => {
                    let resolved = self.types().resolve(member);
                    match (self.types().get(resolved), holds) {
                        // A record may be a table or a value of the host.
                        (Type::Record(_) | Type::Intersection(_), _) => {
                            let is_table = matches!(wanted, "table" | "userdata");
                            if is_table == holds || (!holds && wanted == "userdata") {
                                kept.push(member);
                            }
                        }
                        (Type::Error, _) => {
                            let may = matches!(wanted, "userdata" | "table" | "string");
                            if may == holds || !holds {
                                kept.push(member);
                            }
                        }
                        (Type::Any | Type::Unknown | Type::Param(_), true) => kept.push(base),
                        _ => kept.push(member),
                    }
                }
            }
        }
        self.types().union(&kept)
    }

    fn narrow_is(&mut self, type_expr: ExprId, argument: ExprId, holds: bool) {
        self.quiet += 1;
        let found = self.infer(type_expr, None);
        self.quiet -= 1;
        let Type::Meta(inner) = *self.types().get(found) else { return };
        let Some(path) = self.path(argument) else { return };
        let current = self.current(argument, path);
        let narrowed = if holds {
            if matches!(current, TypeId::ANY | TypeId::UNKNOWN) {
                inner
            } else {
                let members = self.types().members(current);
                let kept: Vec<TypeId> =
                    members.iter().copied().filter(|member| self.checker.types.assignable(*member, inner)).collect();
                if kept.is_empty() { inner } else { self.types().union(&kept) }
            }
        } else if matches!(current, TypeId::ANY | TypeId::UNKNOWN) {
            current
        } else {
            let members = self.types().members(current);
            let targets = self.types().members(inner);
            let kept: Vec<TypeId> = members.into_iter().filter(|member| *member != inner && !targets.contains(member)).collect();
            self.types().union(&kept)
        };
        self.set_fact(path, current, narrowed);
    }

    /// A field that tells the members of a union apart narrows the union.
    fn narrow_parent(&mut self, path: Path, keeps: impl Fn(&mut Self, TypeId) -> bool) {
        let Some((parent, name)) = self.flow.parent(path) else { return };
        if self.checker.types.name(name).starts_with(VARIABLE_KEY) {
            return;
        }
        let Some(current) = self.path_type(parent) else { return };
        let members = self.types().members(current);
        if members.len() < 2 {
            return;
        }
        let mut kept = Vec::with_capacity(members.len());
        for member in &members {
            let keep = match self.lookup_field(*member, name) {
                Some(field) => keeps(self, field),
                // A member without the field: nil is what it has there, unless other fields may be there unseen.
                None => *member == TypeId::NIL || keeps(self, TypeId::NIL) || !self.is_record(*member),
            };
            if keep {
                kept.push(*member);
            }
        }
        if kept.len() == members.len() {
            return;
        }
        let narrowed = self.types().union(&kept);
        if narrowed == TypeId::NEVER {
            self.flow.dead = true;
        }
        self.flow.set(parent, Some(narrowed));
    }

    fn is_record(&mut self, id: TypeId) -> bool {
        let resolved = self.types().resolve(id);
        matches!(self.types().get(resolved), Type::Record(_))
    }

    /// Gives the type at a path without looking at an expression.
    fn path_type(&mut self, path: Path) -> Option<TypeId> {
        if let Some(fact) = self.flow.fact(path) {
            return Some(fact);
        }
        if let Some(var) = self.flow.as_var(path) {
            return Some(self.var_type(var));
        }
        let (parent, name) = self.flow.parent(path)?;
        let parent = self.path_type(parent)?;
        if self.checker.types.name(name).starts_with('[') {
            let resolved = self.types().resolve(parent);
            if let Type::Array(value) | Type::Map(_, value) = *self.types().get(resolved) {
                return Some(value);
            }
        }
        self.lookup_field(parent, name)
    }

    /// Gives the type that an expression has now.
    fn current(&mut self, id: ExprId, path: Path) -> TypeId {
        if let Some(fact) = self.flow.fact(path) {
            return fact;
        }
        self.quiet += 1;
        let found = self.infer(id, None);
        self.quiet -= 1;
        found
    }

    fn set_fact(&mut self, path: Path, current: TypeId, narrowed: TypeId) {
        if narrowed == current {
            return;
        }
        if narrowed == TypeId::NEVER {
            // Only a declared type makes it certain that this way is never taken.
            if self.strict && current != TypeId::ANY && self.is_declared(path) {
                self.flow.dead = true;
            }
            return;
        }
        self.flow.set(path, Some(narrowed));
        self.flow.forget_fields(path);
    }

    /// Tells whether the type at a path was declared for it alone: what a map or an array has at a key may also be absent.
    fn is_declared(&mut self, path: Path) -> bool {
        if let Some(var) = self.flow.as_var(path) {
            return self.scopes.vars.get(var.0 as usize).is_some_and(|var| var.annotation.is_some());
        }
        let Some((parent, name)) = self.flow.parent(path) else { return false };
        let Some(found) = self.path_type(parent) else { return false };
        let members = self.types().members(found);
        let field = members.into_iter().all(|member| {
            let resolved = self.types().resolve(member);
            match *self.types().get(resolved) {
                Type::Record(index) => self.types().get_record(index).is_some_and(|record| record.field(name).is_some()),
                _ => false,
            }
        });
        field && self.is_declared(parent)
    }

    pub(super) fn truthy_part(&mut self, id: TypeId) -> TypeId {
        match id {
            TypeId::NIL | TypeId::FALSE => return TypeId::NEVER,
            TypeId::BOOLEAN => return TypeId::TRUE,
            _ => {}
        }
        let members = self.types().members(id);
        if members.len() < 2 {
            return id;
        }
        let mut changed = false;
        let kept: Vec<TypeId> = members
            .into_iter()
            .filter_map(|member| match member {
                TypeId::NIL | TypeId::FALSE => {
                    changed = true;
                    None
                }
                TypeId::BOOLEAN => {
                    changed = true;
                    Some(TypeId::TRUE)
                }
                _ => Some(member),
            })
            .collect();
        if changed { self.types().union(&kept) } else { id }
    }

    pub(super) fn falsy_part(&mut self, id: TypeId) -> TypeId {
        let members = self.types().members(id);
        let mut kept = Vec::new();
        for member in members {
            let resolved = self.types().resolve(member);
            match resolved {
                TypeId::NIL | TypeId::FALSE | TypeId::ANY | TypeId::UNKNOWN => kept.push(resolved),
                TypeId::BOOLEAN => kept.push(TypeId::FALSE),
                _ if matches!(self.types().get(resolved), Type::Param(_)) => kept.push(member),
                _ => {}
            }
        }
        self.types().union(&kept)
    }

    fn equal_part(&mut self, current: TypeId, literal: TypeId) -> TypeId {
        if matches!(current, TypeId::ANY | TypeId::UNKNOWN) {
            return if current == TypeId::ANY { TypeId::ANY } else { literal };
        }
        let members = self.types().members(current);
        let mut kept = Vec::new();
        for member in members {
            if member == literal || self.types().assignable(literal, member) {
                kept.push(if self.types().assignable(member, literal) { member } else { literal });
            } else if self.types().assignable(member, literal) {
                kept.push(member);
            }
        }
        self.types().union(&kept)
    }

    fn unequal_part(&mut self, current: TypeId, literal: TypeId) -> TypeId {
        let members = self.types().members(current);
        let mut kept = Vec::new();
        for member in members {
            match (member, literal) {
                (TypeId::BOOLEAN, TypeId::TRUE) => kept.push(TypeId::FALSE),
                (TypeId::BOOLEAN, TypeId::FALSE) => kept.push(TypeId::TRUE),
                _ if member == literal => {}
                _ => kept.push(member),
            }
        }
        self.types().union(&kept)
    }
}
