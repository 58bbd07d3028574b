//! JSON-RPC's params and results as messages of gRPC, and back.

use super::{
    Client,
    messages::{
        self as proto, Durability, change::Change, fusion::Method, id, listed_database::State,
        value::Kind,
    },
};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use tonic::Status;

/// What `method` of JSON-RPC with `params` is answered with over gRPC, as JSON-RPC would say it.
pub(crate) async fn ask(client: &mut Client, method: &str, params: &Json) -> Result<Json, Status> {
    let mut params = Params(params.as_object().expect("params are an object").clone());
    let p = &mut params;
    let db = p.text("db");
    let (schema, filter, include) = (p.json("schema"), p.json("filter"), p.include());
    let (ids, docs) = (p.ids("ids"), p.documents());
    let (if_version, durability) = (p.version(), p.durability());
    let (limit, cursor, read) = (p.count("limit"), p.text("cursor"), p.text("read"));
    let answer = match method {
        "db.create" => {
            let (shards, replicas) = (p.count("shards"), p.count("replicas"));
            let (serverless, idle_ms) = p.serving();
            let request =
                proto::CreateDatabaseRequest { db, schema, shards, replicas, serverless, idle_ms };
            database(&client.create_database(request).await?.into_inner())
        }
        "db.list" => {
            let listed = client.list_databases(proto::ListDatabasesRequest {}).await?.into_inner();
            json!({"dbs": listed.dbs.iter().map(listed_database).collect::<Vec<_>>()})
        }
        "db.get" => {
            database(&client.get_database(proto::GetDatabaseRequest { db }).await?.into_inner())
        }
        "db.drop" => {
            client.drop_database(proto::DropDatabaseRequest { db }).await?;
            json!({"dropped": true})
        }
        "db.reshard" => {
            let request = proto::ReshardRequest { db, shards: p.count("shards") };
            database(&client.reshard(request).await?.into_inner())
        }
        "db.configure" => {
            let (serverless, idle_ms) = p.serving();
            let request = proto::ConfigureDatabaseRequest {
                db,
                serverless,
                idle_ms,
                replicas: p.count("replicas"),
            };
            database(&client.configure_database(request).await?.into_inner())
        }
        "db.pause" => {
            let request = proto::PauseDatabaseRequest { db };
            database(&client.pause_database(request).await?.into_inner())
        }
        "db.resume" => {
            let request = proto::ResumeDatabaseRequest { db, force: p.flag("force") };
            database(&client.resume_database(request).await?.into_inner())
        }
        "db.logs" => {
            let since = p.count("since").into();
            let answer = client.logs(proto::LogsRequest { db, since, limit }).await?.into_inner();
            let line = |line: &proto::LogLine| {
                let proto::LogLine { number, time, level, message } = line;
                json!({"number": number, "time": time, "level": level, "message": message})
            };
            json!({"lines": answer.lines.iter().map(line).collect::<Vec<_>>()})
        }
        "cluster.status" => {
            let request = proto::ClusterStatusRequest { hashes: p.flag("hashes") };
            cluster(client.cluster_status(request).await?.into_inner())
        }
        "cluster.remove" => {
            let node = p.count("node").into();
            client.remove_node(proto::RemoveNodeRequest { node }).await?;
            json!({"removed": true})
        }
        "db.recall" => {
            let request = proto::RecallRequest {
                db,
                field: p.text("field"),
                sample: p.count("sample"),
                k: p.count("k"),
                ef: p.count("ef"),
                filter,
                seed: p.count("seed").into(),
            };
            recall(&client.recall(request).await?.into_inner())
        }
        "doc.index" => {
            let request = proto::IndexRequest { db, docs, if_version, durability };
            let answer = client.index(request).await?.into_inner();
            written("indexed", Some(answer.indexed), answer.version, answer.durability)
        }
        "doc.update" => {
            let request = proto::UpdateRequest { db, docs, if_version, durability };
            let answer = client.update(request).await?.into_inner();
            written("updated", Some(answer.updated), answer.version, answer.durability)
        }
        "doc.patch" => {
            let id = p.0.remove("id").map(|id| id_of(&id));
            let (set, increment) = (p.fields("set"), p.fields("increment"));
            let unset = p.texts("unset");
            let request = proto::PatchRequest {
                db,
                id,
                filter,
                set,
                unset,
                increment,
                if_version,
                durability,
            };
            let answer = client.patch(request).await?.into_inner();
            let patched = answer.version.is_none().then_some(answer.patched);
            let written = written("patched", patched, answer.version, answer.durability);
            warned(written, &answer.warnings)
        }
        "doc.get" => {
            let id = p.0.remove("id").map(|id| id_of(&id));
            let is_one = id.is_some();
            let request = proto::GetRequest { db, ids, include, id, read };
            let found = client.get(request).await?.into_inner().docs;
            let docs: Vec<_> = found.iter().map(|found| found.doc.as_ref().map(document)).collect();
            let versions: Vec<_> =
                found.iter().map(|found| found.doc.as_ref().map(|_| found.version)).collect();
            if is_one {
                json!({"doc": docs[0], "version": versions[0]})
            } else {
                json!({"docs": docs, "versions": versions})
            }
        }
        "doc.delete" => {
            let request = proto::DeleteRequest { db, ids, filter, if_version, durability };
            let answer = client.delete(request).await?.into_inner();
            let mut json = written("deleted", Some(answer.deleted), None, answer.durability);
            json["missing"] = answer.missing.iter().map(id_json).collect();
            warned(json, &answer.warnings)
        }
        "search" => {
            let request = proto::SearchRequest { read, ..p.search(db, filter, include, limit) };
            let answer = client.search(request).await?.into_inner();
            warned(searched(&answer), &answer.warnings)
        }
        "doc.count" => {
            let answer = client.count(proto::CountRequest { db, filter, read }).await?.into_inner();
            warned(json!({"count": answer.count}), &answer.warnings)
        }
        "doc.scroll" => {
            let (order_by, descending) = (p.text("order_by"), p.flag("descending"));
            let request = proto::ScrollRequest {
                db,
                filter,
                order_by,
                descending,
                cursor,
                limit,
                include,
                read,
            };
            let answer = client.scroll(request).await?.into_inner();
            let cursor = Some(answer.cursor).filter(|cursor| !cursor.is_empty());
            let docs: Vec<_> = answer.docs.iter().map(document).collect();
            warned(json!({"docs": docs, "cursor": cursor}), &answer.warnings)
        }
        "doc.facet" => {
            let request = proto::FacetRequest { db, field: p.text("field"), filter, limit, read };
            let proto::FacetResponse { values, warnings } =
                client.facet(request).await?.into_inner();
            let counted = |counted: &proto::FacetValue| json!({"value": value_json(counted.value.as_ref()), "count": counted.count});
            warned(json!({"values": values.iter().map(counted).collect::<Vec<_>>()}), &warnings)
        }
        "changes" => {
            let request =
                proto::ChangesRequest { db, since: p.text("since"), limit, filter, include };
            changes(&client.changes(request).await?.into_inner())
        }
        other => panic!("there is no method {other}"),
    };
    assert!(params.0.is_empty(), "messages have no place for {:?}", params.0);
    Ok(answer)
}

/// Parameters that are taken one by one.
struct Params(Map<String, Json>);

impl Params {
    fn text(&mut self, name: &str) -> String {
        let text = self.0.remove(name);
        text.map_or(String::new(), |text| text.as_str().expect("text").to_owned())
    }

    fn texts(&mut self, name: &str) -> Vec<String> {
        let text = |text: &Json| text.as_str().expect("text").to_owned();
        self.list(name).iter().map(text).collect()
    }

    fn list(&mut self, name: &str) -> Vec<Json> {
        let list = self.0.remove(name);
        list.map_or(Vec::new(), |list| list.as_array().expect("an array").clone())
    }

    fn json(&mut self, name: &str) -> String {
        self.0.remove(name).map_or(String::new(), |json| json.to_string())
    }

    fn count(&mut self, name: &str) -> u32 {
        let count = self.0.remove(name).map(|count| count.as_u64().expect("a count"));
        count.map_or(0, |count| u32::try_from(count).expect("32 bits"))
    }

    fn flag(&mut self, name: &str) -> bool {
        self.0.remove(name) == Some(Json::Bool(true))
    }

    fn serving(&mut self) -> (Option<bool>, Option<u64>) {
        let serverless = self.0.remove("serverless").and_then(|serverless| serverless.as_bool());
        (serverless, self.0.remove("idle_ms").and_then(|idle_ms| idle_ms.as_u64()))
    }

    fn version(&mut self) -> Option<u64> {
        self.0.remove("if_version").and_then(|version| version.as_u64())
    }

    fn durability(&mut self) -> i32 {
        let durability = match &*self.text("durability") {
            "" => Durability::Unspecified,
            "fsync" => Durability::Fsync,
            "memory" => Durability::Memory,
            "quorum" => Durability::Quorum,
            other => panic!("durability {other}"),
        };
        durability.into()
    }

    fn include(&mut self) -> Option<proto::Include> {
        let fields = match self.0.remove("include")? {
            Json::String(all) => vec![all],
            fields => serde_json::from_value(fields).expect("names"),
        };
        Some(proto::Include { fields })
    }

    fn ids(&mut self, name: &str) -> Vec<proto::Id> {
        self.list(name).iter().map(id_of).collect()
    }

    fn documents(&mut self) -> Vec<proto::Document> {
        let mut docs = self.list("docs");
        docs.extend(self.0.remove("doc"));
        let document = |doc: &Json| proto::Document { fields: fields_of(doc) };
        docs.iter().map(document).collect()
    }

    fn fields(&mut self, name: &str) -> BTreeMap<String, proto::Value> {
        self.0.remove(name).map_or(BTreeMap::new(), |fields| fields_of(&fields))
    }

    fn search(
        &mut self,
        db: String,
        filter: String,
        include: Option<proto::Include>,
        limit: u32,
    ) -> proto::SearchRequest {
        let vectors = self.list("vectors");
        let vectors = vectors.into_iter().map(|numbers| proto::Vector { values: floats(&numbers) });
        proto::SearchRequest {
            db,
            vector: self.0.remove("vector").map_or(Vec::new(), |numbers| floats(&numbers)),
            vectors: vectors.collect(),
            like: self.ids("like"),
            unlike: self.ids("unlike"),
            except: self.ids("except"),
            field: self.text("field"),
            text: self.text("text"),
            text_field: self.text("text_field"),
            fusion: self.0.remove("fusion").map(|fusion| fusion_of(&fusion)),
            limit,
            offset: self.count("offset"),
            ef: self.count("ef"),
            exact: self.flag("exact"),
            min_score: self.0.remove("min_score").map(|score| float(&score)),
            filter,
            include,
            group_by: self.text("group_by"),
            group_size: self.count("group_size"),
            explain: self.flag("explain"),
            read: String::new(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "vectors are of single floats")]
fn float(number: &Json) -> f32 {
    number.as_f64().expect("a number") as f32
}

fn floats(numbers: &Json) -> Vec<f32> {
    numbers.as_array().expect("numbers").iter().map(float).collect()
}

fn fusion_of(fusion: &Json) -> proto::Fusion {
    let method = match fusion.as_object() {
        Some(method) if method.contains_key("weighted") => {
            Method::Weighted(float(&method["weighted"]))
        }
        method => {
            let k = method.and_then(|method| method["rrf"].as_u64()).unwrap_or(0);
            Method::Rrf(proto::RankFusion { k: u32::try_from(k).expect("32 bits") })
        }
    };
    proto::Fusion { method: Some(method) }
}

fn id_of(id: &Json) -> proto::Id {
    let id = match id {
        Json::String(text) => id::Id::Text(text.clone()),
        number => id::Id::Number(number.as_u64().expect("an id")),
    };
    proto::Id { id: Some(id) }
}

fn fields_of(fields: &Json) -> BTreeMap<String, proto::Value> {
    let fields = fields.as_object().expect("an object").iter();
    fields.map(|(name, value)| (name.clone(), value_of(value))).collect()
}

fn value_of(value: &Json) -> proto::Value {
    let kind = match value {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Kind::IntValue(number),
            (_, Some(number)) => Kind::UintValue(number),
            _ => Kind::DoubleValue(number.as_f64().expect("a number")),
        },
        Json::String(text) => Kind::StringValue(text.clone()),
        Json::Array(values) => {
            Kind::ListValue(proto::List { values: values.iter().map(value_of).collect() })
        }
        Json::Object(_) => Kind::ObjectValue(proto::Object { fields: fields_of(value) }),
    };
    proto::Value { kind: Some(kind) }
}

fn id_json(id: &proto::Id) -> Json {
    match id.id.as_ref().expect("an id") {
        id::Id::Text(text) => json!(text),
        id::Id::Number(number) => json!(number),
    }
}

/// A single float as JSON writes it: by the digits it takes.
fn float_json(number: f32) -> Json {
    json!(number.to_string().parse::<f64>().expect("a number"))
}

fn value_json(value: Option<&proto::Value>) -> Json {
    match value.and_then(|value| value.kind.as_ref()).expect("a value") {
        Kind::NullValue(_) => Json::Null,
        Kind::BoolValue(value) => json!(value),
        Kind::IntValue(value) => json!(value),
        Kind::UintValue(value) => json!(value),
        Kind::DoubleValue(value) => json!(value),
        Kind::StringValue(text) => json!(text),
        Kind::BytesValue(bytes) => json!(bytes),
        Kind::ListValue(list) => list.values.iter().map(|value| value_json(Some(value))).collect(),
        Kind::ObjectValue(object) => fields_json(&object.fields),
        Kind::VectorValue(vector) => vector.values.iter().copied().map(float_json).collect(),
    }
}

fn fields_json(fields: &BTreeMap<String, proto::Value>) -> Json {
    let field = |(name, value): (&String, _)| (name.clone(), value_json(Some(value)));
    Json::Object(fields.iter().map(field).collect())
}

fn document(document: &proto::Document) -> Json {
    fields_json(&document.fields)
}

/// An answer with what there is to know about the question.
fn warned(mut answer: Json, warnings: &[String]) -> Json {
    if !warnings.is_empty() {
        answer["warnings"] = json!(warnings);
    }
    answer
}

fn cluster(seen: proto::ClusterStatusResponse) -> Json {
    let proto::ClusterStatusResponse { cluster, node, nodes, databases, moves } = seen;
    let node_of = |seen: proto::ClusterNode| {
        let proto::ClusterNode { node, address, url, is_up, is_leader, replicas } = seen;
        json!({
            "node": node, "address": address, "url": url, "is_up": is_up,
            "is_leader": is_leader, "replicas": replicas,
        })
    };
    let replica_of = |seen: proto::ClusterReplica| {
        let proto::ClusterReplica { shard, node, role, term, applied, documents, record, hash } =
            seen;
        json!({
            "shard": shard, "node": node, "role": role, "term": term, "applied": applied,
            "documents": documents, "record": record, "hash": hash,
        })
    };
    let database_of = |seen: proto::ClusterDatabase| {
        let replicas: Vec<Json> = seen.replicas.into_iter().map(replica_of).collect();
        json!({
            "db": seen.db, "shards": seen.shards, "replicas_wanted": seen.replicas_wanted,
            "replicas": replicas,
        })
    };
    let move_of = |seen: proto::ClusterMove| {
        let proto::ClusterMove { db, shard, from, to, done, total } = seen;
        json!({"db": db, "shard": shard, "from": from, "to": to, "done": done, "total": total})
    };
    json!({
        "cluster": cluster, "node": node,
        "nodes": nodes.into_iter().map(node_of).collect::<Vec<_>>(),
        "databases": databases.into_iter().map(database_of).collect::<Vec<_>>(),
        "moves": moves.into_iter().map(move_of).collect::<Vec<_>>(),
    })
}

fn recall(measured: &proto::RecallResponse) -> Json {
    let proto::RecallResponse { recall, sampled, k, ef, exact_ms, search_ms } = measured;
    json!({
        "recall": recall, "sampled": sampled, "k": k, "ef": ef,
        "exact_ms": exact_ms, "search_ms": search_ms,
    })
}

/// A description of a database.
pub(crate) fn database(database: &proto::Database) -> Json {
    let mut description = json!({
        "db": database.db,
        "schema": serde_json::from_str::<Json>(&database.schema).expect("JSON"),
        "shards": database.shards,
        "documents": database.documents,
        "unindexed": database.unindexed,
        "memory_bytes": database.memory_bytes,
        "state": database.state,
        "serverless": database.serverless,
        "rests": database.rests,
    });
    if let Some(why) = &database.rests_why {
        description["rests_why"] = json!(why);
    }
    if let Some(idle_ms) = database.idle_ms {
        description["idle_ms"] = json!(idle_ms);
    }
    if database.replicas > 0 {
        description["replicas"] = json!(database.replicas);
    }
    if let Some(proto::Resharding { from, to, done, total }) = &database.resharding {
        description["resharding"] = json!({"from": from, "to": to, "done": done, "total": total});
    }
    description
}

fn listed_database(listed: &proto::ListedDatabase) -> Json {
    match listed.state.as_ref().expect("a state") {
        State::Usable(usable) => database(usable),
        State::Broken(reason) => json!({
            "db": listed.db,
            "error": {"code": reason.code, "message": reason.message},
        }),
    }
}

fn written(verb: &str, count: Option<u64>, version: Option<u64>, durability: i32) -> Json {
    let durability = match Durability::try_from(durability).expect("a durability") {
        Durability::Fsync => "fsync",
        Durability::Memory => "memory",
        other => panic!("{other:?}"),
    };
    let mut answer = json!({"durability": durability});
    if let Some(count) = count {
        answer[verb] = json!(count);
    }
    if let Some(version) = version {
        answer["version"] = json!(version);
    }
    answer
}

fn hits(hits: &[proto::Hit]) -> Json {
    let hit = |hit: &proto::Hit| {
        json!({
            "id": id_json(hit.id.as_ref().expect("an id")),
            "score": float_json(hit.score),
            "distance": float_json(hit.distance),
            "doc": document(hit.doc.as_ref().expect("a document")),
        })
    };
    hits.iter().map(hit).collect()
}

fn found(all: &[proto::Hit], explanation: Option<&proto::Explanation>) -> Json {
    let mut found = json!({"hits": hits(all)});
    if let Some(proto::Explanation { plan, visited, exact, ef, allowed }) = explanation {
        found["explain"] = json!({
            "plan": plan, "visited": visited, "exact": exact, "ef": ef, "allowed": allowed,
        });
    }
    found
}

fn searched(answer: &proto::SearchResponse) -> Json {
    if !answer.results.is_empty() {
        let result = |result: &proto::SearchResult| found(&result.hits, result.explain.as_ref());
        return json!({"results": answer.results.iter().map(result).collect::<Vec<_>>()});
    }
    if !answer.groups.is_empty() {
        let group = |group: &proto::HitGroup| json!({"value": value_json(group.value.as_ref()), "hits": hits(&group.hits)});
        return json!({"groups": answer.groups.iter().map(group).collect::<Vec<_>>()});
    }
    found(&answer.hits, answer.explain.as_ref())
}

/// The result of `changes`.
pub(crate) fn changes(answer: &proto::ChangesResponse) -> Json {
    let change = |change: &proto::Change| {
        let mut json = match change.change.as_ref().expect("a change") {
            Change::Index(doc) => json!({"op": "index", "doc": document(doc)}),
            Change::Delete(id) => json!({"op": "delete", "id": id_json(id)}),
            Change::Leave(id) => json!({"op": "leave", "id": id_json(id)}),
        };
        json["version"] = json!(change.version);
        json
    };
    json!({
        "changes": answer.changes.iter().map(change).collect::<Vec<_>>(),
        "cursor": answer.cursor,
        "has_more": answer.has_more,
    })
}
