//! Forms of several parts: values, and uploaded files.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, header};
use moonlet_runtime::{Answer, Args, ByteStream, Error, Fault, ModuleCall, Value, document};

use super::{Shared, text};
use crate::exchange::{pieces, typed};

/// Bytes of all parts together unless the program says otherwise: they lie in the memory of the host until the request is over.
const MAX_MEMORY: u64 = 32 << 20;
/// Parts of one form.
const MAX_PARTS: usize = 1_000;

/// The methods of an uploaded file.
pub(super) const FILE_METHODS: &[&str] = &["name", "size", "header", "stream"];

/// An uploaded file.
struct File {
    name: String,
    headers: HeaderMap,
    content: Bytes,
}

/// What was read of a form, before Lua has it.
#[derive(Default)]
struct Form {
    values: BTreeMap<String, Vec<Bytes>>,
    files: BTreeMap<String, Vec<File>>,
}

pub(super) fn parse(call: &ModuleCall<'_>, exchange: &Shared, args: &Args<'_>) -> Result<Answer, Fault> {
    let most = match args.opt_integer(1)? {
        None => MAX_MEMORY,
        Some(most) => u64::try_from(most).ok().filter(|most| *most > 0).ok_or_else(|| failed("max_memory must be above zero"))?,
    };
    let of = exchange.header(header::CONTENT_TYPE.as_str()).and_then(|of| of.to_str().ok()).unwrap_or_default().to_owned();
    let boundary = multer::parse_boundary(&of)
        .map_err(|_| failed("not multipart: the request has no `Content-Type: multipart/form-data` with a boundary"))?;
    let exchange = Shared::clone(exchange);
    // Files become handles of the process, which only the call itself can make; so they are all made when the form has come.
    let keeper = call.keeper();
    call.run_async(async move {
        let source = exchange.source().await?;
        let limits = multer::SizeLimit::new().whole_stream(most);
        let constraints = multer::Constraints::new().size_limit(limits);
        let mut parts = multer::Multipart::with_constraints(pieces(source), boundary, constraints);
        let mut form = Form::default();
        let mut count = 0;
        while let Some(part) = parts.next_field().await.map_err(|error| failed(&error.to_string()))? {
            count += 1;
            if count > MAX_PARTS {
                return Err(failed(&format!("a form has at most {MAX_PARTS} parts")));
            }
            let Some(name) = part.name().map(str::to_owned) else { continue };
            let file = part.file_name().map(str::to_owned);
            let headers = part.headers().clone();
            let content = part.bytes().await.map_err(|error| failed(&error.to_string()))?;
            match file {
                // Some clients send whole paths.
                Some(file) => {
                    let base = file.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
                    form.files.entry(name).or_default().push(File { name: base, headers, content });
                }
                None => form.values.entry(name).or_default().push(content),
            }
        }
        let values = values(&form);
        let mut files = Vec::new();
        for (name, list) in form.files {
            let mut handles = Vec::new();
            for file in list {
                handles.push(keeper.keep("File", Arc::new(file))?);
            }
            files.push((Value::from(name), Value::Array(handles)));
        }
        Ok(vec![table(values, files)])
    })
}

/// Writes the values of a form: a text, or a list of them for a name that came more than once.
fn values(form: &Form) -> Value {
    let list = form.values.iter().map(|(name, list)| {
        let value = match list.as_slice() {
            [single] => text(single),
            several => Value::Array(several.iter().map(|value| text(value)).collect()),
        };
        (Value::from(name.as_str()), value)
    });
    Value::Map(list.collect())
}

fn table(values: Value, files: Vec<(Value, Value)>) -> Value {
    Value::Map(vec![("values".into(), values), ("files".into(), Value::Map(files))])
}

pub(super) fn file_method(call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (file, args) = call.method::<File>("File", function, args)?;
    match function {
        "File:name" => Answer::one(file.name.as_str()),
        "File:size" => Answer::one(file.content.len() as u64),
        "File:header" => {
            let value = file.headers.get(args.text(1)?).map(|value| text(value.as_bytes()));
            Answer::one(value.unwrap_or(Value::Nil))
        }
        "File:stream" => {
            let source = Box::new(Cursor::new(file.content.to_vec()));
            Answer::one(call.keep("Stream", Arc::new(ByteStream::new(source)))?)
        }
        other => Err(Error::new("NotFound", format!("files have no method `{other}`")).into()),
    }
}

fn failed(message: &str) -> Error {
    let mut error = typed("Invalid", format!("failed to parse the form: {message}"), "parse_failed");
    error.details = document::map(&[("type", "parse_failed".into())]);
    error
}
