//! Writes a template with its data.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_runtime::{Error, Value};
use serde_json::Value as Json;

use super::Set;
use super::parse::{Block, Escape, Statement, Template};
use crate::expr::{Expression, Scope, Trouble};
use crate::fail::{answer_too_long, internal};

/// How deep templates and blocks may call each other.
const MAX_CALLS: usize = 32;
/// How many parents a template may have.
const MAX_PARENTS: usize = 16;

/// Renders the template of a name.
pub(super) fn render(set: &Set, name: &str, data: &Value, max_bytes: usize) -> Result<String, Error> {
    let template = set.find(name)?;
    let globals = match &set.globals {
        Json::Null => Value::Map(Vec::new()),
        globals => crate::json::to_value(globals),
    };
    let scope = Scope::new(&[&globals, data]).map_err(|trouble| failed(format!("failed to render `{name}`"), &trouble))?;
    let mut renderer = Renderer { set, scope, out: String::new(), max_bytes, calls: 0, blocks: BTreeMap::new(), content: None };
    renderer.template(&template)?;
    Ok(renderer.out)
}

struct Renderer<'a> {
    set: &'a Set,
    scope: Scope,
    out: String,
    max_bytes: usize,
    calls: usize,
    /// What a yield finds: the first template that has a block wins.
    blocks: BTreeMap<String, Arc<Block>>,
    /// What the innermost block was yielded with.
    content: Option<Content>,
}

/// Content that a yield brings along, and where it comes from: it sees the variables there, and the content there.
#[derive(Clone)]
struct Content {
    statements: Arc<Vec<Statement>>,
    mark: usize,
    outer: Option<Arc<Content>>,
}

impl Renderer<'_> {
    /// Renders a template within its parents.
    fn template(&mut self, template: &Arc<Template>) -> Result<(), Error> {
        let outer = self.blocks.clone();
        let mut current = Arc::clone(template);
        for _ in 0..MAX_PARENTS {
            self.take_blocks(&current)?;
            let Some(parent) = &current.extends else {
                let result = self.within(&current.name, |renderer| renderer.statements(&current.name, &current.body));
                self.blocks = outer;
                return result;
            };
            current = self.set.find(parent)?;
        }
        Err(internal(format!("failed to render `{}`: it extends more than {MAX_PARENTS} templates, or itself", template.name)))
    }

    fn take_blocks(&mut self, template: &Template) -> Result<(), Error> {
        for (name, block) in &template.blocks {
            self.blocks.entry(name.clone()).or_insert_with(|| Arc::clone(block));
        }
        for import in &template.imports {
            for (name, block) in &self.set.find(import)?.blocks {
                self.blocks.entry(name.clone()).or_insert_with(|| Arc::clone(block));
            }
        }
        Ok(())
    }

    fn within(&mut self, name: &str, run: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        if self.calls >= MAX_CALLS {
            return Err(internal(format!(
                "failed to render `{name}`: templates and blocks call each other more than {MAX_CALLS} deep"
            )));
        }
        self.calls += 1;
        let result = run(self);
        self.calls -= 1;
        result
    }

    fn statements(&mut self, name: &str, statements: &[Statement]) -> Result<(), Error> {
        let mark = self.scope.mark();
        let result = statements.iter().try_for_each(|statement| self.statement(name, statement));
        self.scope.back_to(mark);
        result
    }

    fn statement(&mut self, name: &str, statement: &Statement) -> Result<(), Error> {
        match statement {
            Statement::Text(text) => self.push(text),
            Statement::Print { value, escape, line } => {
                let text = self.at(name, *line, |scope| match escape {
                    Escape::Json => scope.json(value),
                    _ => scope.text(value),
                })?;
                match escape {
                    Escape::Html => self.push(&escape_html(&text)),
                    Escape::Url => self.push(&escape_url(&text)),
                    Escape::Json | Escape::None => self.push(&text),
                }
            }
            Statement::Set { name: variable, value, line } => self.at(name, *line, |scope| scope.set(variable, value)),
            Statement::If { branches, otherwise, line } => {
                for (condition, body) in branches {
                    if self.at(name, *line, |scope| scope.truth(condition))? {
                        return self.statements(name, body);
                    }
                }
                self.statements(name, otherwise)
            }
            Statement::Range { index, item, list, body, empty, line } => {
                let items = self.at(name, *line, |scope| scope.items(list))?;
                if items.is_empty() {
                    return self.statements(name, empty);
                }
                for (key, value) in items {
                    let mark = self.scope.mark();
                    self.scope.enter(value.clone());
                    let names = [(index, key), (item, value)];
                    for (variable, value) in names {
                        if let Some(variable) = variable {
                            self.scope.define(variable, value);
                        }
                    }
                    let result = self.statements(name, body);
                    self.scope.leave();
                    self.scope.back_to(mark);
                    result?;
                }
                Ok(())
            }
            Statement::Block(block, own) => {
                let block = self.blocks.get(block).map_or_else(|| Arc::clone(own), Arc::clone);
                let yielded = Yielded { arguments: &[], context: None, content: None, line: 0 };
                self.block(name, &block, &yielded)
            }
            Statement::Yield { name: block, arguments, context, content, line } => {
                let Some(found) = self.blocks.get(block).map(Arc::clone) else {
                    return Err(internal(format!("failed to render `{name}`, line {line}: there is no block `{block}`")));
                };
                let yielded = Yielded { arguments, context: context.as_ref(), content: content.as_ref(), line: *line };
                self.block(name, &found, &yielded)
            }
            Statement::Content { context, line } => self.content(name, context.as_ref(), *line),
            Statement::Try { body, variable, otherwise } => self.attempt(name, body, variable.as_deref(), otherwise),
            Statement::Include { name: included, context, line, optional } => {
                let included = self.at(name, *line, |scope| scope.text(included))?;
                let template = match self.set.find(&included) {
                    Ok(template) => template,
                    Err(error) if *optional && error.kind == "NotFound" => return Ok(()),
                    Err(error) => return Err(error),
                };
                let entered = self.enter(name, context.as_ref(), *line)?;
                let result = self.within(name, |renderer| renderer.template(&template));
                if entered {
                    self.scope.leave();
                }
                result
            }
        }
    }

    fn enter(&mut self, name: &str, context: Option<&Expression>, line: usize) -> Result<bool, Error> {
        let Some(context) = context else { return Ok(false) };
        let item = self.at(name, line, |scope| scope.value(context))?;
        self.scope.enter(item);
        Ok(true)
    }

    /// Writes what the current block was yielded with, as whoever yielded it sees it.
    fn content(&mut self, name: &str, context: Option<&Expression>, line: usize) -> Result<(), Error> {
        let Some(content) = self.content.take() else { return Ok(()) };
        let entered = match self.enter(name, context, line) {
            Ok(entered) => entered,
            Err(error) => {
                self.content = Some(content);
                return Err(error);
            }
        };
        self.content = content.outer.as_deref().cloned();
        let hidden = self.scope.hide(content.mark);
        let result = self.within(name, |renderer| renderer.statements(name, &content.statements));
        self.scope.show(content.mark, hidden);
        self.content = Some(content);
        if entered {
            self.scope.leave();
        }
        result
    }

    /// Writes statements, or in their place others when one of them fails. A limit is no failure that can be caught.
    fn attempt(&mut self, name: &str, body: &[Statement], variable: Option<&str>, otherwise: &[Statement]) -> Result<(), Error> {
        let (length, calls, mark, depth) = (self.out.len(), self.calls, self.scope.mark(), self.scope.depth());
        // What is kept for the case of a failure costs something, too.
        let kept = self.scope.step(1 + self.blocks.len());
        kept.map_err(|trouble| failed(format!("failed to render `{name}`"), &trouble))?;
        let (blocks, content) = (self.blocks.clone(), self.content.clone());
        match self.statements(name, body) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind == "LimitExceeded" => return Err(error),
            Err(error) => {
                self.out.truncate(length);
                self.scope.back_to(mark);
                self.scope.leave_to(depth);
                (self.calls, self.blocks, self.content) = (calls, blocks, content);
                if let Some(variable) = variable {
                    self.scope.define(variable, Scope::held(&error.message));
                }
            }
        }
        let result = self.statements(name, otherwise);
        self.scope.back_to(mark);
        result
    }

    fn block(&mut self, name: &str, block: &Block, yielded: &Yielded<'_>) -> Result<(), Error> {
        let Yielded { arguments, context, content, line } = *yielded;
        let mark = self.scope.mark();
        let outer = self.content.clone().map(Arc::new);
        let inner = content.or(block.content.as_ref());
        let inner = inner.map(|statements| Content { statements: Arc::clone(statements), mark, outer });
        for (place, (parameter, default)) in block.parameters.iter().enumerate() {
            let named = arguments.iter().find(|(name, _)| name.as_ref() == Some(parameter));
            let given = named.or_else(|| arguments.get(place).filter(|(name, _)| name.is_none()));
            let value = given.map(|(_, value)| value).or(default.as_ref());
            match value {
                Some(value) => self.at(name, line, |scope| scope.set(parameter, value))?,
                None => self.scope.define_nil(parameter),
            }
        }
        let entered = self.enter(name, context, line)?;
        let before = std::mem::replace(&mut self.content, inner);
        let result = self.within(name, |renderer| renderer.statements(name, &block.body));
        self.content = before;
        if entered {
            self.scope.leave();
        }
        self.scope.back_to(mark);
        result
    }

    fn at<T>(&mut self, name: &str, line: usize, run: impl FnOnce(&mut Scope) -> Result<T, Trouble>) -> Result<T, Error> {
        run(&mut self.scope).map_err(|trouble| failed(format!("failed to render `{name}`, line {line}"), &trouble))
    }

    fn push(&mut self, text: &str) -> Result<(), Error> {
        if self.out.len() + text.len() > self.max_bytes {
            let message = format!("failed to render: the result is longer than {} bytes", self.max_bytes);
            return Err(answer_too_long(message, self.max_bytes));
        }
        self.scope.step(1 + text.len() / 64).map_err(|trouble| failed("failed to render".to_owned(), &trouble))?;
        self.out.push_str(text);
        Ok(())
    }
}

/// How a block is yielded.
#[derive(Clone, Copy)]
struct Yielded<'a> {
    arguments: &'a [(Option<String>, Expression)],
    context: Option<&'a Expression>,
    content: Option<&'a Arc<Vec<Statement>>>,
    line: usize,
}

fn failed(what: String, trouble: &Trouble) -> Error {
    trouble.error(&what)
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '\0' => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
    out
}

fn escape_url(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            _ if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
