//! Schemas as JSON: every type is written as it is read, and what is no schema is refused with the
//! way out.

use vectordoc::Schema;

fn read(field: &str) -> vectordoc::Result<Schema> {
    Schema::from_json_str(&format!(r#"{{"id": "string", "field": {field}}}"#))
}

#[test]
fn every_type_is_written_as_it_is_read() {
    let scalars = [
        "boolean",
        "bool",
        "number",
        "f64",
        "f32",
        "integer",
        "i64",
        "i8",
        "i16",
        "i32",
        "u8",
        "u16",
        "u32",
        "u64",
        "string",
        "bytes",
        "timestamp",
        "uuid",
        "geo",
        "json",
    ];
    let suffixes = ["", "?", "[]", "[]?"];
    let plain = scalars.iter().flat_map(|scalar| suffixes.map(|end| format!("\"{scalar}{end}\"")));
    let others = [
        r#"{"type": "timestamp", "filter": true}"#,
        r#"{"type": "uuid[]", "filter": true, "optional": true}"#,
        r#"{"type": "geo", "filter": true}"#,
        r#"{"type": "string", "text": true}"#,
        r#"{"type": "string[]?", "text": true, "filter": true}"#,
        r#"{"type": "string", "enum": ["a", "", "ü"], "filter": true}"#,
        r#"{"type": "string[]?", "enum": ["a"]}"#,
        r#"{"fields": {"b": "u8", "a": {"type": "string", "enum": ["x"]}}}"#,
        r#"{"type": "object?", "filter": true, "fields": {"a": {"type": "u8", "filter": true}}}"#,
        r#"{"type": "object[]", "filter": false, "fields": {"a": {"type": "u8", "filter": true}}}"#,
        r#"{"type": "object[]?", "fields": {"a": {"type": "object[]", "fields": {"b": "json?"}}}}"#,
        r#"{"vector": 4, "metric": "l2", "index": "exact", "optional": true}"#,
        r#"{"vector": 4, "metric": "dot", "m": 4, "ef": 9, "ef_construction": 7}"#,
    ];
    for field in plain.chain(others.map(String::from)) {
        let schema = read(&field).unwrap_or_else(|error| panic!("{field}: {error}"));
        let written = schema.to_json_string();
        let again = Schema::from_json_str(&written);
        assert_eq!(again.expect("what is written can be read"), schema, "{field}: {written}");
    }
}

#[test]
fn what_is_no_schema_is_refused_with_the_way_out() {
    let many = (0..1_025).map(|number| format!("\"{number}\"")).collect::<Vec<_>>().join(",");
    let many = format!(r#"{{"type": "string", "enum": [{many}]}}"#);
    let long = format!(r#"{{"type": "string", "enum": ["{}"]}}"#, "x".repeat(129));
    let deep = format!("{}\"u8\"{}", r#"{"fields": {"a": "#.repeat(16), "}}".repeat(16));
    let deep_list = format!(
        "{}\"u8\"{}",
        r#"{"type": "object[]", "fields": {"a": "#.repeat(16),
        "}}".repeat(16)
    );
    for (field, message) in [
        ("\"timestmap\"", "did you mean \"timestamp\"?"),
        ("\"string[][]\"", "unknown type"),
        (r#"{"type": "json", "filter": true}"#, "filters cannot ask about type \"json\""),
        (r#"{"type": "json[]", "filter": true}"#, "filters cannot ask about type \"json\""),
        (r#"{"type": "number", "text": true}"#, "\"string\" or \"string[]\""),
        (r#"{"type": "string", "enum": ["a"], "text": true}"#, "\"string\" or \"string[]\""),
        (r#"{"fields": {"a": "u8"}, "text": true}"#, "\"string\" or \"string[]\""),
        (r#"{"type": "string", "enum": []}"#, "at least 1 word"),
        (r#"{"type": "string", "enum": ["a", "a"]}"#, "\"a\" is there twice"),
        (r#"{"type": "string", "enum": ["a", 1]}"#, "a list of strings"),
        (r#"{"type": "string", "enum": "a"}"#, "a list of strings"),
        (r#"{"type": "u8", "enum": ["a"]}"#, "\"string\" or \"string[]\""),
        (r#"{"type": "string", "text": 1}"#, "true or false"),
        (r#"{"type": "string", "texts": true}"#, "did you mean \"text\"?"),
        (r#"{"type": "string[]", "fields": {"a": "u8"}}"#, "\"object\" and \"object[]\""),
        (r#"{"type": "object[]"}"#, "unknown type"),
        (many.as_str(), "1025, the limit is 1024"),
        (long.as_str(), "129, the limit is 128"),
        (deep.as_str(), "nesting"),
        (deep_list.as_str(), "nesting"),
    ] {
        let error = read(field).expect_err(field).to_string();
        assert!(error.contains(message), "{field}: {error}");
    }
}
