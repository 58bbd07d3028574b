//! Calls that read documents, and what changed.

use super::{
    messages::{self as proto, change},
    params::Params,
    rpc::Ask,
    value::{self, number, of_warnings},
};
use crate::operation::{
    Answer,
    answer::{Changes, Counted, Documents, Measured, OneDocument, Page},
};
use vectordoc::{Result, Schema, native::Change};

impl Ask for proto::GetRequest {
    const RPC: &'static str = "Get";
    const METHOD: &'static str = "doc.get";
    type Response = proto::GetResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.text("read", &self.read);
        match &self.id {
            Some(id) => {
                params.ids("ids", &self.ids)?;
                params.id(id)?;
            }
            None => {
                let written = params.give("ids").array(&self.ids, value::write_id);
                written.map_err(|error| error.within("ids"))?;
            }
        }
        params.include(self.include.as_ref())
    }

    fn response(answer: Answer) -> Option<proto::GetResponse> {
        let (database, docs) = match answer {
            Answer::Documents(Documents { database, docs }) => (database, docs),
            Answer::Document(OneDocument { database, doc, version }) => {
                (database, vec![Some((doc, version))])
            }
            _ => return None,
        };
        let found = |found| match found {
            Some((document, version)) => {
                let doc = Some(value::of_document(database.schema(), document));
                proto::FoundDocument { doc, version }
            }
            None => proto::FoundDocument::default(),
        };
        Some(proto::GetResponse { docs: docs.into_iter().map(found).collect() })
    }
}

impl Ask for proto::CountRequest {
    const RPC: &'static str = "Count";
    const METHOD: &'static str = "doc.count";
    type Response = proto::CountResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.text("read", &self.read);
        params.json("filter", &self.filter)
    }

    fn response(answer: Answer) -> Option<proto::CountResponse> {
        let Answer::Count { count, warnings } = answer else { return None };
        Some(proto::CountResponse { count, warnings: of_warnings(&warnings) })
    }
}

impl Ask for proto::ScrollRequest {
    const RPC: &'static str = "Scroll";
    const METHOD: &'static str = "doc.scroll";
    type Response = proto::ScrollResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.text("read", &self.read);
        params.json("filter", &self.filter)?;
        params.text("order_by", &self.order_by);
        params.flag("descending", self.descending);
        params.text("cursor", &self.cursor);
        params.count("limit", self.limit);
        params.include(self.include.as_ref())
    }

    fn response(answer: Answer) -> Option<proto::ScrollResponse> {
        let Answer::Page(Page { database, docs, cursor, warnings }) = answer else { return None };
        let docs = docs.into_iter().map(|doc| value::of_document(database.schema(), doc));
        let (cursor, warnings) = (cursor.unwrap_or_default(), of_warnings(&warnings));
        Some(proto::ScrollResponse { docs: docs.collect(), cursor, warnings })
    }
}

impl Ask for proto::FacetRequest {
    const RPC: &'static str = "Facet";
    const METHOD: &'static str = "doc.facet";
    type Response = proto::FacetResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.text("read", &self.read);
        params.text("field", &self.field);
        params.json("filter", &self.filter)?;
        params.count("limit", self.limit);
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::FacetResponse> {
        let Answer::Facet { values, warnings } = answer else { return None };
        let counted = |Counted { value, count }| {
            let value = Some(value::of(value));
            proto::FacetValue { value, count }
        };
        let values = values.into_iter().map(counted).collect();
        Some(proto::FacetResponse { values, warnings: of_warnings(&warnings) })
    }
}

impl Ask for proto::RecallRequest {
    const RPC: &'static str = "Recall";
    const METHOD: &'static str = "db.recall";
    type Response = proto::RecallResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.text("field", &self.field);
        params.count("sample", self.sample);
        params.count("k", self.k);
        params.count("ef", self.ef);
        params.json("filter", &self.filter)?;
        params.give("seed").uint(self.seed);
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::RecallResponse> {
        let Answer::Recall(measured) = answer else { return None };
        let Measured { recall, sampled, k, ef, exact_ms, search_ms } = measured;
        let (sampled, k, ef) = (number(sampled), number(k), number(ef));
        Some(proto::RecallResponse { recall, sampled, k, ef, exact_ms, search_ms })
    }
}

impl Ask for proto::ChangesRequest {
    const RPC: &'static str = "Changes";
    const METHOD: &'static str = "changes";
    type Response = proto::ChangesResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.text("since", &self.since);
        params.count("limit", self.limit);
        params.json("filter", &self.filter)?;
        params.include(self.include.as_ref())
    }

    fn response(answer: Answer) -> Option<proto::ChangesResponse> {
        let Answer::Changes(Changes { database, page }) = answer else { return None };
        let changes = page.changes.into_iter().map(|change| told(database.schema(), change));
        Some(proto::ChangesResponse {
            changes: changes.collect(),
            cursor: page.cursor,
            has_more: page.has_more,
        })
    }
}

fn told(schema: &Schema, change: Change) -> proto::Change {
    let (change, version) = match change {
        Change::Index { doc, version } => {
            (change::Change::Index(value::of_document(schema, doc)), version)
        }
        Change::Delete { id, version } => (change::Change::Delete(value::of_id(id)), version),
        Change::Leave { id, version } => (change::Change::Leave(value::of_id(id)), version),
    };
    proto::Change { change: Some(change), version }
}
