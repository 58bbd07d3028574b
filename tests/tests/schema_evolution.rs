//! Promise: a database opens with a struct that changed where nothing is lost by it, and says what
//! changed; any other change is a conflict that names the field, and leaves everything as it was.

use tempfile::tempdir;
use vectordoc::{
    Db, ErrorKind, Filter, Patch, Result, Value, VectorDoc,
    native::{Builder, Residence},
};

mod first {
    #[derive(Clone, Debug, PartialEq, vectordoc::VectorDoc)]
    pub(crate) struct Note {
        #[vectordoc(id)]
        pub(crate) id: u64,
        #[vectordoc(vector(dim = 4, metric = "l2"))]
        pub(crate) embedding: [f32; 4],
        pub(crate) author: String,
        #[vectordoc(filter)]
        pub(crate) stars: u8,
        #[vectordoc(filter)]
        pub(crate) place: Place,
    }

    #[derive(Clone, Debug, PartialEq, vectordoc::VectorDoc)]
    pub(crate) struct Place {
        #[vectordoc(filter)]
        pub(crate) country: String,
        pub(crate) city: String,
    }
}

mod second {
    /// `author` is filterable, `mood`, `place.street` and `picture` are new, `stars` is gone.
    #[derive(Clone, Debug, PartialEq, vectordoc::VectorDoc)]
    pub(crate) struct Note {
        #[vectordoc(id)]
        pub(crate) id: u64,
        #[vectordoc(filter)]
        pub(crate) mood: Option<String>,
        #[vectordoc(filter)]
        pub(crate) author: String,
        #[vectordoc(vector(dim = 4, metric = "l2"))]
        pub(crate) embedding: [f32; 4],
        #[vectordoc(vector(dim = 2))]
        pub(crate) picture: Option<Vec<f32>>,
        #[vectordoc(filter)]
        pub(crate) place: Place,
    }

    #[derive(Clone, Debug, PartialEq, vectordoc::VectorDoc)]
    pub(crate) struct Place {
        #[vectordoc(filter)]
        pub(crate) country: String,
        pub(crate) city: String,
        pub(crate) street: Option<String>,
    }
}

/// What both have.
#[derive(Debug, VectorDoc)]
struct Least {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 4, metric = "l2"))]
    embedding: [f32; 4],
}

/// As the first, with other types.
#[derive(Debug, VectorDoc)]
struct OtherType {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 4, metric = "l2"))]
    embedding: [f32; 4],
    author: String,
    #[vectordoc(filter)]
    stars: String,
}

/// As the first, with another dimension.
#[derive(Debug, VectorDoc)]
struct OtherDimension {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 5, metric = "l2"))]
    embedding: [f32; 5],
}

/// As the first, with a field that every document needs.
#[derive(Debug, VectorDoc)]
struct Demanding {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 4, metric = "l2"))]
    embedding: [f32; 4],
    editor: String,
}

const NOTES: u64 = 3_000;

fn note(id: u64) -> first::Note {
    let at = id as f32;
    let country = ["NL", "DE"][(id % 2) as usize].into();
    first::Note {
        id,
        embedding: [at, -at, at.sqrt(), 1.0],
        author: format!("author {}", id % 7),
        stars: (id % 5) as u8,
        place: first::Place { country, city: "here".into() },
    }
}

fn opened<T: VectorDoc>(
    path: &std::path::Path,
    options: impl Fn(Builder<T>) -> Builder<T>,
) -> Result<Db<T>> {
    options(Db::<T>::builder()).open(path)
}

fn evolves(shards: usize, residence: Residence) -> Result<()> {
    let directory = tempdir().expect("a temporary directory");
    let path = directory.path().join("notes");
    let db = opened::<first::Note>(&path, |builder| builder.shards(shards).residence(residence))?;
    db.index((0..NOTES).map(note))?;
    db.database().wait_indexed(&mut |_, _| {})?;
    // Some records after the checkpoint, to be replayed.
    db.patch(7, Patch::new().set("stars", 9_u8))?;
    db.close()?;

    let db = opened::<second::Note>(&path, |builder| builder.residence(residence))?;
    let said = db.database().schema_changes().join("\n");
    for part in ["\"mood\" was added", "\"picture\" was added", "\"place.street\" was added"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(said.contains("\"author\" has a filter index now"), "{said}");
    assert!(said.contains("\"stars\" is not given any more"), "{said}");
    assert_eq!(db.database().stats().unindexed, 0, "the graph was kept");
    db.database().check()?;
    let found = db.get(7)?.expect("it is there");
    assert_eq!(
        (found.author.as_str(), found.mood, found.embedding),
        ("author 0", None, note(7).embedding)
    );
    assert_eq!(
        db.count(second::Note::author().eq("author 3"))?,
        (0..NOTES).filter(|id| id % 7 == 3).count() as u64
    );
    let hits = db.search(&note(42).embedding).field("embedding").limit(3).run()?;
    assert_eq!(hits[0].id, 42.into());
    let patch = Patch::new().set("mood", "calm").set_vector("picture", &[1.0, 0.5]);
    db.patch(42, patch)?;
    assert_eq!(db.count(second::Note::mood().exists())?, 1);
    let picture = db.search(&[1.0, 0.5]).field("picture").run()?;
    assert_eq!(picture.len(), 1);
    assert_eq!(picture[0].doc.mood.as_deref(), Some("calm"));
    db.close()?;

    let db = opened::<second::Note>(&path, |builder| builder.residence(residence))?;
    assert!(db.database().schema_changes().is_empty(), "nothing changed since");
    let stars = db.database().facet("stars", &Filter::All, 10)?;
    assert!(
        stars.contains(&(Value::from(9_u8), 1)),
        "values of a field that is gone stay: {stars:?}"
    );
    db.database().check()?;
    db.close()?;

    let db = opened::<Least>(&path, |builder| builder.residence(residence))?;
    let hits = db.search(&note(42).embedding).limit(1).run()?;
    assert_eq!((hits[0].doc.id, hits[0].doc.embedding), (42, note(42).embedding));
    db.index([Least { id: NOTES, embedding: [0.0; 4] }])?;
    assert_eq!(db.count(Filter::All)?, NOTES + 1);
    db.close()
}

#[test]
fn a_struct_that_changed_opens_what_was_stored() -> Result<()> {
    evolves(1, Residence::Memory)?;
    evolves(3, Residence::Memory)?;
    evolves(2, Residence::Disk)
}

#[test]
fn what_would_lose_something_is_a_conflict_and_changes_nothing() -> Result<()> {
    let directory = tempdir().expect("a temporary directory");
    let path = directory.path().join("notes");
    let db = Db::<first::Note>::open(&path)?;
    db.index((0..10).map(note))?;
    db.close()?;
    let refused = |error: vectordoc::Error, field: &str| {
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.message().contains(field), "{error}");
    };
    refused(Db::<OtherType>::open(&path).expect_err("it has another type"), "\"stars\"");
    refused(Db::<OtherDimension>::open(&path).expect_err("another dimension"), "\"embedding\"");
    refused(Db::<Demanding>::open(&path).expect_err("it needs more"), "\"editor\"");
    let db = Db::<first::Note>::open(&path)?;
    assert!(db.database().schema_changes().is_empty());
    assert_eq!(db.get(3)?, Some(note(3)));
    db.close()
}

#[test]
fn what_the_types_say_of_each_kind_of_change() {
    let schema = |text: &str| vectordoc::Schema::from_json_str(text).expect(text);
    let id = r#""id": "u64""#;
    for (old, new, said) in [
        (r#""a": "string""#, r#""a": "string?""#, Ok(r#"field "a" became optional"#)),
        (
            r#""a": "string""#,
            r#""a": "number""#,
            Err(r#"field "a" is stored otherwise: its type is "string", not "number""#),
        ),
        (r#""a": "i32""#, r#""a": "i32[]""#, Err(r#"its type is "i32", not "i32[]""#)),
        (r#""a": "string?""#, r#""a": "string""#, Err("has to stay optional")),
        (
            r#""a": {"type": "string", "enum": ["x"]}"#,
            r#""a": {"type": "string", "enum": ["x", "y"]}"#,
            Ok("may hold further words"),
        ),
        (
            r#""a": {"type": "string", "enum": ["x", "y"]}"#,
            r#""a": {"type": "string", "enum": ["x"]}"#,
            Err(r#"the word "y""#),
        ),
        (r#""v": {"vector": 3}"#, r#""v": {"vector": 3, "index": "exact"}"#, Ok("another index")),
        (r#""v": {"vector": 3}"#, r#""v": {"vector": 4}"#, Err("3 dimensions, not 4")),
        (
            r#""v": {"vector": 3}"#,
            r#""v": {"vector": 3, "metric": "dot"}"#,
            Err("metric is cosine, not dot"),
        ),
    ] {
        let stored = schema(&format!("{{{id}, {old}}}"));
        let given = schema(&format!("{{{id}, {new}}}"));
        match (stored.evolved(&given), said) {
            (Ok((evolved, changes)), Ok(part)) => {
                assert_eq!(evolved, given);
                assert!(changes.len() == 1 && changes[0].contains(part), "{changes:?}");
            }
            (Err(error), Err(part)) => assert!(error.message().contains(part), "{error}"),
            (found, expected) => panic!("{old} to {new}: {found:?}, expected {expected:?}"),
        }
    }
}
