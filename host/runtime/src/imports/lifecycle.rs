//! Starting, watching and ending processes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use moonlet_sandbox::wit::{self, Error, Event, Payload, ProcessOptions, SpawnRequest};

use super::Calls;
use super::guards::Family;
use super::messages::check_topic;
use crate::arrival::Envelope;
use crate::document;
use crate::errors;
use crate::names::{NameError, NameScope};
use crate::process::{NAMED, Process, RELATED, Refused};
use crate::reserve::Small;
use crate::spawn::Birth;
use crate::table::Tabled;
use crate::terms::Terms;

/// The longest reason of a cancel signal in bytes.
const MAX_REASON: usize = 4096;
/// The longest message, and the longest traceback, of the error that a process ends with.
const MAX_ERROR: usize = 64 << 10;
/// The longest kind of an error.
const MAX_KIND: usize = 255;
/// The limits that guests keep themselves, see `soft-limits` of the contract.
const KEPT_BY_GUESTS: &[&str] =
    &["coroutines", "channels", "channel_buffer", "timers", "message_depth", "message_size", "memory"];

impl Calls {
    /// Finds out whether and on which terms this process may start another.
    fn spawn_terms(&self, request: &SpawnRequest, exec: bool) -> Result<Arc<Terms>, Error> {
        self.admitted()?;
        self.check_namespace(&request.entry)?;
        self.guard_spawn(request, exec)?;
        self.check_size(&request.args)?;
        for message in &request.messages {
            check_topic(&message.topic)?;
            self.check_size(&message.body)?;
        }
        self.check_host(&request.host)?;
        self.node.terms_for(&request.entry, &request.host, Some(&self.process.terms))
    }

    /// Lays context values over those of this process.
    pub(super) fn context(&self, above: &[u8]) -> Result<Arc<[u8]>, Error> {
        if above.is_empty() {
            return Ok(Arc::clone(&self.process.context));
        }
        let allowed = self.terms.bounds.message_size;
        if above.len() > allowed {
            return Err(self.process.exceeded("message_size", allowed as u64, above.len() as u64));
        }
        let context = document::overlay(&self.process.context, above)?;
        if context.len() > allowed {
            return Err(self.process.exceeded("message_size", allowed as u64, context.len() as u64));
        }
        Ok(context.into())
    }

    /// Sends the first messages to a process that was there before.
    fn send_first(&self, target: &Arc<Process>, request: SpawnRequest) -> Result<String, Error> {
        // Whoever has the name need not run the entry that was asked for.
        self.check_namespace(&target.terms.program.entry)?;
        if !request.messages.is_empty() {
            self.guard_process("process.send", target, &target.pid)?;
        }
        for message in request.messages {
            let body = self.node.transfer(&self.process, message.body, target)?;
            let sender = Some(Arc::clone(&self.process.pid));
            self.node.deliver(
                &target.pid,
                target,
                Envelope { sender, topic: message.topic.into(), body, trace: self.process.trace.current() },
            )?;
        }
        if request.monitor {
            // Monitored already is as good.
            let _ = self.relate(target, Relation::Monitor);
        }
        if request.link {
            self.relate(target, Relation::Link)?;
        }
        Ok(target.pid.as_ref().to_owned())
    }

    fn relate(&self, target: &Arc<Process>, relation: Relation) -> Result<(), Error> {
        let (own, other) = (self.process.number(), target.number());
        let mut relations = self.node.relations.lock();
        let room = self.process.inner().mailbox.check_signals();
        room.map_err(|full| errors::mailbox_full(&self.process.pid, full))?;
        self.process.tie(RELATED);
        if !target.tie(RELATED) {
            return Err(errors::no_process(&target.pid));
        }
        self.process.reserve(Small::Relations, relations.made(own) + 1)?;
        let related = match relation {
            Relation::Monitor => relations.monitor(own, other),
            Relation::Link => relations.link(own, other),
        };
        related.map_err(|error| errors::of_relation(&error))
    }
}

#[derive(Debug, Clone, Copy)]
enum Relation {
    Monitor,
    Link,
}

impl wit::lifecycle::Host for Calls {
    fn spawn(&mut self, mut request: SpawnRequest) -> Result<String, Error> {
        let terms = self.spawn_terms(&request, false)?;
        let name = request.name.take();
        if let Some(name) = &name
            && let Ok(holder) = self.node.find(name)
        {
            return self.send_first(&holder, request);
        }
        let (context, authority) = self.given(Family::Process, &request.context, &request.options)?;
        let mut birth = Birth::new(terms, Some(&self.process), request.args, context);
        birth.authority = authority;
        birth.monitor = request.monitor;
        birth.link = request.link;
        birth.messages = request.messages;
        let child = self.node.bear(birth)?;
        if let Some(name) = name {
            child.tie(NAMED);
            let registered = self.node.names.write().register(&name, child.number(), NameScope::Local);
            if let Err(error) = registered {
                // Somebody else was faster, or the text cannot be a name.
                self.node.relations.lock().unmonitor(self.process.number(), child.number());
                self.node.relations.lock().unlink(self.process.number(), child.number());
                self.node.exit(&child, Ok(Payload::empty()));
                return match error {
                    NameError::AlreadyExists { .. } => {
                        let holder = self.node.find(&name)?;
                        self.check_namespace(&holder.terms.program.entry)?;
                        Ok(holder.pid.as_ref().to_owned())
                    }
                    error => Err(errors::of_name(&error)),
                };
            }
        }
        self.node.launch(&child);
        Ok(child.pid.as_ref().to_owned())
    }

    fn exec(&mut self, request: SpawnRequest) -> Result<u64, Error> {
        let terms = self.spawn_terms(&request, true)?;
        let (context, authority) = self.given(Family::Process, &request.context, &request.options)?;
        let options = self.call_terms(&request.options)?;
        self.node.call(&self.process, terms, request.args, context, authority, options)
    }

    fn cancel(&mut self, to: String, reason: String) -> Result<(), Error> {
        self.admitted()?;
        if reason.len() > MAX_REASON {
            return Err(errors::invalid(format!(
                "a reason of {} bytes is too long: at most {MAX_REASON} are allowed",
                reason.len()
            )));
        }
        let target = self.node.find(&to)?;
        self.check_namespace(&target.terms.program.entry)?;
        self.guard_process("process.cancel", &target, &to)?;
        self.node.cancel(&target, &self.process.pid, reason).map_err(|refused| match refused {
            Refused::Ended => errors::no_process(&to),
            Refused::Full(full) => errors::mailbox_full(&to, full),
        })
    }

    fn terminate(&mut self, to: String) -> Result<(), Error> {
        self.admitted()?;
        let target = self.node.find(&to)?;
        self.check_namespace(&target.terms.program.entry)?;
        self.guard_process("process.terminate", &target, &to)?;
        self.node.kill(&target, errors::canceled("process terminated"));
        Ok(())
    }

    fn link(&mut self, to: String) -> Result<(), Error> {
        self.admitted()?;
        let target = self.node.find(&to)?;
        self.check_namespace(&target.terms.program.entry)?;
        self.guard_process("process.link", &target, &to)?;
        self.relate(&target, Relation::Link)
    }

    fn unlink(&mut self, to: String) -> Result<(), Error> {
        self.admitted()?;
        let target = self.node.find(&to)?;
        self.guard_process("process.unlink", &target, &to)?;
        self.node.relations.lock().unlink(self.process.number(), target.number());
        Ok(())
    }

    fn monitor(&mut self, to: String) -> Result<(), Error> {
        self.admitted()?;
        let target = self.node.find(&to)?;
        self.check_namespace(&target.terms.program.entry)?;
        self.guard_process("process.monitor", &target, &to)?;
        self.relate(&target, Relation::Monitor)
    }

    fn unmonitor(&mut self, to: String) -> Result<(), Error> {
        self.admitted()?;
        let target = self.node.find(&to)?;
        self.guard_process("process.unmonitor", &target, &to)?;
        self.node.relations.lock().unmonitor(self.process.number(), target.number());
        Ok(())
    }

    fn set_options(&mut self, options: ProcessOptions) {
        if let Some(traps) = options.trap_links {
            let mut relations = self.node.relations.lock();
            // Without the tie, the entry would outlive the process.
            self.process.tie(RELATED);
            relations.set_traps_links(self.process.number(), traps);
            self.process.traps_links.store(traps, Ordering::Relaxed);
        }
        if let Some(upgradable) = options.upgradable {
            self.process.upgradable.store(upgradable, Ordering::Relaxed);
            let mut listed = self.node.upgradable.lock();
            if upgradable {
                listed.insert(self.process.number())
            } else {
                listed.remove(&self.process.number())
            };
        }
        if let Some(warnings) = options.limit_warnings {
            self.process.limit_warnings.store(warnings, Ordering::Relaxed);
        }
    }

    fn get_options(&mut self) -> ProcessOptions {
        ProcessOptions {
            trap_links: Some(self.process.traps_links.load(Ordering::Relaxed)),
            upgradable: Some(self.process.upgradable.load(Ordering::Relaxed)),
            limit_warnings: Some(self.process.limit_warnings.load(Ordering::Relaxed)),
        }
    }

    fn upgrade(&mut self, entry: Option<String>, args: Payload, unread: Vec<Event>) -> Result<(), Error> {
        self.check_size(&args)?;
        self.process.terms().check_open()?;
        if let Some(entry) = &entry
            && **entry != *self.terms.program.entry
        {
            self.check_namespace(entry)?;
            self.node.authorize(&self.process, "process.spawn", entry, None)?;
        }
        self.node.plan_upgrade(&self.process, entry.as_deref(), args, unread)
    }

    fn refused(&mut self, limit: String) {
        if KEPT_BY_GUESTS.contains(&limit.as_str()) {
            self.process.hit(&limit);
        }
    }

    fn finish(&mut self, outcome: Result<Payload, Error>) {
        let outcome = match outcome {
            Ok(value) => self.check_size(&value).map(|()| value),
            Err(error) => Err(bounded(error, self.terms.bounds.message_size)),
        };
        self.process.inner().finish(outcome);
    }
}

/// Cuts an error of a guest: it is copied to everyone who hears of the end, and written to the log.
fn bounded(mut error: Error, message_size: usize) -> Error {
    for (text, most) in [(&mut error.kind, MAX_KIND), (&mut error.message, MAX_ERROR), (&mut error.trace, MAX_ERROR)] {
        if text.len() > most {
            text.truncate(text.floor_char_boundary(most));
            text.push_str("...");
        }
    }
    if error.details.len() > message_size {
        error.details = Vec::new();
    }
    error
}
