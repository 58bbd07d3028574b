use vectordoc::VectorDoc;

#[derive(VectorDoc)]
#[vectordoc(rename_all = "lower", filter)]
enum Color {
    Red,
    #[vectordoc(rename = "Red")]
    Crimson,
    #[vectordoc(renam = "green")]
    Green,
    #[vectordoc(rename = 3)]
    Blue,
    #[vectordoc(rename = "abcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefgh\
                          abcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefgh!")]
    Long,
}

fn main() {}
