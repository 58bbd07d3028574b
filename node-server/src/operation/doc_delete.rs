//! `doc.delete`: documents by id, or all that pass a filter.

use super::{
    Answer, Operation, condition,
    params::Params,
    read,
    shape::{DB, DURABILITY, FILTER, Field, IDS, IF_VERSION, Kind, WRITTEN},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::{Batch, Database, Error, Filter, Id, Result};

/// What a condition is for.
const ONE: &str = "\"ids\" of one element";

pub(super) struct DocDelete {
    pub(super) database: Database,
    pub(super) which: Which,
}

pub(super) enum Which {
    Ids(Vec<Id>),
    /// The document with this id, if it has this version.
    One(Id, u64),
    Passing(Filter),
}

impl Operation for DocDelete {
    const METHOD: &'static str = "doc.delete";
    const SUMMARY: &'static str = "Delete documents, by id or all that pass a filter";
    const ROLE: Role = Role::Write;
    const PARAMS: &'static [Field] = &[
        DB,
        Field::optional("ids", IDS, "Their ids; either this or a filter."),
        FILTER,
        IF_VERSION,
        DURABILITY,
    ];
    const RESULT: Kind = Kind::Object(&[
        Field::required("deleted", Kind::Count, "How many documents were deleted."),
        Field::required("missing", IDS, "The ids that no document had."),
        WRITTEN,
    ]);
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::written(params, catalog)?;
        let version = condition::version(params)?;
        let which = match (params.has("ids"), params.has("filter")) {
            (true, false) => {
                let ids = read::ids(params, database.schema().id().kind)?;
                match (&ids[..], version) {
                    (_, None) => Which::Ids(ids),
                    ([id], Some(version)) => Which::One(id.clone(), version),
                    _ => return Err(condition::about_one(ONE)),
                }
            }
            (false, true) if version.is_some() => return Err(condition::about_one(ONE)),
            (false, true) => Which::Passing(read::filter(params)?),
            _ => {
                return Err(Error::invalid(
                    "give either \"ids\" or \"filter\"; the filter {} deletes every document",
                ));
            }
        };
        Ok(Self { database, which })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        let durability = self.database.durability().name();
        let (deleted, missing) = match self.which {
            Which::Ids(ids) => {
                let deleted = self.database.delete(ids)?;
                (deleted.deleted, deleted.missing)
            }
            Which::One(id, version) => {
                let batch = Batch::delete(vec![id.clone()]);
                let done = condition::change(&self.database, &id, batch, Some(version))?;
                (usize::from(done.deleted > 0), done.missing)
            }
            Which::Passing(filter) => (self.database.delete_where(&filter)?, Vec::new()),
        };
        Ok(Answer::Deleted { deleted, missing, durability })
    }
}
