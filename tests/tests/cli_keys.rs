//! Keys are made, listed and revoked on the command line; their secrets are shown once and kept
//! nowhere.

mod cli_program;

use cli_program::{PROGRAM, Running, address, run, text};
use std::{fs, process::Command};
use tempfile::TempDir;
use vectordoc::{ErrorKind, Result};
use vectordoc_server::keys::{Caller, KeyFile, Keyring, Role};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn key(data: &TempDir, arguments: &[&str]) -> cli_program::Run {
    let [action, rest @ ..] = arguments else { panic!("an action") };
    run([&["key", action, "--data", text(data.path())], rest].concat())
}

fn create(data: &TempDir, arguments: &[&str]) -> String {
    key(data, &[&["create"], arguments].concat()).succeeded().trim().to_owned()
}

fn unauthenticated(result: Result<Caller>) -> bool {
    result.is_err_and(|error| error.kind() == ErrorKind::Unauthenticated)
}

#[tokio::test]
async fn a_key_opens_what_it_was_made_for_until_it_is_revoked() -> Result<()> {
    let data = folder();
    let keyring = Keyring::open(KeyFile::of(data.path()))?;
    assert_eq!(keyring.identify(None).await?, Caller::Anyone);
    let reader = create(&data, &["--role", "read", "--db", "products"]);
    let admin = create(&data, &["--role", "admin", "--name", "me"]);

    // The keyring was open before: it follows the file.
    let caller = keyring.identify(Some(&reader)).await?;
    caller.check(Role::Read, Some("products"))?;
    let refused = |role, db| caller.check(role, db).map_err(|error| error.kind());
    assert_eq!(refused(Role::Write, Some("products")), Err(ErrorKind::Denied));
    assert_eq!(refused(Role::Read, Some("others")), Err(ErrorKind::Denied));
    assert_eq!(keyring.identify(None).await?, Caller::Unknown);
    keyring.identify(Some(&admin)).await?.check(Role::Admin, None)?;

    let listed = key(&data, &["list", "--json"]).json();
    assert_eq!(listed["keys"][0]["dbs"], serde_json::json!(["products"]));
    assert_eq!(listed["keys"][1]["name"], "me");
    let id = listed["keys"][0]["id"].as_str().expect("an id").to_owned();
    key(&data, &["revoke", &id]).succeeded();
    // Another server would know at once, this one within its interval.
    assert!(unauthenticated(
        Keyring::open(KeyFile::of(data.path()))?.identify(Some(&reader)).await
    ));
    let told = key(&data, &["revoke", &id]).failed(1);
    assert!(told.contains(&id) && told.contains("key list"), "{told}");
    Ok(())
}

#[tokio::test]
async fn revoking_the_last_key_opens_nothing() -> Result<()> {
    let data = folder();
    let token = create(&data, &["--role", "admin"]);
    let told = key(&data, &["revoke", &token]).succeeded();
    assert!(told.contains("last one") && !told.contains(&token), "{told}");
    let keyring = Keyring::open(KeyFile::of(data.path()))?;
    assert_eq!(keyring.identify(None).await?, Caller::Unknown);
    assert!(unauthenticated(keyring.identify(Some(&token)).await));
    Ok(())
}

#[tokio::test]
async fn a_key_file_that_vanishes_or_breaks_keeps_its_keys() -> Result<()> {
    let data = folder();
    let token = create(&data, &["--role", "write"]);
    let keyring = Keyring::open(KeyFile::of(data.path()))?;
    let path = KeyFile::of(data.path()).path();
    let unknown = create(&folder(), &["--role", "admin"]);
    fs::write(&path, "{").expect("written");
    // An unknown key has the file looked at now.
    assert!(unauthenticated(keyring.identify(Some(&unknown)).await));
    keyring.identify(Some(&token)).await?.check(Role::Write, Some("a"))?;
    fs::remove_file(&path).expect("removed");
    assert!(unauthenticated(keyring.identify(Some(&unknown)).await));
    assert_eq!(keyring.identify(None).await?, Caller::Unknown);
    Ok(())
}

#[test]
fn the_secret_is_in_no_file_and_the_file_is_its_owners_alone() {
    let data = folder();
    let token = create(&data, &["--role", "admin"]);
    let secret = token.rsplit('_').next().expect("a part");
    for entry in fs::read_dir(data.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let content = fs::read_to_string(&path).expect("read");
        assert!(!content.contains(secret), "{}", path.display());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = data.path().join("keys.json");
        let mode = |path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("set");
        let told = key(&data, &["list"]).failed(1);
        assert!(told.contains("666") && told.contains("chmod 600"), "{told}");
    }
}

#[test]
fn two_commands_at_once_lose_no_key() {
    let data = folder();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| create(&data, &["--role", "read"]));
        }
    });
    let listed = key(&data, &["list", "--json"]).json();
    assert_eq!(listed["keys"].as_array().map(Vec::len), Some(8));
}

#[test]
fn a_role_that_is_none_is_refused_with_those_there_are() {
    let told = key(&folder(), &["create", "--role", "owner"]).failed(2);
    assert!(told.contains("read, write, admin"), "{told}");
}

#[test]
fn a_file_of_keys_is_for_several_servers_and_none_starts_without_it() {
    let folder = folder();
    let (file, data) = (folder.path().join("secrets/keys.json"), folder.path().join("data"));
    let serve = ["serve", "--data", text(&data), "--listen", "127.0.0.1:0", "--keys", text(&file)];
    let told = run(serve).failed(1);
    assert!(told.contains("secrets/keys.json") && told.contains("--keys"), "{told}");
    let made = run(["key", "create", "--role", "admin", "--keys", text(&file)]).succeeded();
    let mut server = Running::start(serve);
    let url = address(&server.line_with("ws://"));
    let refused = run(["list", "--url", &url]).failed(1);
    assert!(refused.contains("key"), "{refused}");
    let mut list = Command::new(PROGRAM);
    let listed = list.args(["list", "--url", &url]).env("VECTORDOC_KEY", made.trim()).output();
    assert!(listed.expect("the binary runs").status.success());
    assert!(!data.join("keys.json").exists());
    assert_eq!(server.terminate().1, Some(0));
}
