//! How a text is written so that it is read back as the same text.

/// How texts can be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As it is.
    Plain,
    /// Between double quotes.
    Quoted,
    /// As a block of lines.
    Block,
}

/// Chooses how to write a text.
pub(super) fn style(text: &str) -> Style {
    if text.contains('\n') && can_be_block(text) {
        return Style::Block;
    }
    if is_plain(text) { Style::Plain } else { Style::Quoted }
}

/// Writes a text between double quotes.
pub(super) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push_str("\\0"),
            character if is_printable(character) => out.push(character),
            character if u32::from(character) < 0x100 => out.push_str(&format!("\\x{:02X}", u32::from(character))),
            character if u32::from(character) < 0x1_0000 => out.push_str(&format!("\\u{:04X}", u32::from(character))),
            character => out.push_str(&format!("\\U{:08X}", u32::from(character))),
        }
    }
    out.push('"');
}

/// Blocks keep their text only if it has no odd white space at the ends of lines, and none before the first.
fn can_be_block(text: &str) -> bool {
    let starts_well = !text.starts_with([' ', '\t', '\n']);
    starts_well
        && text.chars().all(|c| c == '\n' || c == '\t' || is_printable(c))
        && !text.contains(" \n")
        && !text.ends_with(' ')
}

fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    if text.starts_with(' ') || text.ends_with(' ') || !text.chars().all(is_printable) {
        return false;
    }
    if "[]{},#&*!|>'\"%@`".contains(first) || text.contains(": ") || text.contains(" #") || text.ends_with(':') {
        return false;
    }
    let second = text.chars().nth(1);
    if "-?:".contains(first) && second.is_none_or(|second| " -,[]{}".contains(second)) {
        return false;
    }
    !(text.starts_with("---") || text.starts_with("...") || means_something_else(text))
}

/// Tells whether a plain text is a null, a boolean, a number, a date, or was one in some version of YAML.
fn means_something_else(text: &str) -> bool {
    const WORDS: &[&str] = &["null", "true", "false", "yes", "no", "on", "off", "y", "n", "~", "<<", "="];
    if WORDS.contains(&text.to_ascii_lowercase().as_str()) {
        return true;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned.to_ascii_lowercase().as_str(), ".inf" | ".nan" | "inf" | "nan" | "infinity") {
        return true;
    }
    let mut characters = unsigned.chars();
    match (characters.next(), characters.next()) {
        (Some('.'), Some(second)) if second.is_ascii_digit() => {}
        (Some(first), _) if first.is_ascii_digit() => {}
        _ => return false,
    }
    // What starts like a number and has only characters of numbers, dates and times.
    unsigned.chars().all(|c| c.is_ascii_hexdigit() || ".xXoObBeE+-_:tTzZ".contains(c) || c == ' ')
}

fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => false,
        character => u32::from(character) >= 0xa0 && !('\u{fffe}'..='\u{ffff}').contains(&character),
    }
}
