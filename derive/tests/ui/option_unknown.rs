use vectordoc::VectorDoc;

#[derive(VectorDoc)]
#[vectordoc(rename = "camelCase")]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(dims = 3, metrik = "dot"))]
    embedding: Vec<f32>,
    #[vectordoc(dim = 3)]
    size: Vec<f32>,
    #[vectordoc(filtr)]
    price: f64,
    #[vectordoc(primary::key)]
    title: String,
}

fn main() {}
