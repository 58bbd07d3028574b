//! A certificate and its key, as two files have them.

use crate::{fault, limits::PEM_BYTES_MAX};
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    fmt,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use vectordoc::{Error, Result};

/// The certificate that new connections get.
pub(super) struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    current: RwLock<Loaded>,
}

struct Loaded {
    /// What the files said; an attempt that failed is not repeated until they say something else.
    bytes: (Vec<u8>, Vec<u8>),
    certified: Arc<CertifiedKey>,
}

impl Certificate {
    pub(super) fn load(chain: &Path, key: &Path) -> Result<Self> {
        let bytes = (read(chain)?, read(key)?);
        let certified = Arc::new(certify(chain, key, &bytes)?);
        let current = RwLock::new(Loaded { bytes, certified });
        Ok(Self { chain: chain.into(), key: key.into(), current })
    }

    pub(super) fn reload(&self) -> Result<bool> {
        let bytes = (read(&self.chain)?, read(&self.key)?);
        if bytes == self.current.read().unwrap_or_else(PoisonError::into_inner).bytes {
            return Ok(false);
        }
        let certified = certify(&self.chain, &self.key, &bytes);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.bytes = bytes;
        current.certified = Arc::new(certified?);
        Ok(true)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current.certified))
    }
}

/// Without the key.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate of {}", self.chain.display())
    }
}

fn certify(chain: &Path, key: &Path, bytes: &(Vec<u8>, Vec<u8>)) -> Result<CertifiedKey> {
    let no_pem = |path: &Path, what: &str, error: &dyn fmt::Display| {
        Error::invalid(format!("{} has no {what} in PEM: {error}", path.display()))
    };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes.0)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| no_pem(chain, "certificate", &error))?;
    if certificates.is_empty() {
        return Err(no_pem(chain, "certificate", &"there is no such section"));
    }
    let private = PrivateKeyDer::from_pem_slice(&bytes.1)
        .map_err(|error| no_pem(key, "private key", &error))?;
    CertifiedKey::from_der(certificates, private, &ring::default_provider()).map_err(|error| {
        Error::invalid(format!("{} and {}: {error}", chain.display(), key.display()))
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |error| fault::os("cannot read", path.display(), &error);
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(PEM_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > PEM_BYTES_MAX {
        return Err(Error::limit_exceeded(format!(
            "{} has over {PEM_BYTES_MAX} bytes, which no certificate or key has",
            path.display()
        )));
    }
    Ok(bytes)
}
