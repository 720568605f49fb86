//! What an editor asks about a place in a file: what is there, where it is declared, what could be written.

use super::File;
use super::scopes::{Use, VarId};
use super::types::{Type, TypeId};
use crate::syntax::Span;
use crate::syntax::ast::{ExprId, ExprKind};

/// More members than this are not offered.
const MAX_MEMBERS: usize = 500;

/// What there is at a place.
#[derive(Debug, Default, Clone)]
pub struct At {
    /// The name or expression there, and its type in words.
    pub hover: Option<(Span, String)>,
    /// Where the name there is declared.
    pub definition: Option<Span>,
    /// Every place of the file that means the same, its declaration among them.
    pub references: Vec<Span>,
    /// The fields and methods of what stands before the point or colon there.
    pub members: Vec<Member>,
    /// The variables and types that can be named there.
    pub names: Vec<Member>,
    /// The function that is being called there.
    pub signature: Option<Signature>,
    /// The name of the library or module in a `require` there.
    pub required: Option<String>,
}

/// Something that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What to write.
    pub name: String,
    /// Its type in words.
    pub detail: String,
    /// Whether it can be called.
    pub function: bool,
}

/// A function that is being called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The whole signature.
    pub label: String,
    /// Its parameters, as they stand in the label.
    pub params: Vec<String>,
    /// Which of them the place belongs to.
    pub active: usize,
}

impl File<'_> {
    /// Tells what there is at an offset.
    pub(super) fn look_at(&mut self, offset: u32) -> At {
        let mut at = At::default();
        let touches = |span: Span| span.start <= offset && offset <= span.end;
        let mut smallest: Option<(u32, Span)> = None;
        let mut field: Option<(ExprId, Span)> = None;
        let mut call: Option<(Span, ExprId, Vec<ExprId>, bool)> = None;
        for (index, expr) in self.ast.exprs().enumerate() {
            if !touches(expr.span) {
                continue;
            }
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            match &expr.kind {
                ExprKind::Field { object, name } | ExprKind::MethodCall { object, name, .. } if touches(*name) => {
                    field = Some((*object, *name))
                }
                _ => {}
            }
            let inside = |args: Span| args.start < offset && offset <= args.end.saturating_sub(1).max(args.start + 1);
            match &expr.kind {
                ExprKind::Call { callee, args, args_span } if inside(*args_span) => {
                    call = narrower(call, (*args_span, *callee, args.clone(), false))
                }
                ExprKind::MethodCall { object, args, args_span, .. } if inside(*args_span) => {
                    call = narrower(call, (*args_span, *object, args.clone(), true));
                }
                _ => {}
            }
            if let ExprKind::Call { callee, args, .. } = &expr.kind
                && self.text(self.ast.expr(*callee).span) == "require"
                && let [argument] = args.as_slice()
                && touches(self.ast.expr(*argument).span)
            {
                let value = crate::syntax::string_value(self.text(self.ast.expr(*argument).span));
                at.required = Some(String::from_utf8_lossy(&value).into_owned());
            }
            let size = expr.span.end - expr.span.start;
            if smallest.is_none_or(|(_, span)| size < span.end - span.start) && !matches!(expr.kind, ExprKind::Error) {
                smallest = Some((index, expr.span));
            }
        }
        self.quiet += 1;
        if let Some((object, name)) = field {
            let found = self.type_at(object);
            at.members = self.members_of(found);
            let symbol = self.symbol(name);
            let plain = self.types().non_nil(found);
            if let Some(value) = self.lookup_field(plain, symbol) {
                at.hover = Some((name, format!("{}: {}", self.text(name), self.show(value))));
            }
        }
        if at.hover.is_none()
            && let Some((index, span)) = smallest
            && let Some(found) = self.expr_types.get(index as usize).copied()
        {
            let text = self.text(span);
            let short = if text.len() <= 40 && !text.contains('\n') { format!("{text}: ") } else { String::new() };
            at.hover = Some((span, format!("{short}{}", self.show(found))));
        }
        self.find_declaration(offset, &mut at);
        at.names = self.visible_names();
        at.signature = call.and_then(|call| self.signature_at(offset, &call));
        self.quiet -= 1;
        at
    }

    fn type_at(&self, id: ExprId) -> TypeId {
        self.expr_types.get(id.index()).copied().unwrap_or(TypeId::ANY)
    }

    fn find_declaration(&mut self, offset: u32, at: &mut At) {
        let touches = |span: Span| span.start <= offset && offset <= span.end;
        let used = self.ast.exprs().zip(&self.scopes.uses).find_map(|(expr, used)| {
            (matches!(expr.kind, ExprKind::Name) && touches(expr.span) && *used != Use::Global).then_some(*used)
        });
        let declared = self.scopes.vars.iter().position(|var| touches(var.name) && var.kind != super::scopes::VarKind::SelfParam);
        let target = used.or(declared.and_then(|index| u32::try_from(index).ok()).map(|index| Use::Var(VarId(index))));
        let alias = self.alias_ids.keys().copied().find(|start| touches(self.name_at(*start)));
        match target.or(alias.map(Use::Type)) {
            Some(Use::Var(var)) => {
                let Some(info) = self.scopes.vars.get(var.0 as usize).cloned() else { return };
                at.definition = Some(info.name);
                at.references.push(info.name);
                if used.is_none() || at.hover.is_none() {
                    let found = self.var_type(var);
                    at.hover = Some((info.name, format!("local {}: {}", self.text(info.name), self.show(found))));
                }
                self.collect_uses(Use::Var(var), at);
            }
            Some(Use::Type(start)) => {
                let name = self.name_at(start);
                at.definition = Some(name);
                at.references.push(name);
                if let Some(alias) = self.alias_ids.get(&start).copied()
                    && let Some(body) = self.types().aliases.get(alias as usize).map(|alias| alias.body)
                {
                    at.hover = Some((name, format!("type {} = {}", self.text(name), self.show(body))));
                }
                self.collect_uses(Use::Type(start), at);
            }
            _ => {}
        }
        at.references.sort_unstable();
        at.references.dedup();
    }

    fn collect_uses(&self, target: Use, at: &mut At) {
        for (expr, used) in self.ast.exprs().zip(&self.scopes.uses) {
            if *used == target && matches!(expr.kind, ExprKind::Name) {
                at.references.push(expr.span);
            }
        }
    }

    /// Gives the span of the name that starts somewhere.
    fn name_at(&self, start: u32) -> Span {
        let rest = self.source.get(start as usize..).unwrap_or("");
        let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        Span::new(start as usize, start as usize + length)
    }

    /// Gives the fields and methods of a type.
    fn members_of(&mut self, found: TypeId) -> Vec<Member> {
        let plain = self.types().non_nil(found);
        let mut names = Vec::new();
        for member in self.types().members(plain) {
            self.member_names(member, &mut names, 0);
        }
        names.truncate(MAX_MEMBERS);
        let mut members = Vec::new();
        for name in names {
            let value = self.lookup_field(plain, name).unwrap_or(TypeId::ANY);
            let resolved = self.types().resolve(value);
            let function = matches!(self.types().get(resolved), Type::Function(_) | Type::AnyFunction);
            members.push(Member { name: self.checker.types.name(name).to_owned(), detail: self.show(value), function });
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members.dedup();
        members
    }

    fn member_names(&mut self, id: TypeId, names: &mut Vec<super::types::Symbol>, depth: usize) {
        if depth > 10 {
            return;
        }
        let resolved = self.types().resolve(id);
        match self.types().get(resolved).clone() {
            Type::Record(index) => {
                if let Some(record) = self.types().get_record(index) {
                    names.extend(record.fields.iter().map(|field| field.name));
                }
            }
            Type::Inferred(index) => {
                let Some(table) = self.types().get_inferred(index) else { return };
                names.extend(table.fields.iter().map(|field| field.name));
                if let Some(parent) = table.parent {
                    self.member_names(parent, names, depth + 1);
                }
            }
            Type::Intersection(members) => {
                for member in members.iter() {
                    self.member_names(*member, names, depth + 1);
                }
            }
            Type::String | Type::Str(_) => {
                if let Some(string) = self.checker.library.string {
                    self.member_names(string, names, depth + 1);
                }
            }
            Type::Error => {
                if let Some(alias) = self.checker.library.base_types.get("Error").copied() {
                    let named = self.types().add(Type::Named(alias, std::sync::Arc::from([])));
                    self.member_names(named, names, depth + 1);
                }
            }
            Type::Meta(_) => {
                for name in
                    ["is", "kind", "name", "fields", "variants", "elem", "key", "val", "inner", "params", "ret", "tparams"]
                {
                    let symbol = self.types().symbol(name);
                    names.push(symbol);
                }
            }
            _ => {}
        }
    }

    /// Gives the names of the file, of the entry and of the base library.
    fn visible_names(&mut self) -> Vec<Member> {
        let mut names = Vec::new();
        for index in 0..self.scopes.vars.len() {
            let Some(name) = self.scopes.vars.get(index).map(|var| var.name) else { continue };
            let text = self.text(name);
            if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                continue;
            }
            let found = self.var_type(VarId(u32::try_from(index).unwrap_or(u32::MAX)));
            let function = matches!(self.types().get(found), Type::Function(_));
            names.push(Member { name: text.to_owned(), detail: self.show(found), function });
        }
        for start in self.alias_ids.keys() {
            names.push(Member { name: self.text(self.name_at(*start)).to_owned(), detail: "type".to_owned(), function: false });
        }
        let listed = self.program.modules.iter().chain(self.program.imports.keys());
        names.extend(listed.map(|name| Member { name: name.clone(), detail: "module".to_owned(), function: false }));
        let globals: Vec<(String, TypeId)> =
            self.checker.library.globals.iter().map(|(name, id)| (name.to_string(), *id)).collect();
        for (name, id) in globals {
            let function = matches!(self.types().get(id), Type::Function(_));
            names.push(Member { name, detail: self.show(id), function });
        }
        names.sort_by(|a, b| a.name.cmp(&b.name));
        names.dedup_by(|a, b| a.name == b.name);
        names
    }

    fn signature_at(&mut self, offset: u32, call: &(Span, ExprId, Vec<ExprId>, bool)) -> Option<Signature> {
        let (args_span, callee, args, method) = call;
        let found = if *method {
            let object = self.type_at(*callee);
            let object_end = self.ast.expr(*callee).span.end;
            let name = self.source.get(object_end as usize..args_span.start as usize)?.trim_start_matches(':').trim();
            let symbol = self.types().symbol(name);
            self.lookup_field(object, symbol)?
        } else {
            self.type_at(*callee)
        };
        let found = self.types().non_nil(found);
        let resolved = self.types().resolve(found);
        let Type::Function(index) = *self.types().get(resolved) else { return None };
        let signature = self.types().get_function(index)?.clone();
        let mut label = String::new();
        self.checker.types.write_signature(&mut label, &signature, 0);
        let skipped = usize::from(*method);
        let mut params: Vec<String> = Vec::new();
        for param in signature.params.iter().skip(skipped) {
            let name = param.name.map(|name| self.checker.types.name(name).to_owned());
            let value = self.show(param.value);
            params.push(name.map_or(value.clone(), |name| format!("{name}{}: {value}", if param.optional { "?" } else { "" })));
        }
        if let Some(rest) = signature.rest {
            params.push(format!("...{}", self.show(rest)));
        }
        let before = args.iter().filter(|argument| self.ast.expr(**argument).span.end < offset).count();
        let text = self.source.get(args_span.start as usize..offset as usize).unwrap_or("");
        let active = before.min(text.matches(',').count()).min(params.len().saturating_sub(1));
        Some(Signature { label, params, active })
    }
}

type CallAt = (Span, ExprId, Vec<ExprId>, bool);

/// Of two calls around a place, the inner one.
fn narrower(known: Option<CallAt>, other: CallAt) -> Option<CallAt> {
    match known {
        Some(known) if known.0.end - known.0.start <= other.0.end - other.0.start => Some(known),
        _ => Some(other),
    }
}
