//! Lists of objects, page by page.

use http::Method;
use moonlet_runtime::{Error, Freight, Value};
use rusty_s3::S3Action;
use rusty_s3::actions::GetObject;

use super::body::Outgoing;
use super::options::{Headers, text_option};
use super::storage::Storage;
use super::{SIGNED_FOR, answer};
use crate::fail::{field, internal, invalid};
use crate::xml::{Event, Xml};

/// Bytes of one page as it comes: a thousand keys of a thousand bytes, each of which may be written as `&#xFFFF;`.
pub(super) const LARGEST: u64 = 8 << 20;
/// Objects of one page, as S3 has it.
const MOST: i64 = 1000;
/// The longest text in a page.
const LONGEST: usize = 16 << 10;

/// Which objects are asked for.
pub(super) struct Query {
    prefix: Option<String>,
    max: i64,
    token: Option<String>,
    owner: bool,
    versions: bool,
}

impl Query {
    pub(super) fn read(options: &[(Value, Value)]) -> Result<Self, Error> {
        let flag = |name: &str| match field(options, name) {
            Value::Nil => Ok(false),
            Value::Boolean(truth) => Ok(*truth),
            _ => Err(invalid(format!("`{name}` must be a boolean"))),
        };
        let max = match field(options, "max_keys") {
            Value::Nil => Some(MOST),
            value => value.as_i64().or_else(|| value.as_f64().filter(|value| value.fract() == 0.0).map(|value| value as i64)),
        };
        let max = max.filter(|max| *max > 0).ok_or_else(|| invalid("`max_keys` must be a whole number above zero"))?;
        Ok(Self {
            prefix: text_option(options, "prefix")?.filter(|prefix| !prefix.is_empty()),
            max: max.min(MOST),
            token: text_option(options, "continuation_token")?.filter(|token| !token.is_empty()),
            owner: flag("include_owner")?,
            versions: flag("include_versions")?,
        })
    }
}

/// Asks for a page.
pub(super) async fn list(storage: &Storage, query: Query, memory: &Freight) -> Result<Value, Error> {
    // Without a key it is about the bucket.
    let mut action = GetObject::new(storage.bucket(), Some(storage.credentials()), "");
    let fields = action.query_mut();
    fields.insert("max-keys", query.max.to_string());
    if let Some(prefix) = &query.prefix {
        fields.insert("prefix", prefix.clone());
    }
    if query.versions {
        fields.insert("versions", "");
        // Two marks make one token here.
        if let Some((key, version)) = query.token.as_ref().map(|token| token.rsplit_once('\n').unwrap_or((token, ""))) {
            fields.insert("key-marker", key.to_owned());
            if !version.is_empty() {
                fields.insert("version-id-marker", version.to_owned());
            }
        }
    } else {
        fields.insert("list-type", "2");
        if let Some(token) = &query.token {
            fields.insert("continuation-token", token.clone());
        }
        if query.owner {
            fields.insert("fetch-owner", "true");
        }
    }
    let address = action.sign(SIGNED_FOR);
    let answered = storage.send(Method::GET, address.as_str(), &Headers::default(), Outgoing::none()).await?;
    let most = usize::try_from(LARGEST).unwrap_or(usize::MAX);
    page(storage.rest(answered, most, |count| memory.add(count)).await?, query.owner)
}

/// Reads a page.
fn page(bytes: Vec<u8>, owner: bool) -> Result<Value, Error> {
    let mut xml = Xml::new(Some(bytes), LONGEST);
    let (mut objects, mut truncated, mut is_list) = (Vec::new(), false, false);
    let (mut token, mut key, mut version) = (None, None, None);
    loop {
        match xml.next()? {
            Event::Start => {}
            Event::Eof => break,
            Event::End | Event::Text => continue,
        }
        match xml.name() {
            "ListBucketResult" | "ListVersionsResult" => is_list = true,
            "Contents" | "Version" => objects.push(object(&mut xml, owner)?),
            "IsTruncated" => truncated = xml.content()?.trim() == "true",
            "NextContinuationToken" => token = Some(xml.content()?),
            "NextKeyMarker" => key = Some(xml.content()?),
            "NextVersionIdMarker" => version = Some(xml.content()?),
            _ => xml.skip()?,
        }
    }
    if !is_list {
        return Err(internal("the storage answered with something other than a list"));
    }
    let token = token.or_else(|| key.map(|key| format!("{key}\n{}", version.unwrap_or_default())));
    let mut fields: Vec<(Value, Value)> =
        vec![("objects".into(), Value::Array(objects)), ("is_truncated".into(), truncated.into())];
    if let Some(token) = token.filter(|_| truncated) {
        fields.push(("next_continuation_token".into(), token.into()));
    }
    Ok(Value::Map(fields))
}

/// Reads the object that just began.
fn object(xml: &mut Xml<Option<Vec<u8>>>, with_owner: bool) -> Result<Value, Error> {
    let mut fields: Vec<(Value, Value)> = vec![("content_type".into(), "".into())];
    let mut class = "STANDARD".to_owned();
    loop {
        match xml.next()? {
            Event::Start => match xml.name() {
                "Key" => fields.push(("key".into(), xml.content()?.into())),
                "Size" => fields.push(("size".into(), xml.content()?.trim().parse::<u64>().unwrap_or(0).into())),
                "ETag" => fields.push(("etag".into(), xml.content()?.into())),
                "VersionId" => fields.push(("version_id".into(), xml.content()?.into())),
                "StorageClass" => class = xml.content()?,
                "LastModified" => {
                    if let Some(seconds) = answer::seconds(xml.content()?.trim()) {
                        fields.push(("last_modified".into(), seconds.into()));
                    }
                }
                "Owner" if with_owner => fields.push(("owner".into(), owner(xml)?)),
                _ => xml.skip()?,
            },
            Event::End | Event::Eof => {
                fields.push(("storage_class".into(), class.into()));
                return Ok(Value::Map(fields));
            }
            Event::Text => {}
        }
    }
}

fn owner(xml: &mut Xml<Option<Vec<u8>>>) -> Result<Value, Error> {
    let (mut id, mut name) = (String::new(), String::new());
    loop {
        match xml.next()? {
            Event::Start if xml.name() == "ID" => id = xml.content()?,
            Event::Start if xml.name() == "DisplayName" => name = xml.content()?,
            Event::Start => xml.skip()?,
            Event::End | Event::Eof => {
                return Ok(Value::Map(vec![("id".into(), id.into()), ("display_name".into(), name.into())]));
            }
            Event::Text => {}
        }
    }
}
