//! Where databases go out to archives and come in from them: a data directory, or a server.

use super::{logins::Logins, server::Server};
use crate::{Catalog, limits::TRANSFER_BYTES_MAX, operation::Bytes};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    io::{self, Read, Write},
    path::PathBuf,
};
use vectordoc::{Error, Result};

/// Bytes of a request that are not those of its piece.
const REQUEST_REST_BYTES: usize = 1024;
/// How many bytes of base64 stand for how many bytes.
const BASE64: (usize, usize) = (4, 3);

/// The databases a command works on.
#[derive(Args, Debug)]
pub(crate) struct ArchivesOptions {
    /// Server that has the databases; the one of `vectordoc login`, else that of this machine. One that
    /// asks for a key gets that of the variable VECTORDOC_KEY, else of `login`
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    url: Option<String>,

    /// Certificate authority of a server at wss://, in PEM, when the system does not know it
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    ca: Option<PathBuf>,

    /// Data directory that has the databases, used without a server
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl ArchivesOptions {
    /// Connects to the server, or takes the data directory.
    pub(crate) fn open(&self) -> Result<Archives> {
        if let Some(data) = &self.data {
            return Ok(Archives::Local(Box::new(Catalog::open(data, 1)?)));
        }
        let url = Logins::server(self.url.as_deref())?;
        Ok(Archives::Served(Server::connect(&url, self.ca.clone())?))
    }

    /// Where that is, for people.
    pub(crate) fn place(&self) -> Result<String> {
        match &self.data {
            Some(data) => Ok(data.display().to_string()),
            None => Logins::server(self.url.as_deref()),
        }
    }
}

/// What is said about a database that went out or came in.
#[derive(Deserialize)]
pub(crate) struct About {
    pub(crate) documents: u64,
    pub(crate) shards: usize,
}

/// Databases by name.
pub(crate) enum Archives {
    /// Of this machine.
    Local(Box<Catalog>),
    /// Of a server.
    Served(Server),
}

impl Archives {
    /// The names there are.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Listed {
            db: String,
        }
        #[derive(Deserialize)]
        struct Answer {
            dbs: Vec<Listed>,
        }
        match self {
            Self::Local(catalog) => {
                let names = catalog.overview().into_iter().map(|(name, _)| name.to_string());
                Ok(names.collect())
            }
            Self::Served(server) => {
                let Answer { dbs } = server.ask("db.list", &json!({}))?;
                Ok(dbs.into_iter().map(|listed| listed.db).collect())
            }
        }
    }

    /// Writes the database `name` as an archive.
    pub(crate) fn take_out(
        &self,
        name: &str,
        out: impl Write,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<About> {
        match self {
            Self::Local(catalog) => {
                let database = catalog.get(name)?;
                database.export(out, progress)?;
                Ok(About { documents: database.stats().documents, shards: database.shards() })
            }
            Self::Served(server) => server.take_out(name, out, progress),
        }
    }

    /// Makes the database `name` of an archive.
    pub(crate) fn bring_in(
        &self,
        name: &str,
        archive: impl Read,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<About> {
        match self {
            Self::Local(catalog) => {
                let database = catalog.restore(name, archive, progress)?;
                Ok(About { documents: database.stats().documents, shards: database.shards() })
            }
            Self::Served(server) => server.bring_in(name, archive, progress),
        }
    }

    /// Lets go of them.
    pub(crate) fn close(&self) -> Result<()> {
        match self {
            Self::Local(catalog) => {
                catalog.close();
                Ok(())
            }
            Self::Served(server) => server.close(),
        }
    }
}

#[derive(Deserialize)]
struct Snapshot {
    snapshot: String,
}

#[derive(Deserialize)]
struct Piece {
    bytes: Bytes,
    offset: u64,
    done: u64,
    total: u64,
    has_more: bool,
}

#[derive(Deserialize)]
struct Restore {
    restore: String,
    piece_bytes_max: usize,
}

#[derive(Serialize)]
struct PieceParams<'a> {
    db: &'a str,
    restore: &'a str,
    offset: u64,
    bytes: Bytes,
}

#[derive(Deserialize)]
struct Taken {
    offset: u64,
    done: u64,
    total: u64,
}

impl Server {
    fn take_out(
        &self,
        name: &str,
        mut out: impl Write,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<About> {
        let about = self.ask("db.get", &json!({"db": name}))?;
        let Snapshot { snapshot } = self.ask("db.snapshot", &json!({"db": name}))?;
        let mut next = 0;
        let mut read = || -> Result<bool> {
            let params = json!({"db": name, "snapshot": snapshot, "offset": next});
            let Piece { bytes: Bytes(bytes), offset, done, total, has_more } =
                self.ask("db.snapshot.read", &params)?;
            out.write_all(&bytes).map_err(|error| failed(&error))?;
            progress(done, total);
            next = offset;
            Ok(has_more)
        };
        let outcome = loop {
            match read() {
                Ok(true) => {}
                Ok(false) => break out.flush().map_err(|error| failed(&error)),
                Err(error) => break Err(error),
            }
        };
        // A server that does not hear it closes it by itself, a little later.
        let params = json!({"db": name, "snapshot": snapshot});
        let _ = self.ask::<serde_json::Value>("db.snapshot.close", &params);
        outcome.map(|()| about)
    }

    /// Makes the database `name` of an archive.
    pub(crate) fn bring_in(
        &self,
        name: &str,
        archive: impl Read,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<About> {
        let Restore { restore, piece_bytes_max } = self.ask("db.restore", &json!({"db": name}))?;
        let params = json!({"db": name, "restore": restore});
        let message_bytes = self.connection.limits().message_bytes_max;
        let (of, bytes) = BASE64;
        let room = message_bytes.saturating_sub(REQUEST_REST_BYTES) / of * bytes;
        let piece_bytes = piece_bytes_max.min(TRANSFER_BYTES_MAX).min(room).max(1);
        let written = self.write(name, &restore, archive, piece_bytes, progress);
        if let Err(error) = written {
            // One that failed at the server is closed already.
            let _ = self.ask::<serde_json::Value>("db.restore.close", &params);
            return Err(error);
        }
        self.ask("db.restore.finish", &params)
    }

    fn write(
        &self,
        name: &str,
        restore: &str,
        mut archive: impl Read,
        piece_bytes: usize,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<()> {
        let mut next = 0;
        loop {
            let mut piece = Vec::new();
            let limit = u64::try_from(piece_bytes).unwrap_or(u64::MAX);
            let read = archive.by_ref().take(limit).read_to_end(&mut piece);
            read.map_err(|error| failed(&error))?;
            if piece.is_empty() {
                return Ok(());
            }
            let params = PieceParams { db: name, restore, offset: next, bytes: Bytes(piece) };
            let Taken { offset, done, total } = self.ask("db.restore.write", &params)?;
            progress(done, total);
            next = offset;
        }
    }
}

fn failed(error: &io::Error) -> Error {
    super::file::trouble("the archive", error)
}
