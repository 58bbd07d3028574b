//! Searches that come in at a pace, whether or not the ones before are answered.

use super::clients::{answer, connected, searches};
use futures_util::{SinkExt, StreamExt};
use std::{collections::HashMap, time::Duration};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// How long some searches took, each from when it was sent: a timer is a millisecond late, and that is
/// the client's.
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
    let step = Duration::from_secs_f64(f64::from(clients) / rate);
    for client in 0..clients {
        let socket = connected(url).await;
        // They do not send at the same moment.
        let start = Instant::now() + Duration::from_millis(20) + step * client / clients;
        all.spawn(client_of(socket, start, step, time));
    }
    let mut latencies = all.join_all().await.concat();
    latencies.sort_unstable();
    Latencies(latencies)
}

async fn client_of(
    socket: super::clients::Socket,
    start: Instant,
    step: Duration,
    time: Duration,
) -> Vec<Duration> {
    let (mut sink, mut stream) = socket.split();
    let (sent, mut due) = mpsc::unbounded_channel::<(u8, Instant)>();
    let sending = tokio::spawn(async move {
        let mut at = start;
        let searches = searches();
        for (number, message) in (0..=u8::MAX).zip(&searches).cycle() {
            if at > start + time {
                break;
            }
            sleep_until(at).await;
            sent.send((number, Instant::now())).expect("somebody waits");
            sink.send(message.clone()).await.expect("sent");
            at += step;
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
