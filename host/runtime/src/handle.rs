//! The node as host modules and servers see it: what they may start and send on their own.

use std::any::Any;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use moonlet_registry::Registry;
use moonlet_sandbox::wit::{Error, Payload};
use rmpv::Value;
use serde_json::json;

use crate::accounts::Accounts;
use crate::arrival::Envelope;
use crate::document;
use crate::environment::Environment;
use crate::errors;
use crate::functions::Entry;
use crate::port::Port;
use crate::process::{Process, Waiter};
use crate::security::{Actor, Authority, Policy, Scope};
use crate::shared::{Alarm, Shared};
use crate::spawn::Birth;
use crate::terms::Terms;
use crate::trace::{Span, SpanKind, SpanSource, TraceContext};

/// A node that may have stopped. Cheap to clone.
///
/// One that [`crate::ModuleCall::node`] gave starts and reaches no more than the process host of that caller allows.
#[derive(Clone)]
pub struct NodeHandle {
    node: Weak<Shared>,
    /// The terms of the process for which it acts.
    caller: Option<Arc<Terms>>,
    /// Whose policies are asked before it reaches a process; none: whoever uses it has asked.
    authority: Option<Arc<Authority>>,
    /// The trace that this process takes part in.
    trace: Option<Arc<TraceContext>>,
}

/// How the host calls an entry.
#[derive(Default)]
pub struct CallOptions {
    /// The process host; none: the one that the entry names, or that of functions.
    pub host: Option<String>,
    /// Context values.
    pub context: Vec<(Value, Value)>,
    /// On whose behalf; none: nobody's.
    pub authority: Option<Arc<Authority>>,
    /// What host modules find when the callee asks them, such as the request that it answers. Callees of the callee do not have it.
    pub attachment: Option<Arc<dyn Any + Send + Sync>>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// The trace that it is part of; none: that of the process for which the handle acts.
    pub trace: Option<Arc<TraceContext>>,
}

/// A process that the host started. It runs on when this is dropped.
pub struct Running {
    node: Weak<Shared>,
    process: Weak<Process>,
    pid: String,
    acting: NodeHandle,
}

impl Running {
    /// Returns its pid.
    #[must_use]
    pub fn pid(&self) -> &str {
        &self.pid
    }

    /// Returns a handle that reaches what this process may reach and asks its policies, also when it has ended.
    #[must_use]
    pub fn acting(&self) -> NodeHandle {
        self.acting.clone()
    }

    /// Ends it at once.
    pub fn terminate(&self, reason: &str) {
        if let (Some(node), Some(process)) = (self.node.upgrade(), self.process.upgrade()) {
            node.kill(&process, errors::canceled(reason));
        }
    }
}

/// Ends a process when it is dropped.
struct Guard(Option<Running>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(running) = self.0.take() {
            running.terminate("canceled: whoever called is not interested any more");
        }
    }
}

impl NodeHandle {
    pub(crate) fn new(node: &Arc<Shared>) -> Self {
        Self { node: Arc::downgrade(node), caller: None, authority: None, trace: None }
    }

    /// A handle for what a process asked a module to do.
    pub(crate) fn of(node: &Arc<Shared>, process: &Process) -> Self {
        let caller = Some(Arc::clone(&process.terms));
        Self { node: Arc::downgrade(node), caller, authority: None, trace: process.trace.current() }
    }

    /// A handle for what goes on in the name of a process that the host has called.
    fn acting(node: &Arc<Shared>, process: &Process) -> Self {
        Self { authority: Some(Arc::clone(&process.authority)), ..Self::of(node, process) }
    }

    fn check_namespace(&self, entry: &str) -> Result<(), Error> {
        self.caller.as_ref().map_or(Ok(()), |caller| caller.check_namespace(entry))
    }

    /// Finds a process that this handle may do something to, `named` by pid or registered name.
    pub(crate) fn reach(&self, action: &str, sender: Option<&str>, named: &str) -> Result<Arc<Process>, Error> {
        let node = self.shared()?;
        let target = node.find(named)?;
        self.check_namespace(&target.terms.program.entry)?;
        let Some(authority) = self.authority.as_ref().filter(|authority| !authority.is_open()) else { return Ok(target) };
        let name = if named.starts_with('{') { None } else { Some(named) };
        let meta = json!({ "pid": sender, "entry": &*target.terms.program.entry, "name": name });
        authority.authorize(action, &target.pid, Some(&meta)).map_err(|denial| {
            node.counters.denied.fetch_add(1, Ordering::Relaxed);
            errors::denied(denial.to_string())
        })?;
        Ok(target)
    }

    fn shared(&self) -> Result<Arc<Shared>, Error> {
        self.node.upgrade().ok_or_else(|| errors::unavailable("the node has stopped").with_retryable(false))
    }

    /// Returns the registry.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node has stopped, as for all functions here.
    pub fn registry(&self) -> Result<Registry, Error> {
        Ok(self.shared()?.registry.clone())
    }

    /// Returns the directory of the project, where relative paths in entries start.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node has stopped.
    pub fn project(&self) -> Result<std::path::PathBuf, Error> {
        Ok(self.shared()?.project.clone())
    }

    /// Returns the runtime for work that waits.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node has stopped or the system has no threads.
    pub fn tokio(&self) -> Result<tokio::runtime::Handle, Error> {
        self.shared()?.tokio.handle()
    }

    /// Tells what the node, its hosts and its processes use and did.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node has stopped.
    pub fn accounts(&self) -> Result<Accounts, Error> {
        Ok(self.shared()?.accounts())
    }

    /// Writes what host modules count, in the text format of Prometheus.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node has stopped.
    pub fn module_metrics(&self) -> Result<String, Error> {
        let node = self.shared()?;
        let mut texts: Vec<String> = node.modules.values().map(|module| module.host.metrics()).collect();
        // One order from scrape to scrape.
        texts.sort();
        Ok(texts.concat())
    }

    /// Lists the services and how they do.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node has stopped.
    pub fn services(&self) -> Result<Vec<crate::node::ServiceInfo>, Error> {
        Ok(self.shared()?.service_infos())
    }

    /// Returns the authority of a process without actor and scope.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node has stopped.
    pub fn nobody(&self) -> Result<Arc<Authority>, Error> {
        Ok(self.shared()?.nobody())
    }

    /// Publishes an event of the host on the event bus; subscribers of every namespace hear of it.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node has stopped.
    pub fn publish(&self, system: &str, kind: &str, path: &str, data: Value) -> Result<(), Error> {
        self.shared()?.publish(system, kind, path, None, || data);
        Ok(())
    }

    /// Returns the authority that an entry names for its processes, in `lifecycle.security` or `security`; nobody's when it names none.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node has stopped.
    pub fn authority_of(&self, entry: &moonlet_registry::Entry) -> Result<Arc<Authority>, Error> {
        let node = self.shared()?;
        Ok(node.authority_of(entry).unwrap_or_else(|| node.nobody()))
    }

    /// Makes the authority of an actor within a scope.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node has stopped.
    pub fn authority(&self, actor: Option<Arc<Actor>>, scope: Option<Scope>) -> Result<Arc<Authority>, Error> {
        let node = self.shared()?;
        Ok(Arc::new(Authority { actor, scope, strict: node.strict, network: None }))
    }

    /// Returns the variables of the node, and what fills the placeholders of entries.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node has stopped.
    pub fn environment(&self) -> Result<Arc<Environment>, Error> {
        Ok(Arc::clone(&self.shared()?.environment))
    }

    /// Finds a policy of the registry.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node has stopped.
    pub fn policy(&self, id: &str) -> Result<Option<Arc<Policy>>, Error> {
        Ok(self.shared()?.policies.read().get(id))
    }

    /// Sends a message of the host to a process, named by pid or registered name.
    ///
    /// # Errors
    ///
    /// `NotFound` without such a process, `RateLimited` when its mailbox is full.
    pub fn send(&self, to: &str, topic: &str, values: &[Value]) -> Result<(), Error> {
        self.send_from(None, to, topic, values)
    }

    /// Like [`NodeHandle::send`], in the name of a process.
    ///
    /// # Errors
    ///
    /// As [`NodeHandle::send`].
    pub fn send_from(&self, sender: Option<&str>, to: &str, topic: &str, values: &[Value]) -> Result<(), Error> {
        let target = self.reach("process.send", sender, to)?;
        let node = self.shared()?;
        if let Some(caller) = &self.caller {
            // One call of a module may send to many.
            let sent = caller.host.send(node.clock());
            sent.map_err(|(allowed, excess)| errors::rate("quota.messages_per_second", allowed, excess))?;
        }
        let body = Payload { data: document::values(values), channels: Vec::new() };
        node.deliver(
            to,
            &target,
            Envelope { sender: sender.map(Arc::from), topic: topic.into(), body, trace: self.trace.clone() },
        )
    }

    /// Calls an entry: `done` gets its result, on a worker's thread, and must not wait.
    ///
    /// # Errors
    ///
    /// What keeps it from starting; `done` is dropped then.
    pub fn call(
        &self,
        entry: &str,
        args: &[Value],
        options: CallOptions,
        done: impl FnOnce(Result<Vec<Value>, Error>) + Send + 'static,
    ) -> Result<Running, Error> {
        let node = self.shared()?;
        self.check_namespace(entry)?;
        let terms = match &options.host {
            Some(host) => node.terms_for(entry, host, self.caller.as_deref())?,
            None => node.callee(entry, self.caller.as_deref())?,
        };
        let args = Payload { data: document::values(args), channels: Vec::new() };
        let context = document::encode(&Value::Map(options.context));
        let authority = node.acting(&terms, options.authority.unwrap_or_else(|| node.nobody()));
        let mut birth = Birth::new(terms, None, args, context.into());
        birth.authority = authority;
        birth.attachment = options.attachment;
        birth.trace = options.trace.or_else(|| self.trace.clone());
        birth.waiter = Some(Waiter::Host(Box::new(move |_, exit| {
            // Channels in the result mean nothing outside.
            done(exit.and_then(|value| document::decode_few(&value.data)));
        })));
        let process = node.bear(birth)?;
        let entered = node.admit_call(&process)?;
        if let Some(timeout) = options.timeout {
            let weak = Arc::downgrade(&process);
            let end = move |node: &Arc<Shared>| {
                if let Some(process) = weak.upgrade() {
                    let message = format!("the call did not return within {} ms", timeout.as_millis());
                    node.kill(&process, Error::new("Timeout", message).with_retryable(true));
                }
            };
            node.alarm(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX), Alarm::Host(Box::new(end)));
        }
        if entered == Entry::Now {
            node.launch(&process);
        }
        let (pid, acting) = (process.pid.as_ref().to_owned(), Self::acting(&node, &process));
        Ok(Running { node: self.node.clone(), process: Arc::downgrade(&process), pid, acting })
    }

    /// Calls an entry and waits for its result. Dropping the future ends the call.
    ///
    /// # Errors
    ///
    /// What keeps it from starting, and what it ends with.
    pub async fn call_async(&self, entry: &str, args: &[Value], options: CallOptions) -> Result<Vec<Value>, Error> {
        self.begin(entry, args, options)?.1.await
    }

    /// Calls an entry. Returns what acts in the name of the called process, and what waits for its result; dropping this ends the call.
    ///
    /// # Errors
    ///
    /// What keeps it from starting.
    pub fn begin(
        &self,
        entry: &str,
        args: &[Value],
        options: CallOptions,
    ) -> Result<(Self, impl Future<Output = Result<Vec<Value>, Error>> + Send + use<>), Error> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let running = self.call(entry, args, options, move |result| drop(sender.send(result)))?;
        let acting = running.acting();
        let guard = Guard(Some(running));
        let result = async move {
            let mut guard = guard;
            let result = receiver.await;
            guard.0 = None;
            result.unwrap_or_else(|_| Err(errors::canceled("the node stopped")))
        };
        Ok((acting, result))
    }

    /// Like [`NodeHandle::call_async`], but drops the arguments as soon as the call has begun: as values they take much more than as
    /// the document that the process has.
    ///
    /// # Errors
    ///
    /// As [`NodeHandle::call_async`].
    pub async fn call_owned(&self, entry: &str, args: Vec<Value>, options: CallOptions) -> Result<Vec<Value>, Error> {
        let result = self.begin(entry, &args, options)?.1;
        drop(args);
        result.await
    }

    /// Reads the trace of a request that came in; none where it has none, or it is not wanted.
    #[must_use]
    pub fn incoming_trace(&self, parent: &str, state: Option<&str>) -> Option<Arc<TraceContext>> {
        let node = self.shared().ok()?;
        if node.tracing.as_ref().is_some_and(|tracing| !tracing.extract) {
            return None;
        }
        TraceContext::parse(parent, state).map(Arc::new)
    }

    /// Returns the trace for a request that goes out; none where it is not wanted.
    #[must_use]
    pub fn outgoing_trace(&self, trace: Option<Arc<TraceContext>>) -> Option<Arc<TraceContext>> {
        let wanted =
            trace.is_some() && self.shared().is_ok_and(|node| node.tracing.as_ref().is_none_or(|tracing| tracing.inject));
        trace.filter(|_| wanted)
    }

    /// Begins a span, which begins a trace if there is none. None: there are no spans, and what happens inside has the context of `parent`.
    #[must_use]
    pub fn span(
        &self,
        parent: Option<&TraceContext>,
        source: SpanSource,
        kind: SpanKind,
        name: impl FnOnce() -> String,
    ) -> Option<Span> {
        self.shared().ok()?.tracing.as_ref()?.begin(parent, source, kind, true, name)
    }

    /// Finds the authority that a token of a token store stands for; none: the token is not valid, or there is no such store.
    #[must_use]
    pub fn authenticate(&self, store: &str, token: &str) -> Option<Arc<Authority>> {
        let node = self.shared().ok()?;
        let mut modules = node.modules.values();
        modules.find_map(|module| module.host.authenticate(self, store, token))
    }

    /// Opens a port: a process whose code is the host's, which acts in the name of an entry. `wake` is called when something has
    /// arrived, and once more when the port was ended from outside; it must not wait.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the node stops or is full.
    pub fn open_port(&self, entry: &str, wake: impl Fn() + Send + 'static) -> Result<Port, Error> {
        Port::open(&self.shared()?, entry, Box::new(wake))
    }

    /// Asks a process to stop; false: there is no such process.
    pub fn cancel(&self, pid: &str, reason: &str) -> bool {
        let Ok(node) = self.shared() else { return false };
        let Ok(process) = node.find(pid) else { return false };
        self.check_namespace(&process.terms.program.entry).is_ok() && node.cancel(&process, "", reason.to_owned()).is_ok()
    }

    /// Tells whether a process lives.
    #[must_use]
    pub fn is_alive(&self, pid: &str) -> bool {
        self.shared().is_ok_and(|node| node.table.get(pid).is_some())
    }
}
