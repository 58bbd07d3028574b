//! Which bucket databases rest in.

use crate::limits::{LEASE_DEFAULT, LEASE_MIN};
use std::time::Duration;
use vectordoc::{Error, Result};

/// Where serverless databases rest, so that any node can wake them: a bucket of S3, or of what speaks
/// like it and writes objects on condition (`If-Match` and `If-None-Match`). Credentials come from the
/// environment: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or what else AWS gives to containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketOptions {
    /// `s3://BUCKET` or `s3://BUCKET/PREFIX`; empty for none.
    pub url: String,
    /// The service, `https://HOST`; empty for that of AWS.
    pub endpoint: String,
    /// Its region; as `AWS_REGION` says if empty, or `us-east-1`.
    pub region: String,
    /// For how long a node may keep a database that it does not hear of the bucket from. It stops
    /// before that, and another node may take over after it.
    pub lease: Duration,
    /// What the node is called where another one says who has a database; the name of the machine if
    /// empty.
    pub node: String,
    /// Whether what was uploaded stays on the disk, too, so that waking it here fetches nothing.
    pub keep: bool,
}

impl Default for BucketOptions {
    fn default() -> Self {
        Self {
            url: String::new(),
            endpoint: String::new(),
            region: String::new(),
            lease: LEASE_DEFAULT,
            node: String::new(),
            keep: true,
        }
    }
}

impl BucketOptions {
    /// Whether there is a bucket.
    pub fn is_named(&self) -> bool {
        !self.url.is_empty()
    }

    /// The name of the bucket, and what every key begins with.
    pub(crate) fn place(url: &str) -> Result<(&str, &str)> {
        let place =
            url.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
        let is_name = |bucket: &str| {
            let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_');
            !bucket.is_empty() && bucket.bytes().all(allowed)
        };
        match place {
            Some((bucket, prefix)) if is_name(bucket) => Ok((bucket, prefix.trim_matches('/'))),
            _ => Err(Error::invalid(format!(
                "{url:?} is no place for databases to rest; write s3://BUCKET or s3://BUCKET/PREFIX"
            ))),
        }
    }

    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> Result<()> {
        Self::place(&self.url)?;
        if self.lease < LEASE_MIN {
            return Err(Error::invalid(format!(
                "the lease is {} ms, the least is {}",
                self.lease.as_millis(),
                LEASE_MIN.as_millis()
            )));
        }
        Ok(())
    }
}
