//! What may stay of a page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use moonlet_runtime::{Error, Fault, Value};

use super::urls::Urls;
use crate::fail::invalid;
use crate::heavy::Watch;
use crate::text::{self, Pattern};

/// The most rules of one policy.
const MAX_RULES: usize = 1_000;
/// The most attributes on elements in one policy: a rule allows each of its attributes on each of its elements.
const MAX_ATTRIBUTES: usize = 20_000;

/// What may stay.
#[derive(Debug, Default)]
pub(super) struct Policy {
    elements: BTreeSet<String>,
    /// By element and attribute; the element `*` is any.
    attributes: BTreeMap<(String, String), Vec<Option<Arc<Pattern>>>>,
    pub(super) urls: Urls,
    pub(super) nofollow: bool,
    pub(super) noreferrer: bool,
    pub(super) target_blank: bool,
}

/// Tells whether rules allow no more than so many attributes and elements, and no pattern has to be looked for.
pub(super) fn is_light(rules: &Value, most: usize) -> bool {
    let Some(rules) = rules.as_array() else { return true };
    let weight = |rule: &Value| {
        let parts = rule.as_array().map(Vec::as_slice).unwrap_or_default();
        let count = |index| parts.get(index).and_then(Value::as_array).map_or(0, Vec::len);
        let has_pattern = parts.get(2).is_some_and(|pattern| pattern.as_str().is_some());
        if has_pattern { usize::MAX } else { 1_usize.saturating_add(count(1).saturating_mul(count(3).max(1))) }
    };
    rules.len() <= most && rules.iter().map(weight).fold(0, usize::saturating_add) <= most
}

/// Elements that no policy can allow: what stands in them is no text, or is a page of its own.
const NEVER: &[&str] = &[
    "script",
    "style",
    "frameset",
    "frame",
    "plaintext",
    "xmp",
    "noscript",
    "noembed",
    "noframes",
    "template",
    "base",
    "meta",
    "link",
];

impl Policy {
    /// Replays the rules that were laid down in Lua.
    pub(super) fn read(rules: &Value) -> Result<Self, Fault> {
        let changed = || Fault::Raised("Policy expected: call this with `:`".to_owned());
        let rules = rules.as_array().filter(|rules| rules.len() <= MAX_RULES).ok_or_else(changed)?;
        let mut policy = Self::default();
        let mut left = MAX_ATTRIBUTES;
        for rule in rules {
            let parts = rule.as_array().ok_or_else(changed)?;
            let name = parts.first().and_then(Value::as_str).ok_or_else(changed)?;
            let values = texts(parts.get(1));
            let on = parts.get(1).and_then(Value::as_array).and_then(|values| values.first()).and_then(Value::as_bool);
            let on = on.unwrap_or(true);
            match name {
                "empty" => {}
                "ugc" => policy.allow_user_content(),
                "allow_elements" => policy.allow(&values),
                "attrs" => {
                    let pattern = parts.get(2).and_then(Value::as_str).map(text::compile).transpose()?;
                    let elements = texts(parts.get(3));
                    let everywhere = parts.get(3) == Some(&Value::Boolean(true));
                    let elements = if everywhere { vec!["*"] } else { elements };
                    let count = values.len().saturating_mul(elements.len());
                    let too_many = || invalid(format!("a policy allows at most {MAX_ATTRIBUTES} attributes of elements"));
                    left = left.checked_sub(count).ok_or_else(too_many)?;
                    policy.allow_attributes(&values, &elements, pattern.as_ref());
                }
                "allow_url_schemes" => policy.urls.allow_schemes(&values),
                "allow_relative_urls" => policy.urls.allow_relative(on),
                "require_parseable_urls" => policy.urls.strict = on,
                "allow_standard_urls" => policy.allow_standard_urls(),
                "allow_data_uri_images" => policy.urls.data_images = true,
                "require_nofollow_on_links" => policy.nofollow = on,
                "require_noreferrer_on_links" => policy.noreferrer = on,
                "add_target_blank_to_fully_qualified_links" => policy.target_blank = on,
                "allow_images" => policy.allow_images(),
                "allow_lists" => policy.allow_lists(),
                "allow_tables" => policy.allow_tables(),
                "allow_standard_attributes" => {
                    policy.allow_attributes(&["id", "class", "title", "dir", "lang"], &["*"], None);
                }
                _ => return Err(changed()),
            }
        }
        Ok(policy)
    }

    /// Tells whether an element may stay.
    pub(super) fn allows(&self, element: &str) -> bool {
        self.elements.contains(element)
    }

    /// Tells whether an attribute may stay on an element.
    pub(super) fn allows_attribute(&self, element: &str, name: &str, value: &str, watch: &Watch) -> Result<bool, Error> {
        // Handlers are programs.
        if name.starts_with("on") {
            return Ok(false);
        }
        let rules = [element, "*"].into_iter().filter_map(|element| self.attributes.get(&(element.to_owned(), name.to_owned())));
        for pattern in rules.flatten() {
            watch.check()?;
            let allows = match pattern {
                Some(pattern) => {
                    pattern.check(value.len())?;
                    pattern.is_match(value.as_bytes())
                }
                None => name != "style" || is_plain_style(value),
            };
            if allows {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn allow(&mut self, elements: &[&str]) {
        let lower = elements.iter().map(|element| element.to_ascii_lowercase());
        self.elements.extend(lower.filter(|element| !NEVER.contains(&element.as_str())));
    }

    fn allow_attributes(&mut self, names: &[&str], elements: &[&str], pattern: Option<&Arc<Pattern>>) {
        for element in elements {
            if *element != "*" {
                self.allow(&[element]);
            }
            for name in names {
                let key = (element.to_ascii_lowercase(), name.to_ascii_lowercase());
                self.attributes.entry(key).or_default().push(pattern.map(Arc::clone));
            }
        }
    }

    fn allow_standard_urls(&mut self) {
        self.urls.allow_schemes(&["mailto", "http", "https"]);
        self.urls.allow_relative(true);
        self.nofollow = true;
    }

    fn allow_images(&mut self) {
        self.allow_attributes(&["src", "alt", "align", "height", "width"], &["img"], None);
        self.allow_standard_urls();
    }

    fn allow_lists(&mut self) {
        self.allow(&["ul", "ol", "li", "dl", "dt", "dd"]);
        self.allow_attributes(&["type"], &["ol", "ul", "li"], None);
        self.allow_attributes(&["value"], &["li"], None);
    }

    fn allow_tables(&mut self) {
        self.allow(&["table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "col", "colgroup"]);
        self.allow_attributes(&["height", "width", "summary"], &["table"], None);
        let cells = ["align", "valign", "colspan", "rowspan", "height", "width", "abbr", "headers", "scope"];
        self.allow_attributes(&cells, &["td", "th"], None);
        self.allow_attributes(&["align", "valign"], &["tr", "thead", "tbody", "tfoot"], None);
        self.allow_attributes(&["align", "span", "valign", "width"], &["col", "colgroup"], None);
    }

    fn allow_user_content(&mut self) {
        self.allow(&[
            "article",
            "aside",
            "figure",
            "figcaption",
            "section",
            "summary",
            "hgroup",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "br",
            "div",
            "hr",
            "p",
            "span",
            "wbr",
            "abbr",
            "acronym",
            "cite",
            "code",
            "dfn",
            "em",
            "mark",
            "s",
            "samp",
            "strong",
            "sub",
            "sup",
            "var",
            "b",
            "i",
            "pre",
            "small",
            "strike",
            "tt",
            "u",
            "rp",
            "rt",
            "ruby",
            "kbd",
        ]);
        self.allow_attributes(&["id", "title", "dir", "lang"], &["*"], None);
        self.allow_attributes(&["open"], &["details"], None);
        self.allow_attributes(&["cite"], &["blockquote", "q", "del", "ins"], None);
        self.allow_attributes(&["datetime"], &["time", "del", "ins"], None);
        self.allow_attributes(&["dir"], &["bdi", "bdo"], None);
        self.allow_attributes(&["href"], &["a"], None);
        self.allow_attributes(&["value", "min", "max", "low", "high", "optimum"], &["meter", "progress"], None);
        self.allow_images();
        self.allow_lists();
        self.allow_tables();
    }
}

/// Styles that load something, or that old browsers ran.
fn is_plain_style(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    !["url", "expression", "javascript", "import", "binding", "behavior", "\\", "/*"].iter().any(|part| value.contains(part))
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).map(|values| values.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}
