//! Finds the policies of a scope that may cover an act, without looking at all of them.
//!
//! Policies are filed twice, under their actions and under their resources: by whole text, by prefix, by suffix, or as whatever
//! else. An act is looked up in both, and the side that gives fewer policies is the one that is searched. Of these, most are
//! dismissed by a glance at one fact, such as the role of the actor, which is read once for all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::condition::Condition;
use super::fact::{Field, Request};
use super::glob::Glob;
use super::policy::Policy;

/// The most lists that one text is found in: the general one, the exact one, and one per length of prefixes and suffixes.
const MAX_LISTS: usize = 16;

/// The most facts that are read once for all policies.
const MAX_FACTS: usize = 4;

#[derive(Debug)]
pub(super) struct Index {
    actions: Side,
    resources: Side,
    facts: Vec<Field>,
    /// For each policy, which of `facts` must be equal to which text; none when no such condition is known.
    guards: Vec<Option<(usize, Box<str>)>>,
}

#[derive(Debug, Default)]
struct Side {
    /// Policies with a pattern of another sort.
    general: Vec<u32>,
    exact: Places,
    /// By length of the prefix.
    prefixes: BTreeMap<usize, Places>,
    /// By length of the suffix.
    suffixes: BTreeMap<usize, Places>,
}

/// Places of policies by text. The texts are those of policies; what guests ask for is only looked up.
type Places = FxHashMap<Box<str>, Vec<u32>>;

impl Index {
    pub(super) fn new(policies: &[Arc<Policy>]) -> Self {
        let mut index = Self { actions: Side::default(), resources: Side::default(), facts: Vec::new(), guards: Vec::new() };
        for (place, policy) in (0..).zip(policies) {
            for glob in policy.actions() {
                index.actions.file(glob, place);
            }
            for glob in policy.resources() {
                index.resources.file(glob, place);
            }
            let guard = index.guard(policy);
            index.guards.push(guard);
        }
        index
    }

    fn guard(&mut self, policy: &Policy) -> Option<(usize, Box<str>)> {
        let (field, text) = policy.conditions().iter().find_map(Condition::equality)?;
        let known = self.facts.iter().position(|other| other == field);
        let fact = known.unwrap_or(self.facts.len());
        if fact >= MAX_FACTS {
            return None;
        }
        if known.is_none() {
            self.facts.push(field.clone());
        }
        Some((fact, text.into()))
    }

    /// Gives the first policy that `found` accepts, of those that may cover the act. A policy may be offered twice.
    pub(super) fn find<'a>(
        &self,
        policies: &'a [Arc<Policy>],
        request: &Request<'_>,
        mut found: impl FnMut(&Arc<Policy>) -> bool,
    ) -> Option<&'a Arc<Policy>> {
        let actions = self.actions.lists(request.action);
        let resources = self.resources.lists(request.resource);
        let lists = match (actions, resources) {
            (Some(actions), Some(resources)) if resources.total < actions.total => resources,
            (Some(actions), _) => actions,
            (None, Some(resources)) => resources,
            (None, None) => return policies.iter().find(|policy| found(policy)),
        };
        let mut texts = [None; MAX_FACTS];
        for (text, field) in texts.iter_mut().zip(&self.facts) {
            *text = field.of(request).text();
        }
        let open = |place: usize| match self.guards.get(place) {
            Some(Some((fact, text))) => texts.get(*fact).copied().flatten() == Some(&**text),
            _ => true,
        };
        let places = lists.lists.iter().take(lists.count).flat_map(|list| list.iter()).map(|place| *place as usize);
        places.filter(|place| open(*place)).filter_map(|place| policies.get(place)).find(|policy| found(policy))
    }
}

/// The lists that one text is found in.
struct Lists<'a> {
    lists: [&'a [u32]; MAX_LISTS],
    count: usize,
    /// Places in all lists.
    total: usize,
}

impl Side {
    fn file(&mut self, glob: &Glob, place: u32) {
        let list = match glob {
            Glob::Any | Glob::Pieces(_) => &mut self.general,
            Glob::Exact(text) => self.exact.entry(text.clone()).or_default(),
            Glob::Prefix(text) => self.prefixes.entry(text.len()).or_default().entry(text.clone()).or_default(),
            Glob::Suffix(text) => self.suffixes.entry(text.len()).or_default().entry(text.clone()).or_default(),
        };
        if list.last() != Some(&place) {
            list.push(place);
        }
    }

    /// None: it is in too many lists, so that looking at every policy is as good.
    fn lists(&self, text: &str) -> Option<Lists<'_>> {
        let mut lists = Lists { lists: [&[]; MAX_LISTS], count: 0, total: 0 };
        lists.add(&self.general)?;
        lists.add(self.exact.get(text).map_or(&[], Vec::as_slice))?;
        for (length, prefixes) in &self.prefixes {
            if let Some(list) = text.get(..*length).and_then(|prefix| prefixes.get(prefix)) {
                lists.add(list)?;
            }
        }
        for (length, suffixes) in &self.suffixes {
            let suffix = text.len().checked_sub(*length).and_then(|start| text.get(start..));
            if let Some(list) = suffix.and_then(|suffix| suffixes.get(suffix)) {
                lists.add(list)?;
            }
        }
        Some(lists)
    }
}

impl<'a> Lists<'a> {
    fn add(&mut self, list: &'a [u32]) -> Option<()> {
        if !list.is_empty() {
            *self.lists.get_mut(self.count)? = list;
            self.count += 1;
            self.total += list.len();
        }
        Some(())
    }
}
