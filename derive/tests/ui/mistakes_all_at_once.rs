//! Every mistake is reported, and code that uses the structs adds none.

use vectordoc::{Filter, Schema, VectorDoc};

#[derive(VectorDoc)]
#[vectordoc(rename_all = "camel")]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(metric = "euclid"))]
    embedding: Vec<f32>,
    #[vectordoc(filter, rename = "$price")]
    price: f64,
    #[vectordoc(filter)]
    maker: Maker,
    #[vectordoc(filter)]
    color: Color,
    #[vectordoc(skip, text)]
    note: String,
}

#[derive(VectorDoc)]
struct Maker {
    #[vectordoc(filter, filter)]
    country: String,
}

#[derive(VectorDoc)]
enum Color {
    Red(u8),
    #[vectordoc(filter)]
    Green,
}

fn schema<T: VectorDoc>() -> Schema {
    T::schema()
}

fn main() {
    schema::<Product>();
    schema::<Color>();
    let _: Filter = Product::price().lt(3.0) & Product::maker().country().eq("NL")
        & Product::color().eq(Color::Green);
}
