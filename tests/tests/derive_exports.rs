//! The schema of a derived struct as TypeScript and as JSON Schema: the TypeScript compiler and a
//! validator accept the documents that the engine does, and refuse those that it refuses.

use serde_json::{Value as Json, json};
use std::{collections::HashMap, fmt::Write, path::Path, process::Command};
use vectordoc::{Document, GeoPoint, Schema, Timestamp, Uuid, VectorDoc, document::DocumentView};

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(dim = 3))]
    embedding: Vec<f32>,
    #[vectordoc(vector(metric = "l2"))]
    image: Option<[f32; 2]>,
    price: f64,
    stock: u8,
    sold: i64,
    new: bool,
    tags: Vec<String>,
    maker: Option<Maker>,
    reviews: Vec<Review>,
    color: Color,
    colors: Option<Vec<Color>>,
    when: Timestamp,
    owner: Option<Uuid>,
    #[vectordoc(rename = "where")]
    place: GeoPoint,
    thumbnail: Vec<u8>,
    #[vectordoc(json)]
    extra: Option<HashMap<String, f64>>,
    #[vectordoc(rename = "two words", default)]
    two_words: String,
}

#[derive(VectorDoc)]
struct Maker {
    country: String,
    founded: Option<i32>,
}

#[derive(VectorDoc)]
struct Review {
    stars: u8,
    mood: Color,
}

#[derive(VectorDoc)]
#[vectordoc(rename_all = "lowercase")]
enum Color {
    Red,
    #[vectordoc(rename = "green \"1\"")]
    Green,
}

fn product() -> Product {
    Product {
        id: "p1".into(),
        embedding: vec![1.0, 2.0, 3.0],
        image: Some([0.0, 1.0]),
        price: 9.5,
        stock: 3,
        sold: -1,
        new: true,
        tags: vec!["a".into()],
        maker: Some(Maker { country: "NL".into(), founded: Some(1950) }),
        reviews: vec![Review { stars: 5, mood: Color::Green }],
        color: Color::Red,
        colors: Some(vec![Color::Red]),
        when: "2026-01-31T12:00:00Z".parse().expect("it is a timestamp"),
        owner: Some(Uuid::from_u128(7)),
        place: GeoPoint { lat: 52.37, lon: 4.9 },
        thumbnail: vec![0, 255],
        extra: Some([("a".into(), 0.5)].into()),
        two_words: "two".into(),
    }
}

fn good() -> Json {
    let (schema, document) = (Product::schema(), product().to_document().expect("it is good"));
    serde_json::to_value(DocumentView { schema: &schema, document: &document }).expect("JSON")
}

fn with(name: &str, value: Json) -> Json {
    let mut document = good();
    document[name] = value;
    document
}

fn without(names: &[&str]) -> Json {
    let mut document = good();
    names.iter().for_each(|name| drop(document.as_object_mut().expect("an object").remove(*name)));
    document
}

fn good_documents() -> Vec<Json> {
    let optional = ["image", "maker", "colors", "owner", "extra", "two words"];
    vec![
        good(),
        without(&optional),
        with("tags", json!([])),
        with("maker", json!({"country": "DE"})),
        with("reviews", json!([])),
        with("color", json!("green \"1\"")),
        with("extra", json!([1, {"a": null}])),
        with("sold", json!(9_007_199_254_740_993_i64)),
        with("when", json!("2026-01-31T13:00:00.25+01:00")),
    ]
}

/// Those whose types are wrong, and those of the right type whose values are.
fn bad_documents() -> (Vec<Json>, Vec<Json>) {
    let mistyped = vec![
        without(&["id"]),
        without(&["embedding"]),
        without(&["price"]),
        with("id", json!(7)),
        with("embedding", json!("123")),
        with("price", json!("9")),
        with("stock", json!(true)),
        with("new", json!(1)),
        with("tags", json!("a")),
        with("tags", json!([1])),
        with("maker", json!({})),
        with("maker", json!({"country": "NL", "city": "Delft"})),
        with("reviews", json!({"stars": 1, "mood": "red"})),
        with("reviews", json!([{"stars": 1}])),
        with("reviews", json!([{"stars": 1, "mood": "blue"}])),
        with("color", json!("blue")),
        with("colors", json!(["blue"])),
        with("when", json!({})),
        with("owner", json!(7)),
        with("where", json!({"lat": 1})),
        with("where", json!([1, 2])),
        with("where", json!({"lat": 1, "lon": 2, "height": 3})),
        with("thumbnail", json!("AP8=")),
        with("two words", json!(2)),
        with("prize", json!(9)),
    ];
    let out_of_range = vec![
        with("id", json!("")),
        with("embedding", json!([1, 2])),
        with("image", json!([1, 2, 3])),
        with("stock", json!(256)),
        with("stock", json!(0.5)),
        with("sold", json!(u64::MAX)),
        with("maker", json!({"country": "NL", "founded": 3_000_000_000_u32})),
        with("reviews", json!([{"stars": -1, "mood": "red"}])),
        with("when", json!("2026-02-30T12:00:00Z")),
        with("owner", json!("p1")),
        with("where", json!({"lat": 90.5, "lon": 0})),
        with("thumbnail", json!([256])),
    ];
    (mistyped, out_of_range)
}

#[test]
fn the_engine_tells_good_documents_from_bad_ones() {
    let is_good = |json: &Json| Document::from_json(&Product::schema(), &json.to_string());
    for json in good_documents() {
        is_good(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
    }
    let (mistyped, out_of_range) = bad_documents();
    for json in mistyped.iter().chain(&out_of_range) {
        assert!(is_good(json).is_err(), "{json}");
    }
}

#[test]
fn json_schema_tells_good_documents_from_bad_ones() {
    let schema = Product::schema().to_json_schema();
    jsonschema::meta::validate(&schema).expect("it is JSON Schema");
    let validator = jsonschema::draft202012::options().should_validate_formats(true);
    let validator = validator.build(&schema).expect("it is JSON Schema");
    for json in good_documents() {
        validator.validate(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
    }
    let (mistyped, out_of_range) = bad_documents();
    for json in mistyped.iter().chain(&out_of_range) {
        assert!(!validator.is_valid(json), "{json}");
    }
}

#[test]
fn json_schema_of_every_kind_of_id() {
    for (id, good, bad) in [
        ("u64", json!(u64::MAX), json!(-1)),
        ("string", json!("a"), json!(1)),
        ("uuid", json!("01234567-89ab-cdef-0123-456789abcdef"), json!("0123")),
    ] {
        let schema = Schema::from_json(&json!({"id": id})).expect("the schema is right");
        let validator = jsonschema::draft202012::options().should_validate_formats(true);
        let validator = validator.build(&schema.to_json_schema()).expect("it is JSON Schema");
        assert!(validator.is_valid(&json!({"id": good})), "{id}");
        assert!(!validator.is_valid(&json!({"id": bad})), "{id}");
    }
}

#[test]
fn typescript_names_each_field_and_its_type() {
    let interface = r#"export interface Product {
  id: string;
  embedding: number[] | Float32Array;
  image?: number[] | Float32Array;
  color: "red" | "green \"1\"";
  colors?: ("red" | "green \"1\"")[];
  extra?: unknown;
  maker?: {
    country: string;
    founded?: number;
  };
  new: boolean;
  owner?: string;
  price: number;
  reviews: {
    mood: "red" | "green \"1\"";
    stars: number;
  }[];
  sold: number | bigint;
  stock: number;
  tags: string[];
  thumbnail: number[] | Uint8Array;
  "two words"?: string;
  when: string;
  where: { lat: number; lon: number };
}
"#;
    assert_eq!(Product::schema().to_typescript("Product"), interface);
}

/// What the TypeScript compiler says of `program`; nothing, when it is right.
fn compiled(program: &str) -> String {
    let compiler = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wasm/node_modules/.bin/tsc");
    assert!(compiler.exists(), "there is no TypeScript compiler; run `npm ci` in wasm/");
    let directory = tempfile::tempdir().expect("there is room");
    let file = directory.path().join("documents.ts");
    std::fs::write(&file, program).expect("it can be written");
    let options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022"];
    let output = Command::new(compiler).args(options).arg(&file).output().expect("it runs");
    String::from_utf8(output.stdout).expect("it is text")
}

#[test]
fn the_typescript_compiler_tells_good_documents_from_bad_ones() {
    let mut program = Product::schema().to_typescript("Product");
    let mut number = 0;
    let mut declare = |comment: &str, json: &Json| {
        number += 1;
        writeln!(program, "{comment}\nexport const document{number}: Product = {json};")
            .expect("text can be written");
    };
    let (mistyped, out_of_range) = bad_documents();
    good_documents().iter().chain(&out_of_range).for_each(|json| declare("", json));
    mistyped.iter().for_each(|json| declare("// @ts-expect-error", json));
    program.push_str("export const vector: Product[\"embedding\"] = new Float32Array(3);\n");
    assert_eq!(compiled(&program), "", "{program}");
    let wrong = format!("{program}export const one: Product = {{}};\n");
    assert!(compiled(&wrong).contains("error TS"), "the compiler says what is wrong");
}
