//! Keys in PEM: as much of PEM and DER as leads to the bytes that the signature library wants.

use moonlet_runtime::Error;

use crate::base64;
use crate::fail::invalid;

/// The longest key file.
const MAX_BYTES: usize = 16_384;

/// A block between `-----BEGIN X-----` and `-----END X-----`.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) data: Vec<u8>,
}

/// Reads the first block of a text.
pub(super) fn read(text: &[u8]) -> Result<Block, Error> {
    let broken = || invalid("the key is not in PEM: it starts with `-----BEGIN ... KEY-----`");
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= MAX_BYTES).ok_or_else(broken)?;
    let (_, rest) = text.split_once("-----BEGIN ").ok_or_else(broken)?;
    let (label, rest) = rest.split_once("-----").ok_or_else(broken)?;
    let (body, _) = rest.split_once("-----END ").ok_or_else(broken)?;
    Ok(Block { label: label.to_owned(), data: base64::decode(body).ok_or_else(broken)? })
}

/// Finds the key in a public key of X.509 or in a certificate: what its bit string holds.
pub(super) fn public_key(block: &Block) -> Result<Vec<u8>, Error> {
    if block.label == "RSA PUBLIC KEY" {
        return Ok(block.data.clone());
    }
    let found = if block.label == "CERTIFICATE" { of_certificate(&block.data) } else { of_spki(&block.data) };
    found.map(<[u8]>::to_vec).ok_or_else(|| invalid(format!("the `{}` in PEM holds no public key", block.label)))
}

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;

/// SubjectPublicKeyInfo: an algorithm and a bit string.
fn of_spki(data: &[u8]) -> Option<&[u8]> {
    let (body, _) = element(data, SEQUENCE)?;
    let (_, rest) = element(body, SEQUENCE)?;
    let (bits, _) = element(rest, BIT_STRING)?;
    bits.split_first().filter(|(unused, _)| **unused == 0).map(|(_, key)| key)
}

/// Certificate: version, serial, algorithm, issuer, validity and subject stand before the key.
fn of_certificate(data: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = element(data, SEQUENCE)?;
    let (mut body, _) = element(certificate, SEQUENCE)?;
    if body.first() == Some(&VERSION) {
        body = element(body, VERSION)?.1;
    }
    body = element(body, INTEGER)?.1;
    for _ in 0..4 {
        body = element(body, SEQUENCE)?.1;
    }
    of_spki(body)
}

/// Takes an element of a tag off: its content, and what follows.
fn element(data: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = data.split_first()?;
    let (length, rest) = rest.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => rest.split_first_chunk::<2>().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?,
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_keys_are_refused() {
        for text in ["", "-----BEGIN X-----", "-----BEGIN X-----\n!!\n-----END X-----", "\u{0}"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        for data in [&[][..], &[0x30], &[0x30, 0x82, 0xff], &[0x30, 0x05, 0x30], &[0x30, 0xff, 1]] {
            assert!(of_spki(data).is_none() && of_certificate(data).is_none());
        }
    }
}
