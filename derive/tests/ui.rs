//! What the derive refuses, and how it says so: a file per rule, with what the compiler prints.

use trybuild::TestCases;

#[test]
fn each_mistake_is_reported_once_where_it_was_made() {
    TestCases::new().compile_fail("tests/ui/*.rs");
}

#[test]
fn generated_code_passes_the_lints_of_a_careful_crate() {
    TestCases::new().pass("tests/ui/accepted/*.rs");
}
