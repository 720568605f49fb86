//! Types as the checker knows them: interned, so that equal ones have equal numbers.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::syntax::Span;

/// A union of more members, or a record of more fields, counts as anything: looking through them takes time for each.
pub(super) const MAX_MEMBERS: usize = 4_096;

/// The number of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TypeId(u32);

/// The number of an interned text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Symbol(u32);

impl TypeId {
    pub(super) const ANY: Self = Self(0);
    pub(super) const UNKNOWN: Self = Self(1);
    pub(super) const NEVER: Self = Self(2);
    pub(super) const NIL: Self = Self(3);
    pub(super) const BOOLEAN: Self = Self(4);
    pub(super) const NUMBER: Self = Self(5);
    pub(super) const INTEGER: Self = Self(6);
    pub(super) const STRING: Self = Self(7);
    pub(super) const TABLE: Self = Self(8);
    pub(super) const THREAD: Self = Self(9);
    pub(super) const USERDATA: Self = Self(10);
    pub(super) const ERROR: Self = Self(11);
    pub(super) const FUNCTION: Self = Self(12);
    pub(super) const TRUE: Self = Self(13);
    pub(super) const FALSE: Self = Self(14);
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Type {
    Any,
    Unknown,
    Never,
    Nil,
    Boolean,
    Number,
    Integer,
    String,
    /// Any table at all.
    AnyTable,
    Thread,
    Userdata,
    Error,
    /// Any function at all.
    AnyFunction,
    Bool(bool),
    Int(i64),
    /// The bits of a float.
    Float(u64),
    Str(Symbol),
    Union(Arc<[TypeId]>),
    Intersection(Arc<[TypeId]>),
    Array(TypeId),
    Map(TypeId, TypeId),
    Record(u32),
    Function(u32),
    /// A table without a declared type; what is known of it grows while a file is read.
    Inferred(u32),
    /// A declared name with its arguments.
    Named(u32, Arc<[TypeId]>),
    /// A type parameter.
    Param(u32),
    /// A type used as a value.
    Meta(TypeId),
}

/// A field of a record.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: Symbol,
    pub(super) value: TypeId,
    pub(super) optional: bool,
    pub(super) readonly: bool,
    /// What to use instead, if it should not be used.
    pub(super) deprecated: Option<Arc<str>>,
}

/// A record type.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub(super) fields: Vec<Field>,
    pub(super) indexers: Vec<(TypeId, TypeId)>,
}

impl Record {
    pub(super) fn field(&self, name: Symbol) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A parameter of a function.
#[derive(Debug, Clone)]
pub(super) struct Param {
    pub(super) name: Option<Symbol>,
    pub(super) value: TypeId,
    pub(super) optional: bool,
}

/// Several values: results, or what is passed.
#[derive(Debug, Clone, Default)]
pub(super) struct Pack {
    pub(super) types: Vec<TypeId>,
    pub(super) rest: Option<TypeId>,
}

impl Pack {
    pub(super) fn one(value: TypeId) -> Self {
        Self { types: vec![value], rest: None }
    }

    pub(super) fn any() -> Self {
        Self { types: Vec::new(), rest: Some(TypeId::ANY) }
    }

    pub(super) fn get(&self, index: usize) -> Option<TypeId> {
        self.types.get(index).copied().or(self.rest)
    }
}

/// A function type.
#[derive(Debug, Clone, Default)]
pub(super) struct Signature {
    pub(super) generics: Vec<u32>,
    pub(super) params: Vec<Param>,
    pub(super) rest: Option<TypeId>,
    pub(super) returns: Pack,
    /// Whether parameters and results were written by someone, so that calls can be held against them.
    pub(super) declared: bool,
    /// Whether this belongs to the host, whose functions may take more than their declaration knows.
    pub(super) host: bool,
    pub(super) is_method: bool,
}

/// A table that a program builds without declaring its type.
#[derive(Debug, Clone, Default)]
pub(super) struct Inferred {
    pub(super) fields: Vec<InferredField>,
    pub(super) by_name: FxHashMap<Symbol, usize>,
    pub(super) element: Option<TypeId>,
    /// Whether keys that are not known are written.
    pub(super) dynamic: bool,
    pub(super) metatable: bool,
    /// Where fields are looked up that the table lacks.
    pub(super) parent: Option<TypeId>,
    /// Whether code that is not seen may write to it.
    pub(super) escaped: bool,
    /// Whether this is what a checked library returned, so that all its fields are known.
    pub(super) sealed: bool,
    /// The table type of instances, if this is used as a class.
    pub(super) instance: Option<TypeId>,
    pub(super) name: Option<Symbol>,
}

/// A field of such a table.
#[derive(Debug, Clone)]
pub(super) struct InferredField {
    pub(super) name: Symbol,
    pub(super) value: TypeId,
    pub(super) span: Span,
}

/// A declared type.
#[derive(Debug, Clone)]
pub(super) struct Alias {
    pub(super) name: Symbol,
    pub(super) params: Vec<u32>,
    pub(super) body: TypeId,
}

/// A type parameter.
#[derive(Debug, Clone)]
pub(super) struct TypeParam {
    pub(super) name: Symbol,
    pub(super) bound: Option<TypeId>,
}

/// All types.
#[derive(Debug)]
pub(super) struct Types {
    types: Vec<Type>,
    numbers: FxHashMap<Type, TypeId>,
    pub(super) records: Vec<Record>,
    pub(super) functions: Vec<Signature>,
    pub(super) inferred: Vec<Inferred>,
    pub(super) aliases: Vec<Alias>,
    pub(super) params: Vec<TypeParam>,
    expansions: FxHashMap<(u32, Arc<[TypeId]>), TypeId>,
    symbols: Vec<Arc<str>>,
    symbol_numbers: FxHashMap<Arc<str>, Symbol>,
}

impl Types {
    pub(super) fn new() -> Self {
        let mut types = Self {
            types: Vec::new(),
            numbers: FxHashMap::default(),
            records: Vec::new(),
            functions: Vec::new(),
            inferred: Vec::new(),
            aliases: Vec::new(),
            params: Vec::new(),
            expansions: FxHashMap::default(),
            symbols: Vec::new(),
            symbol_numbers: FxHashMap::default(),
        };
        // In the order of the constants above.
        for base in [
            Type::Any,
            Type::Unknown,
            Type::Never,
            Type::Nil,
            Type::Boolean,
            Type::Number,
            Type::Integer,
            Type::String,
            Type::AnyTable,
            Type::Thread,
            Type::Userdata,
            Type::Error,
            Type::AnyFunction,
            Type::Bool(true),
            Type::Bool(false),
        ] {
            types.add(base);
        }
        types
    }

    pub(super) fn add(&mut self, value: Type) -> TypeId {
        if let Some(id) = self.numbers.get(&value) {
            return *id;
        }
        let id = TypeId(number(self.types.len()));
        self.types.push(value.clone());
        self.numbers.insert(value, id);
        id
    }

    pub(super) fn get(&self, id: TypeId) -> &Type {
        self.types.get(id.0 as usize).unwrap_or(&Type::Any)
    }

    pub(super) fn symbol(&mut self, text: &str) -> Symbol {
        if let Some(symbol) = self.symbol_numbers.get(text) {
            return *symbol;
        }
        let text: Arc<str> = text.into();
        let symbol = Symbol(number(self.symbols.len()));
        self.symbols.push(text.clone());
        self.symbol_numbers.insert(text, symbol);
        symbol
    }

    pub(super) fn name(&self, symbol: Symbol) -> &str {
        self.symbols.get(symbol.0 as usize).map_or("", |text| text)
    }

    pub(super) fn record(&mut self, record: Record) -> TypeId {
        self.records.push(record);
        let index = number(self.records.len() - 1);
        self.add(Type::Record(index))
    }

    pub(super) fn function(&mut self, signature: Signature) -> TypeId {
        self.functions.push(signature);
        let index = number(self.functions.len() - 1);
        self.add(Type::Function(index))
    }

    pub(super) fn inferred_table(&mut self, table: Inferred) -> TypeId {
        self.inferred.push(table);
        let index = number(self.inferred.len() - 1);
        self.add(Type::Inferred(index))
    }

    pub(super) fn param(&mut self, param: TypeParam) -> (u32, TypeId) {
        self.params.push(param);
        let index = number(self.params.len() - 1);
        (index, self.add(Type::Param(index)))
    }

    pub(super) fn alias(&mut self, alias: Alias) -> u32 {
        self.aliases.push(alias);
        number(self.aliases.len() - 1)
    }

    pub(super) fn get_record(&self, index: u32) -> Option<&Record> {
        self.records.get(index as usize)
    }

    pub(super) fn get_function(&self, index: u32) -> Option<&Signature> {
        self.functions.get(index as usize)
    }

    pub(super) fn get_inferred(&self, index: u32) -> Option<&Inferred> {
        self.inferred.get(index as usize)
    }

    pub(super) fn inferred_mut(&mut self, index: u32) -> Option<&mut Inferred> {
        self.inferred.get_mut(index as usize)
    }

    /// Gives the structure that a declared name stands for.
    pub(super) fn resolve(&mut self, mut id: TypeId) -> TypeId {
        for _ in 0..64 {
            match self.get(id) {
                Type::Named(alias, args) => {
                    let (alias, args) = (*alias, args.clone());
                    id = self.expand(alias, &args);
                }
                Type::Param(index) => match self.params.get(*index as usize).and_then(|param| param.bound) {
                    Some(bound) => id = bound,
                    None => return id,
                },
                _ => return id,
            }
        }
        TypeId::ANY
    }

    fn expand(&mut self, index: u32, args: &Arc<[TypeId]>) -> TypeId {
        let Some(alias) = self.aliases.get(index as usize) else { return TypeId::ANY };
        if alias.params.is_empty() {
            return alias.body;
        }
        if let Some(known) = self.expansions.get(&(index, args.clone())) {
            return *known;
        }
        let map: FxHashMap<u32, TypeId> = alias.params.iter().copied().zip(args.iter().copied()).collect();
        let body = alias.body;
        // Growing instances of themselves would never end.
        let result = if self.expansions.len() > 100_000 { TypeId::ANY } else { self.substitute(body, &map, 0) };
        self.expansions.insert((index, args.clone()), result);
        result
    }

    /// Replaces type parameters.
    pub(super) fn substitute(&mut self, id: TypeId, map: &FxHashMap<u32, TypeId>, depth: usize) -> TypeId {
        if depth > 40 || map.is_empty() {
            return id;
        }
        let depth = depth + 1;
        match self.get(id).clone() {
            Type::Param(index) => map.get(&index).copied().unwrap_or(id),
            Type::Union(members) => {
                let members: Vec<TypeId> = members.iter().map(|member| self.substitute(*member, map, depth)).collect();
                self.union(&members)
            }
            Type::Intersection(members) => {
                let members: Vec<TypeId> = members.iter().map(|member| self.substitute(*member, map, depth)).collect();
                self.add(Type::Intersection(members.into()))
            }
            Type::Array(element) => {
                let element = self.substitute(element, map, depth);
                self.add(Type::Array(element))
            }
            Type::Map(key, value) => {
                let key = self.substitute(key, map, depth);
                let value = self.substitute(value, map, depth);
                self.add(Type::Map(key, value))
            }
            Type::Named(alias, args) => {
                let args: Arc<[TypeId]> = args.iter().map(|arg| self.substitute(*arg, map, depth)).collect();
                self.add(Type::Named(alias, args))
            }
            Type::Meta(inner) => {
                let inner = self.substitute(inner, map, depth);
                self.add(Type::Meta(inner))
            }
            Type::Record(index) => {
                let Some(mut record) = self.get_record(index).cloned() else { return id };
                let mut changed = false;
                for field in &mut record.fields {
                    let value = self.substitute(field.value, map, depth);
                    changed |= value != field.value;
                    field.value = value;
                }
                for (key, value) in &mut record.indexers {
                    let new = (self.substitute(*key, map, depth), self.substitute(*value, map, depth));
                    changed |= new != (*key, *value);
                    (*key, *value) = new;
                }
                if changed { self.record(record) } else { id }
            }
            Type::Function(index) => {
                let Some(mut signature) = self.get_function(index).cloned() else { return id };
                let mut changed = false;
                let mut replace = |types: &mut Self, slot: &mut TypeId| {
                    let value = types.substitute(*slot, map, depth);
                    changed |= value != *slot;
                    *slot = value;
                };
                for param in &mut signature.params {
                    replace(self, &mut param.value);
                }
                if let Some(rest) = &mut signature.rest {
                    replace(self, rest);
                }
                for value in &mut signature.returns.types {
                    replace(self, value);
                }
                if let Some(rest) = &mut signature.returns.rest {
                    replace(self, rest);
                }
                if changed { self.function(signature) } else { id }
            }
            _ => id,
        }
    }

    /// Gives the members of a union, or the type alone. Names of unions are opened.
    pub(super) fn members(&mut self, id: TypeId) -> Vec<TypeId> {
        let resolved = if matches!(self.get(id), Type::Named(..)) { self.resolve(id) } else { id };
        match self.get(resolved) {
            Type::Union(members) => {
                let members = members.clone();
                let mut all = Vec::with_capacity(members.len());
                for member in members.iter() {
                    let inner = if matches!(self.get(*member), Type::Named(..)) { self.resolve(*member) } else { *member };
                    if inner != *member && matches!(self.get(inner), Type::Union(_)) && all.len() < 1_000 {
                        all.extend(self.members(inner));
                    } else {
                        all.push(*member);
                    }
                }
                all
            }
            _ => vec![id],
        }
    }

    /// Gives the union of types: flat, without repetition, `any` swallowing the rest.
    pub(super) fn union(&mut self, parts: &[TypeId]) -> TypeId {
        if let [one] = parts {
            return *one;
        }
        if parts.len() > MAX_MEMBERS {
            return TypeId::ANY;
        }
        let mut members: Vec<TypeId> = Vec::with_capacity(parts.len());
        for part in parts {
            match self.get(*part) {
                Type::Any => return TypeId::ANY,
                Type::Never => {}
                Type::Union(inner) => {
                    for member in inner.iter() {
                        if !members.contains(member) {
                            members.push(*member);
                        }
                    }
                }
                _ if members.contains(part) => {}
                _ => members.push(*part),
            }
        }
        if members.contains(&TypeId::UNKNOWN) {
            return TypeId::UNKNOWN;
        }
        if members.contains(&TypeId::TRUE) && members.contains(&TypeId::FALSE) {
            members.retain(|member| !matches!(*member, TypeId::TRUE | TypeId::FALSE));
            members.push(TypeId::BOOLEAN);
        }
        if members.contains(&TypeId::NUMBER) {
            members.retain(|member| *member != TypeId::INTEGER);
        }
        let bases: Vec<TypeId> = members.clone();
        members.retain(|member| {
            let base = match self.get(*member) {
                Type::Bool(_) => TypeId::BOOLEAN,
                Type::Int(_) => TypeId::INTEGER,
                Type::Float(_) => TypeId::NUMBER,
                Type::Str(_) => TypeId::STRING,
                _ => return true,
            };
            !(bases.contains(&base) || base == TypeId::INTEGER && bases.contains(&TypeId::NUMBER))
        });
        match members.as_slice() {
            [] => TypeId::NEVER,
            [one] => *one,
            _ => self.add(Type::Union(members.into())),
        }
    }

    /// Gives the type with nil added.
    pub(super) fn optional(&mut self, id: TypeId) -> TypeId {
        if self.has_nil(id) { id } else { self.union(&[id, TypeId::NIL]) }
    }

    pub(super) fn has_nil(&mut self, id: TypeId) -> bool {
        match self.get(id) {
            Type::Any | Type::Unknown | Type::Nil => true,
            Type::Named(..) | Type::Union(_) => self.members(id).contains(&TypeId::NIL),
            _ => false,
        }
    }

    /// Gives the type without nil.
    pub(super) fn non_nil(&mut self, id: TypeId) -> TypeId {
        match self.get(id) {
            Type::Nil => TypeId::NEVER,
            Type::Union(_) | Type::Named(..) => {
                let members = self.members(id);
                if !members.contains(&TypeId::NIL) {
                    return id;
                }
                let rest: Vec<TypeId> = members.into_iter().filter(|member| *member != TypeId::NIL).collect();
                self.union(&rest)
            }
            _ => id,
        }
    }

    /// Gives the base type of a literal.
    pub(super) fn widen(&mut self, id: TypeId) -> TypeId {
        match self.get(id) {
            Type::Bool(_) => TypeId::BOOLEAN,
            Type::Int(_) => TypeId::INTEGER,
            Type::Float(_) => TypeId::NUMBER,
            Type::Str(_) => TypeId::STRING,
            Type::Union(members) => {
                let members = members.clone();
                let widened: Vec<TypeId> = members.iter().map(|member| self.widen(*member)).collect();
                self.union(&widened)
            }
            _ => id,
        }
    }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
