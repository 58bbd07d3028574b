//! Every decoder of the engine that reads bytes from a disk, a network or a page, by one function that
//! takes any bytes, and beginnings for whoever changes them. Checksums are put right before the bytes are
//! read, so that what stands behind them is reached.

use crate::random;
use fastrand::Rng;
use std::{collections::BTreeMap, sync::OnceLock};
use vectordoc::{
    Batch, Document, Engine, Filter, Id, Include, Patch, Query, Record, Result, Schema, Scroll,
    TextQuery,
    archive::{ArchiveReader, ArchiveWriter},
    engine::Place,
    index::Indexes,
    key::{Key, PageKey},
    rest::PageSource,
    schema::IndexKind,
    shards::Gathering,
};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// A decoder.
pub struct Decoder {
    /// What it reads.
    pub name: &'static str,
    /// Has it read some bytes. It panics when the decoder does, or when what it made of them is not
    /// what it must be.
    pub decode: fn(&[u8]),
    /// What it reads on good days.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const DECODERS: [Decoder; 11] = [
    Decoder { name: "record", decode: record, seeds: record_seeds },
    Decoder { name: "meta", decode: meta, seeds: || vec![unsealed(&world().meta)] },
    Decoder { name: "page", decode: page, seeds: page_seeds },
    Decoder { name: "archive", decode: archive, seeds: archive_seeds },
    Decoder { name: "schema", decode: schema, seeds: || vec![world().schema_text()] },
    Decoder { name: "filter", decode: filter, seeds: filter_seeds },
    Decoder { name: "document", decode: document, seeds: document_seeds },
    Decoder { name: "patch", decode: patch, seeds: document_seeds },
    Decoder { name: "question", decode: question, seeds: question_seeds },
    Decoder { name: "answer", decode: answer, seeds: answer_seeds },
    Decoder { name: "cursor", decode: cursor, seeds: cursor_seeds },
];

/// The decoder of this name.
pub fn decoder(name: &str) -> &'static Decoder {
    let found = DECODERS.iter().find(|decoder| decoder.name == name);
    found.unwrap_or_else(|| panic!("there is no decoder {name:?}"))
}

/// Changes bytes as a disk, a program or somebody malicious would.
pub fn changed(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[rng.usize(..seeds.len())].clone();
    for _ in 0..rng.usize(1..5) {
        if bytes.is_empty() {
            bytes.push(rng.u8(..));
        }
        let at = rng.usize(..bytes.len());
        match rng.u8(..9) {
            0 | 1 => bytes[at] ^= 1 << rng.u8(..8),
            2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][rng.usize(..5)],
            3 => bytes.truncate(at),
            4 => bytes.insert(at, rng.u8(..)),
            5 => drop(bytes.remove(at)),
            6 => {
                let end = (at + 8).min(bytes.len());
                bytes[at..end].fill([0, 0xff][rng.usize(..2)]);
            }
            7 => {
                let other = &seeds[rng.usize(..seeds.len())];
                let from = rng.usize(..other.len().max(1)).min(other.len());
                let end = (from + rng.usize(1..40)).min(other.len());
                bytes.splice(at..at, other[from..end].iter().copied());
            }
            _ => {
                let word: [&[u8]; 8] = [
                    b"\"",
                    b"[",
                    b"{\"$not\":",
                    b"1e999",
                    b"-",
                    b"null",
                    b"\\u0000",
                    b"99999999999999999999",
                ];
                bytes.splice(at..at, word[rng.usize(..8)].iter().copied());
            }
        }
    }
    bytes
}

/// A database whose bytes are read, one page of which may be another.
struct World {
    engine: Engine,
    record: Vec<u8>,
    meta: Vec<u8>,
    pages: BTreeMap<PageKey, Vec<u8>>,
}

impl World {
    fn new() -> Result<Self> {
        let mut rng = Rng::with_seed(7);
        let schema = random::schema(&mut rng, IndexKind::Hnsw);
        let mut engine = Engine::new(schema.clone(), &Indexes::default())?;
        let documents = (0..70).map(|id| random::document(&mut rng, &schema, id)).collect();
        let (record, _) = engine.prepare(Batch::index(documents))?;
        engine.apply(&record)?;
        while engine.maintain()? {}
        let checkpoint = engine.checkpoint();
        let page = |key: &PageKey| engine.page(&checkpoint, key).map(|page| (*key, page));
        let pages = checkpoint.pages.iter().map(page).collect::<Result<_>>()?;
        let meta = checkpoint.meta.clone();
        Ok(Self { engine, record: record.to_bytes(), meta, pages })
    }

    fn schema_text(&self) -> Vec<u8> {
        self.engine.schema().to_json_string().into_bytes()
    }
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| World::new().expect("a small database"))
}

/// The pages of the world, with other bytes in the place of one.
struct Pages<'p>(Option<(PageKey, &'p [u8])>);

impl PageSource for Pages<'_> {
    fn read(&self, key: &PageKey, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let other = self.0.filter(|(other, _)| other == key).map(|(_, page)| page);
        let page = other.or_else(|| world().pages.get(key).map(Vec::as_slice));
        Ok(page.map(visit).transpose()?.is_some())
    }
}

fn sealed(bytes: &[u8]) -> Vec<u8> {
    [bytes, &xxh3_64(bytes).to_le_bytes()].concat()
}

fn unsealed(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() - 8].to_vec()
}

fn record(bytes: &[u8]) {
    let schema = world().engine.schema();
    let _ = Record::from_bytes(bytes, schema);
    let bytes = sealed(bytes);
    let Ok(record) = Record::from_bytes(&bytes, schema) else { return };
    let again = Record::from_bytes(&record.to_bytes(), schema).expect("it was written just now");
    assert_eq!(again.to_bytes(), record.to_bytes(), "a record is read as it was written");
    let mut engine = Engine::new(schema.clone(), &Indexes::default()).expect("an engine");
    if engine.apply(&record).is_ok() {
        judge(&mut engine);
    }
}

fn record_seeds() -> Vec<Vec<u8>> {
    let mut rng = Rng::with_seed(1);
    let engine = &world().engine;
    let documents = (0..3).map(|id| random::document(&mut rng, engine.schema(), 1_000 + id));
    let fresh = Engine::new(engine.schema().clone(), &Indexes::default()).expect("an engine");
    let (small, _) = fresh.prepare(Batch::index(documents.collect())).expect("a record");
    let (gone, _) = engine.prepare(Batch::delete(vec![Id::Int(1)])).expect("a record");
    let seeds = [&world().record, &small.to_bytes(), &gone.to_bytes()];
    seeds.map(|record| unsealed(record)).to_vec()
}

fn meta(bytes: &[u8]) {
    let _ = Engine::stored_schema(bytes);
    open(&sealed(bytes), &Pages(None));
}

fn open(meta: &[u8], pages: &Pages<'_>) {
    if let Ok(mut engine) = Engine::open(meta, pages, &Indexes::default()) {
        judge(&mut engine);
    }
}

/// An engine that opened answers whatever it is asked, or says that it cannot. What has a right
/// checksum and is wrong was written by somebody who meant harm; it may be served, and must not crash.
fn judge(engine: &mut Engine) {
    let _ = engine.check();
    let dim = engine.schema().vectors()[0].dim;
    if dim > 64 {
        return;
    }
    for exact in [true, false] {
        let query = Query { exact, include: Include::Everything, ..Query::new(vec![1.0; dim]) };
        let _ = engine.search(&query);
    }
    let _ = engine.scroll(&Scroll { include: Include::Everything, ..Scroll::new(50) }, None);
    let text = Some(TextQuery { words: "a wild cat".into(), field: Some("gloss".into()) });
    let _ = engine.search(&Query { text, ..Query::of_text("") });
    let filter = Filter::field("name", vectordoc::filter::Test::StartsWith("a".into()));
    let _ = engine.count(&filter);
    let _ = engine.facet("tags", &Filter::All);
}

/// The first two bytes say which page.
fn page(bytes: &[u8]) {
    let Some((number, payload)) = bytes.split_first_chunk::<2>() else { return };
    let pages = &world().pages;
    let number = usize::from(u16::from_le_bytes(*number)) % pages.len();
    let Some(key) = pages.keys().nth(number) else { return };
    let place = (u64::from(key.section) << 32) | u64::from(key.page);
    let sum = xxh3_64_with_seed(payload, place ^ key.generation.rotate_left(17));
    let page = [payload, &sum.to_le_bytes()].concat();
    open(&world().meta, &Pages(Some((*key, &page))));
}

fn page_seeds() -> Vec<Vec<u8>> {
    let numbered = world().pages.values().zip(0u16..);
    numbered.map(|(page, number)| [&number.to_le_bytes()[..], &unsealed(page)].concat()).collect()
}

fn archive(bytes: &[u8]) {
    let whole = read_archive(bytes, bytes.len());
    assert_eq!(whole, read_archive(bytes, 7), "it matters how the bytes come");
}

fn read_archive(bytes: &[u8], piece_bytes: usize) -> Option<usize> {
    let (mut reader, mut parts) = (ArchiveReader::default(), 0);
    for piece in bytes.chunks(piece_bytes.max(1)) {
        reader.push(piece);
        while reader.part().ok()?.is_some() {
            parts += 1;
        }
    }
    reader.finish().ok().map(|()| parts)
}

fn archive_seeds() -> Vec<Vec<u8>> {
    let World { meta, pages, record, .. } = world();
    let pages: Vec<_> = pages.iter().take(5).collect();
    let mut bytes = Vec::new();
    let count = pages.len() as u64 + 2;
    let mut writer = ArchiveWriter::new(&[count, 0], &mut bytes).expect("an archive");
    writer.entry(Key::Meta, meta, &mut bytes).expect("an entry");
    for (key, page) in pages {
        writer.entry(Key::Page(*key), page, &mut bytes).expect("an entry");
    }
    writer.entry(Key::Record(1), record, &mut bytes).expect("an entry");
    writer.finish(&mut bytes).expect("an end");
    vec![bytes]
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn schema(bytes: &[u8]) {
    let Some(Ok(schema)) = text(bytes).map(Schema::from_json_str) else { return };
    let again = Schema::from_json_str(&schema.to_json_string()).expect("it was written just now");
    assert_eq!(again, schema, "a schema is read as it was written");
    let _ = (schema.to_json_schema(), schema.to_typescript("Document"));
}

fn filter(bytes: &[u8]) {
    let Some(Ok(filter)) = text(bytes).map(str::parse::<Filter>) else { return };
    let engine = &world().engine;
    let json = serde_json::to_string(&filter).expect("a filter has JSON");
    let again: Filter = json.parse().unwrap_or_else(|error| panic!("{json}: {error}"));
    let counts = [&filter, &again].map(|filter| engine.count(filter).ok());
    assert_eq!(counts[0], counts[1], "{json} means something else");
}

fn filter_seeds() -> Vec<Vec<u8>> {
    let mut rng = Rng::with_seed(1);
    let filter = |_| serde_json::to_vec(&random::filter(&mut rng, 4)).expect("a filter has JSON");
    (0..40).map(filter).collect()
}

fn document(bytes: &[u8]) {
    let engine = &world().engine;
    let Some(Ok(document)) = text(bytes).map(|text| Document::from_json(engine.schema(), text))
    else {
        return;
    };
    if let Ok((record, _)) = engine.prepare(Batch::index(vec![document])) {
        let bytes = record.to_bytes();
        Record::from_bytes(&bytes, engine.schema()).expect("it was written just now");
    }
}

fn patch(bytes: &[u8]) {
    let engine = &world().engine;
    let Some(Ok(document)) = text(bytes).map(|text| Document::from_json(engine.schema(), text))
    else {
        return;
    };
    let fields = engine.schema().values().iter().zip(document.values);
    let patch = fields.fold(Patch::new(), |patch, (field, value)| {
        if value.is_null() { patch.unset(&*field.name) } else { patch.set(&*field.name, value) }
    });
    let _ = engine.prepare(Batch::patch(Id::Int(1), patch));
}

fn document_seeds() -> Vec<Vec<u8>> {
    let schema = world().engine.schema();
    let dim = schema.vectors()[0].dim;
    let one = serde_json::json!({
        "id": 7, "embedding": vec![0.5; dim], "flag": true, "count": -3, "price": 1.5, "name": "ä b",
        "tags": ["a", "b"], "maker": {"country": "NL", "founded": 3}, "large": 18446744073709551615u64,
        "numbers": [1.0, -2.5], "when": "2024-01-02T03:04:05Z",
        "key": "00000000-0000-0000-0000-000000000001", "place": {"lat": 1.0, "lon": 2.0},
        "color": "red", "gloss": "a wild cat", "reviews": [{"stars": 3, "words": ["x"]}],
        "extra": [null, {"a": [1]}], "old_price": 2.0,
    });
    vec![one.to_string().into_bytes()]
}

fn queries() -> Vec<Query> {
    let engine = &world().engine;
    let mut rng = Rng::with_seed(1);
    let dim = engine.schema().vectors()[0].dim;
    let text = Some(TextQuery { words: "a wild cat".into(), field: Some("gloss".into()) });
    let vector = Query {
        filter: random::filter(&mut rng, 2),
        include: Include::Everything,
        ..Query::new(vec![1.0; dim])
    };
    let both = Query { text: text.clone(), ..vector.clone() };
    vec![vector, both, Query { text, ..Query::of_text("") }]
}

/// What two shards are asked for a request, and a scroll, and what they answer first.
fn gatherings() -> Vec<Gathering> {
    let schema = || world().engine.schema().clone();
    let searches =
        queries().into_iter().map(|query| Gathering::search(schema(), 1, query, None, None));
    let facet = Gathering::facet(schema(), 1, "tags".into(), Filter::All, 9);
    let scroll = Gathering::scroll(schema(), 1, Scroll::new(9));
    searches.chain([facet, scroll]).collect::<Result<_>>().expect("requests")
}

fn question(bytes: &[u8]) {
    let _ = world().engine.answer(bytes);
}

fn question_seeds() -> Vec<Vec<u8>> {
    let asked = |gathering: Gathering| gathering.questions().unwrap_or_default();
    gatherings().into_iter().flat_map(asked).flatten().collect()
}

/// The first byte says to which request it is an answer.
fn answer(bytes: &[u8]) {
    let Some((number, answer)) = bytes.split_first() else { return };
    let mut gatherings = gatherings();
    let number = usize::from(*number) % gatherings.len();
    let gathering = &mut gatherings[number];
    let mut answers = vec![Some(answer.to_vec())];
    for _ in 0..10 {
        if gathering.take(&answers).is_err() {
            return;
        }
        let Some(questions) = gathering.questions() else { break };
        let told = |question: Option<Vec<u8>>| {
            question.and_then(|question| world().engine.answer(&question).ok())
        };
        answers = questions.into_iter().map(told).collect();
    }
    let _ = gathering.gathered();
}

fn answer_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (gathering, number) in gatherings().into_iter().zip(0u8..) {
        for question in gathering.questions().unwrap_or_default().into_iter().flatten() {
            let answer = world().engine.answer(&question).expect("an answer");
            seeds.push([&[number][..], &answer].concat());
        }
    }
    seeds
}

fn cursor(bytes: &[u8]) {
    let Some(cursor) = text(bytes) else { return };
    let engine = &world().engine;
    let mut rng = Rng::with_seed(bytes.len() as u64);
    for order in [None, Some(random::order(&mut rng))] {
        if let Ok(place) = Place::of_cursor(cursor, engine.schema(), order.as_ref()) {
            let scroll = Scroll { order, ..Scroll::new(9) };
            let _ = engine.scroll(&scroll, Some(&place));
        }
    }
}

fn cursor_seeds() -> Vec<Vec<u8>> {
    let engine = &world().engine;
    let mut rng = Rng::with_seed(1);
    let orders = [None, Some(random::order(&mut rng)), Some(random::order(&mut rng))];
    let mut seeds = Vec::new();
    for order in orders {
        let scroll = Scroll { order: order.clone(), ..Scroll::new(3) };
        for (place, _) in engine.scroll(&scroll, None).expect("a page") {
            let cursor = place.cursor(engine.schema(), order.as_ref()).expect("a cursor");
            seeds.push(cursor.into_bytes());
        }
    }
    seeds
}
