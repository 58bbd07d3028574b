use vectordoc::VectorDoc;

#[derive(VectorDoc)]
union Bits {
    float: f32,
    integer: u32,
}

#[derive(VectorDoc)]
struct Pair(f32, f32);

#[derive(VectorDoc)]
struct Unit;

fn main() {}
