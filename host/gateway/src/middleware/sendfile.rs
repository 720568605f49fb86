//! Middleware `sendfile`: a function names a file of a volume, and the server sends it.

use std::path::Path;

use http::header::{self, HeaderValue};
use moonlet_registry::EntryId;
use moonlet_runtime::NodeHandle;

use super::Options;
use crate::answer::{self, Answer};
use crate::files::{self, Volume};
use crate::server::Context;

const FILE: &str = "x-sendfile";
const NAME: &str = "x-file-name";

pub(super) struct SendFile {
    volume: Option<Volume>,
}

impl SendFile {
    pub(super) fn new(options: &Options, node: &NodeHandle, project: &Path) -> Self {
        let id = options.get("sendfile.fs").and_then(|id| EntryId::parse(id).ok());
        if id.is_none() {
            tracing::error!(target: "moonlet", "middleware `sendfile` has no files: write `sendfile.fs: ns:name` in its options");
        }
        let snapshot = node.registry().ok().map(|registry| registry.snapshot());
        let volume = id.zip(snapshot).and_then(|(id, snapshot)| Volume::open(&snapshot, &id, project));
        Self { volume }
    }

    pub(super) async fn after(&self, context: &Context, mut answer: Answer) -> Answer {
        let take = |answer: &mut Answer, name: &str| {
            answer.headers_mut().remove(name).and_then(|value| String::from_utf8(value.as_bytes().to_vec()).ok())
        };
        let (Some(path), name) = (take(&mut answer, FILE), take(&mut answer, NAME)) else { return answer };
        let Some(volume) = self.volume.clone() else { return answer::not_found() };
        let Some(mut file) = files::serve(context, volume, path).await else { return answer::not_found() };
        // What the function said about the answer holds, but for what the file says about itself.
        for (name, value) in answer.headers() {
            let guessed = name == header::CONTENT_TYPE && answer.headers().len() == 1;
            if !file.headers().contains_key(name) || (name == header::CONTENT_TYPE && !guessed) {
                file.headers_mut().insert(name.clone(), value.clone());
            }
        }
        if let Some(name) = name
            && let Ok(value) = HeaderValue::from_str(&disposition(&name))
        {
            file.headers_mut().insert(header::CONTENT_DISPOSITION, value);
        }
        file
    }
}

/// Names a file for whoever keeps it: in ASCII for all, and as it is for those that know RFC 8187.
fn disposition(name: &str) -> String {
    let plain = |letter: char| if matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\') { letter } else { '_' };
    let plain: String = name.chars().map(plain).collect();
    let mut text = format!("attachment; filename=\"{plain}\"");
    if !name.is_ascii() {
        text.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    text
}
