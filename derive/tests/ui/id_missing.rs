use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    id: String,
    #[vectordoc(vector(dim = 3))]
    embedding: Vec<f32>,
}

fn main() {}
