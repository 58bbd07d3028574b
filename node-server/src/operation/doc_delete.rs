//! `doc.delete`: documents by id, or all that pass a filter.

use super::{Answer, Operation, durability, params::Params, read};
use crate::{Catalog, work::Work};
use vectordoc::{Database, Error, Filter, Id, Result};

pub(super) struct DocDelete {
    pub(super) database: Database,
    pub(super) which: Which,
}

pub(super) enum Which {
    Ids(Vec<Id>),
    Passing(Filter),
}

impl Operation for DocDelete {
    const METHOD: &'static str = "doc.delete";
    const PARAMS: &'static [&'static str] = &["db", "ids", "filter", "durability"];
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        durability::check(params)?;
        let database = read::database(params, catalog)?;
        let which = match (params.has("ids"), params.has("filter")) {
            (true, false) => Which::Ids(read::ids(params, database.schema().id().kind)?),
            (false, true) => Which::Passing(read::filter(params)?),
            _ => {
                return Err(Error::invalid(
                    "give either \"ids\" or \"filter\"; the filter {} deletes every document",
                ));
            }
        };
        Ok(Self { database, which })
    }

    fn run(self, _: &Catalog) -> Result<Answer> {
        match self.which {
            Which::Ids(ids) => {
                let deleted = self.database.delete(ids)?;
                Ok(Answer::Deleted { deleted: deleted.deleted, missing: deleted.missing })
            }
            Which::Passing(filter) => {
                let deleted = self.database.delete_where(&filter)?;
                Ok(Answer::Deleted { deleted, missing: Vec::new() })
            }
        }
    }
}
