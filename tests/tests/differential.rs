//! Promise: exact search is exact, filters mean what they say, and what is read back is what was
//! written — on random programs, judged by the naive twin.

#[path = "../../core/examples/own_index.rs"]
#[expect(dead_code, reason = "only its index is of use here")]
mod example;

use fastrand::Rng;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};
use vectordoc::{
    Batch, Document, Engine, ErrorKind, Filter, Id, Include, Query, Record, Result, Scroll,
    TextQuery,
    engine::{Group, Place},
    index::Indexes,
    key::PageKey,
    rest::PageSource,
    schema::IndexKind,
};
use vectordoc_tests::{random, twin::Twin};

/// Where the pages of a checkpoint are stored.
#[derive(Default)]
struct Shelf(Mutex<HashMap<PageKey, Vec<u8>>>);

impl Shelf {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<PageKey, Vec<u8>>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PageSource for Shelf {
    fn read(&self, key: &PageKey, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        self.with(|pages| pages.get(key).map(|page| visit(page)).transpose())
            .map(|visited| visited.is_some())
    }
}

/// An engine and its twin through the same program.
struct Program {
    engine: Engine,
    twin: Twin,
    /// The pages of the last checkpoint.
    store: Arc<Shelf>,
    rng: Rng,
    indexes: Indexes,
    /// Filters asked for before.
    asked: Vec<Filter>,
}

impl Program {
    fn new(seed: u64, kind: IndexKind) -> Self {
        let mut rng = Rng::with_seed(seed);
        let schema = random::schema(&mut rng, kind);
        let indexes = match kind {
            IndexKind::Custom => Indexes::default().with("embedding", example::IvfCells),
            _ => Indexes::default(),
        };
        let engine = Engine::new(schema, &indexes).expect("every index is there");
        Self {
            engine,
            twin: Twin::default(),
            store: Arc::default(),
            rng,
            indexes,
            asked: Vec::new(),
        }
    }

    /// Applies a batch as a host would: by way of the record's bytes.
    fn apply(&mut self, batch: Batch) -> Result<()> {
        let (record, _) = self.engine.prepare(batch)?;
        let record = Record::from_bytes(&record.to_bytes(), self.engine.schema())?;
        self.engine.apply(&record)
    }

    fn step(&mut self) -> Result<()> {
        match self.rng.u8(..14) {
            13 => self.engine.wake(self.rng.usize(..4)).map(|_| ()),
            12 => self.patch(),
            0..5 => self.index(),
            5 => self.delete(),
            6 => self.delete_where(),
            7 => {
                while self.engine.maintain()? {}
                Ok(())
            }
            8 => self.engine.maintain().map(|_| ()),
            9 => self.reopen(),
            _ => self.compare(),
        }
    }

    fn index(&mut self) -> Result<()> {
        let count = self.rng.usize(1..40);
        let documents: Vec<Document> = (0..count)
            .map(|_| {
                let id = self.rng.u64(..150);
                random::document(&mut self.rng, self.engine.schema(), id)
            })
            .collect();
        self.apply(Batch::index(documents.clone()))?;
        self.twin.index(self.engine.schema(), &documents);
        Ok(())
    }

    /// Patches a document that may not be there, on the condition of a version that may be wrong.
    fn patch(&mut self) -> Result<()> {
        let id = Id::Int(self.rng.u64(..150));
        let patch = random::patch(&mut self.rng, self.engine.schema());
        let version = self.engine.version(&id)?;
        assert_eq!(version.is_some(), self.twin.documents.contains_key(&id));
        let wrong = Batch::patch(id.clone(), patch.clone()).expecting(id.clone(), u64::MAX);
        assert_eq!(self.apply(wrong).map_err(|error| error.kind()), Err(ErrorKind::Conflict));
        let batch = Batch::patch(id.clone(), patch.clone());
        let applied = self.apply(batch.expecting(id.clone(), version.unwrap_or(0)));
        if version.is_none() {
            assert_eq!(applied.map_err(|error| error.kind()), Err(ErrorKind::NotFound));
            return Ok(());
        }
        applied?;
        assert_eq!(self.engine.version(&id)?, Some(self.engine.record_number()));
        self.twin.patch(self.engine.schema(), &id, &patch);
        let patched = self.engine.get(&id, &Include::Everything)?;
        assert_eq!(patched.as_ref(), self.twin.documents.get(&id), "{patch:?}");
        Ok(())
    }

    fn delete(&mut self) -> Result<()> {
        let count = self.rng.usize(1..30);
        let ids: Vec<Id> = (0..count).map(|_| Id::Int(self.rng.u64(..150))).collect();
        self.apply(Batch::delete(ids.clone()))?;
        ids.iter().for_each(|id| {
            self.twin.documents.remove(id);
        });
        Ok(())
    }

    fn delete_where(&mut self) -> Result<()> {
        if self.rng.u8(..4) > 0 {
            return Ok(());
        }
        let filter = random::filter(&mut self.rng, 2);
        for id in self.twin.matching(self.engine.schema(), &filter) {
            self.twin.documents.remove(&id);
        }
        self.apply(Batch::delete_where(filter))
    }

    /// Checkpoints, and goes on with the engine or opens it again, in memory, at rest or waking, as a
    /// host would.
    fn reopen(&mut self) -> Result<()> {
        let mut checkpoint = self.engine.checkpoint();
        for key in &checkpoint.pages {
            let page = self.engine.page(&checkpoint, key)?;
            self.store.with(|pages| pages.insert(*key, page));
        }
        let meta = checkpoint.meta.clone();
        let stale = std::mem::take(&mut checkpoint.stale);
        self.engine.checkpointed(checkpoint);
        self.store.with(|pages| {
            stale.iter().for_each(|key| assert!(pages.remove(key).is_some()));
            assert!(pages.keys().all(|key| self.engine.has_page(key)), "a page was left behind");
        });
        let source: Arc<dyn PageSource> = Arc::clone(&self.store) as _;
        match self.rng.u8(..4) {
            0 => {}
            3 => self.engine = Engine::open_waking(&meta, &source, &self.indexes)?,
            1 => self.engine = Engine::open(&meta, &*source, &self.indexes)?,
            _ => self.engine = Engine::open_at_rest(&meta, &source, &self.indexes)?,
        }
        Ok(())
    }

    /// A filter, every other time one of those asked for before: the engine keeps their slots.
    fn filter(&mut self) -> Filter {
        const KEPT: usize = 4;
        if self.rng.bool() && self.asked.len() == KEPT {
            return self.asked[self.rng.usize(..KEPT)].clone();
        }
        let filter = random::filter(&mut self.rng, 3);
        self.asked.truncate(KEPT - 1);
        self.asked.insert(0, filter.clone());
        filter
    }

    fn compare(&mut self) -> Result<()> {
        let schema = self.engine.schema().clone();
        let filter = self.filter();
        let json = serde_json::to_string(&filter).expect("a filter has JSON");
        let expected = self.twin.matching(&schema, &filter);
        assert_eq!(self.engine.count(&filter)?, expected.len() as u64, "{filter:?}");
        assert_eq!(self.engine.count(&json.parse()?)?, expected.len() as u64, "{json}");
        let limit = self.rng.usize(..20);
        let include = Include::Everything;
        let scroll = Scroll { filter: filter.clone(), include, ..Scroll::new(limit) };
        let page = self.engine.scroll(&scroll, None)?;
        let page: Vec<Document> = page.into_iter().map(|(_, document)| document).collect();
        let documents: Vec<Document> =
            expected.iter().take(limit).map(|id| self.twin.documents[id].clone()).collect();
        assert_eq!(page, documents, "{filter:?}");
        self.compare_orders(&filter)?;
        self.compare_text(filter.clone())?;
        self.compare_search(filter)
    }

    /// Scrolls page by page in the order of a field, and counts the values of one.
    fn compare_orders(&mut self, filter: &Filter) -> Result<()> {
        let schema = self.engine.schema().clone();
        let order = random::order(&mut self.rng);
        let mut scroll = Scroll {
            filter: filter.clone(),
            order: Some(order.clone()),
            include: Include::Everything,
            ..Scroll::new(self.rng.usize(1..9))
        };
        let mut documents = Vec::new();
        loop {
            let cursor = scroll.cursor.as_deref();
            let after = cursor.map(|cursor| Place::of_cursor(cursor, &schema, Some(&order)));
            let page = self.engine.scroll(&scroll, after.transpose()?.as_ref())?;
            let Some((last, _)) = page.last() else { break };
            scroll.cursor = Some(last.cursor(&schema, Some(&order))?);
            documents.extend(page.into_iter().map(|(_, document)| document));
        }
        assert_eq!(documents, self.twin.ordered(&schema, filter, &order), "{scroll:?}");
        let path = random::facet(&mut self.rng);
        for (value, count) in self.engine.facet(path, filter)? {
            assert_eq!(count, self.twin.having(&schema, filter, path, &value), "{path} {value:?}");
        }
        Ok(())
    }

    fn compare_text(&mut self, filter: Filter) -> Result<()> {
        let schema = self.engine.schema().clone();
        let path = random::TEXT_PATHS[self.rng.usize(..random::TEXT_PATHS.len())];
        let words = random::words(&mut self.rng, 4);
        let query = Query {
            text: Some(TextQuery { words: words.clone(), field: Some(path.into()) }),
            limit: self.rng.usize(..20),
            offset: self.rng.usize(..3),
            filter,
            include: Include::Everything,
            ..Query::of_text("")
        };
        let scores = self.twin.search_text(&schema, path, &words, &query.filter);
        let mut best: Vec<f64> = scores.values().copied().collect();
        best.sort_by(|a, b| b.total_cmp(a));
        let best: Vec<f64> = best.into_iter().skip(query.offset).take(query.limit).collect();
        let hits = self.engine.search(&query)?;
        assert_eq!(hits.len(), best.len(), "{query:?}");
        for (hit, score) in hits.iter().zip(best) {
            assert_eq!(hit.doc, self.twin.documents[&hit.id]);
            // Hits of equal scores may stand in another order where rounding differs.
            assert!((score - scores[&hit.id]).abs() < 1e-4, "{query:?}: {hit:?}");
            assert!((f64::from(hit.score) - scores[&hit.id]).abs() < 1e-4, "{query:?}: {hit:?}");
        }
        let vector = random::vector(&mut self.rng, schema.vectors()[0].dim);
        let fused = self.engine.search(&Query { vector: Some(vector), ..query.clone() })?;
        let ids: HashSet<&Id> = fused.iter().map(|hit| &hit.id).collect();
        assert_eq!(ids.len(), fused.len(), "no hit is there twice");
        assert!(fused.len() >= hits.len(), "what either list has can be a hit");
        assert!(fused.windows(2).all(|pair| pair[0].score >= pair[1].score), "{query:?}");
        Ok(())
    }

    fn compare_search(&mut self, filter: Filter) -> Result<()> {
        let schema = self.engine.schema().clone();
        let field = &schema.vectors()[0];
        let query = Query {
            limit: self.rng.usize(..20),
            offset: self.rng.usize(..3),
            filter,
            exact: true,
            include: Include::Everything,
            ..Query::new(random::vector(&mut self.rng, field.dim))
        };
        let hits = self.engine.search(&query)?;
        self.twin.check_hits(&schema, &query, &hits);
        let walked = self.engine.search(&Query { exact: false, ..query })?;
        assert_eq!(walked.len(), hits.len(), "a walk returns as many hits");
        Ok(())
    }
}

fn run(kind: IndexKind, programs: u64, steps: usize) {
    let first = random::seed(1);
    for seed in first..first + programs {
        let mut program = Program::new(seed, kind);
        for step in 0..steps {
            program.step().unwrap_or_else(|error| panic!("seed {seed}, step {step}: {error:?}"));
        }
        while program.engine.maintain().expect("all pages are there") {}
        program.engine.check().unwrap_or_else(|error| panic!("seed {seed}: {error:?}"));
    }
    random::figure(&format!("differential/{kind:?}"), programs, "programs, 0 other answers");
}

#[test]
fn a_scanned_collection_answers_as_its_twin() {
    run(IndexKind::Exact, random::programs(150), 60);
}

#[test]
fn a_collection_with_a_graph_answers_as_its_twin() {
    run(IndexKind::Hnsw, random::programs(150), 60);
}

#[test]
fn a_collection_with_the_graph_of_hnsw_rs_answers_as_its_twin() {
    run(IndexKind::HnswRs, random::programs(150), 60);
}

#[test]
fn a_collection_with_an_index_of_its_user_answers_as_its_twin() {
    run(IndexKind::Custom, random::programs(150), 60);
}

#[test]
fn two_edges_of_one_range_are_drawn_together_and_mean_the_same() -> Result<()> {
    let mut program = Program::new(3, IndexKind::Exact);
    let schema = program.engine.schema().clone();
    let documents: Vec<_> =
        (0..300).map(|id| random::document(&mut program.rng, &schema, id)).collect();
    program.apply(Batch::index(documents.clone()))?;
    program.twin.index(&schema, &documents);
    for _ in 0..2_000 {
        let path = ["count", "price", "tags"][program.rng.usize(..3)];
        let operators = ["$lt", "$lte", "$gt", "$gte"];
        let condition = |rng: &mut Rng| {
            let operator = operators[rng.usize(..4)];
            match path {
                "tags" => {
                    format!(r#"{{"{path}": {{"{operator}": "{}"}}}}"#, ["a", "b"][rng.usize(..2)])
                }
                _ => {
                    format!(r#"{{"{path}": {{"{operator}": {}}}}}"#, f32::from(rng.i8(-8..8)) / 4.0)
                }
            }
        };
        let (a, b) = (condition(&mut program.rng), condition(&mut program.rng));
        let filter: Filter = format!(r#"{{"$and": [{a}, {b}]}}"#).parse()?;
        let expected = program.twin.matching(&schema, &filter).len() as u64;
        assert_eq!(program.engine.count(&filter)?, expected, "{a} and {b}");
    }
    Ok(())
}

#[test]
fn records_prepared_together_see_each_other() -> Result<()> {
    let mut program = Program::new(7, IndexKind::Auto);
    let schema = program.engine.schema().clone();
    let document = random::document(&mut program.rng, &schema, 1);
    let mut group = Group::default();
    let (first, _) = program.engine.prepare_in(&mut group, Batch::index(vec![document.clone()]))?;
    let (second, outcome) = program.engine.prepare_in(&mut group, Batch::update(vec![document]))?;
    let (third, deleted) =
        program.engine.prepare_in(&mut group, Batch::delete(vec![Id::Int(1), Id::Int(2)]))?;
    assert_eq!((outcome.indexed, deleted.deleted, deleted.missing), (1, 1, vec![Id::Int(2)]));
    for record in [first, second, third] {
        program.engine.apply(&record)?;
    }
    assert!(program.engine.is_empty());
    Ok(())
}
