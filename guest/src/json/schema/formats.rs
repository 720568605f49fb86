//! The formats of strings that a schema can name.

use crate::time::layout::parse as layout;

/// Whether a text has a format; none when the format is unknown and so not checked.
pub(super) fn check(format: &[u8], text: &[u8]) -> Option<bool> {
    let utf8 = std::str::from_utf8(text).ok();
    Some(match format {
        b"email" | b"idn-email" => email(text),
        b"date-time" => layout::parse(b"2006-01-02T15:04:05Z07:00", text).is_ok(),
        b"date" => layout::parse(b"2006-01-02", text).is_ok(),
        b"time" => layout::parse(b"15:04:05Z07:00", text).is_ok(),
        b"uuid" => text.len() == 36 && crate::uuid::Uuid::parse(text).is_some(),
        b"ipv4" => utf8.is_some_and(|text| text.parse::<std::net::Ipv4Addr>().is_ok()),
        b"ipv6" => utf8.is_some_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok()),
        b"hostname" | b"idn-hostname" => hostname(text),
        b"uri" | b"iri" | b"url" => uri(text),
        b"uri-reference" | b"iri-reference" => text.iter().all(|byte| !byte.is_ascii_whitespace() && !byte.is_ascii_control()),
        b"regex" => utf8.is_some_and(|text| crate::pattern::compile_text(text).is_ok()),
        b"json-pointer" => text.is_empty() || text.first() == Some(&b'/'),
        _ => return None,
    })
}

fn email(text: &[u8]) -> bool {
    let Some(at) = text.iter().rposition(|byte| *byte == b'@') else { return false };
    let (local, domain) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
    let plain = |byte: &u8| !byte.is_ascii_whitespace() && !byte.is_ascii_control() && !b"@()<>[],;:\\\"".contains(byte);
    (1..=64).contains(&local.len())
        && local.iter().all(plain)
        && local.first() != Some(&b'.')
        && local.last() != Some(&b'.')
        && !local.windows(2).any(|pair| pair == b"..")
        && hostname(domain)
}

fn hostname(text: &[u8]) -> bool {
    let label = |label: &[u8]| {
        (1..=63).contains(&label.len())
            && label.first() != Some(&b'-')
            && label.last() != Some(&b'-')
            && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte >= 0x80)
    };
    (1..=253).contains(&text.len()) && text.split(|byte| *byte == b'.').all(label)
}

/// A scheme, a colon, and something without blanks.
fn uri(text: &[u8]) -> bool {
    let Some(colon) = text.iter().position(|byte| *byte == b':') else { return false };
    let (scheme, rest) = text.split_at(colon);
    scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
        && rest.len() > 1
        && rest.iter().all(|byte| !byte.is_ascii_whitespace() && !byte.is_ascii_control() && !b"<>\"{}|\\^`".contains(byte))
}
