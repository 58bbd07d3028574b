use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(dim = 3))]
    embedding: Vec<f64>,
}

fn main() {}
