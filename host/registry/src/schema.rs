//! What fields a kind has, as data, and the check of an entry against it.
//!
//! A kind is described by tables (see `kinds`), so that every kind is checked alike: unknown names, wrong types and missing
//! fields get the same words everywhere. What needs more than one field or entry is not for here but for `check`.

mod value;
mod walk;

pub(crate) use value::has_placeholder;
pub(crate) use walk::{Reference, check_entry};

/// A map with known fields.
#[derive(Debug)]
pub(crate) struct Object {
    /// The fields.
    pub(crate) fields: &'static [Field],
    /// What an unknown field means.
    pub(crate) unknown: Unknown,
}

/// What an unknown field of a map means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// Nothing: the map holds free data too.
    Allowed,
    /// A likely mistake, yet applications written for the reference must run.
    Warned,
    /// Like `Warned`; known fields may be written in capitals, as the reference reads them.
    AnyCase,
    /// A mistake: a misspelt limit or grant would silently not hold.
    Refused,
}

/// A field of a map.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) ty: Type,
    /// What to write when it is missing; only a required field has that.
    pub(crate) required: Option<&'static str>,
}

impl Field {
    /// Describes a field that may be absent.
    pub(crate) const fn new(name: &'static str, ty: Type) -> Self {
        Self { name, ty, required: None }
    }

    /// Describes a field that must be there; `help` says what to write.
    pub(crate) const fn required(name: &'static str, ty: Type, help: &'static str) -> Self {
        Self { name, ty, required: Some(help) }
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Type {
    /// Anything.
    Any,
    /// A text.
    Text,
    /// A text, a number or a boolean, taken as text.
    Scalar,
    /// True or false.
    Bool,
    /// A whole number within bounds.
    Int(i64, i64),
    /// A number within bounds.
    Float(f64, f64),
    /// A number of bytes, more than zero.
    Size,
    /// A span of time such as `10s`; may be zero.
    Duration,
    /// A span of time, more than zero.
    Period,
    /// A span of time, or a number of milliseconds.
    Millis,
    /// A whole number above zero.
    Count,
    /// One of some words.
    Choice(&'static [&'static str]),
    /// The id of an entry.
    Ref(&'static Target),
    /// A list.
    List(&'static Type),
    /// A list, or a single element of it.
    OneOrMany(&'static Type),
    /// A map with free names.
    Map(&'static Type),
    /// A map with known names.
    Object(&'static Object),
}

/// What the id of an entry must lead to.
#[derive(Debug)]
pub(crate) struct Target {
    /// What it must be, in words: "a process host".
    pub(crate) what: &'static str,
    /// The kinds that fit; a trailing `*` stands for any rest. Empty: every kind.
    pub(crate) kinds: &'static [&'static str],
}

impl Target {
    /// Tells whether a module may be named instead, as `:name`: where Lua code imports other code.
    pub(crate) fn takes_modules(&self) -> bool {
        self.fits("library.lua") && !self.kinds.is_empty()
    }

    /// Tells whether an entry of this kind fits.
    pub(crate) fn fits(&self, kind: &str) -> bool {
        let matches = |pattern: &&str| match pattern.strip_suffix('*') {
            Some(prefix) => kind.starts_with(prefix),
            None => kind == *pattern,
        };
        self.kinds.is_empty() || self.kinds.iter().any(matches)
    }
}
