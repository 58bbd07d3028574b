//! Promise: a request over each protocol is a span at the collector that the settings name, in the
//! trace of whoever asked, with what is known of it; and what was begun before the server stops is
//! sent.

mod cli_program;
mod grpc_fixture;
mod server_fixture;

use cli_program::{Running, run};
use grpc_fixture::messages::CountRequest;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use prost::Message;
use serde_json::json;
use server_fixture::{Product, Wire, http_get, within_time};
use std::{collections::BTreeMap, convert::Infallible, sync::mpsc};
use tokio::net::TcpListener;
use vectordoc::{Result, VectorDoc};

/// What is read of the messages of OTLP (opentelemetry/proto/collector/trace/v1).
#[derive(Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<ResourceSpans>,
}

#[derive(Message)]
struct ResourceSpans {
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<ScopeSpans>,
}

#[derive(Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<Attribute>,
}

#[derive(Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
}

impl Span {
    fn attributes(&self) -> BTreeMap<&str, &str> {
        let text = |attribute: &'_ Attribute| attribute.value.as_ref()?.text.clone();
        let pairs = self.attributes.iter().filter(|attribute| text(attribute).is_some());
        pairs
            .map(|attribute| {
                let value = attribute.value.as_ref().and_then(|value| value.text.as_deref());
                (attribute.key.as_str(), value.unwrap_or_default())
            })
            .collect()
    }
}

/// Takes what it is sent, and answers that all is well.
async fn collect(request: Request<Incoming>, told: mpsc::Sender<Span>) -> Response<Full<Bytes>> {
    assert_eq!(request.uri().path(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    // A byte that says whether it is compressed, and four of its length.
    let export = Export::decode(body.slice(5..)).expect("spans");
    let scopes = export.resources.into_iter().flat_map(|resource| resource.scopes);
    for span in scopes.flat_map(|scope| scope.spans) {
        let _ = told.send(span);
    }
    let response =
        Response::builder().header("content-type", "application/grpc").header("grpc-status", "0");
    response.body(Full::from(&[0_u8, 0, 0, 0, 0][..])).expect("a response")
}

/// A collector, where it listens, and what it was told.
async fn collector() -> (String, mpsc::Receiver<Span>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let (told, spans) = mpsc::channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let told = told.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let told = told.clone();
                    async move { Ok::<_, Infallible>(collect(request, told).await) }
                });
                let builder = Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (endpoint, spans)
}

/// The header of a trace and the bytes of its id, and those of what began the request.
fn parent(number: u8) -> (String, Vec<u8>, Vec<u8>) {
    let (trace, parent) = (vec![number; 16], vec![number + 1; 8]);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    (format!("00-{}-{}-01", hex(&trace), hex(&parent)), trace, parent)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_each_protocol_is_a_span_in_the_trace_of_who_asked() -> Result<()> {
    within_time(async {
        let (endpoint, spans) = collector().await;
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let data = folder.path().join("data");
        let (server, url) = Running::serve_logged(&data, &["--otel-endpoint", &endpoint], &log);
        let (socket, http, grpc) = (parent(0x11), parent(0x33), parent(0x55));

        let headers = [("traceparent", socket.0.as_str())];
        let mut wire = Wire::open_at(&url, &headers).await?;
        let schema = Product::schema().to_json();
        wire.result("db.create", json!({"db": "products", "schema": schema})).await?;
        let missing = wire.ask("doc.count", json!({"db": "nothing"})).await?;
        assert!(missing["error"].is_object());

        let address = url.trim_start_matches("ws://").to_owned();
        let headers = [("traceparent", http.0.as_str()), ("x-request-id", "mine")];
        let said = http_get(&address, "/v1/dbs/products", &headers).await?;
        assert!(said.starts_with("HTTP/1.1 200"), "{said}");
        http_get(&address, "/v1/dbs", &[]).await?;

        let mut client = grpc_fixture::client_at(&url, None).await?;
        let count = CountRequest { db: "products".into(), ..CountRequest::default() };
        let mut request = tonic::Request::new(count);
        let header = grpc.0.parse().expect("ASCII");
        request.metadata_mut().insert("traceparent", header);
        client.count(request).await.expect("a count");

        // What was not sent yet is sent now.
        let (_, code) = tokio::task::spawn_blocking(|| server.terminate()).await.expect("it ends");
        assert_eq!(code, Some(0));
        let spans: Vec<Span> = spans.try_iter().collect();
        let span = |name: &str, trace: &[u8]| {
            let found = spans.iter().find(|span| span.name == name && span.trace == trace);
            found.unwrap_or_else(|| panic!("no span {name} of {trace:?} among {spans:?}"))
        };
        let server_kind = 2;
        let of = |name, (_, trace, parent): &(String, Vec<u8>, Vec<u8>), transport, outcome| {
            let found = span(name, trace);
            assert_eq!((&found.parent, found.kind), (parent, server_kind), "{found:?}");
            let attributes = found.attributes();
            assert_eq!(attributes["transport"], transport);
            assert_eq!(attributes["method"], name);
            assert_eq!(attributes["outcome"], outcome);
            assert!(!attributes["request_id"].is_empty());
            attributes.get("db").map(|db| (*db).to_owned())
        };
        assert_eq!(of("db.create", &socket, "websocket", "ok").as_deref(), Some("products"));
        of("doc.count", &socket, "websocket", "not_found");
        of("db.get", &http, "http", "ok");
        assert_eq!(span("db.get", &http.1).attributes()["request_id"], "mine");
        of("doc.count", &grpc, "grpc", "ok");
        let alone = spans.iter().find(|span| span.name == "db.list").expect("a span");
        assert!(alone.parent.is_empty() && alone.trace.iter().any(|byte| *byte != 0), "{alone:?}");
        Ok(())
    })
    .await
}

#[test]
fn a_collector_that_is_none_is_refused_by_name() {
    for wrong in ["localhost:4317", "https://collector.example", "http://"] {
        let refused = run(["serve", "--otel-endpoint", wrong]);
        assert_ne!(refused.code, Some(0));
        let said = refused.stderr;
        assert!(said.contains(wrong) && said.contains("http://127.0.0.1:4317"), "{said}");
    }
}
