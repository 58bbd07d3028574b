//! The types that fields of a derived struct may have: each comes back as it was, through the
//! engine's bytes and through JSON, and what cannot be stored is refused.

use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use vectordoc::{
    Db, Document, GeoPoint, Result, Schema, Timestamp, Uuid, Value, VectorDoc,
    document::{DocumentView, FieldValue},
};

/// The value that comes back from a database, and from the JSON of its document.
fn comes_back<T>(value: &T) -> Result<()>
where
    T: VectorDoc + Clone + PartialEq + std::fmt::Debug,
{
    let document = value.to_document()?;
    let schema = T::schema();
    let view = DocumentView { schema: &schema, document: &document };
    let json = serde_json::to_string(&view).expect("documents can be written");
    assert_eq!(&T::from_document(Document::from_json(&schema, &json)?)?, value, "{json}");
    let db = Db::<T>::in_memory()?;
    db.index([value.clone()])?;
    assert_eq!(db.get(&document.id)?.as_ref(), Some(value));
    Ok(())
}

fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("it is refused").to_string()
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("it is a timestamp")
}

mod kinds {
    use super::*;

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    pub(super) struct Everything {
        #[vectordoc(id)]
        pub(super) id: Uuid,
        pub(super) time: Timestamp,
        pub(super) times: Vec<Timestamp>,
        pub(super) uuid: Option<Uuid>,
        pub(super) point: GeoPoint,
        pub(super) points: Vec<GeoPoint>,
        pub(super) color: Color,
        pub(super) colors: Option<Vec<Color>>,
        pub(super) reviews: Vec<Review>,
        pub(super) more_reviews: Option<Vec<Review>>,
        pub(super) letter: char,
        pub(super) shared: Arc<str>,
        pub(super) boxed: Box<Review>,
        pub(super) cow: Cow<'static, str>,
        pub(super) triple: [i32; 3],
        pub(super) hash: [u8; 4],
        pub(super) set: BTreeSet<String>,
        pub(super) unordered: HashSet<Color>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, VectorDoc)]
    #[vectordoc(rename_all = "kebab-case")]
    pub(super) enum Color {
        DarkRed,
        #[vectordoc(rename = "GREEN")]
        Green,
    }

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    pub(super) struct Review {
        pub(super) stars: u8,
        pub(super) author: Option<Author>,
    }

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    pub(super) struct Author {
        pub(super) names: Vec<String>,
    }

    pub(super) fn everything() -> Everything {
        let author = Some(Author { names: vec!["Ada".into(), "ä".into()] });
        let review = Review { stars: 5, author };
        Everything {
            id: Uuid::from_u128(7),
            time: at("2026-01-31T12:00:00.123456Z"),
            times: vec![Timestamp::MIN, Timestamp::MAX],
            uuid: Some(Uuid::from_u128(u128::MAX)),
            point: GeoPoint { lat: 52.37, lon: 4.9 },
            points: vec![GeoPoint { lat: -90.0, lon: 180.0 }],
            color: Color::DarkRed,
            colors: Some(vec![Color::Green, Color::DarkRed]),
            reviews: vec![review.clone(), Review { stars: 0, author: None }],
            more_reviews: None,
            letter: 'ß',
            shared: "shared".into(),
            boxed: Box::new(review),
            cow: "cow".into(),
            triple: [1, 2, 3],
            hash: [0, 255, 1, 2],
            set: ["b".into(), "a".into()].into(),
            unordered: [Color::Green].into(),
        }
    }

    #[test]
    fn every_kind_comes_back() -> Result<()> {
        comes_back(&everything())?;
        let empty = Everything {
            uuid: None,
            colors: None,
            reviews: Vec::new(),
            more_reviews: Some(Vec::new()),
            ..everything()
        };
        comes_back(&empty)
    }

    #[test]
    fn the_schema_is_the_one_its_json_describes() {
        let review =
            r#"{"stars": "u8", "author": {"type": "object?", "fields": {"names": "string[]"}}}"#;
        let json = format!(
            r#"{{"id": "uuid", "time": "timestamp", "times": "timestamp[]", "uuid": "uuid?",
            "point": "geo", "points": "geo[]",
            "color": {{"type": "string", "enum": ["dark-red", "GREEN"]}},
            "colors": {{"type": "string[]?", "enum": ["dark-red", "GREEN"]}},
            "reviews": {{"type": "object[]", "fields": {review}}},
            "more_reviews": {{"type": "object[]?", "fields": {review}}},
            "letter": "string", "shared": "string", "boxed": {{"fields": {review}}}, "cow": "string",
            "triple": "i32[]", "hash": "bytes", "set": "string[]",
            "unordered": {{"type": "string[]", "enum": ["dark-red", "GREEN"]}}}}"#
        );
        let schema = Schema::from_json_str(&json).expect("the schema is right");
        assert_eq!(Everything::schema(), schema);
        let again = Schema::from_json_str(&schema.to_json_string()).expect("it can be read back");
        assert_eq!(again, schema);
    }

    #[test]
    fn what_no_longer_fits_the_type_is_named() {
        let change = |name: &str, value| {
            let mut document = everything().to_document().expect("it can be stored");
            let schema = Everything::schema();
            let number = schema.values().iter().position(|field| field.name == name);
            document.values[number.expect("there is such a field")] = value;
            refused(Everything::from_document(document))
        };
        for (name, value, message) in [
            ("color", Value::from("dark-rad"), r#"did you mean "dark-red"?"#),
            ("letter", Value::from("ab"), "one character"),
            ("triple", Value::Array(vec![Value::Int(1)]), "has 1 elements, the type has 3"),
            ("hash", Value::Bytes(vec![1]), "has 1 elements, the type has 4"),
            ("point", Value::Null, "expected a geo point, found null"),
            ("time", Value::Int(1), "expected a timestamp, found integer 1"),
        ] {
            let error = change(name, value);
            assert!(error.contains(message) && error.contains(name), "{error}");
        }
    }
}

mod times {
    use super::*;

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Event {
        #[vectordoc(id)]
        id: u64,
        system: SystemTime,
        chrono: chrono::DateTime<chrono::Utc>,
        offset: time::OffsetDateTime,
        jiff: jiff::Timestamp,
        several: Option<Vec<jiff::Timestamp>>,
    }

    fn event(micros: i64) -> Event {
        let timestamp = Timestamp::from_micros(micros).expect("it is in range");
        Event {
            id: 1,
            system: timestamp.try_into().expect("in range"),
            chrono: timestamp.try_into().expect("in range"),
            offset: timestamp.try_into().expect("in range"),
            jiff: timestamp.try_into().expect("in range"),
            several: Some(vec![timestamp.try_into().expect("in range")]),
        }
    }

    #[test]
    fn those_of_other_libraries_come_back() -> Result<()> {
        for micros in [0, 1, -1, 1_700_000_000_000_001, -62_167_219_200_000_000] {
            comes_back(&event(micros))?;
        }
        comes_back(&event(at("9999-12-30T22:00:00Z").as_micros()))
    }

    /// The last time of `jiff` is a day before the last one there is, which leaves room for offsets.
    #[test]
    fn a_time_that_a_library_has_not_is_an_error_when_it_is_read() {
        let error = refused(jiff::Timestamp::from_value(Value::Time(Timestamp::MAX)));
        assert!(error.contains("9999-12-31T23:59:59.999999Z"), "{error}");
    }

    #[test]
    fn all_agree_on_the_microsecond_which_is_the_one_before() -> Result<()> {
        for nanos in [1_999_i64, 1_000, 999, 0, -1, -999, -1_000, -1_001, 1_700_000_000_123_456_789]
        {
            let system = if nanos < 0 {
                UNIX_EPOCH - Duration::from_nanos(nanos.unsigned_abs())
            } else {
                UNIX_EPOCH + Duration::from_nanos(nanos.unsigned_abs())
            };
            let offset = time::OffsetDateTime::from_unix_timestamp_nanos(nanos.into());
            let jiff = jiff::Timestamp::from_nanosecond(nanos.into());
            let expected = Timestamp::from_micros(nanos.div_euclid(1_000))?;
            assert_eq!(Timestamp::try_from(system)?, expected, "{nanos}");
            let chrono = chrono::DateTime::from_timestamp_nanos(nanos);
            assert_eq!(Timestamp::try_from(chrono)?, expected, "{nanos}");
            assert_eq!(Timestamp::try_from(offset.expect("in range"))?, expected, "{nanos}");
            assert_eq!(Timestamp::try_from(jiff.expect("in range"))?, expected, "{nanos}");
        }
        Ok(())
    }

    #[test]
    fn a_time_too_far_away_is_refused_by_its_field() {
        let far = UNIX_EPOCH + Duration::from_secs(300_000_000_000);
        let error = refused(Event { system: far, ..event(0) }.to_document());
        assert!(error.contains(r#"field "system""#) && error.contains("0 to 9999"), "{error}");
        let chrono = chrono::DateTime::<chrono::Utc>::MAX_UTC;
        assert!(Event { chrono, ..event(0) }.to_document().is_err());
        let jiff = jiff::Timestamp::MIN;
        assert!(Event { several: Some(vec![jiff]), ..event(0) }.to_document().is_err());
    }
}

mod json {
    use super::*;

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Product {
        #[vectordoc(id)]
        id: u64,
        #[vectordoc(json)]
        extra: Extra,
        #[vectordoc(json)]
        maybe: Option<Extra>,
        #[vectordoc(json)]
        any: serde_json::Value,
        part: Part,
    }

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Part {
        #[vectordoc(json)]
        map: HashMap<u32, f64>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Extra {
        shape: Shape,
        largest: u64,
        smallest: i64,
        single: f32,
        nested: BTreeMap<String, Option<Vec<u8>>>,
        tuple: (bool, char, ()),
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Dot,
        Circle(f64),
        Line(f64, f64),
        Square { side: f64 },
    }

    fn extra(shape: Shape) -> Extra {
        Extra {
            shape,
            largest: u64::MAX,
            smallest: i64::MIN,
            single: 0.1,
            nested: [("a".into(), None), ("b".into(), Some(vec![0, 255]))].into(),
            tuple: (true, 'ß', ()),
        }
    }

    fn product() -> Product {
        Product {
            id: 1,
            extra: extra(Shape::Dot),
            maybe: Some(extra(Shape::Square { side: 0.1 })),
            any: serde_json::json!({"list": [1, -1, 1.5, null, "text"], "empty": {}}),
            part: Part { map: [(7, 0.1), (8, 1e300)].into() },
        }
    }

    #[test]
    fn what_serde_writes_comes_back() -> Result<()> {
        comes_back(&product())?;
        for shape in [Shape::Circle(1.0), Shape::Line(-0.5, 1e-300)] {
            comes_back(&Product { extra: extra(shape), maybe: None, ..product() })?;
        }
        comes_back(&Product { any: serde_json::Value::Null, ..product() })
    }

    #[test]
    fn a_field_may_be_missing_when_its_type_can_be_null() {
        let schema = Product::schema();
        let optional = schema.values().iter().map(|field| (field.name.as_str(), field.optional));
        let optional: Vec<_> = optional.collect();
        assert_eq!(optional, [("any", true), ("extra", false), ("maybe", true), ("part", false)]);
    }

    #[test]
    fn what_json_cannot_say_is_refused_by_its_field() {
        let nan = Extra { single: f32::NAN, ..extra(Shape::Dot) };
        let infinite = extra(Shape::Line(0.0, f64::NEG_INFINITY));
        let part = Part { map: [(1, f64::NAN)].into() };
        for (product, field) in [
            (Product { extra: nan.clone(), ..product() }, r#"field "extra""#),
            (Product { maybe: Some(infinite), ..product() }, r#"field "maybe""#),
            (Product { part, ..product() }, r#"field "part": field "map""#),
        ] {
            let error = refused(product.to_document());
            assert!(error.contains(field) && error.contains("finite"), "{error}");
        }
        let error = refused(
            Db::<Product>::in_memory()
                .and_then(|db| db.index([product(), Product { id: 2, extra: nan, ..product() }])),
        );
        assert!(error.contains("NaN"), "{error}");
    }

    #[test]
    fn keys_and_integers_that_json_has_not_are_refused() {
        #[derive(VectorDoc)]
        struct Odd {
            #[vectordoc(id)]
            id: u64,
            #[vectordoc(json)]
            keys: HashMap<Option<u8>, u8>,
            #[vectordoc(json)]
            large: u128,
        }
        let odd = |keys, large| Odd { id: 1, keys, large }.to_document();
        assert!(odd(HashMap::new(), u64::MAX.into()).is_ok());
        let error = refused(odd(HashMap::new(), u128::MAX));
        assert!(error.contains("cannot be stored as JSON"), "{error}");
        let error = refused(odd([(None, 1)].into(), 1));
        assert!(error.contains(r#"field "keys""#), "{error}");
    }

    #[test]
    fn json_nested_too_deep_is_refused_when_it_is_written() -> Result<()> {
        let deep = |levels| {
            (0..levels).fold(serde_json::json!(1), |value, _| [value].into_iter().collect())
        };
        let db = Db::<Product>::in_memory()?;
        db.index([Product { any: deep(15), ..product() }])?;
        let error = refused(db.index([Product { any: deep(16), ..product() }]));
        assert!(error.contains("16 levels"), "{error}");
        Ok(())
    }

    #[test]
    fn json_of_another_type_is_refused_when_it_is_read() {
        let mut document = product().to_document().expect("it can be stored");
        document.values[1] = Value::from("text");
        let error = refused(Product::from_document(document));
        assert!(
            error.contains(r#"field "extra""#) && error.contains("expected struct Extra"),
            "{error}"
        );
    }
}

/// Documents that come as JSON, from a file or over the wire.
mod hostile {
    use super::*;

    fn read(json: &str) -> Result<Document> {
        let schema = r#"{"id": "u64", "time": "timestamp?", "uuid": "uuid?", "point": "geo?",
            "color": {"type": "string?", "enum": ["red", "green"]},
            "colors": {"type": "string[]?", "enum": ["red", "green"]}, "extra": "json?",
            "reviews": {"type": "object[]?", "fields": {"stars": "u8", "times": "timestamp[]?"}}}"#;
        let schema = Schema::from_json_str(schema).expect("the schema is right");
        Document::from_json(&schema, &format!(r#"{{"id": 1, {json}}}"#))
    }

    #[test]
    fn good_ones_are_read() {
        for json in [
            r#""time": "2026-01-31T12:00:00+01:00""#,
            r#""time": 1769857200000"#,
            r#""uuid": "01234567-89ab-cdef-0123-456789abcdef""#,
            r#""point": {"lat": 90, "lon": -180}"#,
            r#""color": "red", "colors": ["green", "green"]"#,
            r#""extra": [null, {"a": [1, 1.5, true]}]"#,
            r#""reviews": [{"stars": 255, "times": [0]}, {"stars": 0}]"#,
            r#""color": null, "point": null, "extra": null, "reviews": null"#,
        ] {
            assert!(read(json).is_ok(), "{json}: {:?}", read(json));
        }
    }

    #[test]
    fn bad_ones_are_refused_by_field_and_value() {
        let deep = format!(r#""extra": {}1{}"#, "[".repeat(17), "]".repeat(17));
        let deeper = format!(r#""extra": {}1{}"#, "[".repeat(100_000), "]".repeat(100_000));
        for (json, messages) in [
            (r#""time": "2026-02-30T00:00:00Z""#, ["\"time\"", "2026-02-30"]),
            (r#""time": "2026-01-31""#, ["\"time\"", "2026-01-31"]),
            (r#""time": 1.5"#, ["\"time\"", "1.5"]),
            (r#""time": 9999999999999999"#, ["\"time\"", "9999999999999999"]),
            (r#""time": {"at": 1}"#, ["\"time\"", "an object"]),
            (r#""uuid": "0123456789abcdef0123456789abcdef""#, ["\"uuid\"", "0123456789abcdef"]),
            (r#""uuid": 7"#, ["\"uuid\"", "7"]),
            (r#""point": {"lat": 90.1, "lon": 0}"#, ["\"point\"", "90.1"]),
            (r#""point": {"lat": 0, "lon": -181}"#, ["\"point\"", "-181"]),
            (r#""point": {"lat": "0", "lon": 0}"#, ["\"point\"", "an object"]),
            (r#""point": {"lat": 0}"#, ["\"point\"", "an object"]),
            (r#""point": {"lat": 0, "lon": 0, "z": 0}"#, ["\"point\"", "3 fields"]),
            (r#""point": [0, 0]"#, ["\"point\"", "an array of 2"]),
            (r#""color": "rad""#, ["\"color\"", "did you mean \"red\"?"]),
            (r#""color": ["red"]"#, ["\"color\"", "an array of 1"]),
            (r#""colors": ["red", "blue"]"#, ["\"colors\"", "blue"]),
            (r#""colors": "red""#, ["\"colors\"", "red"]),
            (r#""extra": NaN"#, ["expected value", "column"]),
            (r#""extra": 1e999"#, ["out of range", "column"]),
            (r#""extra": {"a": 1, "a": 2}"#, ["\"a\"", "twice"]),
            (deep.as_str(), ["\"extra\"", "16 levels"]),
            (deeper.as_str(), ["recursion limit", "column"]),
            (r#""reviews": {"stars": 1}"#, ["\"reviews\"", "an object"]),
            (r#""reviews": [{"stars": 256}]"#, ["\"reviews.stars\"", "256"]),
            (r#""reviews": [{"stars": 1}, {}]"#, ["\"reviews.stars\"", "missing"]),
            (r#""reviews": [null]"#, ["\"reviews\"", "missing"]),
            (r#""reviews": [{"stars": 1, "times": ["x"]}]"#, ["\"reviews.times\"", "x"]),
        ] {
            let error = refused(read(json));
            assert!(messages.iter().all(|message| error.contains(message)), "{json}: {error}");
        }
    }

    #[test]
    fn values_json_cannot_say_are_refused_in_a_json_field() {
        let schema = Schema::from_json_str(r#"{"id": "u64", "extra": "json"}"#).expect("right");
        for value in [
            Value::Float(f64::NAN),
            Value::Float(f64::INFINITY),
            Value::Int(u128::from(u64::MAX).cast_signed() + 1),
            Value::Int(i128::from(i64::MIN) - 1),
            Value::Bytes(vec![1]),
            Value::Time(Timestamp::MIN),
            Value::Uuid(Uuid::from_u128(1)),
            Value::Geo(GeoPoint { lat: 0.0, lon: 0.0 }),
        ] {
            let nested = Value::Array(vec![value]);
            let document = Document { id: 1.into(), vectors: Vec::new(), values: vec![nested] };
            let error = refused(document.check(&schema));
            assert!(error.contains("\"extra\""), "{error}");
        }
    }
}

#[test]
fn a_missing_value_of_a_list_or_a_box_is_the_same_error() {
    assert!(refused(<Vec<u64>>::from_value(Value::Null)).contains("an array"));
    assert!(refused(<Box<u64>>::from_value(Value::Null)).contains("an integer"));
    assert!(refused(<BTreeSet<u8>>::from_value(Value::Null)).contains("bytes"));
}
