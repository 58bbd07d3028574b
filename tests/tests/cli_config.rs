//! A server's settings come from flags, variables and a file, and a mistake in any is named.

mod cli_program;

use cli_program::{PROGRAM, Run, run, text};
use std::{fs, process::Command};

/// Runs `vectordoc config` on a file with this content.
fn config_of(content: &str, arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vectordoc.toml");
    fs::write(&path, content).expect("written");
    run([&["config", "--config", text(&path)], arguments].concat())
}

#[test]
fn what_config_prints_is_a_file_that_sets_the_same() {
    let flags =
        ["--shards", "4", "--message-bytes-max", "16MiB", "--allow-origins", "https://a.example"];
    let printed = run([&["config"], &flags[..]].concat()).succeeded();
    assert!(printed.contains("shards = 4  # --shards\n"), "{printed}");
    assert!(
        printed.contains("message_bytes_max = \"16MiB\"  # --message-bytes-max\n"),
        "{printed}"
    );
    assert!(printed.contains("listen = \"127.0.0.1:7700\"  # default\n"), "{printed}");
    let again = config_of(&printed, &[]).succeeded();
    let values = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split("  # ").next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(values(&again), values(&printed));
    assert!(again.contains("vectordoc.toml:"), "{again}");
}

#[test]
fn a_mistake_in_a_file_is_named_with_file_line_key_and_the_nearest_name() {
    let told = config_of("shards = 2\n[limits]\nconection_max = 3\n", &[]).failed(1);
    assert!(told.contains("vectordoc.toml:3: unknown setting"), "{told}");
    assert!(told.contains("\"limits.connections_max\""), "{told}");
    let told = config_of("[limits]\nin_flight_max = 0\n", &["--check"]).failed(1);
    assert!(told.contains("vectordoc.toml:2: limits.in_flight_max: 0 is not"), "{told}");
    let told = config_of("shards = \n", &["--check"]).failed(1);
    assert!(told.contains("vectordoc.toml:1: "), "{told}");
    let told = run(["config", "--config", "/nowhere/vectordoc.toml"]).failed(1);
    assert!(told.contains("/nowhere/vectordoc.toml"), "{told}");
    assert_eq!(config_of("shards = 2\n", &["--check"]).succeeded(), "the configuration is right\n");
}

#[test]
fn a_mistake_in_a_flag_or_a_variable_is_named() {
    let told = run(["config", "--shards", "0"]).failed(2);
    assert!(told.contains("--shards") && told.contains("from 1 to 64"), "{told}");
    let told = run(["config", "--shrads", "1"]).failed(2);
    assert!(told.contains("--shards"), "{told}");
    let output = Command::new(PROGRAM).arg("config").env("VECTORDOC_SHRADS", "3").output();
    let output = output.expect("the binary runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("VECTORDOC_SHARDS"), "{told}");
}
