//! Calls that write documents.

use super::{
    messages::{self as proto, Durability},
    params::Params,
    rpc::Ask,
    value::{self, of_warnings},
};
use crate::operation::Answer;
use vectordoc::Result;

impl Ask for proto::IndexRequest {
    const RPC: &'static str = "Index";
    const METHOD: &'static str = "doc.index";
    type Response = proto::IndexResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.documents(&self.docs)?;
        params.version(self.if_version);
        params.durability(self.durability)
    }

    fn response(answer: Answer) -> Option<proto::IndexResponse> {
        let Answer::Indexed { indexed, version, durability } = answer else { return None };
        let (indexed, durability) = (count(indexed), named(durability));
        Some(proto::IndexResponse { indexed, version, durability })
    }
}

impl Ask for proto::UpdateRequest {
    const RPC: &'static str = "Update";
    const METHOD: &'static str = "doc.update";
    type Response = proto::UpdateResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.documents(&self.docs)?;
        params.version(self.if_version);
        params.durability(self.durability)
    }

    fn response(answer: Answer) -> Option<proto::UpdateResponse> {
        let Answer::Updated { updated, version, durability } = answer else { return None };
        let (updated, durability) = (count(updated), named(durability));
        Some(proto::UpdateResponse { updated, version, durability })
    }
}

impl Ask for proto::PatchRequest {
    const RPC: &'static str = "Patch";
    const METHOD: &'static str = "doc.patch";
    type Response = proto::PatchResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        if let Some(id) = &self.id {
            params.id(id)?;
        }
        params.json("filter", &self.filter)?;
        params.object("set", &self.set)?;
        if !self.unset.is_empty() {
            params.give("unset").array(&self.unset, |items, path| {
                items.text(path);
                Ok(())
            })?;
        }
        params.object("increment", &self.increment)?;
        params.version(self.if_version);
        params.durability(self.durability)
    }

    fn response(answer: Answer) -> Option<proto::PatchResponse> {
        Some(match answer {
            Answer::Patched { version, durability } => {
                let (version, durability) = (Some(version), named(durability));
                proto::PatchResponse { patched: 1, version, durability, warnings: Vec::new() }
            }
            Answer::PatchedWhere { patched, warnings, durability } => {
                let (patched, durability) = (count(patched), named(durability));
                let warnings = of_warnings(&warnings);
                proto::PatchResponse { patched, version: None, durability, warnings }
            }
            _ => return None,
        })
    }
}

impl Ask for proto::DeleteRequest {
    const RPC: &'static str = "Delete";
    const METHOD: &'static str = "doc.delete";
    type Response = proto::DeleteResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.text("db", &self.db);
        params.ids("ids", &self.ids)?;
        params.json("filter", &self.filter)?;
        params.version(self.if_version);
        params.durability(self.durability)
    }

    fn response(answer: Answer) -> Option<proto::DeleteResponse> {
        let Answer::Deleted { deleted, missing, warnings, durability } = answer else {
            return None;
        };
        let missing = missing.into_iter().map(value::of_id).collect();
        let (deleted, durability) = (count(deleted), named(durability));
        let warnings = of_warnings(&warnings);
        Some(proto::DeleteResponse { deleted, missing, durability, warnings })
    }
}

/// The durability that an answer repeats.
fn named(name: &str) -> i32 {
    let durability = match name {
        "fsync" => Durability::Fsync,
        "memory" => Durability::Memory,
        "quorum" => Durability::Quorum,
        _ => Durability::Unspecified,
    };
    durability.into()
}

/// How many, as messages say it.
fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
