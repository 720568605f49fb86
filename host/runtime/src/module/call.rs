//! One call of a module: who asks, what they may do, and how to answer.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;

use moonlet_registry::{Allow, Snapshot};
use moonlet_sandbox::wit::Error;
use rmpv::Value;

use super::args::Args;
use super::bill::Bill;
use super::feed::Feed;
use super::freight::Freight;
use super::jobs::Job;
use super::keeper::{Keeper, keep};
use super::later::{Completer, Ticket};
use super::{Answer, Fault};
use crate::document;
use crate::environment::Environment;
use crate::errors;
use crate::events::Subscriber;
use crate::handle::NodeHandle;
use crate::process::{MODULES, Pending, Process};
use crate::security::{Authority, Policy, Scope};
use crate::shared::Shared;
use crate::table::Tabled;
use crate::terms::Terms;
use crate::trace::TraceContext;

/// Who calls a module.
pub struct ModuleCall<'a> {
    pub(super) node: &'a Arc<Shared>,
    pub(super) process: &'a Arc<Process>,
    /// What it runs now.
    terms: &'a Terms,
    module: &'a str,
    /// What its arguments weigh, and whom that is charged to.
    weight: usize,
    freight: Option<Freight>,
}

/// Arguments that weigh more are charged before they are read, others only while the call goes on without the caller.
const HEAVY: usize = 4096;
/// Bytes that a call takes while it goes on, beside its arguments.
const JOB: usize = 1024;

impl<'a> ModuleCall<'a> {
    /// Begins a call whose arguments weigh so much, see [`document::weight`].
    pub(crate) fn new(
        node: &'a Arc<Shared>,
        process: &'a Arc<Process>,
        terms: &'a Terms,
        module: &'a str,
        weight: usize,
    ) -> Result<Self, Error> {
        let mut call = Self { node, process, terms, module, weight, freight: None };
        if weight > HEAVY {
            call.freight = Some(call.load(weight)?);
        }
        Ok(call)
    }

    fn load(&self, bytes: usize) -> Result<Freight, Error> {
        let freight = Freight::new(self.process, None);
        freight.add(bytes)?;
        Ok(freight)
    }

    /// Returns the pid of the caller.
    #[must_use]
    pub fn pid(&self) -> &str {
        &self.process.pid
    }

    /// Returns how many bytes its arguments take as values, about.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Returns the entry of the caller.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.terms.program.entry
    }

    /// Completes an id as it stands in the caller's code: one without a namespace takes that of the caller's entry.
    #[must_use]
    pub fn resolve(&self, id: &str) -> String {
        if id.contains(':') {
            return id.to_owned();
        }
        let namespace = self.entry().split_once(':').map_or("", |(namespace, _)| namespace);
        format!("{namespace}:{id}")
    }

    /// Returns the id of the caller's process host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.process.terms.host.id
    }

    /// Returns the share of CPU time of the caller's process host against others.
    #[must_use]
    pub fn cpu_weight(&self) -> u64 {
        self.process.terms.host.lane.weight()
    }

    /// Tells whether the caller has the terminal.
    #[must_use]
    pub fn has_terminal(&self) -> bool {
        self.process.terms.has_terminal()
    }

    /// Returns the most bytes that one answer may have.
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        self.process.terms.bounds.exchange
    }

    /// Returns the network targets that what confines the caller allows; none when nothing bounds them.
    #[must_use]
    pub fn allowed_network(&self) -> Option<&[String]> {
        self.process.terms.ceiling.allow.network.as_deref()
    }

    /// Returns the host whose ceiling is that of the caller; none when the caller is confined by that of another process, too.
    #[must_use]
    pub fn confining_host(&self) -> Option<&str> {
        let terms = &self.process.terms;
        (terms.host.allow == terms.ceiling.allow).then_some(&terms.host.id)
    }

    /// Returns the ceiling of the caller: nothing that it causes may go beyond it.
    #[must_use]
    pub fn allow(&self) -> &Allow {
        &self.process.terms.ceiling.allow
    }

    /// Returns the entry of the network that connections of the caller go through; none: they are made from here.
    #[must_use]
    pub fn network(&self) -> Option<&str> {
        self.process.authority.network().or(self.node.network.as_deref())
    }

    /// Returns the node, for what outlives this call. What is started through it keeps within what confines the caller.
    #[must_use]
    pub fn node(&self) -> NodeHandle {
        NodeHandle::of(self.node, self.process)
    }

    /// Returns the registry as it is now.
    #[must_use]
    pub fn registry(&self) -> Snapshot {
        self.node.registry.snapshot()
    }

    /// Returns the caller's context values.
    #[must_use]
    pub fn context(&self) -> Vec<(Value, Value)> {
        document::decode_map(&self.process.context).unwrap_or_default()
    }

    /// Returns the trace that the caller takes part in.
    #[must_use]
    pub fn trace(&self) -> Option<Arc<TraceContext>> {
        self.process.trace.current()
    }

    /// Returns on whose behalf the caller acts; calls and spawns that it causes inherit it.
    #[must_use]
    pub fn authority(&self) -> Arc<Authority> {
        Arc::clone(&self.process.authority)
    }

    /// Refuses an act that the caller's policies do not allow. Every guarded function asks this first.
    ///
    /// # Errors
    ///
    /// `PermissionDenied`, with what would allow it.
    pub fn check(&self, action: &str, resource: &str) -> Result<(), Error> {
        self.node.authorize(self.process, action, resource, None)
    }

    /// Tells whether the caller's policies allow an act, for filtering: a refusal is no news to anybody.
    #[must_use]
    pub fn may(&self, action: &str, resource: &str) -> bool {
        self.process.authority.authorize(action, resource, None).is_ok()
    }

    /// Like [`ModuleCall::check`], with facts about the resource for conditions on `meta.*`.
    ///
    /// # Errors
    ///
    /// `PermissionDenied`, with what would allow it.
    pub fn check_with(&self, action: &str, resource: &str, meta: &serde_json::Value) -> Result<(), Error> {
        self.node.authorize(self.process, action, resource, Some(meta))
    }

    /// Like [`ModuleCall::check_with`], with facts that are only put together when a policy can ask for them.
    ///
    /// # Errors
    ///
    /// `PermissionDenied`, with what would allow it.
    pub fn check_about(&self, action: &str, resource: &str, meta: impl FnOnce() -> serde_json::Value) -> Result<(), Error> {
        self.node.guard(self.process, action, resource, meta)
    }

    /// Returns the variables of the node, and what fills the placeholders of entries.
    #[must_use]
    pub fn environment(&self) -> Arc<Environment> {
        Arc::clone(&self.node.environment)
    }

    /// Tells whether the caller may do something. Unlike [`ModuleCall::check`], this is no attempt, and no line of the audit.
    #[must_use]
    pub fn can(&self, action: &str, resource: &str, meta: Option<&serde_json::Value>) -> bool {
        self.process.authority.can(action, resource, meta)
    }

    /// Finds a policy of the registry.
    #[must_use]
    pub fn policy(&self, id: &str) -> Option<Arc<Policy>> {
        self.node.policies.read().get(id)
    }

    /// Finds a group of policies of the registry.
    #[must_use]
    pub fn policy_group(&self, id: &str) -> Option<Scope> {
        self.node.policies.read().group(id)
    }

    /// Returns what enters values into the caller's handle table after this call has returned, see [`ModuleCall::keep`].
    #[must_use]
    pub fn keeper(&self) -> Keeper {
        Keeper::new(self.node, self.process, self.module, self.weight)
    }

    /// Refuses an entry of a namespace that the caller's process host does not allow. A module that gives access to an entry by its
    /// id asks this beside the policies: the `allow` of a host binds whatever they say.
    ///
    /// # Errors
    ///
    /// `PermissionDenied`, with what would allow it.
    pub fn check_namespace(&self, entry: &str) -> Result<(), Error> {
        self.process.terms.check_namespace(entry)
    }

    /// Like [`ModuleCall::check_namespace`], for what evaluated code may have, too: entries that are read and reach no further.
    ///
    /// # Errors
    ///
    /// `PermissionDenied`, with what would allow it.
    pub fn check_readable(&self, entry: &str) -> Result<(), Error> {
        self.process.terms.check_ceiling(entry)
    }

    /// Returns what the host gave the process when it called it, see [`crate::CallOptions::attachment`].
    #[must_use]
    pub fn attachment<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let attachment = self.process.attachment.as_ref().map(Arc::clone)?;
        attachment.downcast().ok()
    }

    /// Enters a value into the caller's handle table and returns what stands for it in Lua: a resource of the type `kind` that the
    /// manifest names. Return it once only; the value is dropped when Lua refers to it no longer, or when the process ends.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` when the caller has too many handles, or its process host no memory left for one.
    pub fn keep<T: Any + Send + Sync>(&self, kind: &str, value: Arc<T>) -> Result<Value, Error> {
        self.keep_heavy(kind, value, 0)
    }

    /// Like [`ModuleCall::keep`], for a value that holds so many bytes beside a few hundred and what the arguments of this call weigh,
    /// which are charged to the caller's process host in any case, until it is dropped.
    ///
    /// # Errors
    ///
    /// As [`ModuleCall::keep`].
    pub fn keep_heavy<T: Any + Send + Sync>(&self, kind: &str, value: Arc<T>, bytes: usize) -> Result<Value, Error> {
        keep(self.node, self.process, self.module, kind, value, self.weight.saturating_add(bytes))
    }

    /// Finds the value behind a resource of this module.
    ///
    /// # Errors
    ///
    /// Raises when it is something else or was given back.
    pub fn resource<T: Any + Send + Sync>(&self, kind: &str, value: &Value) -> Result<Arc<T>, Fault> {
        let found = self.node.handles.get(self.process.number(), self.module, kind, value);
        let found = found.and_then(|value| value.downcast().ok());
        found.ok_or_else(|| Fault::Raised(format!("{kind} expected: this is something else, or it was given back")))
    }

    /// Finds the value behind a resource of another module.
    #[must_use]
    pub fn foreign<T: Any + Send + Sync>(&self, module: &str, kind: &str, value: &Value) -> Option<Arc<T>> {
        self.node.handles.get(self.process.number(), module, kind, value)?.downcast().ok()
    }

    /// Gives a resource back before Lua does; false when it is none.
    pub fn give_back(&self, value: &Value) -> bool {
        self.node.handles.release(self.process.number(), value)
    }

    /// Takes the arguments of a method apart: the value behind its resource, and the rest.
    ///
    /// # Errors
    ///
    /// Raises when the resource is something else or was given back.
    pub fn method<'f, T: Any + Send + Sync>(
        &self,
        kind: &str,
        function: &'f str,
        values: Vec<Value>,
    ) -> Result<(Arc<T>, Args<'f>), Fault> {
        let (resource, args) = Args::method(function, values);
        Ok((self.resource(kind, &resource)?, args))
    }

    /// Opens a feed to the caller, whose topic glue turns into a channel.
    #[must_use]
    pub fn feed(&self) -> Feed {
        let number = self.node.feeds.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Feed::new(self.node, self.process, number)
    }

    /// Publishes an event of the caller on the event bus.
    ///
    /// # Errors
    ///
    /// `Invalid` when the system, kind or path is empty or too long.
    pub fn publish(&self, system: &str, kind: &str, path: &str, data: Value) -> Result<(), Error> {
        self.subscriber().publish(system, kind, path, data)
    }

    /// Subscribes the caller to events, and returns the number of the subscription.
    ///
    /// # Errors
    ///
    /// `Invalid` when a text is no pattern, `LimitExceeded` when the caller has too many subscriptions.
    pub fn subscribe(&self, system: &str, kind: Option<&str>) -> Result<u64, Error> {
        self.subscriber().subscribe(system, kind)
    }

    /// Answers with the next event of a subscription and how many were lost before it, as soon as there is one; with nothing once the
    /// subscription is closed.
    ///
    /// # Errors
    ///
    /// `Conflict` when the caller waits for it already, `LimitExceeded`.
    pub fn next_event(&self, subscription: u64) -> Result<Answer, Fault> {
        self.subscriber().next(subscription)
    }

    /// Ends a subscription; false: the caller has none of this number.
    pub fn unsubscribe(&self, subscription: u64) -> bool {
        self.subscriber().unsubscribe(subscription)
    }

    fn subscriber(&self) -> Subscriber<'_> {
        Subscriber { node: self.node, process: self.process }
    }

    /// Notes that the caller holds something of the module, so that [`super::HostModule::forget`] is called at its end.
    pub fn hold(&self) {
        self.process.tie(MODULES);
    }

    /// Takes a ticket for an answer that comes later. `cancel` runs when nobody waits for it any more.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` when too many operations of the caller are pending.
    pub fn later(&self, cancel: impl FnOnce() + Send + 'static) -> Result<(Ticket, Completer), Error> {
        let freight = match &self.freight {
            None => self.load(self.weight.saturating_add(JOB))?,
            Some(freight) => freight.clone(),
        };
        let mut inner = self.process.inner();
        self.process.admit_pending(&inner, 1, self.terms.bounds.pending)?;
        let ticket = inner.pend(|_| Pending::Module(Box::new(cancel)));
        let completer = Completer {
            node: Arc::downgrade(self.node),
            process: Arc::downgrade(self.process),
            ticket: Some(ticket),
            _job: self.job(),
            _freight: freight,
        };
        Ok((Ticket(ticket), completer))
    }

    /// Counts a job in the gauge of the node. A call counts until its [`Completer`] is gone; what goes on after that counts itself.
    #[must_use]
    pub fn job(&self) -> Job {
        self.node.jobs.begin()
    }

    /// Returns what to charge the memory to that the call gathers for its result, before it is allocated.
    #[must_use]
    pub fn freight(&self) -> Freight {
        self.freight.clone().unwrap_or_else(|| Freight::new(self.process, None))
    }

    /// Returns whom to charge for work that another thread does for the caller.
    #[must_use]
    pub fn bill(&self) -> Bill {
        Bill::new(self.node, self.process)
    }

    /// Returns an account of memory that the module holds for the caller between calls: at most `largest` bytes, a limit of this name.
    #[must_use]
    pub fn freight_within(&self, name: &'static str, largest: u64) -> Freight {
        Freight::new(self.process, Some((name, largest)))
    }

    /// Answers with what a function returns that may block, on a thread of its own. When nobody waits any more, its result is dropped.
    /// The caller is charged for the CPU time that it takes. The processes of one host have some such threads at a time.
    ///
    /// # Errors
    ///
    /// As [`ModuleCall::later`].
    pub fn run_blocking(&self, work: impl FnOnce() -> Result<Vec<Value>, Error> + Send + 'static) -> Result<Answer, Fault> {
        let Ok(place) = Arc::clone(&self.process.terms.host.blocking).try_acquire_owned() else {
            return self.run_blocking_after(std::future::ready(Ok(())), work);
        };
        let tokio = self.node.tokio.handle()?;
        let (ticket, completer) = self.later(|| {})?;
        let bill = self.bill();
        tokio.spawn_blocking(move || {
            let result = bill.run(work);
            drop(place);
            completer.complete(result);
        });
        Ok(Answer::Pending(ticket))
    }

    /// Like [`ModuleCall::run_blocking`], but waits for something first, without a thread. What fails there is the answer.
    ///
    /// # Errors
    ///
    /// As [`ModuleCall::later`].
    pub fn run_blocking_after(
        &self,
        ready: impl Future<Output = Result<(), Error>> + Send + 'static,
        work: impl FnOnce() -> Result<Vec<Value>, Error> + Send + 'static,
    ) -> Result<Answer, Fault> {
        let tokio = self.node.tokio.handle()?;
        let (give_up, given_up) = tokio::sync::oneshot::channel::<()>();
        let (ticket, completer) = self.later(move || {
            // The work may have begun just now.
            let _ = give_up.send(());
        })?;
        let (bill, places) = (self.bill(), Arc::clone(&self.process.terms.host.blocking));
        tokio.spawn(async move {
            let place = async {
                ready.await?;
                places.acquire_owned().await.map_err(|_| errors::canceled("the node stops"))
            };
            tokio::select! {
                place = place => match place {
                    Ok(place) => drop(tokio::task::spawn_blocking(move || {
                        let result = bill.run(work);
                        drop(place);
                        completer.complete(result);
                    })),
                    Err(error) => completer.complete(Err(error)),
                },
                // Nobody waits: the completer's own answer goes nowhere.
                _ = given_up => {}
            }
        });
        Ok(Answer::Pending(ticket))
    }

    /// Answers with what a future comes to. When nobody waits any more, the future is dropped.
    /// The caller is charged for the CPU time of its steps.
    ///
    /// # Errors
    ///
    /// As [`ModuleCall::later`].
    pub fn run_async(&self, work: impl Future<Output = Result<Vec<Value>, Error>> + Send + 'static) -> Result<Answer, Fault> {
        let tokio = self.node.tokio.handle()?;
        let (give_up, given_up) = tokio::sync::oneshot::channel::<()>();
        let (ticket, completer) = self.later(move || {
            // The work may have ended just now.
            let _ = give_up.send(());
        })?;
        let bill = self.bill();
        tokio.spawn(async move {
            tokio::select! {
                result = bill.watch(work) => completer.complete(result),
                // Nobody waits: the completer's own answer goes nowhere.
                _ = given_up => {}
            }
        });
        Ok(Answer::Pending(ticket))
    }
}
