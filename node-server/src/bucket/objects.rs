//! The objects of a bucket: read, listed, deleted, and written on condition.

use super::BucketOptions;
use crate::limits::{
    OBJECT_CONNECT_TIMEOUT, OBJECT_RETRIES_MAX, OBJECT_TIMEOUT, OBJECTS_LISTED_MAX,
};
use futures_util::TryStreamExt;
use object_store::{
    ClientOptions, Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, PutPayload,
    RetryConfig, UpdateVersion,
    aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut},
    path::Path,
};
use vectordoc::{Error, Result};

/// What an object is until it is written again.
pub(super) type Tag = String;

/// When an object is written.
pub(super) enum Condition<'a> {
    /// Always.
    None,
    /// If there is none.
    Absent,
    /// If it is as it was.
    Unchanged(&'a Tag),
}

/// A bucket, and what the keys of its objects begin with.
pub(super) struct Objects {
    store: AmazonS3,
    prefix: String,
    place: String,
}

impl Objects {
    /// The bucket of these options; nothing is asked of it yet.
    pub(super) fn of(options: &BucketOptions) -> Result<Self> {
        let (bucket, prefix) = BucketOptions::place(&options.url)?;
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Another thread may be first, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let client = ClientOptions::new()
            .with_timeout(OBJECT_TIMEOUT)
            .with_connect_timeout(OBJECT_CONNECT_TIMEOUT)
            .with_allow_http(options.endpoint.starts_with("http://"));
        let retry = RetryConfig {
            max_retries: OBJECT_RETRIES_MAX,
            retry_timeout: OBJECT_TIMEOUT,
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_client_options(client)
            .with_retry(retry)
            .with_conditional_put(S3ConditionalPut::ETagMatch);
        if !options.region.is_empty() {
            builder = builder.with_region(&options.region);
        }
        if !options.endpoint.is_empty() {
            builder = builder.with_endpoint(&options.endpoint);
        }
        let store = builder
            .build()
            .map_err(|error| Error::invalid(format!("{} cannot be used: {error}", options.url)))?;
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self { store, prefix, place: options.url.clone() })
    }

    /// An object and what it is; `None` when there is none.
    pub(super) async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Tag)>> {
        let got = match self.store.get(&self.path(key)).await {
            Err(StoreError::NotFound { .. }) => return Ok(None),
            got => got.map_err(|error| self.failed("read", key, &error))?,
        };
        let tag = got.meta.e_tag.clone().unwrap_or_default();
        let bytes = got.bytes().await.map_err(|error| self.failed("read", key, &error))?;
        Ok(Some((bytes.into(), tag)))
    }

    /// Writes an object, and says what it is then; `None` when the condition does not hold. After an
    /// error it may be written or not.
    pub(super) async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: Condition<'_>,
    ) -> Result<Option<Tag>> {
        let mode = match condition {
            Condition::None => PutMode::Overwrite,
            Condition::Absent => PutMode::Create,
            Condition::Unchanged(tag) => {
                PutMode::Update(UpdateVersion { e_tag: Some(tag.clone()), version: None })
            }
        };
        let path = self.path(key);
        match self.store.put_opts(&path, PutPayload::from(bytes), mode.into()).await {
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => Ok(None),
            Err(error) => Err(self.failed("write", key, &error)),
            Ok(written) => written
                .e_tag
                .map(Some)
                .ok_or_else(|| Error::unsupported(format!("{} gives objects no ETag", self.place))),
        }
    }

    /// Deletes an object, if it is there.
    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("delete", key, &error)),
        }
    }

    /// The objects in `folder`, by the names that they have there, and what they are.
    pub(super) async fn list(&self, folder: &str) -> Result<Vec<(String, Tag)>> {
        let place = self.path(folder);
        let mut listed = self.store.list(Some(&place));
        let mut found = Vec::new();
        while let Some(object) =
            listed.try_next().await.map_err(|error| self.failed("list", folder, &error))?
        {
            if found.len() == OBJECTS_LISTED_MAX {
                return Err(Error::limit_exceeded(format!(
                    "{}/{folder} has more than {OBJECTS_LISTED_MAX} objects, which is the limit",
                    self.place
                )));
            }
            if let Some(name) = object.location.filename() {
                found.push((name.to_owned(), object.e_tag.unwrap_or_default()));
            }
        }
        Ok(found)
    }

    fn path(&self, key: &str) -> Path {
        Path::from(format!("{}{key}", self.prefix))
    }

    fn failed(&self, verb: &str, key: &str, error: &StoreError) -> Error {
        Error::unavailable(format!("cannot {verb} {}/{key}: {}", self.place, brief(error)))
    }
}

/// What went wrong, without the pages that some services answer.
fn brief(error: &dyn std::error::Error) -> String {
    const CHARS_MAX: usize = 300;
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(CHARS_MAX).collect()
}
