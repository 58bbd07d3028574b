//! Promise: over `wss://` a client talks to the server it means, and to no other.

mod cli_program;
mod server_fixture;

use server_fixture::{Product, any_port, kind, products, within_time};
use std::{fs, net::IpAddr};
use tempfile::TempDir;
use vectordoc::{Client, Error, ErrorKind, Filter, Result};
use vectordoc_server::{Catalog, Server};

/// A certificate that vouches for itself, and its key, in files.
struct Certificate {
    folder: TempDir,
    pem: String,
}

impl Certificate {
    fn of(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("cert.pem"), made.cert.pem()).expect("written");
        let key = made.signing_key.serialize_pem();
        fs::write(folder.path().join("key.pem"), key).expect("written");
        Self { folder, pem: made.cert.pem() }
    }

    async fn serve(&self) -> Result<Server> {
        let path = |name| self.folder.path().join(name);
        let options = any_port().tls(path("cert.pem"), path("key.pem"));
        Server::start(Catalog::in_memory(1), &options).await
    }
}

fn refused(outcome: Result<Client<Product>>) -> Error {
    outcome.map(drop).expect_err("it must not connect")
}

#[tokio::test]
async fn documents_go_over_tls_to_a_server_of_the_own_authority() -> Result<()> {
    within_time(async {
        let certificate = Certificate::of(&["localhost", "127.0.0.1"]);
        let server = certificate.serve().await?;
        assert!(server.url().starts_with("wss://127.0.0.1:"), "{}", server.url());
        let named = format!("wss://localhost:{}", server.addr().port());
        for url in [server.url(), named] {
            let builder = Client::<Product>::builder(url).trust_only(certificate.pem.as_bytes());
            let client = builder.sockets(2).connect().await?;
            client.index(products(10)).await?;
            assert_eq!(client.count(Filter::All).await?, 10);
            client.close().await?;
        }
        server.shutdown().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_believes_the_authority_it_is_given() -> Result<()> {
    within_time(async {
        let certificate = Certificate::of(&["127.0.0.1"]);
        let server = certificate.serve().await?;
        let url = server.url();
        let builder = Client::<Product>::builder(&url).db("products");
        let client = builder.trust_only(certificate.pem.as_bytes()).connect().await?;
        client.index(products(10)).await?;
        let authority = certificate.folder.path().join("cert.pem");
        let export = move |more: &[&str]| {
            cli_program::run(["export", "-", "--db", "products", "--url", &url].iter().chain(more))
        };
        let ran = tokio::task::spawn_blocking(move || {
            (export(&["--ca", cli_program::text(&authority)]), export(&[]))
        });
        let (trusting, wary) = ran.await.expect("it ends");
        assert_eq!(trusting.succeeded().lines().count(), 10);
        assert!(wary.failed(1).contains("certificate"), "an unknown authority");
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_certificate_of_nobody_known_is_refused_and_the_way_out_is_told() -> Result<()> {
    within_time(async {
        let certificate = Certificate::of(&["127.0.0.1"]);
        let server = certificate.serve().await?;
        let stranger = Certificate::of(&["127.0.0.1"]);
        let builder = Client::<Product>::builder(server.url());
        let error = refused(builder.trust_only(stranger.pem.as_bytes()).connect().await);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.message().contains("trust_only"), "{error}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused() -> Result<()> {
    within_time(async {
        let certificate = Certificate::of(&["example.org"]);
        let server = certificate.serve().await?;
        let builder = Client::<Product>::builder(server.url());
        let error = refused(builder.trust_only(certificate.pem.as_bytes()).connect().await);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        let ip: IpAddr = server.addr().ip();
        assert!(error.message().contains(&ip.to_string()), "{error}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_expects_tls_where_there_is_none_is_told_and_the_other_way_round() -> Result<()> {
    within_time(async {
        let certificate = Certificate::of(&["127.0.0.1"]);
        let plain = Server::start(Catalog::in_memory(1), &any_port()).await?;
        let builder = Client::<Product>::builder(plain.url().replace("ws://", "wss://"));
        let error = refused(builder.trust_only(certificate.pem.as_bytes()).connect().await);
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        let server = certificate.serve().await?;
        let outcome = Client::<Product>::connect(server.url().replace("wss://", "ws://")).await;
        refused(outcome);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_authority_that_is_no_certificate_is_refused_before_anything_is_sent() -> Result<()> {
    within_time(async {
        for pem in
            ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "nonsense"]
        {
            let builder = Client::<Product>::builder("wss://127.0.0.1:1").trust_only(pem);
            let error = builder.connect().await;
            assert_eq!(kind(error.map(drop)), Some(ErrorKind::Invalid), "{pem:?}");
        }
        Ok(())
    })
    .await
}
