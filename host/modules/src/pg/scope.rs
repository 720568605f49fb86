//! The groups of one scope: who is in which, and who wants to hear of it. Sends nothing itself: changes come out as news.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_runtime::{Error, Feed, Value};

use crate::fail::exceeded;

/// The most groups of a scope, whatever its entry says: each is memory of the node.
const MAX_GROUPS: u64 = 100_000;
/// How often one process may have joined groups of a scope, and the most members of one group.
const MAX_MEMBERS: u64 = 100_000;
/// The most watches of one process.
const MAX_WATCHES: usize = 100;

/// What the entry of a scope allows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) groups: Option<u64>,
    pub(super) members: Option<u64>,
}

/// The groups of one scope.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// The members of each group, each as often as it joined.
    groups: BTreeMap<String, Vec<String>>,
    watches: BTreeMap<i64, Watch>,
    next: i64,
    /// What each process has here, so that its end need not look everywhere.
    holdings: BTreeMap<String, Holding>,
}

/// What one process has in a scope.
#[derive(Debug, Default)]
struct Holding {
    /// The groups that it joined, each as often as it did.
    groups: Vec<String>,
    watches: Vec<i64>,
}

/// Somebody who wants to hear of changes.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) pid: String,
    /// Of one group; none: of all.
    pub(super) group: Option<String>,
    pub(super) feed: Arc<Feed>,
}

/// A change, and who hears of it.
#[derive(Debug)]
pub(super) struct News {
    kind: &'static str,
    group: String,
    pids: Vec<String>,
    pub(super) watchers: Vec<Arc<Feed>>,
}

impl News {
    /// Gives it as watchers see it.
    pub(super) fn value(&self) -> Value {
        let pids = self.pids.iter().map(|pid| Value::from(pid.as_str())).collect();
        let data = Value::Map(vec![("Group".into(), self.group.as_str().into()), ("PIDs".into(), Value::Array(pids))]);
        Value::Map(vec![
            ("system".into(), "pg".into()),
            ("kind".into(), self.kind.into()),
            ("path".into(), self.group.as_str().into()),
            ("data".into(), data),
        ])
    }
}

fn limit(name: &str, allowed: u64) -> Error {
    exceeded(format!("limit `{name}` exceeded: {allowed} allowed"), name, allowed)
}

impl Scope {
    /// Lists the members of a group, each as often as it joined.
    pub(super) fn members(&self, group: &str) -> Vec<String> {
        self.groups.get(group).cloned().unwrap_or_default()
    }

    /// Lists the groups that have members.
    pub(super) fn groups(&self) -> Vec<String> {
        self.groups.keys().cloned().collect()
    }

    /// Lets a process join all of these groups, or none when a limit is in the way.
    pub(super) fn join(&mut self, pid: &str, groups: &[String], limits: &Limits) -> Result<Vec<News>, Error> {
        let most_groups = limits.groups.unwrap_or(MAX_GROUPS).min(MAX_GROUPS);
        let most_members = limits.members.unwrap_or(MAX_MEMBERS).min(MAX_MEMBERS);
        let mut new: Vec<&String> = groups.iter().filter(|group| !self.groups.contains_key(*group)).collect();
        new.sort();
        new.dedup();
        if (self.groups.len() + new.len()) as u64 > most_groups {
            return Err(limit("max_groups", most_groups));
        }
        for group in groups {
            let more = groups.iter().filter(|other| *other == group).count();
            if (self.groups.get(group).map_or(0, Vec::len) + more) as u64 > most_members {
                return Err(limit("max_members_per_group", most_members));
            }
        }
        let holding = self.holdings.entry(pid.to_owned()).or_default();
        if (holding.groups.len() + groups.len()) as u64 > MAX_MEMBERS {
            return Err(limit("memberships", MAX_MEMBERS));
        }
        holding.groups.extend(groups.iter().cloned());
        let mut news = Vec::new();
        for group in groups {
            self.groups.entry(group.clone()).or_default().push(pid.to_owned());
            news.push(self.news("member.joined", group, vec![pid.to_owned()]));
        }
        Ok(news)
    }

    /// Lets a process leave these groups once; no news: it was in none of them.
    pub(super) fn leave(&mut self, pid: &str, groups: &[String]) -> Vec<News> {
        let mut news = Vec::new();
        for group in groups {
            let Some(members) = self.groups.get_mut(group) else { continue };
            let Some(place) = members.iter().position(|member| member == pid) else { continue };
            members.remove(place);
            if let Some(holding) = self.holdings.get_mut(pid)
                && let Some(place) = holding.groups.iter().position(|joined| joined == group)
            {
                holding.groups.remove(place);
            }
            if members.is_empty() {
                self.groups.remove(group);
            }
            news.push(self.news("member.left", group, vec![pid.to_owned()]));
        }
        news
    }

    /// Adds a watch and returns its number.
    pub(super) fn watch(&mut self, watch: Watch) -> Result<i64, Error> {
        let holding = self.holdings.entry(watch.pid.clone()).or_default();
        if holding.watches.len() >= MAX_WATCHES {
            return Err(limit("subscriptions", MAX_WATCHES as u64));
        }
        self.next += 1;
        holding.watches.push(self.next);
        self.watches.insert(self.next, watch);
        Ok(self.next)
    }

    /// Takes a watch of a process away.
    pub(super) fn unwatch(&mut self, pid: &str, number: i64) -> Option<Watch> {
        let holding = self.holdings.get_mut(pid)?;
        let place = holding.watches.iter().position(|own| *own == number)?;
        holding.watches.remove(place);
        self.watches.remove(&number)
    }

    /// Takes a process out of everything. Gives its watches back, to be dropped without a lock.
    pub(super) fn forget(&mut self, pid: &str, news: &mut Vec<News>) -> Vec<Watch> {
        let Some(Holding { mut groups, watches }) = self.holdings.remove(pid) else { return Vec::new() };
        let gone = watches.iter().filter_map(|number| self.watches.remove(number)).collect();
        groups.sort();
        groups.dedup();
        for group in groups {
            let Some(members) = self.groups.get_mut(&group) else { continue };
            let before = members.len();
            members.retain(|member| member != pid);
            let left = before - members.len();
            if members.is_empty() {
                self.groups.remove(&group);
            }
            if left > 0 {
                news.push(self.news("member.left", &group, vec![pid.to_owned(); left]));
            }
        }
        gone
    }

    fn news(&self, kind: &'static str, group: &str, pids: Vec<String>) -> News {
        let hears = |watch: &&Watch| watch.group.as_deref().is_none_or(|wanted| wanted == group);
        let watchers = self.watches.values().filter(hears).map(|watch| Arc::clone(&watch.feed)).collect();
        News { kind, group: group.to_owned(), pids, watchers }
    }
}
