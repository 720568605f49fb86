//! Change sets: how they are collected, checked, applied, and what is wrong with them.

use std::collections::HashMap;
use std::sync::Arc;

use moonlet_registry::{Change, ChangeError, ChangeKind, ChangeSet, Diagnostic, Entry, EntryId, Operation, Snapshot, delta};
use moonlet_runtime::{Answer, Args, Error, Fault, Freight, ModuleCall, Value, document};
use parking_lot::Mutex;

use super::ceiling::Ceiling;
use super::values;
use super::written::{self, Written};
use crate::fail::exceeded;

/// Operations of one change set: each of them is checked while nobody else can change the registry.
const MAX_OPERATIONS: usize = 20_000;
/// Bytes of all change sets that one process collects.
const MAX_BYTES: usize = 64 << 20;
/// Bytes in memory for each byte that is counted: what is counted is the text of an entry, what is kept are its values.
const IN_MEMORY: usize = 4;
/// Problems that one error repeats.
const MAX_PROBLEMS: usize = 50;

/// Bytes of the change sets that processes collect, by pid.
#[derive(Debug, Default)]
pub(super) struct Drafts(Mutex<HashMap<String, usize>>);

impl Drafts {
    /// Counts bytes of a process in, unless they are too many.
    fn charge(&self, pid: &str, bytes: usize) -> bool {
        let mut drafts = self.0.lock();
        let used = drafts.get(pid).copied().unwrap_or(0).saturating_add(bytes);
        if used > MAX_BYTES {
            return false;
        }
        drafts.insert(pid.to_owned(), used);
        true
    }

    fn discharge(&self, pid: &str, bytes: usize) {
        let mut drafts = self.0.lock();
        let Some(used) = drafts.get_mut(pid) else { return };
        *used = used.saturating_sub(bytes);
        if *used == 0 {
            drafts.remove(pid);
        }
    }
}

/// A change set that is being collected.
#[derive(Debug)]
struct Draft {
    drafts: Arc<Drafts>,
    pid: String,
    /// What it has collected is charged until it is applied or dropped.
    freight: Freight,
    collected: Mutex<Collected>,
}

#[derive(Debug, Default)]
struct Collected {
    operations: Vec<Operation>,
    problems: Vec<String>,
    bytes: usize,
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.drafts.discharge(&self.pid, self.collected.lock().bytes);
    }
}

/// Begins a change set.
pub(super) fn draft(call: &ModuleCall<'_>, drafts: &Arc<Drafts>) -> Result<Answer, Fault> {
    let draft =
        Draft { drafts: Arc::clone(drafts), pid: call.pid().to_owned(), freight: call.freight(), collected: Mutex::default() };
    Answer::one(call.keep("Draft", Arc::new(draft))?)
}

/// Adds operations to a change set.
pub(super) fn add(call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
    let draft = call.resource::<Draft>("Draft", args.get(1))?;
    let operations = args.list(2)?;
    let all: usize = operations.iter().map(values::size).sum();
    // At once and first: who is refused may try again.
    draft.freight.add(all.saturating_mul(IN_MEMORY))?;
    let mut collected = draft.collected.lock();
    for operation in operations {
        let size = values::size(operation);
        let full = collected.operations.len() + collected.problems.len() >= MAX_OPERATIONS;
        if full || !draft.drafts.charge(&draft.pid, size) {
            let message =
                format!("a change set has at most {MAX_OPERATIONS} operations and {MAX_BYTES} bytes: apply it in parts");
            return Err(exceeded(message, "operations", MAX_OPERATIONS as u64).into());
        }
        collected.bytes += size;
        match read(operation) {
            Ok(operation) => collected.operations.push(operation),
            Err(problem) => collected.problems.push(problem),
        }
    }
    Answer::one(true)
}

fn read(value: &Value) -> Result<Operation, String> {
    let kind = values::field(value, "kind").and_then(Value::as_str).unwrap_or_default();
    let entry = values::field(value, "entry").unwrap_or(&Value::Nil);
    if kind == ChangeKind::Delete.as_str() {
        let id = values::field(entry, "id").unwrap_or(&Value::Nil);
        return values::id(id).map(Operation::Delete).map_err(values::Wrong::message);
    }
    let entry = values::entry(entry)?;
    Ok(if kind == ChangeKind::Create.as_str() { Operation::Create(entry) } else { Operation::Update(entry) })
}

/// Applies a change set as a whole.
pub(super) fn apply(call: &ModuleCall<'_>, args: &Args<'_>, written: &Arc<Written>) -> Result<Answer, Fault> {
    let draft = call.resource::<Draft>("Draft", args.get(1))?;
    call.give_back(args.get(1));
    let (mut operations, problems) = {
        let mut collected = draft.collected.lock();
        (std::mem::take(&mut collected.operations), std::mem::take(&mut collected.problems))
    };
    for operation in &operations {
        call.check("registry.apply", id_of(operation).as_str())?;
    }
    if operations.is_empty() && problems.is_empty() {
        call.check("registry.apply", "*")?;
    }
    if !problems.is_empty() {
        return Err(listed("Invalid", problems).into());
    }
    let ceiling = Ceiling::of(call);
    if let Some(ceiling) = &ceiling {
        operations.iter_mut().for_each(|operation| ceiling.place(operation));
    }
    let registry = call.node().registry()?;
    let written = Arc::clone(written);
    call.run_blocking(move || {
        let reviewer = Reviewer { ceiling, written, refused: Mutex::default() };
        let review = |candidate: &Snapshot, changes: &[Change]| reviewer.review(candidate, changes);
        let applied = Written::during(reviewer.host(), || registry.apply_reviewed(&ChangeSet { operations }, &review));
        reviewer.answer(applied).map(|applied| vec![values::of_version(applied.version)])
    })
}

/// Makes another version current.
pub(super) fn apply_version(call: &ModuleCall<'_>, version: u64, written: &Arc<Written>) -> Result<Answer, Fault> {
    call.check("registry.apply_version", &version.to_string())?;
    let ceiling = Ceiling::of(call);
    let registry = call.node().registry()?;
    let written = Arc::clone(written);
    call.run_blocking(move || {
        let reviewer = Reviewer { ceiling, written, refused: Mutex::default() };
        let review = |target: &Snapshot, changes: &[Change]| reviewer.review(target, changes);
        let applied = Written::during(reviewer.host(), || registry.apply_version(version, &review));
        reviewer.answer(applied).map(|_| vec![Value::from(true)])
    })
}

/// Gives the operations that lead from some entries to others.
pub(super) fn build_delta(args: &Args<'_>, from: Value, to: Value) -> Result<Answer, Fault> {
    let read = |position: usize, value: &Value| {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            Value::Map(fields) if fields.is_empty() => &[],
            _ => return Err(args.fault(position, "a list of entries expected")),
        };
        let mut entries: Vec<Entry> = Vec::new();
        let mut problems = Vec::new();
        for item in items {
            match values::entry(item) {
                Ok(entry) => entries.push(entry),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(entries) } else { Err(Fault::from(listed("Invalid", problems))) }
    };
    let (from, to) = (read(1, &from)?, read(2, &to)?);
    let operations = delta(&from, &to).operations.into_iter().map(|operation| {
        let (kind, entry) = match operation {
            Operation::Create(entry) => (ChangeKind::Create, entry),
            Operation::Update(entry) => (ChangeKind::Update, entry),
            Operation::Delete(id) => {
                let entry = from.iter().find(|entry| entry.id == id).cloned();
                let entry = entry.unwrap_or_else(|| Entry::new(id, "", serde_json::Value::Null, serde_json::Value::Null));
                (ChangeKind::Delete, entry)
            }
        };
        Value::Map(vec![("kind".into(), kind.as_str().into()), ("entry".into(), values::of_entry(&entry))])
    });
    Answer::one(Value::Array(operations.collect()))
}

fn id_of(operation: &Operation) -> &EntryId {
    match operation {
        Operation::Create(entry) | Operation::Update(entry) => &entry.id,
        Operation::Delete(id) => id,
    }
}

/// Judges changes of one caller while nobody else can change the registry.
struct Reviewer {
    ceiling: Option<Ceiling>,
    written: Arc<Written>,
    /// Why they are refused, for the answer.
    refused: Mutex<Option<Error>>,
}

impl Reviewer {
    fn host(&self) -> Option<Arc<str>> {
        self.ceiling.as_ref().map(|ceiling| ceiling.host().into())
    }

    /// Turns what exceeds the ceiling into a refusal.
    fn review(&self, candidate: &Snapshot, changes: &[Change]) -> Vec<Diagnostic> {
        let Some(ceiling) = &self.ceiling else { return Vec::new() };
        let found = ceiling.exceeded(candidate, changes);
        if !found.is_empty() {
            let refused = found.iter().map(|problem| Diagnostic::error("above-ceiling", problem.as_str())).collect();
            *self.refused.lock() = Some(listed("PermissionDenied", found));
            return refused;
        }
        let Some(used) = self.written.exceeded(ceiling.host(), changes) else { return Vec::new() };
        let message = format!(
            "what code on the process host `{}` has written into the registry would take {used} bytes; {} are allowed: delete entries",
            ceiling.host(),
            written::MAX_BYTES
        );
        let refused = vec![Diagnostic::error("above-ceiling", message.as_str())];
        *self.refused.lock() = Some(exceeded(message, "registry_bytes", written::MAX_BYTES as u64));
        refused
    }

    fn answer<T>(self, applied: Result<T, ChangeError>) -> Result<T, Error> {
        applied.map_err(|error| self.refused.into_inner().unwrap_or_else(|| failure(&error)))
    }
}

/// Says what keeps a change from happening.
pub(super) fn failure(error: &ChangeError) -> Error {
    let kind = kind_of(error);
    match error {
        ChangeError::Several(problems) => listed(kind, problems.iter().map(ToString::to_string).collect()),
        ChangeError::Invalid(diagnostics) => listed(kind, diagnostics.iter().map(problem).collect()),
        error => Error::new(kind, error.to_string()).with_retryable(false),
    }
}

fn kind_of(error: &ChangeError) -> &'static str {
    match error {
        ChangeError::AlreadyExists(_) => "AlreadyExists",
        ChangeError::NotFound(_) | ChangeError::VersionNotFound(_) => "NotFound",
        ChangeError::TooMany => "LimitExceeded",
        ChangeError::History(_) => "Unavailable",
        ChangeError::Several(problems) => {
            let mut kinds = problems.iter().map(kind_of);
            let first = kinds.next().unwrap_or("Invalid");
            if kinds.all(|kind| kind == first) { first } else { "Invalid" }
        }
        ChangeError::Empty | ChangeError::Invalid(_) => "Invalid",
    }
}

fn problem(diagnostic: &Diagnostic) -> String {
    match &diagnostic.help {
        Some(help) => format!("{} ({help})", diagnostic.message),
        None => diagnostic.message.clone(),
    }
}

/// Makes one error of all problems; they stand in its details, too.
fn listed(kind: &str, mut problems: Vec<String>) -> Error {
    let more = problems.len().saturating_sub(MAX_PROBLEMS);
    problems.truncate(MAX_PROBLEMS);
    let mut message = problems.join("; ");
    if more > 0 {
        message.push_str(&format!("; and {more} more"));
    }
    let mut error = Error::new(kind, message).with_retryable(false);
    let problems = problems.iter().map(|problem| Value::from(problem.as_str())).collect();
    error.details = document::map(&[("problems", Value::Array(problems))]);
    error
}
