//! A database in a data directory that this process takes for itself.

use super::{Answer, Found, LOOK_EVERY, Place};
use crate::Catalog;
use serde_json::json;
use std::path::Path;
use vectordoc::{
    Database, Document, Error, Filter, Id, Include, Page, Query, Result, Schema, Scroll,
    query::{Explanation, Warning},
};

/// Shards of a new database whose creator does not say.
const SHARDS_DEFAULT: usize = 1;

pub(super) struct Local {
    catalog: Catalog,
    name: String,
    acknowledged: u64,
}

impl Local {
    pub(super) fn open(data: &Path, name: &str) -> Result<Self> {
        let catalog = Catalog::open(data, SHARDS_DEFAULT)?;
        Ok(Self { catalog, name: name.to_owned(), acknowledged: 0 })
    }

    fn database(&self) -> Result<Database> {
        self.catalog.get(&self.name)
    }
}

impl Place for Local {
    fn schema(&mut self) -> Result<Schema> {
        Ok(self.database()?.schema().clone())
    }

    fn create(&mut self, schema: &Schema, shards: Option<usize>) -> Result<()> {
        self.catalog.create(&self.name, schema, shards).map(drop)
    }

    fn index(&mut self, _schema: &Schema, documents: Vec<Document>) -> Result<()> {
        let indexed = self.database()?.index(documents)?;
        self.acknowledged += u64::try_from(indexed).unwrap_or_default();
        Ok(())
    }

    fn settle(&mut self) -> Result<()> {
        Ok(())
    }

    fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    fn acknowledged_in_order(&self) -> u64 {
        self.acknowledged
    }

    fn count(&mut self, filter: &Filter) -> Result<u64> {
        self.database()?.count(filter)
    }

    fn scroll(&mut self, scroll: &Scroll) -> Result<Page> {
        self.database()?.scroll(scroll)
    }

    fn build_index(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        self.database()?.wait_indexed(progress)
    }

    fn reshard(&mut self, shards: usize, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        let database = self.database()?;
        std::thread::scope(|scope| {
            let resharding = scope.spawn(|| database.reshard(shards));
            while !resharding.is_finished() {
                database.resharding().iter().for_each(|now| progress(now.done, now.total));
                std::thread::sleep(LOOK_EVERY);
            }
            let ended = resharding.join();
            ended.unwrap_or_else(|_| Err(Error::internal("resharding ended unexpectedly")))
        })
    }

    fn search(&mut self, query: &Query, explain: bool) -> Result<Answer> {
        let database = self.database()?;
        let (hits, explanation) = if explain {
            let (hits, explanation) = database.explain(query)?;
            (hits, Some(explanation))
        } else {
            (database.search(query)?, None)
        };
        let hits = hits.iter().map(|hit| Found::from_hit(database.schema(), hit));
        let hits = hits.collect::<Result<_>>()?;
        let warnings = database.search_warnings(query)?.iter().map(Warning::to_string).collect();
        Ok(Answer { hits, explain: explanation.as_ref().map(explanation_json), warnings })
    }

    fn vector(&mut self, id: &Id, field: &str) -> Result<Vec<f32>> {
        let database = self.database()?;
        let number = database.schema().vector_number(Some(field))?;
        let include = Include::Fields(vec![field.to_owned()]);
        let mut documents = database.get(std::slice::from_ref(id), &include)?;
        let document = documents.pop().flatten();
        let document =
            document.ok_or_else(|| Error::not_found(format!("there is no document {id}")))?;
        let vector = document.vectors.into_iter().nth(number).flatten();
        vector.ok_or_else(|| Error::not_found(format!("document {id} has no {field:?}")))
    }

    fn close(&mut self) -> Result<()> {
        self.catalog.close();
        Ok(())
    }
}

fn explanation_json(explanation: &Explanation) -> serde_json::Value {
    json!({
        "plan": explanation.plan,
        "visited": explanation.visited,
        "exact": explanation.exact,
        "ef": explanation.ef,
        "allowed": explanation.allowed,
    })
}
