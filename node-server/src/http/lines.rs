//! Documents as lines of JSON (NDJSON), written while they come: while a batch is made durable the
//! next one is read, and nothing more is held. Each batch is a request of its own to whoever counts
//! requests, and its key is looked at.

use super::{
    JSON, LINES, Problem, body,
    request::{self, Place},
};
use crate::{
    account::Account,
    encoding::Raw,
    keys::Caller,
    limits::{LINES_BATCH_BYTES, LINES_BATCH_DOCUMENTS},
    operation::{Bulk, DURABILITY, Method},
    server::Context,
    telemetry::{Asked, RequestId, Transport},
    work::Work,
};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use std::{mem, str, sync::Arc};
use tokio::{sync::mpsc, task::JoinHandle};
use vectordoc::{Error, Result, native::Durability};

/// A request whose body is still on its way.
pub(super) struct Stream {
    pub(super) caller: Caller,
    pub(super) id: RequestId,
    pub(super) account: Arc<Account>,
    pub(super) place: Place,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

/// How far it is, said after each batch.
#[derive(Clone, Copy, Serialize)]
struct Progress {
    /// Documents that are written, and as durable as was asked for.
    indexed: usize,
    /// Lines that were read, also empty ones.
    lines: usize,
}

/// The last that is said.
#[derive(Serialize)]
struct Done {
    indexed: usize,
    durability: &'static str,
}

/// Batches that are acknowledged and whose acknowledgement was not sent yet.
const ACKNOWLEDGEMENTS_MAX: usize = 4;

/// Indexes the documents of `stream`. Answers at the end, or, to who accepts lines, after each
/// batch. A line that is wrong ends it: what is before it, by batches, is written.
pub(super) async fn index(
    context: Arc<Context>,
    query: &str,
    stream: Stream,
) -> Result<Response, Problem> {
    let Stream { caller, id, account, place, headers, body } = stream;
    let durability = durability(query)?;
    let db = place.db.unwrap_or_default();
    let opened = {
        let (of, caller) = (Arc::clone(&context), caller.clone());
        let open = move || Bulk::open(&db, durability, &caller, &of.catalog);
        context.workers.run(&account, Work::Compute, open).await??
    };
    let reports_progress = body::accepts(&headers, "application/x-ndjson");
    let writer = Writer {
        context,
        caller,
        id,
        account,
        bulk: opened,
        writing: None,
        line: Vec::new(),
        batch: Batch::default(),
        progress: Progress { indexed: 0, lines: 0 },
    };
    if !reports_progress {
        let (said, _) = mpsc::channel(ACKNOWLEDGEMENTS_MAX);
        // What is wrong with a batch was counted with it.
        let indexed = match writer.run(body, said).await {
            Ok(indexed) => indexed,
            Err(problem) => return Ok(problem.into_response()),
        };
        let done = json(&Done { indexed, durability: durability.name() })?;
        return Ok(([(header::CONTENT_TYPE, JSON)], done).into_response());
    }
    let (said, hears) = mpsc::channel(ACKNOWLEDGEMENTS_MAX);
    tokio::spawn(async move {
        let last = match writer.run(body, said.clone()).await {
            Ok(indexed) => json(&Done { indexed, durability: durability.name() }),
            Err(problem) => Ok(problem.to_body()),
        };
        // Whoever asked may have left.
        if let Ok(last) = last {
            let _ = said.send(last).await;
        }
    });
    let lines = stream::unfold(hears, |mut hears| async {
        let mut line = hears.recv().await?;
        line.push(b'\n');
        Some((Ok::<_, Error>(Bytes::from(line)), hears))
    });
    Ok(([(header::CONTENT_TYPE, LINES)], Body::from_stream(lines)).into_response())
}

fn durability(query: &str) -> Result<Durability> {
    let params = request::query(query, &[&DURABILITY])?;
    match params.first() {
        Some((_, json)) => {
            let name: String = serde_json::from_str(json)
                .map_err(|error| Error::invalid(format!("durability: {error}")))?;
            Durability::parse(&name)
        }
        None => Ok(Durability::default()),
    }
}

fn json(said: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(said).map_err(|error| Error::internal(error.to_string()))
}

/// Lines that are written together.
#[derive(Default)]
struct Batch {
    /// Each with its number, from 1.
    lines: Vec<(usize, Vec<u8>)>,
    bytes: usize,
}

/// What makes batches of lines and writes them.
struct Writer {
    context: Arc<Context>,
    caller: Caller,
    id: RequestId,
    account: Arc<Account>,
    bulk: Bulk,
    /// The batch that is being written: its documents, and how many lines were read with it.
    writing: Option<JoinHandle<Result<Progress>>>,
    /// The line whose end has not come yet.
    line: Vec<u8>,
    batch: Batch,
    progress: Progress,
}

impl Writer {
    /// Writes every line of `body`; says so after each batch. Returns how many documents they were.
    async fn run(mut self, body: Body, said: mpsc::Sender<Vec<u8>>) -> Result<usize, Problem> {
        let read = self.read(body, &said).await;
        // What came before a mistake is written, and what is written is said.
        let settled = self.settle(&said).await;
        match settled.and(read) {
            Ok(()) => Ok(self.progress.indexed),
            Err(error) => Err(Problem::from(error).after(self.progress.indexed)),
        }
    }

    /// Writes every line of `body`; the last batch may be on its way when this is done.
    async fn read(&mut self, body: Body, said: &mpsc::Sender<Vec<u8>>) -> Result<()> {
        let mut frames = body.into_data_stream();
        while let Some(frame) = frames.next().await {
            match frame {
                Ok(bytes) => self.take(&bytes, said).await?,
                Err(error) => return Err(self.refused(body::broken(&error))),
            }
        }
        self.end_line();
        self.write(said).await
    }

    /// Counts what is wrong with a stream whose batch is not whole.
    fn refused(&self, error: Error) -> Error {
        self.context.telemetry.count(Transport::Http, Bulk::METHOD, Err(&error));
        error
    }

    /// Cuts `bytes` into lines, and writes as many as make full batches.
    async fn take(&mut self, bytes: &[u8], said: &mpsc::Sender<Vec<u8>>) -> Result<()> {
        let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            self.check_room(part.len())?;
            self.line.extend_from_slice(part);
            if parts.peek().is_some() {
                self.end_line();
            }
            if self.batch.is_full() {
                self.write(said).await?;
            }
        }
        Ok(())
    }

    fn check_room(&self, bytes: usize) -> Result<()> {
        let bytes_max = self.context.limits.message_bytes_max;
        if self.line.len() + bytes <= bytes_max {
            return Ok(());
        }
        let message = format!("it is longer than {bytes_max} bytes");
        Err(self.refused(at_line(self.progress.lines + 1, Error::limit_exceeded(message))))
    }

    fn end_line(&mut self) {
        let line = mem::take(&mut self.line);
        self.progress.lines += 1;
        if !line.trim_ascii().is_empty() {
            self.batch.bytes += line.len();
            self.batch.lines.push((self.progress.lines, line));
        }
    }

    /// Has the batch written, once the one before is.
    async fn write(&mut self, said: &mpsc::Sender<Vec<u8>>) -> Result<()> {
        let batch = mem::take(&mut self.batch);
        if batch.lines.is_empty() {
            return Ok(());
        }
        let renewed = self.context.keyring.renew(&self.caller).await;
        self.caller = renewed.map_err(|error| self.refused(error))?;
        let arrival = self.context.telemetry.arrival(Transport::Http, self.id.clone());
        let (bulk, last_line) = (self.bulk.clone(), self.progress.lines);
        let read = move || batch.read(&bulk);
        let read = self.context.workers.run(&self.account, Work::Compute, read).await?;
        self.settle(said).await?;
        let method = Method::named(Bulk::METHOD)?;
        let documents = read.inspect_err(|error| arrival.refused(method.name, error))?;
        let (context, account) = (Arc::clone(&self.context), Arc::clone(&self.account));
        let (bulk, caller) = (self.bulk.clone(), self.caller.clone());
        self.writing = Some(tokio::spawn(async move {
            let job = move || {
                let asked = Asked { method, params: None, caller: &caller, rpc_id: None };
                arrival.run(&asked, || bulk.write(documents, &caller))
            };
            let written = context.workers.run(&account, Work::Commit, job).await?;
            written.map(|indexed| Progress { indexed, lines: last_line })
        }));
        Ok(())
    }

    /// Waits until the batch before is written, and says so.
    async fn settle(&mut self, said: &mpsc::Sender<Vec<u8>>) -> Result<()> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        let written = writing.await.map_err(|error| Error::internal(error.to_string()))??;
        self.progress.indexed += written.indexed;
        let progress = Progress { indexed: self.progress.indexed, lines: written.lines };
        // Nobody may be listening.
        let _ = said.send(json(&progress)?).await;
        Ok(())
    }
}

impl Batch {
    fn is_full(&self) -> bool {
        self.lines.len() >= LINES_BATCH_DOCUMENTS || self.bytes >= LINES_BATCH_BYTES
    }

    fn read(&self, bulk: &Bulk) -> Result<Vec<vectordoc::Document>> {
        let read = |(number, line): &(usize, Vec<u8>)| {
            let text = str::from_utf8(line).map_err(|_| Error::invalid("it is not UTF-8"));
            text.and_then(|text| bulk.read(Raw::Json(text)))
                .map_err(|error| at_line(*number, error))
        };
        self.lines.iter().map(read).collect()
    }
}

fn at_line(number: usize, error: Error) -> Error {
    error.within(format_args!("line {number}"))
}
