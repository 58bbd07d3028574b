use vectordoc::VectorDoc;

const DIM: usize = 3;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(dim = 4))]
    embedding: [f32; DIM],
}

fn main() {}
