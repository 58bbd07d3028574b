use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(default = "one")]
    price: f64,
    #[vectordoc(default)]
    color: Color,
    #[vectordoc(skip)]
    cache: Cache,
    #[vectordoc(default = 1)]
    stock: u32,
}

#[derive(VectorDoc)]
struct Part {
    #[vectordoc(default = "one")]
    price: f64,
    #[vectordoc(default)]
    color: Color,
    #[vectordoc(skip)]
    cache: Cache,
}

#[derive(VectorDoc)]
enum Color {
    Red,
}

struct Cache;

fn one() -> u32 {
    1
}

fn main() {}
