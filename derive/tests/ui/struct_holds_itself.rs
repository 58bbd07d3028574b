use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Node {
    name: String,
    children: Vec<Node>,
    parent: Option<Box<Self>>,
    other: other::Node,
}

mod other {
    #[derive(vectordoc::VectorDoc)]
    pub struct Node {}
}

fn main() {}
