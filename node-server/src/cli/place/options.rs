//! How the command line names a database.

use super::{Place, local::Local, served::Served};
use crate::cli::{
    file,
    logins::{Login, Logins},
};
use clap::Args;
use std::path::PathBuf;
use vectordoc::{
    Result,
    client::{Connection, ConnectionBuilder},
};

/// Where a server of this machine listens unless it is told otherwise.
pub(crate) const URL_DEFAULT: &str = "ws://127.0.0.1:7700";

/// The environment variable with the API key for the server.
const KEY_VARIABLE: &str = "VECTORDOC_KEY";

/// The database a command works on.
#[derive(Args, Debug)]
pub(crate) struct PlaceOptions {
    /// Name of the database
    #[arg(long, value_name = "NAME")]
    pub(crate) db: String,

    /// Server that has it; the one of `vectordoc login`, else that of this machine. One that asks for
    /// a key gets that of the variable VECTORDOC_KEY, else of `login`
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub(crate) url: Option<String>,

    /// Certificate authority of a server at wss://, in PEM, when the system does not know it
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub(crate) ca: Option<PathBuf>,

    /// Data directory that has it, used without a server
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

impl PlaceOptions {
    /// The database in one line, so that it can be told from others.
    pub(crate) fn describe(&self) -> Result<String> {
        let place = match &self.data {
            Some(data) => std::path::absolute(data)
                .map_err(|error| file::trouble(data.display(), &error))?
                .display()
                .to_string(),
            None => Logins::server(self.url.as_deref())?,
        };
        Ok(format!("{} at {place}", self.db))
    }

    /// Connects to the server, or takes the data directory.
    pub(crate) fn open(&self) -> Result<Box<dyn Place>> {
        Ok(match &self.data {
            Some(data) => Box::new(Local::open(data, &self.db)?),
            None => {
                let url = Logins::server(self.url.as_deref())?;
                let login = Logins::of(&url)?;
                let login = Login { ca: self.ca.clone().or(login.ca), key: login.key };
                Box::new(Served::connect(&url, &login, &self.db)?)
            }
        })
    }
}

/// How to connect to the server at `url`, with the key of the environment or the one that was logged
/// in with, trusting the system's authorities or the one of the login alone.
pub(super) fn connection(url: &str, login: &Login) -> Result<ConnectionBuilder> {
    let mut builder = Connection::builder(url);
    // Not an argument, as every user of a machine sees the arguments of its processes.
    if let Some(key) = std::env::var(KEY_VARIABLE).ok().or_else(|| login.key.clone()) {
        builder = builder.key(key);
    }
    if let Some(authority) = &login.ca {
        builder = builder.trust_only(file::read_text(authority)?);
    }
    Ok(builder)
}
