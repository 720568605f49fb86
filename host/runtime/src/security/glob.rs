//! Wildcards of actions and resources: `*` stands for any characters, dots and colons included.

/// A pattern for an action or a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Glob {
    /// `*`
    Any,
    /// A text without stars.
    Exact(Box<str>),
    /// A text with one star, at its end.
    Prefix(Box<str>),
    /// A text with one star, at its beginning.
    Suffix(Box<str>),
    /// Whatever else: the texts between the stars.
    Pieces(Box<[Box<str>]>),
}

impl Glob {
    pub(super) fn new(text: &str) -> Self {
        // Several stars in a row say what one says.
        let mut pieces: Vec<&str> = text.split('*').collect();
        let last = pieces.len().saturating_sub(1);
        let mut place = 0;
        pieces.retain(|piece| {
            let inner = place > 0 && place < last;
            place += 1;
            !inner || !piece.is_empty()
        });
        match pieces.as_slice() {
            [text] => Self::Exact((*text).into()),
            ["", ""] => Self::Any,
            [text, ""] => Self::Prefix((*text).into()),
            ["", text] => Self::Suffix((*text).into()),
            pieces => Self::Pieces(pieces.iter().map(|piece| (*piece).into()).collect()),
        }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(expected) => **expected == *text,
            Self::Prefix(prefix) => text.starts_with(&**prefix),
            Self::Suffix(suffix) => text.ends_with(&**suffix),
            Self::Pieces(pieces) => matches_pieces(pieces, text),
        }
    }
}

/// The first piece stands at the beginning, the last at the end, and each of the others as early as it can.
fn matches_pieces(pieces: &[Box<str>], text: &str) -> bool {
    let [first, inner @ .., last] = pieces else {
        return false;
    };
    // An empty boxed text points to no page, and comparing with it traps in the vector code of some processors: 0.1 us for nothing.
    if !first.is_empty() && !text.starts_with(&**first) {
        return false;
    }
    let Some(mut rest) = text.get(first.len()..) else {
        return false;
    };
    for piece in inner {
        let Some((_, behind)) = rest.split_once(&**piece) else {
            return false;
        };
        rest = behind;
    }
    last.is_empty() || rest.ends_with(&**last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Glob;

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("**", "app:x", true),
            ("process.spawn", "process.spawn", true),
            ("process.spawn", "process.spawned", false),
            ("process.*", "process.spawn.linked", true),
            ("process.*", "process", false),
            ("*.read", "fs.read", true),
            ("*.read", "fs.reads", false),
            ("app.*:w*r", "app.one:worker", true),
            ("app.*:w*r", "app.one:workers", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-c-b", false),
            ("document:**", "document:1", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => slow(rest, text) || text.split_first().is_some_and(|(_, tail)| slow(pattern, tail)),
            (Some((expected, rest)), Some((found, tail))) => expected == found && slow(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_is_what_trying_everything_gives(pattern in "[ab*]{0,8}", text in "[ab]{0,8}") {
            prop_assert_eq!(Glob::new(&pattern).matches(&text), slow(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
