//! What the derive makes of a struct. The file has no standard library and denies every warning,
//! as the code it is generated into may.

#![no_std]
#![deny(warnings, missing_docs, unused_qualifications, missing_debug_implementations)]

extern crate alloc;

use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};
use vectordoc::{Filter, Id, Schema, Uuid, Value, VectorDoc};

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Product {
    #[vectordoc(id)]
    sku: String,
    #[vectordoc(vector(dim = 3))]
    text: Vec<f32>,
    #[vectordoc(vector(
        metric = "l2",
        precision = "f16",
        index = "hnsw",
        m = 32,
        ef_construction = 100,
        ef = 50,
        quantization = "f16"
    ))]
    image: Option<[f32; 2]>,
    #[vectordoc(filter)]
    price: f64,
    #[vectordoc(filter)]
    tags: Vec<String>,
    #[vectordoc(filter)]
    maker: Option<Maker>,
    thumbnail: Vec<u8>,
    title: String,
}

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Maker {
    #[vectordoc(filter)]
    country: String,
    #[vectordoc(filter)]
    address: Address,
    founded: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Address {
    #[vectordoc(filter)]
    city: String,
}

fn product() -> Product {
    Product {
        sku: "p1".into(),
        text: vec![1.0, 2.0, 3.0],
        image: Some([0.5, -0.5]),
        price: 9.5,
        tags: vec!["new".into(), "red".into()],
        maker: Some(Maker {
            country: "NL".into(),
            address: Address { city: "Delft".into() },
            founded: None,
        }),
        thumbnail: vec![1, 2, 3],
        title: "Lamp".into(),
    }
}

fn schema_of(json: &str) -> Schema {
    Schema::from_json_str(json).expect("the schema is right")
}

fn filter_of(json: &str) -> Filter {
    json.parse().expect("the filter is right")
}

fn comes_back<T: VectorDoc + Clone + PartialEq + core::fmt::Debug>(value: &T) {
    let document = value.to_document().expect("the value can be stored");
    document.check(&T::schema()).expect("the schema allows the document");
    assert_eq!(&T::from_document(document).expect("the document is a value"), value);
}

#[test]
fn the_schema_is_the_one_its_json_describes() {
    let json = r#"{
        "sku": {"type": "string", "id": true},
        "text": {"vector": 3, "metric": "cosine"},
        "image": {"vector": 2, "metric": "l2", "index": "hnsw", "m": 32, "ef_construction": 100,
                  "ef": 50, "precision": "f16", "quantization": "f16", "optional": true},
        "price": {"type": "number", "filter": true},
        "tags": {"type": "string[]", "filter": true},
        "maker": {"type": "object", "filter": true, "optional": true, "fields": {
            "country": {"type": "string", "filter": true},
            "address": {"type": "object", "filter": true, "fields": {
                "city": {"type": "string", "filter": true}}},
            "founded": "i32?"}},
        "thumbnail": "bytes",
        "title": "string"
    }"#;
    assert_eq!(Product::schema(), schema_of(json));
}

#[test]
fn a_document_comes_back_as_the_value_it_was_made_of() {
    comes_back(&product());
    comes_back(&Product { image: None, maker: None, ..product() });
}

#[test]
fn fields_are_laid_out_as_the_schema_numbers_them() {
    let schema = Product::schema();
    let document = product().to_document().expect("it can be stored");
    assert_eq!(document.id, Id::Text("p1".into()));
    let text = schema.vector_number(Some("text")).expect("there is such a vector");
    assert_eq!(document.vectors[text], Some(vec![1.0, 2.0, 3.0]));
    let title = schema.values().iter().position(|field| field.name == "title");
    assert_eq!(document.values[title.expect("there is such a field")], Value::Text("Lamp".into()));
}

#[test]
fn a_missing_field_is_named() {
    let mut document = product().to_document().expect("it can be stored");
    let price = Product::schema().values().iter().position(|field| field.name == "price");
    document.values[price.expect("there is such a field")] = Value::Null;
    let error = Product::from_document(document).expect_err("the price is missing");
    assert!(error.to_string().contains(r#"field "price""#), "{error}");

    let mut document = product().to_document().expect("it can be stored");
    document.vectors.clear();
    let error = Product::from_document(document).expect_err("the vectors are missing");
    assert!(error.to_string().contains("another schema"), "{error}");
}

#[test]
fn filters_are_named_as_fields_and_reach_into_nested_structs() {
    let json = filter_of(
        r#"{"$and": [{"price": {"$lt": 20.0}}, {"tags": {"$contains": "new"}},
                     {"maker.country": {"$eq": "NL"}}, {"maker.address.city": {"$eq": "Delft"}}]}"#,
    );
    let filter = Product::price().lt(20.0)
        & Product::tags().contains("new")
        & Product::maker().country().eq("NL")
        & Product::maker().address().city().eq("Delft");
    assert_eq!(filter, json);
}

#[test]
fn the_name_of_a_database_is_the_type_in_snake_case() {
    #[derive(VectorDoc)]
    struct HTTPRequest2 {
        #[vectordoc(id)]
        id: u64,
    }
    assert_eq!(Product::NAME, "product");
    assert_eq!(HTTPRequest2::NAME, "http_request2");
    assert_eq!(HTTPRequest2 { id: 1 }.to_document().expect("it can be stored").id, Id::Int(1));
}

mod scalars {
    use super::*;

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Everything {
        #[vectordoc(id)]
        id: Uuid,
        #[vectordoc(filter)]
        a: bool,
        #[vectordoc(filter)]
        b: i8,
        #[vectordoc(filter)]
        c: i16,
        #[vectordoc(filter)]
        d: i32,
        #[vectordoc(filter)]
        e: i64,
        #[vectordoc(filter)]
        f: u8,
        #[vectordoc(filter)]
        g: u16,
        #[vectordoc(filter)]
        h: u32,
        #[vectordoc(filter)]
        i: u64,
        #[vectordoc(filter)]
        j: f32,
        #[vectordoc(filter)]
        k: f64,
        #[vectordoc(filter)]
        l: String,
        #[vectordoc(filter)]
        m: Option<Vec<i64>>,
        n: Vec<u8>,
    }

    #[test]
    fn every_scalar_is_kept() {
        comes_back(&Everything {
            id: Uuid::from_bytes([7; 16]),
            a: true,
            b: i8::MIN,
            c: i16::MIN,
            d: i32::MIN,
            e: i64::MIN,
            f: u8::MAX,
            g: u16::MAX,
            h: u32::MAX,
            i: u64::MAX,
            j: 0.1,
            k: 0.1,
            l: "ü".into(),
            m: Some(vec![1, -1]),
            n: vec![0, 255],
        });
    }
}

mod names {
    use super::*;

    macro_rules! named_in {
        ($type:ident, $case:literal) => {
            #[derive(VectorDoc)]
            #[vectordoc(rename_all = $case)]
            struct $type {
                #[vectordoc(id)]
                the_id: String,
                #[vectordoc(filter)]
                list_price: f64,
                #[vectordoc(rename = "as it is")]
                other_name: f64,
                #[vectordoc(filter)]
                r#type: String,
            }
        };
    }
    named_in!(Camel, "camelCase");
    named_in!(Snake, "snake_case");
    named_in!(Kebab, "kebab-case");
    named_in!(Pascal, "PascalCase");
    named_in!(Screaming, "SCREAMING_SNAKE_CASE");

    fn names<T: VectorDoc>() -> Vec<String> {
        let schema = T::schema();
        let values = schema.values().iter().map(|field| field.name.clone());
        [schema.id().name.clone()].into_iter().chain(values).collect()
    }

    #[test]
    fn all_are_renamed_but_those_that_have_a_name_of_their_own() {
        assert_eq!(names::<Camel>(), ["theId", "as it is", "listPrice", "type"]);
        assert_eq!(names::<Snake>(), ["the_id", "as it is", "list_price", "type"]);
        assert_eq!(names::<Kebab>(), ["the-id", "as it is", "list-price", "type"]);
        assert_eq!(names::<Pascal>(), ["TheId", "ListPrice", "Type", "as it is"]);
        assert_eq!(names::<Screaming>(), ["THE_ID", "LIST_PRICE", "TYPE", "as it is"]);
    }

    #[test]
    fn values_and_filters_follow_the_stored_names() {
        let value =
            Pascal { the_id: "1".into(), list_price: 2.0, other_name: 3.0, r#type: "lamp".into() };
        let document = value.to_document().expect("it can be stored");
        assert_eq!(
            document.values,
            [Value::Float(2.0), Value::Text("lamp".into()), Value::Float(3.0)]
        );
        assert_eq!(Pascal::from_document(document).expect("it comes back").list_price, 2.0);
        let json = filter_of(r#"{"$and": [{"ListPrice": 2.0}, {"Type": "lamp"}]}"#);
        let filter = Pascal::list_price().eq(2.0) & Pascal::r#type().eq("lamp");
        assert_eq!(filter, json);
    }
}

mod generics {
    use super::*;

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Entry<K, T: Clone = u8, const DIM: usize = 2>
    where
        T: PartialEq,
    {
        #[vectordoc(id)]
        id: K,
        #[vectordoc(vector)]
        array: [f32; DIM],
        #[vectordoc(vector(dim = DIM))]
        vector: Vec<f32>,
        #[vectordoc(filter)]
        pair: Pair<T>,
        #[vectordoc(filter)]
        list: Vec<T>,
        #[vectordoc(filter)]
        pairs: Vec<Pair<T>>,
        #[vectordoc(json)]
        json: Option<Vec<K>>,
        #[vectordoc(default)]
        default: T,
        #[vectordoc(skip)]
        skip: K,
    }

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Pair<T: Clone = u8> {
        #[vectordoc(filter)]
        left: T,
        right: Option<T>,
    }

    #[test]
    fn the_bounds_that_are_needed_are_added() {
        comes_back(&Entry {
            id: 1_u64,
            array: [1.0, 0.0],
            vector: vec![0.0, 1.0],
            pair: Pair { left: 2_i64, right: None },
            list: vec![1_i64, 2],
            pairs: vec![Pair { left: 3, right: Some(4) }],
            json: Some(vec![7]),
            default: 5,
            skip: 0,
        });
        let schema = Entry::<String, i64, 5>::schema();
        assert_eq!(schema.vectors()[0].dim, 5);
        assert_eq!(schema.vectors()[1].dim, 5);
    }

    #[test]
    fn filters_are_those_of_the_parameter() {
        type Texts = Entry<u64, String, 3>;
        let json = filter_of(
            r#"{"$and": [{"pair.left": {"$startsWith": "a"}}, {"list": {"$contains": "b"}}]}"#,
        );
        let filter = Texts::pair().left().starts_with("a") & Texts::list().contains("b");
        assert_eq!(filter, json);
    }
}

mod macros {
    use super::*;

    macro_rules! embedded {
        ($type:ident, $vector:ty, $dim:expr, $metric:literal, $value:ty) => {
            #[derive(Clone, Debug, PartialEq, VectorDoc)]
            struct $type {
                #[vectordoc(id)]
                id: u64,
                #[vectordoc(vector(dim = $dim, metric = $metric))]
                embedding: $vector,
                #[vectordoc(filter)]
                value: $value,
            }
        };
    }
    embedded!(Listed, Option<Vec<f32>>, 2, "l2", Vec<String>);
    embedded!(Fixed, [f32; 2], 2, "l2", Option<u64>);

    #[test]
    fn a_struct_can_come_out_of_a_macro() {
        comes_back(&Listed { id: 1, embedding: Some(vec![1.0, 2.0]), value: vec!["a".into()] });
        comes_back(&Fixed { id: 1, embedding: [1.0, 2.0], value: None });
        assert_eq!(Listed::value().contains("a"), filter_of(r#"{"value": {"$contains": "a"}}"#));
    }
}

mod bounds {
    use super::*;
    use vectordoc::limits;

    const DIM: usize = limits::DIM_MAX;

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Largest {
        #[vectordoc(id)]
        id: u64,
        #[vectordoc(vector(dim = 65_536, m = 128, ef_construction = 10_000, ef = 10_000))]
        vector: Vec<f32>,
        #[vectordoc(vector(dim = DIM))]
        constant: Vec<f32>,
        #[vectordoc(rename = "abcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefgh\
                              abcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefgh")]
        name: bool,
    }

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Smallest {
        #[vectordoc(id)]
        id: u64,
        #[vectordoc(vector(dim = 1, m = 2, ef_construction = 1, ef = 1))]
        vector: Vec<f32>,
    }

    #[test]
    fn the_derive_refuses_nothing_that_a_schema_allows() {
        let schema = Largest::schema();
        let (constant, vector) = (&schema.vectors()[0], &schema.vectors()[1]);
        assert_eq!((constant.dim, vector.dim), (limits::DIM_MAX, limits::DIM_MAX));
        assert_eq!(vector.index.m, limits::M_MAX);
        assert_eq!(vector.index.ef_construction, limits::EF_MAX);
        assert_eq!(vector.index.ef, Some(limits::EF_MAX));
        assert_eq!(schema.values()[0].name.len(), limits::FIELD_NAME_BYTES_MAX);
        assert_eq!(Smallest::schema().vectors()[0].dim, 1);
    }
}

mod crate_path {
    use super::*;

    mod renamed {
        pub(super) use vectordoc as database;
    }

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    #[vectordoc(crate = "renamed::database")]
    struct Product {
        #[vectordoc(id)]
        id: u64,
        #[vectordoc(vector(dim = 2))]
        embedding: Vec<f32>,
        #[vectordoc(filter)]
        maker: Maker,
    }

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    #[vectordoc(crate = "self::renamed::database")]
    struct Maker {
        #[vectordoc(filter)]
        country: String,
    }

    #[test]
    fn the_crate_may_have_any_path() {
        let maker = Maker { country: "NL".into() };
        comes_back(&Product { id: 1, embedding: vec![1.0, 1.0], maker });
    }
}

/// Names in scope that generated code must not take for those it means.
mod shadowed {
    #![allow(dead_code, non_upper_case_globals)]

    struct Option;
    struct Some;
    struct None;
    struct Vec;
    struct String;
    struct Result;
    struct Ok;
    struct Default;
    struct From;
    struct Send;
    struct Sync;
    struct Value;
    struct Schema;
    struct Document;
    mod core {}
    mod alloc {}
    mod std {}
    mod vectordoc {}

    trait VectorDoc {
        fn to_value(&self) {}
        fn to_vector(&self) {}
        fn to_id(&self) {}
        fn field(&self) {}
    }
    impl<T> VectorDoc for T {}

    const document: u8 = 0;
    const value: u8 = 0;
    const path: u8 = 0;
    static fields: u8 = 0;
    static vectors: u8 = 0;
    static values: u8 = 0;

    #[derive(Clone, Debug, PartialEq, ::vectordoc::VectorDoc)]
    pub(super) struct Product {
        #[vectordoc(id)]
        pub(super) id: ::alloc::string::String,
        #[vectordoc(vector(dim = 2, metric = "dot", index = "exact", m = 4, ef = 9))]
        pub(super) embedding: ::core::option::Option<::alloc::vec::Vec<f32>>,
        #[vectordoc(filter)]
        pub(super) maker: ::core::option::Option<Maker>,
    }

    #[derive(Clone, Debug, PartialEq, ::vectordoc::VectorDoc)]
    pub(super) struct Maker {
        #[vectordoc(filter)]
        pub(super) path: ::alloc::string::String,
        #[vectordoc(filter)]
        pub(super) roads: ::alloc::vec::Vec<Road>,
        #[vectordoc(json)]
        pub(super) json: ::core::option::Option<bool>,
        #[vectordoc(text, default = "nowhere")]
        pub(super) place: ::alloc::string::String,
        #[vectordoc(skip)]
        pub(super) skipped: u8,
    }

    #[derive(Clone, Debug, PartialEq, ::vectordoc::VectorDoc)]
    pub(super) struct Road {
        #[vectordoc(filter, default)]
        pub(super) kind: Kind,
    }

    #[derive(Clone, Debug, Default, PartialEq, ::vectordoc::VectorDoc)]
    pub(super) enum Kind {
        #[default]
        None,
        Some,
        Ok,
    }

    fn nowhere() -> ::alloc::string::String {
        "nowhere".into()
    }
}

#[test]
fn names_in_scope_have_no_say() {
    let roads = vec![shadowed::Road { kind: shadowed::Kind::Ok }];
    let maker = Some(shadowed::Maker {
        path: "road".into(),
        roads,
        json: Some(true),
        place: "here".into(),
        skipped: 0,
    });
    let product = shadowed::Product { id: "1".into(), embedding: Some(vec![1.0, 1.0]), maker };
    comes_back(&product);
    let json = filter_of(r#"{"maker.path": {"$eq": "road"}}"#);
    assert_eq!(shadowed::Product::maker().path().eq("road"), json);
    let json = filter_of(r#"{"maker.roads.kind": {"$eq": "Some"}}"#);
    assert_eq!(shadowed::Product::maker().roads().kind().eq(shadowed::Kind::Some), json);
}

#[test]
fn a_struct_in_a_function_can_be_derived() {
    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Local {
        #[vectordoc(id)]
        id: u64,
        #[vectordoc(filter)]
        part: Part,
        nothing: Nothing,
    }
    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Part {
        #[vectordoc(filter)]
        number: i32,
    }
    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Nothing {}
    comes_back(&Local { id: 1, part: Part { number: 2 }, nothing: Nothing {} });
    assert_eq!(Local::part().number().gt(1), filter_of(r#"{"part.number": {"$gt": 1}}"#));
}
