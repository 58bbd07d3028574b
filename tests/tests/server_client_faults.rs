//! Promise: a client outlives its sockets. What a server acknowledged stays, what it surely did not
//! do is asked again, what may have been done is asked again only if that makes no difference, and
//! every call settles.

mod server_fixture;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use server_fixture::{Product, any_port, kind, product, products, server_of, within_time};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
        http::HeaderValue,
    },
};
use vectordoc::{
    Client, ErrorKind, Filter, Patch, Result,
    client::{Connection, ConnectionBuilder},
};
use vectordoc_server::{Catalog, Limits, Server};

/// No test waits so long for anything.
const LONG: Duration = Duration::from_secs(600);
/// How long a call may take that cannot succeed.
const SHORT: Duration = Duration::from_millis(300);

/// What a pretended server does with a request: its method and parameters, and how many came before.
type Script = dyn Fn(&Json, usize) -> Reply + Send + Sync;

enum Reply {
    /// Answers with this result.
    Result(Json),
    /// Answers with this error.
    Error(Json),
    /// Says nothing, now or later.
    Silence,
    /// Breaks the connection.
    Break,
    /// Says `goaway`, then answers with this result, and breaks the connection when it is left.
    GoAway(Json),
}

/// A server that speaks the protocol and answers as its script says.
struct Pretender {
    address: SocketAddr,
    /// The methods asked for, with the number of their connection.
    asked: Arc<Mutex<Vec<(usize, String)>>>,
    connections: Arc<AtomicUsize>,
    _accepting: JoinSet<()>,
}

impl Pretender {
    async fn start(script: impl Fn(&Json, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (asked, connections) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
        let mut accepting = JoinSet::new();
        let shared = (
            Arc::clone(&asked),
            Arc::clone(&connections),
            Arc::<Script>::from(Box::new(script) as Box<Script>),
        );
        accepting.spawn(async move {
            let (asked, connections, script) = shared;
            let mut conversations = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let number = connections.fetch_add(1, Ordering::SeqCst);
                let (asked, script) = (Arc::clone(&asked), Arc::clone(&script));
                conversations.spawn(converse(stream, number, asked, script));
            }
        });
        Self { address, asked, connections, _accepting: accepting }
    }

    fn connect(&self) -> ConnectionBuilder {
        Connection::builder(format!("ws://{}", self.address))
    }

    /// How often each of the connections was asked.
    fn asked(&self) -> Vec<usize> {
        let mut counts = vec![0; self.connections.load(Ordering::SeqCst)];
        for (connection, _) in self.asked.lock().expect("whole").iter() {
            counts[*connection] += 1;
        }
        counts
    }
}

#[expect(clippy::result_large_err, reason = "the signature is the library's")]
async fn converse(
    stream: TcpStream,
    number: usize,
    asked: Arc<Mutex<Vec<(usize, String)>>>,
    script: Arc<Script>,
) {
    let choose = |_: &Request, mut response: Response| {
        let name = HeaderValue::from_static("vectordoc.v1.json");
        response.headers_mut().insert("sec-websocket-protocol", name);
        Ok(response)
    };
    let Ok(mut socket) = accept_hdr_async(stream, choose).await else { return };
    let limits = json!({"message_bytes_max": 1 << 20, "in_flight_max": 8});
    let hello = json!({"jsonrpc": "2.0", "method": "hello", "params": {"limits": limits}});
    if socket.send(Message::text(hello.to_string())).await.is_err() {
        return;
    }
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        let request: Json = serde_json::from_str(&text).expect("a request");
        let before = {
            let mut asked = asked.lock().expect("whole");
            asked.push((number, request["method"].as_str().unwrap_or_default().to_owned()));
            asked.len() - 1
        };
        let answer = |part: &str, value: Json| {
            Message::text(json!({"jsonrpc": "2.0", "id": request["id"], part: value}).to_string())
        };
        let told = match script(&request, before) {
            Reply::Result(result) => vec![answer("result", result)],
            Reply::Error(error) => vec![answer("error", error)],
            Reply::Silence => vec![],
            Reply::Break => return,
            Reply::GoAway(result) => {
                let goaway = json!({"jsonrpc": "2.0", "method": "goaway", "params": {}});
                vec![Message::text(goaway.to_string()), answer("result", result)]
            }
        };
        for message in told {
            if socket.send(message).await.is_err() {
                return;
            }
        }
    }
}

fn refusal(code: &str, retry_after_ms: Option<u64>) -> Reply {
    let data = json!({"code": code, "retry_after_ms": retry_after_ms});
    Reply::Error(json!({"code": -32000, "message": format!("it is {code}"), "data": data}))
}

/// The first request fails in the way of `reply`, those after it succeed.
async fn first_fails(
    reply: impl Fn() -> Reply + Send + Sync + 'static,
) -> Result<(Pretender, Connection)> {
    let script = move |_: &Json, before| match before {
        0 => reply(),
        _ => Reply::Result(json!({"done": true})),
    };
    let server = Pretender::start(script).await;
    let connection = server.connect().timeout(LONG).connect().await?;
    Ok((server, connection))
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_only_where_that_makes_no_difference() -> Result<()> {
    within_time(async {
        for (method, is_repeated) in [
            ("search", true),
            ("doc.get", true),
            ("doc.scroll", true),
            ("db.create", true),
            ("doc.patch", false),
            ("doc.delete", false),
            ("db.drop", false),
        ] {
            let (server, connection) = first_fails(|| Reply::Break).await?;
            let outcome = connection.request(method, &json!({})).await;
            if is_repeated {
                assert_eq!(outcome?.get(), r#"{"done":true}"#, "{method}");
                assert_eq!(server.asked(), [1, 1], "{method}");
            } else {
                let error = outcome.expect_err("nobody knows what became of it");
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{method}");
                assert!(error.message().contains("is not known"), "{method}: {error}");
                assert_eq!(server.asked(), [1], "{method}");
            }
            let (server, connection) = first_fails(|| Reply::Break).await?;
            connection.request_repeatable(method, &json!({})).await?;
            assert_eq!(server.asked(), [1, 1], "{method}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_busy_server_refused_is_asked_again_no_sooner_than_it_wants() -> Result<()> {
    within_time(async {
        let (server, connection) = first_fails(|| refusal("busy", Some(150))).await?;
        let start = tokio::time::Instant::now();
        connection.request("doc.patch", &json!({"increment": {"n": 1}})).await?;
        assert!(start.elapsed() >= Duration::from_millis(150));
        assert_eq!(server.asked(), [2]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_write_that_a_database_could_not_make_durable_is_not_made_twice() -> Result<()> {
    within_time(async {
        let (server, connection) = first_fails(|| refusal("unavailable", None)).await?;
        let refused = connection.request("doc.patch", &json!({"increment": {"n": 1}})).await;
        assert_eq!(kind(refused), Some(ErrorKind::Unavailable));
        assert_eq!(server.asked(), [1]);
        connection.request("search", &json!({})).await?;
        let (server, connection) = first_fails(|| refusal("conflict", None)).await?;
        assert_eq!(kind(connection.request("search", &json!({})).await), Some(ErrorKind::Conflict));
        assert_eq!(server.asked(), [1]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_wants_no_retries_hears_of_the_first_failure() -> Result<()> {
    within_time(async {
        let server = Pretender::start(|_, _| refusal("busy", Some(1))).await;
        let connection = server.connect().retry_for(Duration::ZERO).connect().await?;
        assert_eq!(kind(connection.request("search", &json!({})).await), Some(ErrorKind::Busy));
        assert_eq!(server.asked(), [1]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn after_goaway_what_was_asked_is_answered_and_what_comes_goes_elsewhere() -> Result<()> {
    within_time(async {
        let (server, connection) =
            first_fails(|| Reply::GoAway(json!({"answered": "all the same"}))).await?;
        let first = connection.request("doc.patch", &json!({})).await?;
        assert_eq!(first.get(), r#"{"answered":"all the same"}"#);
        connection.request("doc.patch", &json!({})).await?;
        connection.request("search", &json!({})).await?;
        assert_eq!(server.asked(), [1, 2]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_silent_server_is_given_up_and_the_next_request_gets_a_new_socket() -> Result<()> {
    within_time(async {
        let server = Pretender::start(|_, before| match before {
            0 => Reply::Silence,
            _ => Reply::Result(json!({})),
        })
        .await;
        let connection = server.connect().timeout(SHORT).connect().await?;
        let error = connection.request("doc.patch", &json!({})).await.expect_err("no answer");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("no answer within 0.3 s"), "{error}");
        assert!(error.message().contains("is not known"), "{error}");
        connection.request("doc.patch", &json!({})).await?;
        assert_eq!(server.asked(), [1, 1]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn requests_go_over_the_socket_with_the_fewest_under_way() -> Result<()> {
    within_time(async {
        let (all, gate) = watch::channel(0);
        let script = move |_: &Json, _| {
            all.send_modify(|count| *count += 1);
            Reply::Silence
        };
        let server = Pretender::start(script).await;
        let connection = server.connect().sockets(3).timeout(LONG).connect().await?;
        let mut asking = JoinSet::new();
        for asked in 1..=12 {
            let connection = connection.clone();
            asking.spawn(async move { connection.request("search", &json!({})).await });
            gate.clone().wait_for(|count| *count == asked).await.expect("it is asked");
        }
        assert_eq!(server.asked(), [4, 4, 4]);
        connection.close().await?;
        while let Some(outcome) = asking.join_next().await {
            assert_eq!(kind(outcome.expect("it settles")), Some(ErrorKind::Closed));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_request_after_the_other_needs_one_socket() -> Result<()> {
    within_time(async {
        let server = Pretender::start(|_, _| Reply::Result(json!({}))).await;
        let connection = server.connect().sockets(4).connect().await?;
        for _ in 0..20 {
            connection.request("search", &json!({})).await?;
        }
        assert_eq!(server.asked(), [20]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_server_with_no_more_connections_to_give_is_asked_over_those_there_are() -> Result<()> {
    within_time(async {
        let mut limits = Limits::default();
        limits.connections_max = 1;
        let server = Server::start(Catalog::in_memory(1), &any_port().limits(limits)).await?;
        let client = Client::<Product>::builder(server.url()).sockets(8).connect().await?;
        client.index(products(10)).await?;
        let mut counting = JoinSet::new();
        for _ in 0..50 {
            let client = client.clone();
            counting.spawn(async move { client.count(Filter::All).await });
        }
        while let Some(counted) = counting.join_next().await {
            assert_eq!(counted.expect("it settles")?, 10);
        }
        server.shutdown().await
    })
    .await
}

/// A way to a server that can be led to another one, or cut.
struct Bridge {
    url: String,
    target: watch::Sender<Option<SocketAddr>>,
    _accepting: JoinSet<()>,
}

impl Bridge {
    async fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("ws://{}", listener.local_addr().expect("an address"));
        let (target, targets) = watch::channel(Some(server.addr()));
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut conversations = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                conversations.spawn(carry(stream, targets.clone()));
            }
        });
        Self { url, target, _accepting: accepting }
    }

    /// Breaks all connections there are, and refuses new ones.
    fn cut(&self) {
        self.target.send_replace(None);
    }

    fn lead_to(&self, server: &Server) {
        self.target.send_replace(Some(server.addr()));
    }
}

/// Carries bytes until the target changes.
async fn carry(mut near: TcpStream, mut targets: watch::Receiver<Option<SocketAddr>>) {
    let Some(target) = *targets.borrow_and_update() else { return };
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = targets.changed() => {}
    }
}

/// Adds one to the price of the same product again and again until told to stop; returns how often
/// that was acknowledged, and how often nobody knows.
async fn count_up(client: Client<Product>, stop: watch::Receiver<bool>) -> (u32, u32) {
    let (mut acknowledged, mut unknown) = (0, 0);
    while !*stop.borrow() {
        match client.patch("p0", Patch::new().increment("price", 1.0)).await {
            Ok(_) => acknowledged += 1,
            Err(error) if error.message().contains("is not known") => unknown += 1,
            Err(error) => panic!("it would have been asked again: {error:?}"),
        }
    }
    (acknowledged, unknown)
}

/// Indexes new products until told to stop; returns how many, as each is acknowledged.
async fn fill(client: Client<Product>, stop: watch::Receiver<bool>) -> Result<u32> {
    let mut number = 1;
    while !*stop.borrow() {
        client.index([product(number)]).await?;
        number += 1;
    }
    Ok(number)
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_come_and_go_and_nothing_acknowledged_is_lost_or_done_twice() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a directory");
        let mut server = server_of(data.path()).await?;
        let bridge = Bridge::to(&server).await;
        let builder = Client::<Product>::builder(bridge.url.clone()).sockets(2).timeout(LONG);
        let client = builder.retry_for(LONG).connect().await?;
        client.index([product(0)]).await?;
        let (stop, stopped) = watch::channel(false);
        let counting = tokio::spawn(count_up(client.clone(), stopped.clone()));
        let filling = tokio::spawn(fill(client.clone(), stopped));
        for round in 0..6 {
            let seen = client.count(Filter::All).await?;
            while client.count(Filter::All).await? < seen + 5 {}
            if round % 2 == 0 {
                bridge.cut();
                bridge.lead_to(&server);
            } else {
                server.shutdown().await?;
                bridge.cut();
                server = server_of(data.path()).await?;
                bridge.lead_to(&server);
            }
        }
        stop.send_replace(true);
        let written = filling.await.expect("it settles")?;
        let (acknowledged, unknown) = counting.await.expect("it settles");
        assert_eq!(client.count(Filter::All).await?, u64::from(written));
        let price = client.get("p0").await?.expect("it is there").price;
        let range = f64::from(acknowledged)..=f64::from(acknowledged + unknown);
        assert!(range.contains(&price), "{price} of {range:?}");
        assert!(acknowledged > 0);
        client.close().await?;
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_server_that_stays_away_is_told_of_when_the_time_for_retries_is_over() -> Result<()> {
    within_time(async {
        let server = Server::start(Catalog::in_memory(1), &any_port()).await?;
        let builder = Client::<Product>::builder(server.url()).retry_for(SHORT);
        let client = builder.connect().await?;
        server.shutdown().await?;
        let mut asking = JoinSet::new();
        for _ in 0..100 {
            let client = client.clone();
            asking.spawn(async move { client.count(Filter::All).await });
        }
        while let Some(outcome) = asking.join_next().await {
            assert_eq!(kind(outcome.expect("it settles")), Some(ErrorKind::Unavailable));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_next_address_is_tried_when_nobody_is_at_the_first() -> Result<()> {
    within_time(async {
        let gone = Server::start(Catalog::in_memory(1), &any_port()).await?;
        let nobody = gone.url();
        gone.shutdown().await?;
        let server = Server::start(Catalog::in_memory(1), &any_port()).await?;
        let client = Client::<Product>::builder(nobody).or_at(server.url()).connect().await?;
        assert_eq!(client.index(products(3)).await?, 3);
        client.close().await?;
        server.shutdown().await
    })
    .await
}
