//! Forms of several parts: values, and uploaded files.
//!
//! Nothing of a form is in memory that is not charged to the process. Files for which there is no room wait on the disk; how large all of
//! it may be says the server, or `http.request`.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use http::{HeaderMap, header};
use moonlet_runtime::{Answer, Args, ByteStream, Error, Fault, Freight, ModuleCall, Value, document};
use multer::{Field, Multipart};

use super::{Shared, text};
use crate::exchange::{pieces, typed};

mod feeder;
mod upload;

use feeder::{Gate, Gated};
use upload::{Intake, Reader, Upload};

/// Bytes of files in memory unless the program says otherwise.
const MAX_MEMORY: u64 = 32 << 20;
/// Bytes of all values: they are for Lua, which has no more memory than that.
const MAX_VALUES: usize = 10 << 20;
/// What a header is charged beside its name and value.
const HEADER: usize = 64;
/// Parts of one form.
const MAX_PARTS: usize = 1_000;

/// The methods of an uploaded file.
pub(super) const FILE_METHODS: &[&str] = &["name", "size", "header", "stream"];

/// An uploaded file.
struct File {
    name: String,
    headers: HeaderMap,
    upload: Upload,
}

impl File {
    /// Bytes of what it has beside its content.
    fn weight(&self) -> usize {
        self.name.len() + weight(&self.headers)
    }
}

fn weight(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER).sum()
}

/// What was read of a form, before Lua has it.
#[derive(Default)]
struct Form {
    values: BTreeMap<String, Vec<Vec<u8>>>,
    files: BTreeMap<String, Vec<File>>,
}

pub(super) fn parse(call: &ModuleCall<'_>, exchange: &Shared, args: &Args<'_>) -> Result<Answer, Fault> {
    let room = match args.opt_integer(1)? {
        None => MAX_MEMORY,
        Some(most) => u64::try_from(most).ok().filter(|most| *most > 0).ok_or_else(|| failed("max_memory must be above zero"))?,
    };
    let of = exchange.header(header::CONTENT_TYPE.as_str()).and_then(|of| of.to_str().ok()).unwrap_or_default().to_owned();
    let boundary = multer::parse_boundary(&of)
        .map_err(|_| failed("not multipart: the request has no `Content-Type: multipart/form-data` with a boundary"))?;
    let exchange = Shared::clone(exchange);
    // What the call needs, and what the files hold after it.
    let (freight, account) = (call.freight(), call.freight_within("quota.memory", u64::MAX));
    // Files become handles of the process, which only the call itself can make; so they are all made when the form has come.
    let keeper = call.keeper();
    call.run_async(async move {
        let form = read(&exchange, boundary, room, &freight, &account).await?;
        let values = values(&form);
        let mut files = Vec::new();
        for (name, list) in form.files {
            let mut handles = Vec::new();
            for file in list {
                let weight = file.weight();
                handles.push(keeper.keep_heavy("File", Arc::new(file), weight)?);
            }
            files.push((Value::from(name), Value::Array(handles)));
        }
        Ok(vec![table(values, files)])
    })
}

/// Takes a form in.
async fn read(exchange: &Shared, boundary: String, mut room: u64, freight: &Freight, account: &Freight) -> Result<Form, Error> {
    let gate = Gate::default();
    let source = Gated::new(pieces(exchange.source().await?), gate.clone());
    let mut parts = Multipart::new(source, boundary);
    let mut form = Form::default();
    let (mut count, mut values) = (0, 0);
    while let Some(mut part) = gate.ask(|cx| parts.poll_next_field(cx)).await.map_err(of_parser)? {
        count += 1;
        if count > MAX_PARTS {
            return Err(failed(&format!("a form has at most {MAX_PARTS} parts")));
        }
        let (name, file) = (part.name().map(str::to_owned), part.file_name().map(str::to_owned));
        let headers = part.headers().clone();
        freight.add(weight(&headers) * 2)?;
        match (name, file) {
            (Some(name), Some(file)) => {
                let mut intake = Intake::new(account);
                while let Some(piece) = next(&gate, &mut part).await? {
                    intake.add(&piece, &mut room).await?;
                }
                // Some clients send whole paths.
                let name_of_file = file.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
                let file = File { name: name_of_file, headers, upload: intake.finish().await? };
                form.files.entry(name).or_default().push(file);
            }
            (Some(name), None) => {
                let mut value = Vec::new();
                while let Some(piece) = next(&gate, &mut part).await? {
                    values += piece.len();
                    if values > MAX_VALUES {
                        return Err(failed(&format!("the values of a form have at most {MAX_VALUES} bytes: send a file")));
                    }
                    freight.add(piece.len())?;
                    value.extend_from_slice(&piece);
                }
                form.values.entry(name).or_default().push(value);
            }
            (None, _) => while next(&gate, &mut part).await?.is_some() {},
        }
    }
    Ok(form)
}

async fn next(gate: &Gate, part: &mut Field<'static>) -> Result<Option<bytes::Bytes>, Error> {
    gate.ask(|cx| Pin::new(&mut *part).poll_next(cx)).await.transpose().map_err(of_parser)
}

/// Gives what the source said, where it failed, or what is wrong with the form.
fn of_parser(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamReadFailed(inner) => match inner.downcast::<Error>() {
            Ok(error) => *error,
            Err(other) => failed(&other.to_string()),
        },
        other => failed(&other.to_string()),
    }
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
        "File:size" => Answer::one(file.upload.size()),
        "File:header" => {
            let value = file.headers.get(args.text(1)?).map(|value| text(value.as_bytes()));
            Answer::one(value.unwrap_or(Value::Nil))
        }
        "File:stream" => {
            let source = Box::new(Reader::new(file, |file: &File| &file.upload));
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
