//! Module `pg`: named groups of processes, messages to all members of one, and news of who joins and leaves.
//!
//! A node is alone, so that all members are local ones. A group is there as long as it has members; a process may join it several times
//! and then leaves it as often.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_registry::GroupScope;
use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};
use parking_lot::Mutex;

mod scope;

use scope::{Limits, News, Scope, Watch};

/// The longest name of a group in bytes.
const MAX_NAME: usize = 255;
/// The most names in one call.
const MAX_BATCH: usize = 1_000;

const KIND: &str = "Instance";

/// The module.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    scopes: Mutex<BTreeMap<String, Scope>>,
}

/// An open scope.
#[derive(Debug)]
struct Open {
    id: String,
    limits: Limits,
}

impl HostModule for Groups {
    fn name(&self) -> &str {
        "pg"
    }

    fn manifest(&self) -> Value {
        let methods = [
            "join",
            "leave",
            "get_members",
            "get_local_members",
            "which_groups",
            "which_local_groups",
            "broadcast",
            "broadcast_local",
            "watch",
            "unwatch",
            "release",
        ];
        Manifest::new().functions(&["open"]).resource(KIND, &methods).build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("pg/glue.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        if function == "open" {
            let args = Args::new(function, args);
            return Ok(Answer::Done(vec![open(call, args.get(1))?]));
        }
        if function == "Instance:release" {
            if let Some(value) = args.first() {
                call.give_back(value);
            }
            return Ok(Answer::Done(vec![Value::Boolean(true)]));
        }
        let (scope, args) = call.method::<Open>(KIND, function, args)?;
        let method = function.strip_prefix("Instance:").unwrap_or(function);
        let value = match method {
            "join" => self.join(call, &scope, &names(args.get(1))?)?,
            "leave" => self.leave(call, &scope, &names(args.get(1))?)?,
            "get_members" | "get_local_members" => {
                let group = name(args.get(1))?;
                call.check(&format!("pg.{method}"), group)?;
                pids(&self.with(&scope.id, |scope| scope.members(group)))
            }
            "which_groups" | "which_local_groups" => {
                call.check(&format!("pg.{method}"), &scope.id)?;
                let groups = self.with(&scope.id, |scope| scope.groups());
                Value::Array(groups.into_iter().map(Value::from).collect())
            }
            "broadcast" | "broadcast_local" => {
                let group = name(args.get(1))?;
                let topic = topic(args.get(2))?;
                call.check(&format!("pg.{method}"), group)?;
                let values: Vec<Value> = (3..=args.len()).map(|number| args.get(number).clone()).collect();
                self.broadcast(call, &scope, group, topic, &values)
            }
            "watch" => self.watch(call, &scope, &args)?,
            "unwatch" => {
                let number = args.integer(1)?;
                let pid = call.pid().to_owned();
                let ended = self.with(&scope.id, |scope| scope.unwatch(&pid, number));
                // Its channel closes behind the lock.
                drop(ended);
                Value::Boolean(true)
            }
            _ => return Err(Error::new("NotFound", format!("module `pg` has no method `{method}`")).into()),
        };
        Ok(Answer::Done(vec![value]))
    }

    fn forget(&self, pid: &str) {
        let mut gone = Vec::new();
        let mut news = Vec::new();
        for scope in self.scopes.lock().values_mut() {
            gone.extend(scope.forget(pid, &mut news));
        }
        drop(gone);
        tell(news);
    }
}

impl Groups {
    fn with<T>(&self, id: &str, act: impl FnOnce(&mut Scope) -> T) -> T {
        let mut scopes = self.scopes.lock();
        act(scopes.entry(id.to_owned()).or_default())
    }

    fn join(&self, call: &ModuleCall<'_>, scope: &Open, groups: &[String]) -> Result<Value, Error> {
        for group in groups {
            call.check("pg.join", group)?;
        }
        // So that its end is heard.
        call.hold();
        let pid = call.pid();
        let news = self.with(&scope.id, |state| state.join(pid, groups, &scope.limits))?;
        tell(news);
        if !call.node().is_alive(pid) {
            // It ended meanwhile, and was forgotten before it had joined.
            self.forget(pid);
        }
        Ok(Value::Boolean(true))
    }

    fn leave(&self, call: &ModuleCall<'_>, scope: &Open, groups: &[String]) -> Result<Value, Error> {
        for group in groups {
            call.check("pg.leave", group)?;
        }
        let news = self.with(&scope.id, |state| state.leave(call.pid(), groups));
        if news.is_empty() {
            return Err(invalid(format!("the process is no member of {}", quoted(groups))));
        }
        tell(news);
        Ok(Value::Boolean(true))
    }

    /// Sends to every member once. Whoever ended or has a full mailbox misses it.
    fn broadcast(&self, call: &ModuleCall<'_>, scope: &Open, group: &str, topic: &str, values: &[Value]) -> Value {
        let mut members = self.with(&scope.id, |scope| scope.members(group));
        members.sort();
        members.dedup();
        let node = call.node();
        for member in members {
            if let Err(error) = node.send_from(Some(call.pid()), &member, topic, values) {
                tracing::debug!(target: "moonlet", group, member, "a member misses a broadcast: {}", error.message);
            }
        }
        Value::Boolean(true)
    }

    fn watch(&self, call: &ModuleCall<'_>, scope: &Open, args: &Args<'_>) -> Result<Value, Fault> {
        let group = match args.text(1)? {
            "monitor" => {
                let group = name(args.get(2))?;
                call.check("pg.monitor", group)?;
                Some(group.to_owned())
            }
            _ => {
                call.check("pg.events", &scope.id)?;
                None
            }
        };
        call.hold();
        let feed = call.feed();
        let topic = feed.topic().to_owned();
        let watch = Watch { pid: call.pid().to_owned(), group: group.clone(), feed: Arc::new(feed) };
        let (number, snapshot) = self.with(&scope.id, |state| {
            let snapshot = match &group {
                Some(group) => pids(&state.members(group)),
                None => {
                    let all = state.groups().into_iter().map(|group| (Value::from(group.as_str()), pids(&state.members(&group))));
                    Value::Map(all.collect())
                }
            };
            state.watch(watch).map(|number| (number, snapshot))
        })?;
        Ok(Value::Map(vec![("number".into(), number.into()), ("topic".into(), topic.into()), ("snapshot".into(), snapshot)]))
    }
}

/// Sends news to their watchers, behind the lock.
fn tell(news: Vec<News>) {
    for news in news {
        let value = news.value();
        for feed in news.watchers {
            // A full mailbox, or one that ended, misses it.
            let _ = feed.send(value.clone());
        }
    }
}

fn open(call: &ModuleCall<'_>, id: &Value) -> Result<Value, Error> {
    let id = id.as_str().filter(|id| !id.is_empty()).ok_or_else(|| invalid("the id of the scope is missing"))?;
    call.check("pg.open", id)?;
    call.check_namespace(id)?;
    let registry = call.registry();
    let view = registry.find_id(id).and_then(|entry| GroupScope::new(entry).ok());
    let view = view.ok_or_else(|| {
        Error::new("Internal", format!("there is no scope `{id}`: write an entry of kind `pg.scope`")).with_retryable(false)
    })?;
    let limits = Limits { groups: view.max_groups, members: view.max_members_per_group };
    call.keep(KIND, Arc::new(Open { id: view.id.to_string(), limits }))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new("Invalid", message).with_retryable(false)
}

fn quoted(groups: &[String]) -> String {
    groups.iter().map(|group| format!("`{group}`")).collect::<Vec<_>>().join(", ")
}

fn pids(pids: &[String]) -> Value {
    Value::Array(pids.iter().map(|pid| Value::from(pid.as_str())).collect())
}

fn name(value: &Value) -> Result<&str, Error> {
    let name = value.as_str().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| invalid("the name of the group is missing or empty"))?;
    if name.len() > MAX_NAME {
        return Err(invalid(format!("the name of a group has at most {MAX_NAME} bytes")));
    }
    Ok(name)
}

fn names(value: &Value) -> Result<Vec<String>, Error> {
    match value {
        Value::Array(names) if names.len() > MAX_BATCH => Err(invalid(format!("at most {MAX_BATCH} groups at once"))),
        Value::Array(names) if !names.is_empty() => names.iter().map(|value| name(value).map(str::to_owned)).collect(),
        value => Ok(vec![name(value)?.to_owned()]),
    }
}

fn topic(value: &Value) -> Result<&str, Error> {
    let topic = value.as_str().filter(|topic| !topic.is_empty()).ok_or_else(|| invalid("the topic is missing or empty"))?;
    if topic.starts_with('@') || topic.len() > MAX_NAME {
        return Err(invalid("a topic has at most 255 bytes and does not start with `@`"));
    }
    Ok(topic)
}
