//! Promise: damage is noticed, never served, and never crashes; derived state that is damaged is
//! built again. And the kinds of error are one table, whole and without doubles.

use fastrand::Rng;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};
use vectordoc::{
    Batch, Engine, ErrorKind, Filter, Include, Query, Record, Result, Scroll, TextQuery,
    index::Indexes, key::PageKey, rest::PageSource, schema::IndexKind,
};
use vectordoc_tests::random;

/// An engine with a graph, and what its checkpoint stores.
struct Stored {
    engine: Engine,
    meta: Vec<u8>,
    pages: Arc<HashMap<PageKey, Vec<u8>>>,
    record: Vec<u8>,
}

fn stored(rng: &mut Rng) -> Result<Stored> {
    let schema = random::schema(rng, IndexKind::Hnsw);
    let mut engine = Engine::new(schema.clone(), &Indexes::default()).expect("a graph is there");
    let documents = (0..200).map(|id| random::document(rng, &schema, id)).collect();
    let (record, _) = engine.prepare(Batch::index(documents))?;
    engine.apply(&record)?;
    while engine.maintain()? {}
    let checkpoint = engine.checkpoint();
    let page = |key: &PageKey| engine.page(&checkpoint, key).map(|page| (*key, page));
    let pages = Arc::new(checkpoint.pages.iter().map(page).collect::<Result<_>>()?);
    let meta = checkpoint.meta.clone();
    Ok(Stored { engine, meta, pages, record: record.to_bytes() })
}

/// Pages with other bytes in the place of one, or with none there.
struct Damaged {
    pages: Arc<HashMap<PageKey, Vec<u8>>>,
    key: PageKey,
    bytes: Option<Vec<u8>>,
}

impl Stored {
    fn with(&self, key: PageKey, bytes: Option<Vec<u8>>) -> Damaged {
        Damaged { pages: Arc::clone(&self.pages), key, bytes }
    }
}

impl PageSource for Damaged {
    fn read(&self, key: &PageKey, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let page = if *key == self.key { self.bytes.as_ref() } else { self.pages.get(key) };
        Ok(page.map(|page| visit(page)).transpose()?.is_some())
    }
}

/// Opens with `bytes` in the place of a page; what opens must answer as the undamaged engine.
fn judge_page(stored: &Stored, key: &PageKey, bytes: Option<&Vec<u8>>) -> Result<()> {
    let source = stored.with(*key, bytes.cloned());
    let engine = match Engine::open(&stored.meta, &source, &Indexes::default()) {
        Ok(engine) => engine,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{key:?}: {error:?}");
            return Ok(());
        }
    };
    engine.check()?;
    let everything = Scroll { include: Include::Everything, ..Scroll::new(1_000) };
    let all = |engine: &Engine| engine.scroll(&everything, None);
    assert_eq!(all(&engine)?, all(&stored.engine)?, "{key:?}");
    let dim = engine.schema().vectors()[0].dim;
    let query = Query { exact: true, ..Query::new(vec![1.0; dim]) };
    assert_eq!(engine.search(&query)?, stored.engine.search(&query)?, "{key:?}");
    let filter: Filter = r#"{"name": {"$startsWith": "a"}}"#.parse()?;
    assert_eq!(engine.count(&filter)?, stored.engine.count(&filter)?, "{key:?}");
    let text = TextQuery { words: "a wild cat".into(), field: Some("gloss".into()) };
    let query = Query { text: Some(text), ..Query::of_text("") };
    assert_eq!(engine.search(&query)?, stored.engine.search(&query)?, "{key:?}");
    Ok(())
}

#[test]
fn a_page_with_a_flipped_bit_is_refused_or_built_again() -> Result<()> {
    let mut rng = Rng::with_seed(random::seed(1));
    let stored = stored(&mut rng)?;
    for (key, page) in &*stored.pages {
        judge_page(&stored, key, None)?;
        judge_page(&stored, key, Some(&Vec::new()))?;
        for _ in 0..40 {
            let mut damaged = page.clone();
            let at = rng.usize(..damaged.len());
            damaged[at] ^= 1 << rng.u8(..8);
            judge_page(&stored, key, Some(&damaged))?;
        }
    }
    Ok(())
}

#[test]
fn a_page_in_the_place_of_another_is_noticed() -> Result<()> {
    let mut rng = Rng::with_seed(random::seed(2));
    let stored = stored(&mut rng)?;
    for key in stored.pages.keys() {
        for page in stored.pages.values() {
            judge_page(&stored, key, Some(page))?;
        }
    }
    Ok(())
}

#[test]
fn a_meta_with_a_flipped_bit_is_refused() -> Result<()> {
    let mut rng = Rng::with_seed(random::seed(3));
    let stored = stored(&mut rng)?;
    let (key, page) = stored.pages.iter().next().expect("there are pages");
    let source = stored.with(*key, Some(page.clone()));
    for at in 0..stored.meta.len() {
        let mut damaged = stored.meta.clone();
        damaged[at] ^= 1 << rng.u8(..8);
        let kind =
            Engine::open(&damaged, &source, &Indexes::default()).err().map(|error| error.kind());
        let refusals = [Some(ErrorKind::Corrupt), Some(ErrorKind::Unsupported)];
        assert!(refusals.contains(&kind), "byte {at}: {kind:?}");
    }
    Ok(())
}

#[test]
fn a_record_with_a_flipped_bit_or_a_cut_end_is_refused() -> Result<()> {
    let mut rng = Rng::with_seed(random::seed(4));
    let stored = stored(&mut rng)?;
    let schema = stored.engine.schema();
    for at in 0..stored.record.len() {
        let mut damaged = stored.record.clone();
        damaged[at] ^= 1 << rng.u8(..8);
        let read = Record::from_bytes(&damaged, schema);
        assert_eq!(read.err().map(|error| error.kind()), Some(ErrorKind::Corrupt), "byte {at}");
        assert!(Record::from_bytes(&stored.record[..at], schema).is_err(), "cut at {at}");
    }
    Ok(())
}

#[test]
fn every_kind_of_error_has_its_own_code_and_numbers() {
    let kinds = ErrorKind::ALL;
    let codes: BTreeSet<_> = kinds.iter().map(|kind| kind.code()).collect();
    let numbers: BTreeSet<_> = kinds.iter().map(|kind| kind.jsonrpc_code()).collect();
    assert_eq!((codes.len(), numbers.len()), (kinds.len(), kinds.len()));
    for kind in kinds {
        assert_eq!(ErrorKind::from_code(kind.code()), Some(kind));
        assert!((400..600).contains(&kind.http_status()), "{kind}");
        assert!((1..=16).contains(&kind.grpc_status()), "{kind}");
    }
}

/// An engine that is opened out of pages, of which one may be damaged.
type Opened = fn(&Stored, &Arc<dyn PageSource>) -> Result<Engine>;

#[test]
fn a_damaged_page_at_rest_is_never_served() -> Result<()> {
    let open: Opened =
        |stored, source| Engine::open_at_rest(&stored.meta, source, &Indexes::default());
    let awake: Opened = |stored, source| {
        let mut engine = Engine::open_waking(&stored.meta, source, &Indexes::default())?;
        while engine.wake(1)? {}
        Ok(engine)
    };
    [open, awake].into_iter().try_for_each(never_serves_damage)
}

fn never_serves_damage(open: Opened) -> Result<()> {
    let mut rng = Rng::with_seed(random::seed(4));
    let stored = stored(&mut rng)?;
    let dim = stored.engine.schema().vectors()[0].dim;
    let query = Query {
        limit: 1_000,
        include: Include::Everything,
        ..Query::new((0..dim).map(|_| rng.f32() + 0.1).collect())
    };
    let expected = stored.engine.search(&query)?;
    let mut refused = 0;
    for (key, page) in &*stored.pages {
        let mut damaged = page.clone();
        damaged[0] ^= 1;
        let source: Arc<dyn PageSource> = Arc::new(stored.with(*key, Some(damaged)));
        match open(&stored, &source).and_then(|engine| engine.search(&query)) {
            Ok(hits) => assert_eq!(hits, expected, "{key:?} was built again"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{key:?}: {error:?}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "some page holds what cannot be built again");
    Ok(())
}
