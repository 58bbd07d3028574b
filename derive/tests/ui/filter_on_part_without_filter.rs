use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(filter)]
    maker: Option<Maker>,
}

#[derive(VectorDoc)]
struct Maker {
    country: String,
}

fn main() {}
