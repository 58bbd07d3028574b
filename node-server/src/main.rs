//! The binary `vectordoc`: see [`vectordoc_server::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    vectordoc_server::cli::run(std::env::args_os())
}
