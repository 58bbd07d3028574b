use std::time::Duration;
use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Maker {
    delivery: Duration,
}

fn main() {}
