//! `cluster.remove`: a node that is gone for good.

use super::{
    Answer, Operation,
    params::Params,
    shape::{Field, Kind},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::Result;

pub(super) struct ClusterRemove {
    node: u64,
}

impl Operation for ClusterRemove {
    const METHOD: &'static str = "cluster.remove";
    const SUMMARY: &'static str =
        "Remove a node from the cluster, for good; its replicas are made anew on other nodes";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] =
        &[Field::required("node", Kind::Count, "The number of the node.")];
    const RESULT: Kind = Kind::Object(&[Field::required(
        "removed",
        Kind::Bool,
        "Always true: what is not removed is an error.",
    )]);
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { node: params.required("node")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        catalog.cluster()?.remove_node(self.node)?;
        Ok(Answer::Removed { removed: true })
    }
}
