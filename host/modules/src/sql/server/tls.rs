//! TLS towards servers of databases, as the operator wants it.

use std::path::Path;

use moonlet_runtime::Error;

use super::super::work::unavailable;
use super::settings::{Mode, Tls};
use crate::fail::unsupported;
use crate::http_client::tls::{TlsOptions, Trust};

/// The most bytes of a file with certificates.
const FILE_SIZE: u64 = 1 << 20;

/// Reads the files that the settings name.
pub(super) fn options(tls: &Tls) -> Result<TlsOptions, Error> {
    let read = |field: &str, path: &Option<std::path::PathBuf>| path.as_deref().map(|path| file(field, path)).transpose();
    let trust = match tls.mode {
        Mode::VerifyFull => Trust::Name,
        Mode::VerifyCa => Trust::Authority,
        Mode::Disable | Mode::Prefer | Mode::Require => Trust::Anyone,
    };
    Ok(TlsOptions::of(
        read("sslcert", &tls.certificate)?,
        read("sslkey", &tls.key)?,
        read("sslrootcert", &tls.authorities)?,
        trust,
    ))
}

fn file(field: &str, path: &Path) -> Result<String, Error> {
    let fits = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() <= FILE_SIZE);
    let text = if fits { std::fs::read_to_string(path).ok() } else { None };
    text.ok_or_else(|| unsupported(format!("the file of `options.{field}` cannot be read")))
}

/// Says why there is no TLS: a certificate stays what it is, a connection may do better another time.
pub(super) fn explain(message: String) -> Error {
    let again = !message.contains("certificate");
    unavailable(message).with_retryable(again)
}
