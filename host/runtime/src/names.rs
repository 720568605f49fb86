//! Names of processes on this node.
//!
//! Owns which name belongs to which process. It does not know whether a process is alive: the caller checks that before
//! `register` and calls `release` at every exit of a process that had a name (a flag in the process, or one lookup here).
//! Names are only known on this node; wider scopes are refused with a reason, because a single node cannot keep their promise.
//!
//! ```text
//! register(name, process, scope) -> AlreadyExists (with the holder), Invalid, LimitExceeded, Unavailable; idempotent
//! lookup(name)                   -> the process, or NotFound
//! unregister(name, scope)        -> the process that had it, or NotFound, Unavailable
//! release(process)               -> the names it had
//! ```

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::FxHashMap;

#[cfg(test)]
mod tests;

/// How many names there may be, and how long.
///
/// Names live in host memory and are chosen by guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NameLimits {
    /// Bytes of one name.
    pub(crate) length: usize,
    /// Names of one process.
    pub(crate) per_process: usize,
    /// Names on the node.
    pub(crate) total: usize,
}

impl Default for NameLimits {
    fn default() -> Self {
        Self { length: 255, per_process: 64, total: 1_000_000 }
    }
}

/// How far a name is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameScope {
    /// On this node.
    Local,
    /// On every node, eventually.
    Eventual,
    /// On every node, linearizable.
    Consistent,
    /// On every node, each of which has agreed.
    Strong,
}

impl fmt::Display for NameScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "LOCAL",
            Self::Eventual => "EVENTUAL",
            Self::Consistent => "CONSISTENT",
            Self::Strong => "STRONG",
        })
    }
}

/// Why an act on a name failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError<P> {
    /// Another process has the name.
    #[error("the name `{name}` belongs to another process: choose another name, or wait until that process ends")]
    AlreadyExists {
        /// The name.
        name: String,
        /// Who has it.
        holder: P,
    },
    /// Nobody has the name.
    #[error("no process has the name `{0}`: it was never registered, or its process ended")]
    NotFound(String),
    /// The text cannot be a name.
    #[error("`{name}` cannot be the name of a process: {reason}")]
    Invalid {
        /// The text, shortened.
        name: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// There are as many names as there may be.
    #[error("{scope} can have at most {allowed} names: unregister one first")]
    LimitExceeded {
        /// Who has too many: `a process` or `a node`.
        scope: &'static str,
        /// How many are allowed.
        allowed: usize,
    },
    /// The scope needs more than one node.
    #[error("names of scope {0} need a cluster, and this node runs alone: use process.registry.LOCAL, which is the default")]
    Unavailable(NameScope),
}

impl<P> NameError<P> {
    /// Gives the kind of the error as programs see it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::AlreadyExists { .. } => "AlreadyExists",
            Self::NotFound(_) => "NotFound",
            Self::Invalid { .. } => "Invalid",
            Self::LimitExceeded { .. } => "LimitExceeded",
            Self::Unavailable(_) => "Unavailable",
        }
    }
}

/// The names of this node.
#[derive(Debug)]
pub(crate) struct Names<P> {
    /// Keyed by what guests choose, hence the standard hasher: nobody can make all names collide.
    holders: HashMap<Arc<str>, P>,
    /// The names of each process that has one, in the order of registration.
    names: FxHashMap<P, Vec<Arc<str>>>,
    limits: NameLimits,
}

impl<P: Copy + Eq + Hash> Names<P> {
    /// Makes an empty table.
    pub(crate) fn new(limits: NameLimits) -> Self {
        Self { holders: HashMap::new(), names: FxHashMap::default(), limits }
    }

    /// Gives a process a name. A name that it has already stays its own.
    ///
    /// # Errors
    /// `AlreadyExists` when another process has the name, `Invalid` when the text cannot be one, `LimitExceeded`, and
    /// `Unavailable` for a scope wider than this node.
    pub(crate) fn register(&mut self, name: &str, process: P, scope: NameScope) -> Result<(), NameError<P>> {
        self.register_within(name, process, scope, self.limits.per_process)
    }

    /// Gives a process a name as [`Names::register`] does, unless it has so many already.
    ///
    /// # Errors
    /// As [`Names::register`].
    pub(crate) fn register_within(&mut self, name: &str, process: P, scope: NameScope, most: usize) -> Result<(), NameError<P>> {
        check_scope(scope)?;
        self.check(name)?;
        if let Some(&holder) = self.holders.get(name) {
            return if holder == process { Ok(()) } else { Err(NameError::AlreadyExists { name: name.to_owned(), holder }) };
        }
        if self.holders.len() >= self.limits.total {
            return Err(NameError::LimitExceeded { scope: "a node", allowed: self.limits.total });
        }
        let names = self.names.entry(process).or_default();
        if names.len() >= most {
            let allowed = most;
            if names.is_empty() {
                self.names.remove(&process);
            }
            return Err(NameError::LimitExceeded { scope: "a process", allowed });
        }
        let name: Arc<str> = name.into();
        names.push(name.clone());
        self.holders.insert(name, process);
        Ok(())
    }

    /// Finds the process that has a name.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn lookup(&self, name: &str) -> Result<P, NameError<P>> {
        self.holders.get(name).copied().ok_or_else(|| NameError::NotFound(shown(name)))
    }

    /// Takes a name back and returns the process that had it.
    ///
    /// # Errors
    /// `NotFound`, and `Unavailable` for a scope wider than this node.
    pub(crate) fn unregister(&mut self, name: &str, scope: NameScope) -> Result<P, NameError<P>> {
        check_scope(scope)?;
        let Some(process) = self.holders.remove(name) else {
            return Err(NameError::NotFound(shown(name)));
        };
        if let Some(names) = self.names.get_mut(&process) {
            names.retain(|other| &**other != name);
            if names.is_empty() {
                self.names.remove(&process);
            }
        }
        Ok(process)
    }

    /// Takes every name of an ended process back and returns them, in the order in which it took them.
    pub(crate) fn release(&mut self, process: P) -> Vec<Arc<str>> {
        let Some(names) = self.names.remove(&process) else {
            return Vec::new();
        };
        for name in &names {
            self.holders.remove(name);
        }
        names
    }

    /// Gives the names of a process, in the order in which it took them.
    pub(crate) fn of(&self, process: P) -> &[Arc<str>] {
        self.names.get(&process).map_or(&[], Vec::as_slice)
    }

    /// Counts the names.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.holders.len()
    }

    fn check(&self, name: &str) -> Result<(), NameError<P>> {
        let reason = if name.is_empty() {
            "it is empty".to_owned()
        } else if name.len() > self.limits.length {
            format!("it has {} bytes, and at most {} are allowed", name.len(), self.limits.length)
        } else if name.starts_with('{') {
            // Whoever sends to such a text means a pid.
            "it starts with `{` like a pid".to_owned()
        } else if name.starts_with('@') {
            "names that start with `@` belong to the host".to_owned()
        } else if name.chars().any(char::is_control) {
            // They would end up in logs and on terminals.
            "it has control characters".to_owned()
        } else {
            return Ok(());
        };
        Err(NameError::Invalid { name: shown(name), reason })
    }
}

fn check_scope<P>(scope: NameScope) -> Result<(), NameError<P>> {
    match scope {
        NameScope::Local => Ok(()),
        NameScope::Eventual | NameScope::Consistent | NameScope::Strong => Err(NameError::Unavailable(scope)),
    }
}

/// The beginning of a text that a guest chose, fit for a message.
fn shown(name: &str) -> String {
    const SHOWN: usize = 60;
    let mut text: String = name.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if name.chars().nth(SHOWN).is_some() {
        text.push_str("...");
    }
    text
}
