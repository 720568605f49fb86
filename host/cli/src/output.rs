//! Printing. A reader that went away is no fault; what a terminal would obey is shown instead.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::OnceLock;

use moonlet_language::diagnostic::{Diagnostic, Sources, render};

/// The colour of errors.
pub(crate) const RED: &str = "\u{1b}[1;91m";
/// The colour of help.
pub(crate) const CYAN: &str = "\u{1b}[1;96m";
const PLAIN: &str = "\u{1b}[0m";

/// Writes to standard output.
pub(crate) fn print(text: &str) {
    // The only failure that matters is that nobody listens, and then there is nobody to tell.
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Writes a line to standard output.
pub(crate) fn line(text: &str) {
    print(&format!("{text}\n"));
}

/// Writes a line to standard error.
pub(crate) fn error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes diagnostics to standard error.
pub(crate) fn diagnostics(diagnostics: &[Diagnostic], sources: &Sources) {
    let _ = io::stderr().lock().write_all(render(diagnostics, sources, color()).as_bytes());
}

/// Brings everything out before the end.
pub(crate) fn flush() {
    let _ = io::stdout().lock().flush();
}

/// Whether standard error shows colours, as soon as somebody asked or said so.
static COLOR: OnceLock<bool> = OnceLock::new();

/// Leaves out colours from now on.
pub(crate) fn without_color() {
    // Nothing was printed yet that asked, so that this is the first word on it.
    let _ = COLOR.set(false);
}

/// Tells whether standard error shows colours.
pub(crate) fn color() -> bool {
    let wanted = || std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && io::stderr().is_terminal();
    *COLOR.get_or_init(wanted)
}

/// Colours a text for standard error.
pub(crate) fn paint(text: &str, color_code: &str) -> String {
    if color() { format!("{color_code}{text}{PLAIN}") } else { text.to_owned() }
}

/// Replaces what a terminal would obey; line breaks and tabs stay.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Control characters, and characters that reorder or hide text.
pub(crate) fn is_unsafe(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
