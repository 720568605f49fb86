//! Writes a template with its data.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_runtime::{Error, Value};
use serde_json::Value as Json;

use super::Set;
use super::parse::{Block, Escape, Statement, Template};
use crate::expr::{Expression, Scope, Trouble};
use crate::fail::{exceeded, internal};

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
    let mut renderer = Renderer { set, scope, out: String::new(), max_bytes, calls: 0, blocks: BTreeMap::new() };
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
                self.block(name, &block, &[], None, 0)
            }
            Statement::Yield { name: block, arguments, context, line } => {
                let Some(found) = self.blocks.get(block).map(Arc::clone) else {
                    return Err(internal(format!("failed to render `{name}`, line {line}: there is no block `{block}`")));
                };
                self.block(name, &found, arguments, context.as_ref(), *line)
            }
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

    fn block(
        &mut self,
        name: &str,
        block: &Block,
        arguments: &[(Option<String>, Expression)],
        context: Option<&Expression>,
        line: usize,
    ) -> Result<(), Error> {
        let mark = self.scope.mark();
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
        let result = self.within(name, |renderer| renderer.statements(name, &block.body));
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
            return Err(exceeded(format!("failed to render: the result is longer than {} bytes", self.max_bytes)));
        }
        self.scope.step(1 + text.len() / 64).map_err(|trouble| failed("failed to render".to_owned(), &trouble))?;
        self.out.push_str(text);
        Ok(())
    }
}

fn failed(what: String, trouble: &Trouble) -> Error {
    let message = format!("{what}: {}", trouble.message);
    if trouble.limit { exceeded(message) } else { internal(message) }
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
