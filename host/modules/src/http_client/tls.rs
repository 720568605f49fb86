//! TLS towards servers: the usual authorities, or what a program brings along.

use std::sync::{Arc, OnceLock};

use moonlet_runtime::{Error, Value};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
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
    /// Whether a certificate may have any name in it.
    any_name: bool,
    /// Whether what is spoken is something other than HTTP.
    other: bool,
}

/// What a server must prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Nothing.
    Anyone,
    /// That a known authority vouches for it.
    Authority,
    /// That a known authority vouches for its name.
    Name,
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

    /// Makes options for something other than HTTP, with the contents of files in PEM form.
    pub(crate) fn of(cert: Option<String>, key: Option<String>, ca: Option<String>, trust: Trust) -> Self {
        let (insecure, any_name) = (trust == Trust::Anyone, trust == Trust::Authority);
        Self { cert, key, ca, server_name: None, insecure, any_name, other: true }
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
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone { schemes, authority: None }))
        } else if self.any_name {
            let authority = WebPkiServerVerifier::builder_with_provider(Arc::new(self.roots()?), Arc::clone(&provider)).build();
            let authority = authority.map_err(|error| invalid(format!("`tls.ca` cannot be used: {error}")))?;
            let schemes = authority.supported_verify_schemes();
            let verifier = Anyone { schemes, authority: Some(authority) };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
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
        if !self.other {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
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

/// Takes any server for the right one, as whoever asks for it may, or any that an authority vouches for.
#[derive(Debug)]
struct Anyone {
    schemes: Vec<SignatureScheme>,
    authority: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(authority) = &self.authority else { return Ok(ServerCertVerified::assertion()) };
        // The name is looked at last: whoever has the wrong one has proved all the rest.
        match authority.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match &self.authority {
            Some(authority) => authority.verify_tls12_signature(message, cert, signature),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match &self.authority {
            Some(authority) => authority.verify_tls13_signature(message, cert, signature),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
