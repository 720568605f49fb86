//! Which program runs on which host on which terms: looked up once per version of the registry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moonlet_registry::{Allow, EntryId, HostForm, Limits, ProcessHost, Quota, Registry};
use moonlet_sandbox::wit::Error;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;

use crate::ceiling::Ceiling;
use crate::errors;
use crate::host::{FUNCTIONS, Host};
use crate::program::Program;
use crate::scheduler::{DEFAULT_WEIGHT, Lane};
use crate::terms::Terms;

/// Programs, hosts and their terms.
pub(crate) struct TermsCache {
    known: RwLock<Known>,
    /// Counts changes of the registry, so that nothing old is entered after one.
    generation: AtomicU64,
    lanes: AtomicU64,
}

#[derive(Default)]
struct Known {
    /// Forgotten with every change; running processes keep theirs.
    terms: FxHashMap<Box<str>, FxHashMap<Box<str>, Arc<Terms>>>,
    /// The same below the ceiling with this number of whoever starts them.
    confined: FxHashMap<(Box<str>, Box<str>, usize), Arc<Terms>>,
    programs: FxHashMap<Box<str>, Arc<Program>>,
    /// Kept as long as the node lives: their processes count together.
    hosts: FxHashMap<Box<str>, Arc<Host>>,
    /// All different ceilings, by number; as few as there are hosts, or sets of them.
    ceilings: Vec<Arc<Ceiling>>,
}

impl Known {
    /// Finds a ceiling among those that are known, so that equal ones are the same.
    fn ceiling(&mut self, ceiling: Ceiling) -> (Arc<Ceiling>, usize) {
        if let Some(number) = self.ceilings.iter().position(|known| **known == ceiling)
            && let Some(known) = self.ceilings.get(number)
        {
            return (Arc::clone(known), number);
        }
        let ceiling = Arc::new(ceiling);
        self.ceilings.push(Arc::clone(&ceiling));
        (ceiling, self.ceilings.len() - 1)
    }
}

impl TermsCache {
    pub(crate) fn new() -> Self {
        Self { known: RwLock::new(Known::default()), generation: AtomicU64::new(0), lanes: AtomicU64::new(0) }
    }

    /// Forgets what a change of the registry may have changed.
    pub(crate) fn clear(&self) {
        let mut known = self.known.write();
        self.generation.fetch_add(1, Ordering::SeqCst);
        known.terms.clear();
        known.confined.clear();
        known.programs.clear();
    }

    /// Returns the terms of an entry on a host for whoever starts it, who hands on what confines it.
    ///
    /// # Errors
    ///
    /// As [`TermsCache::terms`].
    pub(crate) fn terms_for(&self, registry: &Registry, entry: &str, host: &str, starter: &Terms) -> Result<Arc<Terms>, Error> {
        let terms = self.terms(registry, entry, host)?;
        if !starter.ceiling.confines() || starter.ceiling_number == terms.ceiling_number {
            return Ok(terms);
        }
        let key = (entry.into(), host.into(), starter.ceiling_number);
        if let Some(terms) = self.known.read().confined.get(&key) {
            return Ok(Arc::clone(terms));
        }
        let generation = self.generation.load(Ordering::SeqCst);
        let mut known = self.known.write();
        let (ceiling, number) = known.ceiling(terms.ceiling.meet(&starter.ceiling));
        let confined = Arc::new(Terms::new(Arc::clone(&terms.program), Arc::clone(&terms.host), ceiling, number));
        if self.generation.load(Ordering::SeqCst) == generation {
            known.confined.insert(key, Arc::clone(&confined));
        }
        Ok(confined)
    }

    /// Returns the terms of an entry on a host.
    ///
    /// # Errors
    ///
    /// `NotFound` without the entry or the host, `Invalid` when they are of the wrong kind.
    pub(crate) fn terms(&self, registry: &Registry, entry: &str, host: &str) -> Result<Arc<Terms>, Error> {
        if let Some(terms) = self.known.read().terms.get(entry).and_then(|hosts| hosts.get(host)) {
            return Ok(Arc::clone(terms));
        }
        let generation = self.generation.load(Ordering::SeqCst);
        let program = self.program(registry, entry)?;
        let host_ref = self.host(registry, host)?;
        // Before anything of it is parsed.
        let allowed = Limits::merged(&host_ref.limits, &program.limits).get("source_size").unwrap_or(u64::MAX);
        if program.source_size > allowed {
            return Err(errors::limit("source_size", allowed, program.source_size));
        }
        let mut known = self.known.write();
        let (ceiling, number) = known.ceiling(Ceiling::of(&host_ref));
        let terms = Arc::new(Terms::new(program, host_ref, ceiling, number));
        if self.generation.load(Ordering::SeqCst) == generation {
            known.terms.entry(entry.into()).or_default().insert(host.into(), Arc::clone(&terms));
        }
        Ok(terms)
    }

    /// Returns what an entry runs.
    ///
    /// # Errors
    ///
    /// See [`Program::find`].
    pub(crate) fn program(&self, registry: &Registry, entry: &str) -> Result<Arc<Program>, Error> {
        if let Some(program) = self.known.read().programs.get(entry) {
            return Ok(Arc::clone(program));
        }
        let generation = self.generation.load(Ordering::SeqCst);
        let program = Arc::new(Program::find(&registry.snapshot(), entry)?);
        let mut known = self.known.write();
        if self.generation.load(Ordering::SeqCst) == generation {
            known.programs.insert(entry.into(), Arc::clone(&program));
        }
        Ok(program)
    }

    /// Returns a process host.
    ///
    /// # Errors
    ///
    /// `NotFound` without it, `Invalid` when the entry is none.
    pub(crate) fn host(&self, registry: &Registry, id: &str) -> Result<Arc<Host>, Error> {
        let snapshot = registry.snapshot();
        let defined = match snapshot.find_id(id) {
            Some(entry) => Some(ProcessHost::new(entry).map_err(|error| errors::invalid(error.to_string()))?),
            None if id == FUNCTIONS => None,
            None => {
                EntryId::parse(id).map_err(|error| errors::invalid(error.to_string()))?;
                let hint = "write an entry of kind `process.host` with this id";
                return Err(errors::not_found(format!("there is no process host `{}`; {hint}", errors::shown(id))));
            }
        };
        if let Some(host) = self.known.read().hosts.get(id) {
            return Ok(Arc::clone(host));
        }
        let mut known = self.known.write();
        let host = known.hosts.entry(id.into()).or_insert_with(|| {
            let index = usize::try_from(self.lanes.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
            Arc::new(match defined {
                Some(view) => {
                    let lane = Lane::new(index, view.quota.cpu_weight.unwrap_or(DEFAULT_WEIGHT)).capped(view.quota.cpu_cores);
                    Host::new(id.into(), lane, view.limits, view.quota, view.allow, view.form == HostForm::Terminal)
                }
                None => {
                    let lane = Lane::new(index, DEFAULT_WEIGHT);
                    Host::new(id.into(), lane, Limits::default(), Quota::default(), Allow::default(), false)
                }
            })
        });
        Ok(Arc::clone(host))
    }

    /// Returns the terms of code of the host that acts in the name of an entry, which counts as a host of its own.
    pub(crate) fn outside(&self, id: &str) -> Arc<Terms> {
        let mut known = self.known.write();
        let host = known.hosts.entry(id.into()).or_insert_with(|| {
            let index = usize::try_from(self.lanes.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
            let lane = Lane::new(index, DEFAULT_WEIGHT);
            Arc::new(Host::new(id.into(), lane, Limits::default(), Quota::default(), Allow::default(), false))
        });
        let host = Arc::clone(host);
        let (ceiling, number) = known.ceiling(Ceiling::default());
        Arc::new(Terms::new(Arc::new(Program::outside(id)), host, ceiling, number))
    }

    /// Lists the hosts that were used so far, by id.
    pub(crate) fn hosts(&self) -> Vec<Arc<Host>> {
        let mut hosts: Vec<_> = self.known.read().hosts.values().map(Arc::clone).collect();
        hosts.sort_by(|one, other| one.id.cmp(&other.id));
        hosts
    }
}
