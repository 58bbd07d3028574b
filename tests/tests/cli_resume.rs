//! Promise: an import that is interrupted goes on where it was acknowledged, and never in the wrong
//! place.

mod cli_program;

use cli_program::{PROGRAM, Run, run, text};
use serde_json::{Value as Json, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// More rows than are imported before a process can be ended.
const ROWS: usize = 20_000;

struct Place {
    folder: TempDir,
}

impl Place {
    /// A folder with documents to import.
    fn new(rows: usize) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder") };
        let row = |n: usize| format!("{}\n", json!({"id": n, "embedding": [1.0, n], "n": n}));
        fs::write(place.source(), (0..rows).map(row).collect::<String>()).expect("written");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn source(&self) -> PathBuf {
        self.path("rows.jsonl")
    }

    fn bookmark(&self) -> PathBuf {
        self.path("rows.jsonl.import")
    }

    fn arguments(&self) -> Vec<String> {
        let (source, data) = (self.source(), self.path("data"));
        let words = ["import", text(&source), "--db", "things", "--data", text(&data)];
        words.map(str::to_owned).to_vec()
    }

    fn import(&self, more: &[&str]) -> Run {
        run(self.arguments().iter().map(String::as_str).chain(more.iter().copied()))
    }

    /// Kills an import once it has acknowledged something; returns how many rows it noted.
    fn interrupt(&self) -> u64 {
        let mut command = Command::new(PROGRAM);
        command.args(self.arguments()).args(["--batch", "5"]);
        let mut importing =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        while noted(&self.bookmark()).is_none() {
            assert!(importing.try_wait().expect("it is a process").is_none(), "it was too quick");
            std::thread::yield_now();
        }
        importing.kill().expect("it can be killed");
        importing.wait().expect("it ends");
        noted(&self.bookmark()).expect("it stays")
    }

    /// How many documents there are.
    fn count(&self) -> usize {
        let data = self.path("data");
        let arguments = ["export", "-", "--db", "things", "--data", text(&data), "--include", "n"];
        run(arguments).succeeded().lines().count()
    }
}

fn noted(bookmark: &Path) -> Option<u64> {
    let page: Json = serde_json::from_slice(&fs::read(bookmark).ok()?).expect("it is whole");
    page["rows"].as_u64()
}

#[test]
fn a_killed_import_goes_on_after_what_was_acknowledged() {
    let place = Place::new(ROWS);
    let noted = place.interrupt();
    let there = place.count();
    assert!(0 < noted && noted <= there as u64 && there < ROWS, "{noted} of {there}");
    let outcome = place.import(&["--resume", "--json"]).json();
    assert_eq!(outcome["resumed_after"], noted);
    assert_eq!(outcome["documents"], ROWS as u64 - noted);
    assert_eq!(place.count(), ROWS);
    assert!(!place.bookmark().exists());
    let again = place.import(&["--resume", "--json"]).json();
    assert_eq!((&again["resumed_after"], &again["documents"]), (&json!(0), &json!(ROWS)));
}

#[test]
fn a_bookmark_of_something_else_is_refused_and_the_way_out_is_told() {
    let place = Place::new(ROWS);
    place.interrupt();
    let there = place.count();
    let refused = |told: String, why: &str| {
        assert!(told.contains(why), "{told}");
        assert!(told.contains("import anew without --resume"), "{told}");
    };
    let mut elsewhere = place.arguments();
    elsewhere.push("--resume".into());
    elsewhere[3] = "others".into();
    refused(run(&elsewhere).failed(1), "others at ");

    let bookmark = fs::read(place.bookmark()).expect("it is there");
    fs::write(place.bookmark(), &bookmark[..bookmark.len() / 2]).expect("written");
    refused(place.import(&["--resume"]).failed(1), "rows.jsonl.import is damaged");
    fs::write(place.bookmark(), &bookmark).expect("written");

    let rows = fs::read_to_string(place.source()).expect("it is there");
    fs::write(place.source(), rows.replacen("1.0", "2.0", 1)).expect("written");
    refused(place.import(&["--resume"]).failed(1), "rows.jsonl has changed");
    assert_eq!(place.count(), there, "nothing was imported by any of them");
    fs::write(place.source(), rows.lines().take(9).collect::<Vec<_>>().join("\n"))
        .expect("written");
    place.import(&[]).succeeded();
    assert!(!place.bookmark().exists());
}

#[test]
fn an_import_does_not_go_on_in_a_database_that_is_gone() {
    let place = Place::new(ROWS);
    let noted = place.interrupt();
    fs::remove_dir_all(place.path("data")).expect("it was there");
    let told = place.import(&["--resume"]).failed(1);
    assert!(told.contains(&format!("{noted} documents were imported into it")), "{told}");
    assert!(!place.path("data/things").exists());
}

#[test]
fn a_folder_that_takes_no_bookmark_is_no_failure() {
    let place = Place::new(10);
    fs::create_dir(place.bookmark()).expect("a folder in the way");
    let run = place.import(&[]);
    assert!(run.stderr.contains("it has to begin anew"), "{}", run.stderr);
    run.succeeded();
    assert_eq!(place.count(), 10);
}
