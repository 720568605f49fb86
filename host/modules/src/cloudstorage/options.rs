//! What programs say beside keys and contents, as headers of a request.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use moonlet_runtime::{Error, Value};
use rusty_s3::Map;

use crate::fail::{field, invalid, shown};

/// Headers of one request, and bytes of their values: S3 takes 8 KiB and 2 KiB of metadata.
const MOST: usize = 100;
const LONGEST: usize = 8 << 10;
/// Headers of the protocol that a program has no say in.
const OURS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "authorization",
    "proxy-authorization",
    "date",
    "user-agent",
];
/// Headers of S3 that say something about the object that is written. Others change what the request does: one that copies would read
/// other buckets with the keys of the operator.
const ABOUT_OBJECTS: &[&str] = &[
    "x-amz-meta-",
    "x-amz-acl",
    "x-amz-storage-class",
    "x-amz-tagging",
    "x-amz-server-side-encryption",
    "x-amz-object-lock-",
    "x-amz-checksum-",
    "x-amz-website-redirect-location",
];

/// Headers of a request, all of them signed.
#[derive(Debug, Default)]
pub(super) struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    pub(super) fn of_download(options: &[(Value, Value)]) -> Result<Self, Error> {
        let mut headers = Self::default();
        for (option, name) in [("range", "range"), ("if_match", "if-match"), ("if_none_match", "if-none-match")] {
            headers.option(options, option, name)?;
        }
        Ok(headers)
    }

    pub(super) fn of_upload(options: &[(Value, Value)]) -> Result<Self, Error> {
        let mut headers = Self::default();
        for (name, text) in pairs(options, "headers")? {
            let name = name.to_ascii_lowercase();
            let about = ABOUT_OBJECTS.iter().any(|known| name == *known || known.ends_with('-') && name.starts_with(known))
                || name.starts_with("x-amz-server-side-encryption-");
            if OURS.contains(&name.as_str()) || name.starts_with("x-") && !about {
                return Err(invalid(format!("`headers` may not have `{}`", shown(&name))));
            }
            headers.add_one(&name, &text)?;
        }
        for (name, text) in pairs(options, "metadata")? {
            headers.add_one(&format!("x-amz-meta-{}", name.to_ascii_lowercase()), &text)?;
        }
        for (option, name) in [
            ("content_type", "content-type"),
            ("cache_control", "cache-control"),
            ("content_disposition", "content-disposition"),
            ("content_encoding", "content-encoding"),
            ("if_match", "if-match"),
            ("if_none_match", "if-none-match"),
        ] {
            headers.option(options, option, name)?;
        }
        match field(options, "only_if_absent") {
            Value::Nil | Value::Boolean(false) => {}
            Value::Boolean(true) => headers.add_one("if-none-match", "*")?,
            _ => return Err(invalid("`only_if_absent` must be a boolean")),
        }
        Ok(headers)
    }

    /// Adds a header, in the place of another one of its name.
    fn add_one(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let wrong = || invalid(format!("`{}` is no possible name of a header", shown(name)));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let value = HeaderValue::from_str(&value(name, text)?).map_err(|_| wrong())?;
        self.0.retain(|(other, _)| *other != header);
        self.0.push((header, value));
        let bytes: usize = self.0.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if self.0.len() > MOST || bytes > LONGEST {
            return Err(invalid(format!("metadata and headers have more than {MOST} fields or {LONGEST} bytes")));
        }
        Ok(())
    }

    fn option(&mut self, options: &[(Value, Value)], option: &str, name: &str) -> Result<(), Error> {
        text_option(options, option)?.map_or(Ok(()), |text| self.add_one(name, &text))
    }

    /// Tells what is signed.
    pub(super) fn sign(&self, map: &mut Map<'_>) {
        for (name, value) in &self.0 {
            map.insert(name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned());
        }
    }

    /// Puts them into a request.
    pub(super) fn add(&self, list: &mut HeaderMap) {
        for (name, value) in &self.0 {
            list.insert(name.clone(), value.clone());
        }
    }
}

/// Takes the value of a header, which is signed as it stands.
pub(super) fn value(name: &str, text: &str) -> Result<String, Error> {
    if text.is_empty() || !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(invalid(format!("`{}` must be ASCII text that can stand in a header", shown(name))));
    }
    Ok(text.trim().to_owned())
}

/// Reads an option that is a text.
pub(super) fn text_option(options: &[(Value, Value)], name: &str) -> Result<Option<String>, Error> {
    match field(options, name) {
        Value::Nil => Ok(None),
        value => value.as_str().map(|text| Some(text.to_owned())).ok_or_else(|| invalid(format!("`{name}` must be a string"))),
    }
}

fn pairs(options: &[(Value, Value)], name: &str) -> Result<Vec<(String, String)>, Error> {
    let wrong = || invalid(format!("`{name}` must be a table of strings"));
    match field(options, name) {
        Value::Nil => Ok(Vec::new()),
        Value::Array(items) if items.is_empty() => Ok(Vec::new()),
        Value::Map(fields) => {
            let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(wrong);
            fields.iter().map(|(key, value)| Ok((text(key)?, text(value)?))).collect()
        }
        _ => Err(wrong()),
    }
}
