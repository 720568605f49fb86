//! What confines a process beyond its own host: the ceiling that it hands on to whatever it starts.
//!
//! A process host with `allow` confines its processes, and with them all that they start, wherever that runs: neither a spawn on another
//! host nor a call of a function may reach more. So a process has the ceiling of its host and that of whoever started it. A host
//! without `allow` confines nothing, and its limits hold for its own processes only.

use moonlet_registry::{Allow, Limits};

use crate::host::Host;

/// A ceiling. Those of a node are numbered, see `terms_cache.rs`: equal ones have the same number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ceiling {
    /// What may be reached at most.
    pub(crate) allow: Allow,
    /// The limits that hold at most; those of the confining hosts.
    pub(crate) limits: Limits,
}

impl Ceiling {
    /// The ceiling that a host is by itself.
    pub(crate) fn of(host: &Host) -> Self {
        if host.allow.bounds() { Self { allow: host.allow.clone(), limits: host.limits } } else { Self::default() }
    }

    /// Tells whether it confines anything.
    pub(crate) fn confines(&self) -> bool {
        self.allow.bounds()
    }

    /// What both allow.
    pub(crate) fn meet(&self, other: &Self) -> Self {
        Self { allow: self.allow.meet(&other.allow), limits: self.limits.below(&other.limits) }
    }
}

#[cfg(test)]
mod tests {
    use moonlet_registry::Size;

    use super::*;

    #[test]
    fn what_a_confined_process_starts_is_confined_by_both_hosts() {
        let tenant = Ceiling {
            allow: Allow { modules: Some(vec!["json".to_owned()]), ..Allow::default() },
            limits: Limits { memory: Some(Size::mib(8)), ..Limits::default() },
        };
        let wide = Ceiling::default();
        assert!(tenant.confines() && !wide.confines());
        assert_eq!(wide.meet(&tenant), tenant);
        let other = Ceiling {
            allow: Allow { modules: Some(vec!["time".to_owned()]), ..Allow::default() },
            limits: Limits { memory: Some(Size::mib(64)), ..Limits::default() },
        };
        let both = tenant.meet(&other);
        assert!(!both.allow.module("json") && !both.allow.module("time"));
        assert_eq!(both.limits.memory, Some(Size::mib(8)));
    }
}
