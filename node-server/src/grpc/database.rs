//! Calls about databases.

use super::{
    messages::{self as proto, listed_database::State},
    params::Params,
    rpc::Ask,
};
use crate::operation::{
    Answer,
    answer::{Description, Listed},
};
use vectordoc::Result;

impl Ask for proto::CreateDatabaseRequest {
    const RPC: &'static str = "CreateDatabase";
    const METHOD: &'static str = "db.create";
    type Response = proto::Database;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.json("schema", &self.schema)?;
        params.count("shards", self.shards);
        params.count("replicas", self.replicas);
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::Database> {
        described(answer)
    }
}

impl Ask for proto::ListDatabasesRequest {
    const RPC: &'static str = "ListDatabases";
    const METHOD: &'static str = "db.list";
    type Response = proto::ListDatabasesResponse;

    fn write(&self, _: &mut Params) -> Result<()> {
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::ListDatabasesResponse> {
        let Answer::Databases { dbs } = answer else { return None };
        Some(proto::ListDatabasesResponse { dbs: dbs.into_iter().map(listed).collect() })
    }
}

impl Ask for proto::GetDatabaseRequest {
    const RPC: &'static str = "GetDatabase";
    const METHOD: &'static str = "db.get";
    type Response = proto::Database;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::Database> {
        described(answer)
    }
}

impl Ask for proto::DropDatabaseRequest {
    const RPC: &'static str = "DropDatabase";
    const METHOD: &'static str = "db.drop";
    type Response = proto::DropDatabaseResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::DropDatabaseResponse> {
        matches!(answer, Answer::Dropped { .. }).then_some(proto::DropDatabaseResponse {})
    }
}

fn described(answer: Answer) -> Option<proto::Database> {
    let Answer::Database(description) = answer else { return None };
    Some(database(description))
}

fn database(description: Description) -> proto::Database {
    let Description { db, schema, shards, documents, unindexed, memory_bytes, .. } = description;
    proto::Database {
        db,
        schema: serde_json::Value::Object(schema).to_string(),
        shards: u32::try_from(shards).unwrap_or(u32::MAX),
        documents,
        unindexed,
        memory_bytes,
    }
}

fn listed(listed: Listed) -> proto::ListedDatabase {
    match listed {
        Listed::Usable(description) => {
            let database = database(description);
            proto::ListedDatabase { db: database.db.clone(), state: Some(State::Usable(database)) }
        }
        Listed::Broken { db, error } => {
            let reason = proto::Reason { code: error.code.into(), message: error.message };
            proto::ListedDatabase { db, state: Some(State::Broken(reason)) }
        }
    }
}
