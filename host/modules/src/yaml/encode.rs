//! From values to text: block style, four spaces a level, keys in order.

use std::cmp::Ordering;
use std::collections::HashMap;

use moonlet_runtime::{Args, Error, Fault, Value, error_text};

use super::scalar::{self, Style};
use crate::fail::{answer_too_long, internal, invalid};
use crate::heavy::Canceled;

/// In which order fields are written.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The place of each field that comes first.
    first: HashMap<String, usize>,
}

impl Layout {
    /// Reads the options of `encode`. Fields that are not in `field_order` are always sorted, so that equal tables give equal texts.
    pub(super) fn read(args: &Args<'_>) -> Result<Self, Fault> {
        let mut layout = Self::default();
        for (name, value) in args.opt_table(2)? {
            match (name.as_str(), value) {
                (Some("field_order"), Value::Array(names)) => {
                    for name in names {
                        let name = name.as_str().ok_or_else(|| invalid("`field_order` is a list of strings"))?;
                        let place = layout.first.len();
                        layout.first.entry(name.to_owned()).or_insert(place);
                    }
                }
                (Some("field_order"), _) => return Err(invalid("`field_order` is a list of strings").into()),
                (Some("sort_unordered"), Value::Boolean(_)) => {}
                (Some("sort_unordered"), _) => return Err(invalid("`sort_unordered` is a boolean").into()),
                _ => {}
            }
        }
        Ok(layout)
    }

    fn place(&self, key: &Value) -> usize {
        key.as_str().and_then(|name| self.first.get(name)).copied().unwrap_or(usize::MAX)
    }
}

fn compare_keys(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => compare_names(a.as_str().unwrap_or(""), b.as_str().unwrap_or("")),
    }
}

/// Compares names so that `item2` comes before `item10`.
fn compare_names(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    loop {
        let (Some(first_a), Some(first_b)) = (rest_a.chars().next(), rest_b.chars().next()) else {
            return rest_a.len().cmp(&rest_b.len()).then_with(|| a.cmp(b));
        };
        if first_a.is_ascii_digit() && first_b.is_ascii_digit() {
            let (digits_a, after_a) = split_digits(rest_a);
            let (digits_b, after_b) = split_digits(rest_b);
            let (plain_a, plain_b) = (digits_a.trim_start_matches('0'), digits_b.trim_start_matches('0'));
            let order = plain_a.len().cmp(&plain_b.len()).then_with(|| plain_a.cmp(plain_b));
            if order != Ordering::Equal {
                return order;
            }
            (rest_a, rest_b) = (after_a, after_b);
        } else if first_a != first_b {
            return first_a.cmp(&first_b);
        } else {
            let length = first_a.len_utf8();
            (rest_a, rest_b) = (rest_a.get(length..).unwrap_or(""), rest_b.get(length..).unwrap_or(""));
        }
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// Writes a value as a document of at most `max_bytes`.
pub(super) fn encode(value: &Value, layout: &Layout, max_bytes: usize, canceled: Option<&Canceled>) -> Result<String, Error> {
    let mut writer = Writer { out: String::new(), layout, max_bytes, canceled };
    match value {
        Value::Map(fields) if !fields.is_empty() => writer.map(fields, 0, true)?,
        Value::Array(items) if !items.is_empty() => writer.list(items, 0, true)?,
        other => {
            writer.scalar(other, 0)?;
            writer.out.push('\n');
        }
    }
    Ok(writer.out)
}

const STEP: usize = 4;

struct Writer<'a> {
    out: String,
    layout: &'a Layout,
    max_bytes: usize,
    canceled: Option<&'a Canceled>,
}

impl Writer<'_> {
    fn indent(&mut self, spaces: usize) -> Result<(), Error> {
        if self.out.len() > self.max_bytes {
            let message = format!("failed to encode YAML: the text is longer than {} bytes", self.max_bytes);
            return Err(answer_too_long(message, self.max_bytes));
        }
        self.out.extend(std::iter::repeat_n(' ', spaces));
        Ok(())
    }

    /// Writes fields at a depth; `fresh` when a new line has just begun.
    fn map(&mut self, fields: &[(Value, Value)], depth: usize, fresh: bool) -> Result<(), Error> {
        let there = fields.iter().filter(|(_, value)| !value.is_nil());
        let mut sorted: Vec<(usize, &(Value, Value))> = there.map(|field| (self.layout.place(&field.0), field)).collect();
        sorted.sort_by(|(place_a, (a, _)), (place_b, (b, _))| place_a.cmp(place_b).then_with(|| compare_keys(a, b)));
        for (number, (_, (key, value))) in sorted.into_iter().enumerate() {
            if self.canceled.is_some_and(Canceled::is_set) {
                return Err(internal("nobody waits for the text any more"));
            }
            if fresh || number > 0 {
                self.indent(depth)?;
            }
            self.key(key)?;
            self.out.push(':');
            match value {
                Value::Map(fields) if !fields.is_empty() => {
                    self.out.push('\n');
                    self.map(fields, depth + STEP, true)?;
                }
                Value::Array(items) if !items.is_empty() => {
                    self.out.push('\n');
                    self.list(items, depth + STEP, true)?;
                }
                other => {
                    self.out.push(' ');
                    self.scalar(other, depth + STEP)?;
                    self.out.push('\n');
                }
            }
        }
        Ok(())
    }

    fn list(&mut self, items: &[Value], depth: usize, fresh: bool) -> Result<(), Error> {
        for (number, item) in items.iter().enumerate() {
            if fresh || number > 0 {
                self.indent(depth)?;
            }
            self.out.push_str("- ");
            match item {
                Value::Map(fields) if !fields.is_empty() => self.map(fields, depth + 2, false)?,
                Value::Array(items) if !items.is_empty() => self.list(items, depth + 2, false)?,
                other => {
                    self.scalar(other, depth + 2)?;
                    self.out.push('\n');
                }
            }
        }
        Ok(())
    }

    fn key(&mut self, key: &Value) -> Result<(), Error> {
        match key {
            Value::String(text) => {
                let text = text.as_str().unwrap_or("");
                match scalar::style(text) {
                    Style::Plain => self.out.push_str(text),
                    Style::Quoted | Style::Block => scalar::push_quoted(&mut self.out, text),
                }
                Ok(())
            }
            Value::Integer(_) | Value::F64(_) | Value::F32(_) | Value::Boolean(_) => self.scalar(key, 0),
            _ => Err(invalid("failed to encode YAML: a key is a string of UTF-8, a number or a boolean")),
        }
    }

    fn scalar(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        match value {
            Value::Nil => self.out.push_str("null"),
            Value::Boolean(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Integer(value) => self.out.push_str(&value.to_string()),
            Value::F32(value) => push_float(&mut self.out, f64::from(*value)),
            Value::F64(value) => push_float(&mut self.out, *value),
            Value::String(text) => {
                let text = text.as_str().ok_or_else(|| invalid("failed to encode YAML: a string is not valid UTF-8"))?;
                self.text(text, depth)?;
            }
            Value::Binary(_) => return Err(invalid("failed to encode YAML: a string is not valid UTF-8; encode it as base64")),
            Value::Array(_) => self.out.push_str("[]"),
            Value::Map(_) => self.out.push_str("{}"),
            Value::Ext(..) => match error_text(value) {
                Some(text) => self.text(&text, depth)?,
                None => return Err(invalid("failed to encode YAML: objects have no form in YAML")),
            },
        }
        Ok(())
    }

    fn text(&mut self, text: &str, depth: usize) -> Result<(), Error> {
        match scalar::style(text) {
            Style::Plain => self.out.push_str(text),
            Style::Quoted => scalar::push_quoted(&mut self.out, text),
            Style::Block => {
                let body = text.trim_end_matches('\n');
                self.out.push_str(match text.len() - body.len() {
                    0 => "|-",
                    1 => "|",
                    _ => "|+",
                });
                let lines = text.strip_suffix('\n').unwrap_or(text);
                for line in lines.split('\n') {
                    self.out.push('\n');
                    if !line.is_empty() {
                        self.indent(depth.max(STEP))?;
                        self.out.push_str(line);
                    }
                }
            }
        }
        Ok(())
    }
}

fn push_float(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str(".nan");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { ".inf" } else { "-.inf" });
    } else {
        out.push_str(&format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::decode::decode;
    use super::*;

    fn both_ways(value: &Value) {
        let text = encode(value, &Layout::default(), 1 << 20, None).unwrap();
        assert_eq!(&decode(&text).unwrap(), value, "{text}");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let texts = [
            "",
            "plain",
            "two words",
            " space",
            "space ",
            "a: b",
            "a #b",
            "#a",
            "-",
            "- a",
            "-a",
            "?",
            "? a",
            ":",
            ":a",
            "a:",
            "true",
            "True",
            "no",
            "null",
            "~",
            "1",
            "-1",
            "+1",
            "1.5",
            ".5",
            "1e3",
            "0x10",
            "0o17",
            "0644",
            "1_000",
            "2024-01-01",
            "12:30",
            "line\n",
            "two\nlines",
            "two\n\nlines\n",
            "end\n\n",
            "\n",
            " a\nb",
            "a \nb",
            "tab\there",
            "\u{7}",
            "é",
            "\u{1f600}",
            "'single'",
            "\"double\"",
            "back\\slash",
            "{a}",
            "[a]",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a`",
            "---",
            "--- a",
            "...",
            "<<",
            "=",
            "a\r\nb",
            "|",
            ">",
            "a,b",
            "%",
            "0b1",
            "1a",
            "0",
            "-",
            "--",
            "1:2",
            "x: |",
        ];
        for text in texts {
            both_ways(&Value::Array(vec![text.into()]));
            both_ways(&Value::Map(vec![(text.into(), text.into())]));
            both_ways(&Value::Map(vec![("a".into(), Value::Array(vec![Value::Map(vec![(text.into(), text.into())])]))]));
        }
        for number in [0.1, 1.0, -2.5, 1e300, 1e-7, f64::INFINITY] {
            both_ways(&Value::Array(vec![number.into(), 3.into(), i64::MIN.into()]));
        }
    }

    #[test]
    fn nested_lists_and_maps_keep_their_shape() {
        let inner =
            Value::Map(vec![("x".into(), 1.into()), ("y".into(), Value::Array(vec![1.into(), Value::Array(vec![2.into()])]))]);
        both_ways(&Value::Array(vec![inner.clone(), Value::Array(vec![inner.clone(), "a".into()]), Value::Nil]));
        both_ways(&Value::Map(vec![("a".into(), inner), ("b".into(), Value::Array(vec![])), ("c".into(), Value::Map(vec![]))]));
    }

    #[test]
    fn fields_come_in_order() {
        let fields = ["zebra", "item10", "item2", "name"].map(|name| (Value::from(name), Value::from(1)));
        let layout = Layout { first: HashMap::from([("name".to_owned(), 0)]) };
        let text = encode(&Value::Map(fields.to_vec()), &layout, 1 << 20, None).unwrap();
        assert_eq!(text, "name: 1\nitem2: 1\nitem10: 1\nzebra: 1\n");
    }
}
