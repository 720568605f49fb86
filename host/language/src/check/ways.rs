//! Branches and loops: what is known after each way through them.

use super::File;
use super::flow::{Changes, Path};
use super::scopes::Use;
use super::types::{Pack, Type, TypeId};
use crate::diagnostic::Level;
use crate::syntax::Span;
use crate::syntax::ast::{Binding, Block, ExprId, ExprKind, StatementKind};

impl<'a> File<'a> {
    /// Goes on with what is known on all ways that lead here.
    pub(super) fn join(&mut self, ways: &[Changes]) {
        let open: Vec<&Changes> = ways.iter().filter(|way| !way.dead).collect();
        match open.as_slice() {
            [] => self.flow.dead = true,
            [one] => self.flow.replay(one),
            several => {
                let mut paths: Vec<Path> = several.iter().flat_map(|way| way.facts.iter().map(|(path, _)| *path)).collect();
                paths.sort_unstable();
                paths.dedup();
                for path in paths {
                    let base = self.flow.fact(path);
                    let values: Vec<Option<TypeId>> = several
                        .iter()
                        .map(|way| match way.facts.binary_search_by_key(&path, |(path, _)| *path) {
                            Ok(at) => way.facts.get(at).and_then(|(_, value)| *value),
                            Err(_) => base,
                        })
                        .collect();
                    self.join_path(path, &values);
                }
            }
        }
    }

    fn join_path(&mut self, path: Path, values: &[Option<TypeId>]) {
        let var = self.flow.as_var(path);
        let default = var.map(|var| self.var_type(var));
        let mut types = Vec::with_capacity(values.len());
        for value in values {
            match value.or(default) {
                Some(value) => types.push(value),
                None => {
                    self.flow.set(path, None);
                    return;
                }
            }
        }
        let joined = self.types().union(&types);
        let declared = var.is_none_or(|var| {
            self.scopes.vars.get(var.0 as usize).is_some_and(|var| var.annotation.is_some() || var.writes == 0)
        });
        // Without a declaration, a value that is nil on one way is taken to be known to the program.
        let joined = if !declared && self.types().has_nil(joined) { TypeId::ANY } else { joined };
        let fact = if Some(joined) == default { None } else { Some(joined) };
        self.flow.set(path, fact);
    }

    pub(super) fn if_statement(&mut self, arms: &'a [(ExprId, Block)], otherwise: Option<&'a Block>) {
        let mut ways = Vec::with_capacity(arms.len() + 1);
        let start = self.flow.mark();
        for (condition, block) in arms {
            self.infer(*condition, None);
            let mark = self.flow.mark();
            self.narrow(*condition, true);
            self.block(block);
            // What failing the earlier conditions told is not in here, which loses a little and is safe.
            ways.push(self.flow.rewind(mark));
            self.narrow(*condition, false);
        }
        if let Some(block) = otherwise {
            self.block(block);
        }
        ways.push(self.flow.rewind(start));
        self.join(&ways);
    }

    fn enter_loop(&mut self, span: Span) {
        let writes = self.scopes.loop_writes.get(&span.start).cloned().unwrap_or_default();
        for var in writes {
            let path = self.flow.var(var);
            self.flow.forget_fields(path);
            self.flow.forget_keyed(var);
            self.flow.set(path, None);
        }
    }

    /// After a loop nothing is known of what it wrote to.
    fn leave_loop(&mut self, span: Span, changes: &Changes) {
        for (path, _) in &changes.facts {
            // Fields that the body gave a value.
            if self.flow.as_var(*path).is_none() {
                self.flow.set(*path, None);
            }
        }
        self.enter_loop(span);
    }

    pub(super) fn while_loop(&mut self, span: Span, condition: ExprId, body: &'a Block) {
        self.enter_loop(span);
        self.infer(condition, None);
        let mark = self.flow.mark();
        self.narrow(condition, true);
        self.block(body);
        let changes = self.flow.rewind(mark);
        let leaves = has_break(body);
        self.leave_loop(span, &changes);
        if !leaves {
            let endless = matches!(self.ast.expr(condition).kind, ExprKind::True);
            if endless {
                self.flow.dead = true;
            } else {
                let dead = self.flow.dead;
                self.narrow(condition, false);
                self.flow.dead = dead;
            }
        }
    }

    pub(super) fn repeat_loop(&mut self, span: Span, body: &'a Block, condition: ExprId) {
        self.enter_loop(span);
        let mark = self.flow.mark();
        let scope = self.open_types();
        self.declare_aliases(body);
        self.statements(&body.statements);
        self.infer(condition, None);
        self.close_types(scope);
        let changes = self.flow.rewind(mark);
        self.leave_loop(span, &changes);
        let endless = matches!(self.ast.expr(condition).kind, ExprKind::False);
        if !has_break(body) && (endless || changes.dead) && !has_jump(body) {
            self.flow.dead = true;
        }
    }

    pub(super) fn numeric_for(&mut self, span: Span, name: &'a Binding, values: &'a [ExprId], body: &'a Block) {
        let mut integers = true;
        for (index, value) in values.iter().enumerate() {
            let found = self.infer(*value, None);
            let place = self.ast.expr(*value).span;
            let what = ["start", "limit", "step"].get(index).copied().unwrap_or("step");
            self.expect_type(found, TypeId::NUMBER, place, &move |_| format!("{what} of the loop"));
            let widened = self.types().widen(found);
            if index != 1 {
                integers &= widened == TypeId::INTEGER;
            }
        }
        let found = if integers { TypeId::INTEGER } else { TypeId::NUMBER };
        self.bind_loop(name, found);
        self.loop_body(span, body);
    }

    fn bind_loop(&mut self, binding: &Binding, found: TypeId) {
        let Some(var) = self.var_of(binding.name) else { return };
        let value = match binding.annotation {
            Some(annotation) => {
                let declared = self.annotation(annotation);
                self.expect_type(found, declared, binding.name, &|_| "loop variable".to_owned());
                declared
            }
            None => {
                let written = self.scopes.vars.get(var.0 as usize).is_some_and(|var| var.writes > 0);
                if written { TypeId::ANY } else { found }
            }
        };
        self.set_var(var, Some(value));
    }

    fn loop_body(&mut self, span: Span, body: &'a Block) {
        self.enter_loop(span);
        let mark = self.flow.mark();
        self.block(body);
        let changes = self.flow.rewind(mark);
        self.leave_loop(span, &changes);
    }

    pub(super) fn generic_for(&mut self, span: Span, names: &'a [Binding], values: &'a [ExprId], body: &'a Block) {
        let known = self.iterated(values);
        for (index, binding) in names.iter().enumerate() {
            self.bind_loop(binding, known.get(index).unwrap_or(TypeId::NIL));
        }
        self.loop_body(span, body);
    }

    /// Gives what the variables of a generic loop are.
    fn iterated(&mut self, values: &'a [ExprId]) -> Pack {
        let ast = self.ast;
        if let [value] = values
            && let ExprKind::Call { callee, args, .. } = &ast.expr(*value).kind
            && let [argument] = args.as_slice()
        {
            let callee_expr = ast.expr(*callee);
            let global = matches!(callee_expr.kind, ExprKind::Name) && self.scopes.uses.get(callee.index()) == Some(&Use::Global);
            let name = if global { self.text(callee_expr.span) } else { "" };
            if matches!(name, "ipairs" | "pairs") && !self.scopes.globals_written.contains_key(name) {
                self.infer_pack(*value, None);
                self.quiet += 1;
                let table = self.infer(*argument, None);
                self.quiet -= 1;
                return self.elements(table, name == "ipairs");
            }
        }
        let mut pack = match values {
            [value] => self.infer_pack(*value, None),
            _ => {
                let found: Vec<TypeId> = values.iter().map(|value| self.infer(*value, None)).collect();
                Pack { types: found, rest: None }
            }
        };
        let Some(first) = pack.types.drain(..).next() else { return Pack::any() };
        let resolved = self.types().resolve(first);
        match *self.types().get(resolved) {
            Type::Function(index) => {
                let mut returns = self.types().get_function(index).map(|signature| signature.returns.clone()).unwrap_or_default();
                if let Some(first) = returns.types.first_mut() {
                    *first = self.checker.types.non_nil(*first);
                }
                if returns.types.is_empty() { Pack::any() } else { returns }
            }
            Type::Array(_) | Type::Map(..) | Type::Record(_) => {
                if let [value] = values {
                    let place = ast.expr(*value).span;
                    let text = self.text(place).to_owned();
                    let short = if text.len() < 40 { text } else { "t".to_owned() };
                    let diagnostic = self
                        .diagnostic(
                            Level::Error,
                            "not-callable",
                            place,
                            format!("a loop cannot go through `{}` itself", self.show(first)),
                            "",
                        )
                        .help(format!("write `ipairs({short})` or `pairs({short})`"));
                    self.report(diagnostic);
                }
                Pack::any()
            }
            Type::Inferred(_) => {
                if let [value] = values
                    && matches!(ast.expr(ast.unwrap_parens(*value)).kind, ExprKind::Table(_))
                {
                    let place = ast.expr(*value).span;
                    let text = self.text(place);
                    let short = if text.len() < 40 && !text.contains('\n') { text.to_owned() } else { "...".to_owned() };
                    let diagnostic = self
                        .diagnostic(Level::Error, "not-callable", place, "`for` needs a function, not a table", "")
                        .help(format!("write `pairs({short})` or `ipairs({short})`"));
                    self.report(diagnostic);
                }
                Pack::any()
            }
            _ => Pack::any(),
        }
    }

    fn elements(&mut self, table: TypeId, sequence: bool) -> Pack {
        let table = self.types().non_nil(table);
        let resolved = self.types().resolve(table);
        match self.types().get(resolved).clone() {
            Type::Array(element) => Pack { types: vec![TypeId::INTEGER, element], rest: None },
            Type::Map(_, value) if sequence => Pack { types: vec![TypeId::INTEGER, value], rest: None },
            Type::Map(key, value) => Pack { types: vec![key, value], rest: None },
            Type::Inferred(index) if sequence => {
                let table = self.types().get_inferred(index).cloned().unwrap_or_default();
                let certain = !table.dynamic && !table.escaped && !table.metatable;
                let element = table.element.filter(|_| certain).unwrap_or(TypeId::ANY);
                Pack { types: vec![TypeId::INTEGER, element], rest: None }
            }
            _ if sequence => Pack { types: vec![TypeId::INTEGER, TypeId::ANY], rest: None },
            _ => Pack::any(),
        }
    }
}

/// Tells whether a `break` leaves the loop of a body.
fn has_break(block: &Block) -> bool {
    block.statements.iter().any(|statement| match &statement.kind {
        StatementKind::Break => true,
        StatementKind::Goto(_) => true,
        StatementKind::Do(block) => has_break(block),
        StatementKind::If { arms, otherwise } => {
            arms.iter().any(|(_, block)| has_break(block)) || otherwise.as_ref().is_some_and(has_break)
        }
        _ => false,
    })
}

fn has_jump(block: &Block) -> bool {
    block.statements.iter().any(|statement| matches!(statement.kind, StatementKind::Label(_)))
}
