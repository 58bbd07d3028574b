use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(filter)]
    color: Color,
    #[vectordoc(filter)]
    made: vectordoc::Timestamp,
}

#[derive(VectorDoc)]
enum Color {
    Red,
}

#[derive(VectorDoc)]
enum Size {
    Small,
}

fn main() {
    Product::color().eq(Size::Small);
    Product::color().eq("Red");
    Product::made().lt("2026-01-31T12:00:00Z");
}
