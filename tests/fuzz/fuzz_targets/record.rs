#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (vectordoc_tests::decoders::decoder("record").decode)(bytes);
});
