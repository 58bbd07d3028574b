//! What `text`, `default`, `skip` and several vectors make of a derived struct.

use vectordoc::{Db, Filter, Id, Result, Schema, Value, VectorDoc, document::Document};

fn schema_of(json: &str) -> Schema {
    Schema::from_json_str(json).expect("the schema is right")
}

#[test]
fn text_marks_what_has_words() {
    #[derive(VectorDoc)]
    struct Article {
        #[vectordoc(id)]
        id: u64,
        #[vectordoc(text)]
        title: String,
        #[vectordoc(text, filter)]
        summary: Option<String>,
        #[vectordoc(text)]
        paragraphs: Vec<String>,
        source: Source,
    }

    #[derive(VectorDoc)]
    struct Source {
        #[vectordoc(text)]
        name: std::sync::Arc<str>,
        place: String,
    }

    let json = r#"{"id": "u64", "title": {"type": "string", "text": true},
        "summary": {"type": "string?", "text": true, "filter": true},
        "paragraphs": {"type": "string[]", "text": true},
        "source": {"fields": {"name": {"type": "string", "text": true}, "place": "string"}}}"#;
    assert_eq!(Article::schema(), schema_of(json));
    assert_eq!(schema_of(&Article::schema().to_json_string()), Article::schema());
}

mod defaults {
    use super::*;

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Product {
        #[vectordoc(id)]
        id: u64,
        #[vectordoc(default)]
        stock: u32,
        #[vectordoc(default = "super::defaults::one", filter)]
        price: f64,
        #[vectordoc(default)]
        tags: Vec<String>,
        #[vectordoc(json, default = "limits")]
        limits: (u8, u8),
        part: Part,
    }

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Part {
        #[vectordoc(default, rename = "Count")]
        count: i64,
        #[vectordoc(default)]
        state: State,
    }

    #[derive(Clone, Copy, Debug, Default, PartialEq, VectorDoc)]
    enum State {
        Old,
        #[default]
        New,
    }

    fn one() -> f64 {
        1.0
    }

    fn limits() -> (u8, u8) {
        (1, 9)
    }

    const PART: Part = Part { count: 0, state: State::New };

    #[test]
    fn what_a_document_lacks_is_the_default() -> Result<()> {
        let schema = Product::schema();
        let json = r#"{"id": "u64", "stock": "u32?", "price": {"type": "number?", "filter": true},
            "tags": "string[]?", "limits": "json?", "part": {"fields": {"Count": "i64?",
                "state": {"type": "string?", "enum": ["Old", "New"]}}}}"#;
        assert_eq!(schema, schema_of(json));
        let old = Document::from_json(&schema, r#"{"id": 1, "part": {}}"#)?;
        let tags = Vec::new();
        let expected = Product { id: 1, stock: 0, price: 1.0, tags, limits: (1, 9), part: PART };
        assert_eq!(Product::from_document(old)?, expected);
        Ok(())
    }

    #[test]
    fn what_a_document_has_is_kept() -> Result<()> {
        let part = Part { count: 7, state: State::Old };
        let tags = vec!["a".into()];
        let product = Product { id: 1, stock: 3, price: 0.5, tags, limits: (0, 0), part };
        let db = Db::<Product>::in_memory()?;
        db.index([product.clone()])?;
        assert_eq!(db.get(1)?, Some(product));
        assert_eq!(db.count(Product::price().eq(0.5))?, 1);
        Ok(())
    }

    #[test]
    fn json_that_can_be_null_has_no_default() {
        #[derive(VectorDoc)]
        struct Wrong {
            #[vectordoc(id)]
            id: u64,
            #[vectordoc(json, default)]
            any: serde_json::Value,
        }
        let panic = std::panic::catch_unwind(Wrong::schema).expect_err("two values for missing");
        let message = panic.downcast_ref::<&str>().expect("it is text");
        assert!(message.contains("remove `default`"), "{message}");
    }
}

mod skips {
    use super::*;

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    #[vectordoc(rename_all = "UPPERCASE")]
    struct Session<T = u8> {
        #[vectordoc(id)]
        id: String,
        #[vectordoc(skip)]
        cache: Option<std::time::Duration>,
        #[vectordoc(skip, default = "retries")]
        retries: usize,
        #[vectordoc(skip)]
        other: Vec<T>,
        part: Part,
    }

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Part {
        #[vectordoc(skip)]
        back: Vec<Part>,
        number: i32,
    }

    fn retries() -> usize {
        3
    }

    #[test]
    fn what_is_skipped_is_not_stored_and_comes_back_as_its_default() -> Result<()> {
        let part = Part { back: vec![Part { back: Vec::new(), number: 2 }], number: 1 };
        let cache = Some(std::time::Duration::from_secs(1));
        let session = Session { id: "a".into(), cache, retries: 9, other: vec!['x'], part };
        let schema = Session::<char>::schema();
        assert_eq!(
            schema,
            schema_of(
                r#"{"ID": {"type": "string", "id": true},
            "PART": {"fields": {"number": "i32"}}}"#
            )
        );
        let document = session.to_document()?;
        assert_eq!(document.values.len(), 1);
        let part = Part { back: Vec::new(), number: 1 };
        let expected = Session { cache: None, retries: 3, other: Vec::new(), part, ..session };
        assert_eq!(Session::from_document(document)?, expected);
        Ok(())
    }
}

mod several_vectors {
    use super::*;

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Picture {
        #[vectordoc(id)]
        id: String,
        #[vectordoc(vector(dim = 2, metric = "l2", index = "exact"))]
        colors: Vec<f32>,
        #[vectordoc(vector(
            metric = "dot",
            index = "hnsw",
            m = 4,
            precision = "f16",
            quantization = "i8"
        ))]
        shape: [f32; 3],
        #[vectordoc(vector(dim = 4, quantization = "binary", ef = 30, ef_construction = 40))]
        caption: Option<Vec<f32>>,
    }

    fn picture(id: &str, colors: [f32; 2], shape: [f32; 3]) -> Picture {
        Picture { id: id.into(), colors: colors.into(), shape, caption: None }
    }

    #[test]
    fn each_has_its_own_metric_index_and_codes() {
        let json = r#"{"id": "string",
            "colors": {"vector": 2, "metric": "l2", "index": "exact"},
            "shape": {"vector": 3, "metric": "dot", "index": "hnsw", "m": 4, "precision": "f16",
                      "quantization": "i8"},
            "caption": {"vector": 4, "quantization": "binary", "ef": 30, "ef_construction": 40,
                        "optional": true}}"#;
        assert_eq!(Picture::schema(), schema_of(json));
    }

    #[test]
    fn each_is_searched_on_its_own() -> Result<()> {
        let db = Db::<Picture>::in_memory()?;
        db.index([
            picture("red", [1.0, 0.0], [0.0, 0.0, 1.0]),
            picture("blue", [0.0, 1.0], [9.0, 0.0, 0.0]),
            Picture { caption: Some(vec![1.0; 4]), ..picture("both", [0.5, 0.5], [1.0, 1.0, 1.0]) },
        ])?;
        let first = |field: &str, vector: &[f32]| -> Result<Vec<String>> {
            let hits = db.search(vector).field(field).limit(3).run()?;
            Ok(hits.into_iter().map(|hit| hit.doc.id).collect())
        };
        assert_eq!(first("colors", &[0.9, 0.0])?, ["red", "both", "blue"]);
        assert_eq!(first("shape", &[1.0, 0.0, 0.0])?, ["blue", "both", "red"]);
        assert_eq!(first("caption", &[0.0, 1.0, 0.0, 0.0])?, ["both"]);
        assert_eq!(db.count(Filter::All)?, 3);
        Ok(())
    }
}

mod enums {
    use super::*;
    use vectordoc::{document::FieldValue, schema::FieldType};

    macro_rules! cased {
        ($type:ident, $case:literal) => {
            #[derive(Debug, PartialEq, VectorDoc)]
            #[vectordoc(rename_all = $case)]
            enum $type {
                DarkRed,
                HTTPGreen,
                #[vectordoc(rename = "as it is")]
                Other,
            }
        };
    }
    cased!(Camel, "camelCase");
    cased!(Snake, "snake_case");
    cased!(Kebab, "kebab-case");
    cased!(Pascal, "PascalCase");
    cased!(Screaming, "SCREAMING_SNAKE_CASE");
    cased!(Lower, "lowercase");
    cased!(Upper, "UPPERCASE");

    fn words<T: FieldValue>() -> Vec<String> {
        match T::field_type() {
            FieldType::Enum(words) => words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn variants_are_renamed_but_those_that_have_a_name_of_their_own() {
        assert_eq!(words::<Camel>(), ["darkRed", "httpGreen", "as it is"]);
        assert_eq!(words::<Snake>(), ["dark_red", "http_green", "as it is"]);
        assert_eq!(words::<Kebab>(), ["dark-red", "http-green", "as it is"]);
        assert_eq!(words::<Pascal>(), ["DarkRed", "HttpGreen", "as it is"]);
        assert_eq!(words::<Screaming>(), ["DARK_RED", "HTTP_GREEN", "as it is"]);
        assert_eq!(words::<Lower>(), ["darkred", "httpgreen", "as it is"]);
        assert_eq!(words::<Upper>(), ["DARKRED", "HTTPGREEN", "as it is"]);
    }

    #[test]
    fn each_variant_comes_back_from_its_word() -> Result<()> {
        for variant in [Camel::DarkRed, Camel::HTTPGreen, Camel::Other] {
            assert_eq!(Camel::from_value(variant.to_value()?)?, variant);
        }
        assert_eq!(Camel::Other.to_value()?, Value::from("as it is"));
        Ok(())
    }

    #[test]
    fn without_a_case_the_word_is_the_name() {
        #[derive(VectorDoc)]
        enum Level {
            VeryHigh = 7,
            r#Low = 1,
        }
        assert_eq!(words::<Level>(), ["VeryHigh", "Low"]);
        assert_eq!(Level::Low.to_value().ok(), Some(Value::from("Low")));
    }
}

/// The crate under another name, as the attribute says it.
mod renamed {
    use vectordoc as database;

    #[derive(Clone, Debug, PartialEq, database::VectorDoc)]
    #[vectordoc(crate = "database")]
    pub(super) struct Product {
        #[vectordoc(id)]
        pub(super) id: u64,
        #[vectordoc(filter)]
        pub(super) color: Color,
        #[vectordoc(json, default)]
        pub(super) extra: [u8; 2],
        #[vectordoc(filter)]
        pub(super) parts: Vec<Part>,
    }

    #[derive(Clone, Debug, PartialEq, database::VectorDoc)]
    #[vectordoc(crate = "database", rename_all = "lowercase")]
    pub(super) enum Color {
        Red,
    }

    #[derive(Clone, Debug, PartialEq, database::VectorDoc)]
    #[vectordoc(crate = "database")]
    pub(super) struct Part {
        #[vectordoc(filter, default, text)]
        pub(super) name: String,
    }
}

#[test]
fn a_renamed_crate_is_found_by_all_that_is_generated() -> Result<()> {
    let parts = vec![renamed::Part { name: "lid".into() }];
    let product = renamed::Product { id: 1, color: renamed::Color::Red, extra: [1, 2], parts };
    let document = product.to_document()?;
    assert_eq!(document.id, Id::Int(1));
    assert_eq!(renamed::Product::from_document(document)?, product);
    let db = Db::in_memory()?;
    db.index([product])?;
    let filter = renamed::Product::color().eq(renamed::Color::Red)
        & renamed::Product::parts().name().starts_with("li");
    assert_eq!(db.count(filter)?, 1);
    Ok(())
}
