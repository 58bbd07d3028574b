use vectordoc::VectorDoc;

#[derive(VectorDoc)]
#[vectordoc(rename_all = "camelCase")]
struct Product {
    #[vectordoc(id)]
    id: String,
    list_price: f64,
    #[vectordoc(rename = "listPrice")]
    price: f64,
    listPrice: f64,
}

fn main() {}
