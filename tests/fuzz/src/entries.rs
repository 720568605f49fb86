//! The loader of entries.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use moonlet_registry::{LoadOptions, load};

static PROJECT: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("moonlet-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
});

/// Loads a project whose only file holds these bytes: a registry or a report.
pub fn feed(bytes: &[u8]) {
    fs::write(PROJECT.join("_index.yaml"), bytes).unwrap();
    let _ = load(&PROJECT, &LoadOptions::default());
}
