//! Whose certificates a client believes.

use crate::{Error, Result};
use std::sync::Arc;
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

/// What a WebSocket is opened with (RFC 6455 §4.1).
const PROTOCOL: &[u8] = b"http/1.1";

/// Certificate authorities.
#[derive(Clone, Debug, Default)]
pub(super) enum Trust {
    /// Those the system trusts.
    #[default]
    System,
    /// Those of a PEM file, and no others.
    Only(Vec<u8>),
}

impl Trust {
    /// How to make sure of a server.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>> {
        let roots = match self {
            Self::System => system_roots()?,
            Self::Only(pem) => own_roots(pem)?,
        };
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::internal(format!("TLS: {error}")))?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Arc::new(config))
    }
}

/// What the system trusts; certificates in it that cannot be read are left out.
fn system_roots() -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let errors: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
    Err(Error::invalid(format!(
        "this system has no certificate authorities to trust ({}); install them, or name one with \
         `trust_only`",
        if errors.is_empty() { "none are installed".into() } else { errors.join(", ") }
    )))
}

fn own_roots(pem: &[u8]) -> Result<RootCertStore> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::invalid(format!("the certificate authority is no certificate in PEM: {error}"))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        roots.add(certificate).map_err(|error| unreadable(&error))?;
    }
    if roots.is_empty() {
        return Err(unreadable(&"there is none in it"));
    }
    Ok(roots)
}
