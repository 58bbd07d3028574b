use vectordoc::VectorDoc;

const SHORT: u32 = 3;
const NONE: usize = 0;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(dim = SHORT))]
    embedding: Vec<f32>,
    #[vectordoc(vector(dim = UNKNOWN))]
    image: Vec<f32>,
}

#[derive(VectorDoc)]
struct Other {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(dim = NONE))]
    embedding: Vec<f32>,
}

fn main() {}
