//! Module `text`: regular expressions, differences, and splitting into chunks.
//!
//! Objects of Lua hold a pattern or options and nothing of the host, so that they cost no handles; compiled patterns are kept here for
//! whoever uses the same one next.

use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};

use crate::fail::{invalid, no_function};
use crate::heavy;

mod diff;
mod markdown;
mod patch;
mod regexp;
mod splitter;
mod syntax;

pub(crate) use regexp::compile;

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
            "compile" => {
                let pattern = args.text(1)?;
                compile(pattern)?;
                Answer::one(pattern)
            }
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

fn differ(call: &ModuleCall<'_>, method: &str, object: &Value, args: Args<'_>) -> Result<Answer, Fault> {
    let options = diff::Options::read(fields(object)?)?;
    match method {
        "compare" | "patch_make" => {
            let (a, b) = (args.text(1)?.to_owned(), args.text(2)?.to_owned());
            let patches = method == "patch_make";
            let quick = a.len() + b.len() <= QUICK;
            let job = move || {
                let pieces = diff::compare(&a, &b, &options);
                if patches { patch::make(&pieces, &options) } else { diff::to_value(&pieces) }
            };
            if quick { Answer::one(job()) } else { heavy::run(call, move |_| Ok(vec![job()])) }
        }
        "summarize" => Answer::one(diff::summarize(&diff::from_value(args.list(1)?)?)),
        "pretty_text" => Answer::one(diff::pretty_text(&diff::from_value(args.list(1)?)?)),
        "pretty_html" => Answer::one(diff::pretty_html(&diff::from_value(args.list(1)?)?)),
        "patch_apply" => {
            let (patches, text) = (patch::read(args.list(1)?)?, args.text(2)?.to_owned());
            let quick = text.len() <= QUICK;
            let job = move || {
                let (text, all) = patch::apply(&patches, &text, &options);
                vec![text.into(), all.into()]
            };
            if quick { Ok(Answer::Done(job())) } else { heavy::run(call, move |_| Ok(job())) }
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
    let quick = pages.iter().map(|(text, _)| text.len()).sum::<usize>() <= QUICK;
    let job = move || -> Result<Value, Error> {
        let mut chunks = Vec::new();
        let mut budget = splitter::Budget::new(max_bytes);
        for (text, metadata) in &pages {
            for chunk in splitter::split(text, &options, &mut budget)? {
                chunks.push(if batch {
                    Value::Map(vec![("content".into(), chunk.into()), ("metadata".into(), metadata.clone())])
                } else {
                    chunk.into()
                });
            }
        }
        Ok(Value::Array(chunks))
    };
    if quick { Answer::one(job()?) } else { heavy::run(call, move |_| Ok(vec![job()?])) }
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
