//! The naive twin: documents in a map, every question answered by looking at all of them.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};
use vectordoc::{
    Document, Filter, GeoPoint, Hit, Id, Metric, Order, Patch, Query, Schema, Timestamp, Value,
    filter::{Comparison, Test},
    schema::Precision,
};

/// Documents by id.
#[derive(Clone, Default)]
pub struct Twin {
    /// What is stored.
    pub documents: BTreeMap<Id, Document>,
}

impl Twin {
    /// Inserts or replaces documents.
    pub fn index(&mut self, schema: &Schema, documents: &[Document]) {
        for document in documents {
            let vectors = schema.vectors().iter().zip(&document.vectors);
            let kept = vectors.map(|(field, vector)| Some(kept(field.precision, vector.as_ref()?)));
            let document = Document { vectors: kept.collect(), ..document.clone() };
            self.documents.insert(document.id.clone(), document);
        }
    }

    /// Makes the changes of a patch to the document with this id, if there is one.
    pub fn patch(&mut self, schema: &Schema, id: &Id, patch: &Patch) {
        let Some(document) = self.documents.get_mut(id) else { return };
        for (path, value) in &patch.set {
            match (schema.vectors().iter().position(|field| field.name == *path), value) {
                (Some(number), Value::Array(numbers)) => {
                    let vector: Vec<f32> = numbers.iter().map(component).collect();
                    let precision = schema.vectors()[number].precision;
                    document.vectors[number] = Some(kept(precision, &vector));
                }
                _ => *place(schema, document, path) = value.clone(),
            }
        }
        for path in &patch.unset {
            if !value_at(schema, document, path).is_null() {
                *place(schema, document, path) = Value::Null;
            }
        }
        for (path, by) in &patch.increment {
            let place = place(schema, document, path);
            *place = match (&*place, by) {
                (Value::Null, by) => by.clone(),
                (Value::Int(number), Value::Int(by)) => Value::Int(number + by),
                (Value::Float(number), Value::Float(by)) => Value::Float(number + by),
                other => panic!("{other:?} at {path} cannot be added"),
            };
        }
        for value in &mut document.values {
            if let Value::Object(fields) = value {
                fields.retain(|_, value| !value.is_null());
            }
        }
    }

    /// The ids that pass, in order.
    pub fn matching(&self, schema: &Schema, filter: &Filter) -> Vec<Id> {
        let passes =
            |(id, document): (&Id, &Document)| passes(schema, document, filter).then(|| id.clone());
        self.documents.iter().filter_map(passes).collect()
    }

    /// The documents that pass, in the order of a field: equal values by id, those without one last.
    pub fn ordered(&self, schema: &Schema, filter: &Filter, by: &Order) -> Vec<Document> {
        let mut found: Vec<(Value, Document)> = self
            .documents
            .values()
            .filter(|document| passes(schema, document, filter))
            .map(|document| (value_at(schema, document, &by.field), document.clone()))
            .collect();
        found.sort_by(|(a, document), (b, other)| {
            let values = match (a.is_null(), b.is_null()) {
                (false, false) if by.descending => order(b, a).expect("they are of one type"),
                (false, false) => order(a, b).expect("they are of one type"),
                (a, b) => a.cmp(&b),
            };
            values.then_with(|| document.id.cmp(&other.id))
        });
        found.into_iter().map(|(_, document)| document).collect()
    }

    /// How many of the documents that pass have a value at `path`.
    pub fn having(&self, schema: &Schema, filter: &Filter, path: &str, wanted: &Value) -> u64 {
        let has = |document: &&Document| {
            passes(schema, document, filter)
                && listed(value_at(schema, document, path)).contains(wanted)
        };
        self.documents.values().filter(has).count() as u64
    }

    /// Asserts that `hits` are those of an exact search for everything the documents hold.
    pub fn check_hits(&self, schema: &Schema, query: &Query, hits: &[Hit]) {
        let expected = self.search(schema, query);
        let wanted = query.vector.as_ref().expect("it is a search by vector");
        assert_eq!(hits.len(), expected.len(), "{query:?}");
        for (hit, (_, true_distance)) in hits.iter().zip(&expected) {
            let stored = &self.documents[&hit.id];
            assert_eq!(&hit.doc, stored);
            let vector = stored.vectors[0].as_ref().expect("a hit has a vector");
            let own = distance(schema.vectors()[0].metric, wanted, vector);
            // Hits of equal distance may stand in another order where rounding differs.
            assert!((own - true_distance).abs() < 1e-4, "{query:?}: {hit:?}");
            assert!((f64::from(hit.distance) - own).abs() < 1e-3, "{query:?}: {hit:?}");
        }
    }

    /// The ids and distances of the nearest documents, best first, ties by id.
    pub fn search(&self, schema: &Schema, query: &Query) -> Vec<(Id, f64)> {
        let metric = schema.vectors()[0].metric;
        let wanted = query.vector.as_ref().expect("the query has a vector");
        let mut found: Vec<(Id, f64)> = self
            .documents
            .values()
            .filter(|document| passes(schema, document, &query.filter))
            .filter_map(|document| {
                let vector = document.vectors[0].as_ref()?;
                Some((document.id.clone(), distance(metric, wanted, vector)))
            })
            .collect();
        found.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        found.into_iter().skip(query.offset).take(query.limit).collect()
    }
}

impl Twin {
    /// What each document that passes scores by BM25 that has a word of the question in the texts
    /// at `path`, as the paper has it.
    pub fn search_text(
        &self,
        schema: &Schema,
        path: &str,
        question: &str,
        filter: &Filter,
    ) -> BTreeMap<Id, f64> {
        let texts = |document| words_in(&value_at(schema, document, path));
        let texts = self.documents.values().map(|document| (document, texts(document)));
        let texts: Vec<_> = texts.filter(|(_, words)| !words.is_empty()).collect();
        let count = texts.len() as f64;
        let average = texts.iter().map(|(_, words)| words.len()).sum::<usize>() as f64 / count;
        let mut scores = BTreeMap::new();
        for word in words_of(question).into_iter().collect::<BTreeSet<_>>() {
            let having = texts.iter().filter(|(_, words)| words.contains(&word)).count() as f64;
            let idf = (1.0 + (count - having + 0.5) / (having + 0.5)).ln();
            for (document, words) in &texts {
                let frequency = words.iter().filter(|other| **other == word).count() as f64;
                if frequency > 0.0 && passes(schema, document, filter) {
                    let length = words.len() as f64 / average;
                    let score = frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * length));
                    *scores.entry(document.id.clone()).or_insert(0.0) += idf * score;
                }
            }
        }
        scores
    }
}

/// The words of the random texts: runs of letters and digits, ideographs one by one.
fn words_of(text: &str) -> Vec<String> {
    let spaced = text.replace('東', " 東 ").replace('京', " 京 ").to_lowercase();
    let words = spaced.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(String::from).collect()
}

fn words_in(value: &Value) -> Vec<String> {
    match value {
        Value::Text(text) => words_of(text),
        Value::Array(values) => values.iter().flat_map(words_in).collect(),
        _ => Vec::new(),
    }
}

/// Where a document has the value at `path`, one dot at most; made when it is not there.
fn place<'a>(schema: &Schema, document: &'a mut Document, path: &str) -> &'a mut Value {
    let (top, rest) = path.split_once('.').map_or((path, None), |(top, rest)| (top, Some(rest)));
    let number = schema.values().iter().position(|field| field.name == top);
    let value = &mut document.values[number.expect("the schema has the field")];
    let Some(rest) = rest else { return value };
    if value.is_null() {
        *value = Value::Object(BTreeMap::new());
    }
    match value {
        Value::Object(fields) => fields.entry(rest.into()).or_default(),
        other => panic!("{other:?} has no fields"),
    }
}

/// What is kept of a vector, in double precision until it is.
#[expect(clippy::cast_possible_truncation, reason = "what is kept are f32")]
fn kept(precision: Precision, vector: &[f32]) -> Vec<f32> {
    let largest = vector.iter().map(|number| f64::from(number.abs())).fold(0.0, f64::max);
    let rounded = |number: &f32| {
        let number = f64::from(*number);
        match precision {
            Precision::F32 => number,
            // The vectors judged are far from the smallest and largest halves, so that any power of
            // two keeps the same of them.
            Precision::F16 => half::f16::from_f64(number).to_f64(),
            Precision::I8 => {
                let step = f64::from((largest / 127.0) as f32);
                let unit = 2.0_f64.powf(step.log2().floor() - 16.0);
                let step = (step / unit).ceil() * unit;
                (number / step).round() * step
            }
        }
    };
    vector.iter().map(|number| rounded(number) as f32).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "they were f32")]
fn component(value: &Value) -> f32 {
    match value {
        Value::Float(number) => *number as f32,
        other => panic!("{other:?} is no component of a vector"),
    }
}

/// The metric's own value, in double precision.
pub fn distance(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    let pairs = || a.iter().zip(b).map(|(a, b)| (f64::from(*a), f64::from(*b)));
    let dot: f64 = pairs().map(|(a, b)| a * b).sum();
    match metric {
        Metric::Dot => -dot,
        Metric::L2 => pairs().map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt(),
        Metric::Cosine => {
            let norms: f64 = pairs().map(|(a, _)| a * a).sum::<f64>().sqrt()
                * pairs().map(|(_, b)| b * b).sum::<f64>().sqrt();
            (1.0 - dot / norms).clamp(0.0, 2.0)
        }
    }
}

/// Whether a document passes, by the definition of each operator.
pub fn passes(schema: &Schema, document: &Document, filter: &Filter) -> bool {
    match filter {
        Filter::All => true,
        Filter::And(filters) => filters.iter().all(|filter| passes(schema, document, filter)),
        Filter::Or(filters) => filters.iter().any(|filter| passes(schema, document, filter)),
        Filter::Not(filter) => !passes(schema, document, filter),
        Filter::Field { path, test: Test::Field(comparison, other) } => {
            let values = listed(value_at(schema, document, path));
            let others = listed(value_at(schema, document, other));
            let any = |fits: fn(Ordering) -> bool| {
                values.iter().any(|a| others.iter().any(|b| order(a, b).is_some_and(fits)))
            };
            match comparison {
                Comparison::Eq => any(Ordering::is_eq),
                Comparison::Ne => !any(Ordering::is_eq),
                Comparison::Lt => any(Ordering::is_lt),
                Comparison::Lte => any(Ordering::is_le),
                Comparison::Gt => any(Ordering::is_gt),
                Comparison::Gte => any(Ordering::is_ge),
            }
        }
        Filter::Field { path, test } => holds(&value_at(schema, document, path), test),
    }
}

/// A value as the list of what it has.
fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values,
        value => vec![value],
    }
}

fn value_at(schema: &Schema, document: &Document, path: &str) -> Value {
    let mut names = path.split('.');
    let top = names.next().and_then(|name| {
        let number = schema.values().iter().position(|field| field.name == name)?;
        document.values.get(number)
    });
    names.fold(top.cloned().unwrap_or_default(), |value, name| step(&value, name))
}

/// What is called `name` in a value: a field, an element, or the field in each element.
fn step(value: &Value, name: &str) -> Value {
    match (value, name.parse::<usize>()) {
        (Value::Object(fields), _) => fields.get(name).cloned().unwrap_or_default(),
        (Value::Array(values), Ok(index)) => values.get(index).cloned().unwrap_or_default(),
        (Value::Array(values), Err(_)) => {
            let inner = values.iter().map(|value| step(value, name));
            Value::Array(inner.flat_map(listed).collect())
        }
        _ => Value::Null,
    }
}

fn holds(value: &Value, test: &Test) -> bool {
    let one = |holds: &dyn Fn(&Value) -> bool| match value {
        Value::Null => false,
        Value::Array(values) => values.iter().any(holds),
        value => holds(value),
    };
    let text = |holds: &dyn Fn(&str) -> bool| {
        one(&|value| matches!(value, Value::Text(text) if holds(text)))
    };
    let point = |holds: &dyn Fn(GeoPoint) -> bool| {
        one(&|value| matches!(value, Value::Geo(point) if holds(*point)))
    };
    let equals = |wanted: &Value| match wanted {
        Value::Null => value.is_null(),
        wanted => one(&|value| order(value, wanted) == Some(Ordering::Equal)),
    };
    let compares = |wanted: &Value, fits: fn(Ordering) -> bool| {
        one(&|value| order(value, wanted).is_some_and(fits))
    };
    match test {
        Test::Eq(wanted) => equals(wanted),
        Test::Ne(wanted) => !equals(wanted),
        Test::In(wanted) => wanted.iter().any(equals),
        Test::Nin(wanted) => !wanted.iter().any(equals),
        Test::All(wanted) => wanted.iter().all(equals),
        Test::Lt(wanted) => compares(wanted, Ordering::is_lt),
        Test::Lte(wanted) => compares(wanted, Ordering::is_le),
        Test::Gt(wanted) => compares(wanted, Ordering::is_gt),
        Test::Gte(wanted) => compares(wanted, Ordering::is_ge),
        Test::Exists(exists) => value.is_null() != *exists,
        Test::Size(size) => matches!(value, Value::Array(values) if values.len() as u64 == *size),
        Test::StartsWith(part) => text(&|text| text.starts_with(part.as_str())),
        Test::EndsWith(part) => text(&|text| text.ends_with(part.as_str())),
        Test::StartsWithIgnoreCase(part) => {
            text(&|text| text.to_lowercase().starts_with(&part.to_lowercase()))
        }
        Test::EndsWithIgnoreCase(part) => {
            text(&|text| text.to_lowercase().ends_with(&part.to_lowercase()))
        }
        Test::ContainsIgnoreCase(part) => {
            text(&|text| text.to_lowercase().contains(&part.to_lowercase()))
        }
        Test::Contains(wanted) => match (value, wanted) {
            (Value::Text(text), Value::Text(part)) => text.contains(part.as_str()),
            _ => equals(wanted),
        },
        // The random patterns have no other sign than these two.
        Test::Regex(pattern) => text(&|text| match pattern.strip_prefix('^') {
            Some(start) => text.starts_with(start),
            None => text.contains(pattern.trim_end_matches(".*")),
        }),
        Test::Text(question) => {
            let (words, wanted) = (words_in(value), words_of(question));
            !wanted.is_empty() && wanted.iter().all(|word| words.contains(word))
        }
        Test::GeoRadius { center, metres } => point(&|at| center.distance(&at) <= *metres),
        Test::GeoBox { south_west: low, north_east: high } => point(&|at| {
            let lon = match low.lon <= high.lon {
                true => low.lon <= at.lon && at.lon <= high.lon,
                false => at.lon >= low.lon || at.lon <= high.lon,
            };
            low.lat <= at.lat && at.lat <= high.lat && lon
        }),
        Test::Field(..) => unreachable!("it is about two values"),
    }
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Float(b)) => (*a as f64).partial_cmp(b),
        (Value::Float(a), Value::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Text(b)) => Some(a.cmp(&b.parse::<Timestamp>().ok()?)),
        (Value::Uuid(a), Value::Uuid(b)) => Some(a.cmp(b)),
        (Value::Geo(a), Value::Geo(b)) => (a == b).then_some(Ordering::Equal),
        _ => None,
    }
}
