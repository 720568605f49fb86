//! Types to calls of the prelude's builder. The builder's functions stand in `guest/prelude/types/builder.lua`.

use std::fmt::Write as _;

use super::BUILDER;
use super::values::{AliasId, Entry, Finder};
use crate::syntax::Span;
use crate::syntax::ast::{ExprKind, FunctionType, RecordField, TypeAlias, TypeKind, TypeNodeId, Validator, ValidatorArgument};
use crate::syntax::string_value;

/// `typeof` may lead from type to type; beyond this many the rest is anything.
const MAX_DEPTH: usize = 100;

/// Writes one type.
pub(super) struct Builder<'f, 'a> {
    finder: &'f mut Finder<'a>,
    /// Where the type value is made.
    from: u32,
    /// The declaration that the type belongs to.
    current: Option<AliasId>,
    depth: usize,
    out: String,
}

impl<'f, 'a> Builder<'f, 'a> {
    pub(super) fn new(finder: &'f mut Finder<'a>, from: u32, current: Option<AliasId>) -> Self {
        Self { finder, from, current, depth: 0, out: String::new() }
    }

    pub(super) fn write(mut self, node: TypeNodeId) -> String {
        self.node(node);
        self.out
    }

    pub(super) fn write_alias(mut self, alias: &'a TypeAlias) -> String {
        let name = self.text(alias.name);
        if alias.generics.is_empty() {
            let _ = write!(self.out, "{BUILDER}.named(\"{name}\", ");
            self.node(alias.definition);
            self.out.push(')');
            return self.out;
        }
        let names: Vec<&str> = alias.generics.iter().map(|generic| self.text(generic.name)).collect();
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        let _ =
            write!(self.out, "{BUILDER}.generic(\"{name}\", {{{}}}, function({}) return {{", quoted.join(", "), names.join(", "));
        self.node(alias.definition);
        for generic in &alias.generics {
            self.out.push_str(", ");
            match generic.bound {
                Some(bound) => self.node(bound),
                None => self.out.push_str("false"),
            }
        }
        self.out.push_str("} end)");
        self.out
    }

    fn text(&self, span: Span) -> &'a str {
        span.text(self.finder.source)
    }

    fn call(&mut self, function: &str) {
        let _ = write!(self.out, "{BUILDER}.{function}(");
    }

    fn constant(&mut self, name: &str) {
        let _ = write!(self.out, "{BUILDER}.{name}");
    }

    fn list(&mut self, nodes: &[TypeNodeId]) {
        self.out.push('{');
        for (index, node) in nodes.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.node(*node);
        }
        self.out.push('}');
    }

    fn node(&mut self, id: TypeNodeId) {
        if self.depth > MAX_DEPTH {
            return self.constant("any");
        }
        self.depth += 1;
        self.node_inner(id);
        self.depth -= 1;
    }

    fn node_inner(&mut self, id: TypeNodeId) {
        let ast = self.finder.ast;
        let node = ast.type_node(id);
        match &node.kind {
            TypeKind::Name { module, name, args } => self.name(*module, *name, args),
            TypeKind::Nil => self.constant("null"),
            TypeKind::Boolean(value) => {
                let _ = write!(self.out, "{BUILDER}.lit({value})");
            }
            TypeKind::String => {
                let literal = quote(&string_value(self.text(node.span)));
                let _ = write!(self.out, "{BUILDER}.lit({literal})");
            }
            TypeKind::Number => {
                let _ = write!(self.out, "{BUILDER}.lit({})", one_line(self.text(node.span)));
            }
            TypeKind::Optional(inner) => {
                self.call("opt");
                self.node(*inner);
                self.out.push(')');
            }
            TypeKind::Union(members) => {
                self.call("union");
                self.list(members);
                self.out.push(')');
            }
            TypeKind::Intersection(members) => {
                self.call("inter");
                self.list(members);
                self.out.push(')');
            }
            TypeKind::Array(element) => {
                self.call("array");
                self.node(*element);
                self.out.push(')');
            }
            TypeKind::Table { fields, indexers } => self.table(fields, indexers),
            TypeKind::Function(function) => self.function(function),
            TypeKind::Typeof(value) => {
                let value = ast.expr(*value);
                let annotation = match value.kind {
                    ExprKind::Name => match self.finder.value(self.text(value.span)) {
                        Some(Entry::Variable(annotation)) => annotation,
                        _ => None,
                    },
                    _ => None,
                };
                match annotation {
                    Some(annotation) => self.node(annotation),
                    None => self.constant("any"),
                }
            }
            TypeKind::Validated { inner, validators } => self.validated(*inner, validators),
            TypeKind::Paren(inner) => self.node(*inner),
            TypeKind::Error => self.constant("any"),
        }
    }

    fn name(&mut self, module: Option<Span>, name_span: Span, args: &[TypeNodeId]) {
        let name = self.text(name_span);
        if let Some(module) = module {
            if !args.is_empty() {
                self.call("apply");
            }
            let _ = write!(self.out, "{BUILDER}.lib({}, \"{name}\")", one_line(self.text(module)));
            return self.args(args);
        }
        match self.finder.type_reference(name, self.from, self.current) {
            Some(Some(reference)) => {
                let target = self.finder.alias_name(reference.alias, reference.plain);
                if !reference.declared {
                    let _ = write!(self.out, "{BUILDER}.ref(\"{name}\", function() return ");
                }
                if !args.is_empty() {
                    self.call("apply");
                }
                self.out.push_str(&target);
                self.args(args);
                if !reference.declared {
                    self.out.push_str(" end)");
                }
            }
            Some(None) if self.is_parameter(name) => self.out.push_str(name),
            Some(None) => self.constant("any"),
            None => match base_type(name) {
                Some(base) => self.constant(base),
                None if name == "Channel" => {
                    let _ = write!(self.out, "{BUILDER}.opaque(\"Channel\")");
                }
                None => self.constant("any"),
            },
        }
    }

    /// Closes the call of `apply` that the caller opened, if there are arguments.
    fn args(&mut self, args: &[TypeNodeId]) {
        if args.is_empty() {
            return;
        }
        self.out.push_str(", ");
        self.list(args);
        self.out.push(')');
    }

    fn is_parameter(&self, name: &str) -> bool {
        let generics = self.current.map(|current| self.finder.generics(current)).unwrap_or_default();
        generics.iter().any(|generic| self.text(generic.name) == name)
    }

    fn table(&mut self, fields: &[RecordField], indexers: &[(TypeNodeId, TypeNodeId)]) {
        if let ([], [(key, value)]) = (fields, indexers) {
            self.call("map");
            self.node(*key);
            self.out.push_str(", ");
            self.node(*value);
            return self.out.push(')');
        }
        self.call("record");
        self.out.push('{');
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            let name = self.text(field.name);
            let bytes = if name.starts_with(['"', '\'', '[']) { string_value(name) } else { name.as_bytes().to_vec() };
            let _ = write!(self.out, "{}, ", quote(&bytes));
            self.node(field.value);
            let _ = write!(self.out, ", {}", u8::from(field.optional) + 2 * u8::from(field.readonly));
        }
        self.out.push('}');
        if !indexers.is_empty() {
            let flat: Vec<TypeNodeId> = indexers.iter().flat_map(|(key, value)| [*key, *value]).collect();
            self.out.push_str(", ");
            self.list(&flat);
        }
        self.out.push(')');
    }

    fn function(&mut self, function: &FunctionType) {
        self.call("func");
        self.out.push('{');
        for (index, param) in function.params.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            if param.optional {
                self.call("opt");
            }
            self.node(param.value);
            if param.optional {
                self.out.push(')');
            }
        }
        self.out.push_str("}, ");
        self.list(&function.returns.types);
        if function.rest.is_some() {
            self.out.push_str(", true");
        }
        self.out.push(')');
    }

    fn validated(&mut self, inner: TypeNodeId, validators: &[Validator]) {
        self.call("check");
        self.node(inner);
        self.out.push_str(", {");
        let mut first = true;
        for validator in validators {
            let argument = match validator.argument {
                Some(ValidatorArgument::Number(span)) => one_line(self.text(span)),
                Some(ValidatorArgument::String(span)) => quote(&string_value(self.text(span))),
                None => continue,
            };
            if !first {
                self.out.push_str(", ");
            }
            first = false;
            let _ = write!(self.out, "\"{}\", {argument}", self.text(validator.name));
        }
        self.out.push_str("})");
    }
}

/// Gives the builder's constant for a base type.
fn base_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "nil" | "Nil" => "null",
        "boolean" | "Boolean" => "boolean",
        "number" | "Number" => "number",
        "integer" | "Integer" => "integer",
        "string" | "String" => "string",
        "any" | "Any" => "any",
        "table" | "Table" => "table",
        "Function" => "fn",
        "unknown" => "unknown",
        "never" => "never",
        "thread" => "thread",
        "userdata" => "userdata",
        "error" => "error",
        _ => return None,
    })
}

/// Writes bytes as a Lua string on one line.
fn quote(bytes: &[u8]) -> String {
    let mut output = String::with_capacity(bytes.len() + 2);
    output.push('"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => {
                output.push('\\');
                output.push(char::from(*byte));
            }
            0x20..=0x7e => output.push(char::from(*byte)),
            _ => {
                let _ = write!(output, "\\{byte:03}");
            }
        }
    }
    output.push('"');
    output
}

/// Takes comments' and line breaks' place out of text that spans several tokens.
fn one_line(text: &str) -> String {
    text.lines().map(|line| line.split("--").next().unwrap_or("").trim()).collect()
}
