use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(filter)]
    price: f64,
}

impl Product {
    fn price(&self) -> f64 {
        self.price
    }
}

fn main() {}
