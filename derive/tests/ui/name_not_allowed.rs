use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    sku: String,
    #[vectordoc(rename = "$price")]
    price: f64,
    #[vectordoc(rename = "maker.country")]
    country: String,
    #[vectordoc(rename = "")]
    title: String,
    list__price: f64,
    #[vectordoc(rename = "0123456789012345678901234567890123456789012345678901234567890123456789\
                          01234567890123456789012345678901234567890123456789012345678")]
    long: String,
    id: u64,
}

fn main() {}
