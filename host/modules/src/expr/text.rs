//! Functions about strings.

use super::aggregate::list;
use super::builtins::{first, whole, wrong};
use super::dates;
use super::evaluate::{Failure, MAX_TEXT, Steps};
use super::value::{Item, Room};
use crate::json;

type Result = std::result::Result<Item, Failure>;

pub(super) fn text(args: &[Item], index: usize) -> std::result::Result<&str, Failure> {
    match args.get(index) {
        Some(Item::Text(text)) => Ok(text),
        Some(other) => Err(wrong(other)),
        None => Ok(""),
    }
}

/// Makes a string, whose size counts.
pub(super) fn made(text: String, steps: &mut Steps) -> Result {
    steps.take(text.len() / 64)?;
    if text.len() > MAX_TEXT {
        return Err(Failure::new(format!("a string is longer than {MAX_TEXT} bytes")));
    }
    Ok(Item::text(text))
}

pub(super) fn map(args: &[Item], steps: &mut Steps, apply: fn(&str) -> String) -> Result {
    made(apply(text(args, 0)?), steps)
}

pub(super) fn test(args: &[Item], test: fn(&str, &str) -> bool) -> Result {
    Ok(Item::Bool(test(text(args, 0)?, text(args, 1)?)))
}

pub(super) fn string(args: &[Item], steps: &mut Steps) -> Result {
    match first(args) {
        Item::Nil => Ok(Item::text("<nil>")),
        Item::Bool(value) => Ok(Item::text(value.to_string())),
        Item::Int(value) => Ok(Item::text(value.to_string())),
        Item::Float(value) => Ok(Item::text(value.to_string())),
        Item::Text(text) => Ok(Item::Text(text.clone())),
        Item::Date(date) => Ok(Item::text(date.shown())),
        Item::Duration(length) => Ok(Item::text(dates::shown_duration(*length))),
        Item::Zone(zone) => Ok(Item::text(zone.name())),
        Item::List(_) | Item::Map(_) => to_json(args, steps),
    }
}

pub(super) fn trim(args: &[Item], steps: &mut Steps) -> Result {
    let source = text(args, 0)?;
    let trimmed = match args.get(1) {
        None => source.trim(),
        Some(_) => {
            // A set: to look through a long text for each character of another one takes their product.
            let mut characters: Vec<char> = text(args, 1)?.chars().collect();
            steps.take(characters.len() / 16)?;
            characters.sort_unstable();
            source.trim_matches(|character| characters.binary_search(&character).is_ok())
        }
    };
    made(trimmed.to_owned(), steps)
}

pub(super) fn strip(args: &[Item], steps: &mut Steps, prefix: bool) -> Result {
    let (source, part) = (text(args, 0)?, text(args, 1)?);
    let stripped = if prefix { source.strip_prefix(part) } else { source.strip_suffix(part) };
    made(stripped.unwrap_or(source).to_owned(), steps)
}

pub(super) fn index_of(args: &[Item], steps: &mut Steps) -> Result {
    let source = text(args, 0)?;
    steps.take(source.len() / 64)?;
    Ok(place(source, source.find(text(args, 1)?)))
}

pub(super) fn last_index_of(args: &[Item], steps: &mut Steps) -> Result {
    let source = text(args, 0)?;
    steps.take(source.len() / 64)?;
    Ok(place(source, source.rfind(text(args, 1)?)))
}

fn place(source: &str, found: Option<usize>) -> Item {
    let index = found.and_then(|at| source.get(..at)).map(|before| before.chars().count() as i64);
    Item::Int(index.unwrap_or(-1))
}

pub(super) fn split(args: &[Item], steps: &mut Steps, after: bool) -> Result {
    let (source, separator) = (text(args, 0)?, text(args, 1)?);
    let most = args.get(2).map(whole).transpose()?.unwrap_or(-1);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    steps.take(source.len())?;
    let parts: Vec<String> = if separator.is_empty() {
        source.chars().map(String::from).collect()
    } else {
        source.split(separator).map(str::to_owned).collect()
    };
    let mut items: Vec<String> = Vec::new();
    let count = parts.len();
    for (number, mut part) in parts.into_iter().enumerate() {
        if after && number + 1 < count {
            part.push_str(separator);
        }
        match items.last_mut() {
            Some(last) if items_full(number, most) => {
                if !after {
                    last.push_str(separator);
                }
                last.push_str(&part);
            }
            _ => items.push(part),
        }
    }
    if most == 0 {
        items.clear();
    }
    Item::list(items.into_iter().map(Item::text).collect())
}

fn items_full(number: usize, most: usize) -> bool {
    most > 0 && number >= most
}

pub(super) fn join(args: &[Item], steps: &mut Steps) -> Result {
    let (list, separator) = (list(first(args))?, text(args, 1)?);
    let mut joined = String::new();
    for (number, item) in list.items.iter().enumerate() {
        steps.take(1 + separator.len() / 64)?;
        let Item::Text(part) = item else { return Err(wrong(item)) };
        if number > 0 {
            joined.push_str(separator);
        }
        joined.push_str(part);
        if joined.len() > MAX_TEXT {
            break;
        }
    }
    made(joined, steps)
}

pub(super) fn replace(args: &[Item], steps: &mut Steps) -> Result {
    let (source, old, new) = (text(args, 0)?, text(args, 1)?, text(args, 2)?);
    let most = args.get(3).map(whole).transpose()?.unwrap_or(-1);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    steps.take(source.len() / 16)?;
    let count = source.matches(old).take(most).count();
    bound(source.len().saturating_add(count.saturating_mul(new.len())))?;
    made(source.replacen(old, new, most), steps)
}

pub(super) fn repeat(args: &[Item], steps: &mut Steps) -> Result {
    let (source, count) = (text(args, 0)?, whole(args.get(1).unwrap_or(&Item::Nil))?);
    let count = usize::try_from(count).map_err(|_| Failure::new("a count cannot be negative"))?;
    bound(source.len().saturating_mul(count))?;
    made(source.repeat(count), steps)
}

fn bound(length: usize) -> std::result::Result<(), Failure> {
    if length > MAX_TEXT { Err(Failure::long_text()) } else { Ok(()) }
}

pub(super) fn to_json(args: &[Item], steps: &mut Steps) -> Result {
    let mut room = Room::new(MAX_TEXT);
    let value = first(args).to_value(&mut room)?;
    let json = json::from_value(&value).map_err(|error| Failure::new(error.message))?;
    let text = serde_json::to_string(&json).map_err(|error| Failure::new(error.to_string()))?;
    made(text, steps)
}

pub(super) fn from_json(args: &[Item], steps: &mut Steps) -> Result {
    let source = text(args, 0)?;
    steps.take(source.len() / 16)?;
    let json = serde_json::from_str(source).map_err(|error| Failure::new(error.to_string()))?;
    Item::from_value(&json::to_value(&json), steps)
}

pub(super) fn to_base64(args: &[Item], steps: &mut Steps) -> Result {
    made(crate::base64::encode(text(args, 0)?.as_bytes()), steps)
}

pub(super) fn from_base64(args: &[Item], steps: &mut Steps) -> Result {
    let bytes = crate::base64::decode(text(args, 0)?).ok_or_else(|| Failure::new("this string is not base64"))?;
    made(String::from_utf8_lossy(&bytes).into_owned(), steps)
}
