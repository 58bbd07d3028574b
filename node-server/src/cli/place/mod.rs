//! Where a database is: in a data directory of this machine, or behind a server. Commands do the
//! same to both.

mod answer;
mod local;
mod options;
mod served;

pub(crate) use answer::{Answer, Found};
pub(crate) use options::{PlaceOptions, URL_DEFAULT};
pub(crate) use served::{connect, request, reshard};

use vectordoc::{Filter, Id, Page, Query, Result, Schema, Scroll};

/// How often who waits for a long work asks how far it is.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(100);

/// One database by name, whether it exists yet or not.
pub(crate) trait Place {
    /// The schema of the database; `not_found` when there is none.
    fn schema(&mut self) -> Result<Schema>;

    /// Creates the database.
    fn create(&mut self, schema: &Schema, shards: Option<usize>) -> Result<()>;

    /// Inserts or replaces documents of `schema`. They may be on their way when this returns:
    /// [`acknowledged`](Self::acknowledged) says how many arrived. After an error nothing more is
    /// sent.
    fn index(&mut self, schema: &Schema, documents: Vec<vectordoc::Document>) -> Result<()>;

    /// Waits until everything sent is acknowledged or refused.
    fn settle(&mut self) -> Result<()>;

    /// Documents that are durable.
    fn acknowledged(&self) -> u64;

    /// How many of the documents indexed are durable with all that were indexed before them.
    fn acknowledged_in_order(&self) -> u64;

    /// How many documents pass a filter.
    fn count(&mut self, filter: &Filter) -> Result<u64>;

    /// A part of the documents.
    fn scroll(&mut self, scroll: &Scroll) -> Result<Page>;

    /// Waits until searches need not scan new documents, telling how many of how many are done.
    fn build_index(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<()>;

    /// Gives the database another number of shards, telling how many of how many steps are done.
    fn reshard(&mut self, shards: usize, progress: &mut dyn FnMut(u64, u64)) -> Result<()>;

    /// The documents nearest to a query.
    fn search(&mut self, query: &Query, explain: bool) -> Result<Answer>;

    /// The vector of a document in the field of this name; `not_found` when there is none.
    fn vector(&mut self, id: &Id, field: &str) -> Result<Vec<f32>>;

    /// Lets go of the database.
    fn close(&mut self) -> Result<()>;
}
