use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(dim = 4))]
    embedding: Option<[f32; 3]>,
}

fn main() {}
