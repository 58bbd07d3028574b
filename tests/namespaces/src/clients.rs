//! Clients that write, read and delete a few documents through all nodes.

use crate::{
    history::{Asked, Heard, Record},
    request::{Answer, ask},
};
use serde_json::json;
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The database they use.
pub(crate) const DATABASE: &str = "register";
/// How many clients there are, and how many documents.
const CLIENTS: usize = 6;
pub(crate) const DOCUMENTS: u64 = 12;
/// How long a client waits between requests.
const PAUSE: Duration = Duration::from_millis(8);

/// Clients at work.
pub(crate) struct Clients {
    pub(crate) record: Arc<Record>,
    numbers: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Clients {
    /// Starts clients that ask at these addresses, as they are at the time.
    pub(crate) fn start(addresses: &Arc<RwLock<Vec<String>>>, seed: u64) -> Self {
        let record = Arc::new(Record::default());
        let (numbers, values) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(1)));
        let is_over = Arc::new(AtomicBool::new(false));
        let threads = (0..CLIENTS).map(|client| {
            let client = Client {
                addresses: Arc::clone(addresses),
                record: Arc::clone(&record),
                numbers: Arc::clone(&numbers),
                values: Arc::clone(&values),
                random: fastrand::Rng::with_seed(seed.wrapping_add(client as u64)),
            };
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || client.work(&is_over))
        });
        let threads = threads.collect();
        Self { record, numbers, is_over, threads }
    }

    /// Lets them finish what they are at.
    pub(crate) fn stop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }

    /// Reads every document at `address` once more; an error names one that cannot be read.
    pub(crate) fn read_all(&self, address: &str) -> Result<(), String> {
        for document in 0..DOCUMENTS {
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            self.record.ask(document, number, Asked::Read);
            let (heard, answer) = read(address, document);
            let is_read = matches!(heard, Heard::Is(_));
            self.record.hear(document, number, heard);
            if !is_read {
                return Err(format!("document {document} cannot be read at {address}: {answer:?}"));
            }
        }
        Ok(())
    }
}

struct Client {
    addresses: Arc<RwLock<Vec<String>>>,
    record: Arc<Record>,
    numbers: Arc<AtomicUsize>,
    values: Arc<AtomicU64>,
    random: fastrand::Rng,
}

impl Client {
    fn work(mut self, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            let address = {
                let addresses = self.addresses.read().unwrap_or_else(PoisonError::into_inner);
                addresses[self.random.usize(..addresses.len())].clone()
            };
            let document = self.random.u64(..DOCUMENTS);
            let asked = match self.random.u8(..20) {
                0 => Asked::Write(None),
                1..=9 => Asked::Write(Some(self.values.fetch_add(1, Ordering::Relaxed))),
                _ => Asked::Read,
            };
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            self.record.ask(document, number, asked.clone());
            let heard = match asked {
                Asked::Read => read(&address, document).0,
                Asked::Write(value) => write(&address, document, value),
            };
            self.record.hear(document, number, heard);
            thread::sleep(PAUSE);
        }
    }
}

fn read(address: &str, document: u64) -> (Heard, Answer) {
    let answer = ask(address, "GET", &format!("/v1/dbs/{DATABASE}/docs/{document}"), &json!(null));
    let heard = match &answer {
        Answer::Said(200, found) => match value(found) {
            Some(value) => Heard::Is(Some(value)),
            None => panic!("no value in {found}"),
        },
        Answer::Said(404, said) if said["code"] == "not_found" && is_of_document(said) => {
            Heard::Is(None)
        }
        // A read that failed did nothing.
        _ => Heard::Refused,
    };
    (heard, answer)
}

/// A document that is not there, and not a database that is not there.
fn is_of_document(said: &serde_json::Value) -> bool {
    let text = said["detail"].as_str().or_else(|| said["message"].as_str()).unwrap_or_default();
    !text.contains("database")
}

fn value(found: &serde_json::Value) -> Option<u64> {
    [&found["n"], &found["doc"]["n"]].into_iter().find_map(|value| value.as_f64()).map(|n| n as u64)
}

fn write(address: &str, document: u64, value: Option<u64>) -> Heard {
    let path = format!("/v1/dbs/{DATABASE}/docs");
    let answer = match value {
        Some(value) => {
            let doc = json!({"id": document, "embedding": [1.0, document], "n": value});
            ask(address, "POST", &path, &json!({"docs": [doc]}))
        }
        None => ask(address, "DELETE", &format!("{path}/{document}"), &json!(null)),
    };
    match answer {
        Answer::Said(200, _) => Heard::Written,
        // One that was not there is not there now.
        Answer::Said(404, said) if value.is_none() && is_of_document(&said) => Heard::Written,
        Answer::Said(503 | 507 | 429, said) if said.to_string().contains("nothing was") => {
            Heard::Refused
        }
        Answer::Unsent(_) => Heard::Refused,
        Answer::Said(..) | Answer::Lost(_) => Heard::Unknown,
    }
}
