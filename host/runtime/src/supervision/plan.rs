//! Whether services can be started at all: known dependencies, no cycles, trees of sane depth.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::config::{Parts, ServiceConfig, UnitConfig};

/// How deep supervisors may be nested: building and ending a tree follows it down.
const MAX_DEPTH: usize = 32;

/// Why services cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError<K: fmt::Display> {
    /// There is a service of this key.
    #[error("the service {0} exists already")]
    Repeated(K),
    /// Something is needed that does not exist.
    #[error("the service {service} depends on {dependency}, which is no service: correct `depends_on`, or add the service")]
    UnknownDependency {
        /// Who needs it.
        service: K,
        /// What is missing.
        dependency: K,
    },
    /// Services wait for each other. The first is named again at the end.
    #[error("services depend on each other in a circle, so none of them can be first: {}; remove one of these from `depends_on`", circle(.0))]
    Cycle(Vec<K>),
    /// Supervisors are nested too deeply.
    #[error("the supervision tree of {service} is more than {MAX_DEPTH} supervisors deep: flatten it")]
    TooDeep {
        /// The service with the tree.
        service: K,
    },
}

fn circle<K: fmt::Display>(keys: &[K]) -> String {
    let texts: Vec<String> = keys.iter().map(ToString::to_string).collect();
    texts.join(" -> ")
}

/// Checks additions to the known services, each given with what it depends on.
pub(super) fn check<K: Clone + Ord + fmt::Display>(
    known: &BTreeMap<&K, &[K]>,
    additions: &[(K, ServiceConfig<K>)],
) -> Result<(), Vec<PlanError<K>>> {
    let mut errors = Vec::new();
    let mut graph = known.clone();
    for (key, config) in additions {
        if graph.insert(key, &config.depends_on).is_some() {
            errors.push(PlanError::Repeated(key.clone()));
        }
        if too_deep(&config.unit) {
            errors.push(PlanError::TooDeep { service: key.clone() });
        }
    }
    for (key, config) in additions {
        for dependency in &config.depends_on {
            if !graph.contains_key(dependency) {
                errors.push(PlanError::UnknownDependency { service: key.clone(), dependency: dependency.clone() });
            }
        }
    }
    errors.extend(cycles(&graph).into_iter().map(PlanError::Cycle));
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Finds cycles by walking along dependencies, without recursion: the graph may be one long chain.
/// Reports at least one cycle of each tangle.
fn cycles<K: Clone + Ord>(graph: &BTreeMap<&K, &[K]>) -> Vec<Vec<K>> {
    let mut cycles = Vec::new();
    let mut done: BTreeSet<&K> = BTreeSet::new();
    for &start in graph.keys() {
        if done.contains(start) {
            continue;
        }
        // The way from `start`, and for each step which dependency comes next.
        let mut path: Vec<(&K, usize)> = vec![(start, 0)];
        let mut on_path: BTreeSet<&K> = BTreeSet::from([start]);
        while let Some((key, next)) = path.last_mut() {
            let here = *key;
            let dependency = graph.get(here).and_then(|all| all.get(*next));
            *next += 1;
            match dependency {
                None => {
                    path.pop();
                    on_path.remove(here);
                    done.insert(here);
                }
                Some(dependency) if on_path.contains(dependency) => {
                    let cycle = path.iter().map(|(key, _)| *key);
                    let mut cycle: Vec<K> = cycle.skip_while(|key| *key != dependency).cloned().collect();
                    cycle.push(dependency.clone());
                    cycles.push(cycle);
                }
                Some(dependency) if done.contains(dependency) || !graph.contains_key(dependency) => {}
                Some(dependency) => {
                    path.push((dependency, 0));
                    on_path.insert(dependency);
                }
            }
        }
    }
    cycles
}

fn too_deep<K>(unit: &UnitConfig<K>) -> bool {
    let mut level = vec![unit];
    for _ in 0..=MAX_DEPTH {
        let mut next = Vec::new();
        for unit in level {
            if let Parts::Supervisor(supervisor) = &unit.parts {
                next.extend(supervisor.children.iter().map(|child| &child.unit));
            }
        }
        if next.is_empty() {
            return false;
        }
        level = next;
    }
    true
}
