//! What the derive refuses, and how it says so: one file per rule, with what the compiler prints.

#[test]
fn each_mistake_is_reported_once_where_it_was_made() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
