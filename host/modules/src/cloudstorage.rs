//! Module `cloudstorage`: objects in buckets of S3 and of services that speak like it.
//!
//! Where requests go and with whose keys is written in entries, so that a program chooses neither: it names keys of objects in one bucket.
//! Nothing is in memory as a whole: uploads come from files and spools, and downloads go through Lua to where the program may write.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};
use rusty_s3::S3Action;
use rusty_s3::actions::{DeleteObject, GetObject, HeadObject, PutObject};

use crate::archive::{Source, Spooled};
use crate::fail::{self, field, internal, invalid, no_function};
use crate::fs::{FILE, OpenFile};

mod answer;
mod body;
mod listing;
mod options;
mod storage;

use body::{Download, Outgoing};
use options::{Headers, text_option};
use storage::Storage;

const STORAGE: &str = "Storage";
const DOWNLOAD: &str = "Download";
const SPOOL: &str = "Spool";
/// The largest object that one request may bring, as S3 has it.
const LARGEST: u64 = 5 << 30;
/// Keys that one call deletes, as S3 has it: each is a request.
const MOST_DELETED: usize = 1000;
/// How long a signed address is good for unless the program says otherwise, and at most, as S3 has it.
const EXPIRATION: i64 = 3600;
const LONGEST_EXPIRATION: i64 = 604_800;
/// How long a request of our own is good for.
const SIGNED_FOR: Duration = Duration::from_secs(900);

/// The module.
#[derive(Debug, Default)]
pub(crate) struct CloudStorage;

impl HostModule for CloudStorage {
    fn name(&self) -> &str {
        "cloudstorage"
    }

    fn manifest(&self) -> Value {
        let methods = [
            "upload_object",
            "open",
            "head_object",
            "list_objects",
            "delete_objects",
            "presigned_get_url",
            "presigned_put_url",
            "release",
        ];
        Manifest::new()
            .functions(&["get", "spool"])
            .resource(STORAGE, &methods)
            .resource(DOWNLOAD, &["read"])
            .resource(SPOOL, &["add"])
            .build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(concat!(include_str!("streams.lua"), include_str!("cloudstorage/cloudstorage.lua")))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        match function.split_once(':') {
            Some((STORAGE, method)) => on_storage(call, method, function, args),
            Some((DOWNLOAD, "read")) => {
                let (download, _) = call.method::<Download>(DOWNLOAD, function, args)?;
                let most = call.max_bytes().saturating_sub(64).max(1);
                call.run_async(async move {
                    Ok(download.read(most).await?.map(|bytes| vec![Value::Binary(bytes)]).unwrap_or_default())
                })
            }
            Some((SPOOL, "add")) => {
                let (spool, args) = call.method::<Spooled>(SPOOL, function, args)?;
                let bytes = args.bytes(1)?.to_vec();
                call.run_blocking(move || spool.add(&bytes).map(|()| vec![true.into()]))
            }
            None => on_module(call, function, &Args::new(function, args)),
            Some(_) => Err(no_function("cloudstorage", function)),
        }
    }
}

fn on_module(call: &ModuleCall<'_>, function: &str, args: &Args<'_>) -> Result<Answer, Fault> {
    match function {
        "get" => {
            let id = args.text(1)?;
            if id.is_empty() {
                return Err(invalid("the id of the storage is empty").into());
            }
            let id = call.resolve(id);
            call.check("cloudstorage.get", &id)?;
            call.check_namespace(&id)?;
            let entry = fail::entry(call, &id, "a bucket (`kind: cloudstorage.s3`)", |kind| kind == "cloudstorage.s3")?;
            Answer::one(call.keep(STORAGE, Arc::new(Storage::read(call, &entry)?))?)
        }
        "spool" => Answer::one(call.keep(SPOOL, Arc::<Spooled>::default())?),
        _ => Err(no_function("cloudstorage", function)),
    }
}

fn on_storage(call: &ModuleCall<'_>, method: &str, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (storage, args) = call.method::<Storage>(STORAGE, function, args)?;
    if method == "release" {
        storage.release();
        return Answer::one(true);
    }
    storage.check_open()?;
    match method {
        "upload_object" => upload(call, storage, &args),
        "open" => {
            let (key, headers) = (key(args.text(1)?)?, Headers::of_download(args.opt_table(2)?)?);
            let keeper = call.keeper();
            call.run_async(async move {
                let mut action = GetObject::new(storage.bucket(), Some(storage.credentials()), &key);
                headers.sign(action.headers_mut());
                let address = action.sign(SIGNED_FOR);
                let response = storage.send(Method::GET, address.as_str(), &headers, Outgoing::none()).await?;
                Ok(vec![keeper.keep(DOWNLOAD, Arc::new(Download::new(response)))?])
            })
        }
        "head_object" => {
            let key = key(args.text(1)?)?;
            call.run_async(async move {
                let address = HeadObject::new(storage.bucket(), Some(storage.credentials()), &key).sign(SIGNED_FOR);
                let response = storage.send(Method::HEAD, address.as_str(), &Headers::default(), Outgoing::none()).await?;
                Ok(vec![answer::described(response.headers())])
            })
        }
        "list_objects" => {
            let query = listing::Query::read(args.opt_table(1)?)?;
            let memory = call.freight_within("listing_memory", listing::LARGEST);
            call.run_async(async move { Ok(vec![listing::list(&storage, query, &memory).await?]) })
        }
        "delete_objects" => {
            let keys = args.list(1)?;
            if keys.len() > MOST_DELETED {
                return Err(fail::limit("deleted_objects", MOST_DELETED as u64, keys.len() as u64).into());
            }
            let text = |value: &Value| key(value.as_str().ok_or_else(|| invalid("the key of an object must be a string"))?);
            let keys: Vec<String> = keys.iter().map(text).collect::<Result<_, _>>()?;
            call.run_async(async move {
                for key in &keys {
                    let address = DeleteObject::new(storage.bucket(), Some(storage.credentials()), key).sign(SIGNED_FOR);
                    let sent = storage.send(Method::DELETE, address.as_str(), &Headers::default(), Outgoing::none()).await;
                    match sent {
                        Ok(response) => storage.finish(response).await?,
                        // What is not there is deleted.
                        Err(error) if error.kind == "NotFound" && !error.message.contains("NoSuchBucket") => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(vec![true.into()])
            })
        }
        "presigned_get_url" => {
            let (key, expiration) = (key(args.text(1)?)?, expiration(args.opt_table(2)?)?);
            Answer::one(GetObject::new(storage.bucket(), Some(storage.credentials()), &key).sign(expiration).as_str())
        }
        "presigned_put_url" => {
            let options = args.opt_table(2)?;
            let (key, expiration) = (key(args.text(1)?)?, expiration(options)?);
            let mut action = PutObject::new(storage.bucket(), Some(storage.credentials()), &key);
            if let Some(kind) = text_option(options, "content_type")? {
                action.headers_mut().insert("content-type", options::value("content_type", &kind)?);
            }
            match field(options, "content_length") {
                Value::Nil => {}
                length => {
                    let length = length.as_u64().filter(|length| *length <= LARGEST);
                    let length = length.ok_or_else(|| invalid(format!("`content_length` must be from 0 to {LARGEST}")))?;
                    action.headers_mut().insert("content-length", length.to_string());
                }
            }
            Answer::one(action.sign(expiration).as_str())
        }
        _ => Err(no_function("cloudstorage", function)),
    }
}

fn upload(call: &ModuleCall<'_>, storage: Arc<Storage>, args: &Args<'_>) -> Result<Answer, Fault> {
    let (key, headers) = (key(args.text(1)?)?, Headers::of_upload(args.opt_table(3)?)?);
    let value = args.get(2);
    let open: Box<dyn FnOnce() -> Result<Source, Error> + Send> = match value {
        Value::Nil => return Err(invalid("the content is missing: it is a string, a file or a stream").into()),
        Value::String(_) | Value::Binary(_) => {
            let bytes = args.bytes(2)?.to_vec();
            Box::new(move || Ok(Source::Bytes(bytes)))
        }
        value => {
            if let Some(file) = call.foreign::<OpenFile>("fs", FILE, value) {
                Box::new(move || {
                    Source::file(file.duplicate()?)
                        .map_err(|error| internal(format!("failed to read the file: {}", error.kind())))
                })
            } else if let Ok(spool) = call.resource::<Spooled>(SPOOL, value) {
                Box::new(move || spool.source())
            } else {
                return Err(invalid("the content is a string, a file or a stream").into());
            }
        }
    };
    let bill = call.bill();
    call.run_async(async move {
        let source = tokio::task::spawn_blocking(open).await.map_err(|_| internal("reading the content was given up"))??;
        if source.len() > LARGEST {
            return Err(fail::limit("object_size", LARGEST, source.len()));
        }
        let mut action = PutObject::new(storage.bucket(), Some(storage.credentials()), &key);
        headers.sign(action.headers_mut());
        let address = action.sign(SIGNED_FOR);
        let response = storage.send(Method::PUT, address.as_str(), &headers, Outgoing::of(source, bill)).await?;
        storage.finish(response).await?;
        Ok(vec![true.into()])
    })
}

/// Takes a key that stays what it is in an address, and within the bucket.
fn key(key: &str) -> Result<String, Error> {
    if key.is_empty() {
        return Err(invalid("the key of the object is empty"));
    }
    let dots = key.split(['/', '\\']).any(|part| part == "." || part == "..");
    if key.len() > 1024 || dots || key.chars().any(char::is_control) {
        let shown = fail::shown(key);
        return Err(invalid(format!(
            "`{shown}` cannot be the key of an object: it has at most 1024 bytes, no part `.` or `..`, and no control characters"
        )));
    }
    Ok(key.to_owned())
}

fn expiration(options: &[(Value, Value)]) -> Result<Duration, Error> {
    let seconds = match field(options, "expiration") {
        Value::Nil => Some(EXPIRATION),
        value => value.as_i64().or_else(|| value.as_f64().filter(|value| value.fract() == 0.0).map(|value| value as i64)),
    };
    let seconds =
        seconds.filter(|seconds| (1..=LONGEST_EXPIRATION).contains(seconds)).and_then(|seconds| u64::try_from(seconds).ok());
    let seconds = seconds.ok_or_else(|| invalid(format!("`expiration` must be from 1 to {LONGEST_EXPIRATION} seconds")))?;
    Ok(Duration::from_secs(seconds))
}
