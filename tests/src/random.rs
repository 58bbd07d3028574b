//! Random schemas, documents, filters and vectors out of one seed.

use fastrand::Rng;
use std::collections::BTreeMap;
use vectordoc::{
    Document, Filter, Id, Metric, Schema, Value,
    filter::Test,
    schema::{FieldType, IdField, IdKind, IndexKind, IndexSpec, Integer, ValueField, VectorField},
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

/// A schema with a value field of every kind, and one vector field.
pub fn schema(rng: &mut Rng, kind: IndexKind) -> Schema {
    let metric = Metric::NAMES[rng.usize(..Metric::NAMES.len())].1;
    let index = IndexSpec { kind, m: rng.usize(4..12), ..IndexSpec::default() };
    let vector = VectorField {
        name: "embedding".into(),
        dim: rng.usize(1..20),
        metric,
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
    let values = vec![
        field("flag", FieldType::Bool, rng.bool()),
        field("count", FieldType::Integer(Integer::I64), rng.bool()),
        field("price", FieldType::Float64, rng.bool()),
        field("name", FieldType::Text, rng.bool()),
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

fn value(rng: &mut Rng, field: &ValueField) -> Value {
    if field.optional && rng.u8(..5) == 0 {
        return Value::Null;
    }
    match &field.ty {
        FieldType::Array(element) => {
            Value::Array((0..rng.usize(..4)).map(|_| scalar(rng, element)).collect())
        }
        FieldType::Object(fields) => {
            let values = fields.iter().map(|field| (field.name.clone(), value(rng, field)));
            Value::Object(values.filter(|(_, value)| !value.is_null()).collect::<BTreeMap<_, _>>())
        }
        ty => scalar(rng, ty),
    }
}

fn scalar(rng: &mut Rng, ty: &FieldType) -> Value {
    match ty {
        FieldType::Bool => Value::Bool(rng.bool()),
        FieldType::Integer(Integer::U16) => Value::Int(rng.u16(..5).into()),
        FieldType::Integer(_) => Value::Int(rng.i8(-4..4).into()),
        FieldType::Float64 => Value::Float(f64::from(rng.i8(-4..4)) / 2.0),
        _ => Value::Text(["", "a", "ab", "abc", "b", "bc", "ä"][rng.usize(..7)].into()),
    }
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
    let fields: [(&str, FieldType, bool); 7] = [
        ("flag", FieldType::Bool, false),
        ("count", FieldType::Integer(Integer::I64), false),
        ("price", FieldType::Float64, false),
        ("name", FieldType::Text, false),
        ("tags", FieldType::Text, true),
        ("maker.country", FieldType::Text, false),
        ("maker.founded", FieldType::Integer(Integer::U16), false),
    ];
    let (path, ty, many) = &fields[rng.usize(..fields.len())];
    let value = |rng: &mut Rng| scalar(rng, ty);
    let values = |rng: &mut Rng| (0..rng.usize(..3)).map(|_| scalar(rng, ty)).collect();
    let test = match rng.u8(..13) {
        0 => Test::Eq(value(rng)),
        1 => Test::Ne(value(rng)),
        2 => Test::In(values(rng)),
        3 => Test::Nin(values(rng)),
        4 => Test::All(values(rng)),
        5 => Test::Exists(rng.bool()),
        6 => Test::Eq(Value::Null),
        7 if *many => Test::Size(rng.u64(..4)),
        8 if *many || *ty == FieldType::Text => Test::Contains(value(rng)),
        9 if *ty == FieldType::Text => Test::StartsWith(["", "a", "b"][rng.usize(..3)].into()),
        _ if *ty == FieldType::Bool => Test::Eq(value(rng)),
        10 => Test::Lt(value(rng)),
        11 => Test::Gte(value(rng)),
        12 => Test::Gt(value(rng)),
        _ => Test::Lte(value(rng)),
    };
    Filter::field(*path, test)
}
