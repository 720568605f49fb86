//! Values as YAML, for people to read and to copy.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::output::is_unsafe;

/// Writes a map as YAML, one field after the other.
pub(crate) fn write_map(map: &Map<String, Value>, indent: usize, text: &mut String) {
    for (key, value) in map {
        let _ = write!(text, "{:indent$}{}:", "", scalar(key));
        write_after_colon(value, indent, text);
    }
}

/// Writes any value; a map or a list without surrounding brackets.
pub(crate) fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => write_map(map, 0, text),
        Value::Array(values) if !values.is_empty() => write_list(values, 0, text),
        Value::String(plain) if !plain.chars().any(is_unsafe) => {
            // Alone on the screen a text needs no quotes.
            text.push_str(plain);
            if !plain.ends_with('\n') {
                text.push('\n');
            }
        }
        value => {
            text.push_str(&flow(value));
            text.push('\n');
        }
    }
}

fn write_after_colon(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            write_map(map, indent + 2, text);
        }
        Value::Array(values) if values.iter().all(is_short) => {
            let _ = writeln!(text, " {}", flow(value));
        }
        Value::Array(values) => {
            text.push('\n');
            write_list(values, indent + 2, text);
        }
        Value::String(block) if is_block(block) => {
            text.push_str(if block.ends_with('\n') { " |\n" } else { " |-\n" });
            for line in block.lines() {
                if line.is_empty() {
                    text.push('\n');
                } else {
                    let _ = writeln!(text, "{:width$}{line}", "", width = indent + 2);
                }
            }
        }
        value => {
            let _ = writeln!(text, " {}", flow(value));
        }
    }
}

fn write_list(values: &[Value], indent: usize, text: &mut String) {
    for value in values {
        let _ = write!(text, "{:indent$}-", "");
        match value {
            Value::Object(map) if !map.is_empty() => {
                let mut fields = String::new();
                write_map(map, indent + 2, &mut fields);
                // The first field stands on the line of its dash.
                let _ = write!(text, " {}", fields.trim_start());
            }
            value => write_after_colon(value, indent, text),
        }
    }
}

/// Text of several lines that a block can hold as it is.
fn is_block(text: &str) -> bool {
    text.contains('\n') && !text.starts_with([' ', '\t', '\n']) && !text.ends_with("\n\n") && !text.chars().any(is_unsafe)
}

fn is_short(value: &Value) -> bool {
    const MAX_SHORT: usize = 40;
    match value {
        Value::Array(values) => values.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.len() <= MAX_SHORT && !text.contains('\n'),
        _ => true,
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::Array(values) => format!("[{}]", values.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let fields = map.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => scalar(text),
        value => value.to_string(),
    }
}

/// Writes a text without quotes where it would be read back as the same text.
fn scalar(text: &str) -> String {
    let plain = !text.is_empty()
        && text.chars().all(|character| {
            character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '/' | ':' | ' ' | '*' | '~' | '$')
        })
        && text.starts_with(|character: char| character.is_alphabetic() || character == '_' || character == '/')
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if plain {
        return text.to_owned();
    }
    let quoted = Value::String(text.to_owned()).to_string();
    // JSON leaves some characters as they are that a terminal would obey.
    let mut safe = String::with_capacity(quoted.len());
    for character in quoted.chars() {
        if is_unsafe(character) {
            let _ = write!(safe, "\\u{:04x}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::write;

    #[test]
    fn values_read_like_their_definition() {
        let mut text = String::new();
        let value = json!({
            "kind": "process.lua",
            "on": true,
            "word": "yes",
            "number": "1.0",
            "modules": ["time", "json"],
            "limits": {"memory": "64MB", "names": 3},
            "source": "local x = 1\n\nreturn x\n",
            "children": [{"process": "app:a", "input": []}, {"process": "app:b"}],
            "nested": [["a long text that does not fit into forty bytes at all"], {}],
            "empty": {},
            "none": null,
            "escape": "\u{1b}[31m\u{202e}",
        });
        write(&value, &mut text);
        let expected = "kind: process.lua\n\"on\": true\nword: \"yes\"\nnumber: \"1.0\"\nmodules: [time, json]\nlimits:\n  memory: 64MB\n  names: 3\n\
            source: |\n  local x = 1\n\n  return x\nchildren:\n  - process: app:a\n    input: []\n  - process: app:b\n\
            nested:\n  -\n    - a long text that does not fit into forty bytes at all\n  - {}\n\
            empty: {}\nnone: null\nescape: \"\\u001b[31m\\u202e\"\n";
        assert_eq!(text, expected.replace("64MB", "\"64MB\""));
    }
}
