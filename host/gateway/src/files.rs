//! Files over HTTP: a volume under a path, byte ranges, and what a browser may keep.
//!
//! Files are opened below their directory only, whatever a path or a link in it says.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use http::header::{self, HeaderValue};
use http::{Method, Response, StatusCode};
use moonlet_registry::{EntryId, HttpStatic, Snapshot, VolumeFolder};
use tokio::sync::mpsc;

use crate::answer::{self, Answer};
use crate::body::Body;
use crate::server::Context;

/// Bytes that are read at once.
const PIECE: usize = 64 << 10;

/// A volume under a path.
pub(crate) struct Files {
    volume: Option<Volume>,
    spa: bool,
    index: Option<String>,
    cache: Option<HeaderValue>,
}

/// A directory whose files are served.
#[derive(Clone)]
pub(crate) struct Volume(Arc<Dir>);

impl Volume {
    /// Opens the directory of a volume; none when there is no such directory.
    pub(crate) fn open(snapshot: &Snapshot, id: &EntryId, project: &Path) -> Option<Self> {
        let entry = snapshot.get(id)?;
        let folder = match VolumeFolder::new(entry, project) {
            Ok(folder) => folder,
            Err(error) => {
                tracing::warn!(target: "moonlet", "the files of `{id}` are not served: {error}");
                return None;
            }
        };
        match Dir::open_ambient_dir(&folder.path, ambient_authority()) {
            Ok(dir) => Some(Self(Arc::new(dir))),
            Err(error) => {
                tracing::warn!(target: "moonlet", "the directory of `{id}` cannot be opened: {error}");
                None
            }
        }
    }
}

impl Volume {
    /// Opens a directory of the volume.
    fn below(&self, directory: &str, id: &EntryId) -> Option<Self> {
        match self.0.open_dir(directory) {
            Ok(dir) => Some(Self(Arc::new(dir))),
            Err(error) => {
                tracing::warn!(target: "moonlet", "the directory `{directory}` of `{id}` cannot be opened: {error}");
                None
            }
        }
    }
}

/// A file that was found.
struct Found {
    file: std::fs::File,
    length: u64,
    modified: Option<u64>,
}

impl Files {
    pub(crate) fn new(view: &HttpStatic, snapshot: &Snapshot, project: &Path) -> Self {
        let volume = Volume::open(snapshot, &view.fs, project);
        Self {
            volume: match &view.directory {
                Some(directory) => volume.and_then(|volume| volume.below(directory, &view.id)),
                None => volume,
            },
            spa: view.spa,
            index: view.index.clone(),
            cache: view.cache.as_deref().and_then(|cache| HeaderValue::from_str(cache).ok()),
        }
    }

    /// Answers a request for a path below the own one.
    pub(crate) async fn answer(&self, context: &Context, path: Vec<String>) -> Answer {
        if context.parts.method != Method::GET && context.parts.method != Method::HEAD {
            return answer::method_not_allowed(&["GET".to_owned(), "HEAD".to_owned()]);
        }
        let Some(volume) = self.volume.clone() else { return answer::not_found() };
        let index = self.index.clone().unwrap_or_else(|| "index.html".to_owned());
        let spa = self.spa;
        // Parts that lead elsewhere lead nowhere.
        let plain = |part: &String| part != "." && part != ".." && !part.contains(['/', '\\', '\0']);
        if !path.iter().all(plain) {
            return answer::not_found();
        }
        let path = path.join("/");
        let looked = tokio::task::spawn_blocking(move || {
            let direct = if path.is_empty() { None } else { find(&volume, &path).map(|found| (path.clone(), found)) };
            let direct = direct.or_else(|| {
                let inside = if path.is_empty() { index.clone() } else { format!("{path}/{index}") };
                find(&volume, &inside).map(|found| (inside, found))
            });
            direct.or_else(|| if spa { find(&volume, &index).map(|found| (index, found)) } else { None })
        });
        let Ok(Some((name, found))) = looked.await else { return answer::not_found() };
        let mut answer = send(context, found, media_type(&name));
        if let Some(cache) = &self.cache {
            answer.headers_mut().insert(header::CACHE_CONTROL, cache.clone());
        }
        answer
    }
}

/// Serves one file of a volume, as middleware `sendfile` does.
pub(crate) async fn serve(context: &Context, volume: Volume, path: String) -> Option<Answer> {
    let clean = path.trim_start_matches('/').to_owned();
    let name = clean.clone();
    let found = tokio::task::spawn_blocking(move || find(&volume, &clean)).await.ok()??;
    Some(send(context, found, media_type(&name)))
}

fn find(volume: &Volume, path: &str) -> Option<Found> {
    let file = volume.0.open(path).ok()?;
    let meta = file.metadata().ok().filter(cap_std::fs::Metadata::is_file)?;
    let modified = meta.modified().ok().and_then(|time| time.into_std().duration_since(UNIX_EPOCH).ok());
    Some(Found { length: meta.len(), modified: modified.map(|since| since.as_secs()), file: file.into_std() })
}

fn send(context: &Context, found: Found, media: &'static str) -> Answer {
    let tag = format!("\"{:x}-{:x}\"", found.modified.unwrap_or_default(), found.length);
    let mut answer = Response::new(Body::empty());
    let headers = answer.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, value);
    }
    let date = found.modified.map(|seconds| http_date(UNIX_EPOCH + std::time::Duration::from_secs(seconds)));
    if let Some(value) = date.as_deref().and_then(|date| HeaderValue::from_str(date).ok()) {
        headers.insert(header::LAST_MODIFIED, value);
    }
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let known = context.header(header::IF_NONE_MATCH).is_some_and(|tags| tags.split(',').any(|other| other.trim() == tag));
    let unchanged = context.header(header::IF_NONE_MATCH).is_none()
        && context.header(header::IF_MODIFIED_SINCE).is_some_and(|since| Some(since) == date.as_deref());
    if known || unchanged {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        return answer;
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    let fresh = context.header(header::IF_RANGE).is_none_or(|condition| condition == tag || Some(condition) == date.as_deref());
    let range = context.header(header::RANGE).filter(|_| fresh).and_then(|range| parse_range(range, found.length));
    let (start, length) = match range {
        None => (0, found.length),
        Some(Ok((start, end))) => {
            let text = format!("bytes {start}-{end}/{}", found.length);
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(header::CONTENT_RANGE, value);
            }
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            (start, end - start + 1)
        }
        Some(Err(())) => {
            let mut answer = answer::problem(StatusCode::RANGE_NOT_SATISFIABLE, "the file is shorter");
            if let Ok(value) = HeaderValue::from_str(&format!("bytes */{}", found.length)) {
                answer.headers_mut().insert(header::CONTENT_RANGE, value);
            }
            return answer;
        }
    };
    *answer.body_mut() = read(found.file, start, length);
    answer
}

/// Reads a single range, both ends included; none for what is no range or several, which may be ignored.
fn parse_range(text: &str, length: u64) -> Option<Result<(u64, u64), ()>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    if last.contains(',') {
        return None;
    }
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        let count: u64 = last.parse().ok()?;
        let count = count.min(length);
        return Some(if count == 0 { Err(()) } else { Ok((length - count, length - 1)) });
    }
    let first: u64 = first.parse().ok()?;
    let last = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
    if last < first {
        return None;
    }
    Some(if first >= length { Err(()) } else { Ok((first, last.min(length - 1))) })
}

/// Reads a part of a file as fast as the client takes it.
fn read(mut file: std::fs::File, start: u64, length: u64) -> Body {
    if length == 0 {
        return Body::empty();
    }
    let (sender, pieces) = mpsc::channel::<Bytes>(2);
    let work = tokio::task::spawn_blocking(move || -> io::Result<()> {
        file.seek(SeekFrom::Start(start))?;
        let mut left = length;
        while left > 0 {
            let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
            let count = file.read(&mut piece)?;
            if count == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
            }
            piece.truncate(count);
            left -= count as u64;
            if sender.blocking_send(piece.into()).is_err() {
                break;
            }
        }
        Ok(())
    });
    let companion = async move {
        work.await.map_err(io::Error::other)??;
        Ok(Bytes::new())
    };
    Body::live(pieces, Some(Box::pin(companion)), Some(length))
}

/// Tells the type of a file by its name.
pub(crate) fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    match extension.as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "txt" | "log" => "text/plain; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "xml" => "text/xml; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "pdf" => "application/pdf",
        "wasm" => "application/wasm",
        "zip" => "application/zip",
        "gz" => "application/gzip",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// Writes a time as HTTP does.
fn http_date(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"].get((days % 7) as usize).copied().unwrap_or("Thu");
    let (year, month, day) = civil(days);
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = names.get(month - 1).copied().unwrap_or("Jan");
    format!("{weekday}, {day:02} {month} {year} {:02}:{:02}:{:02} GMT", second / 3600, second / 60 % 60, second % 60)
}

/// Turns days since 1970 into year, month and day.
fn civil(days: u64) -> (u64, usize, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month as usize, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_http() {
        let time = UNIX_EPOCH + std::time::Duration::from_secs(784_111_777);
        assert_eq!(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn ranges_are_cut_to_the_file() {
        assert_eq!(parse_range("bytes=0-3", 10), Some(Ok((0, 3))));
        assert_eq!(parse_range("bytes=5-", 10), Some(Ok((5, 9))));
        assert_eq!(parse_range("bytes=-4", 10), Some(Ok((6, 9))));
        assert_eq!(parse_range("bytes=5-50", 10), Some(Ok((5, 9))));
        assert_eq!(parse_range("bytes=10-", 10), Some(Err(())));
        assert_eq!(parse_range("bytes=3-2", 10), None);
        assert_eq!(parse_range("bytes=0-1,3-4", 10), None);
        assert_eq!(parse_range("lines=0-1", 10), None);
    }
}
