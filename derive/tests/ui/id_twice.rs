use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    sku: String,
    #[vectordoc(id)]
    ean: u64,
}

fn main() {}
