//! `#[derive(VectorDoc)]`: a Rust struct becomes a document, or a part of one, of a
//! [vectordoc](https://docs.rs/vectordoc) database.
//!
//! Use it through `vectordoc`, which re-exports it. The way of a struct through this crate is
//! `parse` (what its attributes say) → `model` (what it is) → `check` (whether that can be) →
//! `expand` (the code). Every mistake is collected on the way and all are reported at once.

mod mistakes;
mod nearest;
mod options;

mod case;
mod field_type;
mod parse;

mod model;

mod check;

mod expand;

mod derive;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct with named fields a document, or a part of one, and an enum without data one of
/// its words.
///
/// A struct with an `id` field is a document: it implements `vectordoc::VectorDoc`, and has one
/// associated function for each field marked `filter`, named as the field. A struct without one
/// can be a field of a document: it implements `vectordoc::document::FieldValue`, and, once a
/// field of it is marked `filter`, `vectordoc::filter::typed::Filterable` by a generated struct
/// `…Filter` that has a method for each of these. The struct can have no function of its own by
/// the name of a field marked `filter`. An enum without data implements `FieldValue` and
/// `Filterable`: it is stored as the name of its variant.
///
/// ```
/// use vectordoc::VectorDoc;
///
/// #[derive(VectorDoc)]
/// struct Product {
///     #[vectordoc(id)]
///     id: String,
///     #[vectordoc(vector(dim = 384, metric = "cosine"))]
///     embedding: Vec<f32>,
///     #[vectordoc(filter)]
///     price: f64,
///     #[vectordoc(filter)]
///     maker: Option<Maker>,
///     #[vectordoc(filter)]
///     reviews: Vec<Review>,
///     #[vectordoc(filter)]
///     color: Color,
///     #[vectordoc(text)]
///     title: String,
///     #[vectordoc(json, default)]
///     sizes: std::collections::BTreeMap<String, f64>,
/// }
///
/// #[derive(VectorDoc)]
/// struct Maker {
///     #[vectordoc(filter)]
///     country: String,
/// }
///
/// #[derive(VectorDoc)]
/// struct Review {
///     #[vectordoc(filter)]
///     stars: u8,
///     #[vectordoc(default)]
///     words: String,
/// }
///
/// #[derive(VectorDoc)]
/// #[vectordoc(rename_all = "kebab-case")]
/// enum Color {
///     DarkRed,
///     Green,
/// }
///
/// let filter = Product::price().lt(20.0) & Product::maker().country().eq("NL")
///     | Product::reviews().stars().gte(4) & !Product::color().eq(Color::DarkRed);
/// println!("{}", Product::schema().to_typescript("Product"));
/// println!("{}", Product::schema().to_json_schema());
/// ```
///
/// # On the struct or enum
///
/// | attribute | meaning |
/// |---|---|
/// | `rename_all = "…"` | how stored names are made of the names of fields or variants: `camelCase`, `snake_case`, `kebab-case`, `PascalCase`, `SCREAMING_SNAKE_CASE`, `lowercase` or `UPPERCASE` |
/// | `crate = "…"` | the path of the `vectordoc` crate where it is not `::vectordoc`: renamed in `Cargo.toml`, or re-exported by another crate |
///
/// # On a field
///
/// | attribute | meaning |
/// |---|---|
/// | `id` | names the document; a `String`, a `u64` or a `vectordoc::Uuid` |
/// | `vector(…)` | a vector to search by; a `Vec<f32>`, a `[f32; N]` or an `Option` of one |
/// | `filter` | filters can ask about it; its function is as visible as the field |
/// | `text` | its words are indexed for full-text search; a `String`, an `Option<String>` or a `Vec<String>` |
/// | `json` | it is stored as what serde makes of it, and filters cannot look into it; any type that is `Serialize` and `Deserialize`. A document may lack it when its type can be null |
/// | `default` | a document may lack it, and is read with `Default::default()` then: so a field can be added to what is stored already |
/// | `default = "…"` | the same, with what the function of this path returns |
/// | `skip` | it is not stored, and read as `Default::default()`, or as the function of `default = "…"` says |
/// | `rename = "…"` | its stored name, whatever `rename_all` says; on a variant too |
///
/// A field without `id` or `vector` is stored and returned. `vectordoc::document::FieldValue` lists
/// the types it may have: bools, integers, floats, text, points in time of several libraries,
/// `Uuid`, `GeoPoint`, bytes, enums, structs, and lists and `Option`s of them. Structs that hold
/// themselves, an `Option` of an `Option` and lists of lists are refused; as `json` the first and
/// the last are fine.
///
/// What a value holds may be impossible to store: NaN in JSON, a time after year 9999. Then
/// `to_document`, and whatever stores it, gives an error that names the field.
///
/// # Of a vector
///
/// | option | meaning | default |
/// |---|---|---|
/// | `dim = …` | components, 1 to 65536: a number or a constant | the length of the array; a `Vec` needs it |
/// | `metric = "…"` | `cosine`, `l2` or `dot` | `cosine` |
/// | `precision = "…"` | what is kept of each number: `f32`, `f16`, or `i8` with a step for each vector; what a document is read with is what was kept | `f32` |
/// | `index = "…"` | `auto`, `exact` or `hnsw`; `hnsw_rs` with the feature of that name; `custom` for one of your own | `auto` |
/// | `m = …` | links per node of the graph, 2 to 128 | 16 |
/// | `ef_construction = …` | candidates considered when a node is inserted, 1 to 10000 | 200 |
/// | `ef = …` | candidates considered by a search that does not say, 1 to 10000 | measured |
/// | `quantization = "…"` | what the many are compared by before the nearest are in full: `f32`, `f16`, `i8`, `i4` or `binary` | what is kept, of an `exact` index or in precision `i8`; else `i8` below 96 components, else `i4` |
#[proc_macro_derive(VectorDoc, attributes(vectordoc))]
pub fn derive_vector_doc(input: TokenStream) -> TokenStream {
    derive::derive(&parse_macro_input!(input as DeriveInput)).into()
}
