use vectordoc::{Uuid, VectorDoc};

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(filter)]
    owner: Uuid,
    #[vectordoc(filter)]
    color: Color,
    #[vectordoc(filter)]
    sold: bool,
}

#[derive(VectorDoc)]
enum Color {
    Red,
}

fn main() {
    Product::owner().lt(Uuid::from_u128(1));
    Product::color().between(Color::Red, Color::Red);
    Product::sold().gte(true);
}
