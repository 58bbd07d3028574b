use vectordoc::{Result, Value, VectorDoc, document::FieldValue, schema::FieldType};

struct Color(u32);

impl FieldValue for Color {
    fn field_type() -> FieldType {
        u32::field_type()
    }

    fn to_value(&self) -> Result<Value> {
        self.0.to_value()
    }

    fn from_value(value: Value) -> Result<Self> {
        u32::from_value(value).map(Self)
    }
}

#[derive(VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(filter)]
    color: Color,
}

fn main() {}
