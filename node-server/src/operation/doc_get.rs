//! `doc.get`: documents by id, each with its version.

use super::{
    Answer, Operation,
    answer::{Documents, OneDocument},
    include::include,
    params::Params,
    read,
    shape::{DB, Field, IDS, INCLUDE, Kind, READ, VERSION},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
};
use vectordoc::{Database, Error, Id, Include, Result, document::IdSeed};

pub(super) struct DocGet {
    pub(super) database: Database,
    pub(super) which: Which,
    pub(super) include: Include,
}

pub(super) enum Which {
    /// `id`: answered with `doc`, or `not_found`.
    One(Id),
    /// `ids`: answered with `docs`.
    Several(Vec<Id>),
}

/// The answer for `id`.
const ONE: Kind = Kind::Object(&[Field::required("doc", Kind::Document, "The document."), VERSION]);
/// The answer for `ids`.
const SEVERAL: Kind = Kind::Object(&[
    Field::required(
        "docs",
        Kind::List(&Kind::Nullable(&Kind::Document)),
        "In the order of the ids; null where there is none.",
    ),
    Field::required("versions", Kind::List(&Kind::Nullable(&Kind::Count)), "The version of each."),
]);

impl Operation for DocGet {
    const METHOD: &'static str = "doc.get";
    const SUMMARY: &'static str = "Get documents by id";
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [Field] = &[
        DB,
        Field::optional("id", Kind::Id, "The document; either this or ids."),
        Field::optional("ids", IDS, "Their ids."),
        INCLUDE,
        READ,
    ];
    const RESULT: Kind = Kind::AnyOf(&[ONE, SEVERAL]);

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::fresh(params, catalog)?;
        let kind = database.schema().id().kind;
        let which = match (params.has("id"), params.has("ids")) {
            (true, false) => Which::One(params.seeded("id", IdSeed(kind))?),
            (false, true) => Which::Several(read::ids(params, kind)?),
            _ => return Err(Error::invalid("give either \"id\" or \"ids\"")),
        };
        let include = include(params, database.schema())?;
        Ok(Self { database, which, include })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        let Self { database, which, include } = self;
        match which {
            Which::Several(ids) => {
                let docs = database.get_versioned(&ids, &include)?;
                Ok(Answer::Documents(Documents { database, docs }))
            }
            Which::One(id) => {
                let ids = [id];
                let mut found = database.get_versioned(&ids, &include)?;
                let [id] = ids;
                let missing =
                    || Error::not_found(format!("there is no document with the id {id:?}"));
                let (doc, version) = found.pop().flatten().ok_or_else(missing)?;
                Ok(Answer::Document(OneDocument { database, doc, version }))
            }
        }
    }
}
