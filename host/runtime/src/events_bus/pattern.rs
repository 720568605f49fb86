//! Patterns over dotted names: `*` is any one part, `**` any number of parts, `(a|b)` either text within a part.
//!
//! Inside a part, a `*` also stands for any characters, so `user_*` matches `user_created`. Patterns come from Lua code, so
//! matching keeps all possible positions in one number instead of trying them one after the other: it takes the product of both
//! lengths at worst, and no memory.

/// The most parts of a pattern or of a name: positions fit into 64 bits.
pub(super) const MAX_PARTS: usize = 63;

/// The longest pattern in bytes.
const MAX_BYTES: usize = 512;

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    /// There is nothing.
    #[error("a pattern for events must not be empty: `**` matches everything")]
    Empty,
    /// It is too long.
    #[error("a pattern for events must have at most {MAX_BYTES} bytes and {MAX_PARTS} parts")]
    TooLong,
    /// Parentheses do not match within a part.
    #[error("`{0}` is no pattern for events: each `(` needs a `)` before the next dot, and none inside")]
    Parentheses(String),
    /// A bar stands outside of parentheses.
    #[error("`{0}` is no pattern for events: write alternatives in parentheses, such as `(created|deleted)`")]
    Bar(String),
}

/// A pattern that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Matches everything.
    All,
    /// Matches this text.
    Exact(String),
    /// Matches part by part.
    Parts(Vec<Part>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Any number of parts, also none.
    Rest,
    /// Any one part.
    Any,
    /// This one part.
    Text(String),
    /// One part that is made of these, one after the other.
    Pieces(Vec<Piece>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Any characters.
    Star,
    /// One of these texts.
    Either(Vec<String>),
}

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > MAX_BYTES || text.split('.').count() > MAX_PARTS {
            return Err(PatternError::TooLong);
        }
        if text == "**" {
            return Ok(Self::All);
        }
        if !text.contains(['*', '(', ')', '|']) {
            return Ok(Self::Exact(text.to_owned()));
        }
        text.split('.').map(|part| Part::new(part, text)).collect::<Result<_, _>>().map(Self::Parts)
    }

    /// Tells whether a name of at most `MAX_PARTS` parts matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        let parts = match self {
            Self::All => return true,
            Self::Exact(text) => return text == name,
            Self::Parts(parts) => parts,
        };
        let count = name.split('.').count();
        if count > MAX_PARTS {
            return false;
        }
        // Bit `i`: what was read of the pattern matches the first `i` parts of the name.
        let mut reached = 1_u64;
        for part in parts {
            reached = match part {
                // From the lowest position on, all are possible.
                Part::Rest => !(lowest(reached).wrapping_sub(1)),
                part => {
                    let mut next = 0;
                    for (place, text) in name.split('.').enumerate() {
                        if reached >> place & 1 == 1 && part.matches(text) {
                            next |= 1 << (place + 1);
                        }
                    }
                    next
                }
            };
            if reached == 0 {
                return false;
            }
        }
        reached >> count & 1 == 1
    }
}

fn lowest(bits: u64) -> u64 {
    bits & bits.wrapping_neg()
}

impl Part {
    fn new(text: &str, whole: &str) -> Result<Self, PatternError> {
        match text {
            "**" => return Ok(Self::Rest),
            "*" => return Ok(Self::Any),
            _ if !text.contains(['*', '(', ')', '|']) => return Ok(Self::Text(text.to_owned())),
            _ => {}
        }
        let parentheses = || PatternError::Parentheses(whole.to_owned());
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['*', '(', ')', '|']) {
            let (before, after) = rest.split_at(at);
            if !before.is_empty() {
                pieces.push(Piece::Either(vec![before.to_owned()]));
            }
            let mut after = after.chars();
            match after.next() {
                Some('*') => {
                    pieces.push(Piece::Star);
                    rest = after.as_str();
                }
                Some('(') => {
                    let (inside, behind) = after.as_str().split_once(')').ok_or_else(parentheses)?;
                    if inside.contains(['(', '*']) {
                        return Err(parentheses());
                    }
                    pieces.push(Piece::Either(inside.split('|').map(str::to_owned).collect()));
                    rest = behind;
                }
                Some('|') => return Err(PatternError::Bar(whole.to_owned())),
                _ => return Err(parentheses()),
            }
        }
        if !rest.is_empty() {
            pieces.push(Piece::Either(vec![rest.to_owned()]));
        }
        Ok(Self::Pieces(pieces))
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Rest | Self::Any => true,
            Self::Text(expected) => expected == text,
            Self::Pieces(pieces) => matches_pieces(pieces, text),
        }
    }
}

/// Matches within a part by the set of byte positions that can have been reached.
fn matches_pieces(pieces: &[Piece], text: &str) -> bool {
    let mut reached = vec![0_usize];
    for piece in pieces {
        let mut next: Vec<usize> = match piece {
            Piece::Star => reached.iter().min().map_or_else(Vec::new, |first| (*first..=text.len()).collect()),
            Piece::Either(choices) => {
                let from = |at: usize| text.as_bytes().get(at..).unwrap_or_default();
                let ends = |at: usize| {
                    let rest = from(at);
                    choices.iter().filter(move |choice| rest.starts_with(choice.as_bytes())).map(move |it| at + it.len())
                };
                reached.iter().flat_map(|at| ends(*at)).collect()
            }
        };
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            return false;
        }
        reached = next;
    }
    reached.last() == Some(&text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Pattern, PatternError};

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(name))
    }

    #[test]
    fn stars_and_alternatives_mean_what_the_reference_says() {
        for (pattern, name, expected) in [
            ("registry", "registry", true),
            ("registry", "registry.create", false),
            ("registry.*", "registry.create", true),
            ("registry.*", "registry.entry.create", false),
            ("registry.*", "registry", false),
            ("registry.**", "registry", true),
            ("registry.**", "registry.create", true),
            ("registry.**", "registry.entry.create", true),
            ("registry.**", "registrar", false),
            ("*", "one", true),
            ("*", "one.two", false),
            ("**", "one.two", true),
            ("**.created", "created", true),
            ("**.created", "a.b.created", true),
            ("**.created", "a.b.created.c", false),
            ("a.**.z", "a.z", true),
            ("a.**.z", "a.b.c.z", true),
            ("a.**.z", "a.b.c", false),
            ("**.b.**", "a.b.c", true),
            ("**.b.**", "a.c", false),
            ("response.(accept|reject)", "response.accept", true),
            ("response.(accept|reject)", "response.reject", true),
            ("response.(accept|reject)", "response.rejected", false),
            ("(user|order).*", "order.created", true),
            ("item_(a|b)_x", "item_b_x", true),
            ("item_(a|ab)(c|bc)", "item_abc", true),
            ("(|un)changed", "changed", true),
            ("user_*", "user_created", true),
            ("user_*", "user", false),
            ("*_(a|b)*", "x_y_bz", true),
            ("*.*", "a.b", true),
            ("a..b", "a..b", true),
            ("a.*.b", "a..b", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn texts_that_are_no_patterns_say_why() {
        assert_eq!(Pattern::new(""), Err(PatternError::Empty));
        assert_eq!(Pattern::new(&"a".repeat(513)), Err(PatternError::TooLong));
        assert_eq!(Pattern::new(&"a.".repeat(63)), Err(PatternError::TooLong));
        for text in ["(a", "a)", "(a.b)", "((a)|b)", "(a|b*)"] {
            assert_eq!(Pattern::new(text), Err(PatternError::Parentheses(text.to_owned())));
        }
        assert_eq!(
            Pattern::new("a|b").map_err(|error| error.to_string()),
            Err("`a|b` is no pattern for events: write alternatives in parentheses, such as `(created|deleted)`".to_owned())
        );
    }

    #[test]
    fn patterns_made_to_backtrack_end_soon() {
        assert!(!matches("**.a.".repeat(30).trim_end_matches('.'), &"a.".repeat(60).trim_end_matches('.').replace('a', "b")));
        assert!(!matches(&"*a".repeat(250), &"a".repeat(249)));
    }

    /// The plain definition, which tries everything.
    fn slow(pattern: &[&str], name: &[&str]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((&"**", rest)), _) => slow(rest, name) || name.split_first().is_some_and(|(_, tail)| slow(pattern, tail)),
            (Some((part, rest)), Some((text, tail))) => (*part == "*" || part == text) && slow(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_is_what_trying_everything_gives(
            pattern in proptest::collection::vec(prop_oneof!["a", "b", "\\*", "\\*\\*"], 1..7),
            name in proptest::collection::vec(prop_oneof!["a", "b"], 1..7),
        ) {
            let pattern_parts: Vec<&str> = pattern.iter().map(String::as_str).collect();
            let name_parts: Vec<&str> = name.iter().map(String::as_str).collect();
            prop_assert_eq!(matches(&pattern.join("."), &name.join(".")), slow(&pattern_parts, &name_parts));
        }
    }
}
