//! Addresses of requests, and escapes in them.

use http::Uri;

/// The longest address in bytes.
const MAX_URL: usize = 16 << 10;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    /// As a program sees it.
    pub(crate) text: String,
    /// Whether it is TLS.
    pub(crate) tls: bool,
    /// The host, an address without brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
    /// The path with the query.
    pub(crate) path: String,
    /// Name and password that stand in it.
    pub(crate) user: Option<String>,
}

impl Url {
    /// Reads an address whose scheme is one of two, the second with TLS.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn parse(text: &str, schemes: [&str; 2]) -> Result<Self, String> {
        if text.len() > MAX_URL {
            return Err(format!("it has more than {MAX_URL} bytes"));
        }
        let text = text.trim().split('#').next().unwrap_or_default();
        let escaped: String = text.bytes().map(escape_odd).collect();
        let uri: Uri = escaped.parse().map_err(|error| format!("{error}"))?;
        let [plain, secure] = schemes;
        let tls = match uri.scheme_str() {
            Some(scheme) if scheme.eq_ignore_ascii_case(plain) => false,
            Some(scheme) if scheme.eq_ignore_ascii_case(secure) => true,
            Some(scheme) => return Err(format!("its scheme is `{scheme}`, and must be `{plain}` or `{secure}`")),
            None => return Err(format!("it has no scheme: write `{plain}://...` or `{secure}://...`")),
        };
        let authority = uri.authority().ok_or("it has no host")?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err("it has no host".to_owned());
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let user = authority.as_str().rsplit_once('@').map(|(user, _)| user.to_owned());
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let mut url = Self { text: String::new(), tls, host, port, path, user };
        url.text = format!("{}://{}{}", if tls { secure } else { plain }, url.authority(), url.path);
        Ok(url)
    }

    /// Returns host and port as a header has them.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.tls { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }

    /// Tells whether another address belongs to the same server.
    pub(crate) fn same_server(&self, other: &Self) -> bool {
        self.tls == other.tls && self.host == other.host && self.port == other.port
    }

    /// Follows the address of a redirect.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn join(&self, location: &str) -> Result<Self, String> {
        let schemes = ["http", "https"];
        let scheme = if self.tls { "https" } else { "http" };
        let location = location.trim();
        if location.contains("://") {
            return Self::parse(location, schemes);
        }
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{scheme}://{rest}"), schemes);
        }
        let base = self.path.split('?').next().unwrap_or("/");
        let path = if location.starts_with('/') {
            location.to_owned()
        } else if location.starts_with('?') {
            format!("{base}{location}")
        } else {
            let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
            normal(&format!("{folder}/{location}"))
        };
        Self::parse(&format!("{scheme}://{}{path}", self.authority()), schemes)
    }

    /// Adds fields to the query.
    pub(crate) fn add_query(&mut self, query: &str) {
        if query.is_empty() {
            return;
        }
        let joint = if self.path.contains('?') { '&' } else { '?' };
        for text in [&mut self.path, &mut self.text] {
            text.push(joint);
            text.push_str(query);
        }
    }
}

/// Takes `.` and `..` out of a path, without leaving its root.
fn normal(path: &str) -> String {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    let path = format!("/{}", parts.join("/"));
    query.map_or(path.clone(), |query| format!("{path}?{query}"))
}

/// Escapes what may not stand in an address and often does, such as a space.
fn escape_odd(byte: u8) -> String {
    match byte {
        b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => format!("%{byte:02X}"),
        other => char::from(other).to_string(),
    }
}

/// Escapes for a query: a space becomes `+`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(*byte)),
            b' ' => text.push('+'),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

/// Undoes `encode`; nothing for broken escapes.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let mut digit = || char::from(*rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                decoded.push(u8::try_from(high << 4 | low).ok()?);
            }
            other => decoded.push(*other),
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn parse(text: &str) -> Result<Url, String> {
        Url::parse(text, ["http", "https"])
    }

    #[test]
    fn addresses_are_taken_apart() {
        let url = parse("HTTPS://u:p@Example.com:8443/a b?x=1#top").unwrap();
        assert_eq!((url.tls, url.host.as_str(), url.port, url.path.as_str()), (true, "example.com", 8443, "/a%20b?x=1"));
        assert_eq!((url.text.as_str(), url.user.as_deref()), ("https://example.com:8443/a%20b?x=1", Some("u:p")));
        assert_eq!(parse("http://[::1]?a").unwrap().text, "http://[::1]/?a");
        for bad in ["", "example.com", "ftp://example.com", "http://", "/path", "http://exa mple.com/"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn redirects_are_followed_from_where_they_are() {
        let url = parse("http://example.com/a/b?c").unwrap();
        for (location, target) in [
            ("/x", "http://example.com/x"),
            ("x?y", "http://example.com/a/x?y"),
            ("../x", "http://example.com/x"),
            ("?z", "http://example.com/a/b?z"),
            ("//other.org/x", "http://other.org/x"),
            ("https://other.org", "https://other.org/"),
        ] {
            assert_eq!(url.join(location).unwrap().text, target, "{location}");
        }
    }

    #[test]
    fn escapes_go_both_ways() {
        assert_eq!(encode(b"hello world&\xff"), "hello+world%26%FF");
        assert_eq!(decode(b"hello+world%26%ff").unwrap(), b"hello world&\xff");
        assert!(decode(b"%").is_none() && decode(b"%zz").is_none() && decode(b"%4").is_none());
    }
}
