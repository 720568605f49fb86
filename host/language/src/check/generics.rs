//! Type parameters of a call: what they must be, going by the arguments.

use rustc_hash::FxHashMap;

use super::File;
use super::calls::Callee;
use super::types::{Signature, Type, TypeId};
use crate::syntax::Span;
use crate::syntax::ast::ExprId;

impl File<'_> {
    /// Settles the type parameters of a call and holds them against their bounds.
    pub(super) fn check_bounds(
        &mut self,
        signature: &Signature,
        callee: &Callee,
        given: &[(Option<ExprId>, TypeId)],
        map: &mut FxHashMap<u32, TypeId>,
        args_span: Span,
    ) {
        for number in &signature.generics {
            let bound = self.types().params.get(*number as usize).and_then(|param| param.bound);
            let value = *map.entry(*number).or_insert(TypeId::ANY);
            if let Some(bound) = bound
                && value != TypeId::ANY
                && !self.fits(value, bound)
            {
                let place = given
                    .iter()
                    .find(|(_, found)| *found == value)
                    .and_then(|(id, _)| *id)
                    .map_or(args_span, |id| self.ast.expr(id).span);
                let text = callee.text.clone();
                self.expect_type(value, bound, place, &move |_| format!("argument of `{text}`"));
            }
        }
    }

    /// Replaces the parameters that are known so far.
    pub(super) fn substitute_known(&mut self, id: TypeId, map: &FxHashMap<u32, TypeId>) -> TypeId {
        self.types().substitute(id, map, 0)
    }

    /// Tells whether a type still holds an unknown parameter of a call.
    pub(super) fn has_param(&mut self, id: TypeId, depth: usize) -> bool {
        if depth > 10 {
            return false;
        }
        match self.types().get(id).clone() {
            Type::Param(index) => !self.in_scope(index),
            Type::Union(members) | Type::Intersection(members) => members.iter().any(|member| self.has_param(*member, depth + 1)),
            Type::Array(element) => self.has_param(element, depth + 1),
            Type::Map(key, value) => self.has_param(key, depth + 1) || self.has_param(value, depth + 1),
            Type::Named(_, args) => args.iter().any(|arg| self.has_param(*arg, depth + 1)),
            Type::Function(index) => {
                // A function literal may still take what is known from such a model.
                let _ = index;
                false
            }
            _ => false,
        }
    }

    /// Tells whether a type parameter belongs to a function around this place.
    fn in_scope(&mut self, index: u32) -> bool {
        let Some(name) = self.types().params.get(index as usize).map(|param| param.name) else { return false };
        let param = self.types().add(Type::Param(index));
        self.type_scopes
            .get(&name)
            .is_some_and(|entries| entries.iter().any(|entry| matches!(entry, super::TypeEntry::Param(id) if *id == param)))
    }

    /// Finds what the parameters of a type must be for a value of another type.
    pub(super) fn unify(&mut self, wanted: TypeId, found: TypeId, map: &mut FxHashMap<u32, TypeId>, depth: usize) {
        if depth > 20 || wanted == found {
            return;
        }
        let depth = depth + 1;
        match self.types().get(wanted).clone() {
            Type::Param(index) => {
                let found = match map.get(&index).copied() {
                    Some(known) if self.types().assignable(found, known) => return,
                    Some(known) => {
                        let known = self.types().widen(known);
                        let found = self.types().widen(found);
                        self.types().union(&[known, found])
                    }
                    None => found,
                };
                map.insert(index, found);
            }
            Type::Union(members) => {
                let plain = self.types().non_nil(found);
                let rest: Vec<TypeId> = members.iter().copied().filter(|member| *member != TypeId::NIL).collect();
                if let [one] = rest.as_slice() {
                    if plain != TypeId::NEVER {
                        self.unify(*one, plain, map, depth);
                    }
                } else {
                    for member in rest {
                        if !matches!(self.types().get(member), Type::Param(_)) {
                            self.unify(member, plain, map, depth);
                        }
                    }
                }
            }
            Type::Array(element) => {
                let resolved = self.types().resolve(found);
                match self.types().get(resolved).clone() {
                    Type::Array(given) => self.unify(element, given, map, depth),
                    Type::Inferred(index) => {
                        if let Some(given) = self.types().get_inferred(index).and_then(|table| table.element) {
                            self.unify(element, given, map, depth);
                        }
                    }
                    _ => {}
                }
            }
            Type::Map(key, value) => {
                let resolved = self.types().resolve(found);
                match self.types().get(resolved).clone() {
                    Type::Map(given_key, given_value) => {
                        self.unify(key, given_key, map, depth);
                        self.unify(value, given_value, map, depth);
                    }
                    Type::Array(given) => {
                        self.unify(key, TypeId::INTEGER, map, depth);
                        self.unify(value, given, map, depth);
                    }
                    _ => {}
                }
            }
            Type::Named(alias, args) => match self.types().get(found).clone() {
                Type::Named(other, given) if alias == other => {
                    for (wanted, found) in args.iter().zip(given.iter()) {
                        self.unify(*wanted, *found, map, depth);
                    }
                }
                _ => {
                    let wanted = self.types().resolve(wanted);
                    if !matches!(self.types().get(wanted), Type::Named(..)) {
                        self.unify(wanted, found, map, depth);
                    }
                }
            },
            Type::Record(index) => {
                let fields = self.types().get_record(index).map(|record| record.fields.clone()).unwrap_or_default();
                for field in fields {
                    if let Some(given) = self.lookup_field(found, field.name) {
                        self.unify(field.value, given, map, depth);
                    }
                }
            }
            Type::Function(index) => {
                let resolved = self.types().resolve(found);
                let Type::Function(other) = *self.types().get(resolved) else { return };
                let (Some(wanted), Some(given)) =
                    (self.types().get_function(index).cloned(), self.types().get_function(other).cloned())
                else {
                    return;
                };
                for (a, b) in wanted.params.iter().zip(&given.params) {
                    if b.value != TypeId::ANY {
                        self.unify(a.value, b.value, map, depth);
                    }
                }
                for (a, b) in wanted.returns.types.iter().zip(&given.returns.types) {
                    let widened = self.types().widen(*b);
                    self.unify(*a, widened, map, depth);
                }
            }
            Type::Meta(inner) => {
                if let Type::Meta(given) = *self.types().get(found) {
                    self.unify(inner, given, map, depth);
                }
            }
            _ => {}
        }
    }
}
