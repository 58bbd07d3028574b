//! What bad clients cost a good one: `cargo bench -p vectordoc-tests --bench hostile`.
//!
//! A server of its own process is asked by one good client at a steady pace, far below what the server
//! can do, and its latency counted from when each request was due. Quiet rounds alternate with hostile
//! ones, in which there are beside it 1,000 idle WebSockets, clients that ask for huge answers over
//! WebSocket and HTTP and do not read them, and floods: connections that together send ten times as
//! many searches as the server can answer, without waiting for anything. What is printed is the p99 of
//! the good client in hostile rounds ÷ that in quiet ones, and the memory of the server.
//!
//! All bad clients are one process at the lowest priority (`nice -n 19`), which sends bytes made
//! before and throws away what comes, so that on a machine of few cores it is the server that is
//! measured and not who floods it. The server and the good client have the priority they were started
//! with.

#[path = "../tests/cli_program/mod.rs"]
mod cli_program;

use cli_program::Running;
use std::{
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const DIM: usize = 64;
const DOCUMENTS: usize = 5_000;
const DOCUMENTS_BATCH: usize = 1_000;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);
/// Of what the server can do, the good client asks one in so many.
const PACE: f64 = 20.0;
const IDLE: usize = 1_000;
const SLOW: usize = 8;
const FLOODS: usize = 8;
/// How many times what the server can do is asked.
const OVERLOAD: f64 = 10.0;
/// Requests that a flood sends at a time.
const BURST: usize = 32;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    match arguments.iter().position(|argument| argument == "--bad") {
        Some(place) => be_bad(&arguments[place + 1..]),
        None => judge(),
    }
}

fn vector(rng: &mut fastrand::Rng) -> String {
    let numbers: Vec<String> = (0..DIM).map(|_| format!("{:.4}", rng.f32() - 0.5)).collect();
    format!("[{}]", numbers.join(","))
}

fn request(method: &str, params: &str) -> Vec<u8> {
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    frame(text.as_bytes())
}

fn searches() -> Vec<Vec<u8>> {
    let mut rng = fastrand::Rng::with_seed(2);
    let search = |rng: &mut _| format!(r#"{{"db":"rows","vector":{},"limit":10}}"#, vector(rng));
    (0..256).map(|_| request("search", &search(&mut rng))).collect()
}

/// A text frame of a client, with a mask of zeros.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | u8::try_from(length).expect("short")),
        length @ 126..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(length).expect("short").to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// A WebSocket, whose hello is read.
fn websocket(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let opening = "GET /v1/ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    stream.write_all(opening.as_bytes()).expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    read_message(&mut stream);
    stream
}

/// The next message, whose frames may be several.
fn read_message(stream: &mut TcpStream) -> Vec<u8> {
    let mut message = Vec::new();
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head).expect("a frame");
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                stream.read_exact(&mut length).expect("a length");
                u16::from_be_bytes(length).into()
            }
            127 => {
                let mut length = [0; 8];
                stream.read_exact(&mut length).expect("a length");
                usize::try_from(u64::from_be_bytes(length)).expect("it fits")
            }
            length => length.into(),
        };
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).expect("a payload");
        let is_control = head[0] & 0x0f >= 8;
        if !is_control {
            message.extend(payload);
            if head[0] & 0x80 != 0 {
                return message;
            }
        }
    }
}

/// What the bad ones are told: an address, and searches a second.
fn be_bad(arguments: &[String]) {
    let [address, rate] = arguments else { panic!("an address and a rate") };
    let rate: f64 = rate.parse().expect("a number");
    let mut held: Vec<TcpStream> = (0..IDLE).map(|_| websocket(address)).collect();
    let scroll = request("doc.scroll", r#"{"db":"rows","limit":1000}"#).repeat(60);
    let body = r#"{"limit":1000}"#;
    let post = format!(
        "POST /v1/dbs/rows/scroll HTTP/1.1\r\nhost: localhost\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..SLOW {
        let mut slow = websocket(address);
        slow.write_all(&scroll).expect("sent");
        held.push(slow);
        let mut slow = TcpStream::connect(address).expect("a connection");
        slow.write_all(post.repeat(10).as_bytes()).expect("sent");
        held.push(slow);
    }
    let pause = Duration::from_secs_f64((BURST * FLOODS) as f64 / rate);
    let _ = writeln!(std::io::stdout(), "ready");
    for _ in 0..FLOODS {
        let mut flood = websocket(address);
        let mut answers = flood.try_clone().expect("a handle");
        thread::spawn(move || {
            let mut thrown_away = vec![0; 1 << 20];
            while answers.read(&mut thrown_away).is_ok_and(|read| read > 0) {}
        });
        thread::spawn(move || {
            let searches = searches();
            let bursts: Vec<Vec<u8>> = searches.chunks(BURST).map(<[_]>::concat).collect();
            let mut due = Instant::now();
            for burst in bursts.iter().cycle() {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                due = (due + pause).max(Instant::now() - Duration::from_millis(100));
                if flood.write_all(burst).is_err() {
                    break;
                }
            }
        });
    }
    // Until the judge closes its end, or is gone.
    let _ = std::io::stdin().read(&mut [0]);
}

/// The bad clients, killed when dropped.
struct Bad(Child);

impl Bad {
    fn start(address: &str, rate: f64) -> Self {
        let program = env::current_exe().expect("a program");
        let mut child = Command::new("nice")
            .args(["-n", "19"])
            .arg(program)
            .args(["--bad", address, &rate.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the bad clients start");
        let mut said = [0; 6];
        child.stdout.as_mut().expect("a pipe").read_exact(&mut said).expect("they are ready");
        Self(child)
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The latencies of the good client for one round, in milliseconds.
fn good_round(good: &mut TcpStream, searches: &[Vec<u8>], pace: Duration) -> Vec<f64> {
    let start = Instant::now();
    let mut latencies = Vec::new();
    for (search, number) in searches.iter().cycle().zip(0..) {
        let due = start + pace * number;
        if due > start + ROUND {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        good.write_all(search).expect("sent");
        let answer = read_message(good);
        assert!(answer.windows(6).any(|bytes| bytes == b"\"hits\""), "the good one is answered");
        latencies.push(due.elapsed().as_secs_f64() * 1e3);
    }
    latencies
}

/// Searches a second that the server can answer.
fn capacity(address: &str) -> f64 {
    let (done, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let mut client = websocket(address);
            let (done, is_over) = (Arc::clone(&done), Arc::clone(&is_over));
            thread::spawn(move || {
                for search in searches().iter().cycle() {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    client.write_all(search).expect("sent");
                    read_message(&mut client);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let start = Instant::now();
    thread::sleep(ROUND);
    is_over.store(true, Ordering::Relaxed);
    let rate = done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    clients.into_iter().for_each(|client| client.join().expect("no panic"));
    rate
}

/// Sums up a counter of `/metrics` over its lines that have `part`.
fn counted(address: &str, name: &str, part: &str) -> f64 {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let get = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(get.as_bytes()).expect("sent");
    let mut metrics = String::new();
    stream.read_to_string(&mut metrics).expect("text");
    let lines = metrics.lines().filter(|line| line.starts_with(name) && line.contains(part));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// Memory of a process by its name in `/proc`, in MiB.
fn memory(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse().expect("a number");
    kib / 1024
}

fn percentile(latencies: &mut [f64], of_100: usize) -> f64 {
    latencies.sort_by(f64::total_cmp);
    latencies[(latencies.len() * of_100 / 100).min(latencies.len() - 1)]
}

fn median(mut numbers: Vec<f64>) -> f64 {
    percentile(&mut numbers, 50)
}

fn fill(good: &mut TcpStream) {
    let schema = format!(r#"{{"id":"u64","embedding":{{"vector":{DIM}}},"text":"string"}}"#);
    let create = format!(r#"{{"db":"rows","schema":{schema}}}"#);
    good.write_all(&request("db.create", &create)).expect("sent");
    read_message(good);
    let (mut rng, text) = (fastrand::Rng::with_seed(1), "x".repeat(3_000));
    for first in (0..DOCUMENTS).step_by(DOCUMENTS_BATCH) {
        let docs = (first..first + DOCUMENTS_BATCH)
            .map(|id| format!(r#"{{"id":{id},"embedding":{},"text":"{text}"}}"#, vector(&mut rng)));
        let docs: Vec<String> = docs.collect();
        let params = format!(r#"{{"db":"rows","docs":[{}]}}"#, docs.join(","));
        good.write_all(&request("doc.index", &params)).expect("sent");
        let answer = read_message(good);
        assert!(answer.windows(9).any(|bytes| bytes == b"\"indexed\""), "it is written");
    }
}

fn judge() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let many = ["--connections-max", "3000", "--connections-per-peer-max", "3000"];
    let (server, url) = Running::serve_logged(&folder.path().join("data"), &many, &log);
    let address = url.trim_start_matches("ws://").to_owned();
    fill(&mut websocket(&address));
    while counted(&address, "vectordoc_database_unindexed", "") > 0.0 {
        thread::sleep(Duration::from_millis(100));
    }
    let searches = searches();
    // A new connection each time, as these clients answer no pings.
    let capacity = capacity(&address);
    let pace = Duration::from_secs_f64(PACE / capacity);
    let good_round = || good_round(&mut websocket(&address), &searches, pace);
    good_round();
    let before = memory(server.id(), "VmRSS:");
    let (mut quiet, mut hostile) = (Vec::new(), Vec::new());
    let (mut after, mut gone) = (Vec::new(), Vec::new());
    let (mut answered, mut refused) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        quiet.push(good_round());
        let bad = Bad::start(&address, OVERLOAD * capacity);
        let ok = counted(&address, "vectordoc_requests_total", "code=\"ok\"");
        let busy = counted(&address, "vectordoc_requests_total", "code=\"busy\"");
        hostile.push(good_round());
        answered += counted(&address, "vectordoc_requests_total", "code=\"ok\"") - ok;
        refused += counted(&address, "vectordoc_requests_total", "code=\"busy\"") - busy;
        after.push(memory(server.id(), "VmRSS:"));
        drop(bad);
        while counted(&address, "vectordoc_connections", "") > 2.0 {
            thread::sleep(Duration::from_millis(20));
        }
        gone.push(memory(server.id(), "VmRSS:"));
    }
    let ratio = |of_100| {
        let pairs = quiet.clone().into_iter().zip(hostile.clone());
        let ratios = pairs.map(|(mut quiet, mut hostile)| {
            percentile(&mut hostile, of_100) / percentile(&mut quiet, of_100)
        });
        median(ratios.collect())
    };
    let (p50, p99) = (ratio(50), ratio(99));
    let [mut quiet, mut hostile] = [quiet.concat(), hostile.concat()];
    let seconds = ROUND.as_secs_f64() * ROUNDS as f64;
    let most = memory(server.id(), "VmHWM:");
    let mut output = std::io::stdout();
    let _ = writeln!(
        output,
        "the good client's p99 in hostile rounds is {p99:.2} of its quiet one, and its p50 {p50:.2} \
         (median of {ROUNDS} pairs; here {:.2} and {:.2} ms, p50 {:.2} and {:.2} ms)\n\
         the server can answer {capacity:.0} searches a second, of a flood of {:.0} it answered {:.0} \
         and refused {:.0}\n\
         its memory was {before} MiB before, at the ends of hostile rounds \
         {after:?} MiB and with the bad ones gone {gone:?}, at most {most} MiB",
        percentile(&mut hostile, 99),
        percentile(&mut quiet, 99),
        percentile(&mut hostile, 50),
        percentile(&mut quiet, 50),
        OVERLOAD * capacity,
        answered / seconds,
        refused / seconds,
    );
}
