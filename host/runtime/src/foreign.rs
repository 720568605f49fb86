//! Code in other languages: where it comes from, and what WASI gives to it.

use std::path::{Path, PathBuf};

use moonlet_registry::{EntryId, VolumeFolder, WasmEntry};
use moonlet_sandbox::{Compiled, Failure, Mount, WasiGrants, wit};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use crate::errors;
use crate::program::Code;
use crate::shared::Shared;

/// Compiled components that are kept: several entries often run functions of one file.
const MAX_KEPT: usize = 64;

type Digest = [u8; 32];

/// Compiled components by what they were made of.
#[derive(Default)]
pub(crate) struct CompiledCache {
    /// Guards the map only; nothing is compiled while it is held.
    kept: Mutex<FxHashMap<(Digest, Option<String>), Compiled>>,
}

impl CompiledCache {
    fn get_or_make(
        &self,
        key: (Digest, Option<String>),
        make: impl FnOnce() -> Result<Compiled, Failure>,
    ) -> Result<Compiled, Failure> {
        if let Some(compiled) = self.kept.lock().get(&key) {
            return Ok(compiled.clone());
        }
        let compiled = make()?;
        let mut kept = self.kept.lock();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(key, compiled.clone());
        Ok(compiled)
    }
}

/// Reads and compiles what an entry runs: a program of world `process`, or any exported function.
pub(crate) fn read(node: &Shared, view: &WasmEntry) -> Result<Code, wit::Error> {
    let bytes = bytes(node, view)?;
    let digest: Digest = Sha256::digest(&bytes).into();
    check_hash(view, &digest)?;
    if view.text.is_none()
        && view.wit.is_none()
        && let Ok(component) = node.sandbox.component(&bytes)
    {
        return Ok(Code::Component(component));
    }
    let refused = |failure: Failure| {
        let error = failure.into_error();
        wit::Error { message: format!("the code of `{}` cannot run: {}", view.id, error.message), ..error }
    };
    let compiled = node.compiled.get_or_make((digest, view.wit.clone()), || node.sandbox.compiled(&bytes, view.wit.as_deref()));
    let exported = node.sandbox.exported(&compiled.map_err(refused)?, &view.method).map_err(refused)?;
    Ok(Code::Exported(exported, Box::new(view.clone())))
}

fn bytes(node: &Shared, view: &WasmEntry) -> Result<Vec<u8>, wit::Error> {
    if let Some(text) = &view.text {
        return Ok(text.clone().into_bytes());
    }
    let path = match (&view.file, &view.volume) {
        (Some(file), _) => file.clone(),
        (None, Some((volume, path))) => inside(&folder(node, volume)?.path, path)
            .ok_or_else(|| errors::invalid(format!("`{path}` of `{}` leads out of its volume `{volume}`", view.id)))?,
        (None, None) => return Err(errors::invalid(format!("`{}` names no code; write `path:` or `source:`", view.id))),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    std::fs::read(&path)
        .map_err(|error| errors::unavailable(format!("the component `{name}` of `{}` cannot be read: {error}", view.id)))
}

fn check_hash(view: &WasmEntry, digest: &Digest) -> Result<(), wit::Error> {
    let Some(wanted) = &view.hash else { return Ok(()) };
    let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    if wanted.strip_prefix("sha256:").is_some_and(|wanted| wanted.eq_ignore_ascii_case(&found)) {
        return Ok(());
    }
    let message = format!(
        "the code of `{}` has another hash than its entry says; write `hash: sha256:{found}` if it is the right one",
        view.id
    );
    Err(errors::invalid(message))
}

/// Resolves what an entry grants through WASI, as it is now.
pub(crate) fn grants(node: &Shared, view: &WasmEntry) -> Result<WasiGrants, wit::Error> {
    let mut grants = WasiGrants { args: view.wasi.args.clone(), ..WasiGrants::default() };
    for mount in &view.wasi.mounts {
        let folder = folder(node, &mount.volume)?;
        let read_only = mount.read_only || folder.read_only;
        grants.mounts.push(Mount { host: folder.path, guest: mount.guest.clone(), read_only });
    }
    let snapshot = node.registry.snapshot();
    for variable in &view.wasi.env {
        match node.environment.get(&snapshot, variable.id.as_str())? {
            Some(value) => grants.env.push((variable.name.clone(), value)),
            None if variable.required => {
                let message = format!("the variable `{}` that `{}` needs has no value", variable.id, view.id);
                return Err(errors::not_found(message));
            }
            None => {}
        }
    }
    Ok(grants)
}

/// Finds the folder of a file volume.
fn folder(node: &Shared, volume: &EntryId) -> Result<VolumeFolder, wit::Error> {
    let snapshot = node.registry.snapshot();
    let entry = snapshot.get(volume).ok_or_else(|| errors::not_found(format!("there is no file volume `{volume}`")))?;
    let entry = node.environment.filled(&snapshot, entry)?;
    VolumeFolder::new(&entry, &node.project).map_err(|error| errors::unavailable(error.to_string()))
}

/// Joins a path to a directory; none when it leads out of it, links included.
fn inside(directory: &Path, path: &str) -> Option<PathBuf> {
    let joined = directory.join(path.trim_start_matches('/'));
    match (joined.canonicalize(), directory.canonicalize()) {
        (Ok(real), Ok(root)) => real.starts_with(root).then_some(real),
        // What does not exist fails when it is read, with its name in the message.
        _ => (!path.split('/').any(|part| part == "..")).then_some(joined),
    }
}
