use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(filter)]
    thumbnail: Vec<u8>,
}

fn main() {}
