//! TLS by rustls: one certificate, replaced while the server runs when its files are.

mod certificate;

use crate::{fault, limits::TLS_CHECK_INTERVAL};
use certificate::Certificate;
use rustls::{ServerConfig, crypto::ring};
use std::{io, path::Path, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use vectordoc::{Error, Result};

/// What is spoken inside, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The server's side of TLS 1.2 and 1.3. Clones share it.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
}

impl Tls {
    /// TLS with the chain of certificates in the PEM file `chain`, the server's own first, and its
    /// private key in the PEM file `key`. Blocks. `invalid` when they cannot be used together.
    pub fn load(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self> {
        let certificate = Arc::new(Certificate::load(chain.as_ref(), key.as_ref())?);
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::internal(format!("TLS: {error}")))?;
        let resolver = Arc::clone(&certificate);
        let mut config = config.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate })
    }

    /// Shakes hands with a client, for so long at most.
    pub async fn accept<S>(&self, stream: S, patience: Duration) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let shaken = timeout(patience, self.acceptor.accept(stream)).await;
        shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Takes the files over if they have changed, and says whether it did. Blocks. Files that
    /// cannot be used leave the certificate that was there.
    pub fn reload(&self) -> Result<bool> {
        self.certificate.reload()
    }

    /// Follows the files for ever: looks every ten seconds, and, on Unix, on SIGHUP.
    pub async fn follow(self) {
        loop {
            tokio::select! {
                () = sleep(TLS_CHECK_INTERVAL) => {}
                () = hangup() => {}
            }
            let tls = self.clone();
            match tokio::task::spawn_blocking(move || tls.reload()).await {
                Ok(Ok(true)) => tracing::info!("the certificate is a new one"),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::error!(%error, "the certificate stays the old one"),
                Err(error) => tracing::error!(%error, "the certificate cannot be looked at"),
            }
        }
    }
}

#[cfg(unix)]
async fn hangup() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::hangup()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(error) => {
            let error = fault::os("cannot listen for", "SIGHUP", &error);
            tracing::warn!(%error, "the certificate is looked at by the clock only");
            std::future::pending().await
        }
    }
}

#[cfg(not(unix))]
async fn hangup() {
    std::future::pending().await
}

#[cfg(test)]
mod tests;
