use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector)]
    embedding: Vec<f32>,
    #[vectordoc(vector(metric = "dot"))]
    image: Option<Vec<f32>>,
}

fn main() {}
