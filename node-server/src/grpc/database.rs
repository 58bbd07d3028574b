//! Calls about databases.

use super::{
    messages::{self as proto, listed_database::State},
    params::Params,
    rpc::Ask,
    value::number,
};
use crate::{
    operation::{
        Answer,
        answer::{Description, Listed, ReshardingView},
    },
    telemetry::Line,
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
        serving(params, self.serverless, self.idle_ms);
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

impl Ask for proto::ReshardRequest {
    const RPC: &'static str = "Reshard";
    const METHOD: &'static str = "db.reshard";
    type Response = proto::Database;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        // None is refused with a reason.
        params.give("shards").uint(self.shards.into());
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::Database> {
        described(answer)
    }
}

impl Ask for proto::ConfigureDatabaseRequest {
    const RPC: &'static str = "ConfigureDatabase";
    const METHOD: &'static str = "db.configure";
    type Response = proto::Database;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.count("replicas", self.replicas);
        serving(params, self.serverless, self.idle_ms);
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::Database> {
        described(answer)
    }
}

impl Ask for proto::PauseDatabaseRequest {
    const RPC: &'static str = "PauseDatabase";
    const METHOD: &'static str = "db.pause";
    type Response = proto::Database;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::Database> {
        described(answer)
    }
}

impl Ask for proto::ResumeDatabaseRequest {
    const RPC: &'static str = "ResumeDatabase";
    const METHOD: &'static str = "db.resume";
    type Response = proto::Database;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        if self.force {
            params.give("force").bool(true);
        }
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::Database> {
        described(answer)
    }
}

impl Ask for proto::LogsRequest {
    const RPC: &'static str = "Logs";
    const METHOD: &'static str = "db.logs";
    type Response = proto::LogsResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.give("since").uint(self.since);
        params.count("limit", self.limit);
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::LogsResponse> {
        let Answer::Logs { lines } = answer else { return None };
        let line = |line: Line| {
            let Line { number, time, level, message, .. } = line;
            proto::LogLine { number, time, level: level.into(), message }
        };
        Some(proto::LogsResponse { lines: lines.into_iter().map(line).collect() })
    }
}

/// How a database is to be served, as far as a request says.
fn serving(params: &mut Params, serverless: Option<bool>, idle_ms: Option<u64>) {
    if let Some(serverless) = serverless {
        params.give("serverless").bool(serverless);
    }
    if let Some(idle_ms) = idle_ms {
        params.give("idle_ms").uint(idle_ms);
    }
}

/// What an answer about one database says of it.
pub(super) fn described(answer: Answer) -> Option<proto::Database> {
    let Answer::Database(description) = answer else { return None };
    Some(database(description))
}

fn database(description: Description) -> proto::Database {
    let Description {
        db,
        schema,
        shards,
        documents,
        unindexed,
        memory_bytes,
        state,
        serverless,
        idle_ms,
        replicas,
        resharding,
        rests,
        rests_why,
    } = description;
    let resharding = resharding.map(|ReshardingView { from, to, done, total }| proto::Resharding {
        from: number(from),
        to: number(to),
        done,
        total,
    });
    proto::Database {
        db,
        schema: serde_json::Value::Object(schema).to_string(),
        replicas: replicas.map_or(0, number),
        shards: number(shards),
        documents,
        unindexed,
        memory_bytes,
        resharding,
        state: state.into(),
        serverless,
        idle_ms,
        rests: rests.into(),
        rests_why,
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
