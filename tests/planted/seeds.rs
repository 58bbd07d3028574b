//! Writes good bytes of a decoder, to begin a search with: `seeds DECODER DIRECTORY`.

use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, directory] = &arguments[..] else { panic!("seeds DECODER DIRECTORY") };
    let seeds = (vectordoc_tests::decoders::decoder(name).seeds)();
    for (number, seed) in seeds.iter().enumerate() {
        let path = Path::new(directory).join(format!("good-{number}"));
        std::fs::write(&path, seed).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
