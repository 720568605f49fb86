//! Functions about lists and maps.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::builtins::{self, whole, wrong};
use super::evaluate::{Failure, Steps, member};
use super::value::{Item, KEY_BYTES, List};

type Result<T = Item> = std::result::Result<T, Failure>;

/// How deep `flatten` goes.
const MAX_FLAT: usize = 60;

/// Reads an argument that is a list.
pub(super) fn list(item: &Item) -> Result<Rc<List>> {
    match item {
        Item::List(list) => Ok(Rc::clone(list)),
        other => Err(wrong(other)),
    }
}

fn of(args: &[Item], steps: &mut Steps) -> Result<Rc<List>> {
    let list = list(builtins::first(args))?;
    steps.take(list.items.len())?;
    Ok(list)
}

pub(super) fn len(args: &[Item], steps: &mut Steps) -> Result {
    let length = match builtins::first(args) {
        Item::Text(text) => {
            steps.take(text.len() / 64)?;
            text.chars().count()
        }
        Item::List(list) => list.items.len(),
        Item::Map(map) => map.fields.len(),
        other => return Err(wrong(other)),
    };
    Ok(Item::Int(length as i64))
}

pub(super) fn get(args: &[Item], _: &mut Steps) -> Result {
    let default = args.get(2).cloned().unwrap_or(Item::Nil);
    let found = member(builtins::first(args), args.get(1).unwrap_or(&Item::Nil));
    Ok(match found {
        Ok(Item::Nil) | Err(_) => default,
        Ok(item) => item,
    })
}

/// The numbers among the arguments, which may be lists of numbers.
fn numbers(args: &[Item], steps: &mut Steps) -> Result<Vec<Item>> {
    let mut numbers = Vec::new();
    for arg in args {
        steps.take(1)?;
        match arg {
            Item::Int(_) | Item::Float(_) => numbers.push(arg.clone()),
            Item::List(list) => {
                steps.take(list.items.len())?;
                for item in &list.items {
                    item.as_float().ok_or_else(|| wrong(item))?;
                    numbers.push(item.clone());
                }
            }
            other => return Err(wrong(other)),
        }
    }
    Ok(numbers)
}

fn extreme(args: &[Item], steps: &mut Steps, wanted: Ordering) -> Result {
    let mut best: Option<Item> = None;
    for number in numbers(args, steps)? {
        if best.as_ref().is_none_or(|best| number.compare(best) == Some(wanted)) {
            best = Some(number);
        }
    }
    best.ok_or_else(|| Failure::new("there are no numbers"))
}

pub(super) fn max(args: &[Item], steps: &mut Steps) -> Result {
    extreme(args, steps, Ordering::Greater)
}

pub(super) fn min(args: &[Item], steps: &mut Steps) -> Result {
    extreme(args, steps, Ordering::Less)
}

pub(super) fn mean(args: &[Item], steps: &mut Steps) -> Result {
    let numbers = numbers(args, steps)?;
    let sum: f64 = numbers.iter().filter_map(Item::as_float).sum();
    Ok(Item::Float(if numbers.is_empty() { 0.0 } else { sum / numbers.len() as f64 }))
}

pub(super) fn median(args: &[Item], steps: &mut Steps) -> Result {
    let mut numbers: Vec<f64> = numbers(args, steps)?.iter().filter_map(Item::as_float).collect();
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let at = |index: usize| numbers.get(index).copied().unwrap_or(0.0);
    Ok(Item::Float(if numbers.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) }))
}

pub(super) fn first(args: &[Item], _: &mut Steps) -> Result {
    Ok(list(builtins::first(args))?.items.first().cloned().unwrap_or(Item::Nil))
}

pub(super) fn last(args: &[Item], _: &mut Steps) -> Result {
    Ok(list(builtins::first(args))?.items.last().cloned().unwrap_or(Item::Nil))
}

pub(super) fn take(args: &[Item], steps: &mut Steps) -> Result {
    let list = of(args, steps)?;
    let count = usize::try_from(whole(args.get(1).unwrap_or(&Item::Nil))?);
    let count = count.map_err(|_| Failure::new("a count cannot be negative"))?;
    Item::list(list.items.iter().take(count).cloned().collect())
}

fn fields(item: &Item, steps: &mut Steps) -> Result<Vec<(Item, Item)>> {
    match item {
        Item::Map(map) => {
            steps.take(map.fields.len())?;
            Ok(map.fields.iter().map(|(name, value)| (Item::Text(Rc::clone(name)), value.clone())).collect())
        }
        Item::List(list) if list.items.is_empty() => Ok(Vec::new()),
        other => Err(wrong(other)),
    }
}

pub(super) fn keys(args: &[Item], steps: &mut Steps) -> Result {
    Item::list(fields(builtins::first(args), steps)?.into_iter().map(|(name, _)| name).collect())
}

pub(super) fn values(args: &[Item], steps: &mut Steps) -> Result {
    Item::list(fields(builtins::first(args), steps)?.into_iter().map(|(_, value)| value).collect())
}

pub(super) fn to_pairs(args: &[Item], steps: &mut Steps) -> Result {
    let pairs = fields(builtins::first(args), steps)?.into_iter().map(|(name, value)| Item::list(vec![name, value]));
    Item::list(pairs.collect::<Result<_>>()?)
}

pub(super) fn from_pairs(args: &[Item], steps: &mut Steps) -> Result {
    let mut map = BTreeMap::new();
    for pair in &of(args, steps)?.items {
        match list(pair)?.items.as_slice() {
            [Item::Text(name), value] => {
                steps.take(name.len() / KEY_BYTES)?;
                map.insert(Rc::clone(name), value.clone())
            }
            [Item::Int(number), value] => map.insert(number.to_string().into(), value.clone()),
            _ => return Err(Failure::new("a pair is a list of a name and a value")),
        };
    }
    Item::map(map)
}

pub(super) fn reverse(args: &[Item], steps: &mut Steps) -> Result {
    Item::list(of(args, steps)?.items.iter().rev().cloned().collect())
}

pub(super) fn concat(args: &[Item], steps: &mut Steps) -> Result {
    let mut items = Vec::new();
    for arg in args {
        let list = list(arg)?;
        steps.take(list.items.len())?;
        items.extend(list.items.iter().cloned());
    }
    Item::list(items)
}

pub(super) fn flatten(args: &[Item], steps: &mut Steps) -> Result {
    let mut items = Vec::new();
    flatten_into(&mut items, &*list(builtins::first(args))?, 0, steps)?;
    Item::list(items)
}

fn flatten_into(items: &mut Vec<Item>, list: &List, depth: usize, steps: &mut Steps) -> Result<()> {
    for item in &list.items {
        steps.take(1)?;
        match item {
            Item::List(inner) if depth < MAX_FLAT => flatten_into(items, inner, depth + 1, steps)?,
            other => items.push(other.clone()),
        }
    }
    Ok(())
}

pub(super) fn uniq(args: &[Item], steps: &mut Steps) -> Result {
    let mut items: Vec<Item> = Vec::new();
    for item in &of(args, steps)?.items {
        let mut known = false;
        for other in &items {
            if item.equals(other, steps)? {
                known = true;
                break;
            }
        }
        if !known {
            items.push(item.clone());
        }
    }
    Item::list(items)
}

pub(super) fn sort(args: &[Item], steps: &mut Steps) -> Result {
    let list = of(args, steps)?;
    let keyed = list.items.iter().map(|item| (item.clone(), item.clone())).collect();
    sort_by(keyed, args.get(1), steps)
}

/// Sorts items by keys, in the order that an argument names.
pub(super) fn sort_by(mut keyed: Vec<(Item, Item)>, order: Option<&Item>, steps: &mut Steps) -> Result {
    let descending = match order {
        None | Some(Item::Nil) => false,
        Some(Item::Text(order)) if order.eq_ignore_ascii_case("asc") => false,
        Some(Item::Text(order)) if order.eq_ignore_ascii_case("desc") => true,
        Some(_) => return Err(Failure::new("the order is \"asc\" or \"desc\"")),
    };
    // Each key is compared with about as many others as the number of keys has digits.
    let rounds = 1 + keyed.len().checked_ilog2().unwrap_or(0) as usize;
    let texts: usize = keyed.iter().map(|(key, _)| key.text_steps()).sum();
    steps.take((keyed.len() * 16).saturating_add(texts.saturating_mul(rounds)))?;
    let mut mixed = false;
    keyed.sort_by(|(a, _), (b, _)| {
        let order = a.compare(b).unwrap_or_else(|| {
            mixed = true;
            Ordering::Equal
        });
        if descending { order.reverse() } else { order }
    });
    if mixed {
        return Err(Failure::new("only numbers or strings can be sorted, and not both"));
    }
    Item::list(keyed.into_iter().map(|(_, item)| item).collect())
}
