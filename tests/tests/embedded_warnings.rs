//! Promise: an answer says which conditions of its filter no index serves and what they cost, and
//! says nothing when there is nothing to say.

use vectordoc::{
    Database, Document, Filter, Id, Query, Result, Schema, Value, native::DatabaseOptions,
    query::Warning,
};

const DOCUMENTS: u64 = 300;

/// Documents with a name of their own, one of three makers, and tags.
fn database(shards: usize) -> Result<Database> {
    let schema = Schema::from_json_str(
        r#"{"id": "u64", "embedding": {"vector": 2},
            "name": {"type": "string", "filter": true}, "maker": {"type": "string", "filter": true},
            "price": {"type": "f64", "filter": true}, "old_price": {"type": "f64", "filter": true},
            "tags": {"type": "string[]", "filter": true}}"#,
    )?;
    let options = DatabaseOptions { shards: Some(shards), ..DatabaseOptions::default() };
    let database = Database::in_memory(&schema, &options)?;
    let text = |text: String| Value::Text(text);
    let document = |id: u64| {
        let price = Value::Float(f64::from(u32::try_from(id).expect("small")));
        Document {
            id: Id::Int(id),
            vectors: vec![Some(vec![1.0, 2.0])],
            // In order of the names, as an object of JSON has no order.
            values: vec![
                text(format!("maker {}", id % 3)),
                text(format!("name {id}")),
                price.clone(),
                price,
                Value::Array(vec![text(if id < 10 { "rare" } else { "common" }.into())]),
            ],
        }
    };
    database.index((0..DOCUMENTS).map(document).collect())?;
    Ok(database)
}

fn warnings(database: &Database, filter: &str) -> Result<Vec<Warning>> {
    database.warnings(&filter.parse::<Filter>()?)
}

#[test]
fn conditions_that_no_index_serves_are_named_with_their_cost() -> Result<()> {
    for shards in [1, 3] {
        let database = database(shards)?;
        // Each shard has the three makers.
        let makers = 3 * shards as u64;
        let scan =
            |path: &str, operator, values| Warning::Scan { path: path.into(), operator, values };
        let places = |documents| Warning::Element { path: "tags.0".into(), documents };
        let fields = || Warning::FieldComparison { path: "price".into(), values: 2 * DOCUMENTS };
        let table = [
            (r#"{"name": {"$contains": "7"}}"#, vec![scan("name", "$contains", DOCUMENTS)]),
            (r#"{"name": {"$regex": "7$"}}"#, vec![scan("name", "$regex", DOCUMENTS)]),
            (r#"{"maker": {"$endsWith": "1"}}"#, vec![scan("maker", "$endsWith", makers)]),
            (r#"{"maker": {"$icontains": "R"}}"#, vec![scan("maker", "$icontains", makers)]),
            (r#"{"maker": {"$istartsWith": "M"}}"#, vec![scan("maker", "$istartsWith", makers)]),
            (r#"{"maker": {"$iendsWith": "1"}}"#, vec![scan("maker", "$iendsWith", makers)]),
            (r#"{"$not": {"maker": {"$regex": "1"}}}"#, vec![scan("maker", "$regex", makers)]),
            (r#"{"tags.0": "rare"}"#, vec![places(10)]),
            (r#"{"price": {"$lt": {"$field": "old_price"}}}"#, vec![fields()]),
            (
                r#"{"$or": [{"name": {"$regex": "7"}}, {"maker": {"$contains": "1"}}]}"#,
                vec![scan("name", "$regex", DOCUMENTS), scan("maker", "$contains", makers)],
            ),
            // Put to the few documents that another condition leaves, it costs little.
            (r#"{"name": {"$contains": "7"}, "price": 7}"#, vec![]),
            (
                r#"{"name": {"$contains": "7"}, "price": {"$lt": 200}}"#,
                vec![scan("name", "$contains", DOCUMENTS)],
            ),
            (r#"{"name": "name 7"}"#, vec![]),
            (r#"{"name": {"$startsWith": "name"}, "price": {"$gt": 5}}"#, vec![]),
            (r#"{"tags": {"$contains": "rare"}}"#, vec![]),
            (r#"{"tags": {"$size": 1}, "maker": {"$nin": ["a"]}}"#, vec![]),
            ("{}", vec![]),
        ];
        for (filter, expected) in table {
            assert_eq!(warnings(&database, filter)?, expected, "{filter} in {shards} shards");
            let query = Query { filter: filter.parse()?, ..Query::new(vec![1.0, 2.0]) };
            let (_, explanation) = database.explain(&query)?;
            assert_eq!(explanation.warnings, expected, "{filter} in {shards} shards");
            // What is kept of the filter changes nothing.
            assert_eq!(database.explain(&query)?.1.warnings, expected, "{filter}");
        }
    }
    Ok(())
}

#[test]
fn a_warning_says_what_it_is_about_and_what_to_do() -> Result<()> {
    let database = database(1)?;
    let said =
        |filter| -> Result<String> { Ok(warnings(&database, filter)?.remove(0).to_string()) };
    let scan = said(r#"{"name": {"$regex": "7"}}"#)?;
    for part in ["\"name\"", "$regex", "300 values", "$startsWith", "$text"] {
        assert!(scan.contains(part), "{scan}");
    }
    assert!(said(r#"{"tags.0": "rare"}"#)?.contains("10 documents"));
    assert!(said(r#"{"price": {"$eq": {"$field": "old_price"}}}"#)?.contains("600 values"));
    let refused = warnings(&database, r#"{"nam": {"$contains": "7"}}"#);
    assert!(refused.is_err_and(|error| error.message().contains("did you mean \"name\"")));
    Ok(())
}

#[test]
fn an_ef_that_cannot_do_is_told() -> Result<()> {
    let database = database(2)?;
    let asked = |query: &Query| database.search_warnings(query);
    let query = Query { ef: Some(9), ..Query::new(vec![1.0, 2.0]) };
    assert_eq!(asked(&query)?, [Warning::SmallEf { asked: 9, used: 10 }]);
    assert_eq!(database.explain(&query)?.1.warnings, asked(&query)?);
    assert_eq!(asked(&Query { limit: 9, ..query.clone() })?, []);
    assert_eq!(asked(&Query { offset: 3, ..query.clone() })?.len(), 1);
    assert_eq!(asked(&Query { exact: true, ..query })?, []);
    Ok(())
}
