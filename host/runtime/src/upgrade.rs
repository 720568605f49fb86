//! Upgrades: a process goes on with other code, and hears when its code is outdated.
//!
//! Pid, mailbox, links, monitors, names, whoever waits for the result, and the ceiling of the host stay; a new instance starts with the
//! arguments that the old code left. What the old code had under way ends: its calls, timers, subscriptions and handles.

use std::collections::BTreeSet;
use std::sync::Arc;

use moonlet_registry::{Change, EntryId, LuaEntry};
use moonlet_sandbox::wit::{Error, Event, Payload};

use crate::arrival::Arrival;
use crate::errors;
use crate::process::{CHANNELS, MODULES, Pending, Process};
use crate::program::Form;
use crate::shared::Shared;
use crate::table::Tabled;
use crate::terms::Terms;

/// What a process goes on with.
pub(crate) struct Upgrade {
    terms: Arc<Terms>,
    args: Payload,
    /// What was delivered to the old code and not looked at.
    unread: Vec<Arrival>,
}

impl Shared {
    /// Finds the code that a process goes on with, and notes it for the end of its step.
    pub(crate) fn plan_upgrade(
        &self,
        process: &Arc<Process>,
        entry: Option<&str>,
        args: Payload,
        unread: Vec<Event>,
    ) -> Result<(), Error> {
        // What changes from here on is news to the new code.
        process.inner().mailbox.forget_outdated();
        let own = process.terms();
        let entry = entry.unwrap_or(&own.program.entry);
        let terms = self.terms_for(entry, &own.host.id, Some(&own))?;
        if terms.program.is_component() || terms.program.form != Form::Process {
            return Err(errors::invalid(format!(
                "`{}` cannot take the place of a Lua process: name an entry of kind `process.lua`",
                errors::shown(entry)
            )));
        }
        let unread = unread.into_iter().filter_map(unread_arrival).collect();
        process.inner().upgrade = Some(Box::new(Upgrade { terms, args, unread }));
        Ok(())
    }

    /// Ends what the old code of a process had under way, and returns the arguments of the new one.
    pub(crate) fn renew(self: &Arc<Self>, process: &Arc<Process>, upgrade: Upgrade) -> Payload {
        let Upgrade { terms, args, unread } = upgrade;
        let number = process.number();
        if process.is_tied(MODULES) {
            self.handles.forget(number);
            self.unsubscribe_all(number);
            for module in self.modules.values() {
                module.host.forget(&process.pid);
            }
        }
        let pending = process.inner().withdraw_all();
        for (ticket, pending) in pending {
            match pending {
                Pending::Channel => {
                    self.cancel_channel(process, ticket);
                }
                pending => self.abandon(pending),
            }
        }
        let (lost, mut held) = process.inner().mailbox.renew(unread);
        if lost > 0 {
            let (pid, entry) = (&*process.pid, &*terms.program.entry);
            tracing::warn!(target: "moonlet", pid, entry, lost, "unread messages did not fit into the mailbox at an upgrade");
        }
        if process.is_tied(CHANNELS) {
            held.extend(&args.channels);
            self.channels.lock().keep_only(number, &held);
        }
        process.renew(terms);
        args
    }

    /// Tells the processes that want to know it that their code changed.
    pub(crate) fn report_outdated(&self, changes: &[Change]) {
        let numbers: Vec<u64> = self.upgradable.lock().iter().copied().collect();
        if numbers.is_empty() {
            return;
        }
        let changed: BTreeSet<&EntryId> = changes.iter().map(|change| &change.id).collect();
        for number in numbers {
            let Some(process) = self.table.numbered(number) else { continue };
            let sources = affected(&process.terms(), &changed);
            if sources.is_empty() {
                continue;
            }
            let due = process.inner().outdated(sources);
            self.schedule(&process, due);
        }
    }
}

/// Lists what a change affects among the entries that make up a program: what changed, and what imports it.
fn affected(terms: &Terms, changed: &BTreeSet<&EntryId>) -> Vec<String> {
    let mut sources: Vec<String> = Vec::new();
    // Each comes after what it imports.
    for entry in terms.program.parts() {
        let imports = LuaEntry::new(entry).map(|view| view.imports).unwrap_or_default();
        let imports_one = imports.iter().any(|(_, id)| sources.iter().any(|source| source == id.as_str()));
        if changed.contains(&entry.id) || imports_one {
            sources.push(entry.id.to_string());
        }
    }
    sources.sort();
    sources
}

fn unread_arrival(event: Event) -> Option<Arrival> {
    match event {
        Event::Message(message) => Some(Arrival::Message(message.into())),
        Event::Signal(signal) => Some(Arrival::Signal(Box::new(signal))),
        Event::Completed(_) => None,
    }
}
