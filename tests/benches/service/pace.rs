//! Searches that come in at a pace, whether or not the ones before are answered.

use super::clients::{answer, connected, searches};
use futures_util::{SinkExt, StreamExt};
use std::{
    collections::HashMap,
    thread,
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
};

/// How long some searches took, each from when it was sent.
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    /// So many per mille took no longer.
    pub(crate) fn milliseconds(&self, per_mille: usize) -> f64 {
        let last = self.0.len() - 1;
        self.0[last * per_mille / 1000].as_secs_f64() * 1e3
    }
}

/// Sends `rate` searches a second over `clients` connections for `time`.
pub(crate) async fn searched(url: &str, clients: u32, rate: f64, time: Duration) -> Latencies {
    let mut all = JoinSet::new();
    let mut paced = Vec::new();
    for _ in 0..clients {
        let (turn, turns) = unbounded_channel();
        paced.push(turn);
        all.spawn(client_of(connected(url).await, turns));
    }
    let pacing = thread::spawn(move || pace(&paced, Duration::from_secs_f64(1.0 / rate), time));
    let mut latencies = all.join_all().await.concat();
    pacing.join().expect("no panic");
    latencies.sort_unstable();
    Latencies(latencies)
}

/// Gives each its turn, one after the other, a step apart. A thread of its own: timers of the runtime
/// are a millisecond coarse, and let all clients send at once.
fn pace(clients: &[UnboundedSender<()>], step: Duration, time: Duration) {
    let start = Instant::now();
    for (number, client) in (0u32..).zip(clients.iter().cycle()) {
        let due = step * number;
        if due > time {
            break;
        }
        thread::sleep(due.saturating_sub(start.elapsed()));
        client.send(()).expect("somebody waits");
    }
}

async fn client_of(
    socket: super::clients::Socket,
    mut turns: UnboundedReceiver<()>,
) -> Vec<Duration> {
    let (mut sink, mut stream) = socket.split();
    let (sent, mut due) = unbounded_channel::<(u8, Instant)>();
    let sending = tokio::spawn(async move {
        let searches = searches();
        for (number, message) in (0..=u8::MAX).zip(&searches).cycle() {
            if turns.recv().await.is_none() {
                break;
            }
            sent.send((number, Instant::now())).expect("somebody waits");
            sink.send(message.clone()).await.expect("sent");
        }
        sink
    });
    let mut latencies = Vec::new();
    let mut waiting = HashMap::new();
    // Answers come in any order.
    loop {
        if waiting.is_empty() {
            match due.recv().await {
                Some((number, at)) => waiting.insert(number, at),
                None => break,
            };
        }
        let number = number_of(&answer(&mut stream).await);
        while !waiting.contains_key(&number) {
            let (number, at) = due.recv().await.expect("it was sent");
            waiting.insert(number, at);
        }
        latencies.extend(waiting.remove(&number).map(|at| at.elapsed()));
    }
    let _ = sending.await;
    latencies
}

/// The id of an answer, which is a small number.
fn number_of(answer: &[u8]) -> u8 {
    let at = answer.windows(3).position(|bytes| bytes == b"\x62id").expect("an id") + 3;
    if answer[at] == 0x18 { answer[at + 1] } else { answer[at] }
}
