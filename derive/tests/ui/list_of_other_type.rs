use std::time::Duration;
use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    deliveries: Vec<Duration>,
    part: Part,
}

#[derive(VectorDoc)]
struct Part {
    numbers: Vec<Option<u64>>,
}

fn main() {}
