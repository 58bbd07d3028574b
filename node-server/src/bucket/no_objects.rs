//! What stands for the objects of a bucket in a build that knows none: there is never one.

use super::BucketOptions;
use std::convert::Infallible;
use vectordoc::{Error, Result};

pub(super) type Tag = String;

pub(super) enum Condition<'a> {
    None,
    Absent,
    Unchanged(&'a Tag),
}

pub(super) struct Objects(Infallible);

impl Objects {
    pub(super) fn of(_: &BucketOptions) -> Result<Self> {
        Err(Error::unsupported(
            "this build keeps no databases in object storage; build it with the feature \
             `object-storage`",
        ))
    }

    pub(super) async fn get(&self, _: &str) -> Result<Option<(Vec<u8>, Tag)>> {
        match self.0 {}
    }

    pub(super) async fn put(&self, _: &str, _: Vec<u8>, _: Condition<'_>) -> Result<Option<Tag>> {
        match self.0 {}
    }

    pub(super) async fn delete(&self, _: &str) -> Result<()> {
        match self.0 {}
    }

    pub(super) async fn list(&self, _: &str) -> Result<Vec<(String, Tag)>> {
        match self.0 {}
    }
}
