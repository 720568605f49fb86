//! Volumes of files: which folder an entry shows, for everyone who reads it.

use std::path::{Component, Path, PathBuf};

use super::ViewError;
use super::fields::{LIFECYCLE, Reader};
use crate::entry::Entry;
use crate::schema::{Field, Object, Type, Unknown};

/// The folder of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeFolder {
    /// Where it is; it need not exist.
    pub path: PathBuf,
    /// Whether nothing may be written there, whatever its mode says.
    pub read_only: bool,
}

impl VolumeFolder {
    /// Finds the folder of a volume of either kind, in the project of that directory.
    ///
    /// A relative `directory` of `fs.directory` starts at the project, or with `base: module` at the sources of its module; what is not
    /// there may lie beside the file that the entry is written in. `fs.embed` looks in the same places in the other order, for its
    /// `directory` or else its own name.
    ///
    /// # Errors
    /// When the entry is of another kind, names no directory, or is embedded and leads out of where it is looked for.
    pub fn new(entry: &Entry, project: &Path) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        let beside = entry.origin.as_ref().map(|origin| origin.directory.as_path());
        let module = entry.origin.as_ref().map(|origin| origin.root.as_path());
        match entry.kind.as_str() {
            "fs.directory" => {
                let directory = reader.optional_text("directory").filter(|directory| !directory.is_empty());
                let directory = directory.ok_or_else(|| reader.missing("directory"))?;
                let base = match reader.optional_text("base").as_deref() {
                    Some("module") => module.unwrap_or(project),
                    _ => project,
                };
                let path = base.join(&directory);
                let found = if path.is_dir() { None } else { beside.map(|beside| beside.join(&directory)) };
                Ok(Self { path: found.filter(|path| path.is_dir()).unwrap_or(path), read_only: false })
            }
            "fs.embed" => {
                let directory = reader.optional_text("directory").filter(|directory| !directory.is_empty());
                let directory = PathBuf::from(directory.unwrap_or_else(|| entry.id.name().to_owned()));
                if !directory.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
                    return Err(reader.missing("directory"));
                }
                let places = [beside, module, Some(project)];
                let mut paths = places.into_iter().flatten().map(|place| place.join(&directory));
                let path = paths.find(|path| path.is_dir()).unwrap_or_else(|| project.join(&directory));
                Ok(Self { path, read_only: true })
            }
            _ => Err(reader.wrong_kind("a volume of files (`fs.directory` or `fs.embed`)")),
        }
    }
}

pub(super) static DIRECTORY: Object = Object {
    fields: &[
        Field::required("directory", Type::Text, "write `directory: data`, the directory that the volume shows"),
        Field::new("auto_init", Type::Bool),
        Field::new("mode", Type::Scalar),
        Field::new("base", Type::Choice(&["project", "module"])),
        Field::new("limits", Type::Object(&VOLUME_LIMITS)),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

static VOLUME_LIMITS: Object =
    Object { fields: &[Field::new("max_size", Type::Size), Field::new("max_file_size", Type::Size)], unknown: Unknown::Refused };

pub(super) static EMBEDDED: Object = Object {
    fields: &[Field::new("directory", Type::Text), Field::new("lifecycle", Type::Object(&LIFECYCLE))],
    unknown: Unknown::Warned,
};
