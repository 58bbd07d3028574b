//! How to get to a server: its addresses, the key to show, whom to trust.

use super::trust::Trust;
use crate::{Error, ErrorKind, Result};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{self, ClientConfig, pki_types::ServerName},
};
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri};

/// Where the service is when a URL does not say.
const PATH: &str = "/v1/ws";

/// Bytes both ways, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The addresses of one service, and who asks there.
pub(super) struct Way {
    addresses: Vec<Address>,
    /// The address to try next.
    next: AtomicUsize,
    /// `Authorization`.
    pub(super) authorization: Option<HeaderValue>,
}

/// One address.
pub(super) struct Address {
    /// As the user gave it.
    pub(super) url: String,
    pub(super) uri: Uri,
    host: String,
    port: u16,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Way {
    /// The way to any of `urls` with `key`, trusting `trust` where they begin with `wss`.
    pub(super) fn new(urls: &[String], key: Option<&str>, trust: &Trust) -> Result<Self> {
        let authorization = key.map(bearer).transpose()?;
        let mut tls = None;
        let mut addresses = Vec::with_capacity(urls.len());
        for url in urls {
            addresses.push(Address::parse(url, trust, &mut tls)?);
        }
        Ok(Self { addresses, next: AtomicUsize::new(0), authorization })
    }

    /// The addresses, each once, the first another one each time.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Address> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.addresses.len();
        (0..count).map(move |number| &self.addresses[first.wrapping_add(number) % count])
    }
}

fn bearer(key: &str) -> Result<HeaderValue> {
    let unsendable = |_| Error::invalid("the key has characters that no key has");
    let mut bearer = HeaderValue::try_from(format!("Bearer {key}")).map_err(unsendable)?;
    bearer.set_sensitive(true);
    Ok(bearer)
}

impl Address {
    /// Reads a URL. `tls` is made from `trust` when the first address needs it.
    fn parse(url: &str, trust: &Trust, tls: &mut Option<Arc<ClientConfig>>) -> Result<Self> {
        let wrong = || Error::invalid(format!("{url:?} is no address such as ws://localhost:7700"));
        let given: Uri = url.parse().map_err(|_| wrong())?;
        let authority = given.authority().ok_or_else(wrong)?;
        let (port, is_encrypted) = match given.scheme_str() {
            Some("ws") => (80, false),
            Some("wss") => (443, true),
            _ => return Err(wrong()),
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(port);
        let uri = match given.path() {
            "" | "/" => {
                let scheme = given.scheme_str().unwrap_or_default();
                format!("{scheme}://{authority}{PATH}").parse().map_err(|_| wrong())?
            }
            _ => given,
        };
        let tls = match is_encrypted {
            true => {
                let config = match tls {
                    Some(config) => config,
                    None => tls.insert(trust.config()?),
                };
                let name = ServerName::try_from(host.clone()).map_err(|_| wrong())?;
                Some((Arc::clone(config), name))
            }
            false => None,
        };
        Ok(Self { url: url.to_owned(), uri, host, port, tls })
    }

    /// Opens a stream, encrypted if the address says so.
    pub(super) async fn connect(&self) -> Result<Box<dyn Stream>> {
        let unreachable = |error: io::Error| Error::unavailable(error.to_string());
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(unreachable)?;
        // Only makes small requests wait.
        let _ = tcp.set_nodelay(true);
        let Some((config, name)) = &self.tls else { return Ok(Box::new(tcp)) };
        let stream = TlsConnector::from(Arc::clone(config)).connect(name.clone(), tcp).await;
        stream.map(|stream| Box::new(stream) as _).map_err(|error| distrusted(&error))
    }
}

/// Why no encryption was agreed on.
fn distrusted(error: &io::Error) -> Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let (kind, way_out) = match inner {
        Some(rustls::Error::InvalidCertificate(_)) => {
            (ErrorKind::Invalid, "; an authority of your own is given with `trust_only`")
        }
        Some(_) => (ErrorKind::Unsupported, "; a server without TLS is reached by ws://"),
        None => (ErrorKind::Unavailable, ""),
    };
    Error::new(kind, format!("no encrypted connection: {error}{way_out}"))
}
