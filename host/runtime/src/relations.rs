//! Who hears of whose end: monitors, links, and ownership of processes that were started for a result.
//!
//! Owns the relations between processes and decides what an exit means for the others. It does not know whether a process
//! is alive, holds no mailbox and ends nobody: `exit` returns effects, and the caller carries them out. A failure that runs
//! through links is a chain of such calls: the caller ends each process of `Effect::Fail` and calls `exit` for it in turn.
//! Every relation is removed at both of its ends, so each process of a chain is named once.
//!
//! A process without relations costs nothing: `exit` is one lookup, and it can be left out. For that, keep a flag in the
//! process, and in this order: whoever relates two processes takes the lock of this table, sets the flag of both, checks that
//! both are alive and then calls in here; whoever ends a process marks it as ended, reads its flag and calls `exit` only when
//! it is set. Either side then sees what the other did.
//!
//! ```text
//! monitor(watcher, target)   -> AlreadyExists, LimitExceeded    unmonitor(watcher, target) -> was there one
//! link(process, peer)        -> LimitExceeded; idempotent       unlink(process, peer)      -> was there one
//! own(owner, ticket, child)                                     disown(owner, ticket)      -> the child to end
//! set_traps_links(process, traps)                               exit(process, failed)      -> effects
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use rustc_hash::FxHashMap;

#[cfg(test)]
mod tests;

/// How many relations one process may make.
///
/// Without a bound, one process could fill the memory of the host with monitors. Relations that others make to a process
/// are charged to them, so nobody can use up the share of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelationLimits {
    /// Processes that one process may monitor at the same time.
    pub(crate) monitors: usize,
    /// Links that one process may make and keep.
    pub(crate) links: usize,
}

impl Default for RelationLimits {
    fn default() -> Self {
        Self { monitors: 100_000, links: 100_000 }
    }
}

/// Why a relation was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RelationError {
    /// The watcher monitors the target already.
    #[error("already monitoring this process: one monitor is enough, its exit is reported once")]
    AlreadyExists,
    /// The process made as many relations of this sort as it may.
    #[error("a process can have at most {allowed} {what}: give some back with process.{remedy} first")]
    LimitExceeded {
        /// What there are too many of, in the plural.
        what: &'static str,
        /// The function that gives one back.
        remedy: &'static str,
        /// How many are allowed.
        allowed: usize,
    },
}

impl RelationError {
    /// Gives the kind of the error as programs see it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "AlreadyExists",
            Self::LimitExceeded { .. } => "LimitExceeded",
        }
    }
}

/// What the end of a process means for another one, in the order in which it is to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect<P> {
    /// The ticket under which the owner waits for the result completes with it.
    Complete {
        /// Who waits.
        owner: P,
        /// Under which ticket.
        ticket: u64,
    },
    /// A monitor gets an exit signal.
    Notify {
        /// Who monitors.
        watcher: P,
    },
    /// A linked process that traps links gets a link-down signal.
    LinkDown {
        /// Who is linked.
        peer: P,
    },
    /// A linked process that does not trap links fails with "linked process failed".
    Fail {
        /// Who is linked.
        peer: P,
    },
    /// A process that ran only for a result of the ended one has nobody to run for.
    End {
        /// Who runs.
        child: P,
    },
}

/// The relations of every process that has any.
#[derive(Debug)]
pub(crate) struct Relations<P> {
    nodes: FxHashMap<P, Node<P>>,
    limits: RelationLimits,
}

/// One process's side of its relations. Ordered sets, so that the effects of an exit do not depend on hashing.
#[derive(Debug)]
struct Node<P> {
    /// Who gets an exit signal of this process.
    watchers: BTreeSet<P>,
    /// Whose exit signals this process gets.
    watching: BTreeSet<P>,
    links: BTreeMap<P, LinkMaker>,
    /// How many of `links` this process made; the limit counts these.
    links_made: usize,
    /// Who waits for the result of this process.
    owner: Option<(P, u64)>,
    /// Which process runs for which ticket of this one.
    owned: BTreeMap<u64, P>,
    traps_links: bool,
}

/// Whose limit a link is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkMaker {
    Myself,
    Peer,
}

impl<P> Default for Node<P> {
    fn default() -> Self {
        Self {
            watchers: BTreeSet::new(),
            watching: BTreeSet::new(),
            links: BTreeMap::new(),
            links_made: 0,
            owner: None,
            owned: BTreeMap::new(),
            traps_links: false,
        }
    }
}

impl<P> Node<P> {
    fn is_empty(&self) -> bool {
        self.watchers.is_empty()
            && self.watching.is_empty()
            && self.links.is_empty()
            && self.owner.is_none()
            && self.owned.is_empty()
            && !self.traps_links
    }
}

impl<P: Copy + Ord + Hash> Relations<P> {
    /// Makes an empty table.
    pub(crate) fn new(limits: RelationLimits) -> Self {
        Self { nodes: FxHashMap::default(), limits }
    }

    /// Asks for an exit signal of a process.
    ///
    /// # Errors
    /// `AlreadyExists`, and `LimitExceeded` when the watcher monitors too many. That the target exists is the caller's to check.
    pub(crate) fn monitor(&mut self, watcher: P, target: P) -> Result<(), RelationError> {
        let allowed = self.limits.monitors;
        let node = self.nodes.entry(watcher).or_default();
        if node.watching.contains(&target) {
            return Err(RelationError::AlreadyExists);
        }
        if node.watching.len() >= allowed {
            self.tidy(watcher);
            return Err(RelationError::LimitExceeded { what: "monitors", remedy: "unmonitor", allowed });
        }
        node.watching.insert(target);
        self.nodes.entry(target).or_default().watchers.insert(watcher);
        Ok(())
    }

    /// Counts the monitors and links that a process made.
    pub(crate) fn made(&self, process: P) -> usize {
        self.nodes.get(&process).map_or(0, |node| node.watching.len() + node.links_made)
    }

    /// Undoes `monitor`. Tells whether there was anything to undo.
    pub(crate) fn unmonitor(&mut self, watcher: P, target: P) -> bool {
        let Some(node) = self.nodes.get_mut(&watcher) else {
            return false;
        };
        let existed = node.watching.remove(&target);
        if existed {
            self.tidy(watcher);
            self.update(target, |node| {
                node.watchers.remove(&watcher);
            });
        }
        existed
    }

    /// Links two processes. Linking again changes nothing, and neither does a link with oneself.
    ///
    /// # Errors
    /// `LimitExceeded` when the process that asks made too many links.
    pub(crate) fn link(&mut self, process: P, peer: P) -> Result<(), RelationError> {
        if process == peer {
            return Ok(());
        }
        let allowed = self.limits.links;
        let node = self.nodes.entry(process).or_default();
        if node.links.contains_key(&peer) {
            return Ok(());
        }
        if node.links_made >= allowed {
            self.tidy(process);
            return Err(RelationError::LimitExceeded { what: "links", remedy: "unlink", allowed });
        }
        node.links.insert(peer, LinkMaker::Myself);
        node.links_made += 1;
        self.nodes.entry(peer).or_default().links.insert(process, LinkMaker::Peer);
        Ok(())
    }

    /// Undoes `link`, whoever made it. Tells whether there was anything to undo.
    pub(crate) fn unlink(&mut self, process: P, peer: P) -> bool {
        let linked = self.nodes.get(&process).is_some_and(|node| node.links.contains_key(&peer));
        if linked {
            self.drop_link(process, peer);
            self.drop_link(peer, process);
        }
        linked
    }

    /// Records that a process runs only for the result that completes a ticket of its owner.
    #[allow(dead_code, reason = "for processes that run for one result")]
    pub(crate) fn own(&mut self, owner: P, ticket: u64, child: P) {
        let previous = self.nodes.entry(child).or_default().owner.replace((owner, ticket));
        debug_assert!(previous.is_none(), "a process has one owner");
        self.nodes.entry(owner).or_default().owned.insert(ticket, child);
    }

    /// Gives up a ticket, because it was cancelled or timed out. Returns the process that ran for it, which is to be ended.
    #[allow(dead_code, reason = "for processes that run for one result")]
    pub(crate) fn disown(&mut self, owner: P, ticket: u64) -> Option<P> {
        let child = self.nodes.get_mut(&owner)?.owned.remove(&ticket)?;
        self.tidy(owner);
        self.update(child, |node| node.owner = None);
        Some(child)
    }

    /// Chooses whether the failure of a linked process is a signal instead of the end of this one.
    pub(crate) fn set_traps_links(&mut self, process: P, traps: bool) {
        if traps {
            self.nodes.entry(process).or_default().traps_links = true;
        } else {
            self.update(process, |node| node.traps_links = false);
        }
    }

    /// Tells what `set_traps_links` chose; not to trap is the default.
    pub(crate) fn traps_links(&self, process: P) -> bool {
        self.nodes.get(&process).is_some_and(|node| node.traps_links)
    }

    /// Removes an ended process with all its relations, and says what that means for the others.
    ///
    /// `failed` is true for every end with an error, also for a terminated process.
    pub(crate) fn exit(&mut self, process: P, failed: bool) -> Vec<Effect<P>> {
        let Some(node) = self.nodes.remove(&process) else {
            return Vec::new();
        };
        let mut effects = Vec::with_capacity(1 + node.watchers.len() + node.links.len() + node.owned.len());
        if let Some((owner, ticket)) = node.owner {
            self.update(owner, |node| {
                node.owned.remove(&ticket);
            });
            effects.push(Effect::Complete { owner, ticket });
        }
        for watcher in node.watchers {
            if watcher == process {
                continue;
            }
            self.update(watcher, |node| {
                node.watching.remove(&process);
            });
            effects.push(Effect::Notify { watcher });
        }
        for target in node.watching {
            self.update(target, |node| {
                node.watchers.remove(&process);
            });
        }
        for peer in node.links.into_keys() {
            let traps = self.traps_links(peer);
            self.drop_link(peer, process);
            if failed && traps {
                effects.push(Effect::LinkDown { peer });
            } else if failed {
                effects.push(Effect::Fail { peer });
            }
        }
        for child in node.owned.into_values() {
            self.update(child, |node| node.owner = None);
            effects.push(Effect::End { child });
        }
        effects
    }

    /// Counts the processes that have a relation or trap links.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Removes the link from one side only.
    fn drop_link(&mut self, process: P, peer: P) {
        self.update(process, |node| {
            if node.links.remove(&peer) == Some(LinkMaker::Myself) {
                node.links_made = node.links_made.saturating_sub(1);
            }
        });
    }

    fn update(&mut self, process: P, change: impl FnOnce(&mut Node<P>)) {
        if let Some(node) = self.nodes.get_mut(&process) {
            change(node);
            if node.is_empty() {
                self.nodes.remove(&process);
            }
        }
    }

    fn tidy(&mut self, process: P) {
        self.update(process, |_| {});
    }
}
