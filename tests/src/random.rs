//! Random schemas, documents, filters and vectors out of one seed.

use fastrand::Rng;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};
use vectordoc::{
    Document, Filter, GeoPoint, Id, Metric, Order, Patch, Schema, Timestamp, Uuid, Value,
    filter::{Comparison, Test},
    schema::{
        FieldType, IdField, IdKind, IndexKind, IndexSpec, Integer, Precision, ValueField,
        VectorField,
    },
};

/// The seed of this run: `SEED` of the environment, or `default`. It is printed, so that a failure
/// can be run again.
pub fn seed(default: u64) -> u64 {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(default);
    eprintln!("SEED={seed}");
    seed
}

/// How many programs to run: `PROGRAMS` of the environment, or `default`.
pub fn programs(default: u64) -> u64 {
    std::env::var("PROGRAMS").ok().and_then(|count| count.parse().ok()).unwrap_or(default)
}

/// How much of a long test to run: `BUDGET` of the environment is `commit` (the default), `nightly` or
/// `release`; a commit's budget is `commit` programs.
pub fn budget(commit: u64) -> u64 {
    let name = std::env::var("BUDGET").unwrap_or_else(|_| "commit".into());
    let times = match name.as_str() {
        "commit" => 1,
        "nightly" => 30,
        "release" => 150,
        other => panic!("BUDGET is {other:?}; it can be commit, nightly or release"),
    };
    programs(commit * times)
}

/// Runs something for each seed, on all cores, and returns the sum of what it returned.
pub fn in_parallel(seeds: std::ops::Range<u64>, run: impl Fn(u64) -> u64 + Sync) -> u64 {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || {
            let seeds = std::iter::from_fn(|| {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                (seed < seeds.end).then_some(seed)
            });
            seeds.map(&run).sum::<u64>()
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .sum()
    })
}

/// Says what a test has done, for the table of promises: `FIGURES` of the environment names a
/// directory, in which there is a file of each figure then.
pub fn figure(name: &str, count: u64, what: &str) {
    eprintln!("FIGURE {name}: {count} {what}");
    if let Ok(directory) = std::env::var("FIGURES") {
        let path = std::path::Path::new(&directory).join(name.replace('/', "."));
        std::fs::write(path, format!("{count} {what}\n")).expect("the directory of figures");
    }
}

const COLORS: [&str; 3] = ["red", "green", "blue"];

/// A schema with a value field of every kind, and one vector field.
pub fn schema(rng: &mut Rng, kind: IndexKind) -> Schema {
    let metric = Metric::NAMES[rng.usize(..Metric::NAMES.len())].1;
    let precision = Precision::NAMES[rng.usize(..Precision::NAMES.len())].1;
    let is_own_code = precision != Precision::F32 && rng.bool();
    let quantization = is_own_code.then(|| precision.quantization());
    let index = IndexSpec { kind, m: rng.usize(4..12), quantization, ..IndexSpec::default() };
    let vector = VectorField {
        name: "embedding".into(),
        dim: rng.usize(1..20),
        metric,
        precision,
        optional: rng.bool(),
        index,
    };
    let field = |name: &str, ty, optional| ValueField {
        name: name.into(),
        ty,
        optional,
        filter: true,
        text: false,
    };
    let nested = vec![
        field("country", FieldType::Text, false),
        field("founded", FieldType::Integer(Integer::U16), true),
    ];
    let words = field("words", FieldType::Array(Box::new(FieldType::Text)), true);
    let review = vec![
        field("stars", FieldType::Integer(Integer::U8), false),
        ValueField { text: true, ..words },
    ];
    let values = vec![
        field("when", FieldType::Timestamp, rng.bool()),
        field("key", FieldType::Uuid, rng.bool()),
        field("place", FieldType::Geo, rng.bool()),
        field("color", FieldType::Enum(COLORS.map(String::from).to_vec()), rng.bool()),
        field("large", FieldType::Integer(Integer::U64), rng.bool()),
        field("numbers", FieldType::Array(Box::new(FieldType::Float64)), rng.bool()),
        field("old_price", FieldType::Float64, true),
        field("reviews", FieldType::Array(Box::new(FieldType::Object(review))), rng.bool()),
        ValueField { filter: false, ..field("extra", FieldType::Json, true) },
        field("flag", FieldType::Bool, rng.bool()),
        field("count", FieldType::Integer(Integer::I64), rng.bool()),
        field("price", FieldType::Float64, rng.bool()),
        ValueField { text: true, ..field("name", FieldType::Text, rng.bool()) },
        ValueField { filter: false, text: true, ..field("gloss", FieldType::Text, rng.bool()) },
        field("tags", FieldType::Array(Box::new(FieldType::Text)), rng.bool()),
        field("maker", FieldType::Object(nested), true),
    ];
    let id = IdField { name: "id".into(), kind: IdKind::Int };
    Schema::new(id, vec![vector], values).expect("the schema is well formed")
}

/// A vector whose numbers are small whole ones, so that ties happen.
pub fn vector(rng: &mut Rng, dim: usize) -> Vec<f32> {
    loop {
        let vector: Vec<f32> = (0..dim).map(|_| f32::from(rng.i8(-3..=3))).collect();
        if vector.iter().any(|number| *number != 0.0) {
            return vector;
        }
    }
}

/// A vector around one of a few hundred centres, as embeddings are.
pub fn clustered(rng: &mut Rng, dim: usize) -> Vec<f32> {
    let mut centre = Rng::with_seed(rng.u64(..300));
    (0..dim).map(|_| gaussian(&mut centre) + 0.6 * gaussian(rng)).collect()
}

/// A number normally distributed, nearly: a sum of twelve even ones.
pub fn gaussian(rng: &mut Rng) -> f32 {
    (0..12).map(|_| rng.f32()).sum::<f32>() - 6.0
}

/// A document of `schema` with this id.
pub fn document(rng: &mut Rng, schema: &Schema, id: u64) -> Document {
    let vectors = schema.vectors().iter().map(|field| {
        let missing = field.optional && rng.u8(..10) == 0;
        (!missing).then(|| vector(rng, field.dim))
    });
    let vectors = vectors.collect();
    let values = schema.values().iter().map(|field| value(rng, field)).collect();
    Document { id: Id::Int(id), vectors, values }
}

/// The text fields of [`schema`].
pub const TEXT_PATHS: [&str; 3] = ["name", "gloss", "reviews.words"];

/// A text of at most so many words, some of them rare, with signs between them.
pub fn words(rng: &mut Rng, count: usize) -> String {
    let words = ["a", "A", "ab", "b", "bC", "ä", "Äb", "cat", "CAT", "wild", "東", "東京", "x1"];
    let signs = [" ", ", ", "-", "; ", " 🐱 ", " ! ", "\n"];
    let word = |rng: &mut Rng| match rng.u8(..8) {
        0 => format!("w{}", rng.u8(..)),
        _ => words[rng.usize(..words.len()).min(rng.usize(..words.len()))].into(),
    };
    let parts = (0..rng.usize(..=count)).map(|_| word(rng) + signs[rng.usize(..signs.len())]);
    parts.collect()
}

fn value(rng: &mut Rng, field: &ValueField) -> Value {
    if field.optional && rng.u8(..5) == 0 {
        return Value::Null;
    }
    if field.name == "gloss" {
        return Value::Text(words(rng, 12));
    }
    value_of(rng, &field.ty)
}

fn value_of(rng: &mut Rng, ty: &FieldType) -> Value {
    match ty {
        FieldType::Array(element) => {
            Value::Array((0..rng.usize(..4)).map(|_| value_of(rng, element)).collect())
        }
        FieldType::Object(fields) => {
            let values = fields.iter().map(|field| (field.name.clone(), value(rng, field)));
            Value::Object(values.filter(|(_, value)| !value.is_null()).collect::<BTreeMap<_, _>>())
        }
        FieldType::Json => {
            let inner = [Value::Null, Value::Bool(true), Value::Int(-1), Value::from("x")];
            Value::Array(inner[..rng.usize(..4)].to_vec())
        }
        ty => scalar(rng, ty),
    }
}

fn scalar(rng: &mut Rng, ty: &FieldType) -> Value {
    match ty {
        FieldType::Bool => Value::Bool(rng.bool()),
        FieldType::Integer(Integer::U16 | Integer::U8) => Value::Int(rng.u16(..5).into()),
        FieldType::Integer(Integer::U64) => Value::Int((u64::MAX - rng.u64(..3)).into()),
        FieldType::Integer(_) => Value::Int(rng.i8(-4..4).into()),
        FieldType::Float64 => Value::Float(f64::from(rng.i8(-4..4)) / 2.0),
        FieldType::Timestamp => {
            let micros = i64::from(rng.i8(-3..3)) * 86_400_000_000;
            Value::Time(Timestamp::from_micros(micros).expect("days around 1970"))
        }
        FieldType::Uuid => Value::Uuid(Uuid::from_bytes([rng.u8(..4); 16])),
        FieldType::Geo => Value::Geo(point(rng)),
        FieldType::Enum(words) => Value::Text(words[rng.usize(..words.len())].clone()),
        _ => Value::Text(["", "a", "ab", "Abc", "b", "bC", "ä", "Ä{b}"][rng.usize(..8)].into()),
    }
}

/// One of some hundred points around the Earth, poles and the 180th meridian among them.
fn point(rng: &mut Rng) -> GeoPoint {
    let (lat, lon) = (f64::from(rng.i8(-4..=4)) * 22.5, f64::from(rng.i8(-6..=6)) * 30.0);
    GeoPoint { lat, lon }
}

/// A patch that every document of [`schema`] takes.
pub fn patch(rng: &mut Rng, schema: &Schema) -> Patch {
    let mut patch = Patch::new();
    for field in schema.values() {
        let name = field.name.as_str();
        patch = match (name, rng.u8(..6)) {
            ("maker", 0) => patch.set("maker.country", value_of(rng, &FieldType::Text)),
            ("maker", 1) => patch.unset("maker.founded"),
            ("count", 0 | 1) => patch.increment(name, rng.i64(-2..3)),
            ("price", 0) => patch.increment(name, f64::from(rng.i8(-4..4)) / 2.0),
            (_, 2) if field.optional => patch.unset(name),
            (_, 3) => patch.set(name, value_of(rng, &field.ty)),
            _ => patch,
        };
    }
    let field = &schema.vectors()[0];
    match rng.u8(..4) {
        0 => patch.set_vector(field.name.as_str(), &vector(rng, field.dim)),
        _ => patch,
    }
}

/// An order by a field of [`schema`].
pub fn order(rng: &mut Rng) -> Order {
    let fields = ["price", "name", "when", "large", "maker.country", "color", "flag"];
    Order { field: fields[rng.usize(..fields.len())].into(), descending: rng.bool() }
}

/// The path of a field of [`schema`] whose values can be counted.
pub fn facet(rng: &mut Rng) -> &'static str {
    ["tags", "reviews.stars", "numbers", "place"][rng.usize(..4)]
}

/// A filter on the fields of [`schema`], `depth` levels deep at most.
pub fn filter(rng: &mut Rng, depth: usize) -> Filter {
    match rng.u8(..if depth == 0 { 6 } else { 10 }) {
        0 => Filter::All,
        1..6 => condition(rng),
        6 => Filter::And((0..rng.usize(..3)).map(|_| filter(rng, depth - 1)).collect()),
        7 => Filter::Or((0..rng.usize(..3)).map(|_| filter(rng, depth - 1)).collect()),
        _ => !filter(rng, depth - 1),
    }
}

fn condition(rng: &mut Rng) -> Filter {
    let integer = FieldType::Integer;
    let color = FieldType::Enum(COLORS.map(String::from).to_vec());
    let fields: [(&str, FieldType, bool); 18] = [
        ("flag", FieldType::Bool, false),
        ("count", integer(Integer::I64), false),
        ("large", integer(Integer::U64), false),
        ("price", FieldType::Float64, false),
        ("numbers", FieldType::Float64, true),
        ("name", FieldType::Text, false),
        ("tags", FieldType::Text, true),
        ("tags.0", FieldType::Text, false),
        ("numbers.1", FieldType::Float64, false),
        ("maker.country", FieldType::Text, false),
        ("maker.founded", integer(Integer::U16), false),
        ("reviews.stars", integer(Integer::U8), true),
        ("reviews.words", FieldType::Text, true),
        ("when", FieldType::Timestamp, false),
        ("key", FieldType::Uuid, false),
        ("place", FieldType::Geo, false),
        ("place", FieldType::Geo, false),
        ("color", color, false),
    ];
    let (path, ty, many) = &fields[rng.usize(..fields.len())];
    let test = match rng.u8(..11) {
        10 => {
            let path = TEXT_PATHS[rng.usize(..TEXT_PATHS.len())];
            return Filter::field(path, Test::Text(words(rng, 2)));
        }
        0..3 => equality(rng, ty),
        3 => Test::Exists(rng.bool()),
        4 => Test::Eq(Value::Null),
        5 if *many => Test::Size(rng.u64(..4)),
        6 if *many => Test::Contains(scalar(rng, ty)),
        7 => return comparison_of_fields(rng),
        _ => match ty {
            FieldType::Text => about_text(rng),
            FieldType::Geo => about_point(rng),
            FieldType::Bool | FieldType::Enum(_) => equality(rng, ty),
            ty => about_order(rng, ty),
        },
    };
    Filter::field(*path, test)
}

fn equality(rng: &mut Rng, ty: &FieldType) -> Test {
    let mut several = || (0..rng.usize(..3)).map(|_| scalar(rng, ty)).collect::<Vec<_>>();
    match several() {
        values if values.is_empty() => Test::All(values),
        values => match rng.u8(..5) {
            0 => Test::Eq(values[0].clone()),
            1 => Test::Ne(values[0].clone()),
            2 => Test::In(values),
            3 => Test::Nin(values),
            _ => Test::All(values),
        },
    }
}

fn about_order(rng: &mut Rng, ty: &FieldType) -> Test {
    let value = match ty {
        FieldType::Integer(_) if rng.u8(..4) == 0 => {
            Value::Float([0.5, -1e30, 1e30, 2.5][rng.usize(..4)])
        }
        ty => scalar(rng, ty),
    };
    match rng.u8(..4) {
        0 => Test::Lt(value),
        1 => Test::Lte(value),
        2 => Test::Gt(value),
        _ => Test::Gte(value),
    }
}

fn about_text(rng: &mut Rng) -> Test {
    let part = ["", "a", "B", "bc", "ä", "{b}"][rng.usize(..6)];
    match rng.u8(..9) {
        0 => Test::StartsWith(part.into()),
        1 => Test::EndsWith(part.into()),
        2 => Test::Contains(part.into()),
        3 => Test::StartsWithIgnoreCase(part.into()),
        4 => Test::EndsWithIgnoreCase(part.into()),
        5 => Test::ContainsIgnoreCase(part.into()),
        6 => Test::Regex(["^a", "b.*", "bC"][rng.usize(..3)].into()),
        _ => about_order(rng, &FieldType::Text),
    }
}

fn about_point(rng: &mut Rng) -> Test {
    if rng.bool() {
        let metres = [0.0, 1e3, 1.5e6, 5e6, 1.2e7, 3e7][rng.usize(..6)];
        return Test::GeoRadius { center: point(rng), metres };
    }
    let (a, b) = (point(rng), point(rng));
    let south_west = GeoPoint { lat: a.lat.min(b.lat), ..a };
    Test::GeoBox { south_west, north_east: GeoPoint { lat: a.lat.max(b.lat), ..b } }
}

fn comparison_of_fields(rng: &mut Rng) -> Filter {
    use Comparison::{Eq, Gt, Gte, Lt, Lte, Ne};
    let comparison = [Eq, Ne, Lt, Lte, Gt, Gte][rng.usize(..6)];
    let pairs = [
        ("price", "old_price"),
        ("numbers", "price"),
        ("name", "tags"),
        ("maker.country", "name"),
        ("count", "maker.founded"),
    ];
    let (path, other) = pairs[rng.usize(..pairs.len())];
    Filter::field(path, Test::Field(comparison, other.into()))
}
