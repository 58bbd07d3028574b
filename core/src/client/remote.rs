//! A served database of any schema: its verbs, with untyped documents. Those here read by id and
//! filter.

use super::{
    Connection,
    failure::Repeat,
    message::{decode, misunderstood},
};
use crate::{
    Document, Filter, Id, Include, Page, Result, Schema, Scroll, Value,
    document::{DocumentSeed, coerce},
};
use serde::{Deserialize, Serialize, de::DeserializeSeed};
use serde_json::{Value as Json, json, value::RawValue};
use std::time::Duration;

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
    /// Whether it is in memory: `awake`; `asleep`, and the next request opens it; or `paused`. Empty
    /// from a server that knows no such thing.
    #[serde(default)]
    pub state: String,
    /// Whether it leaves memory while it is idle.
    #[serde(default)]
    pub serverless: bool,
    /// Where the newest of it is: `here`, at the server; `waiting`, the same, until it is uploaded to
    /// the bucket; `bucket`; or `elsewhere`, at another node that has it awake. Empty from a server that
    /// knows no such thing.
    #[serde(default)]
    pub rests: String,
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

    /// Gives the database another number of shards, while it is read and written; answers when that
    /// is done. `busy` while it is under way already. It takes a key of role admin.
    pub async fn reshard(&self, shards: usize) -> Result<Description> {
        let answer = self.ask("db.reshard", &json!({"shards": shards})).await?;
        decode(answer.get())
    }

    /// Lets the database leave memory while it is idle, after so long or as long as the server says, or
    /// never. It takes a key of role admin.
    pub async fn configure(&self, serverless: bool, idle: Option<Duration>) -> Result<Description> {
        let mut params = json!({"serverless": serverless});
        if let Some(idle) = idle {
            params["idle_ms"] = json!(u64::try_from(idle.as_millis()).unwrap_or(u64::MAX));
        }
        let answer = self.ask("db.configure", &params).await?;
        decode(answer.get())
    }

    /// Lets the server refuse requests about the database until it is [resumed](Self::resume); what
    /// it accepted is stored. It takes a key of role admin.
    pub async fn pause(&self) -> Result<Description> {
        let answer = self.ask("db.pause", &json!({})).await?;
        decode(answer.get())
    }

    /// Lets the server answer requests about the database again.
    pub async fn resume(&self) -> Result<Description> {
        let answer = self.ask("db.resume", &json!({})).await?;
        decode(answer.get())
    }

    /// The documents with these ids, in their order; `None` where there is none.
    pub async fn get(&self, ids: &[Id], include: &Include) -> Result<Vec<Option<Document>>> {
        let found = self.get_versioned(ids, include).await?;
        Ok(found.into_iter().map(|found| found.map(|(document, _)| document)).collect())
    }

    /// The same, each with its version, to be changed on the condition that it still has it.
    pub async fn get_versioned(
        &self,
        ids: &[Id],
        include: &Include,
    ) -> Result<Vec<Option<(Document, u64)>>> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            docs: Vec<Option<&'a RawValue>>,
            versions: Vec<Option<u64>>,
        }
        let params = json!({"ids": ids, "include": include_json(include)});
        let answer = self.ask("doc.get", &params).await?;
        let Answer { docs, versions } = decode(answer.get())?;
        let found = docs.into_iter().zip(versions).map(|(raw, version)| raw.zip(version));
        let read = |(raw, version)| Ok((self.read_document(raw)?, version));
        found.map(|found| found.map(read).transpose()).collect()
    }

    /// How many documents pass `filter`.
    pub async fn count(&self, filter: &Filter) -> Result<u64> {
        #[derive(Deserialize)]
        struct Answer {
            count: u64,
        }
        let answer = self.ask("doc.count", &Passing { filter }).await?;
        decode(answer.get()).map(|Answer { count }| count)
    }

    /// A part of the documents that pass, in order of their ids or of a field.
    pub async fn scroll(&self, scroll: &Scroll) -> Result<Page> {
        #[derive(Serialize)]
        struct Params<'a> {
            filter: &'a Filter,
            order_by: Option<&'a str>,
            descending: Option<bool>,
            cursor: Option<&'a str>,
            limit: usize,
            include: Option<Json>,
        }
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            docs: Vec<&'a RawValue>,
            cursor: Option<String>,
        }
        let order = scroll.order.as_ref();
        let params = Params {
            filter: &scroll.filter,
            order_by: order.map(|order| order.field.as_str()),
            descending: order.map(|order| order.descending),
            cursor: scroll.cursor.as_deref(),
            limit: scroll.limit,
            include: include_json(&scroll.include),
        };
        let answer = self.ask("doc.scroll", &params).await?;
        let Answer { docs, cursor } = decode(answer.get())?;
        let docs = docs.into_iter().map(|raw| self.read_document(raw)).collect::<Result<_>>()?;
        Ok(Page { docs, cursor })
    }

    /// How many of the documents that pass have each value of the field at `path`: the `limit`
    /// most frequent values. Of an array, each of its elements counts.
    pub async fn facet(
        &self,
        path: &str,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<(Value, u64)>> {
        #[derive(Serialize)]
        struct Params<'a> {
            field: &'a str,
            filter: &'a Filter,
            limit: usize,
        }
        #[derive(Deserialize)]
        struct Answer {
            values: Vec<Counted>,
        }
        #[derive(Deserialize)]
        struct Counted {
            value: Value,
            count: u64,
        }
        let (_, found) = self.schema.filter_path(path)?;
        let answer = self.ask("doc.facet", &Params { field: path, filter, limit }).await?;
        let Answer { values } = decode(answer.get())?;
        let counted = |Counted { value, count }| (coerce(&found.ty, value), count);
        Ok(values.into_iter().map(counted).collect())
    }

    /// Asks for `method` with `params`, an object, on this database, which changes nothing.
    pub(super) async fn ask<P: Serialize>(
        &self,
        method: &str,
        params: &P,
    ) -> Result<Box<RawValue>> {
        self.tell(method, params, Repeat::Always).await
    }

    /// Has this database do `method` with `params`, an object.
    pub(super) async fn tell<P: Serialize>(
        &self,
        method: &str,
        params: &P,
        repeat: Repeat,
    ) -> Result<Box<RawValue>> {
        #[derive(Serialize)]
        struct Asked<'a, P> {
            db: &'a str,
            #[serde(flatten)]
            params: &'a P,
        }
        self.connection.ask(method, &Asked { db: &self.name, params }, repeat).await
    }

    pub(super) fn read_document(&self, raw: &RawValue) -> Result<Document> {
        read(raw, DocumentSeed(&self.schema))
    }
}

/// The one parameter of what is done to all documents that pass.
#[derive(Serialize)]
pub(super) struct Passing<'a> {
    pub(super) filter: &'a Filter,
}

async fn describe(connection: &Connection, name: &str) -> Result<Description> {
    let answer = connection.request("db.get", &json!({"db": name})).await?;
    decode(answer.get())
}

pub(super) fn read<'a, S: DeserializeSeed<'a>>(raw: &'a RawValue, seed: S) -> Result<S::Value> {
    let value = seed.deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
    value.map_err(|error| misunderstood(&error))
}

/// What `include` says on the wire; nothing for the default.
pub(super) fn include_json(include: &Include) -> Option<Json> {
    match include {
        Include::Values => None,
        Include::Everything => Some(json!("*")),
        Include::Nothing => Some(json!([])),
        Include::Fields(names) => Some(json!(names)),
    }
}
