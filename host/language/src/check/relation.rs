//! Which type fits where another is expected.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::types::{Record, Signature, Type, TypeId, Types};

/// Deeper comparisons are taken to succeed: silence is better than a wrong report.
const MAX_DEPTH: usize = 60;

/// One comparison, with what is assumed while comparing types that contain themselves.
#[derive(Default)]
pub(super) struct Relation {
    assumed: FxHashSet<(TypeId, TypeId)>,
    depth: usize,
    /// Whether `any` fits everywhere. Comparison of types, unlike assignment, says no.
    strict_any: bool,
}

impl Types {
    /// Tells whether a value of one type may be given where another is expected.
    pub(super) fn assignable(&mut self, from: TypeId, to: TypeId) -> bool {
        from == to || Relation::default().fits(self, from, to)
    }

    /// Tells whether one type is a subtype of another; `any` is only the top.
    #[cfg(test)]
    pub(super) fn subtype(&mut self, from: TypeId, to: TypeId) -> bool {
        Relation { strict_any: true, ..Relation::default() }.fits(self, from, to)
    }

    /// Tells whether some value may belong to both types.
    pub(super) fn overlaps(&mut self, left: TypeId, right: TypeId) -> bool {
        let left = self.members(left);
        let right = self.members(right);
        left.iter().any(|a| {
            right.iter().any(|b| match (self.lua_type(*a), self.lua_type(*b)) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            })
        })
    }

    /// Gives what Lua's `type` says about every value of a type, if it is always the same.
    pub(super) fn lua_type(&mut self, id: TypeId) -> Option<&'static str> {
        let id = self.resolve(id);
        Some(match self.get(id) {
            Type::Nil => "nil",
            Type::Boolean | Type::Bool(_) => "boolean",
            Type::Number | Type::Integer | Type::Int(_) | Type::Float(_) => "number",
            Type::String | Type::Str(_) => "string",
            Type::AnyTable | Type::Array(_) | Type::Map(..) | Type::Inferred(_) => "table",
            // Values of the host are userdata behind a record type.
            Type::Record(_) | Type::Meta(_) => return None,
            Type::Function(_) | Type::AnyFunction => "function",
            Type::Thread => "thread",
            Type::Userdata => "userdata",
            _ => return None,
        })
    }
}

impl Relation {
    pub(super) fn fits(&mut self, types: &mut Types, from: TypeId, to: TypeId) -> bool {
        if from == to || self.depth > MAX_DEPTH {
            return true;
        }
        match (types.get(from), types.get(to)) {
            (_, Type::Any | Type::Unknown) | (Type::Never, _) => return true,
            (Type::Any, _) => return !self.strict_any,
            _ => {}
        }
        if !self.assumed.insert((from, to)) {
            return true;
        }
        self.depth += 1;
        let fits = self.fits_inner(types, from, to);
        self.depth -= 1;
        if !fits {
            self.assumed.remove(&(from, to));
        }
        fits
    }

    fn fits_inner(&mut self, types: &mut Types, from: TypeId, to: TypeId) -> bool {
        match (types.get(from).clone(), types.get(to).clone()) {
            (Type::Union(members), _) => members.iter().all(|member| self.fits(types, *member, to)),
            (_, Type::Union(members)) => self.fits_union(types, from, &members, to),
            (Type::Named(a, left), Type::Named(b, right)) if a == b && left == right => true,
            (_, Type::Named(..)) => {
                let to = types.resolve(to);
                self.fits(types, from, to)
            }
            (Type::Named(..), _) => {
                let from = types.resolve(from);
                self.fits(types, from, to)
            }
            (_, Type::Intersection(members)) => members.iter().all(|member| self.fits(types, from, *member)),
            (Type::Intersection(members), _) => self.fits_intersection(types, &members, to),
            (Type::Param(_), Type::Param(_)) => false,
            (Type::Param(_), _) => {
                let bound = types.resolve(from);
                bound != from && self.fits(types, bound, to)
            }
            (Type::Bool(_), Type::Boolean)
            | (Type::Int(_), Type::Integer | Type::Number)
            | (Type::Float(_) | Type::Integer, Type::Number)
            | (Type::Str(_), Type::String)
            | (Type::Function(_), Type::AnyFunction)
            | (Type::Array(_) | Type::Map(..) | Type::Record(_) | Type::Inferred(_), Type::AnyTable)
            | (Type::Meta(_), Type::AnyTable)
            | (Type::Record(_) | Type::Error, Type::Userdata) => true,
            // A table or function of unknown content may be what is wanted; as a type it is none.
            (Type::AnyTable, Type::Array(_) | Type::Map(..) | Type::Inferred(_)) | (Type::AnyFunction, Type::Function(_)) => {
                !self.strict_any
            }
            (Type::Float(bits), Type::Integer) => f64::from_bits(bits).fract() == 0.0,
            // Text stands for an error in most libraries, and an error prints as its text.
            (Type::String | Type::Str(_), Type::Error) => !self.strict_any,
            (Type::AnyTable, Type::Record(_)) => !self.strict_any,
            (Type::Array(a), Type::Array(b)) => self.equal(types, a, b),
            (Type::Array(element), Type::Map(key, value)) => {
                self.fits(types, TypeId::INTEGER, key) && self.equal(types, element, value)
            }
            (Type::Map(a, b), Type::Map(c, d)) => self.equal(types, a, c) && self.equal(types, b, d),
            (Type::Record(a), Type::Record(b)) => {
                let (Some(a), Some(b)) = (types.get_record(a).cloned(), types.get_record(b).cloned()) else { return true };
                self.record_fits(types, &a, &b)
            }
            (Type::Map(key, value), Type::Record(record)) => {
                let Some(record) = types.get_record(record).cloned() else { return true };
                !self.strict_any
                    && self.fits(types, TypeId::STRING, key)
                    && record.fields.iter().all(|field| field.optional && self.fits(types, value, field.value))
            }
            // More fields than are known may be there, so this holds for values and not for types.
            (Type::Record(_), Type::Map(..)) if self.strict_any => false,
            (Type::Record(record), Type::Map(key, value)) => {
                let Some(record) = types.get_record(record).cloned() else { return true };
                let named =
                    record.fields.is_empty() || self.fits(types, TypeId::STRING, key) || self.keys_fit(types, &record, key);
                named
                    && record.fields.iter().all(|field| self.fits(types, field.value, value))
                    && record.indexers.iter().all(|(_, item)| self.fits(types, *item, value))
            }
            (Type::Record(record), Type::Array(_)) => {
                !self.strict_any
                    && types.get_record(record).is_none_or(|record| record.fields.is_empty() && record.indexers.is_empty())
            }
            (Type::Function(a), Type::Function(b)) => {
                let (Some(a), Some(b)) = (types.get_function(a).cloned(), types.get_function(b).cloned()) else { return true };
                self.function_fits(types, &a, &b)
            }
            (Type::Inferred(table), _) => self.inferred_fits(types, table, to),
            (_, Type::Inferred(_)) => matches!(types.lua_type(from), Some("table") | None),
            (Type::Meta(_), Type::Meta(_)) => true,
            (Type::Meta(_), Type::AnyFunction | Type::Function(_)) => true,
            (Type::Userdata, Type::Record(_)) => !self.strict_any,
            _ => false,
        }
    }

    fn fits_union(&mut self, types: &mut Types, from: TypeId, members: &Arc<[TypeId]>, to: TypeId) -> bool {
        if members.iter().any(|member| self.fits(types, from, *member)) {
            return true;
        }
        // `boolean` is `true | false`, and a name may stand for a union.
        let parts = if from == TypeId::BOOLEAN { vec![TypeId::TRUE, TypeId::FALSE] } else { types.members(from) };
        if parts.len() > 1 {
            return parts.iter().all(|part| members.iter().any(|member| self.fits(types, *part, *member)));
        }
        match types.get(from).clone() {
            Type::Intersection(parts) => parts.iter().any(|part| self.fits(types, *part, to)),
            Type::Param(_) | Type::Named(..) => {
                let resolved = types.resolve(from);
                resolved != from && members.iter().any(|member| self.fits(types, resolved, *member))
            }
            _ => false,
        }
    }

    fn fits_intersection(&mut self, types: &mut Types, members: &Arc<[TypeId]>, to: TypeId) -> bool {
        if members.iter().any(|member| self.fits(types, *member, to)) {
            return true;
        }
        // Records together have the fields of each.
        let mut all = Record::default();
        for member in members.iter() {
            let member = types.resolve(*member);
            match types.get(member) {
                Type::Record(index) => {
                    let Some(record) = types.get_record(*index).cloned() else { return true };
                    for field in record.fields {
                        match all.fields.iter_mut().find(|known| known.name == field.name) {
                            Some(known) => known.optional &= field.optional,
                            None => all.fields.push(field),
                        }
                    }
                    all.indexers.extend(record.indexers);
                }
                _ => return false,
            }
        }
        let merged = types.record(all);
        self.fits(types, merged, to)
    }

    fn keys_fit(&mut self, types: &mut Types, record: &Record, key: TypeId) -> bool {
        record.fields.iter().all(|field| {
            let name = types.add(Type::Str(field.name));
            self.fits(types, name, key)
        })
    }

    fn equal(&mut self, types: &mut Types, a: TypeId, b: TypeId) -> bool {
        self.fits(types, a, b) && self.fits(types, b, a)
    }

    fn record_fits(&mut self, types: &mut Types, from: &Record, to: &Record) -> bool {
        for field in &to.fields {
            match from.field(field.name) {
                Some(given) => {
                    if given.optional && !field.optional && !types.has_nil(field.value) {
                        return false;
                    }
                    if given.readonly && !field.readonly {
                        return false;
                    }
                    if !self.fits(types, given.value, field.value) {
                        return false;
                    }
                    if !field.readonly && !self.fits(types, field.value, given.value) {
                        return false;
                    }
                }
                None if field.optional || types.has_nil(field.value) => {}
                None => {
                    let name = types.add(Type::Str(field.name));
                    let indexed = from.indexers.iter().any(|(key, value)| {
                        self.fits(types, name, *key) && field.optional && self.fits(types, *value, field.value)
                    });
                    if !indexed {
                        return false;
                    }
                }
            }
        }
        to.indexers.iter().all(|(key, value)| {
            from.indexers
                .iter()
                .all(|(from_key, from_value)| !self.fits(types, *from_key, *key) || self.fits(types, *from_value, *value))
        })
    }

    fn function_fits(&mut self, types: &mut Types, from: &Signature, to: &Signature) -> bool {
        // Parameters of types are compared as if they could be anything.
        if !from.generics.is_empty() || !to.generics.is_empty() {
            return from.params.iter().filter(|param| !param.optional).count() <= to.params.len() || to.rest.is_some();
        }
        for (index, param) in from.params.iter().enumerate() {
            let given = to.params.get(index).map(|param| param.value).or(to.rest);
            match given {
                Some(given) => {
                    let given =
                        if to.params.get(index).is_some_and(|given| given.optional) { types.optional(given) } else { given };
                    let wanted = if param.optional { types.optional(param.value) } else { param.value };
                    if !self.fits(types, given, wanted) {
                        return false;
                    }
                }
                None if param.optional || types.has_nil(param.value) || !from.declared => {}
                None => return false,
            }
        }
        for (index, wanted) in to.returns.types.iter().enumerate() {
            match from.returns.get(index) {
                Some(given) => {
                    if !self.fits(types, given, *wanted) {
                        return false;
                    }
                }
                None if types.has_nil(*wanted) => {}
                None => return false,
            }
        }
        true
    }

    /// A table without a declared type fits unless something known of it contradicts.
    fn inferred_fits(&mut self, types: &mut Types, index: u32, to: TypeId) -> bool {
        let Some(table) = types.get_inferred(index).cloned() else { return true };
        match types.get(to).clone() {
            Type::Record(record) => {
                let Some(record) = types.get_record(record).cloned() else { return true };
                record.fields.iter().all(|field| match table.by_name.get(&field.name).and_then(|at| table.fields.get(*at)) {
                    Some(known) => {
                        let wanted = if field.optional { types.optional(field.value) } else { field.value };
                        self.fits(types, known.value, wanted)
                    }
                    None => {
                        let open = table.dynamic || table.metatable || table.escaped || table.parent.is_some();
                        open || field.optional || types.has_nil(field.value)
                    }
                })
            }
            Type::Array(element) => {
                table.element.is_none_or(|known| self.fits(types, known, element))
                    && (table.fields.is_empty() || table.element.is_some())
            }
            Type::Map(key, value) => {
                table.fields.iter().all(|field| {
                    let name = types.add(Type::Str(field.name));
                    self.fits(types, name, key) && self.fits(types, field.value, value)
                }) && table.element.is_none_or(|known| self.fits(types, known, value))
            }
            Type::AnyTable => true,
            Type::Function(_) | Type::AnyFunction => table.metatable,
            _ => table.metatable && matches!(types.get(to), Type::Userdata | Type::Error),
        }
    }
}
