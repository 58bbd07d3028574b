use vectordoc::VectorDoc;

type Embedding = Vec<f32>;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector)]
    embedding: Embedding,
}

fn main() {}
