//! Who may connect, and how: the HTTP request that opens a WebSocket (RFC 6455 §4.2).

use super::{connection::Socket, guard::Guard};
use crate::{Limits, encoding::Encoding, limits::HANDSHAKE_BYTES_MAX};
use std::{io, net::IpAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        error::{Error as WsError, ProtocolError},
        handshake::{
            machine::TryParse,
            server::{Request, Response, create_response, write_response},
        },
        http::{HeaderValue, StatusCode, Uri, header},
        protocol::{Role, WebSocketConfig},
    },
};

const PATH: &str = "/v1/ws";
/// The sub-protocols by name, the first the one of a client that asks for none.
const SUBPROTOCOLS: [(&str, Encoding); 2] =
    [("vectordoc.v1.json", Encoding::Json), ("vectordoc.v1.cbor", Encoding::Cbor)];
/// Room in a write buffer beside one answer: for errors in a batch, and control frames.
const CONTROL_BYTES: usize = 1024 * 1024;

/// Lets connections in, or sends them away with a reason.
pub(crate) struct Doorkeeper {
    limits: Limits,
    /// Web origins allowed beside those of this machine.
    origins: Vec<String>,
    /// Whether this server can be reached from this machine only. Then a request for another host
    /// is a web page that lies about its own (DNS rebinding).
    loopback: bool,
}

/// An HTTP answer that opens nothing.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    body: String,
}

impl Refusal {
    fn new(status: StatusCode, body: impl Into<String>) -> Self {
        Self { status, body: body.into() }
    }
}

impl Doorkeeper {
    /// For a server with these bounds and allowed origins.
    pub(crate) fn new(limits: Limits, origins: Vec<String>, loopback: bool) -> Self {
        Self { limits, origins, loopback }
    }

    /// Opens a WebSocket on `stream` that speaks the encoding returned, or tells the peer why not.
    pub(super) async fn admit(&self, mut stream: TcpStream) -> Option<(Socket, Encoding)> {
        let request = timeout(self.limits.handshake_timeout, read_request(&mut stream)).await;
        let opened = match request {
            Ok(Ok(Ok((request, rest)))) => self.decide(&request).map(|decided| (decided, rest)),
            Ok(Ok(Err(refusal))) => Err(refusal),
            Ok(Err(_)) => return None,
            Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "no request came in time")),
        };
        match opened {
            Ok(((response, encoding), rest)) => {
                let socket = self.open(stream, &response, rest).await?;
                Some((socket, encoding))
            }
            Err(refusal) => {
                refuse(stream, &refusal).await;
                None
            }
        }
    }

    /// Tells a peer that there are too many already.
    pub(crate) async fn turn_away(&self, stream: TcpStream) {
        let body = "there are too many connections; try again later";
        refuse(stream, &Refusal::new(StatusCode::SERVICE_UNAVAILABLE, body)).await;
    }

    fn decide(&self, request: &Request) -> Result<(Response, Encoding), Refusal> {
        if request.uri().path() != PATH {
            let body = format!("there is nothing here; vectordoc speaks WebSocket at {PATH}");
            return Err(Refusal::new(StatusCode::NOT_FOUND, body));
        }
        self.check_host(request)?;
        self.check_origin(request)?;
        let mut response = create_response(request).map_err(|error| not_websocket(&error))?;
        let Some((name, encoding)) = negotiate(request)? else {
            let [(_, default), ..] = SUBPROTOCOLS;
            return Ok((response, default));
        };
        let chosen = HeaderValue::from_static(name);
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
        Ok((response, encoding))
    }

    fn check_host(&self, request: &Request) -> Result<(), Refusal> {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        if !self.loopback || host.is_some_and(is_this_machine) {
            return Ok(());
        }
        let body = "this server answers to localhost only";
        Err(Refusal::new(StatusCode::FORBIDDEN, body))
    }

    fn check_origin(&self, request: &Request) -> Result<(), Refusal> {
        let Some(origin) = request.headers().get(header::ORIGIN) else {
            return Ok(());
        };
        let origin = origin.to_str().unwrap_or_default();
        let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
        if is_this_machine(authority) || self.origins.iter().any(|allowed| allowed == origin) {
            return Ok(());
        }
        let body = format!("pages of {origin:?} may not connect; the server can allow that origin");
        Err(Refusal::new(StatusCode::FORBIDDEN, body))
    }

    async fn open(
        &self,
        mut stream: TcpStream,
        response: &Response,
        rest: Vec<u8>,
    ) -> Option<Socket> {
        let mut head = Vec::new();
        write_response(&mut head, response).ok()?;
        stream.write_all(&head).await.ok()?;
        let Limits { message_bytes_max, answer_bytes_max, .. } = self.limits;
        let config = WebSocketConfig::default()
            .max_message_size(Some(message_bytes_max))
            .max_frame_size(Some(message_bytes_max))
            .max_write_buffer_size(answer_bytes_max + message_bytes_max + CONTROL_BYTES);
        let guard = Guard::new(stream, rest, message_bytes_max);
        Some(WebSocketStream::from_raw_socket(guard, Role::Server, Some(config)).await)
    }
}

/// Reads the head of an HTTP request, and what came after it.
async fn read_request(stream: &mut TcpStream) -> io::Result<Result<(Request, Vec<u8>), Refusal>> {
    let mut input = Vec::new();
    while input.len() < HANDSHAKE_BYTES_MAX {
        let room = HANDSHAKE_BYTES_MAX - input.len();
        let room = u64::try_from(room).unwrap_or(u64::MAX);
        if (&mut *stream).take(room).read_buf(&mut input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match Request::try_parse(&input) {
            Ok(None) => {}
            Ok(Some((head_bytes, request))) => {
                return Ok(Ok((request, input.split_off(head_bytes))));
            }
            Err(error) => return Ok(Err(not_websocket(&error))),
        }
    }
    Ok(Err(Refusal::new(
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        format!("the request's head is longer than {HANDSHAKE_BYTES_MAX} bytes"),
    )))
}

fn not_websocket(error: &WsError) -> Refusal {
    let status = match error {
        WsError::Protocol(ProtocolError::WrongHttpMethod) => StatusCode::METHOD_NOT_ALLOWED,
        WsError::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader,
        ) => StatusCode::UPGRADE_REQUIRED,
        _ => StatusCode::BAD_REQUEST,
    };
    Refusal::new(status, format!("open a WebSocket at {PATH}: {error}"))
}

/// The first of our sub-protocols that the client asks for; it may ask for none.
fn negotiate(request: &Request) -> Result<Option<(&'static str, Encoding)>, Refusal> {
    let headers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let lines = headers.iter().filter_map(|line| line.to_str().ok());
    let mut offered = lines.flat_map(|line| line.split(',')).map(str::trim).peekable();
    let some_offered = offered.peek().is_some();
    let ours = |offer: &str| SUBPROTOCOLS.into_iter().find(|(name, _)| *name == offer);
    let chosen = offered.find_map(ours);
    if some_offered && chosen.is_none() {
        let [(json, _), (cbor, _)] = SUBPROTOCOLS;
        let body =
            format!("this server speaks the sub-protocols {json} and {cbor}; neither is offered");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, body));
    }
    Ok(chosen)
}

/// Whether `authority`, a host with or without port, is this machine.
fn is_this_machine(authority: &str) -> bool {
    let Ok(uri) = authority.parse::<Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host.to_ascii_lowercase().ends_with(".localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Sends `refusal` and ends the connection. Whether the peer still listens does not matter.
async fn refuse(mut stream: TcpStream, refusal: &Refusal) {
    tracing::debug!(?refusal, "a connection is refused");
    let response = format!(
        "HTTP/1.1 {}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         connection: close\r\nupgrade: websocket\r\n\r\n{}\n",
        refusal.status,
        refusal.body.len() + 1,
        refusal.body
    );
    let _ = timeout(crate::limits::CLOSE_TIMEOUT, async {
        stream.write_all(response.as_bytes()).await?;
        stream.shutdown().await
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, headers: &[(&str, &str)]) -> Request {
        let mut builder = Request::builder()
            .uri(path)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==");
        if !headers.iter().any(|(name, _)| *name == "host") {
            builder = builder.header("host", "localhost:7700");
        }
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).expect("a request")
    }

    /// The status a request gets, and the sub-protocol it is answered with.
    fn decided(path: &str, headers: &[(&str, &str)]) -> (u16, Option<String>) {
        let origins = vec!["https://example.org".to_string()];
        let doorkeeper = Doorkeeper::new(Limits::default(), origins, true);
        match doorkeeper.decide(&request(path, headers)) {
            Ok((response, _)) => {
                let protocol = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
                let protocol = protocol.map(|name| name.to_str().expect("ASCII").to_string());
                (response.status().as_u16(), protocol)
            }
            Err(refusal) => (refusal.status.as_u16(), None),
        }
    }

    fn check(headers: &[(&str, &str)], status: u16) {
        assert_eq!(decided(PATH, headers).0, status, "{headers:?}");
    }

    #[test]
    fn only_one_path_leads_anywhere() {
        assert_eq!(decided(PATH, &[]), (101, None));
        assert_eq!(decided("/v1/ws?x=1", &[]), (101, None));
        assert_eq!(decided("/", &[]), (404, None));
        assert_eq!(decided("/v1/ws/", &[]), (404, None));
    }

    #[test]
    fn pages_of_strangers_are_refused() {
        for origin in ["http://localhost:8080", "http://[::1]", "https://app.localhost"] {
            check(&[("origin", origin)], 101);
        }
        check(&[("origin", "https://example.org")], 101);
        for origin in ["https://example.com", "null", "", "http://localhost.example.com"] {
            check(&[("origin", origin)], 403);
        }
    }

    #[test]
    fn a_local_server_answers_to_local_names_only() {
        check(&[("host", "127.0.0.1:7700")], 101);
        check(&[("host", "[::1]:7700")], 101);
        check(&[("host", "rebound.example.com:7700")], 403);
    }

    #[test]
    fn the_sub_protocol_is_ours_or_left_open() {
        const NAME: &str = "sec-websocket-protocol";
        for (ours, _) in SUBPROTOCOLS {
            let chosen = Some(ours.to_string());
            assert_eq!(decided(PATH, &[(NAME, ours)]), (101, chosen.clone()));
            assert_eq!(decided(PATH, &[(NAME, &format!("chat, {ours}"))]), (101, chosen.clone()));
            assert_eq!(decided(PATH, &[(NAME, "chat"), (NAME, ours)]), (101, chosen));
        }
        let both = "vectordoc.v1.cbor, vectordoc.v1.json";
        assert_eq!(decided(PATH, &[(NAME, both)]).1.as_deref(), Some("vectordoc.v1.cbor"));
        check(&[(NAME, "chat")], 400);
    }
}
