//! Following a served database.

use super::{
    Remote,
    message::decode,
    remote::{include_json, read},
};
use crate::{Change, ChangePage, ChangeQuery, Filter, Id, Result, document::IdSeed};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, value::RawValue};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often a server is asked whether something changed.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

#[derive(Serialize)]
struct Params<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'a str>,
    limit: usize,
    filter: &'a Filter,
    #[serde(skip_serializing_if = "Option::is_none")]
    include: Option<Json>,
}

impl<'a> Params<'a> {
    fn of(query: &'a ChangeQuery) -> Self {
        Self {
            since: query.since.as_deref(),
            limit: query.limit,
            filter: &query.filter,
            include: include_json(&query.include),
        }
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    changes: Vec<ChangeText<'a>>,
    cursor: String,
    has_more: bool,
}

#[derive(Deserialize)]
struct ChangeText<'a> {
    op: Op,
    #[serde(borrow)]
    doc: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    version: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Index,
    Delete,
    Leave,
}

impl Remote {
    /// What changed since a position, or the position there is now: see [`ChangeQuery`]. `conflict`
    /// when the server does not remember that far: then take a new position, scroll, and follow from
    /// it.
    pub async fn changes(&self, query: &ChangeQuery) -> Result<ChangePage> {
        let answer = self.ask("changes", &Params::of(query)).await?;
        self.read_page(&answer)
    }

    /// What to subscribe to, to be told what `query` asks for.
    pub(super) fn subscription<'a>(&'a self, query: &'a ChangeQuery) -> impl Serialize + 'a {
        #[derive(Serialize)]
        struct Subscription<'a> {
            db: &'a str,
            #[serde(flatten)]
            params: Params<'a>,
        }
        Subscription { db: self.name(), params: Params::of(query) }
    }

    /// Reads changes, as they are answered and as they are told.
    pub(super) fn read_page(&self, answer: &RawValue) -> Result<ChangePage> {
        let Answer { changes, cursor, has_more } = decode(answer.get())?;
        let changes = changes.iter().map(|change| self.read_change(change));
        Ok(ChangePage { changes: changes.collect::<Result<_>>()?, cursor, has_more })
    }

    /// The same, and where there is no change yet, asks again and again for one, at most so long.
    pub async fn changes_within(&self, query: &ChangeQuery, time: Duration) -> Result<ChangePage> {
        let until = Instant::now() + time;
        loop {
            let page = self.changes(query).await?;
            let is_over = query.since.is_none() || !page.changes.is_empty();
            if is_over || Instant::now() >= until {
                return Ok(page);
            }
            sleep_until(until.min(Instant::now() + POLL_INTERVAL)).await;
        }
    }

    fn read_change(&self, change: &ChangeText<'_>) -> Result<Change> {
        let version = change.version;
        Ok(match change.op {
            Op::Index => Change::Index {
                doc: self.read_document(change.doc.unwrap_or(RawValue::NULL))?,
                version,
            },
            Op::Delete => Change::Delete { id: self.read_id(change)?, version },
            Op::Leave => Change::Leave { id: self.read_id(change)?, version },
        })
    }

    fn read_id(&self, change: &ChangeText<'_>) -> Result<Id> {
        read(change.id.unwrap_or(RawValue::NULL), IdSeed(self.schema().id().kind))
    }
}
