//! Promise: the filter language is the table in `vectordoc::filter`, no more and no less, and
//! DocArray's queries mean what they meant, on every index.

use vectordoc::{Database, Document, Filter, Id, Query, Result, Schema, native::DatabaseOptions};

/// The products that every filter below is asked about.
const PRODUCTS: [&str; 5] = [
    r#"{"id": 1, "v": [1, 0], "price": 5, "old_price": 7.5, "name": "Red wine", "tags": ["red", "new"],
        "maker": {"country": "NL"}, "when": "2026-01-01T00:00:00Z", "place": {"lat": 52.37, "lon": 4.9},
        "color": "red", "reviews": [{"stars": 5}, {"stars": 2}], "stock": 3}"#,
    r#"{"id": 2, "v": [0.9, 0.1], "price": 10, "old_price": 10, "name": "White wine", "tags": [],
        "maker": {"country": "DE"}, "when": "2026-02-01T00:00:00Z", "place": {"lat": 52.52, "lon": 13.4},
        "color": "white", "reviews": [], "stock": 0}"#,
    r#"{"id": 3, "v": [0.8, 0.2], "price": 12.5, "name": "beer {old_price}", "tags": ["new"],
        "when": "2026-03-01T00:00:00.5Z", "place": {"lat": -17.8, "lon": 178.0}, "color": "red"}"#,
    r#"{"id": 4, "v": [0.7, 0.3], "price": 13, "old_price": 12, "name": "Äpfel", "tags": ["old", "red"],
        "maker": {"country": "NL"}, "when": "2025-12-31T23:59:59Z", "place": {"lat": -17.8, "lon": -179.0},
        "color": "green", "reviews": [{"stars": 4}], "stock": 9}"#,
    r#"{"id": 5, "v": [0.6, 0.4], "price": 20, "name": "", "color": "white"}"#,
];

fn database(index: &str) -> Result<Database> {
    let schema = format!(
        r#"{{"id": "u64", "v": {{"vector": 2, "index": "{index}", "quantization": "f32"}},
            "price": {{"type": "f64", "filter": true}},
            "old_price": {{"type": "f64?", "filter": true}},
            "name": {{"type": "string", "filter": true}},
            "tags": {{"type": "string[]?", "filter": true}},
            "maker": {{"fields": {{"country": {{"type": "string", "filter": true}}}}, "optional": true}},
            "when": {{"type": "timestamp?", "filter": true}},
            "place": {{"type": "geo?", "filter": true}},
            "color": {{"type": "string", "enum": ["red", "green", "white"], "filter": true}},
            "stock": {{"type": "integer?", "filter": true}},
            "reviews": {{"type": "object[]?", "fields": {{"stars": {{"type": "u8", "filter": true}}}}}}}}"#
    );
    let schema = Schema::from_json_str(&schema)?;
    let database = Database::in_memory(&schema, &DatabaseOptions::default())?;
    let products = PRODUCTS.iter().map(|json| Document::from_json(&schema, json));
    database.index(products.collect::<Result<_>>()?)?;
    database.wait_indexed(&mut |_, _| {})?;
    Ok(database)
}

/// Asks each filter of a search and of a count; the hits are the ids expected, nearest first.
fn means(cases: &[(&str, &[u64])]) -> Result<()> {
    for index in ["exact", "hnsw", "auto"] {
        let database = database(index)?;
        for (json, expected) in cases {
            let filter: Filter = json.parse()?;
            assert_eq!(database.count(&filter)?, expected.len() as u64, "{index}: {json}");
            let hits = database.search(&Query { filter, ..Query::new(vec![1.0, 0.0]) })?;
            let ids: Vec<Id> = hits.into_iter().map(|hit| hit.id).collect();
            assert_eq!(ids, expected.iter().map(|id| Id::Int(*id)).collect::<Vec<_>>(), "{json}");
        }
    }
    Ok(())
}

#[test]
fn queries_of_docarray_work_unchanged() -> Result<()> {
    means(&[
        (r#"{"price": {"$eq": 5}}"#, &[1]),
        (r#"{"price": {"$neq": 5}}"#, &[2, 3, 4, 5]),
        (r#"{"price": {"$gt": 12.5}}"#, &[4, 5]),
        (r#"{"price": {"$gte": 10, "$lt": 13}}"#, &[2, 3]),
        (r#"{"price": {"$lte": 10}, "name": {"$eq": "Red wine"}}"#, &[1]),
        (r#"{"price": {"$in": [5, 13]}}"#, &[1, 4]),
        (r#"{"price": {"$nin": [5, 13]}}"#, &[2, 3, 5]),
        (r#"{"name": {"$regex": "wine$"}}"#, &[1, 2]),
        (r#"{"tags": {"$size": 2}}"#, &[1, 4]),
        (r#"{"maker.country": {"$exists": true}}"#, &[1, 2, 4]),
        (r#"{"old_price": {"$exists": false}}"#, &[3, 5]),
        (r#"{"$and": [{"price": {"$gt": 5}}, {"price": {"$lt": 13}}]}"#, &[2, 3]),
        (r#"{"$or": [{"price": {"$eq": 5}}, {"price": {"$eq": 20}}]}"#, &[1, 5]),
        (r#"{"$and": {"price": {"$gt": 5}, "name": {"$eq": "Äpfel"}}}"#, &[4]),
        (r#"{"$or": {"price": {"$eq": 5}, "name": {"$eq": "Äpfel"}}}"#, &[1, 4]),
        (r#"{"$not": {"price": {"$gt": 5}}}"#, &[1]),
        (r#"{"price": {"$not": {"$gt": 5}}}"#, &[1]),
        (r#"{"maker__country": {"$eq": "NL"}}"#, &[1, 4]),
        (r#"{"tags__0": {"$eq": "red"}}"#, &[1]),
        (r#"{"price": {"$eq": "{old_price}"}}"#, &[2]),
        (r#"{"price": {"$lt": "{old_price}"}}"#, &[1]),
        (r#"{"price": 5}"#, &[1]),
        (r"{}", &[1, 2, 3, 4, 5]),
    ])?;
    // A string of JSON is a filter too.
    let database = database("auto")?;
    let text = vectordoc::Value::from(r#"{"price": {"$eq": 5}}"#);
    assert_eq!(database.count(&Filter::from_value(&text)?)?, 1);
    Ok(())
}

#[test]
fn every_operator_means_what_its_row_says() -> Result<()> {
    means(&[
        (r#"{"old_price": null}"#, &[3, 5]),
        (r#"{"old_price": {"$ne": 10}}"#, &[1, 3, 4, 5]),
        (r#"{"tags": "red"}"#, &[1, 4]),
        (r#"{"tags": {"$ne": "red"}}"#, &[2, 3, 5]),
        (r#"{"tags": {"$any": ["old", "new"]}}"#, &[1, 3, 4]),
        (r#"{"tags": {"$all": ["red", "new"]}}"#, &[1]),
        (r#"{"tags": {"$contains": "new"}}"#, &[1, 3]),
        (r#"{"tags": {"$size": 0}}"#, &[2]),
        (r#"{"tags": {"$exists": false}}"#, &[5]),
        (r#"{"tags.1": "red"}"#, &[4]),
        (r#"{"tags.0": {"$exists": true}}"#, &[1, 3, 4]),
        (r#"{"name": {"$contains": "wine"}}"#, &[1, 2]),
        (r#"{"name": {"$icontains": "WINE"}}"#, &[1, 2]),
        (r#"{"name": {"$startsWith": "B"}}"#, &[]),
        (r#"{"name": {"$istartsWith": "B"}}"#, &[3]),
        (r#"{"name": {"$istartsWith": "ä"}}"#, &[4]),
        (r#"{"name": {"$endsWith": "fel"}}"#, &[4]),
        (r#"{"name": {"$iendsWith": "FEL"}}"#, &[4]),
        (r#"{"name": {"$lt": "White"}}"#, &[1, 5]),
        (r#"{"name": {"$regex": "^[A-Z]\\w+ wine"}}"#, &[1, 2]),
        (r#"{"name": "beer {old_price}"}"#, &[3]),
        (r#"{"name": {"$literal": "{old_price}"}}"#, &[]),
        (r#"{"price": {"$gt": {"$field": "old_price"}}}"#, &[4]),
        (r#"{"price": {"$ne": {"$field": "old_price"}}}"#, &[1, 3, 4, 5]),
        (r#"{"reviews.stars": {"$gte": 4}}"#, &[1, 4]),
        (r#"{"reviews.stars": {"$size": 0}}"#, &[2]),
        (
            r#"{"when": {"$gte": "2026-01-01T01:00:00+01:00", "$lt": "2026-03-01T00:00:00Z"}}"#,
            &[1, 2],
        ),
        (r#"{"when": 1767225600000}"#, &[1]),
        (r#"{"when": {"$in": ["2025-12-31T23:59:59Z", 1769904000000]}}"#, &[2, 4]),
        (r#"{"place": {"lat": 52.37, "lon": 4.9}}"#, &[1]),
        (
            r#"{"place": {"$geoRadius": {"center": {"lat": 52.4, "lon": 5}, "radius": 10000}}}"#,
            &[1],
        ),
        (
            r#"{"place": {"$geoRadius": {"center": {"lat": -17.8, "lon": 179.9}, "radius": 250000}}}"#,
            &[3, 4],
        ),
        (
            r#"{"place": {"$geoBox": {"south_west": {"lat": 50, "lon": 0}, "north_east": {"lat": 53, "lon": 14}}}}"#,
            &[1, 2],
        ),
        (
            r#"{"place": {"$geoBox": {"south_west": {"lat": -20, "lon": 170}, "north_east": {"lat": 0, "lon": -170}}}}"#,
            &[3, 4],
        ),
        (r#"{"color": {"$in": ["red", "green"]}}"#, &[1, 3, 4]),
        (r#"{"color": {"$startsWith": "r"}}"#, &[1, 3]),
        (r#"{"stock": {"$gt": 2.5}}"#, &[1, 4]),
        (r#"{"stock": 2.5}"#, &[]),
        (r#"{"$nor": [{"price": 5}, {"price": 10}]}"#, &[3, 4, 5]),
        (r#"{"$not": {"tags": "red", "price": {"$lt": 10}}}"#, &[2, 3, 4, 5]),
        (r#"{"$and": []}"#, &[1, 2, 3, 4, 5]),
        (r#"{"$or": []}"#, &[]),
    ])
}

#[test]
fn what_means_nothing_is_refused_and_says_why() -> Result<()> {
    let database = database("auto")?;
    for (json, part) in [
        (r#"{"prise": 5}"#, r#"unknown field "prise"; did you mean "price"?"#),
        (r#"{"price": {"$gtt": 5}}"#, r#"unknown operator "$gtt"; did you mean "$gt"?"#),
        (r#"{"price": "cheap"}"#, r#"holds a finite number, a comparison got text "cheap""#),
        (r#"{"price": {"$contains": "1"}}"#, "$contains got text"),
        (r#"{"color": "rde"}"#, r#"unknown word "rde"; there are red, green, white"#),
        (r#"{"color": {"$gt": "red"}}"#, "an ordered comparison"),
        (r#"{"when": "yesterday"}"#, "a timestamp such as"),
        (
            r#"{"place": {"$geoRadius": {"center": {"lat": 95, "lon": 0}, "radius": 1}}}"#,
            "latitude is 95",
        ),
        (
            r#"{"place": {"$geoRadius": {"center": {"lat": 5, "lon": 0}, "radius": -1}}}"#,
            "radius is -1",
        ),
        (
            r#"{"place": {"$geoRadius": {"middle": {"lat": 5, "lon": 0}}}}"#,
            "unknown part of $geoRadius",
        ),
        (
            r#"{"price": {"$geoBox": {"south_west": {"lat": 5, "lon": 0}, "north_east": {"lat": 5, "lon": 0}}}}"#,
            "asks about points",
        ),
        (r#"{"name": {"$regex": "("}}"#, "is no regular expression"),
        (r#"{"name": {"$size": 1}}"#, "the field is none"),
        (r#"{"price": {"$lt": "{name}"}}"#, "do not compare"),
        (r#"{"price": {"$lt": "{nowhere}"}}"#, "write {\"$literal\": …}"),
        (r#"{"$xor": []}"#, r#"unknown operator "$xor""#),
        (r#"{"v": [1, 0]}"#, "unknown field"),
        (r#"{"1=1 OR price": {"$eq": -1}}"#, "unknown field"),
        (r"[]", "a filter is an object"),
    ] {
        let refused = json.parse().and_then(|filter: Filter| database.count(&filter));
        let error = refused.expect_err(json);
        assert!(error.message().contains(part), "{json}: {error}");
    }
    Ok(())
}
