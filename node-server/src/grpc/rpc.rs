//! The table of calls with one request and one answer, each an operation.

use super::{messages as proto, params::Params, stream::Streamed};
use crate::{
    Catalog,
    account::Account,
    encoding::Raw,
    keys::Caller,
    operation::{Answer, Method},
    telemetry::{Arrival, Asked},
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
    /// What the connection has of the server.
    pub(super) account: &'a Account,
    /// The databases.
    pub(super) catalog: &'a Catalog,
    /// The message.
    pub(super) arrival: &'a Arrival,
    /// Bytes of the answer.
    pub(super) answer_bytes_max: usize,
}

impl Session<'_> {
    /// Runs the operation `method` with `params`, as this message, and makes of its answer what
    /// `write` does. Blocks.
    pub(super) fn run<T>(
        &self,
        method: &'static Method,
        params: &[u8],
        write: impl FnOnce(Answer) -> Result<T>,
    ) -> Result<T> {
        let (params, caller) = (Some(Raw::Cbor(params)), self.caller);
        self.arrival.run(&Asked { method, params, caller, rpc_id: None }, || {
            write(method.call(params, caller, self.catalog)?)
        })
    }

    /// What was read of this message, which asks for `method`; counts it if that is nothing.
    pub(super) fn read<T>(&self, method: &'static str, read: Result<T>) -> Result<T> {
        read.inspect_err(|error| self.arrival.refused(method, error))
    }
}

/// One row of the table.
pub(super) struct Rpc {
    name: &'static str,
    method: &'static str,
    params: fn(&[u8]) -> Result<Vec<u8>>,
    respond: fn(Answer, &Method, &Session<'_>) -> Result<Vec<u8>>,
}

static RPCS: [Rpc; 22] = [
    Rpc::of::<proto::CreateDatabaseRequest>(),
    Rpc::of::<proto::ListDatabasesRequest>(),
    Rpc::of::<proto::GetDatabaseRequest>(),
    Rpc::of::<proto::DropDatabaseRequest>(),
    Rpc::of::<proto::ReshardRequest>(),
    Rpc::of::<proto::ConfigureDatabaseRequest>(),
    Rpc::of::<proto::PauseDatabaseRequest>(),
    Rpc::of::<proto::ResumeDatabaseRequest>(),
    Rpc::of::<proto::LogsRequest>(),
    Rpc::of::<proto::IndexRequest>(),
    Rpc::of::<proto::UpdateRequest>(),
    Rpc::of::<proto::PatchRequest>(),
    Rpc::of::<proto::GetRequest>(),
    Rpc::of::<proto::DeleteRequest>(),
    Rpc::of::<proto::SearchRequest>(),
    Rpc::of::<proto::CountRequest>(),
    Rpc::of::<proto::ScrollRequest>(),
    Rpc::of::<proto::FacetRequest>(),
    Rpc::of::<proto::RecallRequest>(),
    Rpc::of::<proto::ChangesRequest>(),
    Rpc::of::<proto::ClusterStatusRequest>(),
    Rpc::of::<proto::RemoveNodeRequest>(),
];

impl Rpc {
    const fn of<A: Ask>() -> Self {
        Self { name: A::RPC, method: A::METHOD, params: params::<A>, respond: respond::<A> }
    }

    /// The call of this name; `unsupported` with the nearest name when there is none.
    pub(super) fn named(name: &str) -> Result<&'static Self> {
        RPCS.iter().find(|rpc| rpc.name == name).ok_or_else(|| {
            let streams = Streamed::ALL.map(Streamed::name);
            let known = RPCS.iter().map(|rpc| rpc.name).chain(streams);
            Error::unsupported(unknown_name("rpc", name, known).message())
        })
    }

    /// The operation it is.
    pub(super) fn method(&self) -> Result<&'static Method> {
        Method::named(self.method)
    }

    /// What that is called.
    pub(super) fn method_name(&self) -> &'static str {
        self.method
    }

    /// The parameters in a request, in CBOR.
    pub(super) fn params(&self, request: &[u8]) -> Result<Vec<u8>> {
        (self.params)(request)
    }

    /// From the parameters to the answer. Blocks.
    pub(super) fn run(
        &self,
        method: &'static Method,
        params: &[u8],
        session: &Session<'_>,
    ) -> Result<Vec<u8>> {
        session.run(method, params, |answer| (self.respond)(answer, method, session))
    }
}

fn params<A: Ask>(request: &[u8]) -> Result<Vec<u8>> {
    let mut params = Params::new();
    read::<A>(request)?.write(&mut params)?;
    Ok(params.finish())
}

/// The answer to a write is never refused, as the write is done; it is about as long as the request, or
/// as a schema.
fn respond<A: Ask>(answer: Answer, method: &Method, session: &Session<'_>) -> Result<Vec<u8>> {
    let response = A::response(answer).ok_or_else(|| answered_otherwise(A::METHOD))?;
    if method.work == Work::Commit {
        return encode(&response, usize::MAX);
    }
    session.account.check(response.encoded_len())?;
    encode(&response, session.answer_bytes_max)
}

/// Reads a request.
pub(super) fn read<M: Message + Default>(request: &[u8]) -> Result<M> {
    let malformed =
        |error| Error::invalid(format!("the message is not what it should be: {error}"));
    M::decode(request).map_err(malformed)
}

/// Does what is asked, and makes of the response what `write` does. Blocks.
pub(super) fn answer<A: Ask, T>(
    request: &A,
    session: &Session<'_>,
    write: impl FnOnce(A::Response) -> Result<T>,
) -> Result<T> {
    let mut params = Params::new();
    session.read(A::METHOD, request.write(&mut params))?;
    session.run(Method::named(A::METHOD)?, &params.finish(), |answer| {
        let response = A::response(answer);
        write(response.ok_or_else(|| answered_otherwise(A::METHOD))?)
    })
}

/// The same for what nobody asked for just now: it is no request, and not counted as one.
pub(super) fn news<A: Ask>(request: &A, caller: &Caller, catalog: &Catalog) -> Result<A::Response> {
    let mut params = Params::new();
    request.write(&mut params)?;
    let params = params.finish();
    let answer = Method::named(A::METHOD)?.call(Some(Raw::Cbor(&params)), caller, catalog)?;
    A::response(answer).ok_or_else(|| answered_otherwise(A::METHOD))
}

/// The error of an operation whose answer is another's.
pub(super) fn answered_otherwise(method: &str) -> Error {
    Error::internal(format!("{method} was answered with something else"))
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
