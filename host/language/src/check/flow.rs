//! What is known at a point of a program beyond what was declared.
//!
//! A fact gives the type of a variable or of a path of fields from one. Facts are changed in place and logged, so that leaving
//! a branch costs as much as the branch changed.

use rustc_hash::{FxHashMap, FxHashSet};

use super::scopes::VarId;
use super::types::{Symbol, TypeId};

/// The number of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Path(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Var(VarId),
    Global(Symbol),
    Field(Path, Symbol),
}

/// The facts at a point.
#[derive(Debug, Default)]
pub(super) struct Flow {
    steps: Vec<Step>,
    numbers: FxHashMap<Step, Path>,
    children: FxHashMap<Path, Vec<Path>>,
    facts: FxHashMap<Path, TypeId>,
    /// The paths in which a variable is a key: `t[i]`.
    keyed: FxHashMap<VarId, Vec<Path>>,
    variable_keys: FxHashSet<Path>,
    log: Vec<(Path, Option<TypeId>)>,
    /// Whether this point is never reached.
    pub(super) dead: bool,
}

/// Where a branch started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    log: usize,
    dead: bool,
}

/// What a branch changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) facts: Vec<(Path, Option<TypeId>)>,
    pub(super) dead: bool,
}

impl Flow {
    fn path(&mut self, step: Step) -> Path {
        if let Some(path) = self.numbers.get(&step) {
            return *path;
        }
        let path = Path(u32::try_from(self.steps.len()).unwrap_or(u32::MAX));
        self.steps.push(step);
        self.numbers.insert(step, path);
        if let Step::Field(parent, _) = step {
            self.children.entry(parent).or_default().push(path);
        }
        path
    }

    pub(super) fn var(&mut self, var: VarId) -> Path {
        self.path(Step::Var(var))
    }

    pub(super) fn global(&mut self, name: Symbol) -> Path {
        self.path(Step::Global(name))
    }

    pub(super) fn field(&mut self, parent: Path, name: Symbol) -> Path {
        self.path(Step::Field(parent, name))
    }

    /// Gives the path of `parent[key]`; `name` stands for the key and for no other.
    pub(super) fn keyed(&mut self, parent: Path, key: VarId, name: Symbol) -> Path {
        let known = self.steps.len();
        let path = self.path(Step::Field(parent, name));
        if self.steps.len() > known {
            self.keyed.entry(key).or_default().push(path);
            self.variable_keys.insert(path);
        }
        path
    }

    /// Forgets what is known where a variable is a key, because it becomes another.
    pub(super) fn forget_keyed(&mut self, key: VarId) {
        let Some(paths) = self.keyed.get(&key).cloned() else { return };
        for path in paths {
            self.set(path, None);
            self.forget_fields(path);
        }
    }

    /// Forgets what is known of `t[i]` when another key of `t`, which may be the same, is written.
    pub(super) fn forget_siblings(&mut self, written: Path) {
        let Some((parent, _)) = self.parent(written) else { return };
        let Some(siblings) = self.children.get(&parent).cloned() else { return };
        for path in siblings {
            if path != written && self.variable_keys.contains(&path) {
                self.set(path, None);
                self.forget_fields(path);
            }
        }
    }

    /// Gives the variable that a path is, if it has no fields.
    pub(super) fn as_var(&self, path: Path) -> Option<VarId> {
        match self.steps.get(path.0 as usize) {
            Some(Step::Var(var)) => Some(*var),
            _ => None,
        }
    }

    /// Gives the path without its last field.
    pub(super) fn parent(&self, path: Path) -> Option<(Path, Symbol)> {
        match self.steps.get(path.0 as usize) {
            Some(Step::Field(parent, name)) => Some((*parent, *name)),
            _ => None,
        }
    }

    pub(super) fn fact(&self, path: Path) -> Option<TypeId> {
        self.facts.get(&path).copied()
    }

    pub(super) fn set(&mut self, path: Path, value: Option<TypeId>) {
        let old = match value {
            Some(value) => self.facts.insert(path, value),
            None => self.facts.remove(&path),
        };
        if old != value {
            self.log.push((path, old));
        }
    }

    /// Forgets what is known of the fields under a path.
    pub(super) fn forget_fields(&mut self, path: Path) {
        let Some(children) = self.children.get(&path).cloned() else { return };
        for child in children {
            if self.facts.contains_key(&child) {
                self.set(child, None);
            }
            self.forget_fields(child);
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { log: self.log.len(), dead: self.dead }
    }

    /// Goes back to where a branch started, and gives what it changed.
    pub(super) fn rewind(&mut self, mark: Mark) -> Changes {
        let mut changes = Changes { facts: Vec::new(), dead: self.dead };
        let mut paths: Vec<Path> = self.log.iter().skip(mark.log).map(|(path, _)| *path).collect();
        paths.sort_unstable();
        paths.dedup();
        for path in paths {
            changes.facts.push((path, self.fact(path)));
        }
        while self.log.len() > mark.log {
            if let Some((path, old)) = self.log.pop() {
                match old {
                    Some(old) => self.facts.insert(path, old),
                    None => self.facts.remove(&path),
                };
            }
        }
        self.dead = mark.dead;
        changes
    }

    /// Does again what a branch changed.
    pub(super) fn replay(&mut self, changes: &Changes) {
        for (path, value) in &changes.facts {
            self.set(*path, *value);
        }
        self.dead |= changes.dead;
    }
}
