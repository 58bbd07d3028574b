use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id, filter)]
    id: String,
    #[vectordoc(vector(dim = 3), filter)]
    embedding: Vec<f32>,
}

#[derive(VectorDoc)]
struct Other {
    #[vectordoc(id, vector(dim = 3))]
    id: String,
}

fn main() {}
