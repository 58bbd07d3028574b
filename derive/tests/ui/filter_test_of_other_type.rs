use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(filter)]
    price: f64,
    #[vectordoc(filter)]
    tags: Vec<String>,
    #[vectordoc(filter)]
    reviews: Vec<Review>,
}

#[derive(VectorDoc)]
struct Review {
    #[vectordoc(filter)]
    stars: u8,
}

fn main() {
    Product::price().contains("1");
    Product::tags().eq("new");
    Product::tags().starts_with("n");
    Product::reviews().gte(4);
}
