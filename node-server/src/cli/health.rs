//! `vectordoc health`: whether the server that these settings start is ready, for machines that look
//! after it where there is no other program to ask.

use super::{
    command::Run,
    config::{Effective, Flags, Settings},
    file,
    output::Output,
    runtime,
};
use axum::body::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use vectordoc::{Error, Result};

/// Who asks again every few seconds takes a later answer for none.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: usize = 64 * 1024;

const EXAMPLES: &str = "\
Examples:
  vectordoc health                             the server of this machine at the default address
  vectordoc health --listen 127.0.0.1:7701     one that was started with this
  vectordoc health --config vectordoc.toml     or with this

It takes the flags, variables and file that `vectordoc serve` takes, and asks for /readyz where that
server listens. It ends with code 0 when the server is ready, else with 1. Of a server with TLS it
expects the certificate of `--tls-cert`, whatever name that is for.";

/// Ask the server that these settings start whether it is ready
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Health {
    #[command(flatten)]
    flags: Flags,
}

impl Run for Health {
    fn run(&self, out: &mut Output) -> Result<()> {
        let settings = Effective::of(&self.flags)?.settings;
        let address = address_of(&settings)?;
        let asked = async { timeout(ANSWER_TIMEOUT, ask(address, &settings)).await };
        let answer = runtime::start()?.block_on(asked).unwrap_or_else(|_| {
            Err(Error::unavailable(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs())))
        });
        out.line(answer.map_err(|error| error.within(format!("the server at {address}")))?.trim())
    }
}

/// Where the server is reached from its own machine.
fn address_of(settings: &Settings) -> Result<SocketAddr> {
    let ip = match settings.listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    match settings.listen.port() {
        0 => Err(Error::invalid(
            "a server at port 0 listens at any free one; name the one it told (`--listen`)",
        )),
        port => Ok(SocketAddr::new(ip, port)),
    }
}

/// What the server says when it is ready.
async fn ask(address: SocketAddr, settings: &Settings) -> Result<String> {
    let failed = |error| Error::unavailable(format!("{error}; `vectordoc serve` starts one"));
    let stream = TcpStream::connect(address).await.map_err(failed)?;
    if settings.tls.cert.as_os_str().is_empty() {
        return get_ready(stream, address).await;
    }
    let connector = TlsConnector::from(Arc::new(client_of(&settings.tls.cert)?));
    let name = ServerName::from(address.ip());
    let stream = connector.connect(name, stream).await;
    get_ready(stream.map_err(|error| Error::unavailable(format!("TLS: {error}")))?, address).await
}

async fn get_ready<S>(stream: S, address: SocketAddr) -> Result<String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let failed = |error: &dyn std::fmt::Display| Error::unavailable(format!("/readyz: {error}"));
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| failed(&error))?;
    tokio::spawn(connection);
    let request = Request::get("/readyz").header("host", address.to_string());
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| failed(&error))?;
    let response = sender.send_request(request).await.map_err(|error| failed(&error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| failed(&error))?.to_bytes();
    let said = String::from_utf8_lossy(&body).into_owned();
    if status.is_success() { Ok(said) } else { Err(failed(&format_args!("{status}: {said}"))) }
}

/// A client that believes the certificate in the PEM file `chain` and no other.
fn client_of(chain: &Path) -> Result<ClientConfig> {
    let certificate = CertificateDer::from_pem_file(chain).map_err(|error| match error {
        rustls::pki_types::pem::Error::Io(error) => file::trouble(chain.display(), &error),
        error => Error::invalid(format!("{}: {error}", chain.display())),
    })?;
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(format!("TLS: {error}")))?;
    let verifier = Arc::new(Exactly { certificate, provider });
    Ok(config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Takes one certificate, which the server proves to have the key of.
#[derive(Debug)]
struct Exactly {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Exactly {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
