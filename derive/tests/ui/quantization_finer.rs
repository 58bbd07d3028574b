use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(dim = 3, precision = "i8", quantization = "f16"))]
    finer: Vec<f32>,
    #[vectordoc(vector(dim = 3, precision = "f16", quantization = "f16"))]
    alike: Vec<f32>,
    #[vectordoc(vector(dim = 3, precision = "f16", quantization = "binary"))]
    coarser: Vec<f32>,
}

fn main() {}
