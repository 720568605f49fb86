//! Names of entries: namespaces and `namespace:name` ids.
//!
//! Owns what a well-formed id is and how a relative one is resolved. Knows nothing of entries.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest id in bytes, so that a guest cannot make every table and log line carry megabytes.
pub const MAX_ID_BYTES: usize = 512;

/// Why a text is not an id or a namespace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// There is no colon, and nothing says which namespace is meant.
    #[error("`{0}` has no namespace: write it as `namespace:name`")]
    NoNamespace(String),
    /// The part before the colon is empty or not a dotted name.
    #[error("`{0}` is not a namespace: use letters, digits, `_` and `-`, separated by dots, such as `app.workers`")]
    BadNamespace(String),
    /// The part behind the colon is empty or has characters that ids cannot have.
    #[error("`{0}` is not an entry name: it must not be empty, nor hold spaces, control characters or any of `{{`, `}}` and `|`")]
    BadName(String),
    /// The id is longer than [`MAX_ID_BYTES`].
    #[error("an id of {0} bytes is too long: at most {MAX_ID_BYTES} are allowed")]
    TooLong(usize),
}

/// A dotted namespace such as `app.workers`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace(Arc<str>);

impl Namespace {
    /// Checks and takes a namespace.
    ///
    /// # Errors
    /// When the text is empty, too long or not a dotted name.
    pub fn new(text: &str) -> Result<Self, IdError> {
        if text.len() > MAX_ID_BYTES {
            return Err(IdError::TooLong(text.len()));
        }
        let well_formed = text.split('.').all(|part| {
            !part.is_empty() && part.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '-'))
        });
        if well_formed { Ok(Self(text.into())) } else { Err(IdError::BadNamespace(shown(text))) }
    }

    /// Gives the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The identity of an entry: `namespace:name`, split at the first colon.
#[derive(Clone)]
pub struct EntryId {
    text: Arc<str>,
    /// The offset of the first colon in `text`.
    colon: usize,
}

impl EntryId {
    /// Joins a namespace and a name.
    ///
    /// # Errors
    /// When the name is empty, too long or has characters that ids cannot have.
    pub fn new(namespace: &Namespace, name: &str) -> Result<Self, IdError> {
        let length = namespace.0.len() + 1 + name.len();
        if length > MAX_ID_BYTES {
            return Err(IdError::TooLong(length));
        }
        // Braces and the bar delimit pids, which contain ids of process hosts.
        let bad = |character: char| character.is_whitespace() || character.is_control() || matches!(character, '{' | '}' | '|');
        if name.is_empty() || name.chars().any(bad) {
            return Err(IdError::BadName(shown(name)));
        }
        Ok(Self { text: format!("{namespace}:{name}").into(), colon: namespace.0.len() })
    }

    /// Reads `namespace:name`.
    ///
    /// # Errors
    /// When the text has no namespace or a part of it is malformed.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        match text.split_once(':') {
            Some((namespace, name)) => Self::new(&Namespace::new(namespace)?, name),
            None => Err(IdError::NoNamespace(shown(text))),
        }
    }

    /// Reads an id as it stands in entry data: without a namespace it takes the given one.
    ///
    /// # Errors
    /// When a part of the text is malformed.
    pub fn resolve(text: &str, namespace: &Namespace) -> Result<Self, IdError> {
        if text.contains(':') { Self::parse(text) } else { Self::new(namespace, text) }
    }

    /// Gives the whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Gives the part before the first colon.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    /// Gives the part behind the first colon.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.get(self.colon + 1..).unwrap_or_default()
    }

    /// Gives the namespace as a value of its own.
    #[must_use]
    pub fn to_namespace(&self) -> Namespace {
        Namespace(self.namespace().into())
    }
}

/// Cuts what an error message repeats, because the text may be as long as its author likes.
fn shown(text: &str) -> String {
    const MAX_SHOWN: usize = 80;
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

// An id equals, orders and hashes as its text, so that maps by id can be asked with a `&str`.
impl PartialEq for EntryId {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for EntryId {}

impl PartialOrd for EntryId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EntryId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl std::hash::Hash for EntryId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for EntryId {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryId({})", self.text)
    }
}

impl FromStr for EntryId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Namespace({})", self.0)
    }
}

impl FromStr for Namespace {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn an_id_is_split_at_the_first_colon() {
        let id = EntryId::parse("app.http:a:b").unwrap();
        assert_eq!((id.namespace(), id.name(), id.as_str()), ("app.http", "a:b", "app.http:a:b"));
    }

    #[test]
    fn an_id_without_a_namespace_takes_the_entrys_own() {
        let namespace = Namespace::new("app").unwrap();
        assert_eq!(EntryId::resolve("worker", &namespace).unwrap().as_str(), "app:worker");
        assert_eq!(EntryId::resolve("lib:worker", &namespace).unwrap().as_str(), "lib:worker");
    }

    #[test]
    fn malformed_ids_are_refused_with_a_remedy() {
        for (text, error) in [
            ("worker", "`worker` has no namespace: write it as `namespace:name`"),
            (":x", "`` is not a namespace: use letters, digits, `_` and `-`, separated by dots, such as `app.workers`"),
            ("a..b:x", "`a..b` is not a namespace: use letters, digits, `_` and `-`, separated by dots, such as `app.workers`"),
            (
                "app:",
                "`` is not an entry name: it must not be empty, nor hold spaces, control characters or any of `{`, `}` and `|`",
            ),
            (
                "app:a|b",
                "`a|b` is not an entry name: it must not be empty, nor hold spaces, control characters or any of `{`, `}` and `|`",
            ),
        ] {
            assert_eq!(EntryId::parse(text).unwrap_err().to_string(), error);
        }
        let long = format!("app:{}", "x".repeat(MAX_ID_BYTES));
        assert_eq!(EntryId::parse(&long), Err(IdError::TooLong(MAX_ID_BYTES + 4)));
    }
}
