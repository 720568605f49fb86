//! Authenticated encryption. What is encrypted starts with its nonce of 12 bytes.

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Nonce, Payload};
use aes_gcm::aes::Aes192;
use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm};
use chacha20poly1305::ChaCha20Poly1305;
use moonlet_runtime::Error;

use super::fill;
use crate::fail::{internal, invalid};

const NONCE: usize = 12;

/// A cipher with its key.
pub(super) enum Cipher {
    Aes128(Box<Aes128Gcm>),
    Aes192(Box<AesGcm<Aes192, U12>>),
    Aes256(Box<Aes256Gcm>),
    ChaCha20(Box<ChaCha20Poly1305>),
}

impl Cipher {
    /// Chooses the cipher that a function's name ends with and that takes a key of this length.
    pub(super) fn choose(function: &str, key: &[u8]) -> Result<Self, Error> {
        let made = if function.ends_with("chacha20") {
            ChaCha20Poly1305::new_from_slice(key).ok().map(|cipher| Self::ChaCha20(Box::new(cipher)))
        } else {
            match key.len() {
                16 => Aes128Gcm::new_from_slice(key).ok().map(|cipher| Self::Aes128(Box::new(cipher))),
                24 => AesGcm::<Aes192, U12>::new_from_slice(key).ok().map(|cipher| Self::Aes192(Box::new(cipher))),
                32 => Aes256Gcm::new_from_slice(key).ok().map(|cipher| Self::Aes256(Box::new(cipher))),
                _ => None,
            }
        };
        made.ok_or_else(|| {
            let allowed = if function.ends_with("chacha20") { "32" } else { "16, 24 or 32" };
            invalid(format!("the key must be {allowed} bytes long, got {}", key.len()))
        })
    }

    /// Encrypts, with a fresh nonce.
    pub(super) fn encrypt(&self, data: &[u8], aad: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE];
        fill(&mut nonce)?;
        let payload = Payload { msg: data, aad };
        let sealed = match self {
            Self::Aes128(cipher) => seal(cipher.as_ref(), nonce, payload),
            Self::Aes192(cipher) => seal(cipher.as_ref(), nonce, payload),
            Self::Aes256(cipher) => seal(cipher.as_ref(), nonce, payload),
            Self::ChaCha20(cipher) => seal(cipher.as_ref(), nonce, payload),
        };
        let sealed = sealed.ok_or_else(|| internal("failed to encrypt: the data is too long"))?;
        let mut out = nonce.to_vec();
        out.extend(sealed);
        Ok(out)
    }

    /// Decrypts what [`Cipher::encrypt`] made.
    pub(super) fn decrypt(&self, data: &[u8], aad: &[u8]) -> Result<Vec<u8>, Error> {
        let Some((nonce, sealed)) = data.split_first_chunk::<NONCE>() else {
            return Err(invalid("the encrypted data is too short"));
        };
        let payload = Payload { msg: sealed, aad };
        let opened = match self {
            Self::Aes128(cipher) => open(cipher.as_ref(), *nonce, payload),
            Self::Aes192(cipher) => open(cipher.as_ref(), *nonce, payload),
            Self::Aes256(cipher) => open(cipher.as_ref(), *nonce, payload),
            Self::ChaCha20(cipher) => open(cipher.as_ref(), *nonce, payload),
        };
        opened.ok_or_else(|| internal("failed to decrypt: the key, the additional data or the encrypted data is not right"))
    }
}

fn seal<C: Aead>(cipher: &C, nonce: [u8; NONCE], payload: Payload<'_, '_>) -> Option<Vec<u8>> {
    let nonce = Nonce::<C>::try_from(nonce.as_slice()).ok()?;
    cipher.encrypt(&nonce, payload).ok()
}

fn open<C: Aead>(cipher: &C, nonce: [u8; NONCE], payload: Payload<'_, '_>) -> Option<Vec<u8>> {
    let nonce = Nonce::<C>::try_from(nonce.as_slice()).ok()?;
    cipher.decrypt(&nonce, payload).ok()
}
