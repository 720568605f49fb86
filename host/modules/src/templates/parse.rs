//! From parts to a tree of statements. Expressions are those of module `expr`, whose `.` is the current item.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_runtime::Error;
use parking_lot::Mutex;

use super::split::{Delimiters, Part, split};
use crate::expr::Expression;
use crate::fail::internal;
use crate::recent::Recent;

/// The longest template, and how deep its statements may nest.
const MAX_SOURCE: usize = 512 * 1024;
const MAX_DEPTH: usize = 64;

/// A template that was read.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) name: String,
    pub(super) extends: Option<String>,
    pub(super) imports: Vec<String>,
    pub(super) body: Vec<Statement>,
    /// All blocks in it, wherever they stand.
    pub(super) blocks: BTreeMap<String, Arc<Block>>,
}

/// A block, and its parameters with their defaults.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) parameters: Vec<(String, Option<Expression>)>,
    pub(super) body: Vec<Statement>,
    /// What a yield of content gives when nobody brought any.
    pub(super) content: Option<Arc<Vec<Statement>>>,
}

#[derive(Debug)]
pub(super) enum Statement {
    Text(String),
    Print {
        value: Expression,
        escape: Escape,
        line: usize,
    },
    Set {
        name: String,
        value: Expression,
        line: usize,
    },
    If {
        branches: Vec<(Expression, Vec<Statement>)>,
        otherwise: Vec<Statement>,
        line: usize,
    },
    Range {
        index: Option<String>,
        item: Option<String>,
        list: Expression,
        body: Vec<Statement>,
        empty: Vec<Statement>,
        line: usize,
    },
    Block(String, Arc<Block>),
    Yield {
        name: String,
        arguments: Vec<(Option<String>, Expression)>,
        context: Option<Expression>,
        /// What it brings along for `yield content`.
        content: Option<Arc<Vec<Statement>>>,
        line: usize,
    },
    /// The content that whoever yields the block brought along.
    Content {
        context: Option<Expression>,
        line: usize,
    },
    /// What is written only when all of it can be.
    Try {
        body: Vec<Statement>,
        /// The variable for what went wrong, and what is written then.
        variable: Option<String>,
        otherwise: Vec<Statement>,
    },
    Include {
        name: Expression,
        context: Option<Expression>,
        line: usize,
        optional: bool,
    },
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    Html,
    Url,
    Json,
    None,
}

/// Reads a template, or finds it among those that were read lately.
pub(super) fn template(id: &str, source: &str, delimiters: &Delimiters) -> Result<Arc<Template>, Error> {
    static CACHE: Mutex<Recent<Template>> = Mutex::new(Recent::new());
    let key = [id, &delimiters.key(), source].join("\u{0}");
    if let Some(template) = CACHE.lock().get(&key) {
        return Ok(template);
    }
    let fail = |(message, line): (String, usize)| internal(format!("failed to read the template `{id}`, line {line}: {message}"));
    if source.len() > MAX_SOURCE {
        return Err(fail((format!("it is longer than {MAX_SOURCE} bytes"), 1)));
    }
    let mut parser =
        Parser { parts: split(source, delimiters).map_err(fail)?.into_iter(), depth: 0, template: Template::new(id) };
    let (body, end) = parser.statements().map_err(fail)?;
    if let Some((end, line)) = end {
        return Err(fail((format!("`{end}` without a beginning"), line)));
    }
    parser.template.body = body;
    let template = Arc::new(parser.template);
    CACHE.lock().put(&key, &template);
    Ok(template)
}

impl Template {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), extends: None, imports: Vec::new(), body: Vec::new(), blocks: BTreeMap::new() }
    }
}

type Failure = (String, usize);
/// What ended a list of statements, such as `else if x`.
type Ending = Option<(String, usize)>;

struct Parser {
    parts: std::vec::IntoIter<Part>,
    depth: usize,
    template: Template,
}

impl Parser {
    fn statements(&mut self) -> Result<(Vec<Statement>, Ending), Failure> {
        let mut statements = Vec::new();
        while let Some(part) = self.parts.next() {
            let (action, line) = match part {
                Part::Text(text) => {
                    statements.push(Statement::Text(text));
                    continue;
                }
                Part::Action(action, line) => (action, line),
            };
            let (word, rest) = action
                .split_once(|c: char| c.is_whitespace() || c == '(')
                .map_or((action.as_str(), ""), |(word, _)| (word, action.get(word.len()..).unwrap_or("").trim_start()));
            let statement = match word {
                "end" | "else" | "content" | "catch" => return Ok((statements, Some((action, line)))),
                "if" => self.branches(rest, line)?,
                "range" => self.range(rest, line)?,
                "block" | "define" => self.block(rest, line)?,
                "yield" => self.yielding(rest, line)?,
                "try" => self.attempt(line)?,
                "include" | "includeIfExists" => include(rest, line, word != "include")?,
                "extends" => {
                    self.template.extends = Some(literal(rest, line)?);
                    continue;
                }
                "import" => {
                    self.template.imports.push(literal(rest, line)?);
                    continue;
                }
                "return" | "slot" => return Err((format!("`{word}` is not supported in this build"), line)),
                "" => continue,
                _ => simple(&action, line)?,
            };
            statements.push(statement);
        }
        Ok((statements, None))
    }

    /// The statements up to `end`, and to `else` before it.
    fn body(&mut self, what: &str, line: usize) -> Result<(Vec<Statement>, Ending), Failure> {
        if self.depth >= MAX_DEPTH {
            return Err((format!("statements nest deeper than {MAX_DEPTH} levels"), line));
        }
        self.depth += 1;
        let result = self.statements();
        self.depth -= 1;
        match result? {
            (_, None) => Err((format!("`{what}` has no `end`"), line)),
            (body, Some((end, _))) if end == "end" => Ok((body, None)),
            found => Ok(found),
        }
    }

    fn branches(&mut self, condition: &str, line: usize) -> Result<Statement, Failure> {
        let mut branches = Vec::new();
        let mut condition = condition.to_owned();
        loop {
            let test = expression(&condition, line)?;
            let (body, end) = self.body("if", line)?;
            branches.push((test, body));
            let Some((end, at)) = end else { return Ok(Statement::If { branches, otherwise: Vec::new(), line }) };
            let Some(rest) = end.strip_prefix("else").map(str::trim) else {
                return Err((format!("`{end}` within an `if`"), at));
            };
            if let Some(next) = rest.strip_prefix("if").filter(|next| next.starts_with([' ', '\t', '('])) {
                condition = next.trim().to_owned();
                continue;
            }
            let (otherwise, end) = self.body("else", at)?;
            if end.is_some() {
                return Err(("an `else` after an `else`".to_owned(), at));
            }
            return Ok(Statement::If { branches, otherwise, line });
        }
    }

    fn range(&mut self, head: &str, line: usize) -> Result<Statement, Failure> {
        let (names, list) = match head.split_once(":=") {
            Some((names, list)) => (names.trim(), list),
            None => ("", head),
        };
        let mut names = names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        let (index, item) = (names.next(), names.next());
        let list = expression(list, line)?;
        let (body, end) = self.body("range", line)?;
        let empty = match end {
            None => Vec::new(),
            Some((end, at)) if end == "else" => self.body("else", at)?.0,
            Some((end, at)) => return Err((format!("`{end}` within a range"), at)),
        };
        Ok(Statement::Range { index, item, list, body, empty, line })
    }

    fn block(&mut self, head: &str, line: usize) -> Result<Statement, Failure> {
        let (name, parameters, _) = signature(head, line)?;
        let mut named = Vec::new();
        for (parameter, default) in parameters {
            match parameter {
                Some(parameter) => named.push((parameter, Some(default))),
                None => named.push((default.source().trim().to_owned(), None)),
            }
        }
        let (body, end) = self.body("block", line)?;
        let content = match end {
            None => None,
            Some((end, at)) if end == "content" => Some(Arc::new(self.body("content", at)?.0)),
            Some((end, at)) => return Err((format!("`{end}` within a block"), at)),
        };
        let block = Arc::new(Block { parameters: named, body, content });
        self.template.blocks.insert(name.clone(), Arc::clone(&block));
        Ok(Statement::Block(name, block))
    }
}

impl Parser {
    /// Reads `yield content` of a block, or `yield name(a) context`, which with `content` at its end brings content along.
    fn yielding(&mut self, head: &str, line: usize) -> Result<Statement, Failure> {
        let head = head.trim();
        if let Some(context) = head.strip_prefix("content").filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])) {
            let context = context.trim();
            let context = if context.is_empty() { None } else { Some(expression(context, line)?) };
            return Ok(Statement::Content { context, line });
        }
        let bare = head.strip_suffix("content").filter(|rest| rest.ends_with([' ', '\t', ')']));
        let (name, arguments, context) = signature(bare.unwrap_or(head).trim(), line)?;
        let content = match bare {
            None => None,
            Some(_) => match self.body("yield", line)? {
                (body, None) => Some(Arc::new(body)),
                (_, Some((end, at))) => return Err((format!("`{end}` within the content of a yield"), at)),
            },
        };
        Ok(Statement::Yield { name, arguments, context, content, line })
    }

    fn attempt(&mut self, line: usize) -> Result<Statement, Failure> {
        let (body, end) = self.body("try", line)?;
        let Some((end, at)) = end else { return Ok(Statement::Try { body, variable: None, otherwise: Vec::new() }) };
        let Some(variable) = end.strip_prefix("catch").map(str::trim) else {
            return Err((format!("`{end}` within a try"), at));
        };
        if !variable.is_empty() && !is_name(variable) {
            return Err(("`catch` takes the name of a variable".to_owned(), at));
        }
        let (otherwise, end) = self.body("catch", at)?;
        match end {
            None => Ok(Statement::Try { body, variable: Some(variable.to_owned()).filter(|name| !name.is_empty()), otherwise }),
            Some((end, at)) => Err((format!("`{end}` within a catch"), at)),
        }
    }
}

fn expression(source: &str, line: usize) -> Result<Expression, Failure> {
    Expression::read(source.trim()).map_err(|message| (message, line))
}

fn literal(source: &str, line: usize) -> Result<String, Failure> {
    let text = source.trim();
    let inner = text.strip_prefix(['"', '`', '\'']).and_then(|text| text.strip_suffix(['"', '`', '\'']));
    inner.map(str::to_owned).ok_or_else(|| ("the name of a template between quotes is needed here".to_owned(), line))
}

type Signature = (String, Vec<(Option<String>, Expression)>, Option<Expression>);

/// Reads `name(a, b = 1) context`.
fn signature(head: &str, line: usize) -> Result<Signature, Failure> {
    let end = head.find(|c: char| c == '(' || c.is_whitespace()).unwrap_or(head.len());
    let (name, rest) = head.split_at_checked(end).unwrap_or((head, ""));
    if name.is_empty() {
        return Err(("the name of a block is missing".to_owned(), line));
    }
    let mut arguments = Vec::new();
    let mut rest = rest.trim();
    if rest.starts_with('(') {
        let pieces = top_level(rest.get(1..).unwrap_or(""), ',');
        let length: usize = pieces.iter().map(|piece| piece.len()).sum::<usize>() + pieces.len().saturating_sub(1);
        for piece in &pieces {
            let named = piece.split_once('=').filter(|(name, value)| is_name(name.trim()) && !value.starts_with('='));
            match named {
                Some((name, value)) => arguments.push((Some(name.trim().to_owned()), expression(value, line)?)),
                None if piece.trim().is_empty() => {}
                None => arguments.push((None, expression(piece, line)?)),
            }
        }
        rest = rest
            .get(1 + length..)
            .and_then(|rest| rest.strip_prefix(')'))
            .ok_or_else(|| ("`)` is missing".to_owned(), line))?
            .trim();
    }
    let context = if rest.is_empty() { None } else { Some(expression(rest, line)?) };
    Ok((name.to_owned(), arguments, context))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn include(head: &str, line: usize, optional: bool) -> Result<Statement, Failure> {
    let head = head.trim();
    let head = if optional { head.strip_prefix('(').and_then(|head| head.strip_suffix(')')).unwrap_or(head) } else { head };
    // The context follows the name after white space, or as a second argument.
    let quote = head.chars().next().filter(|first| "\"'`".contains(*first));
    let end = quote.and_then(|quote| head.get(1..).and_then(|rest| rest.find(quote))).map(|end| end + 2);
    let (name, context) = head.split_at_checked(end.unwrap_or(head.len())).unwrap_or((head, ""));
    let context = context.trim().trim_start_matches(',').trim();
    let context = if context.is_empty() { None } else { Some(expression(context, line)?) };
    Ok(Statement::Include { name: expression(name, line)?, context, line, optional })
}

/// What says how a value is written, in front of it or behind it.
static WRITERS: &[(&str, Escape)] = &[
    ("raw", Escape::None),
    ("unsafe", Escape::None),
    ("safeHtml", Escape::None),
    ("safeJs", Escape::None),
    ("html", Escape::Html),
    ("url", Escape::Url),
    ("json", Escape::Json),
    ("writeJson", Escape::Json),
];

/// A variable that is set, or a value that is written.
fn simple(action: &str, line: usize) -> Result<Statement, Failure> {
    if let Some((name, value)) = action.split_once(":=").or_else(|| action.split_once(" = "))
        && is_name(name.trim())
    {
        return Ok(Statement::Set { name: name.trim().to_owned(), value: expression(value, line)?, line });
    }
    let mut escape = Escape::Html;
    let mut pieces = top_level(action, '|');
    loop {
        escape = match pieces.last().map(|piece| piece.trim()) {
            Some(name) if pieces.len() > 1 => match WRITERS.iter().find(|(known, _)| *known == name) {
                Some((_, kind)) => *kind,
                None => break,
            },
            _ => break,
        };
        pieces.pop();
    }
    let length = pieces.iter().map(|piece| piece.len() + 1).sum::<usize>().saturating_sub(1);
    let mut source = action.get(..length).unwrap_or(action).trim();
    for (prefix, kind) in WRITERS {
        let inner = source.strip_prefix(prefix).map(str::trim_start);
        let inner = inner.and_then(|inner| inner.strip_prefix([':', '(']).map(|rest| (rest, inner.starts_with('('))));
        if let Some((rest, paren)) = inner {
            source = if paren { rest.strip_suffix(')').unwrap_or(rest) } else { rest };
            escape = *kind;
        }
    }
    Ok(Statement::Print { value: expression(source, line)?, escape, line })
}

/// Splits a text where a character stands outside of brackets and strings; a doubled one does not count. Ends at a bracket that closes
/// more than was opened.
fn top_level(text: &str, separator: char) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut depth, mut start, mut quote, mut escaped) = (0_usize, 0, None, false);
    let mut skip = false;
    for (index, character) in text.char_indices() {
        if std::mem::take(&mut skip) {
            continue;
        }
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some(open), '\\') if open != '`' => escaped = true,
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(character),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => {
                    pieces.push(text.get(start..index).unwrap_or(""));
                    return pieces;
                }
            },
            (None, _) if character == separator && depth == 0 => {
                if text.get(index + 1..).is_some_and(|rest| rest.starts_with(separator)) {
                    skip = true;
                } else {
                    pieces.push(text.get(start..index).unwrap_or(""));
                    start = index + 1;
                }
            }
            _ => {}
        }
    }
    pieces.push(text.get(start..).unwrap_or(""));
    pieces
}
