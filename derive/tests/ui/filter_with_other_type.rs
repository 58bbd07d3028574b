use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(filter)]
    price: f64,
}

fn main() {
    Product::price().lt("x");
}
