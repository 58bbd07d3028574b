//! Promise: a search by words finds the documents that have them, scored alike however they are
//! spread; a search by words and vector finds first what is good in both; and no text, however
//! strange, does harm.

use vectordoc::{
    Database, Db, Document, ErrorKind, Filter, Fusion, Hit, Id, Include, Query, Result, Schema,
    TextQuery, Value, VectorDoc, native::DatabaseOptions,
};

/// A note in two languages, with remarks.
#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Note {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 2, metric = "l2"))]
    place: [f32; 2],
    #[vectordoc(filter)]
    number: u64,
    remarks: Option<Vec<Remark>>,
    #[vectordoc(text)]
    text: String,
}

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Remark {
    by: String,
    #[vectordoc(text)]
    words: String,
}

fn note(id: u64, text: &str) -> Note {
    Note { id, place: [id as f32, 1.0], number: id, remarks: None, text: text.into() }
}

fn remark(words: &str) -> Remark {
    Remark { by: "me".into(), words: words.into() }
}

fn notes(texts: &[&str]) -> Result<Db<Note>> {
    let db = Db::in_memory()?;
    db.index((0..).zip(texts).map(|(id, text)| note(id, text)))?;
    Ok(db)
}

fn ids<D>(hits: &[Hit<D>]) -> Vec<u64> {
    let id = |hit: &Hit<D>| match hit.id {
        Id::Int(id) => id,
        _ => unreachable!("ids are numbers"),
    };
    hits.iter().map(id).collect()
}

#[test]
fn the_words_of_a_builder_mean_what_they_say() -> Result<()> {
    let db = notes(&["a wild cat", "a cat, a cat", "the dog", "wild geese", "Cat"])?;
    let by_text = || db.search_text("wild CAT!").text_field("text");
    let hits = by_text().run()?;
    assert_eq!(hits[0].doc, note(0, "a wild cat"), "it has both words");
    assert_eq!(ids(&hits).len(), 4);
    assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
    assert!(hits.iter().all(|hit| hit.distance == -hit.score));
    let hits = by_text().filter(Note::number().ne(0_u64)).limit(2).run()?;
    assert_eq!(ids(&hits), [3, 4], "the rarer word, then the shorter text");
    assert_eq!(ids(&by_text().offset(1).limit(2).run()?), [3, 4]);
    let least = hits[1].score;
    assert_eq!(by_text().min_score(least).run()?.len(), 3);
    assert_eq!(by_text().ids()?[0], Id::Int(0));
    Ok(())
}

#[test]
fn what_is_good_in_both_lists_is_first() -> Result<()> {
    let db = notes(&["cats are wild", "dogs", "a cat", "geese", "the cat of cats is a cat"])?;
    for fusion in [Fusion::default(), Fusion::Weighted { text: 0.5 }] {
        let hits = db.search(&[1.9, 1.0]).text("cat").text_field("text").fusion(fusion).run()?;
        assert_eq!(ids(&hits)[0], 2, "{fusion:?}: near, and has the word");
        assert_eq!(hits.len(), 5, "what has no word is near, and what is far has the word");
    }
    let all_by_vector = Fusion::Weighted { text: 0.0 };
    let hits = db.search(&[0.1, 1.0]).text("cat").text_field("text").fusion(all_by_vector).run()?;
    assert_eq!(ids(&hits), [0, 1, 2, 3, 4]);
    let wrong = Fusion::Weighted { text: f32::NAN };
    let refused = db.search(&[0.1, 1.0]).text("cat").text_field("text").fusion(wrong).run();
    assert_eq!(refused.map_err(|error| error.kind()).err(), Some(ErrorKind::Invalid));
    let like = db.search_like(2).with(|search| search.text("cat").text_field("text"));
    assert!(!ids(&like.run()?).contains(&2), "an example is no hit, whatever it says");
    Ok(())
}

#[test]
fn a_batch_may_have_texts_too() -> Result<()> {
    let db = notes(&["cat", "dog", "goose"])?;
    let vectors = [[0.0, 1.0], [2.0, 1.0]];
    let batch = db.search_batch(&vectors).with(|search| search.text("dog").text_field("text"));
    for (vector, hits) in vectors.iter().zip(batch.run()?) {
        assert_eq!(hits, db.search(vector).text("dog").text_field("text").run()?);
    }
    Ok(())
}

#[test]
fn words_are_found_in_nested_arrays() -> Result<()> {
    let db = Db::<Note>::in_memory()?;
    let remarks = Some(vec![remark("so wild"), remark("a cat")]);
    db.index([Note { remarks, ..note(1, "dog") }, note(2, "cat")])?;
    let hits = db.search_text("cat").text_field("remarks.words").run()?;
    assert_eq!(ids(&hits), [1]);
    assert_eq!(db.count(r#"{"remarks.words": {"$text": "cat wild"}}"#.parse()?)?, 1);
    assert_eq!(db.count(r#"{"remarks__words": {"$text": "cat dog"}}"#.parse()?)?, 0);
    assert_eq!(db.count(r#"{"text": {"$not": {"$text": "cat"}}}"#.parse()?)?, 1);
    Ok(())
}

#[test]
fn errors_say_what_to_do() -> Result<()> {
    let db = notes(&["cat"])?;
    let message = |result: Result<Vec<Hit<Note>>>| result.expect_err("it is wrong").to_string();
    for (field, part) in [
        (None, "the schema has several text fields; say which of remarks.words, text"),
        (Some("number"), "mark it `text` in the schema"),
        (Some("txt"), "did you mean \"text\"?"),
    ] {
        let text = TextQuery { words: "cat".into(), field: field.map(String::from) };
        let query = Query { text: Some(text), ..Query::of_text("") };
        let error = db.database().search(&query).expect_err("it is wrong").to_string();
        assert!(error.contains(part), "{error}");
    }
    let filter: Filter = r#"{"number": {"$text": "cat"}}"#.parse()?;
    let error = db.count(filter).expect_err("it is no text").to_string();
    assert!(error.contains("mark it `text` in the schema"), "{error}");
    let many: String = (0..2_000).map(|number| format!("w{number} ")).collect();
    let refused = message(db.search_text(many).text_field("text").run());
    assert!(refused.contains("number of different words is 1025, the limit is 1024"), "{refused}");
    let nothing = Query { text: None, ..Query::of_text("") };
    let error = db.database().search(&nothing).expect_err("it asks for nothing").to_string();
    assert!(error.contains("neither a vector nor a text"), "{error}");
    Ok(())
}

#[test]
fn strange_texts_do_no_harm() -> Result<()> {
    let long_word = "x".repeat(1_000_000);
    let long_text = "wild cat ".repeat(110_000);
    let texts = [
        "",
        "-- ?! …",
        "🐱🐱 👩‍👩‍👧‍👦 🇳🇱",
        "e\u{301}t\u{301}e\u{301} \u{301}",
        "\u{202E}שלום\u{202C} עולם",
        "\0\u{FFFF}\u{200B}",
        "İSTANBUL ß ΣΑΣ",
        &long_word,
        &long_text,
    ];
    let directory = tempfile::tempdir().expect("a temporary directory");
    let db = Db::<Note>::open(directory.path())?;
    db.index((0..).zip(texts).map(|(id, text)| note(id, text)))?;
    db.close()?;
    let db = Db::<Note>::open(directory.path())?;
    for (id, text) in (0..).zip(texts) {
        let hits = db.search_text(text).text_field("text").run()?;
        let is_found = ids(&hits).contains(&id);
        assert_eq!(is_found, text.chars().any(char::is_alphanumeric), "note {id}");
        let filter = Filter::field("text", vectordoc::filter::Test::Text(text.into()));
        assert_eq!(db.count(filter)? > 0, is_found, "note {id}");
    }
    assert_eq!(ids(&db.search_text("שלום").text_field("text").run()?), [4]);
    assert_eq!(db.search(&[0.0, 1.0]).text("").text_field("text").run()?.len(), texts.len());
    assert_eq!(db.delete_where(Filter::All)?, texts.len());
    assert_eq!(db.search_text("wild").text_field("text").run()?, []);
    db.database().check()
}

/// The glosses of the sample in `shards` shards.
fn sample(shards: usize) -> Result<Database> {
    let json = r#"{"id": "u64", "place": {"vector": 2, "metric": "l2"},
        "gloss": {"type": "string", "text": true}}"#;
    let options = DatabaseOptions { shards: Some(shards), ..DatabaseOptions::default() };
    let db = Database::in_memory(&Schema::from_json_str(json)?, &options)?;
    let rows = include_str!("../../node-server/sample/documents.jsonl").lines();
    let document = |(id, row): (u64, &str)| {
        let row: serde_json::Value = serde_json::from_str(row).expect("a row is JSON");
        let gloss = row["gloss"].as_str().expect("a synset has a gloss");
        let vector = vec![(id % 97) as f32, (id % 89) as f32];
        Document { id: Id::Int(id), vectors: vec![Some(vector)], values: vec![gloss.into()] }
    };
    db.index((0..).zip(rows).map(document).collect())?;
    Ok(db)
}

#[test]
fn a_word_finds_the_glosses_that_have_it_and_scores_do_not_depend_on_shards() -> Result<()> {
    let (one, four) = (sample(1)?, sample(4)?);
    for question in ["water", "a large fish of the sea", "dehydrated milk"] {
        let query = Query { limit: 3_000, ..Query::of_text(question) };
        let (hits, explanation) = one.explain(&query)?;
        assert_eq!((explanation.plan, explanation.allowed), ("text", 3_000));
        let scores = |hits: &[Hit]| hits.iter().map(|hit| (hit.id.clone(), hit.score)).collect();
        let (in_one, in_four): (Vec<_>, Vec<_>) = (scores(&hits), scores(&four.search(&query)?));
        assert_eq!(in_one, in_four, "{question}");
        let words: Vec<&str> = question.split(' ').collect();
        for hit in &hits {
            let Value::Text(gloss) = &hit.doc.values[0] else { unreachable!("a gloss is text") };
            assert!(words.iter().any(|word| gloss.to_lowercase().contains(word)), "{gloss}");
        }
        let vector = Some(vec![5.0, 5.0]);
        let query = Query { vector, limit: 20, include: Include::Nothing, ..query };
        assert_eq!(one.search(&query)?, four.search(&query)?, "{question}, hybrid");
        assert_eq!(one.explain(&query)?.1.plan, "hybrid");
    }
    let has_water = one.count(&r#"{"gloss": {"$text": "water"}}"#.parse()?)?;
    let found = one.search(&Query { limit: 3_000, ..Query::of_text("water") })?;
    assert_eq!((has_water, has_water > 10), (found.len() as u64, true));
    Ok(())
}
