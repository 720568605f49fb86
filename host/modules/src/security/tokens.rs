//! Tokens: random texts that stand for an actor and a scope, for a time. Kind `security.token_store`.
//!
//! What a token stands for is kept in a store, under the digest of the token, so that whoever reads the store has no tokens. With a
//! `token_key`, a token carries a signature, and one that was made up is refused before the store is asked.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use moonlet_registry::{DurationError, Snapshot, TokenStore as View, parse_duration};
use moonlet_runtime::{Actor, Args, Error, Fault, NodeHandle, Scope, Value, document};
use sha2::{Digest, Sha256};

use super::{internal, invalid, read_meta};
use crate::store::{Put, Store, Stores};

/// The shortest random part of a token in bytes: below, it can be guessed.
const MIN_LENGTH: usize = 16;
/// The longest token that is looked at.
const MAX_TOKEN: usize = 4 << 10;

/// A store of tokens, opened.
pub(super) struct TokenStore {
    id: String,
    store: Arc<dyn Store>,
    key: Option<Vec<u8>>,
    length: usize,
    expiration: Duration,
}

/// What the maker of a token says about it.
pub(super) struct TokenOptions {
    expiration: Option<Duration>,
    meta: serde_json::Value,
}

impl TokenOptions {
    /// Reads `{expiration, meta}`; a number is milliseconds.
    pub(super) fn read(args: &Args<'_>, number: usize) -> Result<Self, Fault> {
        let mut options = Self { expiration: None, meta: serde_json::Value::Null };
        for (name, value) in args.opt_table(number)? {
            match name.as_str() {
                Some("expiration") => options.expiration = Some(expiration(value)?),
                Some("meta") => options.meta = read_meta(value)?,
                _ => {}
            }
        }
        Ok(options)
    }
}

fn expiration(value: &Value) -> Result<Duration, Error> {
    let expiration = match value {
        Value::String(text) => span(text.as_str().unwrap_or_default()),
        value => value.as_f64().and_then(|milliseconds| Duration::try_from_secs_f64(milliseconds / 1000.0).ok()),
    };
    expiration
        .filter(|expiration| !expiration.is_zero())
        .ok_or_else(|| invalid("`expiration` must be a duration such as `24h`, or a number of milliseconds, above zero"))
}

/// Reads a duration, also one in days.
fn span(text: &str) -> Option<Duration> {
    match parse_duration(text) {
        Ok(duration) => Some(duration),
        Err(DurationError::Days { hours }) => Some(Duration::from_secs(hours.saturating_mul(3600))),
        Err(_) => None,
    }
}

impl TokenStore {
    /// Opens the token store of an entry.
    ///
    /// # Errors
    ///
    /// `Internal` when there is none, or its store or key is not there.
    pub(super) fn open(stores: &Stores, registry: &Snapshot, node: &NodeHandle, id: &str) -> Result<Self, Error> {
        let entry = registry.find_id(id).filter(|entry| entry.kind == "security.token_store").ok_or_else(|| {
            internal(format!("there is no token store `{id}`: write an entry of kind `security.token_store` with this id"))
        })?;
        let within = |error: Error| internal(format!("the token store `{id}` cannot be used: {}", error.message));
        let entry = node.environment()?.fill(registry, entry).map_err(within)?;
        let view = View::new(&entry).map_err(|error| internal(error.to_string()))?;
        Ok(Self {
            id: id.to_owned(),
            store: stores.get(registry, node, view.store.as_str()).map_err(within)?,
            key: view.key.filter(|key| !key.is_empty()).map(String::into_bytes),
            length: view.length.max(MIN_LENGTH),
            expiration: view.default_expiration,
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn waits(&self) -> bool {
        self.store.waits()
    }

    /// Makes a token.
    pub(super) fn create(&self, actor: &Actor, scope: &Scope, options: &TokenOptions) -> Result<String, Error> {
        let mut random = vec![0; self.length];
        getrandom::fill(&mut random).map_err(|error| internal(format!("the system has no randomness: {error}")))?;
        let mut token = text(&random);
        let expiration = options.expiration.unwrap_or(self.expiration);
        let policies = scope.policies().iter().map(|policy| policy.id().into()).collect();
        let record = Value::Map(vec![
            ("actor".into(), actor.id().into()),
            ("actor_meta".into(), document::from_json(actor.meta())),
            ("policies".into(), Value::Array(policies)),
            ("meta".into(), document::from_json(&options.meta)),
            ("expires".into(), milliseconds(now().saturating_add(expiration)).into()),
        ]);
        let put = Put { ttl: Some(expiration), only_if_absent: false, if_version: None };
        self.store.put(&place(&self.id, &token), document::encode(&record), &put)?;
        if let Some(signature) = self.signature(&token)? {
            token.push('.');
            let _ = write!(token, "{}", hex(&signature.finalize().into_bytes()));
        }
        Ok(token)
    }

    /// Finds the actor and the ids of the policies that a token stands for.
    pub(super) fn validate(&self, token: &str) -> Result<(Actor, Vec<String>), Error> {
        let record = self.store.entry(&place(&self.id, self.checked(token)?))?;
        let record = record.ok_or_else(|| internal("the token is not valid: it has expired, was revoked, or never was"))?;
        let Value::Map(fields) = document::decode(&record.value)? else { return Err(broken()) };
        let field = |name: &str| fields.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value);
        if field("expires").and_then(Value::as_u64).is_none_or(|expires| expires <= milliseconds(now())) {
            return Err(internal("the token is not valid: it has expired"));
        }
        let id = field("actor").and_then(Value::as_str).ok_or_else(broken)?;
        let meta = field("actor_meta").map(document::to_json).transpose()?.unwrap_or_default();
        let actor = Actor::new(id, meta).ok_or_else(broken)?;
        let policies = field("policies").and_then(Value::as_array).ok_or_else(broken)?;
        Ok((actor, policies.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()))
    }

    /// Makes a token invalid. One that is so already is fine.
    pub(super) fn revoke(&self, token: &str) -> Result<(), Error> {
        self.store.delete(&place(&self.id, self.checked(token)?)).map(|_| ())
    }

    /// Takes the signature off a token, which must be right.
    fn checked<'a>(&self, token: &'a str) -> Result<&'a str, Error> {
        let wrong = || internal("the token is not valid: its signature is wrong or missing");
        if token.is_empty() || token.len() > MAX_TOKEN {
            return Err(internal("the token is not valid: it is empty or too long"));
        }
        let (random, signature) = token.split_once('.').map_or((token, None), |(random, signature)| (random, Some(signature)));
        match (self.signature(random)?, signature) {
            (None, None) => Ok(random),
            (Some(right), Some(signature)) => {
                let bytes = unhex(signature).ok_or_else(wrong)?;
                // In constant time: how far a signature is right must not show.
                right.verify_slice(&bytes).map_err(|_| wrong())?;
                Ok(random)
            }
            _ => Err(wrong()),
        }
    }

    fn signature(&self, random: &str) -> Result<Option<Hmac<Sha256>>, Error> {
        let Some(key) = &self.key else { return Ok(None) };
        let mut signature = Hmac::<Sha256>::new_from_slice(key).map_err(|error| internal(error.to_string()))?;
        signature.update(random.as_bytes());
        Ok(Some(signature))
    }
}

fn broken() -> Error {
    internal("the token is not valid: what the store holds for it is something else")
}

/// Where the store has what a token stands for.
fn place(id: &str, random: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(id.as_bytes());
    digest.update([0]);
    digest.update(random.as_bytes());
    format!("token:{}", hex(&digest.finalize()))
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|place| u8::from_str_radix(text.get(place..place + 2)?, 16).ok()).collect()
}

/// Writes bytes in the alphabet of base64 for addresses, without padding.
fn text(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=chunk.len() {
            let index = (bits >> (18 - 6 * place)) & 63;
            text.push(char::from(ALPHABET.get(index as usize).copied().unwrap_or(b'A')));
        }
    }
    text
}
