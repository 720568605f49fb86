//! TLS towards servers: the usual authorities, or what a program brings along.

use std::sync::{Arc, OnceLock};

use moonlet_runtime::{Error, Value};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::invalid;
use super::network::failed;

/// What a program says about TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TlsOptions {
    cert: Option<String>,
    key: Option<String>,
    ca: Option<String>,
    server_name: Option<String>,
    /// Whether the certificate of the server is not looked at.
    pub(crate) insecure: bool,
}

impl TlsOptions {
    /// Reads the option `tls`.
    pub(crate) fn read(value: &Value) -> Result<Self, Error> {
        let mut options = Self::default();
        let Value::Map(fields) = value else { return Ok(options) };
        for (name, value) in fields {
            let text = || value.as_str().map(str::to_owned);
            match name.as_str().unwrap_or_default() {
                "cert" => options.cert = text(),
                "key" => options.key = text(),
                "ca" => options.ca = text(),
                "server_name" => options.server_name = text(),
                "insecure_skip_verify" => options.insecure = value.as_bool().unwrap_or(false),
                other => return Err(invalid(format!("`tls` has no option `{other}`"))),
            }
        }
        if options.cert.is_some() != options.key.is_some() {
            return Err(invalid("`tls.cert` and `tls.key` belong together: give both or none"));
        }
        Ok(options)
    }

    /// Tells whether nothing special is wanted.
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        static USUAL: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        if self.is_usual()
            && let Some(config) = USUAL.get()
        {
            return Ok(Arc::clone(config));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(error.to_string()))?;
        let builder = if self.insecure {
            let schemes = provider.signature_verification_algorithms.supported_schemes();
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(schemes)))
        } else {
            builder.with_root_certificates(self.roots()?)
        };
        let mut config = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => {
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
                    .map_err(|error| invalid(format!("`tls.key` is no private key: {error}")))?;
                let chain = certificates(cert, "cert")?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| invalid(format!("`tls.cert` cannot be used: {error}")))?
            }
            _ => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        if self.is_usual() {
            return Ok(Arc::clone(USUAL.get_or_init(|| config)));
        }
        Ok(config)
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        match &self.ca {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(ca) => {
                for certificate in certificates(ca, "ca")? {
                    roots.add(certificate).map_err(|error| invalid(format!("`tls.ca` cannot be used: {error}")))?;
                }
            }
        }
        Ok(roots)
    }

    /// Begins TLS on a connection.
    pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(&self, host: &str, stream: S) -> Result<TlsStream<S>, Error> {
        let name = self.server_name.as_deref().unwrap_or(host).to_owned();
        let shown = name.clone();
        let name = ServerName::try_from(name).map_err(|_| invalid(format!("`{shown}` is no name of a server")))?;
        let connector = TlsConnector::from(self.config()?);
        connector.connect(name, stream).await.map_err(|error| failed(format!("no TLS with `{shown}`: {error}")))
    }
}

fn certificates(text: &str, field: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(invalid(format!("`tls.{field}` holds no certificate in PEM form"))),
    }
}

/// Takes any server for the right one, as a program with the grant for it wants.
#[derive(Debug)]
struct Anyone(Vec<SignatureScheme>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}
