//! Network overlays: connections through a SOCKS5 proxy of the operator.
//!
//! The proxy looks names up, so that they are judged by what they say and not by their addresses. There is no way around a proxy that was
//! chosen: what cannot go through it fails.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use moonlet_registry::Entry;
use moonlet_runtime::{Error, ModuleCall};
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::network::{CONNECT_TIMEOUT, failed};
use crate::fail::{self, internal, invalid};

const VERSION: u8 = 5;
const CONNECT: u8 = 1;
/// Ways to say who one is.
const NOBODY: u8 = 0;
const PASSWORD: u8 = 2;
/// Forms of addresses.
const V4: u8 = 1;
const NAME: u8 = 3;
const V6: u8 = 4;

/// A proxy as an entry describes it.
pub(crate) struct Proxy {
    /// The id of the entry.
    pub(crate) id: String,
    host: String,
    port: u16,
    login: Option<(String, String)>,
    /// Whether each connection has made-up credentials, by which Tor keeps connections apart.
    pub(crate) isolates: bool,
}

impl Proxy {
    /// Finds the proxy of an entry.
    ///
    /// # Errors
    ///
    /// `NotFound` or `Invalid` when there is no such entry, or no such proxy.
    pub(crate) fn find(call: &ModuleCall<'_>, id: &str) -> Result<Arc<Self>, Error> {
        let entry = fail::entry(call, id, "a network overlay (`kind: network.socks5`)", |kind| kind == "network.socks5")?;
        Self::read(&entry).map(Arc::new)
    }

    fn read(entry: &Entry) -> Result<Self, Error> {
        let id = entry.id.as_str();
        let text = |name: &str| match entry.data.get(name) {
            Some(Json::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Json::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let host = text("host").ok_or_else(|| invalid(format!("`{id}` has no `host`")))?;
        let port = text("port").and_then(|port| port.parse().ok()).filter(|port| *port > 0);
        let port = port.ok_or_else(|| invalid(format!("`{id}` has no `port`")))?;
        let login = text("username").map(|name| (name, text("password").unwrap_or_default()));
        if login.as_ref().is_some_and(|(name, password)| name.len() > 255 || password.len() > 255) {
            return Err(invalid(format!("`username` and `password` of `{id}` have at most 255 bytes each")));
        }
        let isolates = entry.data.get("isolate_streams") == Some(&Json::Bool(true));
        Ok(Self { id: id.to_owned(), host, port, login, isolates })
    }

    /// Connects to a host through the proxy.
    ///
    /// # Errors
    ///
    /// `Internal` and retryable when the proxy does not answer, or does not get there.
    pub(crate) async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Error> {
        let connect = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
            let mut stream =
                stream.map_err(|error| failed(format!("cannot connect to the proxy `{}`: {}", self.id, error.kind())))?;
            let _ = stream.set_nodelay(true);
            let login = if self.isolates { Some(made_up()?) } else { self.login.clone() };
            let offer = login.as_ref().map(|(name, password)| (name.as_str(), password.as_str()));
            open(&mut stream, host, port, offer).await.map_err(|error| self.explain(error, host, port))?;
            Ok(stream)
        };
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, connect).await;
        connected.map_err(|_| failed(format!("the proxy `{}` took too long", self.id)))?
    }

    fn explain(&self, error: Trouble, host: &str, port: u16) -> Error {
        match error {
            Trouble::Broken => failed(format!("the proxy `{}` broke off", self.id)),
            Trouble::NoSocks => internal(format!("`{}` does not lead to a SOCKS5 proxy", self.id)),
            Trouble::Stranger => {
                internal(format!("the proxy `{}` takes no connections from us: look at `username` and `password`", self.id))
            }
            Trouble::TooLong => invalid("the name of the host is too long"),
            Trouble::Refused(code) => {
                let why = match code {
                    2 => "not allowed there",
                    3 => "its network cannot be reached",
                    4 => "it cannot be reached",
                    5 => "it refused the connection",
                    6 => "it did not answer in time",
                    _ => "the proxy failed",
                };
                failed(format!("cannot connect to {host}:{port} through `{}`: {why}", self.id))
            }
        }
    }
}

/// Reads the address that a host stands for without looking it up, also in forms that others would take for one.
pub(crate) fn literal(host: &str) -> Result<Option<IpAddr>, Error> {
    if let Ok(address) = host.parse() {
        return Ok(Some(address));
    }
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(Some(Ipv4Addr::LOCALHOST.into()));
    }
    // No name ends like this, but `127.1` and `0x7f000001` are addresses for many programs.
    if name.rsplit('.').next().is_none_or(|last| last.is_empty() || last.starts_with(|first: char| first.is_ascii_digit())) {
        return Err(invalid("the host is neither a name nor an address in its usual form"));
    }
    Ok(None)
}

fn made_up() -> Result<(String, String), Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| internal("the system gives no random bytes"))?;
    let (name, password) = bytes.split_at(16);
    Ok((HEXLOWER.encode(name), HEXLOWER.encode(password)))
}

/// What can go wrong with a proxy.
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    Broken,
    /// It speaks something else.
    NoSocks,
    /// It wants to know who we are, or knows and does not like it.
    Stranger,
    TooLong,
    /// It got no connection, for the reason of this number.
    Refused(u8),
}

impl From<std::io::Error> for Trouble {
    fn from(_: std::io::Error) -> Self {
        Self::Broken
    }
}

/// Asks a proxy for a connection, as RFC 1928 and RFC 1929 say.
async fn open<S>(stream: &mut S, host: &str, port: u16, login: Option<(&str, &str)>) -> Result<(), Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let ways: &[u8] = if login.is_some() { &[VERSION, 1, PASSWORD] } else { &[VERSION, 1, NOBODY] };
    stream.write_all(ways).await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    match (chosen, login) {
        ([VERSION, NOBODY], None) => {}
        ([VERSION, PASSWORD], Some((name, password))) => {
            let mut words = vec![1];
            for word in [name, password] {
                words.push(u8::try_from(word.len()).map_err(|_| Trouble::TooLong)?);
                words.extend_from_slice(word.as_bytes());
            }
            stream.write_all(&words).await?;
            let mut answer = [0; 2];
            stream.read_exact(&mut answer).await?;
            if answer != [1, 0] {
                return Err(Trouble::Stranger);
            }
        }
        ([VERSION, _], _) => return Err(Trouble::Stranger),
        _ => return Err(Trouble::NoSocks),
    }
    let mut request = vec![VERSION, CONNECT, 0];
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            request.push(V4);
            request.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(V6);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            request.extend_from_slice(&[NAME, u8::try_from(host.len()).map_err(|_| Trouble::TooLong)?]);
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    stream.write_all(&request).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    let [version, code, _, form] = answer;
    if version != VERSION {
        return Err(Trouble::NoSocks);
    } else if code != 0 {
        return Err(Trouble::Refused(code));
    }
    // Where the proxy connects from is nothing to us.
    let length = match form {
        V4 => 4,
        V6 => 16,
        NAME => usize::from(stream.read_u8().await?),
        _ => return Err(Trouble::NoSocks),
    };
    let mut rest = vec![0; length + 2];
    stream.read_exact(&mut rest).await?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    /// Plays a proxy that answers with these bytes, and gives what came of it and what it heard.
    async fn played(host: &str, login: Option<(&str, &str)>, answers: &[u8]) -> (Result<(), Trouble>, Vec<u8>) {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(answers).await.unwrap();
        let result = open(&mut ours, host, 443, login).await;
        drop(ours);
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).await.unwrap();
        (result, heard)
    }

    #[tokio::test]
    async fn a_name_is_asked_for_without_looking_it_up() {
        let (result, heard) = played("example.com", None, b"\x05\0\x05\0\0\x01\x7f\0\0\x01\0\x50").await;
        assert_eq!(result, Ok(()));
        assert_eq!(heard, b"\x05\x01\0\x05\x01\0\x03\x0bexample.com\x01\xbb");
    }

    #[tokio::test]
    async fn addresses_and_passwords_are_sent() {
        let (result, heard) = played("10.0.0.1", Some(("me", "secret")), b"\x05\x02\x01\0\x05\0\0\x03\x01a\0\0").await;
        assert_eq!(result, Ok(()));
        assert_eq!(heard, b"\x05\x01\x02\x01\x02me\x06secret\x05\x01\0\x01\x0a\0\0\x01\x01\xbb");
        let (result, heard) = played("::1", None, &[b"\x05\0\x05\0\0\x04".as_slice(), &[0; 18]].concat()).await;
        assert_eq!(result, Ok(()));
        assert!(heard.ends_with(b"\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb"));
    }

    #[tokio::test]
    async fn what_a_proxy_refuses_is_told_apart() {
        for (answers, trouble) in [
            (&b"\x05\xff"[..], Trouble::Stranger),
            (b"\x05\x02", Trouble::Stranger),
            (b"HT", Trouble::NoSocks),
            (b"\x05\0\x05\x05\0\x01", Trouble::Refused(5)),
            (b"\x05\0\x04\0\0\x01", Trouble::NoSocks),
            (b"\x05\0\x05\0\0\x07", Trouble::NoSocks),
        ] {
            assert_eq!(played("a", None, answers).await.0, Err(trouble), "{answers:?}");
        }
        assert_eq!(played("a", Some(("a", "b")), b"\x05\x02\x01\x01").await.0, Err(Trouble::Stranger));
        assert_eq!(played("a", Some(("a", "b")), b"\x05\0").await.0, Err(Trouble::Stranger));
        assert_eq!(played(&"a".repeat(256), None, b"\x05\0").await.0, Err(Trouble::TooLong));
    }

    #[test]
    fn hosts_that_are_addresses_in_disguise_are_known() {
        for host in ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1"] {
            assert!(literal(host).unwrap().unwrap().is_loopback(), "{host}");
        }
        for host in ["127.1", "0x7f000001", "2130706433", "1.2.3.4.", "a.b.0x1", ""] {
            assert!(literal(host).is_err(), "{host}");
        }
        assert_eq!(literal("example.com").unwrap(), None);
        assert_eq!(literal("3.example.com").unwrap(), None);
    }
}
