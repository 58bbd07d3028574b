//! `doc.patch`: some fields changed, of one document or of all that pass a filter.

use super::{
    Answer, Operation, condition,
    params::Params,
    read,
    shape::{DB, DURABILITY, FILTER, Field, IF_VERSION, Kind, VERSION, WRITTEN},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use std::collections::BTreeMap;
use vectordoc::{Batch, Database, Error, Filter, Id, Patch, Result, Value, document::IdSeed};

/// The parameters that make the patch.
const PARTS: [&str; 3] = ["set", "unset", "increment"];

pub(super) struct DocPatch {
    pub(super) database: Database,
    pub(super) which: Which,
    pub(super) patch: Patch,
}

pub(super) enum Which {
    /// The document with this id, if it has this version.
    One(Id, Option<u64>),
    Passing(Filter),
}

impl Operation for DocPatch {
    const METHOD: &'static str = "doc.patch";
    const SUMMARY: &'static str = "Change some fields of documents";
    const ROLE: Role = Role::Write;
    const PARAMS: &'static [Field] = &[
        DB,
        Field::optional("id", Kind::Id, "The document; either this or a filter."),
        FILTER,
        Field::optional("set", Kind::Object(&[]), "New values by the paths of their fields."),
        Field::optional("unset", Kind::List(&Kind::Text), "The paths of fields to be removed."),
        Field::optional(
            "increment",
            Kind::Object(&[]),
            "Numbers to be added, by the paths of their fields.",
        ),
        IF_VERSION,
        DURABILITY,
    ];
    const RESULT: Kind = Kind::AnyOf(&[
        Kind::Object(&[VERSION, WRITTEN]),
        Kind::Object(&[
            Field::required("patched", Kind::Count, "How many documents passed the filter."),
            WRITTEN,
        ]),
    ]);
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::written(params, catalog)?;
        let version = condition::version(params)?;
        let which = match (params.has("id"), params.has("filter")) {
            (true, false) => {
                let id = params.seeded("id", IdSeed(database.schema().id().kind))?;
                Which::One(id, version)
            }
            (false, true) if version.is_some() => return Err(condition::about_one("\"id\"")),
            (false, true) => Which::Passing(read::filter(params)?),
            _ => {
                return Err(Error::invalid(
                    "give either \"id\" or \"filter\"; the filter {} patches every document",
                ));
            }
        };
        Ok(Self { database, which, patch: patch(params)? })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        let Self { database, which, patch } = self;
        let durability = database.durability().name();
        match which {
            Which::One(id, version) => {
                let batch = Batch::patch(id.clone(), patch);
                let version = condition::change(&database, &id, batch, version)?.version;
                Ok(Answer::Patched { version, durability })
            }
            Which::Passing(filter) => {
                let patched = database.patch_where(&filter, &patch)?;
                Ok(Answer::PatchedWhere { patched, durability })
            }
        }
    }
}

fn patch(params: &Params<'_>) -> Result<Patch> {
    let part = |name: &str| {
        let part = params.optional::<Value>(name).transpose()?;
        Some(part.map(|part| (name.to_owned(), part)))
    };
    let parts: BTreeMap<_, _> = PARTS.into_iter().filter_map(part).collect::<Result<_>>()?;
    if parts.is_empty() {
        return Err(Error::invalid(
            "the patch changes nothing; give \"set\", \"unset\" or \"increment\"",
        ));
    }
    Patch::from_value(Value::Object(parts))
}
