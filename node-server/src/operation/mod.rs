//! What the service can be asked, one file per operation. An operation reads what it needs from
//! [`Params`], does it on a database of the [`Catalog`], and returns an [`Answer`].
//!
//! **Invariant:** nothing here knows a transport. A transport translates to a method name and
//! params, and writes the answer in the encoding its clients expect.

pub(crate) mod answer;
mod bulk;
mod bytes;
mod changes;
mod cluster_remove;
mod cluster_status;
mod condition;
mod db_configure;
mod db_create;
mod db_drop;
mod db_get;
mod db_list;
mod db_logs;
mod db_pause;
mod db_recall;
mod db_reshard;
mod db_restore;
mod db_restore_close;
mod db_restore_finish;
mod db_restore_write;
mod db_resume;
mod db_snapshot;
mod db_snapshot_close;
mod db_snapshot_read;
mod doc_count;
mod doc_delete;
mod doc_facet;
mod doc_get;
mod doc_index;
mod doc_patch;
mod doc_scroll;
mod doc_update;
mod durability;
mod examples;
mod group;
mod include;
mod params;
mod read;
mod read_level;
mod search;
mod shape;

mod followed;

use crate::{
    Catalog,
    keys::{Caller, Role},
    limits::BRIEF_BYTES_MAX,
    telemetry,
    work::Work,
};
use std::borrow::Cow;
use vectordoc::{Error, Result, schema::unknown_name};

pub(crate) use answer::{Answer, Reason};
pub(crate) use bulk::Bulk;
#[cfg(feature = "cli")]
pub(crate) use bytes::Bytes;
pub(crate) use followed::{First, Followed, News};
pub(crate) use params::Input;
use params::Params;
pub(crate) use shape::{DURABILITY, Field, Kind};

/// A request of one kind, read and ready to run.
trait Operation: Sized {
    /// What clients call it.
    const METHOD: &'static str;
    /// What it does, as a title.
    const SUMMARY: &'static str;
    /// What its caller must be allowed to do.
    const ROLE: Role;
    /// Every parameter it knows. Others are refused, never ignored.
    const PARAMS: &'static [Field];
    /// What it answers.
    const RESULT: Kind;
    /// What it spends its time on.
    const WORK: Work = Work::Compute;

    /// Whether it takes so little time that another thread's waking up would take as long, as far as
    /// its parameters and the databases tell at once.
    fn is_brief(_: &Params<'_>, _: &Catalog) -> bool {
        false
    }

    /// Reads the parameters; `catalog` is there for the schema that documents are read with.
    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self>;

    /// Does it for `caller`, whose role and database were checked. Blocks.
    fn run(self, caller: &Caller, catalog: &Catalog) -> Result<Answer>;
}

/// One row of the table of operations.
pub(crate) struct Method {
    /// What clients call it.
    pub(crate) name: &'static str,
    /// What it does, as a title.
    pub(crate) summary: &'static str,
    /// What its caller must be allowed to do.
    pub(crate) role: Role,
    /// Every parameter it knows.
    pub(crate) params: &'static [Field],
    /// What it answers.
    pub(crate) result: Kind,
    /// What it spends its time on.
    pub(crate) work: Work,
    pace: fn(Input<'_>, &Catalog) -> Pace,
    call: fn(Input<'_>, &Caller, &Catalog) -> Result<Answer>,
}

/// Every operation.
pub(crate) static METHODS: &[Method] = &[
    Method::of::<db_create::DbCreate>(),
    Method::of::<db_list::DbList>(),
    Method::of::<db_get::DbGet>(),
    Method::of::<db_drop::DbDrop>(),
    Method::of::<db_reshard::DbReshard>(),
    Method::of::<db_configure::DbConfigure>(),
    Method::of::<db_pause::DbPause>(),
    Method::of::<db_resume::DbResume>(),
    Method::of::<db_logs::DbLogs>(),
    Method::of::<db_snapshot::DbSnapshot>(),
    Method::of::<db_snapshot_read::DbSnapshotRead>(),
    Method::of::<db_snapshot_close::DbSnapshotClose>(),
    Method::of::<db_restore::DbRestore>(),
    Method::of::<db_restore_write::DbRestoreWrite>(),
    Method::of::<db_restore_finish::DbRestoreFinish>(),
    Method::of::<db_restore_close::DbRestoreClose>(),
    Method::of::<doc_index::DocIndex>(),
    Method::of::<doc_update::DocUpdate>(),
    Method::of::<doc_patch::DocPatch>(),
    Method::of::<doc_get::DocGet>(),
    Method::of::<doc_delete::DocDelete>(),
    Method::of::<search::Search>(),
    Method::of::<doc_count::DocCount>(),
    Method::of::<doc_scroll::DocScroll>(),
    Method::of::<doc_facet::DocFacet>(),
    Method::of::<changes::Changes>(),
    Method::of::<db_recall::DbRecall>(),
    Method::of::<cluster_status::ClusterStatus>(),
    Method::of::<cluster_remove::ClusterRemove>(),
];

impl Method {
    const fn of<O: Operation>() -> Self {
        Self {
            name: O::METHOD,
            summary: O::SUMMARY,
            role: O::ROLE,
            params: O::PARAMS,
            result: O::RESULT,
            work: O::WORK,
            pace: pace::<O>,
            call: call::<O>,
        }
    }

    /// The operation clients call `name`; `unsupported` with the nearest name when there is none.
    pub(crate) fn named(name: &str) -> Result<&'static Self> {
        METHODS.iter().find(|method| method.name == name).ok_or_else(|| {
            let known = METHODS.iter().map(|method| method.name);
            Error::unsupported(unknown_name("method", name, known).message())
        })
    }

    /// What it spends its time on with `input`.
    pub(crate) fn work_with<'a>(&self, input: impl Into<Input<'a>>, catalog: &Catalog) -> Work {
        let input = input.into();
        if input.bytes() > BRIEF_BYTES_MAX {
            return self.work;
        }
        match (self.pace)(input, catalog) {
            Pace::Brief => Work::Brief,
            // Who waits for a disk leaves the processor to others.
            Pace::Waking if self.work == Work::Compute => Work::Commit,
            Pace::Waking | Pace::Usual => self.work,
        }
    }

    /// Runs the operation with `input` for `caller`, who may have to be denied it. Blocks.
    pub(crate) fn call<'a>(
        &self,
        input: impl Into<Input<'a>>,
        caller: &Caller,
        catalog: &Catalog,
    ) -> Result<Answer> {
        (self.call)(input.into(), caller, catalog)
    }
}

/// How a request is going to go, as far as that can be told at once.
enum Pace {
    /// It takes less than another thread's waking up.
    Brief,
    /// It waits until its database is opened.
    Waking,
    /// Neither.
    Usual,
}

/// What cannot be read is refused where every operation is run.
fn pace<O: Operation>(input: Input<'_>, catalog: &Catalog) -> Pace {
    let Ok(params) = Params::parse(input, O::PARAMS) else { return Pace::Usual };
    if O::is_brief(&params, catalog) {
        return Pace::Brief;
    }
    let db = params.optional::<Cow<'_, str>>("db").ok().flatten();
    if db.is_some_and(|db| catalog.is_away(&db)) { Pace::Waking } else { Pace::Usual }
}

fn call<O: Operation>(input: Input<'_>, caller: &Caller, catalog: &Catalog) -> Result<Answer> {
    let params = Params::parse(input, O::PARAMS)?;
    let db = params.optional::<Cow<'_, str>>("db")?;
    if let Some(db) = &db {
        telemetry::about(db);
    }
    caller.check(O::ROLE, db.as_deref())?;
    O::read(&params, catalog)?.run(caller, catalog)
}
