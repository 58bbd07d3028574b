use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id, filter, text, json, default, skip)]
    id: String,
    #[vectordoc(vector(dim = 3), filter, text, json, default, skip)]
    embedding: Vec<f32>,
    #[vectordoc(json, filter, text)]
    extra: Vec<u64>,
    #[vectordoc(skip, filter, text, json, rename = "Cache")]
    cache: String,
}

#[derive(VectorDoc)]
struct Other {
    #[vectordoc(id, vector(dim = 3))]
    id: String,
}

fn main() {}
