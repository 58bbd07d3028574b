use vectordoc::VectorDoc;

#[derive(VectorDoc)]
#[vectordoc(crate = "vector doc")]
struct Product {
    #[vectordoc(id filter)]
    id: String,
    #[vectordoc(vector(dim 3))]
    embedding: Vec<f32>,
    #[vectordoc]
    price: f64,
    #[vectordoc = "filter"]
    title: String,
}

fn main() {}
