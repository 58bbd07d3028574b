use super::*;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::fs;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::TlsConnector;
use vectordoc::ErrorKind;

const PATIENCE: Duration = Duration::from_secs(10);

/// A folder with a certificate for localhost and its key.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder);
    folder
}

/// Puts a new certificate there, and returns it in PEM.
fn write(folder: &TempDir) -> String {
    let names = vec!["localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    fs::write(folder.path().join("cert.pem"), made.cert.pem()).expect("written");
    fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).expect("written");
    made.cert.pem()
}

fn load(folder: &TempDir) -> Result<Tls> {
    Tls::load(folder.path().join("cert.pem"), folder.path().join("key.pem"))
}

/// The protocol that a client which trusts `pem` only agrees on with the server.
async fn agree(tls: &Tls, pem: &str) -> io::Result<Vec<u8>> {
    let mut roots = RootCertStore::empty();
    let trusted = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
    roots.add(trusted).expect("it can be trusted");
    let provider = Arc::new(ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("TLS").with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    let (near, far) = duplex(64 * 1024);
    let name = ServerName::try_from("localhost").expect("a name");
    let client = async {
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, near).await?;
        let protocol = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        stream.write_all(b"x").await?;
        stream.flush().await?;
        Ok::<_, io::Error>((protocol.unwrap_or_default(), stream))
    };
    let server = async {
        let mut stream = tls.accept(far, PATIENCE).await?;
        let byte = stream.read_u8().await?;
        Ok::<_, io::Error>((byte, stream))
    };
    let (client, server) = tokio::join!(client, server);
    // Both ends live until here: what one has left to say is no error.
    let (protocol, _client) = client?;
    let (byte, _server) = server?;
    assert_eq!(byte, b'x');
    Ok(protocol)
}

#[tokio::test]
async fn a_client_that_trusts_the_certificate_gets_in_and_speaks_http_2() -> Result<()> {
    let folder = folder();
    let pem = fs::read_to_string(folder.path().join("cert.pem")).expect("read");
    assert_eq!(agree(&load(&folder)?, &pem).await.expect("they agree"), b"h2");
    Ok(())
}

#[tokio::test]
async fn new_files_are_taken_over_and_bad_ones_leave_the_old_certificate() -> Result<()> {
    let folder = folder();
    let tls = load(&folder)?;
    let old = fs::read_to_string(folder.path().join("cert.pem")).expect("read");
    assert!(!tls.reload()?, "nothing has changed");

    fs::write(folder.path().join("cert.pem"), "no certificate").expect("written");
    let refused = tls.reload().expect_err("it is none");
    assert!(refused.message().contains("cert.pem has no certificate"), "{refused}");
    assert!(!tls.reload()?, "a failure is said once");
    assert_eq!(agree(&tls, &old).await.expect("they agree"), b"h2");

    let new = write(&folder);
    assert!(tls.reload()?);
    assert_eq!(agree(&tls, &new).await.expect("they agree"), b"h2");
    assert!(agree(&tls, &old).await.is_err(), "the old one is not shown any more");
    Ok(())
}

#[test]
fn a_key_of_another_certificate_is_refused() -> Result<()> {
    let (folder, other) = (folder(), folder());
    fs::copy(other.path().join("key.pem"), folder.path().join("key.pem")).expect("copied");
    let refused = load(&folder).map(drop).expect_err("they do not match");
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.message().contains("key.pem"), "{refused}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_given_up() -> Result<()> {
    let folder = folder();
    let (_near, far) = duplex(1024);
    let error = load(&folder)?.accept(far, PATIENCE).await.map(drop).expect_err("it is silent");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    Ok(())
}
