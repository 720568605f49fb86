//! Module `text`: regular expressions, differences, and splitting into chunks.
//!
//! Objects of Lua hold a pattern or options and nothing of the host, so that they cost no handles; compiled patterns are kept here for
//! whoever uses the same one next.

use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};

use crate::fail::{invalid, no_function};
use crate::heavy::{self, Canceled, Watch};

mod diff;
mod markdown;
mod patch;
mod regexp;
mod splitter;
mod syntax;

pub(crate) use regexp::{Pattern, compile, quick};

/// The module.
#[derive(Debug, Default)]
pub(crate) struct Text;

const FUNCTIONS: &[&str] = &[
    "compile",
    "Regexp:match_string",
    "Regexp:find_string",
    "Regexp:find_all_string",
    "Regexp:find_string_submatch",
    "Regexp:find_all_string_submatch",
    "Regexp:find_string_index",
    "Regexp:find_all_string_index",
    "Regexp:replace_all_string",
    "Regexp:split",
    "Regexp:num_subexp",
    "Regexp:subexp_names",
    "Regexp:string",
    "differ",
    "Differ:compare",
    "Differ:summarize",
    "Differ:pretty_text",
    "Differ:pretty_html",
    "Differ:patch_make",
    "Differ:patch_apply",
    "recursive",
    "markdown",
    "TextSplitter:split_text",
    "TextSplitter:split_batch",
];

impl HostModule for Text {
    fn name(&self) -> &str {
        "text"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(FUNCTIONS).build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("text/text.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        if let Some((class, method)) = function.split_once(':') {
            let (object, args) = Args::method(function, args);
            return match class {
                "Regexp" => regexp::method(call, method, &object, &args),
                "Differ" => differ(call, method, &object, args),
                "TextSplitter" => split(call, method, &object, args),
                _ => Err(no_function("text", function)),
            };
        }
        let args = Args::new(function, args);
        match function {
            "compile" => regexp::check(call, args.text(1)?),
            "differ" => {
                diff::Options::read(args.opt_table(1)?)?;
                Answer::one(options(&args))
            }
            "recursive" | "markdown" => {
                let mut fields = args.opt_table(1)?.to_vec();
                fields.push(("markdown".into(), (function == "markdown").into()));
                splitter::Options::read(&fields)?;
                Answer::one(Value::Map(fields))
            }
            other => Err(no_function("text", other)),
        }
    }
}

/// Returns the options as they came, an empty table for none.
fn options(args: &Args<'_>) -> Value {
    match args.get(1) {
        Value::Nil => Value::Map(Vec::new()),
        other => other.clone(),
    }
}

fn fields(object: &Value) -> Result<&[(Value, Value)], Fault> {
    match object {
        Value::Map(fields) => Ok(fields),
        Value::Array(items) if items.is_empty() => Ok(&[]),
        _ => Err(Fault::Raised("the object has been changed".to_owned())),
    }
}

/// What is longer than this in all is worked on beside the workers.
const QUICK: usize = 4 * 1024;

/// Works in the caller's step if there is little to do, beside the workers otherwise.
fn work(
    call: &ModuleCall<'_>,
    weight: usize,
    job: impl FnOnce(&mut Watch) -> Result<Vec<Value>, Error> + Send + 'static,
) -> Result<Answer, Fault> {
    let freight = call.freight();
    if weight <= QUICK {
        return Ok(Answer::Done(job(&mut Watch::new(&Canceled::default(), freight))?));
    }
    heavy::run(call, move |canceled| job(&mut Watch::new(canceled, freight)))
}

fn differ(call: &ModuleCall<'_>, method: &str, object: &Value, args: Args<'_>) -> Result<Answer, Fault> {
    let options = diff::Options::read(fields(object)?)?;
    let most = call.max_bytes();
    match method {
        "compare" | "patch_make" => {
            let (a, b) = (args.text(1)?.to_owned(), args.text(2)?.to_owned());
            let patches = method == "patch_make";
            work(call, a.len() + b.len(), move |watch| {
                let pieces = diff::compare(&a, &b, &options, watch)?;
                let value = if patches { patch::make(&pieces, &options, watch) } else { diff::to_value(&pieces, watch) };
                Ok(vec![value?])
            })
        }
        "patch_apply" => {
            let (patches, text) = (args.list(1)?.to_vec(), args.text(2)?.to_owned());
            work(call, diff::weight(&patches) + text.len(), move |watch| {
                let (text, all) = patch::apply(&patch::read(&patches, watch)?, &text, &options, most, watch)?;
                Ok(vec![text.into(), all.into()])
            })
        }
        "summarize" | "pretty_text" | "pretty_html" => {
            let (items, method) = (args.list(1)?.to_vec(), method.to_owned());
            work(call, diff::weight(&items), move |watch| {
                let pieces = diff::from_value(&items, watch)?;
                Ok(vec![match method.as_str() {
                    "summarize" => diff::summarize(&pieces),
                    "pretty_text" => diff::pretty_text(&pieces, most, watch)?.into(),
                    _ => diff::pretty_html(&pieces, most, watch)?.into(),
                }])
            })
        }
        other => Err(no_function("text", other)),
    }
}

fn split(call: &ModuleCall<'_>, method: &str, object: &Value, args: Args<'_>) -> Result<Answer, Fault> {
    let options = splitter::Options::read(fields(object)?)?;
    let max_bytes = call.max_bytes();
    let (pages, batch) = match method {
        "split_text" => (vec![(args.text(1)?.to_owned(), Value::Nil)], false),
        "split_batch" => (read_pages(&args)?, true),
        other => return Err(no_function("text", other)),
    };
    let weight = pages.iter().map(|(text, metadata)| text.len() + document_weight(metadata)).sum::<usize>();
    let freight = call.freight();
    let job = move |canceled: &Canceled| -> Result<Vec<Value>, Error> {
        let mut chunks = Vec::new();
        let mut budget = splitter::Budget::new(max_bytes, Watch::new(canceled, freight));
        for (text, metadata) in &pages {
            let weight = document_weight(metadata);
            for chunk in splitter::split(text, &options, &mut budget)? {
                chunks.push(if batch {
                    // Each chunk has a copy.
                    budget.spend(weight)?;
                    Value::Map(vec![("content".into(), chunk.into()), ("metadata".into(), metadata.clone())])
                } else {
                    chunk.into()
                });
            }
        }
        Ok(vec![Value::Array(chunks)])
    };
    if weight <= QUICK { Ok(Answer::Done(job(&Canceled::default())?)) } else { heavy::run(call, job) }
}

fn read_pages(args: &Args<'_>) -> Result<Vec<(String, Value)>, Fault> {
    let mut pages = Vec::new();
    for page in args.list(1)? {
        let Value::Map(fields) = page else { return Err(args.fault(1, "a list of tables expected")) };
        let field = |name: &str| fields.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value);
        let content = field("content").and_then(Value::as_str);
        let content = content.ok_or_else(|| invalid("each page needs a `content` that is a string"))?;
        let metadata = field("metadata").cloned().unwrap_or_else(|| Value::Map(Vec::new()));
        pages.push((content.to_owned(), metadata));
    }
    Ok(pages)
}

/// Returns what a value takes in an answer, about.
fn document_weight(value: &Value) -> usize {
    match value {
        Value::String(text) => 5 + text.as_bytes().len(),
        Value::Binary(bytes) => 5 + bytes.len(),
        Value::Array(items) => 5 + items.iter().map(document_weight).sum::<usize>(),
        Value::Map(fields) => 5 + fields.iter().map(|(key, value)| document_weight(key) + document_weight(value)).sum::<usize>(),
        _ => 9,
    }
}
