//! The host's reader of documents.

use moonlet_runtime::document;

/// Reads bytes as a document; what was read is written so that it reads the same.
pub fn feed(bytes: &[u8]) {
    if let Ok(value) = document::decode(bytes) {
        // By bytes, because NaN is not even equal to itself.
        let once = document::encode(&value);
        let again = document::encode(&document::decode(&once).unwrap());
        assert_eq!(once, again);
    }
    let _ = document::decode_values(bytes);
    let _ = document::decode_map(bytes);
}
