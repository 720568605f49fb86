//! JSON web tokens, signed (RFC 7519). The algorithm is what the caller says, never what the token says.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use moonlet_runtime::{Error, Value};
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, RsaKeyPair, UnparsedPublicKey};
use serde_json::Value as Json;
use sha2::{Sha256, Sha384, Sha512};

use super::pem;
use crate::fail::{internal, invalid};
use crate::json;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Es256,
}

impl Algorithm {
    fn read(name: Option<&str>) -> Result<Self, Error> {
        match name.unwrap_or("HS256") {
            "HS256" => Ok(Self::Hs256),
            "HS384" => Ok(Self::Hs384),
            "HS512" => Ok(Self::Hs512),
            "RS256" => Ok(Self::Rs256),
            "ES256" => Ok(Self::Es256),
            other => Err(invalid(format!("the algorithm `{other}` is not supported; use HS256, HS384, HS512, RS256 or ES256"))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// Signs claims. A field `_header` adds to the header.
pub(super) fn encode(claims: &[(Value, Value)], key: &[u8], algorithm: Option<&str>) -> Result<String, Error> {
    let algorithm = Algorithm::read(algorithm)?;
    let mut header = BTreeMap::from([("typ".to_owned(), Json::from("JWT"))]);
    let mut body = BTreeMap::new();
    for (name, value) in claims {
        let name = json::key(name)?;
        match (name.as_str(), value) {
            ("_header", Value::Map(fields)) => {
                for (name, value) in fields {
                    header.insert(json::key(name)?, json::from_value(value)?);
                }
            }
            ("_header", Value::Array(items)) if items.is_empty() => {}
            _ => drop(body.insert(name, json::from_value(value)?)),
        }
    }
    header.insert("alg".to_owned(), algorithm.name().into());
    let write = |fields: &BTreeMap<String, Json>| {
        serde_json::to_vec(fields).map_err(|error| internal(format!("failed to write the token: {error}")))
    };
    let signed = format!("{}.{}", encode_base64(&write(&header)?), encode_base64(&write(&body)?));
    let signature = sign(algorithm, key, signed.as_bytes())?;
    Ok(format!("{signed}.{}", encode_base64(&signature)))
}

/// Checks a token and returns its claims.
pub(super) fn verify(token: &[u8], key: &[u8], algorithm: Option<&str>, require_exp: bool) -> Result<Value, Error> {
    let algorithm = Algorithm::read(algorithm)?;
    let refuse = |why: &str| internal(format!("failed to verify the token: {why}"));
    let malformed = || refuse("token is malformed");
    let token = std::str::from_utf8(token).map_err(|_| malformed())?;
    let mut parts = token.split('.');
    let (Some(header), Some(body), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(refuse("token is malformed: it has three parts with dots between them"));
    };
    let read = |part: &str| {
        let bytes = decode_base64(part)?;
        serde_json::from_slice::<serde_json::Map<String, Json>>(&bytes).ok()
    };
    let fields = read(header).ok_or_else(malformed)?;
    let named = fields.get("alg").and_then(Json::as_str).unwrap_or("");
    if named != algorithm.name() {
        return Err(refuse(&format!("signing method {} is invalid, {} is expected", shown(named), algorithm.name())));
    }
    let signed = token.get(..header.len() + 1 + body.len()).unwrap_or_default();
    let signature = decode_base64(signature).ok_or_else(malformed)?;
    if !check(algorithm, key, signed.as_bytes(), &signature)? {
        return Err(refuse("signature is invalid"));
    }
    let claims = read(body).ok_or_else(malformed)?;
    check_times(&claims, require_exp).map_err(|why| refuse(&why))?;
    Ok(json::to_value(&Json::Object(claims)))
}

fn check_times(claims: &serde_json::Map<String, Json>, require_exp: bool) -> Result<(), String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64());
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| format!("the claim `{name}` is not a number")),
    };
    match time("exp")? {
        None if require_exp => return Err("token is missing the required claim `exp`".to_owned()),
        Some(expires) if now >= expires => return Err("token is expired".to_owned()),
        _ => {}
    }
    match time("nbf")? {
        Some(start) if now < start => Err("token is not valid yet".to_owned()),
        _ => Ok(()),
    }
}

fn sign(algorithm: Algorithm, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Error> {
    let failed = |_| internal("failed to sign the token");
    let random = SystemRandom::new();
    match algorithm {
        Algorithm::Hs256 => code::<Hmac<Sha256>>(key, data).map(|code| code.finalize().into_bytes().to_vec()),
        Algorithm::Hs384 => code::<Hmac<Sha384>>(key, data).map(|code| code.finalize().into_bytes().to_vec()),
        Algorithm::Hs512 => code::<Hmac<Sha512>>(key, data).map(|code| code.finalize().into_bytes().to_vec()),
        Algorithm::Rs256 => {
            let block = pem::read(key)?;
            let pair = match block.label.as_str() {
                "RSA PRIVATE KEY" => RsaKeyPair::from_der(&block.data),
                _ => RsaKeyPair::from_pkcs8(&block.data),
            };
            let pair = pair.map_err(|error| invalid(format!("the RSA private key cannot be used: {error}")))?;
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(&signature::RSA_PKCS1_SHA256, &random, data, &mut signature).map_err(failed)?;
            Ok(signature)
        }
        Algorithm::Es256 => {
            let block = pem::read(key)?;
            let pair = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &block.data, &random);
            let pair = pair.map_err(|error| invalid(format!("the P-256 private key (PKCS#8) cannot be used: {error}")))?;
            Ok(pair.sign(&random, data).map_err(failed)?.as_ref().to_vec())
        }
    }
}

fn check(algorithm: Algorithm, key: &[u8], data: &[u8], signature: &[u8]) -> Result<bool, Error> {
    let public = |kind: &'static dyn signature::VerificationAlgorithm| -> Result<bool, Error> {
        let key = pem::public_key(&pem::read(key)?)?;
        Ok(UnparsedPublicKey::new(kind, key).verify(data, signature).is_ok())
    };
    match algorithm {
        Algorithm::Hs256 => Ok(code::<Hmac<Sha256>>(key, data)?.verify_slice(signature).is_ok()),
        Algorithm::Hs384 => Ok(code::<Hmac<Sha384>>(key, data)?.verify_slice(signature).is_ok()),
        Algorithm::Hs512 => Ok(code::<Hmac<Sha512>>(key, data)?.verify_slice(signature).is_ok()),
        Algorithm::Rs256 => public(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Es256 => public(&signature::ECDSA_P256_SHA256_FIXED),
    }
}

fn code<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Result<M, Error> {
    if key.is_empty() {
        return Err(invalid("the key is empty"));
    }
    let mut code = <M as KeyInit>::new_from_slice(key).map_err(|_| internal("the key does not fit"))?;
    code.update(data);
    Ok(code)
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic()).take(20).collect()
}

fn encode_base64(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// Reads only what `encode_base64` writes: bits that mean nothing would let one token have two texts.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn tokens_are_those_of_everybody() {
        let claims =
            [("sub".into(), "1234567890".into()), ("name".into(), "John Doe".into()), ("iat".into(), 1_516_239_022.into())];
        let token = encode(&claims, b"secret", None).unwrap();
        assert!(token.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."));
        let read = verify(token.as_bytes(), b"secret", Some("HS256"), false).unwrap();
        assert_eq!(read.as_map().unwrap().len(), 3);
        assert!(verify(token.as_bytes(), b"secret", None, true).unwrap_err().message.contains("exp"));
        assert!(verify(token.as_bytes(), b"other", None, false).unwrap_err().message.contains("signature"));
        assert!(verify(token.as_bytes(), b"secret", Some("HS512"), false).is_err());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let none = format!("{}.{}.", encode_base64(br#"{"alg":"none"}"#), encode_base64(b"{}"));
        for token in ["", "a.b", "a.b.c", "....", "\u{e9}.\u{e9}.\u{e9}", none.as_str()] {
            assert!(verify(token.as_bytes(), b"secret", None, false).is_err(), "{token}");
        }
    }

    #[test]
    fn base64_goes_both_ways() {
        for length in 0..20_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            assert_eq!(decode_base64(&encode_base64(&bytes)).unwrap(), bytes);
        }
        assert!(decode_base64("A").is_none() && decode_base64("AB").is_none() && decode_base64("A=").is_none());
    }
}
