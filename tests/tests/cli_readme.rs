//! Promise: the commands of the README work as they are printed.

mod cli_program;

use cli_program::{PROGRAM, Running, npy, paste};

const README: &str = include_str!("../../README.md");

/// The commands of the README that begin with `words`, without their remarks.
fn commands(words: &str) -> Vec<String> {
    let lines = README.lines().filter(|line| line.starts_with(words));
    lines.map(|line| line.split('#').next().unwrap_or(line).trim().to_owned()).collect()
}

#[test]
fn a_database_is_served_filled_and_searched_as_the_readme_says() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| directory.path().join(name);
    let document = |number: u32| format!("{{\"id\": \"p{number}\", \"price\": {number}.5}}\n");
    std::fs::write(at("docs.jsonl"), (1..40).map(document).collect::<String>()).expect("written");
    let vectors: Vec<_> = (1u8..40).map(|n| vec![f32::from(n), 40.0 - f32::from(n), 1.0]).collect();
    npy::write_f32(&at("docs.npy"), &vectors);
    std::os::unix::fs::symlink(PROGRAM, at("vectordoc")).expect("a link");
    let (_server, url) = Running::serve(&at("data"));
    let run = |command: &str| {
        let folder = cli_program::text(directory.path());
        paste(&format!("cd '{folder}' && PATH=\"$PWD:$PATH\" {command} --url {url}")).succeeded()
    };
    let (imports, searches) = (commands("vectordoc import"), commands("vectordoc search"));
    assert_eq!((imports.len(), searches.len()), (1, 1), "the README shows one of each");
    run(&imports[0]);
    let found = run(&searches[0]);
    assert!(found.contains("p2") && !found.contains("p20"), "the nearest under 20:\n{found}");
    let exports = commands("vectordoc export");
    run(&exports[0]);
    let exported = std::fs::read_to_string(at("products.jsonl")).expect("written");
    assert_eq!((exports.len(), exported.lines().count()), (1, 39));
    assert_eq!(commands("vectordoc serve")[0], "vectordoc serve --data ./data");
}

#[test]
fn a_server_for_other_machines_takes_the_key_and_the_certificate_that_the_readme_says() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::os::unix::fs::symlink(PROGRAM, directory.path().join("vectordoc")).expect("a link");
    let run = |command: &str| {
        let folder = cli_program::text(directory.path());
        paste(&format!("cd '{folder}' && PATH=\"$PWD:$PATH\" {command}"))
    };
    let (keys, serves) = (commands("vectordoc key"), commands("vectordoc serve"));
    let serves: Vec<_> = serves.iter().filter(|serve| serve.contains("--tls-cert")).collect();
    assert_eq!((keys.len(), serves.len()), (1, 1), "the README shows one of each");
    assert!(run(serves[0]).failed(1).contains("there is no key"));
    assert!(run(&keys[0]).succeeded().starts_with("vd_"));
    assert!(run(serves[0]).failed(1).contains("chain.pem"));
}
