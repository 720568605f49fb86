//! Environment: variables of entries, the storages that hold their values, and the placeholders that stand for them in other entries.
//!
//! A variable is found by its public name or by the id of its entry, and only what is registered is found: the environment of the
//! operating system is no exception. Values are read when they are asked for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use moonlet_registry::{Entry, EntryId, Snapshot, Storage, StorageForm, Variable};
use moonlet_sandbox::wit::Error;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use self::file::EnvFile;
use crate::errors;

mod file;
mod placeholder;
#[cfg(test)]
mod tests;

/// The longest value in bytes: programs set them, and they are kept.
const MAX_VALUE: usize = 64 << 10;
/// How deep routers may nest: one that names itself must end.
const MAX_ROUTERS: usize = 16;

/// The variables of a node.
#[derive(Debug, Default)]
pub struct Environment {
    /// Where relative paths start.
    project: PathBuf,
    /// Guards what is kept of storages.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Values of storages in memory.
    memory: FxHashMap<EntryId, BTreeMap<String, String>>,
    /// Open files, by their paths: two storages may name the same.
    files: FxHashMap<PathBuf, EnvFile>,
    /// Variables by public name, at one version of the registry.
    names: Option<(u64, Arc<FxHashMap<String, EntryId>>)>,
}

impl Environment {
    pub(crate) fn new(project: PathBuf) -> Self {
        Self { project, state: Mutex::default() }
    }

    /// Finds a variable by its public name or the id of its entry.
    ///
    /// # Errors
    ///
    /// `NotFound` without such a variable, `Invalid` for what cannot be a name.
    pub fn find(&self, registry: &Snapshot, name: &str) -> Result<Variable, Error> {
        let entry = if name.contains(':') {
            registry.find_id(name)
        } else {
            check_name(name)?;
            self.names(registry).get(name).and_then(|id| registry.get(id))
        };
        let variable = entry.and_then(|entry| Variable::new(entry).ok());
        variable.ok_or_else(|| {
            let shown = errors::shown(name);
            let hint = "write an entry of kind `env.variable`";
            errors::not_found(if name.contains(':') {
                format!("there is no variable `{shown}`: {hint} with this id")
            } else {
                format!("there is no variable `{shown}`: {hint} with `variable: {shown}` and a `storage`")
            })
        })
    }

    /// Reads a variable; none: its storages have no value, and it has no default.
    ///
    /// # Errors
    ///
    /// As [`Environment::find`], and `NotFound` for a storage that is not there, `Unavailable` for a file that cannot be read.
    pub fn get(&self, registry: &Snapshot, name: &str) -> Result<Option<String>, Error> {
        let variable = self.find(registry, name)?;
        self.read(registry, &variable)
    }

    /// Reads a variable that must have a value.
    ///
    /// # Errors
    ///
    /// As [`Environment::get`], and `NotFound` when it has none.
    pub fn value(&self, registry: &Snapshot, name: &str) -> Result<String, Error> {
        let variable = self.find(registry, name)?;
        self.read(registry, &variable)?.ok_or_else(|| {
            let (name, id) = (errors::shown(name), &variable.id);
            errors::not_found(match &variable.storage {
                Some(storage) => {
                    format!("the variable `{name}` has no value: set it in `{storage}`, or write a `default` in `{id}`")
                }
                None => format!("the variable `{name}` has no value: write a `storage` or a `default` in `{id}`"),
            })
        })
    }

    fn read(&self, registry: &Snapshot, variable: &Variable) -> Result<Option<String>, Error> {
        let value = match &variable.storage {
            Some(storage) => self.read_storage(registry, storage, key(variable), 0)?,
            None => None,
        };
        Ok(value.or_else(|| variable.default.clone()))
    }

    fn read_storage(&self, registry: &Snapshot, id: &EntryId, key: &str, depth: usize) -> Result<Option<String>, Error> {
        match storage(registry, id)?.form {
            StorageForm::Memory => Ok(self.state.lock().memory.get(id).and_then(|values| values.get(key).cloned())),
            StorageForm::File { path, auto_create, file_mode, dir_mode } => {
                let path = self.project.join(path);
                let mut state = self.state.lock();
                let file = state.files.entry(path.clone()).or_default();
                file.read(&path, auto_create.then_some((file_mode, dir_mode))).map_err(|reason| unreadable(id, &reason))?;
                Ok(file.get(key))
            }
            StorageForm::Os => Ok(std::env::var(key).ok()),
            StorageForm::Static(values) => Ok(values.get(key).cloned()),
            StorageForm::Router(storages) => {
                check_depth(id, depth)?;
                for storage in storages {
                    if let Some(value) = self.read_storage(registry, &storage, key, depth + 1)? {
                        return Ok(Some(value));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Writes a variable.
    ///
    /// # Errors
    ///
    /// As [`Environment::find`], `PermissionDenied` for a variable or a storage that is read-only, `Unavailable` for a file that cannot
    /// be written, `LimitExceeded` for a value that is too long.
    pub fn set(&self, registry: &Snapshot, name: &str, value: &str) -> Result<(), Error> {
        let variable = self.find(registry, name)?;
        if value.len() > MAX_VALUE {
            return Err(errors::limit("value", MAX_VALUE as u64, value.len() as u64));
        }
        if variable.readonly {
            let hint = format!("take `readonly: true` out of `{}`", variable.id);
            return Err(errors::denied(format!("the variable `{}` is read-only: {hint}", errors::shown(name))));
        }
        match &variable.storage {
            Some(storage) => self.write_storage(registry, storage, key(&variable), value, 0),
            None => {
                let hint = format!("write `storage: name` in `{}`", variable.id);
                Err(errors::denied(format!("the variable `{}` has no storage: {hint}", errors::shown(name))))
            }
        }
    }

    fn write_storage(&self, registry: &Snapshot, id: &EntryId, key: &str, value: &str, depth: usize) -> Result<(), Error> {
        let read_only = |what: &str| {
            let hint = "put a storage in memory or in a file before it, with an `env.storage.router`";
            errors::denied(format!("the storage `{id}` is read-only, because it holds {what}: {hint}"))
        };
        match storage(registry, id)?.form {
            StorageForm::Memory => {
                let mut state = self.state.lock();
                state.memory.entry(id.clone()).or_default().insert(key.to_owned(), value.to_owned());
                Ok(())
            }
            StorageForm::File { path, auto_create, file_mode, dir_mode } => {
                let path = self.project.join(path);
                let mut state = self.state.lock();
                let file = state.files.entry(path.clone()).or_default();
                let create = auto_create.then_some((file_mode, dir_mode));
                file.read(&path, create).map_err(|reason| unreadable(id, &reason))?;
                file.set(&path, key, value, file_mode).map_err(|reason| unreadable(id, &reason))
            }
            StorageForm::Os => Err(read_only("the variables of the operating system")),
            StorageForm::Static(_) => Err(read_only("what its entry says")),
            StorageForm::Router(storages) => {
                check_depth(id, depth)?;
                match storages.first() {
                    Some(storage) => self.write_storage(registry, storage, key, value, depth + 1),
                    None => Err(errors::not_found(format!("the storage `{id}` has no storages to write to"))),
                }
            }
        }
    }

    /// Lists the public names of all variables, with the ids of their entries.
    #[must_use]
    pub fn public(&self, registry: &Snapshot) -> BTreeMap<String, EntryId> {
        self.names(registry).iter().map(|(name, id)| (name.clone(), id.clone())).collect()
    }

    fn names(&self, registry: &Snapshot) -> Arc<FxHashMap<String, EntryId>> {
        let version = registry.version().id;
        if let Some((known, names)) = &self.state.lock().names
            && *known == version
        {
            return Arc::clone(names);
        }
        let mut entries: Vec<_> = registry.of_kind("env.variable").collect();
        // Of two with the same name the application's holds, which comes last, and else the first.
        entries.reverse();
        entries.sort_by_key(|entry| entry.module().is_none());
        let variables = entries.into_iter().filter_map(|entry| Variable::new(entry).ok());
        let names = variables.filter_map(|variable| Some((variable.variable?, variable.id)));
        let names: Arc<FxHashMap<_, _>> = Arc::new(names.collect());
        self.state.lock().names = Some((version, Arc::clone(&names)));
        names
    }

    /// Fills the placeholders in the data of an entry: `${env:NAME}`, `${env:NAME|default}`, `${NAME|default}`, and fields `x_env` that
    /// name a variable for the field `x`. What uses an entry asks this first and reads the result; the registry keeps the entry as it is.
    ///
    /// # Errors
    ///
    /// Which placeholder has no value and no default.
    pub fn fill(&self, registry: &Snapshot, entry: &Entry) -> Result<Entry, Error> {
        let mut filled = entry.clone();
        placeholder::fill(&mut filled.data, &|name| self.placeholder(registry, name)).map_err(|missing| {
            errors::not_found(format!(
                "`{}` of `{}` has no value: set the variable, or write `${{env:{}|default}}`",
                missing.path, entry.id, missing.name
            ))
        })?;
        Ok(filled)
    }

    /// Like [`Environment::fill`]; an entry without placeholders is given back as it is.
    ///
    /// # Errors
    ///
    /// As [`Environment::fill`].
    pub fn filled(&self, registry: &Snapshot, entry: &Arc<Entry>) -> Result<Arc<Entry>, Error> {
        if placeholder::concerns(&entry.data) { self.fill(registry, entry).map(Arc::new) } else { Ok(Arc::clone(entry)) }
    }

    /// Fills the placeholders of one text.
    ///
    /// # Errors
    ///
    /// Which placeholder has no value and no default.
    pub fn fill_text(&self, registry: &Snapshot, text: &str) -> Result<String, Error> {
        let filled = placeholder::text(text, &|name| self.placeholder(registry, name));
        filled.map_err(|name| errors::not_found(format!("the variable `{}` has no value", errors::shown(&name))))
    }

    fn placeholder(&self, registry: &Snapshot, name: &str) -> Option<String> {
        self.get(registry, name).ok().flatten()
    }
}

/// The name under which a storage has the value of a variable.
fn key(variable: &Variable) -> &str {
    variable.variable.as_deref().unwrap_or_else(|| variable.id.name())
}

fn storage(registry: &Snapshot, id: &EntryId) -> Result<Storage, Error> {
    let storage = registry.get(id).and_then(|entry| Storage::new(entry).ok());
    storage.ok_or_else(|| errors::not_found(format!("there is no storage of variables `{id}`")))
}

fn check_depth(id: &EntryId, depth: usize) -> Result<(), Error> {
    if depth < MAX_ROUTERS {
        return Ok(());
    }
    Err(errors::invalid(format!("the storage `{id}` leads through more than {MAX_ROUTERS} routers: does it lead to itself?")))
}

fn unreadable(id: &EntryId, reason: &str) -> Error {
    errors::unavailable(format!("the storage `{id}` {reason}")).with_retryable(false)
}

/// Refuses what cannot be the name of a variable.
fn check_name(name: &str) -> Result<(), Error> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() {
        return Err(errors::invalid("the name of the variable is empty"));
    }
    if name.bytes().all(fits) {
        return Ok(());
    }
    let name = errors::shown(name);
    Err(errors::invalid(format!(
        "`{name}` is no name of a variable: a name has letters, digits and `_` only, and an id has a `:`"
    )))
}
