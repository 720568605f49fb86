//! What a document weighs when it is read into values.

/// Bytes of one value in memory, beside what it points to.
const VALUE: usize = size_of::<rmpv::Value>();

/// Tells how many bytes the values of a document will take, without reading it into values: one byte can become a value of many.
///
/// Of a document that is broken it counts what can be read.
pub(crate) fn weight(document: &[u8]) -> usize {
    let mut rest = document;
    let mut values = 0;
    while let Some((first, after)) = rest.split_first() {
        values += 1;
        let (length, body) = match first {
            // Numbers, nil, booleans, and heads of arrays and maps, whose items follow.
            0x00..=0x9f | 0xc0..=0xc3 | 0xe0..=0xff => (0, 0),
            0xa0..=0xbf => (0, usize::from(first & 0x1f)),
            0xc4 | 0xd9 => (1, number(after, 1)),
            0xc5 | 0xda => (2, number(after, 2)),
            0xc6 | 0xdb => (4, number(after, 4)),
            // Extensions have a byte for their type.
            0xc7 => (2, number(after, 1)),
            0xc8 => (3, number(after, 2)),
            0xc9 => (5, number(after, 4)),
            0xd4..=0xd8 => (1, 1 << (first - 0xd4)),
            0xca | 0xce | 0xd2 | 0xdd | 0xdf => (4, 0),
            0xcb | 0xcf | 0xd3 => (8, 0),
            0xcc | 0xd0 => (1, 0),
            0xcd | 0xd1 | 0xdc | 0xde => (2, 0),
        };
        rest = after.get(length..).and_then(|after| after.get(body..)).unwrap_or_default();
    }
    document.len().saturating_add(values * VALUE)
}

fn number(bytes: &[u8], length: usize) -> usize {
    bytes.iter().take(length).fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rmpv::Value;

    use super::*;
    use crate::document;

    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Array(items) => items.iter().map(count).sum(),
            Value::Map(fields) => fields.iter().map(|(key, value)| count(key) + count(value)).sum(),
            _ => 0,
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nil),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<f32>().prop_map(Value::from),
            ".{0,300}".prop_map(Value::from),
            proptest::collection::vec(any::<u8>(), 0..70_000).prop_map(Value::Binary),
            proptest::collection::vec(any::<u8>(), 0..300).prop_map(|data| Value::Ext(3, data)),
        ];
        leaf.prop_recursive(3, 60, 20, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..40).prop_map(Value::Array),
                proptest::collection::vec((inner.clone(), inner), 0..20).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_is_counted(value in values()) {
            let bytes = document::encode(&value);
            prop_assert_eq!(weight(&bytes), bytes.len() + VALUE * count(&value));
        }

        #[test]
        fn broken_documents_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(weight(&bytes) <= bytes.len() * (VALUE + 1));
        }
    }
}
