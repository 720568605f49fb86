//! TLS of a server: certificates from its entry, and what clients must show.

use std::sync::Arc;

use moonlet_registry::{HttpService, HttpTls};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use tokio_rustls::TlsAcceptor;

use super::multiplex;

/// Makes what speaks TLS; none for a server without it.
pub(super) fn acceptor(view: &HttpService) -> Result<Option<TlsAcceptor>, String> {
    let Some(tls) = &view.tls else { return Ok(None) };
    if tls.mode != "manual" {
        return Err(format!("mode `{}` needs a network overlay, which this build does not have; write `mode: manual`", tls.mode));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match verifier(tls, &provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let key =
        PrivateKeyDer::from_pem_slice(tls.key.as_bytes()).map_err(|error| format!("`tls.key` is no private key: {error}"))?;
    let mut config = builder.with_single_cert(certificates(&tls.cert, "cert")?, key).map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![multiplex::PROTOCOL.to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn certificates(text: &str, field: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(format!("`tls.{field}` holds no certificate")),
        Err(error) => Err(format!("`tls.{field}` cannot be read: {error}")),
    }
}

fn verifier(
    tls: &HttpTls,
    provider: &Arc<rustls::crypto::CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    let Some(how) = tls.client_auth.as_deref() else { return Ok(None) };
    let optional = matches!(how, "request" | "verify_if_given");
    let Some(authorities) = &tls.client_ca else {
        if matches!(how, "request" | "require_any") {
            let algorithms = provider.signature_verification_algorithms;
            return Ok(Some(Arc::new(AnyClient { mandatory: !optional, algorithms })));
        }
        return Err(format!("`client_auth: {how}` needs `client_ca`, who may have signed the certificates of clients"));
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authorities, "client_ca")? {
        roots.add(certificate).map_err(|error| format!("`tls.client_ca` cannot be used: {error}"))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    // A certificate that nobody checks proves nothing: where there are authorities, it is verified whatever it was asked for.
    let builder = if optional { builder.allow_unauthenticated() } else { builder };
    builder.build().map(|verifier| Some(verifier as Arc<dyn ClientCertVerifier>)).map_err(|error| error.to_string())
}

/// Takes any certificate of a client that has the key to it.
#[derive(Debug)]
struct AnyClient {
    mandatory: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
