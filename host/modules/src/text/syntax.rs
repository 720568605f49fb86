//! From the syntax of RE2 to that of the library: the few places where the same text means something else.
//!
//! `\d`, `\w`, `\s` and `\b` are about ASCII in RE2, `[` is nothing special within a class, and `\Q...\E` quotes.

/// Translates a pattern.
pub(super) fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(character) = rest.next() {
        match (character, in_class) {
            ('\\', _) => {
                let Some(escaped) = rest.next() else {
                    out.push('\\');
                    break;
                };
                push_escape(&mut out, escaped, in_class, &mut rest);
            }
            ('[', false) => {
                out.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if rest.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
                in_class = true;
            }
            ('[', true) => {
                if rest.peek() == Some(&':') {
                    push_named(&mut out, &mut rest);
                } else {
                    out.push_str("\\[");
                }
            }
            (']', true) => {
                out.push(']');
                in_class = false;
            }
            ('&' | '~', true) => {
                out.push('\\');
                out.push(character);
            }
            ('-', true) if rest.peek() == Some(&'-') => {
                rest.next();
                out.push_str("-\\-");
            }
            _ => out.push(character),
        }
    }
    out
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn push_escape(out: &mut String, escaped: char, in_class: bool, rest: &mut Characters<'_>) {
    let text = match (escaped, in_class) {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('D', _) => "[^0-9]",
        ('w', false) => "[0-9A-Za-z_]",
        ('w', true) => "0-9A-Za-z_",
        ('W', _) => "[^0-9A-Za-z_]",
        ('s', false) => "[\\t\\n\\f\\r ]",
        ('s', true) => "\\t\\n\\f\\r ",
        ('S', _) => "[^\\t\\n\\f\\r ]",
        ('b', false) => "(?-u:\\b)",
        ('B', false) => "(?-u:\\B)",
        ('<', _) => "<",
        ('>', _) => ">",
        ('Q', false) => return push_quoted(out, rest),
        _ => {
            out.push('\\');
            out.push(escaped);
            return;
        }
    };
    out.push_str(text);
}

/// Copies what stands before `\E`, as it is.
fn push_quoted(out: &mut String, rest: &mut Characters<'_>) {
    while let Some(character) = rest.next() {
        if character == '\\' && rest.next_if_eq(&'E').is_some() {
            return;
        }
        out.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
    }
}

/// Copies a named class such as `[:alpha:]`, whose `[` was read already.
fn push_named(out: &mut String, rest: &mut Characters<'_>) {
    let ahead: String = rest.clone().take_while(|character| *character != ']').collect();
    if !ahead.ends_with(':') || ahead.len() < 3 {
        return out.push_str("\\[");
    }
    out.push('[');
    out.push_str(&ahead);
    out.push(']');
    for _ in 0..=ahead.chars().count() {
        rest.next();
    }
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn what_differs_is_translated() {
        for (from, to) in [
            ("a.b", "a.b"),
            (r"\d+\.", r"[0-9]+\."),
            (r"[\d_]", "[0-9_]"),
            (r"[^\W]", "[^[^0-9A-Za-z_]]"),
            ("[[]", r"[\[]"),
            ("[]a]", r"[\]a]"),
            ("[^]a]", r"[^\]a]"),
            ("[[:alpha:]_]", "[[:alpha:]_]"),
            ("[a&&b]", r"[a\&\&b]"),
            (r"\Qa.b\E.", r"a\.b."),
            (r"\bx", r"(?-u:\b)x"),
            (r"\\d", r"\\d"),
            ("\\", "\\"),
        ] {
            assert_eq!(translate(from), to, "{from}");
        }
    }
}
