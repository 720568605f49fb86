//! Functions that ask a predicate about each item of a list.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::aggregate;
use super::ast::Node;
use super::evaluate::{Failure, Frame, Run};
use super::value::{Item, KEY_BYTES};

const NAMES: &[&str] = &[
    "all",
    "none",
    "any",
    "one",
    "filter",
    "map",
    "find",
    "findIndex",
    "findLast",
    "findLastIndex",
    "count",
    "sum",
    "groupBy",
    "sortBy",
    "reduce",
];

pub(super) fn takes(name: &str) -> bool {
    NAMES.contains(&name)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}

/// Tells whether a function has a meaning without its predicate.
pub(super) fn is_optional(name: &str) -> bool {
    matches!(name, "count" | "sum")
}

pub(super) fn call(run: &mut Run, name: &str, list: &Item, body: Option<&Node>, rest: Option<Item>) -> Result<Item, Failure> {
    let list = aggregate::list(list).map_err(|failure| failure.of(name))?;
    let items = &list.items;
    let mut calls = Calls { run, body };
    let position = |calls: &mut Calls<'_>, order: &mut dyn Iterator<Item = usize>| -> Result<Option<usize>, Failure> {
        for index in order {
            if calls.test(items, index)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    };
    let item_at = |index: Option<usize>| index.and_then(|index| items.get(index)).cloned().unwrap_or(Item::Nil);
    let index_of = |index: Option<usize>| index.map_or(Item::Nil, |index| Item::Int(index as i64));
    Ok(match name {
        "any" => Item::Bool(position(&mut calls, &mut (0..items.len()))?.is_some()),
        "none" => Item::Bool(position(&mut calls, &mut (0..items.len()))?.is_none()),
        "all" => {
            for index in 0..items.len() {
                if !calls.test(items, index)? {
                    return Ok(Item::Bool(false));
                }
            }
            Item::Bool(true)
        }
        "one" => Item::Bool(calls.count(items)? == 1),
        "count" => Item::Int(calls.count(items)? as i64),
        "find" => item_at(position(&mut calls, &mut (0..items.len()))?),
        "findIndex" => index_of(position(&mut calls, &mut (0..items.len()))?),
        "findLast" => item_at(position(&mut calls, &mut (0..items.len()).rev())?),
        "findLastIndex" => index_of(position(&mut calls, &mut (0..items.len()).rev())?),
        "filter" => {
            let mut kept = Vec::new();
            for (index, item) in items.iter().enumerate() {
                if calls.test(items, index)? {
                    kept.push(item.clone());
                }
            }
            Item::list(kept)?
        }
        "map" => Item::list((0..items.len()).map(|index| calls.ask(items, index)).collect::<Result<_, _>>()?)?,
        "sum" => {
            let mut sum = Item::Int(0);
            for index in 0..items.len() {
                let item = calls.ask(items, index)?;
                let next = super::number::arithmetic(super::ast::Binary::Add, &sum, &item);
                sum = next.ok_or_else(|| Failure::new(format!("cannot add {}", item.type_name())).of(name))??;
            }
            sum
        }
        "groupBy" => {
            let mut groups: BTreeMap<Rc<str>, Vec<Item>> = BTreeMap::new();
            for (index, item) in items.iter().enumerate() {
                let key = match calls.ask(items, index)? {
                    Item::Text(text) => {
                        calls.run.steps.take(text.len() / KEY_BYTES)?;
                        text
                    }
                    Item::Int(value) => value.to_string().into(),
                    Item::Float(value) => value.to_string().into(),
                    Item::Bool(value) => value.to_string().into(),
                    other => return Err(Failure::new(format!("cannot group by {}", other.type_name()))),
                };
                groups.entry(key).or_default().push(item.clone());
            }
            let groups = groups.into_iter().map(|(key, items)| Ok((key, Item::list(items)?)));
            Item::map(groups.collect::<Result<_, Failure>>()?)?
        }
        "sortBy" => {
            let mut keyed = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                keyed.push((calls.ask(items, index)?, item.clone()));
            }
            aggregate::sort_by(keyed, rest.as_ref(), &mut calls.run.steps)?
        }
        "reduce" => {
            let skip = usize::from(rest.is_none());
            let start = rest.or_else(|| items.first().cloned());
            let mut accumulator = start.ok_or_else(|| Failure::new("`reduce` of an empty list needs a start value"))?;
            for index in skip..items.len() {
                accumulator = calls.ask_with(items, index, accumulator)?;
            }
            accumulator
        }
        other => return Err(Failure::new(format!("unknown function `{other}`"))),
    })
}

struct Calls<'a> {
    run: &'a mut Run,
    body: Option<&'a Node>,
}

impl Calls<'_> {
    fn ask(&mut self, items: &[Item], index: usize) -> Result<Item, Failure> {
        self.ask_with(items, index, Item::Nil)
    }

    fn ask_with(&mut self, items: &[Item], index: usize, accumulator: Item) -> Result<Item, Failure> {
        self.run.steps.take(1)?;
        let item = items.get(index).cloned().unwrap_or(Item::Nil);
        let Some(body) = self.body else { return Ok(item) };
        self.run.frames.push(Frame { item, index, accumulator });
        let result = self.run.evaluate(body);
        self.run.frames.pop();
        result
    }

    fn test(&mut self, items: &[Item], index: usize) -> Result<bool, Failure> {
        match self.ask(items, index)? {
            Item::Bool(value) => Ok(value),
            other => Err(Failure::new(format!("a predicate gives a bool, not {}", other.type_name()))),
        }
    }

    fn count(&mut self, items: &[Item]) -> Result<usize, Failure> {
        let mut count = 0;
        for index in 0..items.len() {
            count += usize::from(self.test(items, index)?);
        }
        Ok(count)
    }
}
