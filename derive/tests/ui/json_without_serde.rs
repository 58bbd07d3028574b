use vectordoc::VectorDoc;

struct Extra;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(json)]
    extra: Extra,
}

fn main() {}
