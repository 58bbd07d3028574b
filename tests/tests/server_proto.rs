//! Promise: what is generated from the .proto and checked in is what the .proto says.

use prost::Message;
use protox::{Compiler, prost_reflect::prost_types::FileDescriptorSet};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Set, the files are written instead of compared.
const WRITE: &str = "VECTORDOC_WRITE_PROTO";
const COMMAND: &str = "VECTORDOC_WRITE_PROTO=1 cargo test -p vectordoc-tests --test server_proto";

/// Where the generated messages are, for the generated client.
const MESSAGES: &str = "crate::grpc_fixture::messages";

fn server() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../node-server")
}

fn compile() -> Compiler {
    let mut compiler = Compiler::new([server().join("proto")]).expect("the folder is there");
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file("vectordoc/v1/vectordoc.proto").expect("the .proto is right");
    compiler
}

/// What the generator makes of the .proto.
fn generate(client: bool) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let builder = tonic_prost_build::configure()
        .build_server(false)
        .build_client(client)
        .btree_map(".")
        .out_dir(folder.path());
    let builder = if client { builder.extern_path(".vectordoc.v1", MESSAGES) } else { builder };
    builder.compile_fds(compile().file_descriptor_set()).expect("it can be generated");
    fs::read_to_string(folder.path().join("vectordoc.v1.rs")).expect("it was generated")
}

fn check(path: &Path, generated: &[u8]) {
    if std::env::var_os(WRITE).is_some() {
        fs::write(path, generated).expect("it can be written");
    }
    let is_same = fs::read(path).is_ok_and(|there| there == generated);
    assert!(is_same, "{} is not what the .proto says; run\n    {COMMAND}", path.display());
}

#[test]
fn what_is_generated_is_what_the_proto_says() {
    let generated = server().join("src/grpc/generated");
    check(&generated.join("messages.rs"), generate(false).as_bytes());
    check(&generated.join("descriptor.bin"), &compile().encode_file_descriptor_set());
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grpc_fixture/client.rs");
    check(&client, generate(true).as_bytes());
}

#[test]
fn everything_in_the_proto_is_described() {
    let compiled = compile().encode_file_descriptor_set();
    let compiled = FileDescriptorSet::decode(&compiled[..]).expect("it was just encoded");
    let file = &compiled.file[0];
    let described = |path: &[i32]| {
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        let mut here = locations.filter(|location| location.path == path);
        here.any(|location| !location.leading_comments().trim().is_empty())
    };
    let index = |number: usize| i32::try_from(number).expect("few");
    for (number, message) in file.message_type.iter().enumerate() {
        assert!(described(&[4, index(number)]), "message {}", message.name());
        for (field, part) in message.field.iter().enumerate() {
            let path = [4, index(number), 2, index(field)];
            assert!(described(&path), "field {}.{}", message.name(), part.name());
        }
    }
    for (number, method) in file.service[0].method.iter().enumerate() {
        assert!(described(&[6, 0, 2, index(number)]), "rpc {}", method.name());
    }
}
