//! The key that the nodes of one cluster share. From it each of them makes the same certificate
//! authority, so that two nodes know each other by mutual TLS, and nobody without the key gets as far
//! as a first message.

use crate::{fault, random::random_hex};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ED25519,
};
use ring::hmac;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    server::WebPkiClientVerifier,
};
use std::{fmt, fs::File, io::Read, path::Path, sync::Arc};
use vectordoc::{Error, Result};

/// Fewer characters can be guessed.
const KEY_CHARS_MIN: usize = 32;
const KEY_CHARS_MAX: u64 = 1_024;
/// What every node is called in its certificate: which of them it is, the messages say.
const NAME: &str = "vectordoc-cluster";
/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 7).
const PKCS8_ED25519: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// What the authority's key is made for; another version would be another key.
const PURPOSE: &[u8] = b"vectordoc cluster authority 1";

/// What the nodes of one cluster have in common and nobody else knows.
#[derive(Clone)]
pub struct ClusterKey(Vec<u8>);

/// Says nothing of it.
impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cluster key")
    }
}

impl ClusterKey {
    /// The key in a file: one line of at least 32 characters.
    pub fn read(path: &Path) -> Result<Self> {
        let failed = |error| fault::os("cannot read", path.display(), &error);
        let mut text = String::new();
        let file = File::open(path).map_err(failed)?;
        file.take(KEY_CHARS_MAX + 1).read_to_string(&mut text).map_err(failed)?;
        let key = text.trim();
        if key.len() < KEY_CHARS_MIN || text.len() as u64 > KEY_CHARS_MAX {
            return Err(Error::invalid(format!(
                "{} has {} characters, and a cluster key has {KEY_CHARS_MIN} to {KEY_CHARS_MAX}; \
                 `vectordoc cluster key FILE` makes one",
                path.display(),
                text.len()
            )));
        }
        Ok(Self(key.as_bytes().to_vec()))
    }

    /// A new key, as the line of a file.
    pub fn generate() -> Result<String> {
        random_hex::<32>()
    }

    /// What this node shows and expects.
    pub(super) fn credentials(&self) -> Result<Credentials> {
        let authority = self.authority().map_err(internal)?;
        let own = KeyPair::generate_for(&PKCS_ED25519).map_err(internal)?;
        let certificate = CertificateParams::new(vec![NAME.into()])
            .and_then(|params| params.signed_by(&own, &authority.issuer))
            .map_err(internal)?;
        let chain = vec![certificate.der().clone()];
        let key = || PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.serialize_der()));
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate).map_err(internal)?;
        let roots = Arc::new(roots);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
        let verifier = verifier.build().map_err(internal)?;
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(internal)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key())
            .map_err(internal)?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(internal)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key())
            .map_err(internal)?;
        Ok(Credentials { server: Arc::new(server), client: Arc::new(client) })
    }

    fn authority(&self) -> Result<Authority, rcgen::Error> {
        let seed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), PURPOSE);
        let pkcs8 = [&PKCS8_ED25519[..], seed.as_ref()].concat();
        let der = PrivatePkcs8KeyDer::from(pkcs8);
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, NAME);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key)?.der().clone();
        Ok(Authority { certificate, issuer: Issuer::new(params, key) })
    }
}

struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// Both sides of a connection between nodes.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) server: Arc<ServerConfig>,
    pub(super) client: Arc<ClientConfig>,
}

/// The name by which a node that connects knows the other's certificate.
pub(super) fn server_name() -> Result<ServerName<'static>> {
    ServerName::try_from(NAME).map_err(internal)
}

fn internal(error: impl fmt::Display) -> Error {
    Error::internal(format!("the cluster key makes no certificate: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_makes_the_same_authority_and_another_key_another() {
        let of = |key: &str| {
            let authority = ClusterKey(key.into()).authority().expect("an authority");
            authority.issuer.key().public_key_raw().to_vec()
        };
        assert_eq!(of("one key"), of("one key"));
        assert_ne!(of("one key"), of("another key"));
    }
}
