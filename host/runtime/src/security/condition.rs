//! Conditions of declarative policies: one fact, one operator, one value.

use std::cmp::Ordering;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::fact::{Fact, Field, Request};
use super::policy::{Problem, unknown_fields};

/// The longest regular expression in bytes, and the memory its program may take: policies may come from change sets of guests.
const MAX_REGEX_BYTES: usize = 1_024;
const MAX_REGEX_PROGRAM: usize = 1 << 18;

/// What must hold so that a policy applies.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    field: Field,
    test: Test,
    /// The test must fail: `ne`, `nin`, `nexists`, `ncontains`, `nmatches`.
    negated: bool,
}

#[derive(Debug, Clone)]
enum Test {
    Equals(Operand),
    /// The fact comes before, after or is equal to the operand: which of these is fine.
    Compares(Operand, fn(Ordering) -> bool),
    In(Operand),
    Exists,
    Contains(Operand),
    Matches(Regex),
}

/// What a fact is compared with.
#[derive(Debug, Clone)]
enum Operand {
    Value(Value),
    Field(Field),
}

impl Operand {
    fn of<'a>(&'a self, request: &Request<'a>) -> Fact<'a> {
        match self {
            Self::Value(value) => Fact::Value(value),
            Self::Field(field) => field.of(request),
        }
    }
}

impl Condition {
    /// Tells whether the condition holds. A test of something that is missing, or of another type, fails.
    pub(super) fn holds(&self, request: &Request<'_>) -> bool {
        let fact = self.field.of(request);
        let passes = match &self.test {
            Test::Equals(operand) => fact.equals(operand.of(request)),
            Test::Compares(operand, fine) => fact.compare(operand.of(request)).is_some_and(fine),
            Test::In(operand) => operand.of(request).has(fact),
            Test::Exists => !fact.is_missing(),
            Test::Contains(operand) => fact.contains(operand.of(request)),
            Test::Matches(regex) => fact.text().is_some_and(|text| regex.is_match(text)),
        };
        passes != self.negated
    }

    /// Gives the fact and the text, when the condition is that they are equal.
    pub(super) fn equality(&self) -> Option<(&Field, &str)> {
        match &self.test {
            Test::Equals(Operand::Value(Value::String(text))) if !self.negated => Some((&self.field, text)),
            _ => None,
        }
    }

    /// Reads one condition; problems are added with their path.
    pub(super) fn read(value: &Value, path: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        let Value::Object(fields) = value else {
            problems.push(Problem::new(path, "a condition is a map with `field`, `operator` and `value` or `value_from`"));
            return None;
        };
        let before = problems.len();
        unknown_fields(fields, &["field", "operator", "value", "value_from"], path, problems);
        let field = read_field(fields.get("field"), &format!("{path}.field"), problems);
        let operator = fields.get("operator").and_then(Value::as_str).unwrap_or_default();
        let operand = match (fields.get("value"), fields.get("value_from")) {
            (Some(_), Some(_)) => {
                problems.push(Problem::new(path, "give either `value` or `value_from`, not both"));
                None
            }
            (Some(value), None) => Some(Operand::Value(value.clone())),
            (None, Some(from)) => read_field(Some(from), &format!("{path}.value_from"), problems).map(Operand::Field),
            (None, None) => None,
        };
        if problems.len() > before {
            return None;
        }
        match read_test(operator, operand) {
            Ok((test, negated)) => Some(Self { field: field?, test, negated }),
            Err(message) => {
                problems.push(Problem::new(path, message));
                None
            }
        }
    }
}

fn read_field(value: Option<&Value>, path: &str, problems: &mut Vec<Problem>) -> Option<Field> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    let field = Field::new(&text.split('.').collect::<Vec<_>>());
    if field.is_none() {
        let message = format!("`{text}` is no fact: use actor.id, actor.meta.*, action, resource or meta.*");
        problems.push(Problem::new(path, message));
    }
    field
}

/// Makes the test of an operator, and whether it is negated.
fn read_test(operator: &str, operand: Option<Operand>) -> Result<(Test, bool), String> {
    let plain = operator.strip_prefix('n').filter(|rest| matches!(*rest, "e" | "in" | "exists" | "contains" | "matches"));
    let (name, negated) = match plain {
        Some("e") => ("eq", true),
        Some(name) => (name, true),
        None => (operator, false),
    };
    if name == "exists" {
        // `exists: false` says the same as `nexists`.
        return match operand {
            None | Some(Operand::Value(Value::Bool(true))) => Ok((Test::Exists, negated)),
            Some(Operand::Value(Value::Bool(false))) => Ok((Test::Exists, !negated)),
            Some(_) => Err(format!("the value of `{operator}` is true or false")),
        };
    }
    let operand = || operand.clone().ok_or_else(|| format!("`{operator}` needs a `value` or `value_from`"));
    let test = match name {
        "eq" => Test::Equals(operand()?),
        "lt" => Test::Compares(operand()?, Ordering::is_lt),
        "lte" => Test::Compares(operand()?, Ordering::is_le),
        "gt" => Test::Compares(operand()?, Ordering::is_gt),
        "gte" => Test::Compares(operand()?, Ordering::is_ge),
        "in" => match operand()? {
            Operand::Value(value) if !value.is_array() => return Err(format!("the value of `{operator}` is a list")),
            operand => Test::In(operand),
        },
        "contains" => Test::Contains(operand()?),
        "matches" => match operand()? {
            Operand::Value(Value::String(pattern)) => Test::Matches(read_regex(&pattern)?),
            // A pattern that a guest may choose would be compiled at each call.
            _ => return Err(format!("the value of `{operator}` is a regular expression, written here")),
        },
        _ => {
            return Err(format!(
                "`{operator}` is no operator: use eq, ne, lt, lte, gt, gte, in, nin, exists, nexists, contains, ncontains, matches or nmatches"
            ));
        }
    };
    Ok((test, negated))
}

/// Compiles a regular expression, which takes linear time to match whatever it is.
pub(super) fn read_regex(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_REGEX_BYTES {
        return Err(format!("a regular expression has at most {MAX_REGEX_BYTES} bytes"));
    }
    let regex = RegexBuilder::new(pattern).size_limit(MAX_REGEX_PROGRAM).build();
    regex.map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim();
        format!("`{pattern}` is no regular expression: {}", reason.strip_prefix("error: ").unwrap_or(reason))
    })
}
