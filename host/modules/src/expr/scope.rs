//! Expressions for templates, which evaluate many of them over variables that come and go.

use std::collections::BTreeMap;
use std::rc::Rc;

use moonlet_runtime::{Error, Value};

use super::ast::Program;
use super::evaluate::{Bound, Failure, Frame, Run, failed};
use super::value::Item;
use super::{builtins, parser, text};

/// An expression that was read. `.` in it is the current item.
#[derive(Debug)]
pub(crate) struct Expression(Program);

impl Expression {
    /// Reads an expression; an error is what is wrong.
    pub(crate) fn read(source: &str) -> Result<Self, String> {
        if source.is_empty() {
            return Err("an expression is missing".to_owned());
        }
        let source = if source == "." { "#" } else { source };
        parser::parse_within(source).map(Self).map_err(|problem| problem.describe(source))
    }

    /// Returns its text.
    pub(crate) fn source(&self) -> &str {
        &self.0.source
    }
}

/// A value of a template.
#[derive(Debug, Clone)]
pub(crate) struct Held(Item);

/// Variables that are hidden for a while.
pub(crate) struct Hidden(Vec<(Rc<str>, Item)>);

/// Why there is no value.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What is wrong.
    pub(crate) message: String,
    /// Which limit is reached.
    pub(crate) limit: Option<Bound>,
}

impl Trouble {
    /// The error for a program; `what` failed by this.
    pub(crate) fn error(&self, what: &str) -> Error {
        failed(format!("{what}: {}", self.message), self.limit)
    }
}

/// The variables of a template that is rendered, and the steps that are left to it.
pub(crate) struct Scope(Run);

impl Scope {
    /// Starts with maps, the last of which wins.
    pub(crate) fn new(maps: &[&Value]) -> Result<Self, Trouble> {
        let mut run = Run::strict();
        let mut all = BTreeMap::new();
        for map in maps {
            if let Item::Map(map) = Item::from_value(map, &mut run.steps).map_err(message)? {
                all.extend(map.fields.iter().map(|(name, value)| (Rc::clone(name), value.clone())));
            }
        }
        let environment = Item::map(all).map_err(message)?;
        run.frames.push(Frame { item: environment.clone(), index: 0, accumulator: Item::Nil });
        run.set_environment(environment);
        Ok(Self(run))
    }

    /// Takes steps for work that is no expression.
    pub(crate) fn step(&mut self, count: usize) -> Result<(), Trouble> {
        self.0.steps.take(count).map_err(message)
    }

    pub(crate) fn mark(&self) -> usize {
        self.0.variables()
    }

    pub(crate) fn back_to(&mut self, mark: usize) {
        self.0.forget(mark);
    }

    /// Takes the variables away that were defined after a mark.
    pub(crate) fn hide(&mut self, mark: usize) -> Hidden {
        Hidden(self.0.hide(mark))
    }

    /// Puts them back, in place of what was defined since.
    pub(crate) fn show(&mut self, mark: usize, hidden: Hidden) {
        self.0.forget(mark);
        self.0.show(hidden.0);
    }

    /// Counts the items that were entered.
    pub(crate) fn depth(&self) -> usize {
        self.0.frames.len()
    }

    /// Leaves all items but the first ones, also those that an evaluation which failed was in.
    pub(crate) fn leave_to(&mut self, depth: usize) {
        self.0.frames.truncate(depth);
    }

    /// Gives a text as a value.
    pub(crate) fn held(text: &str) -> Held {
        Held(Item::Text(text.into()))
    }

    /// Makes a value the current item.
    pub(crate) fn enter(&mut self, item: Held) {
        self.0.frames.push(Frame { item: item.0, index: 0, accumulator: Item::Nil });
    }

    pub(crate) fn leave(&mut self) {
        self.0.frames.pop();
    }

    pub(crate) fn define(&mut self, name: &str, value: Held) {
        self.0.define(name, value.0);
    }

    pub(crate) fn define_nil(&mut self, name: &str) {
        self.0.define(name, Item::Nil);
    }

    pub(crate) fn set(&mut self, name: &str, value: &Expression) -> Result<(), Trouble> {
        let value = self.value(value)?;
        self.define(name, value);
        Ok(())
    }

    pub(crate) fn value(&mut self, expression: &Expression) -> Result<Held, Trouble> {
        self.0.evaluate(&expression.0.root).map(Held).map_err(message)
    }

    /// Writes a value as people read it; nil is nothing.
    pub(crate) fn text(&mut self, expression: &Expression) -> Result<String, Trouble> {
        let item = self.value(expression)?.0;
        if matches!(item, Item::Nil) {
            return Ok(String::new());
        }
        match text::string(&[item], &mut self.0.steps).map_err(message)? {
            Item::Text(text) => Ok(text.as_ref().to_owned()),
            _ => Ok(String::new()),
        }
    }

    pub(crate) fn json(&mut self, expression: &Expression) -> Result<String, Trouble> {
        let item = self.value(expression)?.0;
        match text::to_json(&[item], &mut self.0.steps).map_err(message)? {
            Item::Text(text) => Ok(text.as_ref().to_owned()),
            _ => Ok(String::new()),
        }
    }

    /// Tells whether a value counts as true: neither nil, false, zero nor empty.
    pub(crate) fn truth(&mut self, expression: &Expression) -> Result<bool, Trouble> {
        Ok(match self.value(expression)?.0 {
            Item::Nil => false,
            Item::Bool(value) => value,
            Item::Int(value) => value != 0,
            Item::Float(value) => value != 0.0,
            Item::Text(text) => !text.is_empty(),
            Item::List(list) => !list.items.is_empty(),
            Item::Map(map) => !map.fields.is_empty(),
            Item::Duration(length) => length != 0,
            Item::Date(_) | Item::Zone(_) => true,
        })
    }

    /// Lists what a value consists of, with indexes from 0 or keys.
    pub(crate) fn items(&mut self, expression: &Expression) -> Result<Vec<(Held, Held)>, Trouble> {
        let item = self.value(expression)?.0;
        let items: Vec<(Item, Item)> = match &item {
            Item::Nil => Vec::new(),
            Item::List(list) => {
                list.items.iter().enumerate().map(|(index, item)| (Item::Int(index as i64), item.clone())).collect()
            }
            Item::Map(map) => map.fields.iter().map(|(name, item)| (Item::Text(Rc::clone(name)), item.clone())).collect(),
            other => return Err(message(builtins::wrong(other))),
        };
        self.step(items.len())?;
        Ok(items.into_iter().map(|(key, item)| (Held(key), Held(item))).collect())
    }
}

fn message(failure: Failure) -> Trouble {
    let (message, limit) = failure.parts();
    Trouble { message, limit }
}
