//! How a database is served: what was said of it when it was created or since, kept in a file beside
//! its shards.

use crate::{
    disk::replace,
    fault,
    limits::{AWAKE_MAX_DEFAULT, IDLE_DEFAULT, IDLE_MAX, IDLE_MIN},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};
use vectordoc::{Error, Result};

const SERVING_FILE: &str = "serving.json";
/// Bytes of that file at most.
const SERVING_BYTES_MAX: u64 = 64 * 1024;

/// How a database is served, as far as somebody said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serving {
    /// Whether it leaves memory while it is idle; as the server says unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serverless: Option<bool>,
    /// Milliseconds without a request after which it does; as the server says unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u64>,
    /// Whether it refuses requests until it is resumed.
    #[serde(default)]
    pub(super) paused: bool,
}

/// What a server does with databases that leave memory while they are idle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serverless {
    /// Whether databases of which nobody said otherwise do.
    pub by_default: bool,
    /// For how long a database has to be without a request, unless somebody said otherwise of it.
    pub idle: Duration,
    /// How many of them are in memory at the same time. Before another one comes, the one goes that
    /// was not used for longest.
    pub awake_max: usize,
}

impl Default for Serverless {
    fn default() -> Self {
        Self { by_default: false, idle: IDLE_DEFAULT, awake_max: AWAKE_MAX_DEFAULT }
    }
}

impl Serving {
    /// The same, of a database that is serverless or is not, whatever the server says.
    pub fn serverless(self, serverless: bool) -> Self {
        Self { serverless: Some(serverless), ..self }
    }

    /// The same, idle after so many milliseconds; `invalid` or `limit_exceeded` outside the bounds.
    pub fn idle_ms(self, idle_ms: u64) -> Result<Self> {
        let (min, max) = (IDLE_MIN.as_millis(), IDLE_MAX.as_millis());
        if u128::from(idle_ms) < min {
            return Err(Error::invalid(format!("idle_ms is {idle_ms}, the least is {min}")));
        }
        if u128::from(idle_ms) > max {
            return Err(Error::limit_exceeded(format!("idle_ms is {idle_ms}, the limit is {max}")));
        }
        Ok(Self { idle_ms: Some(idle_ms), ..self })
    }

    /// The same with what `other` says where that says something.
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            serverless: other.serverless.or(self.serverless),
            idle_ms: other.idle_ms.or(self.idle_ms),
            paused: self.paused,
        }
    }

    /// Whether it says all that `other` does.
    pub(super) fn agrees_with(self, other: Self) -> bool {
        self.with(other) == self
    }

    /// Whether the database leaves memory while it is idle.
    pub(super) fn is_serverless(self, server: &Serverless) -> bool {
        self.serverless.unwrap_or(server.by_default)
    }

    /// After how long.
    pub(super) fn idle(self, server: &Serverless) -> Duration {
        self.idle_ms.map_or(server.idle, Duration::from_millis)
    }

    /// What is kept in the directory of a database; nothing was said where there is no such file.
    pub(super) fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(SERVING_FILE);
        let mut text = String::new();
        let read = File::open(&path)
            .and_then(|file| file.take(SERVING_BYTES_MAX).read_to_string(&mut text));
        match read {
            Ok(_) => serde_json::from_str(&text).map_err(|error| {
                Error::corrupt(format!(
                    "{} does not say how the database is served: {error}; its documents are \
                     untouched: remove the file, start the server again and set it anew",
                    path.display()
                ))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(fault::os("cannot read", path.display(), &error)),
        }
    }

    /// Keeps it there; a crash leaves what was kept before, or this.
    pub(super) fn write(self, directory: &Path) -> Result<()> {
        let text = serde_json::to_string(&self).map_err(|e| Error::internal(e.to_string()))?;
        replace(directory, SERVING_FILE, text.as_bytes())
    }
}
