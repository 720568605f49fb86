//! The modules of this build.

use moonlet_registry::ModuleCatalog;

/// Modules that live in the guest's image.
const GUEST: &[&str] = &["base64", "ctx", "funcs", "hash", "io", "json", "logger", "time", "uuid"];

/// Names the modules that Lua code can use.
pub(crate) fn catalog() -> ModuleCatalog {
    ModuleCatalog::new(GUEST.iter().copied())
}
