//! Text in addresses: percent signs, and fields of a query.

/// Fields of one query at most; more are left out, as a table that a client fills.
const MAX_FIELDS: usize = 1_000;

/// Decodes percent signs; with `plus`, `+` is a space. Bytes that are no UTF-8 become the replacement character.
pub(crate) fn decode(text: &str, plus: bool) -> String {
    if !text.bytes().any(|byte| byte == b'%' || (plus && byte == b'+')) {
        return text.to_owned();
    }
    let digit =
        |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        index += 1;
        match byte {
            b'%' => match (digit(bytes.get(index)), digit(bytes.get(index + 1))) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    index += 2;
                }
                _ => decoded.push(b'%'),
            },
            b'+' if plus => decoded.push(b' '),
            other => decoded.push(*other),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Reads the fields of a query or of a form, in their order.
pub(crate) fn fields(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty()).take(MAX_FIELDS);
    let field = |part: &str| match part.split_once('=') {
        Some((name, value)) => (decode(name, true), decode(value, true)),
        None => (decode(part, true), String::new()),
    };
    parts.map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_broken_ones_stay() {
        assert_eq!(decode("a%20b+c", true), "a b c");
        assert_eq!(decode("a%20b+c", false), "a b+c");
        assert_eq!(decode("100%", true), "100%");
        assert_eq!(decode("%zz%4", false), "%zz%4");
        assert_eq!(decode("%ff", false), "\u{fffd}");
    }

    #[test]
    fn a_query_keeps_its_order() {
        let read = fields("a=1&b&&a=2&c=%26");
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("a", "1"), ("b", ""), ("a", "2"), ("c", "&")]);
    }
}
