//! The module `security`: actors, scopes, policies and tokens.
//!
//! Actors, scopes and policies are handles of the process that made them, so that nothing a process can write down passes for one.
//! Making them is guarded; handing them on with `with_actor` and `with_scope` is guarded where calls and spawns start.

use std::sync::Arc;

use moonlet_runtime::{
    Actor, Answer, Args, Authority, Error, Fault, HostModule, Manifest, ModuleCall, NodeHandle, Policy, Scope, Value, document,
};
use serde_json::Value as Json;

use self::tokens::{TokenOptions, TokenStore};
use crate::store::Stores;

mod tokens;

const ACTOR: &str = "Actor";
const POLICY: &str = "Policy";
const SCOPE: &str = "Scope";
const TOKEN_STORE: &str = "TokenStore";

/// The most bytes of metadata of an actor or a token: the host keeps them.
const MAX_META: usize = 64 << 10;

/// The module `security`.
pub struct SecurityModule {
    stores: Arc<Stores>,
}

impl SecurityModule {
    /// Makes the module over the stores that tokens are kept in.
    #[must_use]
    pub fn new(stores: Arc<Stores>) -> Self {
        Self { stores }
    }
}

impl HostModule for SecurityModule {
    fn name(&self) -> &'static str {
        "security"
    }

    fn manifest(&self) -> Value {
        Manifest::new()
            .functions(&["actor", "scope", "can", "new_actor", "new_scope", "policy", "named_scope", "token_store"])
            .resource(ACTOR, &["id", "meta"])
            .resource(POLICY, &["id", "evaluate"])
            .resource(SCOPE, &["with", "without", "evaluate", "contains", "policies"])
            .resource(TOKEN_STORE, &["create", "validate", "revoke", "close"])
            .build()
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        match function.split_once(':') {
            None => self.function(call, &Args::new(function, args), function),
            Some((ACTOR, method)) => {
                let (actor, _) = call.method::<Actor>(ACTOR, function, args)?;
                match method {
                    "id" => Answer::one(actor.id()),
                    _ => Answer::one(document::from_json(actor.meta())),
                }
            }
            Some((POLICY, method)) => {
                let (policy, args) = call.method::<Policy>(POLICY, function, args)?;
                match method {
                    "id" => Answer::one(policy.id()),
                    _ => evaluate(call, &args, |actor, action, resource, meta| policy.decide(actor, action, resource, meta)),
                }
            }
            Some((SCOPE, method)) => {
                let (scope, args) = call.method::<Scope>(SCOPE, function, args)?;
                scope_method(call, &scope, method, &args)
            }
            Some((_, "close")) => {
                let (resource, _) = Args::method(function, args);
                call.give_back(&resource);
                Answer::one(true)
            }
            Some((_, method)) => {
                let (resource, args) = Args::method(function, args);
                match call.resource::<TokenStore>(TOKEN_STORE, &resource) {
                    Ok(store) => token_method(call, &store, method, &args),
                    Err(_) if moonlet_runtime::kind_of(&resource).is_some() => {
                        failed(method, internal("the token store is closed"))
                    }
                    Err(fault) => Err(fault),
                }
            }
        }
    }

    fn authenticate(&self, node: &NodeHandle, store: &str, token: &str) -> Option<Arc<Authority>> {
        let registry = node.registry().ok()?.snapshot();
        let store = TokenStore::open(&self.stores, &registry, node, store).ok()?;
        let (actor, policies) = store.validate(token).ok()?;
        let scope = scope_of(policies, |id| node.policy(id).ok().flatten()).ok()?;
        node.authority(Some(Arc::new(actor)), Some(scope)).ok()
    }
}

impl SecurityModule {
    fn function(&self, call: &ModuleCall<'_>, args: &Args<'_>, function: &str) -> Result<Answer, Fault> {
        match function {
            "actor" => match call.authority().actor() {
                Some(actor) => Answer::one(call.keep(ACTOR, Arc::clone(actor))?),
                None => Answer::one(Value::Nil),
            },
            "scope" => match call.authority().scope() {
                Some(scope) => Answer::one(call.keep(SCOPE, Arc::new(scope.clone()))?),
                None => Answer::one(Value::Nil),
            },
            "can" => {
                let (action, resource) = (args.text(1)?, args.text(2)?);
                let meta = meta(args, 3)?;
                Answer::one(call.can(action, resource, meta.as_ref()))
            }
            "new_actor" => {
                let id = args.text(1)?;
                call.check("security.actor.create", id)?;
                let meta = meta(args, 2)?.unwrap_or_default();
                let message = "the id of an actor must have from 1 to 512 bytes";
                let actor = Actor::new(id, meta).ok_or_else(|| invalid(message))?;
                Answer::one(call.keep(ACTOR, Arc::new(actor))?)
            }
            "new_scope" => {
                let policies = args.opt_list(1)?.iter().map(|value| call.resource::<Policy>(POLICY, value));
                let policies =
                    policies.collect::<Result<Vec<_>, _>>().map_err(|_| args.fault(1, "a list of policies expected"))?;
                call.check("security.scope.create", "custom")?;
                Answer::one(call.keep(SCOPE, Arc::new(Scope::new(policies).map_err(too_many)?))?)
            }
            "policy" => {
                let id = id(call, args, "policy")?;
                call.check("security.policy.get", &id)?;
                call.check_namespace(&id)?;
                let missing =
                    || internal(format!("there is no policy `{id}`: write an entry of kind `security.policy` with this id"));
                Answer::one(call.keep(POLICY, call.policy(&id).ok_or_else(missing)?)?)
            }
            "named_scope" => {
                let id = id(call, args, "policy group")?;
                call.check("security.policy_group.get", &id)?;
                call.check_namespace(&id)?;
                let missing = || internal(format!("there is no policy group `{id}`: write `groups: [{id}]` in a policy"));
                Answer::one(call.keep(SCOPE, Arc::new(call.policy_group(&id).ok_or_else(missing)?))?)
            }
            _ => {
                let id = id(call, args, "token store")?;
                call.check("security.token_store.get", &id)?;
                call.check_namespace(&id)?;
                let store = TokenStore::open(&self.stores, &call.registry(), &call.node(), &id)?;
                Answer::one(call.keep(TOKEN_STORE, Arc::new(store))?)
            }
        }
    }
}

fn scope_method(call: &ModuleCall<'_>, scope: &Scope, method: &str, args: &Args<'_>) -> Result<Answer, Fault> {
    match method {
        "with" => {
            let policy = call.resource::<Policy>(POLICY, args.get(1)).map_err(|_| args.fault(1, "policy expected"))?;
            call.check("security.scope.create", "custom")?;
            Answer::one(call.keep(SCOPE, Arc::new(scope.with(policy).map_err(too_many)?))?)
        }
        "without" => {
            let id = policy_id(call, args)?;
            call.check("security.scope.create", "custom")?;
            Answer::one(call.keep(SCOPE, Arc::new(scope.without(&id)))?)
        }
        "contains" => Answer::one(scope.contains(&policy_id(call, args)?)),
        "policies" => {
            let policies = scope.policies().iter().map(|policy| call.keep(POLICY, Arc::clone(policy)));
            Answer::one(Value::Array(policies.collect::<Result<_, _>>()?))
        }
        _ => evaluate(call, args, |actor, action, resource, meta| scope.decide(actor, action, resource, meta)),
    }
}

fn token_method(call: &ModuleCall<'_>, store: &Arc<TokenStore>, method: &str, args: &Args<'_>) -> Result<Answer, Fault> {
    match method {
        "create" => {
            let actor = call.resource::<Actor>(ACTOR, args.get(1)).map_err(|_| args.fault(1, "actor expected"))?;
            let scope = call.resource::<Scope>(SCOPE, args.get(2)).map_err(|_| args.fault(2, "scope expected"))?;
            let options = TokenOptions::read(args, 3)?;
            call.check_about("security.token.create", store.id(), || serde_json::json!({ "actor": actor.id() }))?;
            run(call, store, move |store| store.create(&actor, &scope, &options).map(|token| vec![token.into()]))
        }
        "validate" => {
            let token = args.text(1)?.to_owned();
            if let Err(error) = call.check("security.token.validate", store.id()) {
                return failed(method, error);
            }
            let (keeper, node) = (call.keeper(), call.node());
            run(call, store, move |store| {
                let valid = || {
                    let (actor, policies) = store.validate(&token)?;
                    let scope = scope_of(policies, |id| node.policy(id).ok().flatten()).map_err(too_many)?;
                    Ok(vec![keeper.keep(ACTOR, Arc::new(actor))?, keeper.keep(SCOPE, Arc::new(scope))?])
                };
                Ok(valid().unwrap_or_else(|error| vec![Value::Nil, Value::Nil, document::error(&error)]))
            })
        }
        _ => {
            let token = args.text(1)?.to_owned();
            call.check("security.token.revoke", store.id())?;
            run(call, store, move |store| store.revoke(&token).map(|()| vec![true.into()]))
        }
    }
}

/// Answers with an error where the caller looks for it: behind an actor and a scope, or behind one value.
fn failed(method: &str, error: Error) -> Result<Answer, Fault> {
    if method == "validate" {
        return Ok(Answer::Done(vec![Value::Nil, Value::Nil, document::error(&error)]));
    }
    Err(error.into())
}

fn run(
    call: &ModuleCall<'_>,
    store: &Arc<TokenStore>,
    work: impl FnOnce(&TokenStore) -> Result<Vec<Value>, Error> + Send + 'static,
) -> Result<Answer, Fault> {
    if !store.waits() {
        return Ok(Answer::Done(work(store)?));
    }
    let store = Arc::clone(store);
    call.run_blocking(move || work(&store))
}

/// Puts the policies of a token together as they are now, without those that are gone.
fn scope_of(ids: Vec<String>, policy: impl Fn(&str) -> Option<Arc<Policy>>) -> Result<Scope, usize> {
    Scope::new(ids.iter().filter_map(|id| policy(id)))
}

fn evaluate(
    call: &ModuleCall<'_>,
    args: &Args<'_>,
    decide: impl FnOnce(Option<&Actor>, &str, &str, Option<&Json>) -> moonlet_runtime::Decision,
) -> Result<Answer, Fault> {
    let actor = call.resource::<Actor>(ACTOR, args.get(1)).map_err(|_| args.fault(1, "actor expected"))?;
    let (action, resource) = (args.text(2)?, args.text(3)?);
    let meta = meta(args, 4)?;
    Answer::one(decide(Some(&actor), action, resource, meta.as_ref()).to_string())
}

/// Reads a policy or the id of one.
fn policy_id(call: &ModuleCall<'_>, args: &Args<'_>) -> Result<String, Fault> {
    if let Ok(policy) = call.resource::<Policy>(POLICY, args.get(1)) {
        return Ok(policy.id().to_owned());
    }
    let field = |fields: &'_ [(Value, Value)], wanted| {
        let found = fields.iter().find(|(name, _)| name.as_str() == Some(wanted));
        found.and_then(|(_, value)| value.as_str().map(str::to_owned))
    };
    match args.get(1) {
        Value::String(_) => Ok(call.resolve(args.text(1)?)),
        Value::Map(fields) => match (field(fields, "ns"), field(fields, "name")) {
            (Some(namespace), Some(name)) => Ok(format!("{namespace}:{name}")),
            _ => Err(args.fault(1, "a policy, its id, or a table with `ns` and `name` expected")),
        },
        _ => Err(args.fault(1, "a policy or its id expected")),
    }
}

/// Reads the id of an entry.
fn id(call: &ModuleCall<'_>, args: &Args<'_>, what: &str) -> Result<String, Fault> {
    let id = args.text(1)?;
    if id.is_empty() {
        return Err(invalid(format!("the id of the {what} is empty")).into());
    }
    Ok(call.resolve(id))
}

/// Reads metadata, which may be absent.
fn meta(args: &Args<'_>, number: usize) -> Result<Option<Json>, Fault> {
    if args.get(number).is_nil() {
        return Ok(None);
    }
    args.table(number)?;
    Ok(Some(read_meta(args.get(number))?))
}

fn read_meta(value: &Value) -> Result<Json, Error> {
    let meta = document::to_json(value)?;
    let size = document::encode(value).len();
    if size > MAX_META {
        return Err(invalid(format!("metadata of {size} bytes is too much: at most {MAX_META} are allowed")));
    }
    Ok(meta)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new("Invalid", message).with_retryable(false)
}

fn internal(message: impl Into<String>) -> Error {
    Error::new("Internal", message).with_retryable(false)
}

fn too_many(count: usize) -> Error {
    // The runtime knows how many that are.
    let mut error =
        Error::new("LimitExceeded", format!("a scope of {count} policies has too many of them")).with_retryable(false);
    error.details = document::map(&[("limit", "policies".into()), ("used", (count as u64).into())]);
    error
}
