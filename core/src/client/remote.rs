//! A served database of any schema: its verbs, with untyped documents.

use super::{
    Connection,
    message::{decode, misunderstood},
};
use crate::{
    Document, Error, Filter, Fusion, Hit, Id, Include, Page, Query, Result, Schema,
    document::{DocumentSeed, DocumentView, IdSeed, check_vector},
    limits,
};
use serde::{Deserialize, Serialize, de::DeserializeSeed};
use serde_json::{
    Value as Json, json,
    value::{RawValue, to_raw_value},
};

/// Bytes of a request beside its documents: method, names, punctuation.
const ENVELOPE_BYTES_MAX: usize = 1024;

/// A database on a server. Clones share its connection.
#[derive(Clone)]
pub struct Remote {
    connection: Connection,
    name: String,
    schema: Schema,
}

/// What a server says about a database.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Description {
    /// Its name.
    pub db: String,
    /// Its schema, as [`Schema::from_json`] reads it.
    pub schema: Json,
    /// How many shards it is split into.
    pub shards: usize,
    /// How many documents it has.
    pub documents: u64,
}

/// What became of a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Documents deleted.
    pub deleted: usize,
    /// The ids asked for that no document had.
    pub missing: Vec<Id>,
}

impl Remote {
    /// The database `name` of the server, which must be there.
    pub async fn open(connection: Connection, name: &str) -> Result<Self> {
        let description = describe(&connection, name).await?;
        let schema = Schema::from_json(&description.schema)?;
        Ok(Self { connection, name: name.into(), schema })
    }

    /// The database `name`, created when missing with `shards` shards, or as many as the server
    /// gives to new ones. `conflict` when there is one of another schema or, if `shards` is given,
    /// of another number of shards.
    pub async fn create(
        connection: Connection,
        name: &str,
        schema: Schema,
        shards: Option<usize>,
    ) -> Result<Self> {
        let mut params = json!({"db": name, "schema": schema.to_json()});
        if let Some(shards) = shards {
            params["shards"] = json!(shards);
        }
        connection.request("db.create", &params).await?;
        Ok(Self { connection, name: name.into(), schema })
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The name it is served under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its documents look like.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What the server says about it now.
    pub async fn describe(&self) -> Result<Description> {
        describe(&self.connection, &self.name).await
    }

    /// Inserts documents, or puts them in the place of those with the same id; they are durable
    /// when this returns. All are checked first; then they go in as many messages as the server's
    /// limits need, each of them all or nothing per shard.
    pub async fn index(&self, documents: &[Document]) -> Result<usize> {
        self.write("doc.index", documents).await
    }

    /// Puts documents in the place of those with the same id; `not_found` when one is missing.
    pub async fn update(&self, documents: &[Document]) -> Result<usize> {
        self.write("doc.update", documents).await
    }

    /// Deletes documents by id.
    pub async fn delete(&self, ids: &[Id]) -> Result<Deleted> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            deleted: usize,
            #[serde(borrow)]
            missing: Vec<&'a RawValue>,
        }
        let answer = self.ask("doc.delete", json!({"ids": ids})).await?;
        let Answer { deleted, missing } = decode(answer.get())?;
        let id = |raw: &&RawValue| read(raw, IdSeed(self.schema.id().kind));
        Ok(Deleted { deleted, missing: missing.iter().map(id).collect::<Result<_>>()? })
    }

    /// Deletes every document that passes `filter`; returns how many.
    pub async fn delete_where(&self, filter: &Filter) -> Result<usize> {
        #[derive(Deserialize)]
        struct Answer {
            deleted: usize,
        }
        let answer = self.ask("doc.delete", json!({"filter": filter})).await?;
        decode(answer.get()).map(|Answer { deleted }| deleted)
    }

    /// The documents with these ids, in their order; `None` where there is none.
    pub async fn get(&self, ids: &[Id], include: &Include) -> Result<Vec<Option<Document>>> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            docs: Vec<Option<&'a RawValue>>,
        }
        let params = json!({"ids": ids, "include": include_json(include)});
        let answer = self.ask("doc.get", params).await?;
        let Answer { docs } = decode(answer.get())?;
        docs.into_iter().map(|raw| raw.map(|raw| self.read_document(raw)).transpose()).collect()
    }

    /// How many documents pass `filter`.
    pub async fn count(&self, filter: &Filter) -> Result<u64> {
        #[derive(Deserialize)]
        struct Answer {
            count: u64,
        }
        let answer = self.ask("doc.count", json!({"filter": filter})).await?;
        decode(answer.get()).map(|Answer { count }| count)
    }

    /// At most `limit` documents that pass `filter`, in order of their ids: the first ones, or
    /// those after the page whose cursor is given.
    pub async fn scroll(
        &self,
        filter: &Filter,
        cursor: Option<&str>,
        limit: usize,
        include: &Include,
    ) -> Result<Page> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            docs: Vec<&'a RawValue>,
            cursor: Option<String>,
        }
        let params = json!({
            "filter": filter, "cursor": cursor, "limit": limit, "include": include_json(include),
        });
        let answer = self.ask("doc.scroll", params).await?;
        let Answer { docs, cursor } = decode(answer.get())?;
        let docs = docs.into_iter().map(|raw| self.read_document(raw)).collect::<Result<_>>()?;
        Ok(Page { docs, cursor })
    }

    /// The documents nearest to the query's vector, best first; or those that answer its text best,
    /// or both lists as one.
    pub async fn search(&self, query: &Query) -> Result<Vec<Hit>> {
        query.check()?;
        if let Some(vector) = &query.vector {
            self.check_vector(query, vector)?;
        }
        let vector = query.vector.as_deref();
        let fusion = query.text.as_ref().and(vector).map(|_| query.fusion);
        let params = SearchParams { vector, fusion, ..self.params(query) };
        let answer = self.connection.request("search", &params).await?;
        self.read_hits(&decode(answer.get())?)
    }

    /// The hits of each of `vectors`, otherwise as `query` asks; its own vector does not matter.
    pub async fn search_batch(&self, vectors: &[Vec<f32>], query: &Query) -> Result<Vec<Vec<Hit>>> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            results: Vec<Hits<'a>>,
        }
        query.check()?;
        vectors.iter().try_for_each(|vector| self.check_vector(query, vector))?;
        let fusion = query.text.as_ref().map(|_| query.fusion);
        let params = SearchParams { vectors: Some(vectors), fusion, ..self.params(query) };
        let answer = self.connection.request("search", &params).await?;
        let Answer { results } = decode(answer.get())?;
        results.iter().map(|hits| self.read_hits(hits)).collect()
    }

    /// Refuses a vector that cannot be searched with; JSON could not even say NaN.
    fn check_vector(&self, query: &Query, vector: &[f32]) -> Result<()> {
        let number = self.schema.vector_number(query.field.as_deref())?;
        let field = &self.schema.vectors()[number];
        check_vector(&field.name, field.dim, field.metric, vector)
    }

    /// Asks for `method` on this database.
    async fn ask(&self, method: &str, mut params: Json) -> Result<Box<RawValue>> {
        params["db"] = json!(self.name);
        self.connection.request(method, &params).await
    }

    async fn write(&self, method: &str, documents: &[Document]) -> Result<usize> {
        documents.iter().try_for_each(|document| document.check(&self.schema))?;
        let bytes_max = self.connection.limits().message_bytes_max;
        let mut message = Message::new(bytes_max.saturating_sub(ENVELOPE_BYTES_MAX));
        let mut written = 0;
        for document in documents {
            let text = to_raw_value(&DocumentView { schema: &self.schema, document })
                .map_err(|error| Error::invalid(format!("document {:?}: {error}", document.id)))?;
            if !message.has_room(&text) {
                written += self.send(method, &mut message).await?;
            }
            message.add(text);
        }
        if !message.docs.is_empty() {
            written += self.send(method, &mut message).await?;
        }
        Ok(written)
    }

    /// Sends the documents of `message`, which is empty then.
    async fn send(&self, method: &str, message: &mut Message) -> Result<usize> {
        #[derive(Serialize)]
        struct Params<'a> {
            db: &'a str,
            docs: Vec<Box<RawValue>>,
        }
        #[derive(Deserialize)]
        struct Answer {
            #[serde(alias = "indexed", alias = "updated")]
            written: usize,
        }
        let params = Params { db: &self.name, docs: message.take() };
        let answer = self.connection.request(method, &params).await?;
        decode(answer.get()).map(|Answer { written }| written)
    }

    fn read_hits(&self, hits: &Hits<'_>) -> Result<Vec<Hit>> {
        let read = |hit: &HitText<'_>| {
            let doc = self.read_document(hit.doc)?;
            Ok(Hit { id: doc.id.clone(), score: hit.score, distance: hit.distance, doc })
        };
        hits.hits.iter().map(read).collect()
    }

    fn read_document(&self, raw: &RawValue) -> Result<Document> {
        read(raw, DocumentSeed(&self.schema))
    }
}

/// The documents of one message, within the limits of a request.
struct Message {
    docs: Vec<Box<RawValue>>,
    bytes: usize,
    bytes_max: usize,
}

impl Message {
    fn new(bytes_max: usize) -> Self {
        Self { docs: Vec::new(), bytes: 0, bytes_max }
    }

    /// Whether `doc` fits too. An empty message has room for any; the connection refuses what is
    /// too long by itself.
    fn has_room(&self, doc: &RawValue) -> bool {
        self.docs.is_empty()
            || self.bytes + doc.get().len() < self.bytes_max
                && self.docs.len() < limits::BATCH_OPERATIONS_MAX
    }

    fn add(&mut self, doc: Box<RawValue>) {
        const COMMA: usize = 1;
        self.bytes += doc.get().len() + COMMA;
        self.docs.push(doc);
    }

    fn take(&mut self) -> Vec<Box<RawValue>> {
        self.bytes = 0;
        std::mem::take(&mut self.docs)
    }
}

#[derive(Deserialize)]
struct Hits<'a> {
    #[serde(borrow)]
    hits: Vec<HitText<'a>>,
}

#[derive(Deserialize)]
struct HitText<'a> {
    score: f32,
    distance: f32,
    #[serde(borrow)]
    doc: &'a RawValue,
}

async fn describe(connection: &Connection, name: &str) -> Result<Description> {
    let answer = connection.request("db.get", &json!({"db": name})).await?;
    decode(answer.get())
}

fn read<'a, S: DeserializeSeed<'a>>(raw: &'a RawValue, seed: S) -> Result<S::Value> {
    let value = seed.deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
    value.map_err(|error| misunderstood(&error))
}

/// The parameters of a search.
#[derive(Serialize)]
struct SearchParams<'a> {
    db: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<&'a [f32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vectors: Option<&'a [Vec<f32>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fusion: Option<Fusion>,
    limit: usize,
    offset: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    ef: Option<usize>,
    exact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_score: Option<f32>,
    filter: &'a Filter,
    #[serde(skip_serializing_if = "Option::is_none")]
    include: Option<Json>,
}

impl Remote {
    /// What `query` asks of this database, its vector left out.
    fn params<'a>(&'a self, query: &'a Query) -> SearchParams<'a> {
        let text = query.text.as_ref();
        SearchParams {
            db: &self.name,
            vector: None,
            vectors: None,
            field: query.field.as_deref(),
            text: text.map(|text| text.words.as_str()),
            text_field: text.and_then(|text| text.field.as_deref()),
            fusion: None,
            limit: query.limit,
            offset: query.offset,
            ef: query.ef,
            exact: query.exact,
            min_score: query.min_score,
            filter: &query.filter,
            include: include_json(&query.include),
        }
    }
}

/// What `include` says on the wire; nothing for the default.
fn include_json(include: &Include) -> Option<Json> {
    match include {
        Include::Values => None,
        Include::Everything => Some(json!("*")),
        Include::Nothing => Some(json!([])),
        Include::Fields(names) => Some(json!(names)),
    }
}
