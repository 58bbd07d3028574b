//! Promise: a database whose shards are elsewhere answers every request as one that has as many
//! shards itself; and a shard that does not answer is an error, never a part of an answer.

use fastrand::Rng;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::channel,
    },
    time::Duration,
};
use vectordoc::{
    Batch, ChangeQuery, Database, Error, ErrorKind, Examples, Filter, Fusion, GroupBy, Id, Include,
    Query, Result, Schema, Scroll, TextQuery,
    engine::Outcome,
    native::{DatabaseOptions, Elsewhere, Import, Pieces, ReadLevel, RecallQuery, WhenBusy},
    schema::IndexKind,
};
use vectordoc_tests::random;

const SHARDS: usize = 3;
const IDS: u64 = 60;

/// Shards that are databases of this process, each with the identity of a stream of its own.
struct Beside {
    shards: Vec<Database>,
    is_broken: AtomicBool,
}

impl Beside {
    fn check(&self, shard: usize) -> Result<()> {
        match self.is_broken.load(Ordering::Relaxed) && shard == SHARDS - 1 {
            true => Err(Error::unavailable(format!("shard {shard} does not answer"))),
            false => Ok(()),
        }
    }
}

impl Elsewhere for Beside {
    fn shards(&self) -> usize {
        self.shards.len()
    }

    fn ask(&self, questions: Vec<Vec<Vec<u8>>>, _: ReadLevel) -> Result<Vec<Vec<Vec<u8>>>> {
        let asked = self.shards.iter().zip(questions).enumerate();
        let answers = asked.map(|(number, (shard, questions))| {
            let answers = questions.iter().map(|question| {
                self.check(number)?;
                shard.answer(question)
            });
            answers.collect()
        });
        answers.collect()
    }

    fn write(&self, batches: Vec<Option<Batch>>, _: WhenBusy) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        for (number, (shard, batch)) in self.shards.iter().zip(batches).enumerate() {
            let Some(batch) = batch else { continue };
            self.check(number)?;
            // It arrives as bytes.
            let batch = Batch::from_bytes(&batch.to_bytes(), shard.schema())?;
            let (tell, heard) = channel();
            let written = move |outcome| tell.send(outcome).expect("somebody who waits");
            shard.write_forwarded(batch, Box::new(written))?;
            let outcome = heard.recv().expect("an outcome")?;
            outcomes.push(Outcome::from_bytes(&outcome.to_bytes())?);
        }
        Ok(outcomes)
    }

    fn follow(&self, listener: Arc<dyn Fn() + Send + Sync>) -> Result<Box<dyn Send + Sync>> {
        let follow = |shard: &Database| {
            let listener = Arc::clone(&listener);
            shard.on_change(move || listener())
        };
        Ok(Box::new(self.shards.iter().map(follow).collect::<Result<Vec<_>>>()?))
    }

    fn archive(&self, shard: usize) -> Result<Pieces> {
        const PIECE_BYTES: usize = 1_000;
        self.check(shard)?;
        let mut snapshot = self.shards[shard].snapshot()?;
        Ok(Box::new(move || snapshot.piece(PIECE_BYTES)))
    }
}

/// The same documents in a database with shards, and in one whose shards are elsewhere.
struct Program {
    rng: Rng,
    here: Database,
    spread: Database,
    beside: Arc<Beside>,
}

impl Program {
    fn new(seed: u64) -> Result<Self> {
        let mut rng = Rng::with_seed(seed);
        let schema = random::schema(&mut rng, IndexKind::Exact);
        Self::of(rng, &schema, |_, options| Database::in_memory(&schema, options))
    }

    fn of(
        rng: Rng,
        schema: &Schema,
        create: impl Fn(usize, &DatabaseOptions) -> Result<Database>,
    ) -> Result<Self> {
        let several = DatabaseOptions { shards: Some(SHARDS), ..DatabaseOptions::default() };
        let here = Database::in_memory(schema, &several)?;
        let one = DatabaseOptions { shards: Some(1), ..DatabaseOptions::default() };
        let shards = (0..SHARDS).map(|shard| create(shard, &one)).collect::<Result<_>>()?;
        let beside = Arc::new(Beside { shards, is_broken: AtomicBool::new(false) });
        let spread = Database::spread_over(schema, Arc::clone(&beside) as _);
        Ok(Self { rng, here, spread, beside })
    }

    /// Makes the same change to both, and compares what that did.
    fn write(&mut self) -> Result<()> {
        let (rng, schema) = (&mut self.rng, self.here.schema());
        let id = rng.u64(..IDS);
        match rng.u8(..8) {
            0 => {
                let ids: Vec<Id> = (0..4).map(|_| Id::Int(rng.u64(..IDS))).collect();
                let mut there = self.spread.delete(ids.clone())?;
                let mut here = self.here.delete(ids)?;
                there.missing.sort();
                here.missing.sort();
                assert_eq!(there, here);
            }
            1 => {
                let filter = random::filter(rng, 1);
                let patch = random::patch(rng, schema);
                let patched = self.spread.patch_where(&filter, &patch);
                assert_eq!(patched, self.here.patch_where(&filter, &patch), "{filter:?}");
            }
            2 => {
                let document = random::document(rng, schema, id);
                let version = self.here.get_versioned(&[Id::Int(id)], &Include::Nothing)?;
                let version = version[0].as_ref().map_or(0, |(_, version)| *version);
                let expected = version + u64::from(rng.u8(..3) == 0);
                let batch =
                    || Batch::index(vec![document.clone()]).expecting(Id::Int(id), expected);
                let changed = self.spread.change(&Id::Int(id), batch());
                assert_eq!(changed, self.here.change(&Id::Int(id), batch()));
            }
            3 => {
                let documents: Vec<_> =
                    [id, rng.u64(..IDS)].map(|id| random::document(rng, schema, id)).into();
                let updated = self.spread.update(documents.clone());
                assert_eq!(updated, self.here.update(documents));
            }
            4 if rng.u8(..4) == 0 => {
                let filter = random::filter(rng, 2);
                assert_eq!(self.spread.delete_where(&filter), self.here.delete_where(&filter));
            }
            _ => {
                let count = rng.u64(1..20);
                let documents: Vec<_> = (0..count)
                    .map(|_| {
                        let id = rng.u64(..IDS);
                        random::document(rng, schema, id)
                    })
                    .collect();
                assert_eq!(self.spread.index(documents.clone())?, self.here.index(documents)?);
            }
        }
        Ok(())
    }

    fn query(&mut self) -> Query {
        let rng = &mut self.rng;
        let dim = self.here.schema().vectors()[0].dim;
        let wrong = usize::from(rng.u8(..20) == 0);
        let vector = random::vector(rng, dim + wrong);
        let path = random::TEXT_PATHS[rng.usize(..random::TEXT_PATHS.len())];
        let text = TextQuery { words: random::words(rng, 4), field: Some(path.into()) };
        let (vector, text) = match rng.u8(..3) {
            0 => (Some(vector), None),
            1 => (None, Some(text)),
            _ => (Some(vector), Some(text)),
        };
        let fusions = [Fusion::default(), Fusion::Weighted { text: 0.5 }, Fusion::Rrf { k: 3 }];
        Query {
            vector,
            text,
            fusion: fusions[rng.usize(..fusions.len())],
            field: Some("embedding".into()),
            limit: rng.usize(..70),
            offset: rng.usize(..4),
            ef: (rng.u8(..4) == 0).then_some(3),
            exact: rng.bool(),
            filter: random::filter(rng, 2),
            except: vec![Id::Int(rng.u64(..IDS))],
            include: if rng.bool() { Include::Everything } else { Include::Values },
            ..Query::of_text("")
        }
    }

    fn compare(&mut self) -> Result<()> {
        let (here, there) = (self.here.clone(), self.spread.clone());
        let queries = [self.query(), self.query(), self.query()];
        for query in &queries {
            assert_eq!(there.explain(query), here.explain(query), "{query:?}");
            assert_eq!(there.search_warnings(query), here.search_warnings(query), "{query:?}");
            let field = ["name", "price", "color", "tags"][self.rng.usize(..4)].into();
            let by = GroupBy { field, size: self.rng.usize(..5) };
            let groups = there.search_groups(query, &by);
            assert_eq!(groups, here.search_groups(query, &by), "{query:?} {by:?}");
        }
        assert_eq!(there.search_batch(&queries), here.search_batch(&queries), "{queries:?}");
        let rng = &mut self.rng;
        let ids = |rng: &mut Rng| -> Vec<Id> { (0..2).map(|_| Id::Int(rng.u64(..IDS))).collect() };
        let examples = Examples { like: ids(rng), unlike: ids(rng) };
        let pattern = Query { text: None, vector: None, ..queries[0].clone() };
        let like = there.like(&examples, pattern.clone());
        assert_eq!(like, here.like(&examples, pattern), "{examples:?}");
        let filter = random::filter(rng, 2);
        assert_eq!(there.count(&filter), here.count(&filter), "{filter:?}");
        assert_eq!(there.warnings(&filter), here.warnings(&filter), "{filter:?}");
        let (path, limit) = (random::facet(rng), rng.usize(..9));
        let counts = there.facet(path, &filter, limit);
        assert_eq!(counts, here.facet(path, &filter, limit), "{path} {filter:?}");
        let ids: Vec<Id> = (0..rng.u64(..9)).map(|_| Id::Int(rng.u64(..IDS))).collect();
        for include in [Include::Everything, Include::Fields(vec!["name".into(), "nme".into()])] {
            let found = there.get_versioned(&ids, &include);
            if !ids.is_empty() {
                assert_eq!(found, here.get_versioned(&ids, &include), "{ids:?}");
            }
        }
        let order = rng.bool().then(|| random::order(rng));
        let mut scroll = Scroll { filter, order, ..Scroll::new(rng.usize(1..20)) };
        loop {
            let page = there.scroll(&scroll)?;
            assert_eq!(page, here.scroll(&scroll)?, "{scroll:?}");
            let Some(cursor) = page.cursor else { break };
            scroll.cursor = Some(cursor);
        }
        let (one, other) = (there.measure()?, here.measure()?);
        assert_eq!(
            (one.documents, one.shards, one.record_number),
            (other.documents, other.shards, other.record_number)
        );
        let query = RecallQuery { sample: 5, k: 3, ..RecallQuery::default() };
        let (one, other) = (there.recall(&query)?, here.recall(&query)?);
        assert_eq!((one.recall, one.sampled), (other.recall, other.sampled));
        Ok(())
    }
}

#[test]
fn shards_elsewhere_answer_as_shards_here() -> Result<()> {
    let first = random::seed(1);
    for seed in first..first + random::programs(12) {
        let mut program = Program::new(seed)?;
        for _ in 0..10 {
            for _ in 0..4 {
                program.write()?;
            }
            program.compare()?;
        }
    }
    Ok(())
}

#[test]
fn who_follows_shards_elsewhere_has_their_documents_in_the_end() -> Result<()> {
    let mut program = Program::new(random::seed(1))?;
    let there = program.spread.clone();
    let start = there.changes(&ChangeQuery::from_now())?;
    assert!(start.changes.is_empty() && !start.has_more);
    for _ in 0..40 {
        program.write()?;
    }
    let mut followed = std::collections::BTreeMap::new();
    let mut cursor = start.cursor;
    loop {
        let query = ChangeQuery { limit: 7, ..ChangeQuery::since(&cursor) };
        let page = there.changes(&query)?;
        assert!(page.changes.len() <= 7);
        for change in page.changes {
            match change {
                vectordoc::Change::Index { doc, version } => {
                    followed.insert(doc.id.clone(), (doc, version));
                }
                vectordoc::Change::Delete { id, .. } => drop(followed.remove(&id)),
                vectordoc::Change::Leave { id, .. } => panic!("{id:?} left no filter"),
            }
        }
        cursor = page.cursor;
        if !page.has_more {
            break;
        }
    }
    let ids: Vec<Id> = (0..IDS).map(Id::Int).collect();
    let found = there.get_versioned(&ids, &Include::Everything)?;
    let found: Vec<_> = found.into_iter().flatten().collect();
    let mut followed: Vec<_> = followed.into_values().collect();
    followed.sort_by_key(|(doc, _)| doc.id.clone());
    assert_eq!(followed, found);
    // Who waits is woken by any shard.
    let waiting = there.clone();
    let query = ChangeQuery::since(&cursor);
    let waiter =
        std::thread::spawn(move || waiting.changes_within(&query, Duration::from_secs(60)));
    let document = random::document(&mut program.rng, there.schema(), 7);
    there.index(vec![document])?;
    let page = waiter.join().expect("it ends")?;
    assert_eq!(page.changes.len(), 1);
    let stranger = there.changes(&ChangeQuery::since("1.2.3.4"));
    assert_eq!(stranger.map_err(|error| error.kind()), Err(ErrorKind::Conflict));
    Ok(())
}

#[test]
fn an_archive_of_shards_elsewhere_is_one_of_shards_here() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut rng = Rng::with_seed(random::seed(1));
    let schema = random::schema(&mut rng, IndexKind::Exact);
    let place = |name: &str| directory.path().join(name);
    let create = |shard: usize, options: &DatabaseOptions| {
        Database::create(place(&shard.to_string()), &schema, options)
    };
    let mut program = Program::of(rng, &schema, create)?;
    for _ in 0..30 {
        program.write()?;
    }
    let mut archive = Vec::new();
    program.spread.export(&mut archive, &mut |_, _| {})?;
    let mut import = Import::into(place("copy"), &DatabaseOptions::default())?;
    import.push(&archive)?;
    let copy = import.finish()?;
    assert_eq!(copy.shards(), SHARDS);
    let scroll = Scroll { include: Include::Everything, ..Scroll::new(1_000) };
    assert_eq!(copy.scroll(&scroll)?, program.here.scroll(&scroll)?);
    Ok(())
}

#[test]
fn a_shard_that_does_not_answer_is_an_error() -> Result<()> {
    let mut program = Program::new(random::seed(1))?;
    for _ in 0..10 {
        program.write()?;
    }
    program.beside.is_broken.store(true, Ordering::Relaxed);
    let there = &program.spread;
    let vector = random::vector(&mut program.rng, there.schema().vectors()[0].dim);
    let kinds = [
        there.search(&Query::new(vector)).map(drop),
        there.count(&Filter::All).map(drop),
        there.scroll(&Scroll::new(1)).map(drop),
        there.facet("tags", &Filter::All, 1).map(drop),
        there.changes(&ChangeQuery::from_now()).map(drop),
        there.measure().map(drop),
        there.delete_where(&Filter::All).map(drop),
    ];
    for result in kinds {
        let error = result.expect_err("a part is no answer");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("shard 2"), "{error}");
    }
    let resharded = there.reshard(5).expect_err("they are elsewhere");
    assert_eq!(resharded.kind(), ErrorKind::Unsupported);
    Ok(())
}
