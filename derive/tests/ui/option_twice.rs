use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id, id)]
    id: String,
    #[vectordoc(vector(dim = 3, dim = 4))]
    embedding: Vec<f32>,
    #[vectordoc(filter)]
    #[vectordoc(filter)]
    price: f64,
}

fn main() {}
