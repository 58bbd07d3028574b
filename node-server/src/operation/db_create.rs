//! `db.create`: a new database, or the one that is there with the same schema.

use super::{Answer, Operation, answer::Description, params::Params};
use crate::{Catalog, keys::Role, work::Work};
use vectordoc::{Error, Result, Schema};

pub(super) struct DbCreate {
    pub(super) db: String,
    pub(super) schema: Schema,
    /// How many; the server's choice when not given.
    pub(super) shards: Option<usize>,
}

impl Operation for DbCreate {
    const METHOD: &'static str = "db.create";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [&'static str] = &["db", "schema", "shards", "replicas"];
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        match params.optional::<usize>("replicas")? {
            None | Some(1) => {}
            Some(replicas) => {
                return Err(Error::unsupported(format!(
                    "replicas: this build keeps 1, the request says {replicas}"
                )));
            }
        }
        Ok(Self {
            db: params.required("db")?,
            schema: Schema::from_json(&params.required("schema")?)?,
            shards: params.optional("shards")?,
        })
    }

    fn run(self, catalog: &Catalog) -> Result<Answer> {
        let database = catalog.create(&self.db, &self.schema, self.shards)?;
        Ok(Answer::Database(Description::of(&self.db, &database)))
    }
}
