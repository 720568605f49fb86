//! Certificates for tests, made anew each time: two authorities, a server and two clients.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};

/// Puts certificates and keys into a folder. `ca` vouches for `server`, which is `localhost`, and for `client`, which is `proven`;
/// `other` vouches for `stranger`, which says the same of itself.
pub(crate) fn make(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let keep = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let certify = |file: &str, name: &str, usage: ExtendedKeyUsagePurpose, authority: &CertifiedIssuer<'_, KeyPair>| {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        keep(&format!("{file}.pem"), &params.signed_by(&key, authority).unwrap().pem());
        keep(&format!("{file}.key"), &key.serialize_pem());
    };
    let (ca, other) = (authority("ours"), authority("another"));
    keep("ca.pem", &ca.pem());
    keep("other.pem", &other.pem());
    certify("server", "localhost", ExtendedKeyUsagePurpose::ServerAuth, &ca);
    certify("client", "proven", ExtendedKeyUsagePurpose::ClientAuth, &ca);
    certify("stranger", "proven", ExtendedKeyUsagePurpose::ClientAuth, &other);
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}
