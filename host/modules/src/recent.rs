//! What was compiled lately, by its source, so that it need not be compiled again.

use std::collections::BTreeMap;
use std::sync::Arc;

/// How many sources are remembered unless it is said.
const KEPT: usize = 256;

/// Remembers the most recently used values.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    kept: usize,
    clock: u64,
    items: BTreeMap<String, (u64, Arc<T>)>,
}

impl<T> Recent<T> {
    pub(crate) const fn new() -> Self {
        Self::keeping(KEPT)
    }

    /// The same for fewer values, each of which takes much memory.
    pub(crate) const fn keeping(kept: usize) -> Self {
        Self { kept, clock: 0, items: BTreeMap::new() }
    }

    pub(crate) fn get(&mut self, source: &str) -> Option<Arc<T>> {
        self.clock += 1;
        let (used, value) = self.items.get_mut(source)?;
        *used = self.clock;
        Some(Arc::clone(value))
    }

    pub(crate) fn put(&mut self, source: &str, value: &Arc<T>) {
        if self.items.len() >= self.kept {
            // A quarter goes at once, so that this is rare.
            let mut ages: Vec<u64> = self.items.values().map(|(used, _)| *used).collect();
            ages.sort_unstable();
            let bound = ages.get(self.kept / 4).copied().unwrap_or(u64::MAX);
            self.items.retain(|_, (used, _)| *used > bound);
        }
        self.clock += 1;
        self.items.insert(source.to_owned(), (self.clock, Arc::clone(value)));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn old_values_go_first() {
        let mut recent = Recent::new();
        for number in 0..1_000 {
            recent.put(&number.to_string(), &Arc::new(number));
            assert_eq!(*recent.get("0").unwrap(), 0);
            assert!(recent.items.len() <= KEPT);
        }
        assert!(recent.get("999").is_some() && recent.get("1").is_none());
    }
}
