//! Which host modules the image of the guest holds ready, so that a process need not make their tables.

use moonlet_sandbox::IMAGE_MODULES;
use serde_json::Value as Json;

use super::HostModule;
use crate::document;

/// Writes the manifest of a module as `guest/modules.rs` has it; none: it holds what JSON has no form for.
#[must_use]
pub fn image_manifest(module: &dyn HostModule) -> Option<String> {
    document::to_json(&module.manifest()).ok().map(|manifest| sorted(manifest).to_string())
}

/// Puts fields in the order of their names, which a map of JSON has or not depending on what else is built.
fn sorted(json: Json) -> Json {
    match json {
        Json::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            fields.into_iter().collect()
        }
        other => other,
    }
}

/// Tells whether the image holds a module just as this node has it.
pub(crate) fn is_in_image(module: &dyn HostModule) -> bool {
    let known = IMAGE_MODULES.iter().find(|(name, ..)| *name == module.name());
    known.is_some_and(|(_, manifest, glue)| {
        module.glue().unwrap_or_default() == *glue && image_manifest(module).is_some_and(|own| own == *manifest)
    })
}
