//! What policies are asked before a process acts, and on whose behalf it lets others act.
//!
//! Actions, resources and facts are those of the public security pages, so that policies written for the reference hold here.

use std::sync::Arc;

use moonlet_sandbox::wit::{Error, Payload, SpawnRequest};
use rmpv::Value;
use serde_json::json;

use super::Calls;
use crate::document;
use crate::errors;
use crate::process::Process;
use crate::security::{Actor, Authority, Scope};
use crate::table::Tabled;

/// The module whose functions the guest itself asks, whatever the entry lists.
pub(super) const POLICIES: &str = "@policies";
/// The module that makes actors and scopes.
const SECURITY: &str = "security";
/// Options that hold an actor and a scope; programs cannot forge what stands in them.
const ACTOR: &str = "@actor";
const SCOPE: &str = "@scope";
/// The option that names the network which connections go through.
const NETWORK: &str = "network";

/// Which functions start something.
#[derive(Debug, Clone, Copy)]
pub(super) enum Family {
    /// `process.spawn` and its kin.
    Process,
    /// `funcs.call` and its kin.
    Funcs,
    /// Methods of an open contract.
    Contract,
}

impl Family {
    fn context(self) -> Option<&'static str> {
        match self {
            Self::Process => Some("process.context"),
            Self::Funcs => Some("funcs.context"),
            // Whoever opens a contract may give it context; what sets more asks itself.
            Self::Contract => None,
        }
    }

    fn security(self) -> &'static str {
        match self {
            Self::Process => "process.security",
            Self::Funcs => "funcs.security",
            Self::Contract => "contract.security",
        }
    }
}

impl Calls {
    /// Refuses an act that the policies of this process do not allow.
    pub(super) fn guard(&self, action: &str, resource: &str) -> Result<(), Error> {
        self.node.guard(&self.process, action, resource, || json!({ "pid": &*self.process.pid }))
    }

    /// Refuses an act on another process. A process may always do to itself what it likes.
    pub(super) fn guard_process(&self, action: &str, target: &Process, named: &str) -> Result<(), Error> {
        if target.number() == self.process.number() {
            return Ok(());
        }
        self.node.guard(&self.process, action, &target.pid, || {
            let name = if named.starts_with('{') { None } else { Some(named) };
            json!({ "pid": &*self.process.pid, "entry": &*target.terms.program.entry, "name": name })
        })
    }

    /// Refuses a spawn.
    pub(super) fn guard_spawn(&self, request: &SpawnRequest, exec: bool) -> Result<(), Error> {
        if self.process.authority.is_open() {
            return Ok(());
        }
        self.guard(if exec { "process.exec" } else { "process.spawn" }, &request.entry)?;
        if request.monitor {
            self.guard("process.spawn.monitored", &request.entry)?;
        }
        if request.link {
            self.guard("process.spawn.linked", &request.entry)?;
        }
        self.guard("process.host", &request.host)
    }

    /// Finds out what somebody else is given by this process: context values and authority.
    pub(super) fn given(&self, family: Family, context: &[u8], options: &[u8]) -> Result<(Arc<[u8]>, Arc<Authority>), Error> {
        if let Some(action) = family.context()
            && !context.is_empty()
        {
            self.guard(action, "context")?;
        }
        Ok((self.context(context)?, self.authority(family, options)?))
    }

    fn authority(&self, family: Family, options: &[u8]) -> Result<Arc<Authority>, Error> {
        let own = &self.process.authority;
        if options.is_empty() {
            return Ok(Arc::clone(own));
        }
        let options = document::decode_map(options)?;
        let (actor, scope) = (document::field(&options, ACTOR), document::field(&options, SCOPE));
        let network = document::field(&options, NETWORK).filter(|network| !network.is_nil());
        if actor.is_none() && scope.is_none() && network.is_none() {
            return Ok(Arc::clone(own));
        }
        let mut authority = Authority::clone(own);
        if let Some(network) = network {
            authority.network = self.network(network)?;
        }
        if actor.is_none() && scope.is_none() {
            return Ok(Arc::new(authority));
        }
        self.guard(family.security(), "security")?;
        let held = |kind: &str, value| self.node.handles.get(self.process.number(), SECURITY, kind, value);
        if let Some(value) = actor {
            let actor = held("Actor", value).and_then(|value| value.downcast::<Actor>().ok());
            authority.actor = Some(actor.ok_or_else(|| errors::invalid("this is no actor that the process holds"))?);
        }
        if let Some(value) = scope {
            let scope = held("Scope", value).and_then(|value| value.downcast::<Scope>().ok());
            let scope = scope.ok_or_else(|| errors::invalid("this is no scope that the process holds"))?;
            authority.scope = Some(Scope::clone(&scope));
        }
        Ok(Arc::new(authority))
    }

    /// Reads which network somebody else is to use; an empty text means none.
    fn network(&self, value: &Value) -> Result<Option<Arc<str>>, Error> {
        let id = value.as_str().ok_or_else(|| errors::invalid("the option `network` must be the id of an entry"))?;
        self.guard("network.select", id)?;
        if id.is_empty() {
            // A tenant who was given a network does not leave it because nothing forbids that.
            let (authority, confined) = (&self.process.authority, self.process.terms.ceiling.allow.bounds());
            if confined && authority.network().is_some() && authority.scope.is_none() {
                let message = "not allowed: the network of this process was chosen for it; only a policy that allows `network.select` lets it go";
                return Err(errors::denied(message));
            }
            return Ok(None);
        }
        self.check_namespace(id)?;
        let snapshot = self.node.registry.snapshot();
        if !snapshot.find_id(id).is_some_and(|entry| entry.kind.starts_with("network.")) {
            return Err(errors::not_found(format!(
                "there is no network `{}`: write an entry of kind `network.socks5`",
                errors::shown(id)
            )));
        }
        Ok(Some(id.into()))
    }

    /// Answers the guest, which asks for its builders before anything is started.
    pub(super) fn ask_policies(&self, args: &Payload) -> Result<(), Error> {
        let values = document::decode_few(&args.data)?;
        match values.as_slice() {
            [action, resource] => self.guard(action.as_str().unwrap_or_default(), resource.as_str().unwrap_or_default()),
            _ => Err(errors::invalid("an action and a resource are needed")),
        }
    }
}
