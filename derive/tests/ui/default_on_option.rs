use vectordoc::VectorDoc;

type Maybe = Option<u32>;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(default)]
    stock: Option<u32>,
}

#[derive(VectorDoc)]
struct Part {
    #[vectordoc(default)]
    stock: Maybe,
}

fn main() {}
