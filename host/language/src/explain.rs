//! What each code means, for `--explain`.

/// Explains a code, with an example.
#[must_use]
pub fn explain(code: &str) -> Option<&'static str> {
    CODES.iter().find(|(known, _)| *known == code).map(|(_, text)| *text)
}

/// Gives all codes.
pub fn codes() -> impl Iterator<Item = &'static str> {
    CODES.iter().map(|(code, _)| *code)
}

const CODES: &[(&str, &str)] = &[("syntax-error", "The text does not follow the grammar.")];
