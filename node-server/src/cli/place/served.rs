//! A database behind a server.

use super::{Answer, LOOK_EVERY, Place};
use crate::cli::{logins::Login, runtime};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value as Json, json, value::RawValue};
use std::collections::BTreeMap;
use tokio::{runtime::Runtime, task::JoinSet};
use vectordoc::{
    Document, Error, ErrorKind, Filter, Fusion, Id, Include, Page, Query, Result, Schema, Scroll,
    client::{Connection, Remote},
    document::DocumentView,
};

/// Bytes of documents after which a request is sent, where the server takes at least twice that.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Requests sent and not yet answered: enough that neither side waits for the other.
const IN_FLIGHT_MAX: usize = 4;

pub(super) struct Served {
    runtime: Runtime,
    connection: Connection,
    db: String,
    remote: Option<Remote>,
    request_bytes_max: usize,
    /// Batches on their way; each yields its number and the documents it indexed.
    in_flight: JoinSet<(u64, Result<u64>)>,
    sent: u64,
    acknowledged: Acknowledged,
}

/// What became of batches, which are answered in any order.
#[derive(Default)]
struct Acknowledged {
    documents: u64,
    /// Those of the batches up to the first that is not acknowledged, which has this number.
    in_order: u64,
    next: u64,
    /// The batches acknowledged after that one, by number.
    early: BTreeMap<u64, u64>,
}

impl Acknowledged {
    fn add(&mut self, number: u64, documents: u64) {
        self.documents += documents;
        self.early.insert(number, documents);
        while let Some(documents) = self.early.remove(&self.next) {
            self.in_order += documents;
            self.next += 1;
        }
    }
}

#[derive(Serialize)]
struct IndexParams {
    db: String,
    docs: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
struct SearchParams<'a> {
    db: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<&'a [f32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fusion: Option<Fusion>,
    limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    ef: Option<usize>,
    exact: bool,
    filter: &'a Filter,
    #[serde(skip_serializing_if = "Option::is_none")]
    include: Option<Json>,
    explain: bool,
}

#[derive(serde::Deserialize)]
struct Indexed {
    indexed: u64,
}

impl Served {
    pub(super) fn connect(url: &str, login: &Login, db: &str) -> Result<Self> {
        let (runtime, connection) = connect(url, login)?;
        let request_bytes_max = REQUEST_BYTES_MAX.min(connection.limits().message_bytes_max / 2);
        let (db, in_flight) = (db.to_owned(), JoinSet::new());
        let acknowledged = Acknowledged::default();
        Ok(Self {
            runtime,
            connection,
            db,
            remote: None,
            request_bytes_max,
            in_flight,
            sent: 0,
            acknowledged,
        })
    }

    fn request<R: DeserializeOwned>(&self, method: &str, params: impl Serialize) -> Result<R> {
        self.runtime.block_on(request(&self.connection, method, &params))
    }

    /// The database, whose schema is asked for once.
    fn remote(&mut self) -> Result<Remote> {
        if let Some(remote) = &self.remote {
            return Ok(remote.clone());
        }
        let opened = Remote::open(self.connection.clone(), &self.db);
        let remote = self.runtime.block_on(opened)?;
        self.remote = Some(remote.clone());
        Ok(remote)
    }

    fn send(&mut self, docs: Vec<Box<RawValue>>) -> Result<()> {
        while self.in_flight.len() >= IN_FLIGHT_MAX {
            self.receive()?;
        }
        let (connection, db) = (self.connection.clone(), self.db.clone());
        let indexing = async move {
            let params = IndexParams { db, docs };
            let answer = connection.request_repeatable("doc.index", &params).await?;
            read::<Indexed>("doc.index", &answer).map(|answer| answer.indexed)
        };
        let number = self.sent;
        self.sent += 1;
        let sent = async move { (number, indexing.await) };
        self.in_flight.spawn_on(sent, self.runtime.handle());
        Ok(())
    }

    /// Waits for one answer; does nothing when none is due.
    fn receive(&mut self) -> Result<()> {
        match self.runtime.block_on(self.in_flight.join_next()) {
            Some(Ok((number, answer))) => self.acknowledged.add(number, answer?),
            Some(Err(error)) => return Err(Error::internal(format!("a request ended: {error}"))),
            None => {}
        }
        Ok(())
    }
}

impl Place for Served {
    fn schema(&mut self) -> Result<Schema> {
        let description: Json = self.request("db.get", json!({"db": self.db}))?;
        Schema::from_json(&description["schema"])
    }

    fn create(&mut self, schema: &Schema, shards: Option<usize>) -> Result<()> {
        let mut params = json!({"db": self.db, "schema": schema.to_json()});
        if let Some(shards) = shards {
            params["shards"] = shards.into();
        }
        self.request::<Json>("db.create", params).map(drop)
    }

    fn index(&mut self, schema: &Schema, documents: Vec<Document>) -> Result<()> {
        let mut docs = Vec::with_capacity(documents.len());
        let mut bytes = 0;
        for document in &documents {
            let doc = serde_json::value::to_raw_value(&DocumentView { schema, document })
                .map_err(|error| Error::internal(error.to_string()))?;
            bytes += doc.get().len();
            docs.push(doc);
            if bytes >= self.request_bytes_max {
                bytes = 0;
                self.send(std::mem::take(&mut docs))?;
            }
        }
        if docs.is_empty() { Ok(()) } else { self.send(docs) }
    }

    fn settle(&mut self) -> Result<()> {
        let mut outcome = Ok(());
        while !self.in_flight.is_empty() {
            let received = self.receive();
            outcome = outcome.and(received);
        }
        outcome
    }

    fn acknowledged(&self) -> u64 {
        self.acknowledged.documents
    }

    fn acknowledged_in_order(&self) -> u64 {
        self.acknowledged.in_order
    }

    fn count(&mut self, filter: &Filter) -> Result<u64> {
        let remote = self.remote()?;
        self.runtime.block_on(remote.count(filter))
    }

    fn scroll(&mut self, scroll: &Scroll) -> Result<Page> {
        let remote = self.remote()?;
        self.runtime.block_on(remote.scroll(scroll))
    }

    fn build_index(&mut self, _progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        // The server builds on while it answers.
        Ok(())
    }

    fn reshard(&mut self, shards: usize, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        reshard(&self.runtime, &self.connection, &self.db, shards, progress)
    }

    fn search(&mut self, query: &Query, explain: bool) -> Result<Answer> {
        let text = query.text.as_ref();
        let params = SearchParams {
            db: &self.db,
            vector: query.vector.as_deref(),
            field: query.field.as_deref(),
            text: text.map(|text| text.words.as_str()),
            text_field: text.and_then(|text| text.field.as_deref()),
            fusion: text.and(query.vector.as_ref()).map(|_| query.fusion),
            limit: query.limit,
            ef: query.ef,
            exact: query.exact,
            filter: &query.filter,
            include: include_json(&query.include),
            explain,
        };
        self.request("search", params)
    }

    fn vector(&mut self, id: &Id, field: &str) -> Result<Vec<f32>> {
        let params = json!({"db": self.db, "ids": [id], "include": [field]});
        let mut answer: Json = self.request("doc.get", params)?;
        let document = answer["docs"][0].take();
        match document.get(field) {
            Some(vector) => serde_json::from_value(vector.clone())
                .map_err(|error| Error::internal(format!("a vector of the server: {error}"))),
            None if document.is_null() => {
                Err(Error::not_found(format!("there is no document {id}")))
            }
            None => Err(Error::not_found(format!("document {id} has no {field:?}"))),
        }
    }

    fn close(&mut self) -> Result<()> {
        let settled = self.settle();
        self.runtime.block_on(self.connection.close())?;
        settled
    }
}

/// Gives a database of a server another number of shards, telling how many of how many steps are done.
pub(crate) fn reshard(
    runtime: &Runtime,
    connection: &Connection,
    db: &str,
    shards: usize,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<()> {
    let (asking, params) = (connection.clone(), json!({"db": db, "shards": shards}));
    let resharding =
        runtime.spawn(async move { request::<Json>(&asking, "db.reshard", &params).await });
    while !resharding.is_finished() {
        let params = json!({"db": db});
        let described: Json = runtime.block_on(request(connection, "db.get", &params))?;
        let now = &described["resharding"];
        if let (Some(done), Some(total)) = (now["done"].as_u64(), now["total"].as_u64()) {
            progress(done, total);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let ended = runtime.block_on(resharding);
    ended.map_err(|error| Error::internal(format!("a request ended: {error}")))?.map(drop)
}

/// Connects to a server with what is known of it.
pub(crate) fn connect(url: &str, login: &Login) -> Result<(Runtime, Connection)> {
    let runtime = runtime::start()?;
    let builder = super::options::connection(url, login)?;
    let opened = runtime.block_on(builder.connect());
    Ok((runtime, opened.map_err(explain)?))
}

/// What to do when nobody answers.
fn explain(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Unavailable => Error::unavailable(format!(
            "{error}; start a server with `vectordoc serve`, or use --data DIR without one"
        )),
        _ => error,
    }
}

pub(crate) async fn request<R: DeserializeOwned>(
    connection: &Connection,
    method: &str,
    params: &impl Serialize,
) -> Result<R> {
    read(method, &connection.request(method, params).await?)
}

fn read<R: DeserializeOwned>(method: &str, answer: &RawValue) -> Result<R> {
    serde_json::from_str(answer.get())
        .map_err(|error| Error::internal(format!("the answer to {method}: {error}")))
}

/// `include` as the service reads it.
fn include_json(include: &Include) -> Option<Json> {
    match include {
        Include::Values => None,
        Include::Everything => Some(json!("*")),
        Include::Nothing => Some(json!([])),
        Include::Fields(fields) => Some(json!(fields)),
    }
}
