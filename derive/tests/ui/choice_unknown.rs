use vectordoc::VectorDoc;

#[derive(VectorDoc)]
#[vectordoc(rename_all = "camel")]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(dim = 3, metric = "euclid", index = "ivf"))]
    embedding: Vec<f32>,
    #[vectordoc(vector(dim = 3, precision = "int8", quantization = "int8"))]
    image: Vec<f32>,
}

fn main() {}
