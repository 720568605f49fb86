//! Types in words, as a program would write them.

use std::fmt::Write as _;

use super::types::{Pack, Signature, Type, TypeId, Types};

/// A type longer than this is cut: a message must stay readable.
const MAX_FIELDS: usize = 6;
const MAX_DEPTH: usize = 4;

impl Types {
    /// Gives a type as a program would write it.
    pub(super) fn show(&self, id: TypeId) -> String {
        let mut out = String::new();
        self.write(&mut out, id, 0);
        out
    }

    fn write(&self, out: &mut String, id: TypeId, depth: usize) {
        if depth > MAX_DEPTH {
            return out.push_str("...");
        }
        let depth = depth + 1;
        match self.get(id) {
            Type::Any => out.push_str("any"),
            Type::Unknown => out.push_str("unknown"),
            Type::Never => out.push_str("never"),
            Type::Nil => out.push_str("nil"),
            Type::Boolean => out.push_str("boolean"),
            Type::Number => out.push_str("number"),
            Type::Integer => out.push_str("integer"),
            Type::String => out.push_str("string"),
            Type::AnyTable => out.push_str("table"),
            Type::Thread => out.push_str("thread"),
            Type::Userdata => out.push_str("userdata"),
            Type::Error => out.push_str("error"),
            Type::AnyFunction => out.push_str("function"),
            Type::Bool(value) => {
                let _ = write!(out, "{value}");
            }
            Type::Int(value) => {
                let _ = write!(out, "{value}");
            }
            Type::Float(bits) => {
                let _ = write!(out, "{:?}", f64::from_bits(*bits));
            }
            Type::Str(symbol) => {
                let text = self.name(*symbol);
                let short: String = text.chars().take(40).collect();
                let _ = write!(out, "\"{short}{}\"", if short.len() < text.len() { "..." } else { "" });
            }
            Type::Union(members) => self.write_union(out, members, depth),
            Type::Intersection(members) => {
                for (index, member) in members.iter().enumerate() {
                    if index > 0 {
                        out.push_str(" & ");
                    }
                    self.write(out, *member, depth);
                }
            }
            Type::Array(element) => {
                out.push('{');
                self.write(out, *element, depth);
                out.push('}');
            }
            Type::Map(key, value) => {
                out.push_str("{[");
                self.write(out, *key, depth);
                out.push_str("]: ");
                self.write(out, *value, depth);
                out.push('}');
            }
            Type::Record(index) => self.write_record(out, *index, depth),
            Type::Function(index) => {
                if let Some(signature) = self.get_function(*index) {
                    self.write_signature(out, signature, depth);
                }
            }
            Type::Inferred(index) => self.write_inferred(out, *index, depth),
            Type::Named(alias, args) => {
                let name = self.aliases.get(*alias as usize).map_or("", |alias| self.name(alias.name));
                out.push_str(name);
                if !args.is_empty() {
                    out.push('<');
                    self.write_list(out, args, depth);
                    out.push('>');
                }
            }
            Type::Param(index) => out.push_str(self.params.get(*index as usize).map_or("T", |param| self.name(param.name))),
            Type::Meta(inner) => {
                out.push_str("type ");
                self.write(out, *inner, depth);
            }
        }
    }

    fn write_list(&self, out: &mut String, list: &[TypeId], depth: usize) {
        for (index, id) in list.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            self.write(out, *id, depth);
        }
    }

    fn write_union(&self, out: &mut String, members: &[TypeId], depth: usize) {
        let optional = members.contains(&TypeId::NIL);
        let shown: Vec<TypeId> = members.iter().copied().filter(|member| *member != TypeId::NIL).collect();
        let several = shown.len() > 1;
        if optional && several {
            out.push('(');
        }
        for (index, member) in shown.iter().enumerate() {
            if index > 0 {
                out.push_str(" | ");
            }
            if index == MAX_FIELDS * 2 {
                out.push_str("...");
                break;
            }
            let function = matches!(self.get(*member), Type::Function(_)) && members.len() > 1;
            if function {
                out.push('(');
            }
            self.write(out, *member, depth);
            if function {
                out.push(')');
            }
        }
        if optional && several {
            out.push(')');
        }
        if optional {
            out.push('?');
        }
    }

    fn write_record(&self, out: &mut String, index: u32, depth: usize) {
        let Some(record) = self.get_record(index) else { return };
        out.push('{');
        for (at, field) in record.fields.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            if at == MAX_FIELDS {
                out.push_str("...");
                break;
            }
            if field.readonly {
                out.push_str("readonly ");
            }
            let _ = write!(out, "{}{}: ", self.name(field.name), if field.optional { "?" } else { "" });
            self.write(out, field.value, depth);
        }
        for (at, (key, value)) in record.indexers.iter().enumerate() {
            if at > 0 || !record.fields.is_empty() {
                out.push_str(", ");
            }
            out.push('[');
            self.write(out, *key, depth);
            out.push_str("]: ");
            self.write(out, *value, depth);
        }
        out.push('}');
    }

    fn write_inferred(&self, out: &mut String, index: u32, depth: usize) {
        let Some(table) = self.get_inferred(index) else { return };
        out.push('{');
        let mut first = true;
        if let Some(element) = table.element {
            self.write(out, element, depth);
            first = false;
        }
        for (at, field) in table.fields.iter().enumerate() {
            if !first {
                out.push_str(", ");
            }
            first = false;
            if at == MAX_FIELDS {
                out.push_str("...");
                break;
            }
            let _ = write!(out, "{}: ", self.name(field.name));
            self.write(out, field.value, depth + 1);
        }
        out.push('}');
    }

    pub(super) fn write_signature(&self, out: &mut String, signature: &Signature, depth: usize) {
        if !signature.generics.is_empty() {
            out.push('<');
            for (index, generic) in signature.generics.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                out.push_str(self.params.get(*generic as usize).map_or("T", |param| self.name(param.name)));
            }
            out.push('>');
        }
        out.push('(');
        let mut first = true;
        for param in &signature.params {
            if !first {
                out.push_str(", ");
            }
            first = false;
            if let Some(name) = param.name {
                let _ = write!(out, "{}{}: ", self.name(name), if param.optional { "?" } else { "" });
            }
            self.write(out, param.value, depth);
        }
        if let Some(rest) = signature.rest {
            if !first {
                out.push_str(", ");
            }
            out.push_str("...");
            self.write(out, rest, depth);
        }
        out.push_str(") -> ");
        self.write_pack(out, &signature.returns, depth);
    }

    fn write_pack(&self, out: &mut String, pack: &Pack, depth: usize) {
        if let ([one], None) = (pack.types.as_slice(), pack.rest) {
            return self.write(out, *one, depth);
        }
        if let ([], Some(rest)) = (pack.types.as_slice(), pack.rest) {
            out.push_str("...");
            return self.write(out, rest, depth);
        }
        out.push('(');
        self.write_list(out, &pack.types, depth);
        if let Some(rest) = pack.rest {
            out.push_str(", ...");
            self.write(out, rest, depth);
        }
        out.push(')');
    }
}
