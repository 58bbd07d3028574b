//! The HTTP request that opens a WebSocket (RFC 6455 §4.2), and what follows it.

use super::{
    connection::{Client, converse},
    guard::Guard,
};
use crate::{
    Limits,
    door::Peer,
    encoding::Encoding,
    http::{Problem, caller},
    limits::READ_BUFFER_BYTES,
    server::Context,
    telemetry::RequestId,
};
use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        error::{Error as WsError, ProtocolError},
        handshake::server::create_response,
        protocol::{Role, WebSocketConfig},
    },
};
use vectordoc::Error;

/// Where a WebSocket is opened.
pub(crate) const PATH: &str = "/v1/ws";
/// The sub-protocols by name, the first the one of a client that asks for none.
const SUBPROTOCOLS: [(&str, Encoding); 2] =
    [("vectordoc.v1.json", Encoding::Json), ("vectordoc.v1.cbor", Encoding::Cbor)];
/// Room for frames that wait to be sent: a piece of an answer, what is sent together, and control
/// frames.
const WRITE_BUFFER_BYTES: usize = 1024 * 1024;

/// A WebSocket of a client.
pub(super) type Socket<S = TokioIo<Upgraded>> = WebSocketStream<Guard<S>>;

/// Opens a WebSocket, or says why not.
pub(crate) async fn upgrade(
    State(context): State<Arc<Context>>,
    Extension(peer): Extension<Peer>,
    Extension(id): Extension<RequestId>,
    mut request: Request,
) -> axum::response::Response {
    let upgraded = hyper::upgrade::on(&mut request);
    let caller = match caller(&context.keyring, request.headers()).await {
        Ok(caller) => caller,
        Err(error) => return Problem::from(error).into_response(),
    };
    match accept(&request) {
        Ok((response, encoding)) => {
            let tasks = context.tasks.clone();
            let held = hold(upgraded, Client { caller, encoding, id }, peer, Arc::clone(&context));
            tasks.spawn(context.until_ended(held));
            response
        }
        Err(problem) => refuse(problem),
    }
}

/// A refusal says which protocol is spoken here, as its status may ask for one (RFC 9110 §15.5.22).
fn refuse(problem: Problem) -> axum::response::Response {
    let mut response = problem.into_response();
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::ALLOW, HeaderValue::from_static("GET"));
    response
}

/// Holds the conversation once the connection belongs to the WebSocket.
async fn hold(upgraded: OnUpgrade, client: Client, peer: Peer, context: Arc<Context>) {
    let upgraded = match upgraded.await {
        Ok(upgraded) => upgraded,
        Err(error) => return tracing::debug!(%error, "a WebSocket was not opened"),
    };
    let Client { caller, encoding, id } = &client;
    let (peer_address, caller) = (peer.address, caller.id());
    tracing::debug!(peer = %peer_address, caller, ?encoding, request_id = %id, "a WebSocket is open");
    let socket = open(TokioIo::new(upgraded), &context.limits).await;
    let stopping = context.phase.subscribe();
    converse(socket, client, peer.account, context, stopping).await;
    drop(peer.place);
}

async fn open(stream: TokioIo<Upgraded>, limits: &Limits) -> Socket {
    let message_bytes_max = limits.message_bytes_max;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(message_bytes_max))
        .max_frame_size(Some(message_bytes_max))
        .max_write_buffer_size(WRITE_BUFFER_BYTES);
    let guard = Guard::new(stream, Vec::new(), message_bytes_max);
    WebSocketStream::from_raw_socket(guard, Role::Server, Some(config)).await
}

/// The answer that opens a WebSocket, and the encoding it will speak.
fn accept<B>(request: &Request<B>) -> Result<(Response<Body>, Encoding), Problem> {
    let mut opening = axum::http::Request::new(());
    *opening.method_mut() = request.method().clone();
    *opening.version_mut() = request.version();
    *opening.headers_mut() = request.headers().clone();
    let response = create_response(&opening).map_err(|error| not_websocket(&error))?;
    let mut response = response.map(|()| Body::empty());
    let [(_, default), ..] = SUBPROTOCOLS;
    let Some((name, encoding)) = negotiate(request.headers())? else {
        return Ok((response, default));
    };
    let chosen = HeaderValue::from_static(name);
    response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
    Ok((response, encoding))
}

fn not_websocket(error: &WsError) -> Problem {
    let status = match error {
        WsError::Protocol(ProtocolError::WrongHttpMethod) => StatusCode::METHOD_NOT_ALLOWED,
        WsError::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader,
        ) => StatusCode::UPGRADE_REQUIRED,
        _ => StatusCode::BAD_REQUEST,
    };
    Problem::with_status(status, Error::invalid(format!("open a WebSocket at {PATH}: {error}")))
}

/// The first of our sub-protocols that the client asks for; it may ask for none.
fn negotiate(headers: &HeaderMap) -> Result<Option<(&'static str, Encoding)>, Problem> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let lines = lines.iter().filter_map(|line| line.to_str().ok());
    let mut offered = lines.flat_map(|line| line.split(',')).map(str::trim).peekable();
    let some_offered = offered.peek().is_some();
    let ours = |offer: &str| SUBPROTOCOLS.into_iter().find(|(name, _)| *name == offer);
    let chosen = offered.find_map(ours);
    if some_offered && chosen.is_none() {
        let [(json, _), (cbor, _)] = SUBPROTOCOLS;
        return Err(Problem::from(Error::invalid(format!(
            "this server speaks the sub-protocols {json} and {cbor}; neither is offered"
        ))));
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "sec-websocket-protocol";

    /// The status a request gets, and the sub-protocol it is answered with.
    fn decided(method: &str, headers: &[(&str, &str)]) -> (u16, Option<String>) {
        let mut request = Request::builder().method(method).uri(PATH);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match accept(&request.body(()).expect("a request")) {
            Ok((response, _)) => {
                let protocol = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
                let protocol = protocol.map(|name| name.to_str().expect("ASCII").to_string());
                (response.status().as_u16(), protocol)
            }
            Err(problem) => (problem.into_response().status().as_u16(), None),
        }
    }

    fn opening<'a>(protocols: &[&'a str]) -> Vec<(&'a str, &'a str)> {
        let mut headers = vec![
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ];
        headers.extend(protocols.iter().map(|protocol| (NAME, *protocol)));
        headers
    }

    #[test]
    fn what_is_no_websocket_is_told_what_is_missing() {
        assert_eq!(decided("GET", &[]), (426, None));
        assert_eq!(decided("POST", &opening(&[])), (405, None));
        assert_eq!(decided("GET", &opening(&[])[..3]), (400, None));
        assert_eq!(decided("GET", &opening(&[])), (101, None));
    }

    #[test]
    fn the_sub_protocol_is_ours_or_left_open() {
        for (ours, _) in SUBPROTOCOLS {
            let chosen = Some(ours.to_string());
            assert_eq!(decided("GET", &opening(&[ours])), (101, chosen.clone()));
            let list = format!("chat, {ours}");
            assert_eq!(decided("GET", &opening(&[&list])), (101, chosen.clone()));
            assert_eq!(decided("GET", &opening(&["chat", ours])), (101, chosen));
        }
        let both = decided("GET", &opening(&["vectordoc.v1.cbor, vectordoc.v1.json"]));
        assert_eq!(both.1.as_deref(), Some("vectordoc.v1.cbor"));
        assert_eq!(decided("GET", &opening(&["chat"])), (400, None));
    }
}
