use vectordoc::VectorDoc;

#[derive(VectorDoc)]
struct Folder {
    files: Vec<File>,
}

#[derive(VectorDoc)]
struct File {
    links: Vec<Folder>,
}

fn main() {}
