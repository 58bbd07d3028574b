//! A struct of 30 fields of many kinds, with the derive (`--cfg derived`) and without: what
//! `derive/benches/compile_time/run` compiles.

#![allow(dead_code, unexpected_cfgs)]

use vectordoc::{GeoPoint, Timestamp, Uuid};

/// The document.
#[cfg_attr(derived, derive(vectordoc::VectorDoc))]
pub struct Product {
    #[cfg_attr(derived, vectordoc(id))]
    id: String,
    #[cfg_attr(derived, vectordoc(vector(dim = 384)))]
    text: Vec<f32>,
    #[cfg_attr(derived, vectordoc(vector(metric = "l2", index = "hnsw", m = 32)))]
    image: Option<[f32; 512]>,
    #[cfg_attr(derived, vectordoc(filter))]
    price: f64,
    #[cfg_attr(derived, vectordoc(filter))]
    list_price: Option<f64>,
    #[cfg_attr(derived, vectordoc(filter))]
    stock: u32,
    #[cfg_attr(derived, vectordoc(filter))]
    sold: u64,
    #[cfg_attr(derived, vectordoc(filter))]
    rank: i64,
    #[cfg_attr(derived, vectordoc(filter))]
    new: bool,
    #[cfg_attr(derived, vectordoc(filter))]
    tags: Vec<String>,
    #[cfg_attr(derived, vectordoc(filter))]
    sizes: Vec<i32>,
    #[cfg_attr(derived, vectordoc(filter, text))]
    title: String,
    #[cfg_attr(derived, vectordoc(text))]
    summary: Option<String>,
    #[cfg_attr(derived, vectordoc(text))]
    paragraphs: Vec<String>,
    #[cfg_attr(derived, vectordoc(filter))]
    color: Color,
    #[cfg_attr(derived, vectordoc(filter))]
    colors: Vec<Color>,
    #[cfg_attr(derived, vectordoc(filter))]
    made: Timestamp,
    #[cfg_attr(derived, vectordoc(filter))]
    changed: Option<Timestamp>,
    #[cfg_attr(derived, vectordoc(filter))]
    owner: Uuid,
    #[cfg_attr(derived, vectordoc(filter))]
    viewers: Vec<Uuid>,
    place: GeoPoint,
    #[cfg_attr(derived, vectordoc(filter))]
    maker: Option<Maker>,
    #[cfg_attr(derived, vectordoc(filter))]
    reviews: Vec<Review>,
    thumbnail: Vec<u8>,
    hash: [u8; 32],
    #[cfg_attr(derived, vectordoc(json))]
    extra: Vec<Option<(u8, f64)>>,
    #[cfg_attr(derived, vectordoc(default))]
    views: u64,
    #[cfg_attr(derived, vectordoc(default, rename = "language"))]
    code: String,
    #[cfg_attr(derived, vectordoc(skip))]
    cache: Vec<usize>,
    weight: f32,
}

/// A part of it.
#[cfg_attr(derived, derive(vectordoc::VectorDoc))]
pub struct Maker {
    #[cfg_attr(derived, vectordoc(filter))]
    name: String,
    #[cfg_attr(derived, vectordoc(filter))]
    country: String,
}

/// One of the parts of a list of it.
#[cfg_attr(derived, derive(vectordoc::VectorDoc))]
pub struct Review {
    #[cfg_attr(derived, vectordoc(filter))]
    stars: u8,
    words: Option<String>,
}

/// A word of it.
#[cfg_attr(derived, derive(vectordoc::VectorDoc))]
pub enum Color {
    /// One.
    Red,
    /// Another one.
    Green,
}
