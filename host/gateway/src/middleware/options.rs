//! Options of middleware: text by names whose dots may be underscores, and which older applications write without the name of the middleware.

use std::time::Duration;

use moonlet_registry::{HttpMiddleware, parse_duration};

/// The options of a chain.
pub(crate) struct Options(Vec<(String, String)>);

impl Options {
    pub(crate) fn new(view: &HttpMiddleware) -> Self {
        Self(view.options.iter().map(|(name, value)| (name.replace('.', "_"), value.trim().to_owned())).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let older = || name.split_once('.').and_then(|(_, option)| self.named(option));
        self.named(name).or_else(older)
    }

    fn named(&self, name: &str) -> Option<&str> {
        let name = name.replace('.', "_");
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(crate) fn text(&self, name: &str, default: &str) -> String {
        self.get(name).unwrap_or(default).to_owned()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on"))
    }

    pub(crate) fn number(&self, name: &str, default: u64) -> u64 {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    /// Reads a duration, or a number of seconds.
    pub(crate) fn duration(&self, name: &str, default: Duration) -> Duration {
        let Some(value) = self.get(name) else { return default };
        let seconds = value.parse().ok().map(Duration::from_secs);
        seconds.or_else(|| parse_duration(value).ok()).unwrap_or(default)
    }

    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let value = self.get(name).unwrap_or_default();
        value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}

/// Origins that may use something: `*`, whole ones, hosts, or `*.example.com` for any below a domain.
#[derive(Debug, Clone)]
pub(crate) struct Origins(Vec<String>);

impl Origins {
    pub(crate) fn new(list: Vec<String>) -> Self {
        Self(list)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn any(&self) -> bool {
        self.0.iter().any(|origin| origin == "*")
    }

    /// Tells whether an origin is among them.
    pub(crate) fn allow(&self, origin: &str) -> bool {
        let scheme_end = origin.find("://").map_or(0, |at| at + 3);
        let (scheme, rest) = origin.split_at(scheme_end);
        let host = rest.split(':').next().unwrap_or_default();
        self.0.iter().any(|allowed| {
            let (wanted, pattern) = allowed.split_at(allowed.find("://").map_or(0, |at| at + 3));
            match pattern.strip_prefix("*.") {
                // The whole name must end there, or `evil-example.com` would pass for `*.example.com`.
                Some(domain) => {
                    (wanted.is_empty() || wanted.eq_ignore_ascii_case(scheme))
                        && host.len() > domain.len()
                        && host.to_ascii_lowercase().ends_with(&format!(".{}", domain.to_ascii_lowercase()))
                }
                // Without a scheme it is the host, which the origin may have with any scheme.
                None => {
                    allowed == "*"
                        || allowed.eq_ignore_ascii_case(origin)
                        || wanted.is_empty() && !rest.is_empty() && pattern.eq_ignore_ascii_case(rest)
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_match_as_a_whole() {
        let origins =
            Origins::new(vec!["https://app.example.com".into(), "*.example.org".into(), "https://*.example.net".into()]);
        for good in ["https://app.example.com", "http://a.example.org", "https://a.b.example.org:8443", "https://x.example.net"] {
            assert!(origins.allow(good), "{good}");
        }
        for bad in
            ["http://app.example.com", "https://example.org", "https://evilexample.org", "http://x.example.net", "null", ""]
        {
            assert!(!origins.allow(bad), "{bad}");
        }
        let hosts = Origins::new(vec!["localhost:8080".into(), "localhost".into(), "web.example.org".into()]);
        for good in ["http://localhost:8080", "http://localhost", "https://web.example.org"] {
            assert!(hosts.allow(good), "{good}");
        }
        for bad in ["http://localhost:80", "https://web.example.org:1", "https://a.web.example.org", "https://", "null", ""] {
            assert!(!hosts.allow(bad), "{bad}");
        }
    }

    #[test]
    fn dots_and_underscores_are_the_same() {
        let view = HttpMiddleware { names: Vec::new(), options: vec![("cors_allow_origins".into(), " a , b ".into())] };
        assert_eq!(Options::new(&view).list("cors.allow.origins"), ["a", "b"]);
    }

    #[test]
    fn the_name_of_the_middleware_may_be_left_out() {
        let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let options = vec![option("allow_origins", "a"), option("cors.max.age", "5"), option("max_age", "6")];
        let options = Options::new(&HttpMiddleware { names: Vec::new(), options });
        assert_eq!((options.get("cors.allow.origins"), options.get("cors.max.age")), (Some("a"), Some("5")));
        assert_eq!(options.get("ratelimit.window"), None);
    }
}
