//! Promise: engines that do not share memory answer together as one engine with all their
//! documents does, and nothing that comes over the wire brings one of them down.

use fastrand::Rng;
use vectordoc::{
    Batch, Document, Engine, ErrorKind, Examples, Filter, Fusion, GroupBy, Hit, HitGroup, Id,
    Include, Page, Query, Result, Scroll, TextQuery,
    engine::{Place, most_frequent, page},
    grouped,
    index::Indexes,
    schema::IndexKind,
    shards::{Gathered, Gathering},
};
use vectordoc_tests::random;

const SHARDS: usize = 3;
/// So few that no list of candidates is cut off before ids put equally good ones in order.
const IDS: u64 = 45;

/// One engine with all documents, and several with the same between them.
struct Program {
    rng: Rng,
    one: Engine,
    several: Vec<Engine>,
}

impl Program {
    fn new(seed: u64) -> Result<Self> {
        let mut rng = Rng::with_seed(seed);
        let schema = random::schema(&mut rng, IndexKind::Exact);
        let engine = || Engine::new(schema.clone(), &Indexes::default());
        let (one, several) = (engine()?, (0..SHARDS).map(|_| engine()).collect::<Result<_>>()?);
        let mut program = Self { rng, one, several };
        for _ in 0..4 {
            program.write()?;
        }
        Ok(program)
    }

    /// Indexes some documents and deletes one.
    fn write(&mut self) -> Result<()> {
        for _ in 0..self.rng.usize(1..30) {
            let id = self.rng.u64(..IDS);
            let document = random::document(&mut self.rng, self.one.schema(), id);
            self.apply(&Id::Int(id), Batch::index(vec![document]))?;
        }
        let id = Id::Int(self.rng.u64(..IDS));
        self.apply(&id, Batch::delete(vec![id.clone()]))
    }

    fn apply(&mut self, id: &Id, batch: Batch) -> Result<()> {
        for engine in [&mut self.one, &mut self.several[id.shard(SHARDS)]] {
            let (record, _) = engine.prepare(batch.clone())?;
            engine.apply(&record)?;
        }
        Ok(())
    }

    fn gathered(&self, gathering: Result<Gathering>) -> Result<Gathered> {
        let mut gathering = gathering?;
        while let Some(answers) = answers(&self.several, &gathering)? {
            gathering.take(&answers)?;
        }
        gathering.gathered().cloned()
    }

    fn query(&mut self) -> Query {
        let rng = &mut self.rng;
        let dim = self.one.schema().vectors()[0].dim;
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
        let include = |rng: &mut Rng| match rng.u8(..4) {
            0 => Include::Nothing,
            1 => Include::Values,
            2 => Include::Fields(vec!["name".into(), "embedding".into()]),
            _ => Include::Everything,
        };
        Query {
            vector,
            text,
            fusion: fusions[rng.usize(..fusions.len())],
            field: Some("embedding".into()),
            limit: rng.usize(..60),
            offset: rng.usize(..4),
            exact: rng.bool(),
            min_score: (rng.u8(..4) == 0).then(|| rng.f32()),
            filter: random::filter(rng, 2),
            except: [rng.u64(..IDS), rng.u64(..IDS)].map(Id::Int).into(),
            include: include(rng),
            ..Query::of_text("")
        }
    }

    fn compare(&mut self) -> Result<()> {
        let schema = self.one.schema().clone();
        let query = self.query();
        let expected = self.one.search(&query);
        let found =
            self.gathered(Gathering::search(schema.clone(), SHARDS, query.clone(), None, None));
        same(&found.map(hits), &expected, |a, b| same_hits(a, b, &query));

        let ids = |rng: &mut Rng| -> Vec<Id> {
            let count = rng.u64(..3);
            (0..count).map(|_| Id::Int(rng.u64(..IDS))).collect()
        };
        let examples = Examples { like: ids(&mut self.rng), unlike: ids(&mut self.rng) };
        let query = Query { vector: Some(Vec::new()), ..self.query() };
        let expected = examples
            .query(&schema, query.clone(), |id, field| self.one.example(id, field))
            .and_then(|query| self.one.search(&query));
        let asked = Gathering::search(schema.clone(), SHARDS, query.clone(), Some(examples), None);
        same(&self.gathered(asked).map(hits), &expected, |a, b| same_hits(a, b, &query));

        let by = GroupBy {
            field: ["name", "price", "color", "tags"][self.rng.usize(..4)].into(),
            size: self.rng.usize(..5),
        };
        let query = self.query();
        let expected = grouped(&schema, &query, &by, &mut |query| self.one.search(query));
        let asked =
            Gathering::search(schema.clone(), SHARDS, query.clone(), None, Some(by.clone()));
        same(&self.gathered(asked).map(groups), &expected, |a, b| {
            assert_eq!(a.len(), b.len(), "{query:?} {by:?}");
            for (a, b) in a.iter().zip(b) {
                assert_eq!(a.value, b.value, "{query:?} {by:?}");
                same_hits(&a.hits, &b.hits, &query);
            }
        });

        let filter = random::filter(&mut self.rng, 2);
        let path = random::facet(&mut self.rng);
        let limit = self.rng.usize(..9);
        let counts = self.one.facet(path, &filter)?;
        let expected = most_frequent(&schema, path, counts, limit);
        let asked = Gathering::facet(schema.clone(), SHARDS, path.into(), filter.clone(), limit);
        assert_eq!(self.gathered(asked), expected.map(Gathered::Counts), "{path} {filter:?}");
        self.compare_scrolls(filter)
    }

    /// Page by page, each from the cursor that came with the one before.
    fn compare_scrolls(&mut self, filter: Filter) -> Result<()> {
        let order = self.rng.bool().then(|| random::order(&mut self.rng));
        let include = Include::Everything;
        let limit = self.rng.usize(1..20);
        let mut scroll = Scroll { filter, order, include, ..Scroll::new(limit) };
        let schema = self.one.schema().clone();
        loop {
            let place = |cursor: &String| Place::of_cursor(cursor, &schema, scroll.order.as_ref());
            let after = scroll.cursor.as_ref().map(place).transpose()?;
            let found = self.one.scroll(&scroll, after.as_ref())?;
            let expected = page(&schema, &scroll, found)?;
            let asked = Gathering::scroll(schema.clone(), SHARDS, scroll.clone());
            assert_eq!(self.gathered(asked), Ok(Gathered::Page(expected.clone())), "{scroll:?}");
            let Page { cursor: Some(cursor), .. } = expected else { return Ok(()) };
            scroll.cursor = Some(cursor);
        }
    }
}

/// What shards answer to the questions that are next.
fn answers(shards: &[Engine], gathering: &Gathering) -> Result<Option<Vec<Option<Vec<u8>>>>> {
    let Some(questions) = gathering.questions() else { return Ok(None) };
    let asked = shards.iter().zip(questions);
    let answer = |(engine, question): (&Engine, Option<Vec<u8>>)| {
        question.map(|question| engine.answer(&question)).transpose()
    };
    asked.map(answer).collect::<Result<_>>().map(Some)
}

fn hits(gathered: Gathered) -> Vec<Hit> {
    let Gathered::Hits(hits) = gathered else { panic!("{gathered:?}") };
    hits
}

fn groups(gathered: Gathered) -> Vec<HitGroup> {
    let Gathered::Groups(groups) = gathered else { panic!("{gathered:?}") };
    groups
}

/// Both are right, and `check` finds no difference; or both are wrong in the same way.
fn same<T: std::fmt::Debug>(a: &Result<T>, b: &Result<T>, check: impl Fn(&T, &T)) {
    match (a, b) {
        (Ok(a), Ok(b)) => check(a, b),
        (Err(a), Err(b)) => assert_eq!(a, b),
        _ => panic!("{a:?} is not {b:?}"),
    }
}

/// The same hits in the same order; of those as good as the last, which the limit cuts off, an
/// engine takes the ones it has first.
fn same_hits(a: &[Hit], b: &[Hit], query: &Query) {
    assert_eq!(a.len(), b.len(), "{query:?}");
    let Some(last) = a.last().map(|hit| hit.distance) else { return };
    for (a, b) in a.iter().zip(b) {
        assert_eq!((a.score, a.distance), (b.score, b.distance), "{query:?}");
        assert!(a == b || a.distance == last, "{a:?} is not {b:?}: {query:?}");
    }
}

#[test]
fn several_engines_answer_as_one() -> Result<()> {
    let first = random::seed(1);
    for seed in first..first + random::programs(50) {
        let mut program = Program::new(seed)?;
        for _ in 0..20 {
            program.write()?;
            program.compare()?;
        }
    }
    Ok(())
}

/// So much of documents that not all come with the candidates, and are asked for.
#[test]
fn a_document_that_changes_before_it_is_read_is_searched_for_again() -> Result<()> {
    let mut program = Program::new(random::seed(1))?;
    let schema = program.one.schema().clone();
    let name = schema.values().iter().position(|field| field.name == "gloss").expect("a text");
    let document = |rng: &mut Rng, id: u64| {
        let mut document: Document = random::document(rng, &schema, id);
        document.values[name] = "large ".repeat(2_000).into();
        document
    };
    for id in 0..IDS {
        let batch = Batch::index(vec![document(&mut program.rng, id)]);
        program.apply(&Id::Int(id), batch)?;
    }
    let vector = random::vector(&mut program.rng, schema.vectors()[0].dim);
    let query = Query { limit: 40, include: Include::Everything, ..Query::new(vector) };
    let ask = || Gathering::search(schema.clone(), SHARDS, query.clone(), None, None);
    let mut gathering = ask()?;
    let mut steps = 0;
    while let Some(answers) = answers(&program.several, &gathering)? {
        gathering.take(&answers)?;
        steps += 1;
        if steps == 1 {
            for id in 0..IDS {
                let batch = Batch::index(vec![document(&mut program.rng, id)]);
                program.apply(&Id::Int(id), batch)?;
            }
        }
    }
    assert_eq!(steps, 4, "candidates, documents that changed, and both once more");
    let expected = program.one.search(&query)?;
    same_hits(&hits(gathering.gathered()?.clone()), &expected, &query);

    let mut gathering = ask()?;
    let error = loop {
        let Some(answers) = answers(&program.several, &gathering)? else { panic!("it ended") };
        for id in 0..IDS {
            let batch = Batch::index(vec![document(&mut program.rng, id)]);
            program.apply(&Id::Int(id), batch)?;
        }
        if let Err(error) = gathering.take(&answers) {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Busy);
    Ok(())
}

#[test]
fn damaged_questions_and_answers_are_refused_or_harmless() -> Result<()> {
    let mut program = Program::new(random::seed(1))?;
    let mut refused = 0;
    for _ in 0..2_000 {
        let query = program.query();
        let schema = program.one.schema().clone();
        let Ok(mut gathering) = Gathering::search(schema, SHARDS, query, None, None) else {
            continue;
        };
        for question in gathering.questions().into_iter().flatten().flatten() {
            refused +=
                u32::from(program.one.answer(&damaged(&mut program.rng, &question)).is_err());
        }
        while let Ok(Some(mut answers)) = answers(&program.several, &gathering) {
            let shard = program.rng.usize(..SHARDS);
            answers[shard] = answers[shard].take().map(|answer| damaged(&mut program.rng, &answer));
            if gathering.take(&answers).is_err() {
                refused += 1;
                break;
            }
        }
    }
    assert!(refused > 1_000, "{refused} were refused");
    Ok(())
}

/// The same bytes with one changed, or cut off.
fn damaged(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let place = rng.usize(..bytes.len());
    match rng.u8(..3) {
        0 => bytes.truncate(place),
        1 => bytes[place] = rng.u8(..),
        _ => bytes[place] ^= 1 << rng.u8(..8),
    }
    bytes
}
