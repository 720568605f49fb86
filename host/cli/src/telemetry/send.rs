//! One request to the collector, on a connection of its own: there is about one in a second.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Otel;

/// Why spans were not taken; the text goes on after the address of the collector.
pub(super) struct Refused {
    pub(super) message: String,
    /// Whether it may go better next time.
    pub(super) retryable: bool,
}

impl Refused {
    fn unreachable(error: impl std::fmt::Display) -> Self {
        Self { message: format!("cannot be reached: {error}"), retryable: true }
    }

    fn wrong(error: impl std::fmt::Display) -> Self {
        Self { message: format!("cannot be asked: {error}"), retryable: false }
    }
}

/// Sends spans.
pub(super) async fn post(otel: &Otel, body: &str) -> Result<(), Refused> {
    let stream = TcpStream::connect((otel.host.as_str(), otel.port)).await.map_err(Refused::unreachable)?;
    if !otel.tls {
        return exchange(otel, stream, body).await;
    }
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(Refused::wrong)?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(otel.host.clone()).map_err(Refused::wrong)?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(Refused::unreachable)?;
    exchange(otel, stream, body).await
}

async fn exchange<S>(otel: &Otel, stream: S, body: &str) -> Result<(), Refused>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(Refused::unreachable)?;
    let answer = sender.send_request(request(otel, body)?);
    let status = tokio::select! {
        answer = answer => answer.map_err(Refused::unreachable)?.status(),
        ended = connection => return Err(match ended {
            Ok(()) => Refused::unreachable("it closed the connection"),
            Err(error) => Refused::unreachable(error),
        }),
    };
    if status.is_success() {
        return Ok(());
    }
    let later =
        [StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
    Err(Refused { message: format!("answers {status}"), retryable: later.contains(&status) })
}

fn request(otel: &Otel, body: &str) -> Result<Request<Full<Bytes>>, Refused> {
    let mut request = Request::post(otel.path.as_str())
        .header(HOST, format!("{}:{}", otel.host, otel.port))
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("moonlet/", env!("CARGO_PKG_VERSION")));
    for (name, value) in &otel.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(Refused::wrong)?;
        request = request.header(name, HeaderValue::from_str(value).map_err(Refused::wrong)?);
    }
    request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).map_err(Refused::wrong)
}
