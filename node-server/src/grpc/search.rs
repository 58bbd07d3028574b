//! The call that searches.

use super::{
    messages::{self as proto, fusion::Method},
    params::Params,
    rpc::Ask,
    value::{self, number, of_warnings},
};
use crate::operation::{
    Answer,
    answer::{Groups, Hits},
};
use vectordoc::{Error, Hit, HitGroup, Result, Schema, query::Explanation};

impl Ask for proto::SearchRequest {
    const RPC: &'static str = "Search";
    const METHOD: &'static str = "search";
    type Response = proto::SearchResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.text("read", &self.read);
        params.vector("vector", &self.vector);
        if !self.vectors.is_empty() {
            params.give("vectors").array(&self.vectors, |items, vector| {
                items.vector(&vector.values);
                Ok(())
            })?;
        }
        params.ids("like", &self.like)?;
        params.ids("unlike", &self.unlike)?;
        params.ids("except", &self.except)?;
        params.text("field", &self.field);
        params.text("text", &self.text);
        params.text("text_field", &self.text_field);
        if let Some(fusion) = &self.fusion {
            write_fusion(params, fusion)?;
        }
        params.count("limit", self.limit);
        params.count("offset", self.offset);
        params.count("ef", self.ef);
        params.flag("exact", self.exact);
        if let Some(score) = self.min_score {
            params.give("min_score").float(score);
        }
        params.json("filter", &self.filter)?;
        params.include(self.include.as_ref())?;
        params.text("group_by", &self.group_by);
        params.count("group_size", self.group_size);
        params.flag("explain", self.explain);
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::SearchResponse> {
        let empty = proto::SearchResponse::default();
        Some(match answer {
            Answer::Hits(hits) => {
                let warnings = of_warnings(&hits.warnings);
                let proto::SearchResult { hits, explain } = result(hits);
                proto::SearchResponse { hits, explain, warnings, ..empty }
            }
            Answer::Groups(Groups { database, groups, warnings }) => {
                let groups = groups.into_iter().map(|group| of_group(database.schema(), group));
                let warnings = of_warnings(&warnings);
                proto::SearchResponse { groups: groups.collect(), warnings, ..empty }
            }
            Answer::Results { results, warnings } => {
                let results = results.into_iter().map(result).collect();
                proto::SearchResponse { results, warnings: of_warnings(&warnings), ..empty }
            }
            _ => return None,
        })
    }
}

fn write_fusion(params: &mut Params, fusion: &proto::Fusion) -> Result<()> {
    let items = params.give("fusion");
    match &fusion.method {
        Some(Method::Rrf(proto::RankFusion { k: 0 })) => items.text("rrf"),
        Some(Method::Rrf(proto::RankFusion { k })) => items.entry("rrf").uint((*k).into()),
        Some(Method::Weighted(weight)) => items.entry("weighted").float(*weight),
        None => {
            return Err(Error::invalid(
                "fusion: it is nothing that this server knows; set `rrf` or `weighted`",
            ));
        }
    }
    Ok(())
}

/// Without the warnings: those of several searches are said once, with all of them.
fn result(hits: Hits) -> proto::SearchResult {
    let Hits { database, hits, explanation, warnings: _ } = hits;
    let hits = of_hits(database.schema(), hits);
    proto::SearchResult { hits, explain: explanation.as_ref().map(of_explanation) }
}

fn of_hits(schema: &Schema, hits: Vec<Hit>) -> Vec<proto::Hit> {
    let of_hit = |Hit { id, score, distance, doc }| {
        let (id, doc) = (Some(value::of_id(id)), Some(value::of_document(schema, doc)));
        proto::Hit { id, score, distance, doc }
    };
    hits.into_iter().map(of_hit).collect()
}

fn of_group(schema: &Schema, HitGroup { value, hits }: HitGroup) -> proto::HitGroup {
    proto::HitGroup { value: Some(value::of(value)), hits: of_hits(schema, hits) }
}

fn of_explanation(explanation: &Explanation) -> proto::Explanation {
    let Explanation { plan, visited, exact, ef, allowed, .. } = *explanation;
    proto::Explanation { plan: plan.into(), visited, exact, ef: number(ef), allowed }
}
