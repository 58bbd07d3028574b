//! Clients that are slow, silent, many, rude or mad: the good one beside them gets right answers, they
//! are ended as documented, and the memory of the server stays under a stated bound.

mod cli_program;
mod server_fixture;

use cli_program::Running;
use futures_util::{StreamExt, stream};
use serde_json::{Value as Json, json};
use server_fixture::{Product, Wire, any_port, http_get, product, within_time};
use std::{fs, net::SocketAddr};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use vectordoc::{Error, Result, VectorDoc};
use vectordoc_server::{Catalog, Limits, Server};

/// What the server may need for anything in here, in MiB; with nobody connected it needs about 20.
const RESIDENT_MIB_MAX: u64 = 300;

/// A server of its own process, so that its memory can be read, and a good client of it.
struct Site {
    server: Running,
    url: String,
    good: Wire,
    _folder: TempDir,
}

impl Site {
    async fn open(arguments: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let (server, url) = Running::serve_logged(&folder.path().join("data"), arguments, &log);
        let mut good = Wire::open_at(&url, &[]).await?;
        let schema = Product::schema().to_json();
        good.result("db.create", json!({"db": "products", "schema": schema})).await?;
        let docs: Json = (0..200).map(document).collect();
        good.result("doc.index", json!({"db": "products", "docs": docs})).await?;
        Ok(Self { server, url, good, _folder: folder })
    }

    fn address(&self) -> SocketAddr {
        self.url.strip_prefix("ws://").and_then(|at| at.parse().ok()).expect("an address")
    }

    async fn connect(&self) -> Result<TcpStream> {
        TcpStream::connect(self.address()).await.map_err(broken)
    }

    /// The good client asks, is answered rightly, and the server is as small as it should be.
    async fn is_well(&mut self) -> Result<()> {
        for number in 0..20 {
            let embedding = product(number).embedding;
            let asked = json!({"db": "products", "vector": embedding, "limit": 1});
            let answer = self.good.result("search", asked).await?;
            assert_eq!(answer["hits"][0]["id"], json!(format!("p{number}")));
        }
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id()));
        let status = status.expect("the process lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        eprintln!("the server took {} MiB at most", kib / 1024);
        assert!(kib / 1024 < RESIDENT_MIB_MAX, "{kib} KiB");
        Ok(())
    }
}

fn broken(error: std::io::Error) -> Error {
    Error::unavailable(error.to_string())
}

fn document(number: u32) -> Json {
    let Product { id, embedding, price, tags, .. } = product(number);
    json!({"id": id, "embedding": embedding, "price": price, "tags": tags,
        "title": "x".repeat(10_000)})
}

/// As many as wanted, or as the system lets one process open.
fn possible(wanted: usize) -> usize {
    let limits = fs::read_to_string("/proc/self/limits").expect("limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line");
    let open: usize = line.split_whitespace().nth(3).and_then(|n| n.parse().ok()).unwrap_or(wanted);
    let possible = wanted.min(open.saturating_sub(200));
    eprintln!("{possible} of {wanted} sockets");
    possible
}

/// Reads until the server ends the connection; an end by reset is one too.
async fn hear_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    heard
}

async fn websocket(site: &Site) -> Result<TcpStream> {
    let mut stream = site.connect().await?;
    let opening = "GET /v1/ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    stream.write_all(opening.as_bytes()).await.map_err(broken)?;
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.map_err(broken)?;
    assert_eq!(&first, b"HTTP/1.1 101");
    Ok(stream)
}

/// A frame of a client, with a mask of zeros.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("short");
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(length) {
        Ok(length @ 0..126) => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

#[tokio::test]
async fn a_thousand_idle_sockets_are_held_and_cost_little() -> Result<()> {
    within_time(async {
        let many = ["--connections-max", "2000", "--connections-per-peer-max", "2000"];
        let mut site = Site::open(&many).await?;
        let mut idle = Vec::new();
        for _ in 0..possible(1_000) {
            idle.push(websocket(&site).await?);
        }
        site.is_well().await?;
        let metrics = http_get(site.address(), "/metrics", &[]).await?;
        let open = format!("vectordoc_connections {}", idle.len() + 2);
        assert!(metrics.lines().any(|line| line == open), "{metrics}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_address_has_its_share_of_connections_and_others_have_theirs() -> Result<()> {
    within_time(async {
        let mut limits = Limits::default();
        limits.connections_per_peer_max = 2;
        let server = Server::start(Catalog::in_memory(1), &any_port().limits(limits)).await?;
        let held = [Wire::open(&server).await?, Wire::open(&server).await?];
        let refused = http_get(server.addr(), "/healthz", &[]).await?;
        assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
        assert!(refused.contains("your address has too many connections"), "{refused}");
        let other = TcpSocket::new_v4().map_err(broken)?;
        other.bind(([127, 0, 0, 2], 0).into()).map_err(broken)?;
        let mut other = other.connect(server.addr()).await.map_err(broken)?;
        let asked = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        other.write_all(asked.as_bytes()).await.map_err(broken)?;
        let heard = String::from_utf8(hear_end(&mut other).await).expect("text");
        let counted = "vectordoc_connections_refused_total{reason=\"connections_per_peer_max\"} 1";
        assert!(heard.contains(counted), "{heard}");
        drop(held);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn heads_that_trickle_and_silence_are_ended() -> Result<()> {
    within_time(async {
        let mut site = Site::open(&["--handshake-timeout", "500ms"]).await?;
        let mut bad = Vec::new();
        for number in 0..100 {
            let mut stream = site.connect().await?;
            let said = ["", "P", "GET /healthz HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: loc"];
            stream.write_all(said[number % said.len()].as_bytes()).await.map_err(broken)?;
            bad.push(stream);
        }
        site.is_well().await?;
        let ended = stream::iter(&mut bad).for_each_concurrent(None, async |stream| {
            let heard = hear_end(stream).await;
            assert!(!heard.starts_with(b"HTTP/1.1 200"), "nothing was asked");
        });
        ended.await;
        site.is_well().await
    })
    .await
}

#[tokio::test]
async fn who_does_not_read_its_answers_is_cut_off() -> Result<()> {
    within_time(async {
        let mut site = Site::open(&["--write-timeout", "500ms"]).await?;
        let scroll = json!({
            "jsonrpc": "2.0", "id": 1, "method": "doc.scroll", "params": {"db": "products"},
        });
        let ask = frame(1, scroll.to_string().as_bytes());
        let mut bad = Vec::new();
        for _ in 0..3 {
            let mut stream = websocket(&site).await?;
            // About a MiB each: 60 of them are more than the buffers of a socket take.
            stream.write_all(&ask.repeat(60)).await.map_err(broken)?;
            bad.push(stream);
        }
        site.is_well().await?;
        // Only the server can end them, as these clients say nothing more; what it did not send
        // before is what is missing.
        let read = |mut stream: TcpStream| async move { hear_end(&mut stream).await.len() };
        loop {
            let metrics = http_get(site.address(), "/metrics", &[]).await?;
            if metrics.lines().any(|line| line == "vectordoc_connections 2") {
                break;
            }
            site.is_well().await?;
        }
        for stream in bad {
            assert!(read(stream).await < 60 * 1_000_000);
        }
        site.is_well().await
    })
    .await
}

#[tokio::test]
async fn floods_of_pings_cost_others_nothing() -> Result<()> {
    within_time(async {
        let mut site = Site::open(&[]).await?;
        let pings = frame(9, &[7; 100]).repeat(1_000);
        let mut bad = Vec::new();
        for _ in 0..10 {
            bad.push(websocket(&site).await?);
        }
        for _ in 0..20 {
            for stream in &mut bad {
                // A server whose answers are not read stops reading, which is its right.
                let _ = stream.try_write(&pings);
            }
            site.is_well().await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_opens_streams_only_to_reset_them_is_told_to_go() -> Result<()> {
    within_time(async {
        let mut site = Site::open(&[]).await?;
        let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let mut push = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
            let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
            flood.extend(&length[1..]);
            flood.extend([kind, flags]);
            flood.extend(stream.to_be_bytes());
            flood.extend(payload);
        };
        let (settings, headers, rst_stream, end) = (4, 1, 3, 0b101);
        push(settings, 0, 0, &[]);
        // GET, http, "/", and the authority `localhost`, by HPACK's static table.
        let head = [&[0x82, 0x86, 0x84, 0x41, 9][..], b"localhost"].concat();
        for stream in (1..4_000).step_by(2) {
            push(headers, end, stream, &head);
            push(rst_stream, 0, stream, &[0, 0, 0, 8]);
        }
        let mut bad = site.connect().await?;
        // It may be cut off before it said all of it.
        let _ = bad.write_all(&flood).await;
        let heard = hear_end(&mut bad).await;
        // GOAWAY, ENHANCE_YOUR_CALM.
        let calm = [0, 0, 0, 0xb];
        assert!(heard.is_empty() || heard.windows(4).any(|bytes| bytes == calm), "{heard:?}");
        site.is_well().await
    })
    .await
}

#[tokio::test]
async fn garbage_is_ended_and_does_no_harm() -> Result<()> {
    within_time(async {
        let seed = fastrand::u64(..);
        eprintln!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let mut site = Site::open(&["--handshake-timeout", "500ms"]).await?;
        for number in 0..60 {
            let is_upgraded = number % 2 == 0;
            let mut stream =
                if is_upgraded { websocket(&site).await? } else { site.connect().await? };
            let mut garbage = vec![0; random.usize(1..5_000)];
            random.fill(&mut garbage);
            // It may be cut off before it said all of it.
            let _ = stream.write_all(&garbage).await;
            let _ = stream.shutdown().await;
            hear_end(&mut stream).await;
        }
        site.is_well().await
    })
    .await
}
