use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(text)]
    price: f64,
    #[vectordoc(text)]
    counts: Option<Vec<u64>>,
}

fn main() {}
