//! Clients that ask for huge answers and do not read them, over each transport: their requests wait,
//! what the server keeps for them stays under a stated bound, others are served as if they were not
//! there, and once they read they get all they asked for.

mod cli_program;
mod grpc_fixture;
mod server_fixture;

use cli_program::Running;
use grpc_fixture::messages::ScrollRequest;
use prost::Message;
use serde_json::{Value as Json, json};
use server_fixture::{Product, Wire, http_get, product, within_time};
use std::{collections::BTreeSet, fs, net::SocketAddr};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use vectordoc::{Error, Result, VectorDoc};

const MIB: u64 = 1024 * 1024;
/// What the server may need, in MiB; it takes about 40 when nobody asks for much. Without a bound on
/// what is unread, each of these tests asks it for more than 500.
const RESIDENT_MIB_MAX: u64 = 200;
/// Bytes of unread answers, of one connection and of all.
const UNREAD_BYTES: [&str; 4] = ["--unread-bytes-max", "8MiB", "--unread-all-bytes-max", "48MiB"];
/// Answers of more than 3 MiB.
const LIMIT: u32 = 300;
const BAD_CLIENTS: usize = 4;
const REQUESTS: usize = 50;

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
        let arguments = [&UNREAD_BYTES, arguments].concat();
        let (server, url) = Running::serve_logged(&folder.path().join("data"), &arguments, &log);
        let mut good = Wire::open_at(&url, &[]).await?;
        let schema = Product::schema().to_json();
        good.result("db.create", json!({"db": "products", "schema": schema})).await?;
        let docs: Json = (0..LIMIT).map(document).collect();
        good.result("doc.index", json!({"db": "products", "docs": docs})).await?;
        Ok(Self { server, url, good, _folder: folder })
    }

    fn address(&self) -> SocketAddr {
        self.url.strip_prefix("ws://").and_then(|at| at.parse().ok()).expect("an address")
    }

    async fn connect(&self) -> Result<TcpStream> {
        TcpStream::connect(self.address()).await.map_err(broken)
    }

    /// The good client asks and is answered rightly.
    async fn is_well(&mut self) -> Result<()> {
        for number in 0..20 {
            let embedding = product(number).embedding;
            let asked = json!({"db": "products", "vector": embedding, "limit": 1});
            let answer = self.good.result("search", asked).await?;
            assert_eq!(answer["hits"][0]["id"], json!(format!("p{number}")));
        }
        Ok(())
    }

    /// The most memory the server has taken, in MiB.
    fn resident_mib_max(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id()));
        let status = status.expect("the process lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib / 1024
    }

    /// What the server counts under this name.
    async fn metric(&self, name: &str) -> Result<u64> {
        let metrics = http_get(self.address(), "/metrics", &[]).await?;
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let value = value.unwrap_or_else(|| panic!("no {name} in {metrics}"));
        value.parse().map_err(|_| Error::internal(format!("{name} is {value}")))
    }

    /// Waits until so many bytes are unread, while the good client is served.
    async fn until_unread(&mut self, mib: u64) -> Result<()> {
        while self.metric("vectordoc_unread_bytes").await? < mib * MIB {
            self.is_well().await?;
        }
        for _ in 0..5 {
            self.is_well().await?;
        }
        let resident = self.resident_mib_max();
        eprintln!("the server took {resident} MiB at most");
        assert!(resident < RESIDENT_MIB_MAX, "{resident} MiB");
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

fn scroll() -> Json {
    json!({"db": "products", "limit": LIMIT})
}

#[tokio::test]
async fn websockets_that_are_not_read_wait_and_get_every_answer_once_they_are() -> Result<()> {
    within_time(async {
        let mut site = Site::open(&[]).await?;
        let mut bad = Vec::new();
        for _ in 0..BAD_CLIENTS {
            let mut wire = Wire::open_at(&site.url, &[]).await?;
            for id in 0..REQUESTS {
                let asked =
                    json!({"jsonrpc": "2.0", "id": id, "method": "doc.scroll", "params": scroll()});
                wire.say(&asked.to_string()).await?;
            }
            bad.push(wire);
        }
        site.until_unread(24).await?;
        let mut first = bad.swap_remove(0);
        let mut answered = BTreeSet::new();
        for _ in 0..REQUESTS {
            let answer = first.receive().await?;
            assert_eq!(answer["result"]["docs"].as_array().map(Vec::len), Some(LIMIT as usize));
            answered.insert(answer["id"].as_u64());
        }
        assert_eq!(answered.len(), REQUESTS);
        assert!(site.resident_mib_max() < RESIDENT_MIB_MAX);
        drop((first, bad));
        while site.metric("vectordoc_unread_bytes").await? > 0 {}
        site.is_well().await
    })
    .await
}

#[tokio::test]
async fn http_1_that_is_not_read_waits_and_gets_every_answer_once_it_is() -> Result<()> {
    within_time(async {
        let mut site = Site::open(&[]).await?;
        let body = json!({"limit": LIMIT}).to_string();
        let request = |connection: &str| {
            format!(
                "POST /v1/dbs/products/scroll HTTP/1.1\r\nhost: localhost\r\n\
                 connection: {connection}\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let mut bad = Vec::new();
        // Each has one answer at a time, so more of them than have room together.
        for _ in 0..4 * BAD_CLIENTS {
            let mut stream = site.connect().await?;
            let requests = request("keep-alive").repeat(2) + &request("close");
            stream.write_all(requests.as_bytes()).await.map_err(broken)?;
            bad.push(stream);
        }
        site.until_unread(40).await?;
        let mut answered = 0;
        for mut stream in bad {
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.map_err(broken)?;
            let heard = String::from_utf8(heard).expect("text");
            let of = |status: &str| heard.matches(&format!("HTTP/1.1 {status}\r\n")).count();
            let (ok, busy) = (of("200 OK"), of("429 Too Many Requests"));
            assert_eq!(ok + busy, 3, "each is answered, or refused as there is no room");
            assert_eq!(heard.matches("limits.unread_all_bytes_max").count(), busy);
            answered += ok;
        }
        assert!(answered > 3 * BAD_CLIENTS, "{answered}");
        assert!(site.resident_mib_max() < RESIDENT_MIB_MAX);
        while site.metric("vectordoc_unread_bytes").await? > 0 {}
        site.is_well().await
    })
    .await
}

/// A request as frames of HTTP/2 on one stream.
fn http2_request(stream: u32, path: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    // POST, http, and the rest as literals whose names are in HPACK's static table.
    let mut head = vec![0x83, 0x86];
    for (name, value) in [(0x01, "localhost"), (0x04, path)] {
        head.extend([name, u8::try_from(value.len()).expect("short")]);
        head.extend(value.as_bytes());
    }
    head.extend([0x0f, 31 - 15, u8::try_from(content_type.len()).expect("short")]);
    head.extend(content_type.as_bytes());
    let (headers, data, end_headers, end_stream) = (1, 0, 4, 1);
    [http2_frame(headers, end_headers, stream, &head), http2_frame(data, end_stream, stream, body)]
        .concat()
}

fn http2_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Asks over HTTP/2 for more than fits, without ever giving the server a window, and then gives one
/// and reads.
async fn http2_waits_until_it_is_read(path: &str, content_type: &str, body: &[u8]) -> Result<()> {
    let (settings, window_update) = (4, 8);
    let mut site = Site::open(&[]).await?;
    let mut bad = Vec::new();
    for _ in 0..BAD_CLIENTS {
        let mut said = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        said.extend(http2_frame(settings, 0, 0, &[]));
        for number in 0..u32::try_from(REQUESTS).expect("few") {
            said.extend(http2_request(2 * number + 1, path, content_type, body));
        }
        let mut stream = site.connect().await?;
        stream.write_all(&said).await.map_err(broken)?;
        bad.push(stream);
    }
    site.until_unread(24).await?;
    let mut first = bad.swap_remove(0);
    let window = i32::MAX.to_be_bytes();
    let initial_window_size = [&[0, 4][..], &window].concat();
    let wide = [
        http2_frame(settings, 0, 0, &initial_window_size),
        http2_frame(window_update, 0, 0, &(i32::MAX - 65_535).to_be_bytes()),
    ];
    first.write_all(&wide.concat()).await.map_err(broken)?;
    let (mut ended, mut bytes) = (0, 0);
    while ended < REQUESTS {
        let mut head = [0; 9];
        first.read_exact(&mut head).await.map_err(broken)?;
        let [a, b, c, kind, flags, ..] = head;
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).expect("it fits");
        let mut payload = vec![0; length];
        first.read_exact(&mut payload).await.map_err(broken)?;
        let (data, headers) = (0, 1);
        if kind == data {
            bytes += length;
        }
        if [data, headers].contains(&kind) && flags & 1 != 0 {
            ended += 1;
        }
    }
    assert!(bytes > REQUESTS * 3_000_000, "{bytes}");
    assert!(site.resident_mib_max() < RESIDENT_MIB_MAX);
    drop((first, bad));
    while site.metric("vectordoc_unread_bytes").await? > 0 {}
    site.is_well().await
}

#[tokio::test]
async fn http_2_that_is_not_read_waits_and_gets_every_answer_once_it_is() -> Result<()> {
    let body = json!({"limit": LIMIT}).to_string();
    let path = "/v1/dbs/products/scroll";
    within_time(http2_waits_until_it_is_read(path, "application/json", body.as_bytes())).await
}

#[tokio::test]
async fn grpc_that_is_not_read_waits_and_gets_every_answer_once_it_is() -> Result<()> {
    let request = ScrollRequest { db: "products".into(), limit: LIMIT, ..ScrollRequest::default() };
    let request = request.encode_to_vec();
    let length = u32::try_from(request.len()).expect("short").to_be_bytes();
    let body = [&[0][..], &length, &request].concat();
    let path = "/vectordoc.v1.VectorDoc/Scroll";
    within_time(http2_waits_until_it_is_read(path, "application/grpc", &body)).await
}

#[tokio::test]
async fn http_2_that_is_never_read_is_cut_off() -> Result<()> {
    within_time(async {
        let mut site = Site::open(&["--write-timeout", "300ms"]).await?;
        let body = json!({"limit": LIMIT}).to_string();
        let path = "/v1/dbs/products/scroll";
        let mut said = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        said.extend(http2_frame(4, 0, 0, &[]));
        said.extend(http2_request(1, path, "application/json", body.as_bytes()));
        let mut bad = site.connect().await?;
        bad.write_all(&said).await.map_err(broken)?;
        let mut heard = Vec::new();
        let _ = bad.read_to_end(&mut heard).await;
        assert!(heard.len() < 100_000, "{}", heard.len());
        while site.metric("vectordoc_unread_bytes").await? > 0 {}
        site.is_well().await
    })
    .await
}
