//! Writing to a served database: whole documents, fields of them, deletions; perhaps on condition
//! of a version.

use super::{
    Remote,
    failure::Repeat,
    message::decode,
    remote::{Passing, read},
};
use crate::{
    Deleted, Document, Error, Filter, Id, Patch, Result,
    document::{DocumentView, IdSeed},
    limits,
};
use serde::{Deserialize, Serialize};
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};

/// Bytes of a request beside its documents: method, names, punctuation.
const ENVELOPE_BYTES_MAX: usize = 1024;

impl Remote {
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

    /// Replaces a document if it still has this version, and returns its new one; `conflict` when
    /// it has another. Version 0 inserts a document that is not there yet.
    pub async fn index_if(&self, document: &Document, version: u64) -> Result<u64> {
        #[derive(Serialize)]
        struct Params<'a> {
            docs: [DocumentView<'a>; 1],
            if_version: u64,
        }
        document.check(self.schema())?;
        let docs = [DocumentView { schema: self.schema(), document }];
        let params = Params { docs, if_version: version };
        let answer = self.tell("doc.index", &params, Repeat::WhenUndone).await?;
        version_in(&answer)
    }

    /// Changes fields of the document `id` and returns its new version; `not_found` when there is
    /// none.
    pub async fn patch(&self, id: &Id, patch: &Patch) -> Result<u64> {
        self.patch_on(id, patch, None).await
    }

    /// Changes fields of the document `id` if it still has this version, and returns its new one.
    pub async fn patch_if(&self, id: &Id, patch: &Patch, version: u64) -> Result<u64> {
        self.patch_on(id, patch, Some(version)).await
    }

    async fn patch_on(&self, id: &Id, patch: &Patch, version: Option<u64>) -> Result<u64> {
        #[derive(Serialize)]
        struct Params<'a> {
            id: &'a Id,
            if_version: Option<u64>,
            #[serde(flatten)]
            patch: &'a Patch,
        }
        let params = Params { id, if_version: version, patch };
        // What is added twice is not what is added once, and a version is met once only.
        let repeat = match patch.increment.is_empty() && version.is_none() {
            true => Repeat::Always,
            false => Repeat::WhenUndone,
        };
        version_in(&self.tell("doc.patch", &params, repeat).await?)
    }

    /// Changes fields of every document that passes `filter`; returns how many.
    pub async fn patch_where(&self, filter: &Filter, patch: &Patch) -> Result<usize> {
        #[derive(Serialize)]
        struct Params<'a> {
            filter: &'a Filter,
            #[serde(flatten)]
            patch: &'a Patch,
        }
        #[derive(Deserialize)]
        struct Answer {
            patched: usize,
        }
        let answer = self.tell("doc.patch", &Params { filter, patch }, Repeat::WhenUndone).await?;
        decode(answer.get()).map(|Answer { patched }| patched)
    }

    /// Deletes documents by id.
    pub async fn delete(&self, ids: &[Id]) -> Result<Deleted> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            deleted: usize,
            #[serde(borrow)]
            missing: Vec<&'a RawValue>,
        }
        let answer = self.tell("doc.delete", &json!({"ids": ids}), Repeat::Always).await?;
        let Answer { deleted, missing } = decode(answer.get())?;
        let id = |raw: &&RawValue| read(raw, IdSeed(self.schema().id().kind));
        Ok(Deleted { deleted, missing: missing.iter().map(id).collect::<Result<_>>()? })
    }

    /// Deletes the document `id` if it still has this version.
    pub async fn delete_if(&self, id: &Id, version: u64) -> Result<()> {
        let params = json!({"ids": [id], "if_version": version});
        self.tell("doc.delete", &params, Repeat::WhenUndone).await.map(drop)
    }

    /// Deletes every document that passes `filter`; returns how many.
    pub async fn delete_where(&self, filter: &Filter) -> Result<usize> {
        #[derive(Deserialize)]
        struct Answer {
            deleted: usize,
        }
        let answer = self.tell("doc.delete", &Passing { filter }, Repeat::WhenUndone).await?;
        decode(answer.get()).map(|Answer { deleted }| deleted)
    }

    async fn write(&self, method: &str, documents: &[Document]) -> Result<usize> {
        documents.iter().try_for_each(|document| document.check(self.schema()))?;
        let bytes_max = self.connection().limits().message_bytes_max;
        let mut message = Message::new(bytes_max.saturating_sub(ENVELOPE_BYTES_MAX));
        let mut written = 0;
        for document in documents {
            let text = to_raw_value(&DocumentView { schema: self.schema(), document })
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
        struct Params {
            docs: Vec<Box<RawValue>>,
        }
        #[derive(Deserialize)]
        struct Answer {
            #[serde(alias = "indexed", alias = "updated")]
            written: usize,
        }
        let answer = self.tell(method, &Params { docs: message.take() }, Repeat::Always).await?;
        decode(answer.get()).map(|Answer { written }| written)
    }
}

/// The version in an answer about one document.
fn version_in(answer: &RawValue) -> Result<u64> {
    #[derive(Deserialize)]
    struct Answer {
        version: u64,
    }
    decode(answer.get()).map(|Answer { version }| version)
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
