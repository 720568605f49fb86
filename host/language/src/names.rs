//! What names mean at a place: blocks open and close, and the nearest meaning of a name comes first.

use rustc_hash::FxHashMap;

/// The meanings of names in the blocks that are open.
#[derive(Debug)]
pub(crate) struct Names<'a, Meaning> {
    /// What each name means, the nearest meaning last.
    meanings: FxHashMap<&'a str, Vec<Meaning>>,
    /// The names that were declared, in order.
    open: Vec<&'a str>,
}

/// Where a block opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opened(usize);

impl<'a, Meaning: Copy> Names<'a, Meaning> {
    pub(crate) fn new() -> Self {
        Self { meanings: FxHashMap::default(), open: Vec::new() }
    }

    /// Opens a block.
    pub(crate) fn open(&self) -> Opened {
        Opened(self.open.len())
    }

    /// Forgets what was declared since a block opened.
    pub(crate) fn close(&mut self, opened: Opened) {
        while self.open.len() > opened.0 {
            if let Some(meanings) = self.open.pop().and_then(|name| self.meanings.get_mut(name)) {
                meanings.pop();
            }
        }
    }

    /// Gives a name a meaning until the innermost open block closes.
    pub(crate) fn declare(&mut self, name: &'a str, meaning: Meaning) {
        self.meanings.entry(name).or_default().push(meaning);
        self.open.push(name);
    }

    /// The nearest meaning.
    pub(crate) fn get(&self, name: &str) -> Option<Meaning> {
        self.all(name).next()
    }

    /// All meanings, the nearest first.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = Meaning> {
        self.meanings.get(name).into_iter().flat_map(|meanings| meanings.iter().rev().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn a_block_hides_and_gives_back() {
        let mut names = Names::new();
        names.declare("x", 1);
        let outer = names.open();
        names.declare("x", 2);
        names.declare("y", 3);
        let inner = names.open();
        names.declare("x", 4);
        assert_eq!(names.all("x").collect::<Vec<_>>(), [4, 2, 1]);
        names.close(inner);
        assert_eq!((names.get("x"), names.get("y")), (Some(2), Some(3)));
        names.close(outer);
        assert_eq!((names.get("x"), names.get("y")), (Some(1), None));
    }
}
