//! Character references: `&amp;`, `&#38;`, `&#x26;`.

/// The references that are resolved; others stay as they are.
const NAMED: &[(&str, &str)] = &[
    ("amp", "&"),
    ("AMP", "&"),
    ("lt", "<"),
    ("LT", "<"),
    ("gt", ">"),
    ("GT", ">"),
    ("quot", "\""),
    ("QUOT", "\""),
    ("apos", "'"),
    ("nbsp", "\u{a0}"),
    ("colon", ":"),
    ("Tab", "\t"),
    ("NewLine", "\n"),
    ("lpar", "("),
    ("rpar", ")"),
    ("sol", "/"),
    ("bsol", "\\"),
    ("num", "#"),
    ("quest", "?"),
    ("equals", "="),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("hellip", "…"),
    ("mdash", "—"),
    ("ndash", "–"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("euro", "€"),
    ("pound", "£"),
    ("middot", "·"),
    ("bull", "•"),
    ("deg", "°"),
    ("times", "×"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("szlig", "ß"),
    ("auml", "ä"),
    ("ouml", "ö"),
    ("uuml", "ü"),
    ("Auml", "Ä"),
    ("Ouml", "Ö"),
    ("Uuml", "Ü"),
    ("eacute", "é"),
    ("egrave", "è"),
    ("agrave", "à"),
    ("ccedil", "ç"),
];

/// The longest name of a reference.
const MAX_NAME: usize = 32;

/// Resolves the references of a text.
pub(super) fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        match reference(after) {
            Some((length, Some(character))) => {
                out.push_str(&character);
                rest = after.get(length..).unwrap_or("");
            }
            _ => {
                out.push('&');
                rest = after.get(1..).unwrap_or("");
            }
        }
    }
    out.push_str(rest);
    out
}

/// Writes a text so that it is nothing but text. A reference that is not resolved stays one.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let mut length = 1;
        match after.as_bytes().first() {
            Some(b'<') => out.push_str("&lt;"),
            Some(b'>') => out.push_str("&gt;"),
            Some(b'"') => out.push_str("&#34;"),
            Some(b'\'') => out.push_str("&#39;"),
            _ => match reference(after) {
                Some((whole, None)) => {
                    out.push_str(after.get(..whole).unwrap_or(""));
                    length = whole;
                }
                _ => out.push_str("&amp;"),
            },
        }
        rest = after.get(length..).unwrap_or("");
    }
    out.push_str(rest);
}

/// Reads the reference that a text starts with: its length, and what it stands for if that is known.
fn reference(text: &str) -> Option<(usize, Option<String>)> {
    let body = text.get(1..)?;
    if let Some(number) = body.strip_prefix('#') {
        let (radix, digits) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (16, digits),
            None => (10, number),
        };
        let length = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        let value = u32::from_str_radix(digits.get(..length)?, radix).ok();
        if length == 0 {
            return None;
        }
        let start = text.len() - digits.len();
        let end = usize::from(digits.get(length..).is_some_and(|rest| rest.starts_with(';')));
        let character = value.and_then(char::from_u32).filter(|character| *character != '\0').unwrap_or('\u{fffd}');
        return Some((start + length + end, Some(character.to_string())));
    }
    let length = body.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(body.len());
    let name = body.get(..length).filter(|name| !name.is_empty() && name.len() <= MAX_NAME)?;
    if !body.get(length..)?.starts_with(';') {
        return None;
    }
    let known = NAMED.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    Some((length + 2, known))
}
