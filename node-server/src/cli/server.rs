//! A server that commands ask.

use super::{
    logins::{Login, Logins},
    place::{connect, request},
};
use clap::Args;
use serde::{Serialize, de::DeserializeOwned};
use std::path::PathBuf;
use tokio::runtime::Runtime;
use vectordoc::{Result, client::Connection};

/// Which server a command means.
#[derive(Args, Debug)]
pub(crate) struct ServerOptions {
    /// Server to ask; the one of `vectordoc login`, else that of this machine
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// Certificate authority of a server at wss://, in PEM, when the system does not know it
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl ServerOptions {
    /// Connects to it.
    pub(crate) fn connect(&self) -> Result<Server> {
        Server::connect(&self.url()?, self.ca.clone())
    }

    /// Its address.
    pub(crate) fn url(&self) -> Result<String> {
        Logins::server(self.url.as_deref())
    }
}

/// A connection to a server.
pub(crate) struct Server {
    pub(super) runtime: Runtime,
    pub(super) connection: Connection,
}

impl Server {
    /// Connects to the server at `url`, as somebody who may have logged in to it.
    pub(crate) fn connect(url: &str, ca: Option<PathBuf>) -> Result<Self> {
        let login = Logins::of(url)?;
        Self::known(url, &Login { ca: ca.or(login.ca), key: login.key })
    }

    /// The same with what is known of it.
    pub(crate) fn known(url: &str, login: &Login) -> Result<Self> {
        let (runtime, connection) = connect(url, login)?;
        Ok(Self { runtime, connection })
    }

    /// Asks for one operation.
    pub(crate) fn ask<R: DeserializeOwned>(
        &self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<R> {
        self.runtime.block_on(request(&self.connection, method, params))
    }

    /// Hangs up.
    pub(crate) fn close(&self) -> Result<()> {
        self.runtime.block_on(self.connection.close())
    }
}
