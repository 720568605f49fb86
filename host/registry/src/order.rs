//! Orders things so that each comes after what it depends on.
//!
//! Pure: it knows ids and edges, and neither entries nor services.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::EntryId;

/// Things in levels: each depends only on things of earlier levels, so that one level can start at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StartOrder {
    /// The levels; within one, ordered by id.
    pub levels: Vec<Vec<EntryId>>,
    /// The circles; what is in one, or depends on one, is in no level.
    pub cycles: Vec<Vec<EntryId>>,
}

impl StartOrder {
    /// Lists everything that can start, dependencies first.
    pub fn starting(&self) -> impl DoubleEndedIterator<Item = &EntryId> {
        self.levels.iter().flatten()
    }

    /// Lists everything in the order in which it must stop, dependents first.
    pub fn stopping(&self) -> impl Iterator<Item = &EntryId> {
        self.starting().rev()
    }
}

/// Orders ids by what each depends on; a dependency that is not among the ids is ignored.
#[must_use]
pub fn start_order(dependencies: &BTreeMap<EntryId, Vec<EntryId>>) -> StartOrder {
    let mut waiting: BTreeMap<&EntryId, BTreeSet<&EntryId>> = BTreeMap::new();
    let mut dependents: BTreeMap<&EntryId, Vec<&EntryId>> = BTreeMap::new();
    for (id, needed) in dependencies {
        let needed: BTreeSet<&EntryId> = needed.iter().filter_map(|other| Some(dependencies.get_key_value(other)?.0)).collect();
        for other in &needed {
            dependents.entry(other).or_default().push(id);
        }
        waiting.insert(id, needed);
    }
    let mut levels = Vec::new();
    let mut ready: Vec<&EntryId> = waiting.iter().filter(|(_, needed)| needed.is_empty()).map(|(id, _)| *id).collect();
    while !ready.is_empty() {
        let mut next = BTreeSet::new();
        for id in &ready {
            waiting.remove(id);
        }
        for id in &ready {
            for dependent in dependents.get(id).into_iter().flatten() {
                if let Some(needed) = waiting.get_mut(dependent) {
                    needed.remove(id);
                    if needed.is_empty() {
                        next.insert(*dependent);
                    }
                }
            }
        }
        levels.push(ready.into_iter().cloned().collect());
        ready = next.into_iter().collect();
    }
    let stuck: Vec<EntryId> = waiting.into_keys().cloned().collect();
    let cycles =
        if stuck.is_empty() { Vec::new() } else { find_cycles(stuck, |id| dependencies.get(id).cloned().unwrap_or_default()) };
    StartOrder { levels, cycles }
}

/// Finds circles among ids: one for each set of ids that reach one another.
///
/// Each circle starts at its least id and follows the edges. Does not recurse, because the chain may be as long as its
/// author likes.
pub(crate) fn find_cycles(ids: impl IntoIterator<Item = EntryId>, edges: impl Fn(&EntryId) -> Vec<EntryId>) -> Vec<Vec<EntryId>> {
    let mut graph: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
    for id in ids {
        let next = edges(&id);
        graph.insert(id, next);
    }
    // Peel off what no circle can hold: ids that lead nowhere, then those that led only to them, and so on.
    peel(&mut graph);
    let mut cycles = Vec::new();
    let mut done: BTreeSet<EntryId> = BTreeSet::new();
    for start in graph.keys() {
        if done.contains(start) {
            continue;
        }
        if let Some(cycle) = shortest_cycle(start, &graph, &done) {
            done.extend(cycle.iter().cloned());
            cycles.push(cycle);
        }
    }
    cycles
}

fn peel(graph: &mut BTreeMap<EntryId, Vec<EntryId>>) {
    let mut open: BTreeMap<EntryId, usize> = BTreeMap::new();
    let mut leading: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
    for (id, next) in graph.iter() {
        let inside: BTreeSet<&EntryId> = next.iter().filter(|other| graph.contains_key(*other)).collect();
        open.insert(id.clone(), inside.len());
        for other in inside {
            leading.entry(other.clone()).or_default().push(id.clone());
        }
    }
    let mut ready: Vec<EntryId> = open.iter().filter(|(_, count)| **count == 0).map(|(id, _)| id.clone()).collect();
    while let Some(id) = ready.pop() {
        graph.remove(&id);
        for from in leading.remove(&id).unwrap_or_default() {
            if let Some(count) = open.get_mut(&from) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ready.push(from);
                }
            }
        }
    }
}

/// Searches breadth first for the way from an id back to itself.
fn shortest_cycle(start: &EntryId, graph: &BTreeMap<EntryId, Vec<EntryId>>, done: &BTreeSet<EntryId>) -> Option<Vec<EntryId>> {
    let mut came_from: BTreeMap<&EntryId, &EntryId> = BTreeMap::new();
    let mut frontier = vec![graph.get_key_value(start)?.0];
    while !frontier.is_empty() {
        let mut next = Vec::new();
        for id in frontier {
            for other in graph.get(id).into_iter().flatten() {
                if other == start {
                    let mut cycle = vec![id.clone()];
                    let mut at = id;
                    while let Some(previous) = came_from.get(at) {
                        cycle.push((*previous).clone());
                        at = previous;
                    }
                    cycle.reverse();
                    return Some(cycle);
                }
                let Some((other, _)) = graph.get_key_value(other) else { continue };
                if !done.contains(other) && !came_from.contains_key(other) {
                    came_from.insert(other, id);
                    next.push(other);
                }
            }
        }
        frontier = next;
    }
    None
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> BTreeMap<EntryId, Vec<EntryId>> {
        let id = |name: &str| EntryId::parse(&format!("app:{name}")).unwrap();
        edges.iter().map(|(name, needed)| (id(name), needed.iter().map(|name| id(name)).collect())).collect()
    }

    fn names(ids: &[EntryId]) -> Vec<&str> {
        ids.iter().map(EntryId::name).collect()
    }

    #[test]
    fn dependencies_start_first_and_stop_last() {
        let order = start_order(&graph(&[
            ("http", &["router", "cache"]),
            ("router", &["db"]),
            ("cache", &["db", "elsewhere"]),
            ("db", &[]),
            ("alone", &[]),
        ]));
        let levels: Vec<Vec<&str>> = order.levels.iter().map(|level| names(level)).collect();
        assert_eq!(levels, [vec!["alone", "db"], vec!["cache", "router"], vec!["http"]]);
        assert_eq!(order.stopping().next().map(EntryId::name), Some("http"));
        assert!(order.cycles.is_empty());
    }

    #[test]
    fn circles_are_named_and_the_rest_starts() {
        let order = start_order(&graph(&[
            ("a", &["b"]),
            ("b", &["c"]),
            ("c", &["a"]),
            ("self", &["self"]),
            ("behind", &["a"]),
            ("free", &[]),
        ]));
        assert_eq!(order.levels.iter().map(|level| names(level)).collect::<Vec<_>>(), [vec!["free"]]);
        assert_eq!(order.cycles.iter().map(|cycle| names(cycle)).collect::<Vec<_>>(), [vec!["a", "b", "c"], vec!["self"]]);
    }

    #[test]
    fn a_long_chain_does_not_overflow_the_stack() {
        let ids: Vec<EntryId> = (0..20_000).map(|n| EntryId::parse(&format!("app:n{n:05}")).unwrap()).collect();
        let mut edges: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
        for pair in ids.windows(2) {
            edges.insert(pair[1].clone(), vec![pair[0].clone()]);
        }
        edges.insert(ids[0].clone(), Vec::new());
        assert_eq!(start_order(&edges).levels.len(), 20_000);
    }
}
