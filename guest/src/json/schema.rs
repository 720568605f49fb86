//! JSON Schema: checks a value against a schema of the 2020-12 vocabulary (and the older names that are still common).
//!
//! Left out: references to other documents, `unevaluated*`, dynamic references. Formats that are not known are not checked.

mod formats;

use super::tree::Json;

/// The most levels of schemas inside one another, which ends a `$ref` that leads to itself.
const MAX_DEPTH: usize = 256;

/// The most steps of one validation: a few references can demand exponential work otherwise.
const MAX_STEPS: usize = 1_000_000;

/// Why a validation did not succeed.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The schema itself is wrong.
    Schema(String),
    /// The value does not fit.
    Value(String),
}

type Checked = Result<(), Verdict>;

/// Checks a value.
pub(crate) fn validate(schema: &Json, value: &Json) -> Checked {
    let mut run = Run { root: schema, path: Vec::new(), steps: 0, depth: 0 };
    run.check(schema, value)
}

struct Run<'a> {
    root: &'a Json,
    /// Where in the value the check is.
    path: Vec<String>,
    steps: usize,
    depth: usize,
}

impl<'a> Run<'a> {
    #[cold]
    fn bad<T>(&self, what: impl AsRef<str>) -> Result<T, Verdict> {
        let path: String = self.path.concat();
        let place = if path.is_empty() { "value" } else { path.trim_start_matches('.') };
        Err(Verdict::Value(format!("{place}: {}", what.as_ref())))
    }

    #[cold]
    fn wrong_schema<T>(&self, what: impl AsRef<str>) -> Result<T, Verdict> {
        Err(Verdict::Schema(what.as_ref().to_owned()))
    }

    fn check(&mut self, schema: &'a Json, value: &Json) -> Checked {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return self.wrong_schema(format!("validation takes more than {MAX_STEPS} steps"));
        }
        if self.depth >= MAX_DEPTH {
            return self.wrong_schema("schemas refer to one another without end");
        }
        let members = match schema {
            Json::Boolean(true) => return Ok(()),
            Json::Boolean(false) => return self.bad("nothing is allowed here"),
            Json::Object(_) | Json::Empty => schema.members().unwrap_or_default(),
            _ => return self.wrong_schema("a schema is a table or a boolean"),
        };
        self.depth += 1;
        let result = members.iter().try_for_each(|(keyword, argument)| self.keyword(schema, keyword, argument, value));
        self.depth -= 1;
        result
    }

    fn inside(&mut self, step: String, schema: &'a Json, value: &Json) -> Checked {
        self.path.push(step);
        let result = self.check(schema, value);
        self.path.pop();
        result
    }

    fn fits(&mut self, schema: &'a Json, value: &Json) -> Result<bool, Verdict> {
        let path = self.path.len();
        let depth = self.depth;
        match self.check(schema, value) {
            Ok(()) => Ok(true),
            Err(Verdict::Value(_)) => {
                self.path.truncate(path);
                self.depth = depth;
                Ok(false)
            }
            Err(wrong) => Err(wrong),
        }
    }

    fn keyword(&mut self, schema: &'a Json, keyword: &[u8], argument: &'a Json, value: &Json) -> Checked {
        match keyword {
            b"type" => self.types(argument, value),
            b"enum" => match argument.elements() {
                Some(options) if options.iter().any(|option| option.same(value)) => Ok(()),
                Some(options) => {
                    self.bad(format!("{} is none of {}", show(value), options.iter().map(show).collect::<Vec<_>>().join(", ")))
                }
                None => self.wrong_schema("enum is an array"),
            },
            b"const" if argument.same(value) => Ok(()),
            b"const" => self.bad(format!("expected {}, got {}", show(argument), show(value))),
            b"$ref" => match self.resolve(argument) {
                Some(target) => self.check(target, value),
                None => self.wrong_schema(format!("$ref {} leads nowhere in this schema", show(argument))),
            },
            b"allOf" => self.schemas("allOf", argument)?.iter().try_for_each(|option| self.check(option, value)),
            b"anyOf" => {
                for option in self.schemas("anyOf", argument)? {
                    if self.fits(option, value)? {
                        return Ok(());
                    }
                }
                self.bad("fits none of the schemas in anyOf")
            }
            b"oneOf" => {
                let mut count = 0;
                for option in self.schemas("oneOf", argument)? {
                    count += usize::from(self.fits(option, value)?);
                }
                if count == 1 { Ok(()) } else { self.bad(format!("fits {count} of the schemas in oneOf, and should fit one")) }
            }
            b"not" => {
                if self.fits(argument, value)? {
                    return self.bad("fits the schema in not");
                }
                Ok(())
            }
            b"if" => {
                let branch: &[u8] = if self.fits(argument, value)? { b"then" } else { b"else" };
                schema.get(branch).map_or(Ok(()), |branch| self.check(branch, value))
            }
            _ => match value {
                Json::Integer(_) | Json::Float(_) => self.number_keyword(keyword, argument, value),
                Json::String(text) => self.string_keyword(keyword, argument, text),
                Json::Array(elements) => self.array_keyword(schema, keyword, argument, elements),
                Json::Object(members) => self.object_keyword(schema, keyword, argument, members),
                // Whether an empty table is an array or an object, the keywords for both hold.
                Json::Empty => {
                    self.array_keyword(schema, keyword, argument, &[])?;
                    self.object_keyword(schema, keyword, argument, &[])
                }
                Json::Null | Json::Boolean(_) | Json::Other(_) => Ok(()),
            },
        }
    }

    fn types(&self, argument: &Json, value: &Json) -> Checked {
        let names: Vec<&[u8]> = match argument {
            Json::String(name) => vec![name],
            Json::Array(names) => names.iter().filter_map(Json::text).collect(),
            _ => Vec::new(),
        };
        const KNOWN: [&[u8]; 7] = [b"null", b"boolean", b"integer", b"number", b"string", b"array", b"object"];
        if names.is_empty() || names.iter().any(|name| !KNOWN.contains(name)) {
            return self.wrong_schema(format!(
                "type {} is unknown, use null, boolean, integer, number, string, array or object",
                show(argument)
            ));
        }
        let fits = |name: &&[u8]| match (*name, value) {
            (b"null", Json::Null) | (b"boolean", Json::Boolean(_)) | (b"string", Json::String(_)) => true,
            (b"number", Json::Integer(_) | Json::Float(_)) | (b"integer", Json::Integer(_)) => true,
            (b"integer", Json::Float(value)) => value.is_finite() && value.fract() == 0.0,
            (b"array", Json::Array(_) | Json::Empty) | (b"object", Json::Object(_) | Json::Empty) => true,
            _ => false,
        };
        if names.iter().any(fits) {
            return Ok(());
        }
        let names: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(name)).collect();
        self.bad(format!("expected {}, got {}", names.join(" or "), type_name(value)))
    }

    fn schemas(&self, keyword: &str, argument: &'a Json) -> Result<&'a [Json], Verdict> {
        match argument.elements() {
            Some(schemas) => Ok(schemas),
            None => self.wrong_schema(format!("{keyword} is an array of schemas")),
        }
    }

    /// The target of `#`, `#/a/b` or the name of an anchor.
    fn resolve(&self, reference: &Json) -> Option<&'a Json> {
        let reference = reference.text()?;
        if self.root.get(b"$id").and_then(Json::text) == Some(reference) {
            return Some(self.root);
        }
        let pointer = reference.strip_prefix(b"#")?;
        if pointer.is_empty() {
            return Some(self.root);
        }
        if pointer.first() != Some(&b'/') {
            return anchor(self.root, pointer, 0);
        }
        pointer.split(|byte| *byte == b'/').skip(1).try_fold(self.root, |place, step| {
            let step = unescape(step);
            match place {
                Json::Array(elements) => elements.get(std::str::from_utf8(&step).ok()?.parse::<usize>().ok()?),
                _ => place.get(&step),
            }
        })
    }

    /// A limit of a length or count.
    fn count(&self, keyword: &str, argument: &Json) -> Result<usize, Verdict> {
        match argument.number() {
            Some(limit) if limit >= 0.0 && limit.fract() == 0.0 => Ok(limit as usize),
            _ => self.wrong_schema(format!("{keyword} is a whole number")),
        }
    }

    fn number_keyword(&self, keyword: &[u8], argument: &Json, value: &Json) -> Checked {
        if !matches!(keyword, b"minimum" | b"maximum" | b"exclusiveMinimum" | b"exclusiveMaximum" | b"multipleOf") {
            return Ok(());
        }
        let name = String::from_utf8_lossy(keyword);
        let (Some(limit), Some(number)) = (argument.number(), value.number()) else {
            return self.wrong_schema(format!("{name} is a number"));
        };
        let fits = match keyword {
            b"minimum" => number >= limit,
            b"maximum" => number <= limit,
            b"exclusiveMinimum" => number > limit,
            b"exclusiveMaximum" => number < limit,
            _ if limit <= 0.0 => return self.wrong_schema("multipleOf is a number above 0"),
            _ => {
                let ratio = number / limit;
                (ratio - ratio.round()).abs() <= f64::EPSILON * ratio.abs()
            }
        };
        if fits { Ok(()) } else { self.bad(format!("{} breaks {name} {}", show(value), show(argument))) }
    }

    fn string_keyword(&self, keyword: &[u8], argument: &Json, text: &[u8]) -> Checked {
        let characters = || String::from_utf8_lossy(text).chars().count();
        match keyword {
            b"minLength" if characters() < self.count("minLength", argument)? => {
                self.bad(format!("is {} characters long, minLength is {}", characters(), show(argument)))
            }
            b"maxLength" if characters() > self.count("maxLength", argument)? => {
                self.bad(format!("is {} characters long, maxLength is {}", characters(), show(argument)))
            }
            b"pattern" => {
                if self.matches(argument, text)? {
                    return Ok(());
                }
                self.bad(format!("{} does not match the pattern {}", show(&Json::String(text.to_vec())), show(argument)))
            }
            b"format" => match argument.text() {
                Some(name) if formats::check(name, text) == Some(false) => {
                    self.bad(format!("is no valid {}", String::from_utf8_lossy(name)))
                }
                Some(_) => Ok(()),
                None => self.wrong_schema("format is a string"),
            },
            _ => Ok(()),
        }
    }

    fn matches(&self, pattern: &Json, text: &[u8]) -> Result<bool, Verdict> {
        let Some(pattern) = pattern.text().and_then(|pattern| std::str::from_utf8(pattern).ok()) else {
            return self.wrong_schema("a pattern is a string");
        };
        match crate::pattern::compile_text(pattern) {
            Ok(regex) => Ok(regex.is_match(&String::from_utf8_lossy(text))),
            Err(error) => self.wrong_schema(format!("pattern {pattern:?}: {error}")),
        }
    }

    fn array_keyword(&mut self, schema: &'a Json, keyword: &[u8], argument: &'a Json, elements: &[Json]) -> Checked {
        match keyword {
            b"minItems" if elements.len() < self.count("minItems", argument)? => {
                self.bad(format!("has {} elements, minItems is {}", elements.len(), show(argument)))
            }
            b"maxItems" if elements.len() > self.count("maxItems", argument)? => {
                self.bad(format!("has {} elements, maxItems is {}", elements.len(), show(argument)))
            }
            b"uniqueItems" if matches!(argument, Json::Boolean(true)) => {
                self.steps += elements.len().saturating_mul(elements.len()) / 16;
                let twice = elements
                    .iter()
                    .enumerate()
                    .find(|(index, element)| elements.iter().take(*index).any(|other| other.same(element)));
                twice.map_or(Ok(()), |(_, element)| self.bad(format!("holds {} twice", show(element))))
            }
            // An array of schemas is the older form of prefixItems.
            b"prefixItems" | b"items" if argument.elements().is_some_and(|list| !list.is_empty()) => {
                let schemas = argument.elements().unwrap_or_default();
                self.each(elements.iter().enumerate(), |index| schemas.get(index))
            }
            b"items" => {
                let prefix = schema.get(b"prefixItems").and_then(Json::elements).map_or(0, <[Json]>::len);
                self.each(elements.iter().enumerate().skip(prefix), |_| Some(argument))
            }
            b"additionalItems" => match schema.get(b"items").and_then(Json::elements) {
                Some(prefix) => self.each(elements.iter().enumerate().skip(prefix.len()), |_| Some(argument)),
                None => Ok(()),
            },
            b"contains" => {
                let mut count = 0;
                for element in elements {
                    count += usize::from(self.fits(argument, element)?);
                }
                let least = schema.get(b"minContains").map_or(Ok(1), |least| self.count("minContains", least))?;
                let most = schema.get(b"maxContains").map_or(Ok(usize::MAX), |most| self.count("maxContains", most))?;
                if (least..=most).contains(&count) {
                    Ok(())
                } else {
                    self.bad(format!("{count} elements fit the schema in contains"))
                }
            }
            _ => Ok(()),
        }
    }

    fn each<'b>(
        &mut self,
        elements: impl Iterator<Item = (usize, &'b Json)>,
        schema: impl Fn(usize) -> Option<&'a Json>,
    ) -> Checked {
        for (index, element) in elements {
            let Some(schema) = schema(index) else { break };
            self.inside(format!("[{}]", index + 1), schema, element)?;
        }
        Ok(())
    }

    fn object_keyword(&mut self, schema: &'a Json, keyword: &[u8], argument: &'a Json, members: &[(Vec<u8>, Json)]) -> Checked {
        let find = |key: &[u8]| members.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        match keyword {
            b"required" => {
                let Some(keys) = argument.elements() else { return self.wrong_schema("required is an array of keys") };
                match keys.iter().filter_map(Json::text).find(|key| find(key).is_none()) {
                    Some(key) => self.bad(format!("required field '{}' is missing", String::from_utf8_lossy(key))),
                    None => Ok(()),
                }
            }
            b"properties" => {
                for (key, property) in self.named("properties", argument)? {
                    if let Some(value) = find(key) {
                        self.inside(step(key), property, value)?;
                    }
                }
                Ok(())
            }
            b"patternProperties" => {
                for (pattern, property) in self.named("patternProperties", argument)? {
                    for (key, value) in members {
                        if self.matches(&Json::String(pattern.clone()), key)? {
                            self.inside(step(key), property, value)?;
                        }
                    }
                }
                Ok(())
            }
            b"additionalProperties" => {
                for (key, value) in members {
                    if schema.get(b"properties").is_some_and(|properties| properties.get(key).is_some()) {
                        continue;
                    }
                    let mut covered = false;
                    for (pattern, _) in schema.get(b"patternProperties").and_then(Json::members).unwrap_or_default() {
                        covered |= self.matches(&Json::String(pattern.clone()), key)?;
                    }
                    if covered {
                        continue;
                    }
                    if matches!(argument, Json::Boolean(false)) {
                        return self.bad(format!("field '{}' is not allowed", String::from_utf8_lossy(key)));
                    }
                    self.inside(step(key), argument, value)?;
                }
                Ok(())
            }
            b"propertyNames" => {
                members.iter().try_for_each(|(key, _)| self.inside(step(key), argument, &Json::String(key.clone())))
            }
            b"minProperties" if members.len() < self.count("minProperties", argument)? => {
                self.bad(format!("has {} fields, minProperties is {}", members.len(), show(argument)))
            }
            b"maxProperties" if members.len() > self.count("maxProperties", argument)? => {
                self.bad(format!("has {} fields, maxProperties is {}", members.len(), show(argument)))
            }
            b"dependentRequired" | b"dependentSchemas" | b"dependencies" => {
                for (key, demanded) in self.named("dependencies", argument)? {
                    if find(key).is_none() {
                        continue;
                    }
                    match demanded {
                        Json::Array(_) => self.object_keyword(schema, b"required", demanded, members)?,
                        _ => self.check(demanded, &Json::Object(members.to_vec()))?,
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn named(&self, keyword: &str, argument: &'a Json) -> Result<&'a [(Vec<u8>, Json)], Verdict> {
        match argument.members() {
            Some(members) => Ok(members),
            None => self.wrong_schema(format!("{keyword} is a table with names as keys")),
        }
    }
}

fn anchor<'a>(schema: &'a Json, name: &[u8], depth: usize) -> Option<&'a Json> {
    if depth > MAX_DEPTH {
        return None;
    }
    if schema.get(b"$anchor").and_then(Json::text) == Some(name) {
        return Some(schema);
    }
    let inner: Vec<&Json> = match schema {
        Json::Array(elements) => elements.iter().collect(),
        Json::Object(members) => members.iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    };
    inner.into_iter().find_map(|inner| anchor(inner, name, depth + 1))
}

/// A step of a JSON pointer, without its `~0`, `~1` and percent escapes.
fn unescape(step: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(step.len());
    let mut rest = step;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'~', [b'0', more @ ..]) => {
                out.push(b'~');
                rest = more;
            }
            (b'~', [b'1', more @ ..]) => {
                out.push(b'/');
                rest = more;
            }
            (b'%', [high, low, more @ ..]) => match (char::from(*high).to_digit(16), char::from(*low).to_digit(16)) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    rest = more;
                }
                _ => out.push(b'%'),
            },
            _ => out.push(*byte),
        }
    }
    out
}

fn step(key: &[u8]) -> String {
    format!(".{}", String::from_utf8_lossy(key))
}

fn type_name(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Boolean(_) => "boolean",
        Json::Integer(_) => "integer",
        Json::Float(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
        Json::Empty => "empty table",
        Json::Other(name) => name,
    }
}

/// A short form for messages.
fn show(value: &Json) -> String {
    match value {
        Json::Boolean(value) => value.to_string(),
        Json::Integer(value) => value.to_string(),
        Json::Float(value) => value.to_string(),
        Json::String(text) => {
            let text = String::from_utf8_lossy(text);
            let short: String = text.chars().take(60).collect();
            let dots = if short.len() < text.len() { "..." } else { "" };
            format!("\"{short}{dots}\"")
        }
        other => type_name(other).to_owned(),
    }
}
