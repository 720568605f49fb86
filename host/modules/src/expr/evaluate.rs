//! Runs a program over an environment.

use std::rc::Rc;
use std::sync::Arc;

use moonlet_runtime::{Error, Value};

use super::ast::{Binary, Kind, Node, Pointer, Program, Unary};
use super::lexer::place;
use super::value::{Item, KEY_BYTES, Room};
use super::{builtins, dates, number, predicate};
use crate::fail::{exceeded, internal};
use crate::heavy::Canceled;
use crate::text::Pattern;

/// What one run may do. A step is about one operation, or 64 bytes that are copied.
const MAX_STEPS: usize = 500_000;
/// The same on a thread that others wait for: a fraction of a millisecond.
const QUICK_STEPS: usize = 5_000;
/// The largest result that is written on such a thread.
const QUICK_RESULT: usize = 64 * 1024;
/// Steps after which a run looks whether somebody waits for it still.
const ASKED: usize = 1_024;
/// The longest list that a range makes, and the longest string.
const MAX_RANGE: i64 = 100_000;
pub(super) const MAX_TEXT: usize = 1024 * 1024;

/// Why a run came to nothing.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    at: Option<usize>,
    limit: Option<Bound>,
}

/// A limit that is reached: its name and what it allows.
pub(crate) type Bound = (&'static str, u64);

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), at: None, limit: None }
    }

    /// More than a limit allows.
    pub(super) fn over(message: impl Into<String>, name: &'static str, allowed: u64) -> Self {
        Self { limit: Some((name, allowed)), ..Self::new(message) }
    }

    /// A text would be longer than texts may be.
    pub(super) fn long_text() -> Self {
        Self::over(format!("a string is longer than {MAX_TEXT} bytes"), "text", MAX_TEXT as u64)
    }

    /// Names the function that failed.
    pub(super) fn of(mut self, function: &str) -> Self {
        if self.limit.is_none() {
            self.message = format!("{}: {}", function, self.message);
        }
        self
    }

    /// Returns the message, and which limit is reached.
    pub(super) fn parts(self) -> (String, Option<Bound>) {
        (self.message, self.limit)
    }

    fn within(mut self, node: &Node) -> Self {
        self.at.get_or_insert(node.at);
        self
    }
}

/// The steps that are left.
#[derive(Debug)]
pub(super) struct Steps {
    left: usize,
    /// Whether these are few, because others wait for this thread.
    quick: bool,
    /// Whether more were asked for.
    over: bool,
    canceled: Option<Canceled>,
}

impl Steps {
    /// Few steps, for a thread that others wait for.
    pub(super) fn few() -> Self {
        Self { left: QUICK_STEPS, quick: true, over: false, canceled: None }
    }

    /// All steps that an evaluation may take.
    pub(super) fn all(canceled: Option<Canceled>) -> Self {
        Self { left: MAX_STEPS, quick: false, over: false, canceled }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<(), Failure> {
        let Some(left) = self.left.checked_sub(count) else {
            self.over = true;
            let message = format!("the expression takes more than {MAX_STEPS} steps");
            return Err(Failure::over(message, "steps", MAX_STEPS as u64));
        };
        let asks = left / ASKED != self.left / ASKED;
        if asks && self.canceled.as_ref().is_some_and(Canceled::is_set) {
            self.left = 0;
            return Err(Failure::new("nobody waits for the expression any more"));
        }
        self.left = left;
        Ok(())
    }

    /// Compiles a pattern and takes the steps of a search with it: at worst each byte of the text meets each state of the pattern.
    fn search(&mut self, text: &str, pattern: &str) -> Result<Arc<Pattern>, Failure> {
        let found = match crate::text::quick(pattern) {
            Some(found) => found,
            None if self.quick => {
                self.take(self.left + 1)?;
                return Err(Failure::new("the pattern takes long to compile"));
            }
            None => crate::text::compile(pattern),
        };
        let found = found.map_err(|error| Failure::new(error.message))?;
        let cost = usize::try_from(found.cost(text.len())).unwrap_or(usize::MAX);
        self.take(16 + cost / if self.quick { 512 } else { 8_192 })?;
        Ok(found)
    }
}

/// What a predicate sees of its function.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) item: Item,
    pub(super) index: usize,
    pub(super) accumulator: Item,
}

/// Why a value is not there: a failure, or an optional chain that ended.
#[derive(Debug)]
pub(super) enum Stop {
    Failed(Failure),
    ChainEnded,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

pub(super) struct Run {
    environment: Option<Item>,
    /// Whether a name that is nowhere is a mistake.
    strict: bool,
    variables: Vec<(Rc<str>, Item)>,
    pub(super) frames: Vec<Frame>,
    pub(super) steps: Steps,
}

/// Runs a program on a thread that others wait for; none: it takes longer than such a thread has.
pub(super) fn run_quickly(program: &Program, environment: &Value, max_bytes: usize) -> Option<Result<Value, Error>> {
    let (result, over) = run_within(program, environment, max_bytes, Steps::few());
    if over { None } else { Some(result) }
}

/// Runs a program; the result has at most `max_bytes`.
pub(super) fn run(program: &Program, environment: &Value, max_bytes: usize, canceled: Option<Canceled>) -> Result<Value, Error> {
    run_within(program, environment, max_bytes, Steps::all(canceled)).0
}

/// Runs a program with some steps, and tells whether it wanted more.
fn run_within(program: &Program, environment: &Value, max_bytes: usize, steps: Steps) -> (Result<Value, Error>, bool) {
    let mut run = Run { environment: None, strict: false, variables: Vec::new(), frames: Vec::new(), steps };
    let result = (|| {
        if !environment.is_nil() {
            run.environment = Some(Item::from_value(environment, &mut run.steps)?);
        }
        let item = run.evaluate(&program.root)?;
        // To write a value that is shared takes longer than to make it.
        let most = if run.steps.quick { max_bytes.min(QUICK_RESULT) } else { max_bytes };
        let mut room = Room::new(most);
        let value = item.to_value(&mut room);
        run.steps.over |= run.steps.quick && value.is_err();
        value
    })();
    let over = run.steps.over;
    let result = result.map_err(|failure| {
        let place = failure.at.map_or_else(String::new, |at| {
            let (line, column) = place(&program.source, at);
            format!(" ({line}:{column})")
        });
        let message = format!("failed to evaluate the expression: {}{place}", failure.message);
        failed(message, failure.limit)
    });
    (result, over)
}

/// The error for a program.
pub(super) fn failed(message: String, limit: Option<Bound>) -> Error {
    match limit {
        Some((name, allowed)) => exceeded(message, name, allowed),
        None => internal(message),
    }
}

type Evaluated = Result<Item, Failure>;

impl Run {
    /// Starts for a template, where names must be known.
    pub(super) fn strict() -> Self {
        Self { environment: None, strict: true, variables: Vec::new(), frames: Vec::new(), steps: Steps::all(None) }
    }

    pub(super) fn set_environment(&mut self, environment: Item) {
        self.environment = Some(environment);
    }

    pub(super) fn define(&mut self, name: &str, value: Item) {
        self.variables.push((name.into(), value));
    }

    /// Counts the variables that are defined.
    pub(super) fn variables(&self) -> usize {
        self.variables.len()
    }

    /// Takes all variables but the first ones away, to put them back later.
    pub(super) fn hide(&mut self, count: usize) -> Vec<(Rc<str>, Item)> {
        self.variables.split_off(count.min(self.variables.len()))
    }

    /// Puts variables back that were hidden.
    pub(super) fn show(&mut self, hidden: Vec<(Rc<str>, Item)>) {
        self.variables.extend(hidden);
    }

    /// Forgets all variables but the first ones.
    pub(super) fn forget(&mut self, count: usize) {
        self.variables.truncate(count);
    }

    pub(super) fn evaluate(&mut self, node: &Node) -> Evaluated {
        match self.value(node) {
            Ok(item) => Ok(item),
            Err(Stop::Failed(failure)) => Err(failure.within(node)),
            Err(Stop::ChainEnded) => Ok(Item::Nil),
        }
    }

    pub(super) fn condition(&mut self, node: &Node) -> Result<bool, Failure> {
        match self.evaluate(node)? {
            Item::Bool(value) => Ok(value),
            other => Err(Failure::new(format!("a condition is a bool, not {}", other.type_name())).within(node)),
        }
    }

    fn value(&mut self, node: &Node) -> Result<Item, Stop> {
        self.steps.take(1)?;
        Ok(match &node.kind {
            Kind::Nil => Item::Nil,
            Kind::Bool(value) => Item::Bool(*value),
            Kind::Int(value) => Item::Int(*value),
            Kind::Float(value) => Item::Float(*value),
            Kind::Text(text) => {
                self.steps.take(text.len() / 64)?;
                Item::text(text)
            }
            Kind::Array(nodes) => Item::list(nodes.iter().map(|node| self.evaluate(node)).collect::<Result<_, _>>()?)?,
            Kind::Map(fields) => {
                let mut map = std::collections::BTreeMap::new();
                for (key, value) in fields {
                    let key = match self.evaluate(key)? {
                        Item::Text(text) => {
                            self.steps.take(text.len() / KEY_BYTES)?;
                            text
                        }
                        Item::Int(value) => value.to_string().into(),
                        other => return Err(Failure::new(format!("a key is a string, not {}", other.type_name())).into()),
                    };
                    map.insert(key, self.evaluate(value)?);
                }
                Item::map(map)?
            }
            Kind::Name(name) => self.name(name)?,
            Kind::Pointer(pointer) => self.pointer(*pointer)?,
            Kind::Environment => self.environment.clone().unwrap_or(Item::Nil),
            Kind::Unary(operator, operand) => self.unary(*operator, operand)?,
            Kind::Binary(operator, left, right) => self.binary(*operator, left, right)?,
            Kind::Conditional(condition, then, otherwise) => {
                let branch = if self.condition(condition)? { then } else { otherwise };
                self.evaluate(branch)?
            }
            Kind::Member { object, key, optional } => {
                let object = match &object.kind {
                    // Within a chain, its end is passed on.
                    Kind::Member { .. } | Kind::Method { .. } => self.value(object)?,
                    _ => self.evaluate(object)?,
                };
                if *optional && matches!(object, Item::Nil) {
                    return Err(Stop::ChainEnded);
                }
                let key = self.evaluate(key)?;
                self.steps.take(object.text_steps() + key.text_steps())?;
                member(&object, &key)?
            }
            Kind::Chain(inner) => self.evaluate(inner)?,
            Kind::Slice(object, from, to) => {
                let object = self.evaluate(object)?;
                let from = from.as_ref().map(|node| self.evaluate(node)).transpose()?;
                let to = to.as_ref().map(|node| self.evaluate(node)).transpose()?;
                self.slice(&object, from.as_ref(), to.as_ref())?
            }
            Kind::Call(name, nodes) if &**name == "isset" => {
                let mut set = true;
                for node in nodes {
                    set &= matches!(self.evaluate(node), Ok(item) if !matches!(item, Item::Nil));
                }
                Item::Bool(set)
            }
            Kind::Call(name, nodes) => {
                let args = nodes.iter().map(|node| self.evaluate(node)).collect::<Result<Vec<_>, _>>()?;
                builtins::call(name, &args, &mut self.steps)?
            }
            Kind::Method { object, name, args, optional } => {
                let object = match &object.kind {
                    Kind::Member { .. } | Kind::Method { .. } => self.value(object)?,
                    _ => self.evaluate(object)?,
                };
                if *optional && matches!(object, Item::Nil) {
                    return Err(Stop::ChainEnded);
                }
                let args = args.iter().map(|node| self.evaluate(node)).collect::<Result<Vec<_>, _>>()?;
                self.steps.take(args.iter().map(Item::text_steps).sum())?;
                dates::method(&object, name, &args, &mut self.steps)?
            }
            Kind::Predicate { name, list, body, rest } => {
                let list = self.evaluate(list)?;
                let rest = rest.as_ref().map(|node| self.evaluate(node)).transpose()?;
                predicate::call(self, name, &list, body.as_deref(), rest)?
            }
            Kind::Let(name, value, body) => {
                let value = self.evaluate(value)?;
                self.variables.push((Rc::from(&**name), value));
                let result = self.evaluate(body);
                self.variables.pop();
                result?
            }
        })
    }

    fn name(&mut self, name: &str) -> Evaluated {
        if let Some((_, value)) = self.variables.iter().rev().find(|(variable, _)| &**variable == name) {
            return Ok(value.clone());
        }
        match &self.environment {
            Some(Item::Map(map)) if map.fields.contains_key(name) => Ok(map.fields.get(name).cloned().unwrap_or(Item::Nil)),
            Some(_) if self.strict => Err(Failure::new(format!("there is no variable `{name}`"))),
            Some(_) => Ok(Item::Nil),
            None => Err(Failure::new(format!("cannot fetch `{name}`: there is no environment"))),
        }
    }

    fn pointer(&mut self, pointer: Pointer) -> Evaluated {
        let frame = self.frames.last().ok_or_else(|| Failure::new("`#` has a meaning in predicates only"))?;
        Ok(match pointer {
            Pointer::Item => frame.item.clone(),
            Pointer::Accumulator => frame.accumulator.clone(),
            Pointer::Index => Item::Int(frame.index as i64),
        })
    }

    fn unary(&mut self, operator: Unary, operand: &Node) -> Evaluated {
        let value = self.evaluate(operand)?;
        match (operator, &value) {
            (Unary::Not, Item::Bool(value)) => Ok(Item::Bool(!value)),
            (Unary::Minus, Item::Int(value)) => Ok(Item::Int(value.wrapping_neg())),
            (Unary::Minus, Item::Float(value)) => Ok(Item::Float(-value)),
            (Unary::Minus, Item::Duration(length)) => Ok(Item::Duration(length.saturating_neg())),
            (Unary::Plus, Item::Int(_) | Item::Float(_)) => Ok(value),
            _ => {
                let symbol = match operator {
                    Unary::Not => "not",
                    Unary::Minus => "-",
                    Unary::Plus => "+",
                };
                Err(Failure::new(format!("invalid operation: {symbol} {}", value.type_name())))
            }
        }
    }

    fn binary(&mut self, operator: Binary, left: &Node, right: &Node) -> Evaluated {
        match operator {
            Binary::Or => return Ok(Item::Bool(self.condition(left)? || self.condition(right)?)),
            Binary::And => return Ok(Item::Bool(self.condition(left)? && self.condition(right)?)),
            Binary::Coalesce => {
                let value = self.evaluate(left)?;
                return if matches!(value, Item::Nil) { self.evaluate(right) } else { Ok(value) };
            }
            _ => {}
        }
        let (a, b) = (self.evaluate(left)?, self.evaluate(right)?);
        self.steps.take(a.text_steps() + b.text_steps())?;
        let wrong = || Failure::new(format!("invalid operation: {} {} {}", a.type_name(), operator.symbol(), b.type_name()));
        let order = || a.compare(&b).ok_or_else(wrong);
        let texts = || match (&a, &b) {
            (Item::Text(a), Item::Text(b)) => Ok((Rc::clone(a), Rc::clone(b))),
            _ => Err(wrong()),
        };
        Ok(Item::Bool(match operator {
            Binary::Equal => a.equals(&b, &mut self.steps)?,
            Binary::NotEqual => !a.equals(&b, &mut self.steps)?,
            Binary::Less => order()?.is_lt(),
            Binary::LessOrEqual => order()?.is_le(),
            Binary::Greater => order()?.is_gt(),
            Binary::GreaterOrEqual => order()?.is_ge(),
            Binary::In => self.is_in(&a, &b)?.ok_or_else(wrong)?,
            Binary::Contains => {
                let (text, part) = texts()?;
                text.contains(&*part)
            }
            Binary::StartsWith => texts()?.0.starts_with(&*texts()?.1),
            Binary::EndsWith => texts()?.0.ends_with(&*texts()?.1),
            Binary::Matches => {
                let (text, pattern) = texts()?;
                self.steps.search(&text, &pattern)?.is_match(text.as_bytes())
            }
            Binary::Range => {
                return self.range(&a, &b).map_err(|failure| if failure.limit.is_some() { failure } else { wrong() });
            }
            _ => {
                if let (Binary::Add, Item::Text(_), Item::Text(_)) = (operator, &a, &b) {
                    let (a, b) = texts()?;
                    return self.text([&*a, &*b].concat());
                }
                return number::arithmetic(operator, &a, &b).ok_or_else(wrong)?;
            }
        }))
    }

    fn is_in(&mut self, item: &Item, container: &Item) -> Result<Option<bool>, Failure> {
        match container {
            Item::List(list) => {
                for other in &list.items {
                    if item.equals(other, &mut self.steps)? {
                        return Ok(Some(true));
                    }
                }
                Ok(Some(false))
            }
            Item::Map(map) => Ok(match item {
                Item::Text(name) => Some(map.fields.contains_key(name)),
                Item::Int(number) => Some(map.fields.contains_key(number.to_string().as_str())),
                _ => Some(false),
            }),
            Item::Nil => Ok(Some(false)),
            _ => Ok(None),
        }
    }

    fn range(&mut self, from: &Item, to: &Item) -> Evaluated {
        let (Item::Int(from), Item::Int(to)) = (from, to) else { return Err(Failure::new("")) };
        let count = to.saturating_sub(*from).saturating_add(1).max(0);
        if count > MAX_RANGE {
            let message = format!("a range has {count} items, at most {MAX_RANGE} are allowed");
            return Err(Failure::over(message, "range", MAX_RANGE.unsigned_abs()));
        }
        self.steps.take(usize::try_from(count).unwrap_or(usize::MAX))?;
        Item::list((*from..=*to).map(Item::Int).collect())
    }

    fn slice(&mut self, object: &Item, from: Option<&Item>, to: Option<&Item>) -> Evaluated {
        let length = match object {
            Item::List(list) => list.items.len(),
            Item::Text(text) => {
                self.steps.take(text.len() / 64)?;
                text.chars().count()
            }
            other => return Err(Failure::new(format!("cannot slice {}", other.type_name()))),
        };
        let place = |item: Option<&Item>, default: usize| match item {
            None => Ok(default),
            Some(Item::Int(index)) if *index < 0 => {
                Ok(length.saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)))
            }
            Some(Item::Int(index)) => Ok(usize::try_from(*index).unwrap_or(usize::MAX).min(length)),
            Some(other) => Err(Failure::new(format!("an index is an int, not {}", other.type_name()))),
        };
        let (from, to) = (place(from, 0)?, place(to, length)?);
        let count = to.saturating_sub(from);
        self.steps.take(count)?;
        match object {
            Item::List(list) => Item::list(list.items.iter().skip(from).take(count).cloned().collect()),
            Item::Text(text) => Ok(Item::text(text.chars().skip(from).take(count).collect::<String>())),
            _ => Ok(Item::Nil),
        }
    }

    /// Makes a string, whose size counts.
    pub(super) fn text(&mut self, text: String) -> Evaluated {
        self.steps.take(text.len() / 64)?;
        if text.len() > MAX_TEXT {
            return Err(Failure::long_text());
        }
        Ok(Item::text(text))
    }
}

/// Reads a field of a map or an item of a list.
pub(super) fn member(object: &Item, key: &Item) -> Evaluated {
    match (object, key) {
        (Item::Map(map), Item::Text(name)) => Ok(map.fields.get(name).cloned().unwrap_or(Item::Nil)),
        (Item::Map(map), Item::Int(number)) => Ok(map.fields.get(number.to_string().as_str()).cloned().unwrap_or(Item::Nil)),
        (Item::List(list), Item::Text(_)) if list.items.is_empty() => Ok(Item::Nil),
        (Item::List(list), Item::Int(index)) => {
            let length = list.items.len();
            let place = if *index < 0 { index.saturating_add_unsigned(length as u64) } else { *index };
            let found = usize::try_from(place).ok().and_then(|place| list.items.get(place)).cloned();
            found.ok_or_else(|| Failure::new(format!("index out of range: {index} (array length is {length})")))
        }
        (Item::Text(text), Item::Int(index)) => {
            let count = text.chars().count();
            let place = if *index < 0 { index.saturating_add_unsigned(count as u64) } else { *index };
            let found = usize::try_from(place).ok().and_then(|place| text.chars().nth(place));
            let found = found.ok_or_else(|| Failure::new(format!("index out of range: {index} (string length is {count})")))?;
            Ok(Item::text(found.encode_utf8(&mut [0; 4])))
        }
        (_, Item::Text(name)) => Err(Failure::new(format!("cannot fetch `{name}` from {}", object.type_name()))),
        (_, key) => Err(Failure::new(format!("cannot fetch {} from {}", key.type_name(), object.type_name()))),
    }
}
