use std::time::Duration;
use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    delivery: Option<Duration>,
}

fn main() {}
