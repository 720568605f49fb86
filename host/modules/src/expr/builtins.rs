//! Functions that take values; those that take a predicate stand in `predicate`.

use super::evaluate::{Failure, Steps};
use super::value::Item;
use super::{aggregate, dates, text};

/// A function: its name, the least and the most arguments, and what it does.
pub(super) type Function = fn(&[Item], &mut Steps) -> Result<Item, Failure>;

const FUNCTIONS: &[(&str, usize, usize, Function)] = &[
    ("len", 1, 1, aggregate::len),
    ("type", 1, 1, |args, _| Ok(Item::text(first(args).type_name()))),
    ("get", 2, 3, aggregate::get),
    // Evaluated apart: what cannot be had is not set.
    ("isset", 1, MANY, |_, _| Ok(Item::Bool(true))),
    ("trimSpace", 1, 1, text::trim),
    ("max", 1, MANY, aggregate::max),
    ("min", 1, MANY, aggregate::min),
    ("mean", 1, MANY, aggregate::mean),
    ("median", 1, MANY, aggregate::median),
    ("first", 1, 1, aggregate::first),
    ("last", 1, 1, aggregate::last),
    ("take", 2, 2, aggregate::take),
    ("keys", 1, 1, aggregate::keys),
    ("values", 1, 1, aggregate::values),
    ("toPairs", 1, 1, aggregate::to_pairs),
    ("fromPairs", 1, 1, aggregate::from_pairs),
    ("reverse", 1, 1, aggregate::reverse),
    ("concat", 1, MANY, aggregate::concat),
    ("flatten", 1, 1, aggregate::flatten),
    ("uniq", 1, 1, aggregate::uniq),
    ("sort", 1, 2, aggregate::sort),
    ("abs", 1, 1, abs),
    ("ceil", 1, 1, |args, _| round(args, f64::ceil)),
    ("floor", 1, 1, |args, _| round(args, f64::floor)),
    ("round", 1, 1, |args, _| round(args, f64::round)),
    ("int", 1, 1, int),
    ("float", 1, 1, float),
    ("bitand", 2, 2, |args, _| bits(args, |a, b| a & b)),
    ("bitor", 2, 2, |args, _| bits(args, |a, b| a | b)),
    ("bitxor", 2, 2, |args, _| bits(args, |a, b| a ^ b)),
    ("bitnand", 2, 2, |args, _| bits(args, |a, b| a & !b)),
    ("bitnot", 1, 1, |args, _| Ok(Item::Int(!whole(first(args))?))),
    ("bitshl", 2, 2, |args, _| shift(args, |a, b| a.checked_shl(b).unwrap_or(0))),
    ("bitshr", 2, 2, |args, _| shift(args, |a, b| a.checked_shr(b).unwrap_or(if a < 0 { -1 } else { 0 }))),
    ("bitushr", 2, 2, |args, _| shift(args, |a, b| a.cast_unsigned().checked_shr(b).unwrap_or(0).cast_signed())),
    ("string", 1, 1, text::string),
    ("upper", 1, 1, |args, steps| text::map(args, steps, |text| text.to_uppercase())),
    ("lower", 1, 1, |args, steps| text::map(args, steps, |text| text.to_lowercase())),
    ("trim", 1, 2, text::trim),
    ("trimPrefix", 2, 2, |args, steps| text::strip(args, steps, true)),
    ("trimSuffix", 2, 2, |args, steps| text::strip(args, steps, false)),
    ("hasPrefix", 2, 2, |args, _| text::test(args, |text, part| text.starts_with(part))),
    ("hasSuffix", 2, 2, |args, _| text::test(args, |text, part| text.ends_with(part))),
    ("indexOf", 2, 2, text::index_of),
    ("lastIndexOf", 2, 2, text::last_index_of),
    ("split", 2, 3, |args, steps| text::split(args, steps, false)),
    ("splitAfter", 2, 3, |args, steps| text::split(args, steps, true)),
    ("join", 1, 2, text::join),
    ("replace", 3, 4, text::replace),
    ("repeat", 2, 2, text::repeat),
    ("now", 0, 0, dates::now),
    ("duration", 1, 1, dates::duration),
    ("date", 1, 3, dates::date),
    ("timezone", 1, 1, dates::timezone),
    ("toJSON", 1, 1, text::to_json),
    ("fromJSON", 1, 1, text::from_json),
    ("toBase64", 1, 1, text::to_base64),
    ("fromBase64", 1, 1, text::from_base64),
];

const MANY: usize = 1_000;

pub(super) fn knows(name: &str) -> bool {
    names().any(|known| known == name)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(name, ..)| *name)
}

pub(super) fn call(name: &str, args: &[Item], steps: &mut Steps) -> Result<Item, Failure> {
    let Some((_, least, most, function)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
        return Err(Failure::new(format!("unknown function `{name}`")));
    };
    if args.len() < *least || args.len() > *most {
        let wanted = if least == most { least.to_string() } else { format!("{least} or more") };
        return Err(Failure::new(format!("`{name}` takes {wanted} arguments, got {}", args.len())));
    }
    // Whatever a function does with texts takes about as long as they are.
    steps.take(1 + args.len() + args.iter().map(Item::text_steps).sum::<usize>())?;
    function(args, steps).map_err(|failure| failure.of(name))
}

/// Returns the first argument.
pub(super) fn first(args: &[Item]) -> &Item {
    args.first().unwrap_or(&Item::Nil)
}

/// Complains of a type.
pub(super) fn wrong(item: &Item) -> Failure {
    Failure::new(format!("invalid argument ({})", item.type_name()))
}

/// Reads an integer; a float that is one counts.
pub(super) fn whole(item: &Item) -> Result<i64, Failure> {
    match item {
        Item::Int(value) => Ok(*value),
        Item::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => Ok(*value as i64),
        other => Err(wrong(other)),
    }
}

fn abs(args: &[Item], _: &mut Steps) -> Result<Item, Failure> {
    match first(args) {
        Item::Int(value) => Ok(Item::Int(value.wrapping_abs())),
        Item::Float(value) => Ok(Item::Float(value.abs())),
        other => Err(wrong(other)),
    }
}

fn round(args: &[Item], round: fn(f64) -> f64) -> Result<Item, Failure> {
    let value = first(args).as_float().ok_or_else(|| wrong(first(args)))?;
    let rounded = round(value);
    // Lua has integers for what these are used for.
    Ok(if rounded.abs() < 9.0e15 { Item::Int(rounded as i64) } else { Item::Float(rounded) })
}

fn int(args: &[Item], _: &mut Steps) -> Result<Item, Failure> {
    match first(args) {
        Item::Int(value) => Ok(Item::Int(*value)),
        Item::Float(value) if value.is_finite() => Ok(Item::Int(*value as i64)),
        Item::Text(text) => text.trim().parse().map(Item::Int).map_err(|_| Failure::new("this string is no integer")),
        other => Err(wrong(other)),
    }
}

fn float(args: &[Item], _: &mut Steps) -> Result<Item, Failure> {
    match first(args) {
        Item::Text(text) => text.trim().parse().map(Item::Float).map_err(|_| Failure::new("this string is no number")),
        other => other.as_float().map(Item::Float).ok_or_else(|| wrong(other)),
    }
}

fn bits(args: &[Item], apply: fn(i64, i64) -> i64) -> Result<Item, Failure> {
    let second = args.get(1).unwrap_or(&Item::Nil);
    Ok(Item::Int(apply(whole(first(args))?, whole(second)?)))
}

fn shift(args: &[Item], apply: fn(i64, u32) -> i64) -> Result<Item, Failure> {
    let count = whole(args.get(1).unwrap_or(&Item::Nil))?;
    let count = u32::try_from(count).map_err(|_| Failure::new("a shift count cannot be negative"))?;
    Ok(Item::Int(apply(whole(first(args))?, count)))
}
