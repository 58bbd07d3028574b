use vectordoc::VectorDoc;

#[derive(VectorDoc)]
enum Shape {
    Dot,
    Circle(f64),
    Square { side: f64 },
}

#[derive(VectorDoc)]
enum Nothing {}

fn main() {}
