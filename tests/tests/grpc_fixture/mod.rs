//! What the judges of gRPC share: a generated client, and one that says in messages what others say
//! in JSON, so that answers can be compared across protocols.

// Each judge uses a part of this.
#![allow(dead_code, unused_imports)]

#[rustfmt::skip]
#[allow(unreachable_pub, clippy::all)]
mod client;
pub(crate) mod json;
#[path = "../../../node-server/src/grpc/generated/messages.rs"]
#[rustfmt::skip]
#[allow(missing_docs, unreachable_pub, clippy::all)]
pub(crate) mod messages;

pub(crate) use client::vector_doc_client::VectorDocClient;
pub(crate) use json::ask;

use messages::{Document, Id, Value, Vector, id, value::Kind};
use std::collections::BTreeMap;
use tonic::{
    Request, Status,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use vectordoc::{Error, ErrorKind, Result};
use vectordoc_server::Server;

/// A client of the service.
pub(crate) type Client = VectorDocClient<InterceptedService<Channel, Key>>;

/// Shows a key, if there is one.
#[derive(Clone)]
pub(crate) struct Key(Option<String>);

impl Interceptor for Key {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        if let Some(key) = &self.0 {
            let bearer = MetadataValue::try_from(format!("Bearer {key}")).expect("ASCII");
            request.metadata_mut().insert("authorization", bearer);
        }
        Ok(request)
    }
}

/// A connection to the server at `url`, as [`Server::url`] has it.
pub(crate) async fn channel(url: &str) -> Result<Channel> {
    let url = url.replacen("ws://", "http://", 1);
    let endpoint = Endpoint::from_shared(url).map_err(broken)?;
    endpoint.connect().await.map_err(broken)
}

/// A client of `server`, without a key.
pub(crate) async fn client_of(server: &Server) -> Result<Client> {
    client_with(server, None).await
}

/// A client of `server` that shows `key`.
pub(crate) async fn client_with(server: &Server, key: Option<&str>) -> Result<Client> {
    client_at(&server.url(), key).await
}

/// A client of the server at `url` that shows `key`, if there is one.
pub(crate) async fn client_at(url: &str, key: Option<&str>) -> Result<Client> {
    let channel = channel(url).await?;
    Ok(VectorDocClient::with_interceptor(channel, Key(key.map(str::to_owned))))
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::unavailable(error.to_string())
}

/// The error that a status says, judged by its code, which must be that of its kind.
pub(crate) fn error_of(status: &Status) -> Error {
    let code = status.metadata().get("vectordoc-code").and_then(|code| code.to_str().ok());
    let kind = code.and_then(ErrorKind::from_code).unwrap_or_else(|| panic!("no code: {status:?}"));
    assert_eq!(i32::from(status.code()), i32::from(kind.grpc_status()), "{status:?}");
    let retry = status.metadata().get("grpc-retry-pushback-ms");
    assert_eq!(retry.is_some(), kind.is_retryable(), "{status:?}");
    Error::new(kind, status.message())
}

/// The id `text`.
pub(crate) fn id(text: &str) -> Id {
    Id { id: Some(id::Id::Text(text.into())) }
}

/// A value.
pub(crate) fn value(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

/// A value that is text.
pub(crate) fn text(text: &str) -> Value {
    value(Kind::StringValue(text.into()))
}

/// A value that is a vector.
pub(crate) fn vector(numbers: &[f32]) -> Value {
    value(Kind::VectorValue(Vector { values: numbers.into() }))
}

/// A document of these fields.
pub(crate) fn document<const N: usize>(fields: [(&str, Value); N]) -> Document {
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Document { fields: BTreeMap::from(fields) }
}
