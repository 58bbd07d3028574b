use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    stock: Option<Option<u32>>,
    #[vectordoc(json)]
    extra: Option<Option<u32>>,
    #[vectordoc(vector(dim = 3))]
    embedding: Option<Option<Vec<f32>>>,
}

fn main() {}
