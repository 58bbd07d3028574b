//! The table of calls with one request and one answer, each an operation.

use super::{follow, index_stream, messages as proto, params::Params};
use crate::{
    Catalog,
    encoding::Raw,
    keys::Caller,
    operation::{Answer, Method},
    work::Work,
};
use prost::Message;
use vectordoc::{Error, Result, schema::unknown_name};

/// A request that is an operation with its parameters.
pub(super) trait Ask: Message + Default {
    /// What gRPC calls it.
    const RPC: &'static str;
    /// What operations call it.
    const METHOD: &'static str;
    /// What it is answered with.
    type Response: Message;

    /// Writes its parameters.
    fn write(&self, params: &mut Params) -> Result<()>;

    /// The response that `answer` is; `None` for an answer to something else.
    fn response(answer: Answer) -> Option<Self::Response>;
}

/// What a call is run with.
pub(super) struct Session<'a> {
    /// Who asks.
    pub(super) caller: &'a Caller,
    /// The databases.
    pub(super) catalog: &'a Catalog,
    /// Bytes of the answer.
    pub(super) answer_bytes_max: usize,
}

/// One row of the table.
pub(super) struct Rpc {
    name: &'static str,
    method: &'static str,
    run: fn(&[u8], &Session<'_>) -> Result<Vec<u8>>,
}

static RPCS: [Rpc; 14] = [
    Rpc::of::<proto::CreateDatabaseRequest>(),
    Rpc::of::<proto::ListDatabasesRequest>(),
    Rpc::of::<proto::GetDatabaseRequest>(),
    Rpc::of::<proto::DropDatabaseRequest>(),
    Rpc::of::<proto::IndexRequest>(),
    Rpc::of::<proto::UpdateRequest>(),
    Rpc::of::<proto::PatchRequest>(),
    Rpc::of::<proto::GetRequest>(),
    Rpc::of::<proto::DeleteRequest>(),
    Rpc::of::<proto::SearchRequest>(),
    Rpc::of::<proto::CountRequest>(),
    Rpc::of::<proto::ScrollRequest>(),
    Rpc::of::<proto::FacetRequest>(),
    Rpc::of::<proto::ChangesRequest>(),
];

impl Rpc {
    const fn of<A: Ask>() -> Self {
        Self { name: A::RPC, method: A::METHOD, run: run::<A> }
    }

    /// The call of this name; `unsupported` with the nearest name when there is none.
    pub(super) fn named(name: &str) -> Result<&'static Self> {
        RPCS.iter().find(|rpc| rpc.name == name).ok_or_else(|| {
            let streams = [index_stream::RPC, follow::RPC];
            let known = RPCS.iter().map(|rpc| rpc.name).chain(streams);
            Error::unsupported(unknown_name("rpc", name, known).message())
        })
    }

    /// The operation it is.
    pub(super) fn method(&self) -> Result<&'static Method> {
        Method::named(self.method)
    }

    /// From a request to its answer, both as bytes. Blocks.
    pub(super) fn run(&self, request: &[u8], session: &Session<'_>) -> Result<Vec<u8>> {
        (self.run)(request, session)
    }
}

fn run<A: Ask>(request: &[u8], session: &Session<'_>) -> Result<Vec<u8>> {
    let response = answer(&read::<A>(request)?, session)?;
    // The answer to a write is never refused, as the write is done; it is about as long as the
    // request, or as a schema.
    match Method::named(A::METHOD)?.work {
        Work::Compute | Work::Live => encode(&response, session.answer_bytes_max),
        Work::Commit => encode(&response, usize::MAX),
    }
}

/// Reads a request.
pub(super) fn read<M: Message + Default>(request: &[u8]) -> Result<M> {
    let malformed =
        |error| Error::invalid(format!("the message is not what it should be: {error}"));
    M::decode(request).map_err(malformed)
}

/// Does what is asked. Blocks.
pub(super) fn answer<A: Ask>(request: &A, session: &Session<'_>) -> Result<A::Response> {
    let mut params = Params::new();
    request.write(&mut params)?;
    let params = params.finish();
    let method = Method::named(A::METHOD)?;
    let answer = method.call(Some(Raw::Cbor(&params)), session.caller, session.catalog)?;
    A::response(answer)
        .ok_or_else(|| Error::internal(format!("{} was answered with something else", A::METHOD)))
}

/// Writes a response; `limit_exceeded` when that is longer than `bytes_max`.
pub(super) fn encode(response: &impl Message, bytes_max: usize) -> Result<Vec<u8>> {
    let bytes = response.encoded_len();
    if bytes > bytes_max {
        return Err(Error::limit_exceeded(format!(
            "the answer has {bytes} bytes, the limit is {bytes_max}; ask for fewer documents, or \
             with `include` for fewer fields"
        )));
    }
    Ok(response.encode_to_vec())
}
