//! Where a process may connect to, and connecting.
//!
//! Three things decide, in this order: the ceiling of the process host (`allow.network`), the policies, and for addresses that are not
//! public a grant of their own. A name is judged by the addresses it stands for at the moment of connecting, and the connection goes to
//! just those addresses, so that nothing can change in between. Where an overlay looks names up, only addresses that stand in the target
//! itself are judged.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use moonlet_registry::split_target;
use moonlet_runtime::{Authority, Error, ModuleCall};
use tokio::net::TcpStream;

use super::address::is_private;
use super::overlay::{Proxy, literal};

/// How long connecting to one address may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// What one process may reach.
#[derive(Clone)]
pub(crate) struct Reach {
    authority: Arc<Authority>,
    /// The process host, for messages and as owner of kept connections.
    pub(crate) host: String,
    ceiling: Option<Arc<[String]>>,
    /// What connections go through.
    pub(crate) overlay: Option<Arc<Proxy>>,
}

impl Reach {
    /// Finds out what a process may reach, and through which network: the one with this id, or else the one that it inherited or that the
    /// configuration names.
    ///
    /// # Errors
    ///
    /// As [`Proxy::find`]: nothing goes out directly because a network is gone.
    pub(crate) fn of(call: &ModuleCall<'_>, network: Option<&str>) -> Result<Self, Error> {
        let ceiling = call.allowed_network().map(|targets| targets.iter().cloned().collect());
        let overlay = network.or_else(|| call.network()).map(|id| Proxy::find(call, id)).transpose()?;
        Ok(Self { authority: call.authority(), host: call.host().to_owned(), ceiling, overlay })
    }

    /// Tells whether the policies allow an act.
    pub(crate) fn can(&self, action: &str, resource: &str) -> bool {
        self.authority.can(action, resource, None)
    }

    /// Refuses a target that the process host does not allow.
    ///
    /// # Errors
    ///
    /// `PermissionDenied`, with what would allow it.
    pub(crate) fn check_target(&self, host: &str, port: u16) -> Result<(), Error> {
        let Some(ceiling) = &self.ceiling else { return Ok(()) };
        if ceiling.iter().any(|pattern| matches(pattern, host, port)) {
            return Ok(());
        }
        Err(denied(format!(
            "not allowed: `{host}:{port}` is not among the network targets of the process host `{}`; \
             write `allow: {{ network: [\"{host}:{port}\"] }}` in its entry",
            self.host
        )))
    }

    /// Refuses an address that is not public, unless it was granted.
    ///
    /// # Errors
    ///
    /// `PermissionDenied`, with what would allow it.
    pub(crate) fn check_address(&self, host: &str, port: u16, address: IpAddr) -> Result<(), Error> {
        let address = address.to_canonical();
        if !is_private(address) {
            return Ok(());
        }
        let text = address.to_string();
        if let Some(ceiling) = &self.ceiling {
            // A pattern for many names was hardly meant for the machine itself.
            let named = ceiling
                .iter()
                .any(|pattern| !pattern.contains('*') && (matches(pattern, host, port) || matches(pattern, &text, port)));
            if !named {
                return Err(denied(format!(
                    "not allowed: private IP {text}; the process host `{}` grants it by name only: write `allow: {{ network: [\"{host}:{port}\"] }}`",
                    self.host
                )));
            }
        }
        if self.can("http_client.private_ip", &text) {
            return Ok(());
        }
        Err(denied(format!("not allowed: private IP {text}; a policy must allow `http_client.private_ip` on `{text}`")))
    }

    /// Connects to a host, at one of the addresses that it may be reached at; through an overlay there is no address.
    ///
    /// # Errors
    ///
    /// `PermissionDenied`, or `Internal` and retryable when nobody answers.
    pub(crate) async fn connect(&self, host: &str, port: u16) -> Result<(TcpStream, Option<SocketAddr>), Error> {
        self.check_target(host, port)?;
        if let Some(overlay) = &self.overlay {
            if let Some(address) = literal(host)? {
                self.check_address(host, port, address)?;
            }
            return Ok((overlay.connect(host, port).await?, None));
        }
        let addresses: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => {
                let found = tokio::time::timeout(CONNECT_TIMEOUT, tokio::net::lookup_host((host, port))).await;
                let found = found.map_err(|_| failed(format!("looking up `{host}` took too long")))?;
                found.map_err(|error| failed(format!("`{host}` has no address: {error}")))?.take(MAX_ADDRESSES).collect()
            }
        };
        let mut refused = None;
        let mut last = None;
        for address in addresses {
            if let Err(error) = self.check_address(host, port, address.ip()) {
                refused = Some(error);
                continue;
            }
            match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    let _ = stream.set_nodelay(true);
                    return Ok((stream, Some(address)));
                }
                Ok(Err(error)) => last = Some(error),
                Err(_) => last = Some(io::Error::new(io::ErrorKind::TimedOut, "connecting took too long")),
            }
        }
        match (last, refused) {
            (Some(error), _) => Err(failed(format!("cannot connect to {host}:{port}: {error}"))),
            (None, Some(error)) => Err(error),
            (None, None) => Err(failed(format!("`{host}` has no address"))),
        }
    }
}

/// Tells whether a target such as `api.example.com:443`, `*.example.com` or `10.0.0.1` is meant by a pattern.
fn matches(pattern: &str, host: &str, port: u16) -> bool {
    let (name, wanted) = split_target(pattern);
    if wanted.is_some_and(|wanted| wanted != "*" && wanted != port.to_string()) {
        return false;
    }
    match name.strip_prefix("*.") {
        Some(domain) => host.len() > domain.len() + 1 && host.ends_with(&format!(".{}", domain.to_ascii_lowercase())),
        None => name == "*" || name.eq_ignore_ascii_case(host),
    }
}

fn denied(message: String) -> Error {
    Error::new("PermissionDenied", message).with_retryable(false)
}

/// A failure of the network, which may go better next time.
pub(crate) fn failed(message: impl Into<String>) -> Error {
    Error::new("Internal", message).with_retryable(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, host, port) in [
            ("api.example.com:443", "api.example.com", 443),
            ("api.example.com", "api.example.com", 80),
            ("*.example.com", "a.b.example.com", 80),
            ("*:443", "anything.org", 443),
            ("*", "anything.org", 1),
            ("127.0.0.1:8080", "127.0.0.1", 8080),
            ("[::1]:80", "::1", 80),
            ("::1", "::1", 80),
        ] {
            assert!(matches(pattern, host, port), "{pattern} {host}:{port}");
        }
        for (pattern, host, port) in [
            ("api.example.com:443", "api.example.com", 80),
            ("*.example.com", "example.com", 80),
            ("*.example.com", "evilexample.com", 80),
            ("example.com", "example.com.evil.org", 80),
            ("127.0.0.1", "127.0.0.2", 80),
        ] {
            assert!(!matches(pattern, host, port), "{pattern} {host}:{port}");
        }
    }
}
