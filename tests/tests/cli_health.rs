//! `vectordoc health`: whether the server that these settings start is ready.

mod cli_program;

use cli_program::{Running, address, run, text};
use std::fs;

#[test]
fn a_server_is_ready_until_it_is_gone() {
    let data = tempfile::tempdir().expect("a folder");
    let (server, url) = Running::serve(data.path());
    let listen = url.trim_start_matches("ws://");
    let ready = run(["health", "--listen", listen]).json();
    assert_eq!((&ready["status"], &ready["databases"]["broken"]), (&"ready".into(), &0.into()));
    assert_eq!(server.terminate().1, Some(0));
    let told = run(["health", "--listen", listen]).failed(1);
    assert!(told.contains(listen) && told.contains("vectordoc serve"), "{told}");
    let told = run(["health", "--listen", "127.0.0.1:0"]).failed(1);
    assert!(told.contains("--listen"), "{told}");
}

#[test]
fn of_a_server_with_tls_it_believes_the_certificate_of_the_settings_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for name in ["own", "other"] {
        // For a name that nobody asks for.
        let made = rcgen::generate_simple_self_signed(vec!["vectors.example.org".into()]);
        let made = made.expect("a certificate");
        fs::write(at(&format!("{name}.pem")), made.cert.pem()).expect("written");
        fs::write(at(&format!("{name}.key")), made.signing_key.serialize_pem()).expect("written");
    }
    let (data, cert, key) = (at("data"), at("own.pem"), at("own.key"));
    let mut server = Running::start([
        "serve",
        "--data",
        text(&data),
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        text(&cert),
        "--tls-key",
        text(&key),
    ]);
    let line = server.line_with("wss://").replace("wss://", "ws://");
    let url = address(&line);
    let listen = url.trim_start_matches("ws://");
    let ask = |cert: &str| run(["health", "--listen", listen, "--tls-cert", text(&at(cert))]);
    assert_eq!(ask("own.pem").json()["status"], "ready");
    let told = ask("other.pem").failed(1);
    assert!(told.contains("TLS") && told.contains("certificate"), "{told}");
    let told = ask("none.pem").failed(1);
    assert!(told.contains("none.pem"), "{told}");
    assert_eq!(server.terminate().1, Some(0));
}
