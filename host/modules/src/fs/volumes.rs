//! The volumes of a node by their entries.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use moonlet_registry::{Change, Entry, Size, VolumeFolder};
use moonlet_runtime::{Error, NodeHandle};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::volume::Volume;
use crate::fail::{invalid, not_found, unsupported};

/// How large one file may get unless the entry says otherwise.
const FILE_SIZE: u64 = 1 << 30;
/// By how much a volume may grow while the node runs, unless the entry says how large it may be.
const GROWTH: u64 = 4 << 30;
/// Files and directories that are counted when a volume with a limit opens.
const COUNTED: usize = 1_000_000;

/// The volumes that are open.
#[derive(Default)]
pub(super) struct Volumes {
    project: OnceLock<PathBuf>,
    /// Guards the open volumes; never held while one opens.
    open: Mutex<FxHashMap<String, Arc<Volume>>>,
}

impl Volumes {
    pub(super) fn start(&self, node: &NodeHandle) -> Result<(), Error> {
        let project = node.project()?;
        self.project.get_or_init(|| project);
        Ok(())
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Volume>> {
        self.open.lock().get(id).map(Arc::clone)
    }

    /// Forgets the volume of an entry that changed; open files stay open.
    pub(super) fn changed(&self, change: &Change) {
        self.open.lock().remove(change.id.as_str());
    }

    /// Opens the volume of an entry. May wait for the disk.
    pub(super) fn open(&self, entry: &Entry) -> Result<Arc<Volume>, Error> {
        let volume = Arc::new(self.make(entry)?);
        let mut open = self.open.lock();
        Ok(Arc::clone(open.entry(entry.id.as_str().to_owned()).or_insert(volume)))
    }

    fn make(&self, entry: &Entry) -> Result<Volume, Error> {
        let project = self.project.get().map_or(Path::new("."), PathBuf::as_path);
        let folder = VolumeFolder::new(entry, project).map_err(|error| invalid(error.to_string()))?;
        let directory = folder.path;
        if !folder.read_only && entry.data.get("auto_init").and_then(Json::as_bool).unwrap_or(false) {
            let made = std::fs::create_dir_all(&directory);
            made.map_err(|error| unsupported(format!("the directory of `{}` cannot be made: {}", entry.id, error.kind())))?;
        }
        let dir = Dir::open_ambient_dir(&directory, ambient_authority()).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if folder.read_only => {
                let name = entry.id.name();
                let message = format!("the folder of `{}` does not exist: make `{name}`, or write `directory:`", entry.id);
                not_found(message)
            }
            std::io::ErrorKind::NotFound => {
                not_found(format!("the directory of `{}` does not exist: make it, or write `auto_init: true`", entry.id))
            }
            kind => unsupported(format!("the directory of `{}` cannot be opened: {kind}", entry.id)),
        })?;
        let limits = entry.data.get("limits");
        let size = |name: &str| match limits.and_then(|limits| limits.get(name)) {
            Some(Json::Number(number)) => number.as_u64(),
            Some(Json::String(text)) => text.parse::<Size>().ok().map(Size::as_bytes),
            _ => None,
        };
        let max_size = size("max_size");
        let used = match max_size {
            Some(_) => measure(&directory).ok_or_else(|| unsupported(format!("`{}` has too many files to count", entry.id)))?,
            None => 0,
        };
        let max_file_size = size("max_file_size").unwrap_or(FILE_SIZE);
        Ok(Volume::new(
            dir,
            if folder.read_only { 0o444 } else { mode(entry.data.get("mode")) },
            max_file_size,
            max_size.unwrap_or(GROWTH),
            used,
        ))
    }
}

/// Adds up the sizes of all files below a directory, without following links.
fn measure(directory: &Path) -> Option<u64> {
    let mut bytes: u64 = 0;
    let mut count = 0;
    let mut left = vec![directory.to_path_buf()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            count += 1;
            if count > COUNTED {
                return None;
            }
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => left.push(entry.path()),
                Ok(metadata) if metadata.is_file() => bytes = bytes.saturating_add(metadata.len()),
                _ => {}
            }
        }
    }
    Some(bytes)
}

/// Reads permissions, which YAML gives as a number and people quote as `"0755"`.
fn mode(value: Option<&Json>) -> u32 {
    match value {
        Some(Json::Number(number)) => number.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(0o755),
        Some(Json::String(text)) => u32::from_str_radix(text.trim_start_matches("0o"), 8).unwrap_or(0o755),
        _ => 0o755,
    }
}
