//! Type parameters of a call: what they must be, going by the arguments.

use rustc_hash::FxHashMap;

use super::File;
use super::calls::Callee;
use super::types::{Pack, Param, Signature, Type, TypeId};
use crate::syntax::Span;
use crate::syntax::ast::{ExprId, ExprKind};

/// What is known of the type parameters of a call so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Solution {
    pub(super) map: FxHashMap<u32, TypeId>,
    /// What tables that were passed hold: they can be written, so that no wider type would do.
    fixed: FxHashMap<u32, TypeId>,
}

/// Where in an argument a parameter of a type stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Within {
    pub(super) depth: usize,
    /// Whether a table is around it.
    pub(super) table: bool,
    /// Whether the argument is a function that is written in the call.
    pub(super) literal: bool,
}

impl File<'_> {
    /// Takes a type parameter to be what is found for it.
    fn bind(&mut self, index: u32, found: TypeId, solution: &mut Solution, within: Within) {
        let bound = self.types().params.get(index as usize).and_then(|param| param.bound);
        let numeric = bound == Some(TypeId::NUMBER);
        let found = if numeric { self.types().widen(found) } else { found };
        if let Some(bound) = bound
            && within.depth == 1
            && found != TypeId::ANY
            && !self.fits(found, bound)
        {
            // The argument is held against the bound by itself.
            solution.map.insert(index, TypeId::ANY);
            return;
        }
        if within.table && found != TypeId::ANY {
            solution.fixed.entry(index).or_insert(found);
        }
        let Some(known) = solution.map.get(&index).copied() else {
            solution.map.insert(index, found);
            return;
        };
        if known == TypeId::ANY {
            return;
        }
        let wide = self.types().widen(known);
        if found == TypeId::ANY {
            // A literal or nil to start with says little of what else comes.
            if !solution.fixed.contains_key(&index) && (numeric || known == TypeId::NIL || wide != known) {
                solution.map.insert(index, TypeId::ANY);
            }
            return;
        }
        if self.types().assignable(found, known) {
            return;
        }
        let found = self.types().widen(found);
        let nil = known == TypeId::NIL || found == TypeId::NIL;
        if within.literal && !nil && !self.types().overlaps(wide, found) {
            // Reported where the function is held against its parameter.
            return;
        }
        let joined = self.types().union(&[wide, found]);
        solution.map.insert(index, joined);
    }

    /// Chooses what fits the most arguments: what they have in common, or what the tables among them hold.
    pub(super) fn settle_params(
        &mut self,
        signature: &Signature,
        object: Option<TypeId>,
        given: &[(Option<ExprId>, TypeId)],
        solution: &mut Solution,
    ) {
        let found: Vec<TypeId> = object.into_iter().chain(given.iter().map(|(_, found)| *found)).collect();
        let misfits = self.misfits(signature, &found, &solution.map);
        if misfits == 0 {
            return;
        }
        let mut wide = solution.map.clone();
        for value in wide.values_mut() {
            *value = self.types().widen(*value);
        }
        if self.misfits(signature, &found, &wide) == 0 {
            solution.map = wide;
            return;
        }
        wide.extend(solution.fixed.iter().map(|(index, value)| (*index, *value)));
        if self.misfits(signature, &found, &wide) <= misfits {
            solution.map = wide;
        }
    }

    fn misfits(&mut self, signature: &Signature, given: &[TypeId], map: &FxHashMap<u32, TypeId>) -> usize {
        let mut count = 0;
        for (index, found) in given.iter().enumerate() {
            let param = signature.params.get(index);
            let Some(declared) = param.map(|param| param.value).or(signature.rest) else { break };
            let wanted = self.types().substitute(declared, map, 0);
            let wanted = if param.is_some_and(|param| param.optional) { self.types().optional(wanted) } else { wanted };
            if !self.has_param(wanted, 0) && !self.fits(*found, wanted) {
                count += 1;
            }
        }
        count
    }

    /// Gives what a function that is written in a call should be, as far as the call knows.
    ///
    /// A result that goes on from nil or a whole number is not held to it: `fold(list, 0, f)` may well give `1.5`.
    pub(super) fn callback_model(&mut self, declared: TypeId, solution: &Solution) -> TypeId {
        let plain = self.types().non_nil(declared);
        let plain = self.types().resolve(plain);
        let signature = match *self.types().get(plain) {
            Type::Function(index) => self.types().get_function(index).cloned(),
            _ => None,
        };
        let Some(signature) = signature else { return self.types().substitute(declared, &solution.map, 0) };
        let mut inner = solution.map.clone();
        for value in inner.values_mut().filter(|value| **value == TypeId::NIL) {
            *value = TypeId::ANY;
        }
        let mut outer = solution.map.clone();
        outer.retain(|index, value| solution.fixed.contains_key(index) || !matches!(*value, TypeId::NIL | TypeId::INTEGER));
        let types = self.types();
        let params = signature
            .params
            .iter()
            .map(|param| Param { value: types.substitute(param.value, &inner, 0), ..param.clone() })
            .collect();
        let rest = signature.rest.map(|rest| types.substitute(rest, &inner, 0));
        let results = signature.returns.types.iter().map(|value| types.substitute(*value, &outer, 0)).collect();
        let more = signature.returns.rest.map(|rest| types.substitute(rest, &outer, 0));
        let returns = Pack { types: results, rest: more };
        types.function(Signature { params, rest, returns, ..signature })
    }

    /// Gives the type of a function that is written in a call without the parameters that the call itself made up.
    pub(super) fn without_modelled(&mut self, id: ExprId, found: TypeId) -> TypeId {
        let ExprKind::Function(function) = &self.ast.expr(id).kind else { return found };
        let Type::Function(index) = *self.types().get(found) else { return found };
        let Some(mut signature) = self.types().get_function(index).cloned() else { return found };
        for (written, param) in function.params.iter().zip(&mut signature.params) {
            if written.annotation.is_none() {
                param.value = TypeId::ANY;
            }
        }
        self.types().function(signature)
    }

    /// Gives the results of a call. What its place wants helps where a parameter is within a type: a literal is not kept there.
    pub(super) fn generic_results(&mut self, signature: &Signature, solution: &Solution, expected: Option<TypeId>) -> Pack {
        let mut wide = solution.map.clone();
        for value in wide.values_mut() {
            *value = self.types().widen(*value);
        }
        if let (Some(expected), Some(first)) = (expected, signature.returns.types.first()) {
            let mut place = Solution::default();
            self.unify(*first, expected, &mut place, Within::default());
            for (index, value) in &mut wide {
                let Some(wanted) = place.map.get(index).copied() else { continue };
                let free = !solution.fixed.contains_key(index) && !matches!(*value, TypeId::ANY | TypeId::NIL);
                if free && wanted != TypeId::ANY && self.types().assignable(*value, wanted) {
                    *value = wanted;
                }
            }
        }
        let mut result = |value: TypeId| {
            let plain = self.types().non_nil(value);
            let alone = matches!(self.types().get(plain), Type::Param(_));
            self.types().substitute(value, if alone { &solution.map } else { &wide }, 0)
        };
        let types = signature.returns.types.iter().map(|value| result(*value)).collect();
        let rest = signature.returns.rest.map(&mut result);
        Pack { types, rest }
    }

    /// Tells whether a value of one type may be meant where a member of a union is wanted: whether their tags agree.
    fn tags_allow(&mut self, wanted: TypeId, found: TypeId) -> bool {
        let resolved = self.types().resolve(wanted);
        let Type::Record(index) = *self.types().get(resolved) else { return true };
        let fields = self.types().get_record(index).map(|record| record.fields.clone()).unwrap_or_default();
        fields.iter().all(|field| {
            if !matches!(self.types().get(field.value), Type::Str(_) | Type::Int(_) | Type::Bool(_)) {
                return true;
            }
            self.lookup_field(found, field.name).is_none_or(|given| {
                let types = self.types();
                types.assignable(given, field.value) || types.assignable(field.value, given)
            })
        })
    }

    /// Holds an argument that is a type parameter by itself against the bound of that.
    pub(super) fn own_bound(&mut self, signature: &Signature, declared: TypeId) -> Option<TypeId> {
        match *self.types().get(declared) {
            Type::Param(index) if signature.generics.contains(&index) => {
                self.types().params.get(index as usize).and_then(|param| param.bound)
            }
            _ => None,
        }
    }

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
    pub(super) fn unify(&mut self, wanted: TypeId, found: TypeId, solution: &mut Solution, within: Within) {
        if within.depth > 20 || wanted == found {
            return;
        }
        let within = Within { depth: within.depth + 1, ..within };
        let inside = Within { table: true, ..within };
        match self.types().get(wanted).clone() {
            Type::Param(index) => self.bind(index, found, solution, within),
            Type::Union(_) => self.unify_union(wanted, found, solution, within),
            Type::Array(element) => {
                let resolved = self.types().resolve(found);
                match self.types().get(resolved).clone() {
                    Type::Array(given) => self.unify(element, given, solution, inside),
                    Type::Inferred(index) => {
                        if let Some(given) = self.types().get_inferred(index).and_then(|table| table.element) {
                            self.unify(element, given, solution, within);
                        }
                    }
                    _ => {}
                }
            }
            Type::Map(key, value) => {
                let resolved = self.types().resolve(found);
                match self.types().get(resolved).clone() {
                    Type::Map(given_key, given_value) => {
                        self.unify(key, given_key, solution, inside);
                        self.unify(value, given_value, solution, inside);
                    }
                    Type::Array(given) => {
                        self.unify(key, TypeId::INTEGER, solution, within);
                        self.unify(value, given, solution, inside);
                    }
                    _ => {}
                }
            }
            Type::Named(alias, args) => match self.types().get(found).clone() {
                Type::Named(other, given) if alias == other => {
                    for (wanted, found) in args.iter().zip(given.iter()) {
                        self.unify(*wanted, *found, solution, inside);
                    }
                }
                _ => {
                    let wanted = self.types().resolve(wanted);
                    if !matches!(self.types().get(wanted), Type::Named(..)) {
                        self.unify(wanted, found, solution, within);
                    }
                }
            },
            Type::Record(index) => {
                let fields = self.types().get_record(index).map(|record| record.fields.clone()).unwrap_or_default();
                let resolved = self.types().resolve(found);
                let fresh = matches!(self.types().get(resolved), Type::Inferred(_));
                for field in fields {
                    if let Some(given) = self.lookup_field(found, field.name) {
                        self.unify(field.value, given, solution, if fresh || field.readonly { within } else { inside });
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
                // The parameters of a function that is passed are nothing to this call.
                let bounds: FxHashMap<u32, TypeId> = given
                    .generics
                    .iter()
                    .map(|index| (*index, self.checker.types.params.get(*index as usize).and_then(|param| param.bound)))
                    .map(|(index, bound)| (index, bound.unwrap_or(TypeId::ANY)))
                    .collect();
                for (a, b) in wanted.params.iter().zip(&given.params) {
                    let value = self.types().substitute(b.value, &bounds, 0);
                    if value != TypeId::ANY {
                        self.unify(a.value, value, solution, Within { literal: false, ..within });
                    }
                }
                for (a, b) in wanted.returns.types.iter().zip(&given.returns.types) {
                    let value = self.types().substitute(*b, &bounds, 0);
                    let widened = self.types().widen(value);
                    self.unify(*a, widened, solution, within);
                }
            }
            Type::Meta(inner) => {
                if let Type::Meta(given) = *self.types().get(found) {
                    self.unify(inner, given, solution, within);
                }
            }
            _ => {}
        }
    }

    /// Each member of what is found against the member that it may be.
    fn unify_union(&mut self, wanted: TypeId, found: TypeId, solution: &mut Solution, within: Within) {
        let plain = self.types().non_nil(found);
        let members: Vec<TypeId> = self.types().members(wanted).into_iter().filter(|member| *member != TypeId::NIL).collect();
        if let [one] = members.as_slice() {
            if plain != TypeId::NEVER {
                self.unify(*one, plain, solution, within);
            }
            return;
        }
        for part in self.types().members(plain) {
            if members.contains(&part) {
                continue;
            }
            let same =
                members.iter().copied().find(|member| match (self.checker.types.get(*member), self.checker.types.get(part)) {
                    (Type::Named(a, _), Type::Named(b, _)) => a == b,
                    _ => false,
                });
            for member in same.map_or_else(|| members.clone(), |same| vec![same]) {
                if !matches!(self.types().get(member), Type::Param(_)) && self.tags_allow(member, part) {
                    self.unify(member, part, solution, within);
                }
            }
        }
    }
}
