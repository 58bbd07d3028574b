use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(filter)]
    scores: Vec<Option<f64>>,
}

fn main() {}
