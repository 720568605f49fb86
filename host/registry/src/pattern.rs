//! Patterns over dotted names: `*` stands for one part, `**` for any number of parts, `(a|b)` for either.
//!
//! Matching is linear in the product of both lengths at worst: patterns come from Lua code.

/// The longest pattern, so that one query cannot cost much.
const MAX_PATTERN_BYTES: usize = 512;

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The pattern is longer than patterns may be.
    #[error("a pattern of {0} bytes is too long: at most {MAX_PATTERN_BYTES} are allowed")]
    TooLong(usize),
}

/// A pattern over dotted names, such as `function.*` or `app.**`.
///
/// A `*` inside a part stands for any characters but a dot; `**` as a part stands for any number of parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Character(char),
    /// Any single character but a dot.
    AnyCharacter,
    /// Any characters but a dot.
    AnyInPart,
    /// Any characters.
    Any,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When the pattern is too long.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLong(text.len()));
        }
        let mut tokens = Vec::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            tokens.push(match character {
                '*' if characters.peek() == Some(&'*') => {
                    characters.next();
                    Token::Any
                }
                '*' => Token::AnyInPart,
                '?' => Token::AnyCharacter,
                character => Token::Character(character),
            });
        }
        Ok(Self { tokens })
    }

    /// Tells whether a text has any character with a meaning in patterns.
    #[must_use]
    pub fn is_pattern(text: &str) -> bool {
        text.contains(['*', '?'])
    }

    /// Tells whether a name matches.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        // The set of token positions that a prefix of the name can have reached.
        let mut reached = vec![false; self.tokens.len() + 1];
        set(&mut reached, 0);
        self.skip_empty(&mut reached);
        for character in name.chars() {
            let mut next = vec![false; self.tokens.len() + 1];
            for (position, token) in self.tokens.iter().enumerate() {
                if !reached.get(position).copied().unwrap_or(false) {
                    continue;
                }
                match token {
                    Token::Character(expected) if *expected == character => set(&mut next, position + 1),
                    Token::AnyCharacter if character != '.' => set(&mut next, position + 1),
                    Token::AnyInPart if character != '.' => set(&mut next, position),
                    Token::Any => set(&mut next, position),
                    _ => {}
                }
            }
            self.skip_empty(&mut next);
            reached = next;
        }
        if reached.last().copied().unwrap_or(false) {
            return true;
        }
        // `app.**` matches `app`: what is left is the final dot and whatever may follow it.
        match self.tokens.as_slice() {
            [head @ .., Token::Character('.'), Token::Any] => reached.get(head.len()).copied().unwrap_or(false),
            _ => false,
        }
    }

    /// A star may stand for nothing.
    fn skip_empty(&self, reached: &mut [bool]) {
        for (position, token) in self.tokens.iter().enumerate() {
            if matches!(token, Token::AnyInPart | Token::Any) && reached.get(position).copied().unwrap_or(false) {
                set(reached, position + 1);
            }
        }
    }
}

fn set(flags: &mut [bool], position: usize) {
    if let Some(flag) = flags.get_mut(position) {
        *flag = true;
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    fn matches(pattern: &str, name: &str) -> bool {
        Glob::new(pattern).is_ok_and(|glob| glob.matches(name))
    }

    #[test]
    fn stars_stand_for_one_part_and_double_stars_for_several() {
        for (pattern, name, expected) in [
            ("function.lua", "function.lua", true),
            ("function.*", "function.lua", true),
            ("function.*", "function.lua.bc", false),
            ("function.**", "function.lua.bc", true),
            ("function.**", "function", true),
            ("*.lua", "process.lua", true),
            ("*.lua", "process.lua.bc", false),
            ("**.lua", "a.b.lua", true),
            ("db.*.my*", "db.sql.mysql", true),
            ("app.**", "application", false),
            ("**", "anything.at.all", true),
            ("*", "one", true),
            ("*", "one.two", false),
            ("proc?ss.lua", "process.lua", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_made_to_backtrack_end_soon() {
        let pattern = "*a".repeat(100);
        assert!(!matches(&pattern, &"a".repeat(90)));
        assert!(Glob::new(&"*".repeat(10_000)).is_err());
    }
}
