use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(dim = 0, m = 1, ef_construction = 0, ef = 0))]
    smallest: Vec<f32>,
    #[vectordoc(vector(dim = 65_537, m = 129, ef_construction = 10_001, ef = 10_001))]
    largest: Vec<f32>,
    #[vectordoc(vector)]
    none: [f32; 0],
    #[vectordoc(vector(dim = 100_000_000_000_000_000_000))]
    endless: Vec<f32>,
}

fn main() {}
