//! Middleware `ratelimit`: a bucket of tokens for each client.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use parking_lot::Mutex;

use super::Options;
use crate::answer::{self, Answer};
use crate::query;
use crate::server::Context;

/// The longest key in bytes: clients choose them.
const MAX_KEY: usize = 256;

pub(super) struct RateLimit {
    requests: u64,
    window: Duration,
    window_text: String,
    burst: f64,
    key: Key,
    cleanup: Duration,
    ttl: Duration,
    max_entries: usize,
    buckets: Mutex<Buckets>,
}

enum Key {
    Ip,
    Header(String),
    Query(String),
}

struct Buckets {
    by_key: HashMap<String, Bucket>,
    cleaned: Instant,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl RateLimit {
    pub(super) fn new(options: &Options) -> Self {
        let key = match options.get("ratelimit.key").unwrap_or("ip").split_once(':') {
            Some(("header", name)) => Key::Header(name.to_ascii_lowercase()),
            Some(("query", name)) => Key::Query(name.to_owned()),
            _ => Key::Ip,
        };
        let window = options.duration("ratelimit.window", Duration::from_secs(60));
        Self {
            requests: options.number("ratelimit.requests", 100).max(1),
            window: if window.is_zero() { Duration::from_secs(60) } else { window },
            window_text: options.text("ratelimit.window", "1m"),
            burst: options.number("ratelimit.burst", 20).max(1) as f64,
            key,
            cleanup: options.duration("ratelimit.cleanup_interval", Duration::from_secs(300)),
            ttl: options.duration("ratelimit.entry_ttl", Duration::from_secs(600)),
            max_entries: usize::try_from(options.number("ratelimit.max_entries", 100_000)).unwrap_or(usize::MAX).max(1),
            buckets: Mutex::new(Buckets { by_key: HashMap::new(), cleaned: Instant::now() }),
        }
    }

    pub(super) fn before(&self, context: &Context) -> Option<Answer> {
        let ip = || context.remote.parse::<std::net::SocketAddr>().map_or(context.remote.clone(), |addr| addr.ip().to_string());
        let mut key = match &self.key {
            Key::Ip => ip(),
            // Who names no key shares the bucket of its address.
            Key::Header(name) => context.header(name.as_str()).map_or_else(ip, str::to_owned),
            Key::Query(name) => {
                let fields = query::fields(context.parts.uri.query().unwrap_or_default());
                fields.into_iter().find(|(other, _)| other == name).map_or_else(ip, |(_, value)| value)
            }
        };
        let mut end = key.len().min(MAX_KEY);
        while !key.is_char_boundary(end) {
            end -= 1;
        }
        key.truncate(end);
        let wait = self.take(key, Instant::now())?;
        let mut answer = answer::problem(StatusCode::TOO_MANY_REQUESTS, "too many requests");
        let headers = answer.headers_mut();
        headers.insert(HeaderName::from_static("x-ratelimit-limit"), self.requests.into());
        if let Ok(window) = HeaderValue::from_str(&self.window_text) {
            headers.insert(HeaderName::from_static("x-ratelimit-window"), window);
        }
        headers.insert(RETRY_AFTER, wait.as_secs().saturating_add(1).into());
        Some(answer)
    }

    /// Takes a token; without one, says how long to wait.
    fn take(&self, key: String, now: Instant) -> Option<Duration> {
        let rate = self.requests as f64 / self.window.as_secs_f64();
        let mut buckets = self.buckets.lock();
        if now.duration_since(buckets.cleaned) >= self.cleanup {
            buckets.by_key.retain(|_, bucket| now.duration_since(bucket.filled) < self.ttl);
            buckets.cleaned = now;
        }
        if buckets.by_key.len() >= self.max_entries && !buckets.by_key.contains_key(&key) {
            // Full of others: drop those that are as good as new, and refuse strangers when there are none.
            let full = |bucket: &Bucket| bucket.tokens + now.duration_since(bucket.filled).as_secs_f64() * rate >= self.burst;
            buckets.by_key.retain(|_, bucket| !full(bucket));
            if buckets.by_key.len() >= self.max_entries {
                return Some(self.window);
            }
        }
        let bucket = buckets.by_key.entry(key).or_insert(Bucket { tokens: self.burst, filled: now });
        let gained = now.duration_since(bucket.filled).as_secs_f64() * rate;
        bucket.tokens = (bucket.tokens + gained).min(self.burst);
        bucket.filled = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return None;
        }
        Some(Duration::try_from_secs_f64((1.0 - bucket.tokens) / rate).unwrap_or(self.window))
    }
}

#[cfg(test)]
mod tests {
    use moonlet_registry::HttpMiddleware;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let options = [("ratelimit.requests", "60"), ("ratelimit.window", "1m"), ("ratelimit.burst", "2")];
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let limit = RateLimit::new(&Options::new(&HttpMiddleware { names: Vec::new(), options }));
        let now = Instant::now();
        assert_eq!(limit.take("a".into(), now), None);
        assert_eq!(limit.take("a".into(), now), None);
        assert_eq!(limit.take("a".into(), now), Some(Duration::from_secs(1)));
        assert_eq!(limit.take("b".into(), now), None);
        assert_eq!(limit.take("a".into(), now + Duration::from_secs(1)), None);
        assert!(limit.take("a".into(), now + Duration::from_secs(1)).is_some());
    }
}
