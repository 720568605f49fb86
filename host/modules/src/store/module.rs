//! The module `store`.

use std::sync::Arc;

use moonlet_registry::Change;
use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value, document};

use super::arguments::{self, invalid};
use super::{Put, Store, StoreInfo, StoreItem, Stores};

const STORE: &str = "Store";

/// The module `store`, which gives processes the stores of entries.
pub struct StoreModule {
    stores: Arc<Stores>,
}

impl StoreModule {
    /// Makes the module over the stores of a node.
    #[must_use]
    pub fn new(stores: Arc<Stores>) -> Self {
        Self { stores }
    }
}

/// A store as a process has it.
struct Held {
    id: String,
    store: Arc<dyn Store>,
}

impl HostModule for StoreModule {
    fn name(&self) -> &'static str {
        "store"
    }

    fn manifest(&self) -> Value {
        let names =
            |names: &[(&str, &str)]| Value::Map(names.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect());
        let backends =
            [("MEMORY", "memory"), ("SQL", "sql"), ("KV_RAFT", "kv.raft"), ("KV_CRDT", "kv.crdt"), ("UNKNOWN", "unknown")];
        let consistencies =
            [("LINEARIZABLE", "linearizable"), ("EVENTUAL", "eventual"), ("LOCAL", "local"), ("UNKNOWN", "unknown")];
        Manifest::new()
            .functions(&["get"])
            .constant("backend", names(&backends))
            .constant("consistency", names(&consistencies))
            .resource(STORE, &["get", "set", "has", "delete", "entry", "put", "list", "info", "release"])
            .build()
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        if function == "get" {
            return self.get(call, &Args::new(function, args));
        }
        if function == "Store:release" {
            let (resource, _) = Args::method(function, args);
            call.give_back(&resource);
            return Answer::one(true);
        }
        let (resource, args) = Args::method(function, args);
        let Ok(held) = call.resource::<Held>(STORE, &resource) else {
            return match moonlet_runtime::kind_of(&resource) {
                Some((module, kind)) if module == "store" && kind == STORE => Err(invalid("the store is released").into()),
                _ => Err(Fault::Raised(format!("{STORE} expected: call its methods with `:`"))),
            };
        };
        held.invoke(call, function, &args)
    }

    fn changed(&self, change: &Change) {
        self.stores.changed(change);
    }

    fn stop(&self) {
        self.stores.close();
    }
}

impl StoreModule {
    fn get(&self, call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
        let id = args.text(1)?;
        if id.is_empty() {
            return Err(invalid("the id of the store is empty").into());
        }
        let id = call.resolve(id);
        call.check("store.get", &id)?;
        call.check_namespace(&id)?;
        let store = self.stores.get(&call.registry(), &call.node(), &id)?;
        Ok(Answer::Done(vec![call.keep(STORE, Arc::new(Held { id, store }))?]))
    }
}

impl Held {
    fn invoke(&self, call: &ModuleCall<'_>, function: &str, args: &Args<'_>) -> Result<Answer, Fault> {
        match function {
            "Store:get" => {
                let key = self.key(call, "store.key.get", args)?;
                self.run(call, move |store| {
                    let item = store.entry(&key)?.ok_or_else(|| missing(&key))?;
                    Ok(vec![super::value(&item.value)?])
                })
            }
            "Store:entry" => {
                let key = self.key(call, "store.key.get", args)?;
                self.run(call, move |store| {
                    let item = store.entry(&key)?.ok_or_else(|| missing(&key))?;
                    Ok(vec![shown(&item)?])
                })
            }
            "Store:has" => {
                let key = self.key(call, "store.key.has", args)?;
                self.run(call, move |store| Ok(vec![store.has(&key)?.into()]))
            }
            "Store:set" => {
                let key = self.key(call, "store.key.set", args)?;
                let value = arguments::value(args, 2)?;
                let put = Put { ttl: arguments::ttl(args.get(3), "ttl")?, ..Put::default() };
                self.run(call, move |store| store.put(&key, value, &put).map(|_| vec![true.into()]))
            }
            "Store:put" => {
                let key = self.key(call, "store.key.set", args)?;
                let value = arguments::value(args, 2)?;
                let put = arguments::put(args, 3)?;
                self.run(call, move |store| {
                    let version = store.put(&key, value.clone(), &put)?;
                    Ok(vec![shown(&StoreItem { key, value, version })?])
                })
            }
            "Store:delete" => {
                let key = self.key(call, "store.key.delete", args)?;
                self.run(call, move |store| Ok(vec![store.delete(&key)?.into()]))
            }
            "Store:list" => {
                // Half of an answer: names and the rest of the document take their part.
                let listing = arguments::listing(args, 1, call.max_bytes() / 2)?;
                call.check_about("store.key.list", &self.id, || serde_json::json!({ "prefix": listing.prefix }))?;
                self.run(call, move |store| {
                    let page = store.list(&listing)?;
                    let cursor = page.items.last().map_or("", |item| item.key.as_str()).to_owned();
                    let items = page.items.iter().map(shown).collect::<Result<Vec<_>, _>>()?;
                    let fields = [("items", Value::Array(items)), ("cursor", cursor.into()), ("has_more", page.has_more.into())];
                    Ok(vec![map(fields)])
                })
            }
            "Store:info" => {
                call.check("store.info", &self.id)?;
                Answer::one(described(&self.id, self.store.info()))
            }
            _ => Err(invalid(format!("there is no function `{function}`")).into()),
        }
    }

    fn key(&self, call: &ModuleCall<'_>, action: &str, args: &Args<'_>) -> Result<String, Fault> {
        let key = arguments::key(args, 1)?;
        call.check_about(action, &self.id, || serde_json::json!({ "key": key }))?;
        Ok(key)
    }

    fn run(
        &self,
        call: &ModuleCall<'_>,
        work: impl FnOnce(&dyn Store) -> Result<Vec<Value>, Error> + Send + 'static,
    ) -> Result<Answer, Fault> {
        if !self.store.waits() {
            return Ok(Answer::Done(work(&*self.store)?));
        }
        let store = Arc::clone(&self.store);
        match Arc::clone(&self.store).ready() {
            Some(ready) => call.run_blocking_after(ready, move || work(&*store)),
            None => call.run_blocking(move || work(&*store)),
        }
    }
}

fn missing(key: &str) -> Error {
    let key: String = key.chars().take(200).collect();
    Error::new("NotFound", format!("there is no value under `{key}`")).with_retryable(false)
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn shown(item: &StoreItem) -> Result<Value, Error> {
    let value = document::decode(&item.value)?;
    Ok(map([("key", item.key.as_str().into()), ("value", value), ("version", item.version.as_str().into())]))
}

fn described(id: &str, info: StoreInfo) -> Value {
    map([
        ("id", id.into()),
        ("backend", info.backend.into()),
        ("consistency", info.consistency.into()),
        ("durable", info.durable.into()),
        ("list", info.list.into()),
        ("versioned", info.versioned.into()),
        ("conditional_put", info.conditional_put.into()),
        ("ttl", info.ttl.into()),
    ])
}
