//! Writes the JavaScript glue and the final module of a WASM file that was built with
//! `wasm-bindgen`: `vectordoc-bindgen INPUT.wasm OUTPUT_DIRECTORY`.

use std::{env, error::Error};
use wasm_bindgen_cli_support::Bindgen;

/// The stem of the files written: `engine.js`, `engine.d.ts`, `engine_bg.wasm`.
const STEM: &str = "engine";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let (Some(input), Some(output), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: vectordoc-bindgen INPUT.wasm OUTPUT_DIRECTORY".into());
    };
    Bindgen::new()
        .input_path(input)
        .out_name(STEM)
        .web(true)?
        .typescript(true)
        // The entry point of each environment knows where the module is; a path in the glue too
        // would make bundlers ship it twice.
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(output)?;
    Ok(())
}
