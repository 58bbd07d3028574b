use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    stock: Option<Option<u32>>,
}

fn main() {
    Product::schema();
}
