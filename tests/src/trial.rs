//! A random program on a database that rests on a simulated disk, the states it goes through, and
//! the judge of what is found of them later.

use crate::{disk::SimulatedDisk, random, twin::Twin};
use fastrand::Rng;
use std::collections::BTreeMap;
use vectordoc::{
    Database, Document, Error, Filter, Id, Include, Query, Result, Schema, Scroll, Value,
    filter::Test,
    native::{DatabaseOptions, Durability, Residence},
};

/// Where the database is on its disk.
pub const PATH: &str = "db";
const IDS: u64 = 40;
/// An id that no program uses.
const STRANGER: u64 = 1_000_000;

/// What is asked of the database.
#[derive(Clone, Debug)]
pub enum Step {
    /// Documents are inserted or replaced.
    Index(Vec<Document>, Durability),
    /// Documents are deleted by id.
    Delete(Vec<Id>, Durability),
    /// Documents are deleted by filter.
    DeleteWhere(Filter),
    /// Everything is checkpointed.
    Checkpoint,
    /// The database is closed and opened.
    Reopen,
    /// The documents are spread over so many shards.
    Reshard(usize),
}

impl Step {
    /// Makes its changes to a twin.
    pub fn take(&self, twin: &mut Twin, schema: &Schema) {
        match self {
            Self::Index(documents, _) => twin.index(schema, documents),
            Self::Delete(ids, _) => ids.iter().for_each(|id| {
                twin.documents.remove(id);
            }),
            Self::DeleteWhere(filter) => {
                for id in twin.matching(schema, filter) {
                    twin.documents.remove(&id);
                }
            }
            Self::Checkpoint | Self::Reopen | Self::Reshard(_) => {}
        }
    }

    /// Whether all before it is on stable storage once it is acknowledged, in this shard of so many.
    fn is_durable_in(&self, shard: usize, shards: usize) -> bool {
        let touches = |id: &Id| id.shard(shards) == shard;
        match self {
            Self::Index(documents, Durability::Fsync) => {
                documents.iter().any(|document| touches(&document.id))
            }
            Self::Delete(ids, Durability::Fsync) => ids.iter().any(touches),
            Self::Index(..) | Self::Delete(..) => false,
            Self::DeleteWhere(_) | Self::Checkpoint | Self::Reopen | Self::Reshard(_) => true,
        }
    }

    /// Whether it changes documents.
    pub fn is_write(&self) -> bool {
        !matches!(self, Self::Checkpoint | Self::Reopen | Self::Reshard(_))
    }

    /// Asks it of a database.
    pub fn ask(&self, database: &Database) -> Result<()> {
        match self {
            Self::Index(documents, durability) => {
                database.with_durability(*durability).index(documents.clone()).map(drop)
            }
            Self::Delete(ids, durability) => {
                database.with_durability(*durability).delete(ids.clone()).map(drop)
            }
            Self::DeleteWhere(filter) => database.delete_where(filter).map(drop),
            Self::Checkpoint => database.checkpoint(),
            Self::Reshard(shards) => database.reshard(*shards),
            Self::Reopen => Err(Error::internal("is not asked of a database")),
        }
    }
}

/// What kind of program it is.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Steps of it.
    pub steps: usize,
    /// Whether writes are in memory first, some of them.
    pub defers: bool,
    /// Whether the number of shards changes.
    pub reshards: bool,
}

/// A program, and what of it is asked how.
pub struct Trial {
    /// Of the documents.
    pub schema: Schema,
    /// The program.
    pub steps: Vec<Step>,
    /// What the documents are after each step; first, before any.
    pub states: Vec<Twin>,
    /// How many shards it begins with.
    pub shards: usize,
    /// Where documents are while the database is open.
    pub residence: Residence,
    history_bytes: u64,
    /// Whether files are checked as a whole when they are opened.
    pub verify: bool,
}

impl Trial {
    /// The trial of a seed.
    pub fn new(seed: u64, kind: Kind) -> Self {
        let mut rng = Rng::with_seed(seed);
        let index = ["exact", "hnsw"][rng.usize(..2)];
        let schema = Schema::from_json_str(&format!(
            r#"{{"id": "u64", "embedding": {{"vector": 4, "metric": "l2", "index": "{index}", "m": 4}},
                "price": {{"type": "f64", "filter": true}}, "name": {{"type": "string", "text": true}}}}"#
        ));
        let schema = schema.expect("the schema is well formed");
        let steps: Vec<Step> = (0..kind.steps).map(|_| step(&mut rng, &schema, kind)).collect();
        let mut states = vec![Twin::default()];
        for step in &steps {
            let mut twin = states[states.len() - 1].clone();
            step.take(&mut twin, &schema);
            states.push(twin);
        }
        Self {
            schema,
            steps,
            states,
            shards: rng.usize(1..=2),
            residence: [Residence::Memory, Residence::Disk][rng.usize(..2)],
            history_bytes: [0, 1 << 10, 1 << 20][rng.usize(..3)],
            verify: false,
        }
    }

    /// Opens the database on a disk, or creates it.
    pub fn create(&self, disk: &SimulatedDisk) -> Result<Database> {
        let has_file = disk.paths().iter().any(|path| path.extension().is_some());
        let shards = (!has_file).then_some(self.shards);
        Database::create(PATH, &self.schema, &DatabaseOptions { shards, ..self.options(disk) })
    }

    fn options(&self, disk: &SimulatedDisk) -> DatabaseOptions {
        DatabaseOptions {
            disk: Some(disk.share()),
            threads: Some(1),
            residence: self.residence,
            history_bytes: Some(self.history_bytes),
            verify: self.verify,
            ..DatabaseOptions::default()
        }
    }

    /// Runs the program, noting `2·n` on the disk before step `n` is asked and `2·n + 1` once it is
    /// acknowledged.
    pub fn run(&self, disk: &SimulatedDisk) -> Result<()> {
        let mut database = self.create(disk)?;
        for (number, step) in self.steps.iter().enumerate() {
            disk.note(2 * number as u64);
            match step {
                Step::Reopen => {
                    database.close()?;
                    database = self.create(disk)?;
                }
                step => step.ask(&database)?,
            }
            disk.note(2 * number as u64 + 1);
        }
        database.close()
    }

    /// Asserts that the database has, in each shard, a state between the last that is durable for
    /// sure when the first `acknowledged` steps were acknowledged, and that after the first `asked`;
    /// that what it has hangs together; and returns what it has.
    pub fn judge(&self, database: &Database, acknowledged: usize, asked: usize) -> Twin {
        let found = self.found(database).expect("what was acknowledged can be read");
        let shards = database.shards();
        for shard in 0..shards {
            let durable = |step: &Step| step.is_durable_in(shard, shards);
            let least = self.steps[..acknowledged].iter().rposition(durable).map_or(0, |n| n + 1);
            let states = &self.states[least..=asked];
            let of_shard = |twin: &Twin| part(twin, shard, shards);
            let there = of_shard(&found);
            assert!(
                states.iter().any(|state| of_shard(state) == there),
                "shard {shard} of {shards} has none of the states {least} to {asked}:\n{:?}\nbut\n{:?}",
                of_shard(&states[0]),
                there,
            );
        }
        self.judge_answers(database, &found);
        found
    }

    /// All documents that are found.
    pub fn found(&self, database: &Database) -> Result<Twin> {
        let all = Scroll { include: Include::Everything, ..Scroll::new(1_000) };
        let page = database.scroll(&all)?;
        assert!(page.cursor.is_none(), "there are more documents than were ever written");
        let documents = page.docs.into_iter().map(|document| (document.id.clone(), document));
        Ok(Twin { documents: documents.collect() })
    }

    /// Asserts that searches find what is there.
    pub fn judge_answers(&self, database: &Database, found: &Twin) {
        self.try_judge_answers(database, found).expect("what is there can be searched");
    }

    /// The same, where reading may fail.
    pub fn try_judge_answers(&self, database: &Database, found: &Twin) -> Result<()> {
        database.check()?;
        assert_eq!(database.count(&Filter::All)?, found.documents.len() as u64);
        let filter = Filter::field("price", Test::Gte(Value::Float(0.0)));
        for filter in [Filter::All, filter] {
            let matching = found.matching(&self.schema, &filter).len() as u64;
            assert_eq!(database.count(&filter)?, matching, "{filter:?}");
            let query = Query {
                limit: 7,
                exact: true,
                include: Include::Everything,
                filter,
                ..Query::new(vec![1.0, 0.5, -1.0, 2.0])
            };
            found.check_hits(&self.schema, &query, &database.search(&query)?);
        }
        Ok(())
    }

    /// Asserts that the database takes a write, and has it and `found` after it was closed and
    /// opened.
    pub fn judge_goes_on(&self, disk: &SimulatedDisk, database: &Database, found: &Twin) {
        let mut rng = Rng::with_seed(1);
        let document = random::document(&mut rng, &self.schema, STRANGER);
        let mut expected = found.clone();
        expected.index(&self.schema, std::slice::from_ref(&document));
        database.index(vec![document]).expect("the database takes writes");
        database.close().expect("the database closes");
        let database = self.create(disk).expect("the database opens again");
        let found = self.found(&database).expect("all can be read");
        assert_eq!(found.documents, expected.documents);
        self.judge_answers(&database, &expected);
        disk.cut_power();
    }
}

/// What of a state is in one shard of so many.
pub fn part(twin: &Twin, shard: usize, shards: usize) -> BTreeMap<Id, Document> {
    let documents = twin.documents.iter().filter(|(id, _)| id.shard(shards) == shard);
    documents.map(|(id, document)| (id.clone(), document.clone())).collect()
}

fn step(rng: &mut Rng, schema: &Schema, kind: Kind) -> Step {
    let durability = match kind.defers && rng.bool() {
        true => Durability::Memory,
        false => Durability::Fsync,
    };
    let ids = |rng: &mut Rng| (0..rng.usize(1..10)).map(|_| rng.u64(..IDS)).collect::<Vec<_>>();
    match rng.u8(..12) {
        0..6 => {
            let documents = ids(rng).into_iter().map(|id| random::document(rng, schema, id));
            Step::Index(documents.collect(), durability)
        }
        6 | 7 => Step::Delete(ids(rng).into_iter().map(Id::Int).collect(), durability),
        8 => Step::DeleteWhere(Filter::field("price", Test::Lt(Value::Float(-1.0)))),
        9 => Step::Reopen,
        10 if kind.reshards => Step::Reshard(rng.usize(1..=3)),
        _ => Step::Checkpoint,
    }
}
