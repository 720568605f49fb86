//! YAML and JSON text into [`Node`]s. The only file that knows which YAML library is used.
//!
//! Aliases and nesting are bounded, because a project may come from somebody who wants the loader to run out of memory.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Error, Location, Spanned};

use super::node::{Node, NodeValue, Pair};
use super::slips;

/// How deeply values may nest: parsing recurses once per level.
const MAX_DEPTH: usize = 64;
/// How many values one file may hold, after aliases: stops documents that unfold to gigabytes.
const MAX_NODES: usize = 250_000;
/// How many values aliases may repeat in one file, for the same reason.
const MAX_REPEATED: usize = 250_000;

/// Why a file is not YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct YamlError {
    /// What is wrong, without the place.
    pub(crate) message: String,
    /// The byte range at fault.
    pub(crate) span: Range<usize>,
    /// How to mend it, for the mistakes that are common.
    pub(crate) help: Option<&'static str>,
}

/// Reads one YAML document; an empty file is null.
pub(crate) fn parse_yaml(text: &str) -> Result<Node, YamlError> {
    match read(text) {
        Ok(node) => Ok(convert(node, text)),
        Err(error) => Err(describe(&error, text)),
    }
}

fn read(text: &str) -> Result<Spanned<RawNode>, Error> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES, max_documents: 2 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPEATED },
        duplicate_keys: DuplicateKeyPolicy::Error,
        // As in the reference: `yes` and `on` are texts, `0644` is octal.
        strict_booleans: true,
        legacy_octal_numbers: true,
        reject_non_finite_typeless_float: false,
        emit_comments: false,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options::<Spanned<RawNode>>(text, options)
}

/// Gives where reading a text fails; a text that can be read fails behind its end.
pub(super) fn fails_at(text: &str) -> usize {
    match read(text) {
        Ok(_) => usize::MAX,
        Err(error) => byte_span(error.without_snippet().location().unwrap_or(Location::UNKNOWN), text).start,
    }
}

/// Reads a JSON file.
pub(crate) fn parse_json(text: &str) -> Result<Node, YamlError> {
    match serde_json::from_str::<serde_json::Value>(text) {
        // JSON is almost always YAML too, and the YAML parser knows the places.
        Ok(value) => Ok(parse_yaml(text).unwrap_or_else(|_| Node::placed_at(value, &(0..0)))),
        Err(error) => {
            let start = offset_of(text, error.line(), error.column());
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
            Err(YamlError { message, span: start..end_of_character(text, start), help: None })
        }
    }
}

/// A node as the library hands it over.
enum RawNode {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Spanned<RawNode>>),
    Map(Vec<(Spanned<String>, Spanned<RawNode>)>),
}

impl<'de> Deserialize<'de> for RawNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawNodeVisitor)
    }
}

struct RawNodeVisitor;

impl<'de> Visitor<'de> for RawNodeVisitor {
    type Value = RawNode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<RawNode, E> {
        Ok(RawNode::Null)
    }

    fn visit_none<E>(self) -> Result<RawNode, E> {
        Ok(RawNode::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawNode, E> {
        Ok(RawNode::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawNode, E> {
        Ok(RawNode::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawNode, E> {
        Ok(RawNode::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawNode, E> {
        Ok(Number::from_f64(value).map_or_else(|| RawNode::Text(value.to_string()), RawNode::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawNode, E> {
        Ok(RawNode::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<RawNode, E> {
        Ok(RawNode::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<RawNode, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = access.next_element()? {
            nodes.push(node);
        }
        Ok(RawNode::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<RawNode, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = access.next_entry()? {
            pairs.push(pair);
        }
        Ok(RawNode::Map(pairs))
    }
}

fn convert(node: Spanned<RawNode>, text: &str) -> Node {
    let span = scalar_span(node.referenced, text);
    let value = match node.value {
        RawNode::Null => NodeValue::Null,
        RawNode::Bool(value) => NodeValue::Bool(value),
        RawNode::Number(number) => NodeValue::Number(number),
        RawNode::Text(value) => NodeValue::Text(value),
        RawNode::List(nodes) => NodeValue::List(nodes.into_iter().map(|node| convert(node, text)).collect()),
        RawNode::Map(pairs) => {
            let pair = |(key, node): (Spanned<String>, _)| Pair {
                key_span: scalar_span(key.referenced, text),
                key: key.value,
                node: convert(node, text),
            };
            NodeValue::Map(pairs.into_iter().map(pair).collect())
        }
    };
    Node { value, span }
}

/// The place of a scalar in one line; of a block scalar, its first line.
fn scalar_span(location: Location, text: &str) -> Range<usize> {
    let span = byte_span(location, text);
    let shown = text.get(span.clone()).unwrap_or_default();
    let first_line = shown.split('\n').next().unwrap_or_default().trim_end();
    span.start..span.start + first_line.len()
}

fn byte_span(location: Location, text: &str) -> Range<usize> {
    let position = location.span();
    let known = position.byte_offset().and_then(|offset| usize::try_from(offset).ok());
    let start = known.filter(|start| text.is_char_boundary(*start)).unwrap_or_else(|| {
        let number = |number: u64| usize::try_from(number).unwrap_or(0);
        offset_of_character(text, number(location.line()), number(location.column()))
    });
    let length = position.byte_len().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let end = start.saturating_add(length).min(text.len());
    if text.is_char_boundary(end) { start..end } else { start..start }
}

/// The offset of a line and a column in bytes, both counted from one, as serde_json counts them.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let mut offset = line_offset(text, line).saturating_add(column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The offset of a line and a column in characters, both counted from one.
fn offset_of_character(text: &str, line: usize, column: usize) -> usize {
    let start = line_offset(text, line);
    let rest = text.get(start..).unwrap_or_default();
    rest.char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(offset, _)| start + offset)
}

fn line_offset(text: &str, line: usize) -> usize {
    text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum()
}

fn end_of_character(text: &str, start: usize) -> usize {
    let next = text.get(start..).and_then(|rest| rest.chars().next());
    next.filter(|character| *character != '\n').map_or(start, |character| start + character.len_utf8())
}

fn describe(error: &Error, text: &str) -> YamlError {
    let error = error.without_snippet();
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let mut span = byte_span(location, text);
    if span.is_empty() {
        span.end = end_of_character(text, span.start);
    }
    let (message, help) = match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            (format!("the key `{key}` occurs twice in the same map"), Some("remove or rename one of them"))
        }
        Error::MultipleDocuments { .. } => {
            ("the file holds more than one YAML document".to_owned(), Some("split it at `---` into one file for each document"))
        }
        Error::Budget { .. } => too_large(),
        Error::Unexpected { expected: "string scalar", .. } => {
            ("the name of a field must be a text".to_owned(), Some("write templates such as `{{ name }}` in quotes"))
        }
        _ => {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
            // Limits of aliases arrive wrapped in what met them.
            if message.starts_with("alias") && message.contains("limit exceeded") {
                too_large()
            } else {
                return slips::find(text, message, span);
            }
        }
    };
    YamlError { message, span, help }
}

fn too_large() -> (String, Option<&'static str>) {
    let message = format!("the file is too deep or too large: at most {MAX_DEPTH} levels and {MAX_NODES} values are read");
    (message, Some("flatten it, or split it into several files"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    fn error(text: &str) -> (String, String) {
        let error = parse_yaml(text).unwrap_err();
        (error.message, text[error.span].to_owned())
    }

    #[test]
    fn values_keep_their_types_and_places() {
        let text = "a: yes\nb: 0644\nc: [1, 'x: y']\nd: |\n  one\n  two\ne:\n\u{fc}: 10s\n";
        let node = parse_yaml(text).unwrap();
        let (value, spans) = node.split(0..0);
        assert_eq!(
            value,
            serde_json::json!({"a": "yes", "b": 420, "c": [1, "x: y"], "d": "one\ntwo\n", "e": null, "\u{fc}": "10s"})
        );
        let at = |path: &str| &text[spans.find(crate::path::FieldPath::dotted(path).segments()).underline()];
        assert_eq!((at("a"), at("c.1"), at("d"), at("e"), at("\u{fc}")), ("yes", "'x: y'", "one", "e", "10s"));
    }

    #[test]
    fn json_escapes_and_tabs_are_read() {
        let node = parse_json("{\n\t\"a\": \"\\ud83d\\ude00 \\/\"\n}").unwrap();
        assert_eq!(node.split(0..0).0, serde_json::json!({"a": "\u{1f600} /"}));
        let error = parse_json("{\"a\": }").unwrap_err();
        assert_eq!((error.message.as_str(), error.span), ("expected value", 6..7));
    }

    #[test]
    fn mistakes_are_named_in_plain_words() {
        assert_eq!(error("a: 1\na: 2\n"), ("the key `a` occurs twice in the same map".into(), "a".into()));
        assert_eq!(error("a: b: c\n").0, "mapping values are not allowed in this context");
        assert_eq!(error("a: 1\n---\nb: 2\n").0, "the file holds more than one YAML document");
    }

    #[test]
    fn slips_are_shown_where_they_were_made() {
        let shown = |text: &str| {
            let error = parse_yaml(text).unwrap_err();
            (
                error.message,
                text[..error.span.start].matches('\n').count() + 1,
                text[error.span].to_owned(),
                error.help.unwrap_or("none"),
            )
        };
        let expect = |text: &str, message: &str, line: usize, under: &str, help: &str| {
            assert_eq!(shown(text), (message.to_owned(), line, under.to_owned(), help), "{text}");
        };
        for (text, bracket, help) in [
            ("a:\n  m: [io\n  s: return 1\n", "[", "write `]` behind its last element"),
            ("a:\n  m: {io: 1\n  s: return 1\n", "{", "write `}` behind its last field"),
            ("a:\n  m: {io: [1, 'x]', 2}  # }\n  s: return 1\n", "[", "write `]` behind its last element"),
            ("a:\n  - [io\n  - b: 1\n", "[", "write `]` behind its last element"),
            ("a:\n  m: [io\n", "[", "write `]` behind its last element"),
        ] {
            expect(text, &format!("the `{bracket}` of line 2 is not closed"), 2, bracket, help);
        }
        let quotes = "put a value that holds `: ` in quotes";
        let between = "while parsing a flow mapping, did not find expected ',' or '}'";
        expect("a: {comment: it is: bad}\n", between, 1, ":", quotes);
        let space = "write a space after the colon";
        expect(
            "- name: a\n  kind:process.lua\n  x: y\n",
            "`kind:process.lua` is one word, and no field with its value",
            2,
            "kind:",
            space,
        );
        expect("- name:a\n  kind: x\n", "`name:a` is one word, and no field with its value", 1, "name:", space);
        let tab = "a tab indents this line, and YAML takes only spaces";
        expect("- name: a\n\tkind: b\n", tab, 2, "\t", "indent with spaces");
        expect("- name: a\n  \tkind: b\n", tab, 2, "\t", "indent with spaces");
        let block = "while parsing a block collection, did not find expected '-' indicator";
        expect("e:\n  - a: 1\n    b: 2\n   c: 3\n", block, 4, "c", "indent the fields of one entry alike");
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_a_value_or_an_error_within_the_text(
            text in "([a-z\u{fc}]{0,3}[:\\-\\[\\]{},&*|>'\"#!%@`?~ \t\n]{0,3}){0,30}",
        ) {
            let check = |span: &Range<usize>| assert!(text.get(span.clone()).is_some(), "{span:?} of {text:?}");
            match parse_yaml(&text) {
                Ok(node) => check(&node.span),
                Err(error) => check(&error.span),
            }
            if let Err(error) = parse_json(&text) {
                check(&error.span);
            }
        }
    }

    #[test]
    fn bombs_are_refused_before_they_unfold() {
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(error(&deep).0.starts_with("the file is too deep or too large"));
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let previous = level - 1;
            let list = vec![format!("*a{previous}"); 10].join(", ");
            laughs.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        assert!(error(&laughs).0.starts_with("the file is too deep or too large"), "{:?}", error(&laughs));
    }
}
