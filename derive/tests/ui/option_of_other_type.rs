use vectordoc::VectorDoc;

#[derive(VectorDoc)]
#[vectordoc(rename_all = camelCase, crate = vectordoc)]
struct Product {
    #[vectordoc(id = true)]
    id: String,
    #[vectordoc(vector(dim = "3", metric = dot, index("exact"), m = 16.0, ef = -1))]
    embedding: Vec<f32>,
    #[vectordoc(vector = 3)]
    image: Vec<f32>,
    #[vectordoc(vector(dim))]
    sound: Vec<f32>,
    #[vectordoc(filter("price"), rename = 3)]
    price: f64,
}

fn main() {}
