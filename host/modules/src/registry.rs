//! Module `registry`: entries as programs see and change them.
//!
//! Snapshots and versions are tables of the glue that name a version; what they ask is answered from the snapshot of that version, of which
//! the latest ones are kept. A change set is collected in a draft, because it may be larger than one message, and applied on a thread of its
//! own: checking it takes as long as there are entries.

use std::collections::VecDeque;
use std::sync::Arc;

use moonlet_registry::{Change, Filter, Snapshot, Version};
use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};
use parking_lot::Mutex;

mod apply;
mod ceiling;
mod values;
mod written;

use ceiling::Ceiling;
use written::Written;

/// Snapshots of earlier versions that are kept for whoever reads on in one. Each may hold on to entries that are there no more.
const KEPT_SNAPSHOTS: usize = 8;

/// The registry.
#[derive(Debug, Default)]
pub(crate) struct RegistryModule {
    snapshots: Arc<Snapshots>,
    drafts: Arc<apply::Drafts>,
    written: Arc<Written>,
}

/// Snapshots that somebody looks at, the latest first.
#[derive(Debug, Default)]
struct Snapshots(Mutex<VecDeque<Snapshot>>);

impl Snapshots {
    fn keep(&self, snapshot: &Snapshot) {
        let mut kept = self.0.lock();
        if let Some(position) = kept.iter().position(|other| other.version() == snapshot.version()) {
            kept.remove(position);
        }
        kept.push_front(snapshot.clone());
        kept.truncate(KEPT_SNAPSHOTS);
    }

    fn find(&self, version: u64) -> Option<Snapshot> {
        self.0.lock().iter().find(|snapshot| snapshot.version().id == version).cloned()
    }
}

impl HostModule for RegistryModule {
    fn name(&self) -> &str {
        "registry"
    }

    fn manifest(&self) -> Value {
        let functions = [
            "get",
            "list",
            "current",
            "version",
            "after",
            "versions",
            "snapshot_at",
            "draft",
            "add",
            "apply",
            "apply_version",
            "build_delta",
        ];
        Manifest::new().functions(&functions).resource("Draft", &[]).build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("registry/glue.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        let mut args = Args::new(function, args);
        match function {
            "get" => self.get(call, &args),
            "list" => self.list(call, &args),
            "current" => {
                let snapshot = call.registry();
                self.snapshots.keep(&snapshot);
                Answer::one(values::of_version(snapshot.version()))
            }
            "version" => find_version(call, number(&args, 1)?, |version, wanted| version.id == wanted),
            "after" => find_version(call, number(&args, 1)?, |version, wanted| version.parent == Some(wanted)),
            "versions" => {
                let registry = call.node().registry()?;
                call.run_blocking(move || {
                    Ok(vec![Value::Array(registry.versions().into_iter().map(values::of_version).collect())])
                })
            }
            "snapshot_at" => self.snapshot_at(call, number(&args, 1)?),
            "draft" => apply::draft(call, &self.drafts),
            "add" => apply::add(call, &args),
            "apply" => apply::apply(call, &args, &self.written),
            "apply_version" => apply::apply_version(call, number(&args, 1)?, &self.written),
            "build_delta" => {
                let (from, to) = (args.take(1), args.take(2));
                apply::build_delta(&args, from, to)
            }
            other => Err(Error::new("NotFound", format!("module `registry` has no function `{other}`")).into()),
        }
    }

    fn changed(&self, change: &Change) {
        self.written.changed(change);
    }
}

impl RegistryModule {
    /// Finds the snapshot that a call is about.
    fn snapshot(&self, call: &ModuleCall<'_>, version: Option<u64>) -> Result<Snapshot, Error> {
        let current = call.registry();
        let Some(version) = version.filter(|version| *version != current.version().id) else { return Ok(current) };
        if let Some(snapshot) = self.snapshots.find(version) {
            return Ok(snapshot);
        }
        let snapshot = call.node().registry()?.snapshot_at(version).map_err(|error| apply::failure(&error))?;
        self.snapshots.keep(&snapshot);
        Ok(snapshot)
    }

    fn get(&self, call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
        let id = values::id(args.get(1)).map_err(|wrong| match wrong {
            values::Wrong::Type(_) => args.fault(1, "string expected"),
            values::Wrong::Value(message) => invalid(message).into(),
        })?;
        let snapshot = self.snapshot(call, opt_number(args, 2)?)?;
        call.check("registry.get", id.as_str())?;
        if let Some(ceiling) = Ceiling::of(call) {
            ceiling.check_read(&id)?;
        }
        match snapshot.get(&id) {
            Some(entry) => Answer::one(values::of_entry(entry)),
            None => Err(Error::new("NotFound", format!("there is no entry `{id}`")).with_retryable(false).into()),
        }
    }

    /// Lists entries from an offset on, as many as fit into one answer.
    fn list(&self, call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
        let conditions = values::conditions(args)?;
        let pairs = conditions.iter().map(|(key, value)| (key.as_str(), value));
        let filter = Filter::new(pairs).map_err(|error| invalid(error.to_string()))?;
        let namespace = args.opt_text(2)?;
        let snapshot = self.snapshot(call, opt_number(args, 3)?)?;
        let offset = usize::try_from(number(args, 4)?).unwrap_or(usize::MAX);
        if offset == 0 {
            for key in filter.ignored() {
                let (entry, pid) = (call.entry(), call.pid());
                let hint = "write `.kind`, `.ns`, `.name`, `.id` or `meta.FIELD`";
                tracing::warn!(target: "moonlet", pid, entry, "registry.find ignores the key `{key}`: {hint}");
            }
        }
        let ceiling = Ceiling::of(call);
        let readable = |id: &moonlet_registry::EntryId| {
            ceiling.as_ref().is_none_or(|ceiling| ceiling.check_read(id).is_ok()) && call.may("registry.get", id.as_str())
        };
        let room = call.max_bytes() / 2;
        let (mut entries, mut size, mut next) = (Vec::new(), 0, Value::Nil);
        for (position, entry) in snapshot.entries().enumerate().skip(offset) {
            if namespace.is_some_and(|namespace| entry.id.namespace() != namespace)
                || !filter.matches(entry)
                || !readable(&entry.id)
            {
                continue;
            }
            let value = values::of_entry(entry);
            size += values::size(&value);
            if size > room && !entries.is_empty() {
                next = position.into();
                break;
            }
            entries.push(value);
        }
        let version = snapshot.version().id;
        Answer::one(Value::Map(vec![
            ("entries".into(), Value::Array(entries)),
            ("next".into(), next),
            ("version".into(), version.into()),
        ]))
    }

    fn snapshot_at(&self, call: &ModuleCall<'_>, version: u64) -> Result<Answer, Fault> {
        let registry = call.node().registry()?;
        let snapshots = Arc::clone(&self.snapshots);
        // Whoever changes the registry holds its history for as long as that takes.
        call.run_blocking(move || {
            let snapshot = registry.snapshot_at(version).map_err(|error| apply::failure(&error))?;
            snapshots.keep(&snapshot);
            Ok(vec![values::of_version(snapshot.version())])
        })
    }
}

fn find_version(call: &ModuleCall<'_>, wanted: u64, is_it: fn(&Version, u64) -> bool) -> Result<Answer, Fault> {
    let registry = call.node().registry()?;
    call.run_blocking(move || match registry.versions().iter().find(|version| is_it(version, wanted)) {
        Some(version) => Ok(vec![values::of_version(*version)]),
        None => Err(Error::new("NotFound", format!("version {wanted} does not exist")).with_retryable(false)),
    })
}

fn number(args: &Args<'_>, position: usize) -> Result<u64, Fault> {
    u64::try_from(args.integer(position)?).map_err(|_| invalid("a version is a number above zero").into())
}

fn opt_number(args: &Args<'_>, position: usize) -> Result<Option<u64>, Fault> {
    if args.get(position).is_nil() { Ok(None) } else { number(args, position).map(Some) }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new("Invalid", message).with_retryable(false)
}
