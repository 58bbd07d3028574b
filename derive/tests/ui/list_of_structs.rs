use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    makers: Vec<Maker>,
}

#[derive(VectorDoc)]
struct Maker {
    country: String,
}

fn main() {}
