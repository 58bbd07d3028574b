//! `vectordoc login` and `logout`: which server commands mean, and the key for it.

use super::{
    command::Run,
    logins::{Login, Logins},
    output::Output,
    server::Server,
};
use clap::Args;
use serde_json::{Value as Json, json};
use std::{
    io::{self, BufRead, IsTerminal},
    path::PathBuf,
};
use vectordoc::{Error, ErrorKind, Result};

const EXAMPLES: &str = "\
Examples:
  vectordoc login wss://vectors.example.org                  asks for the key, and does not show it
  vectordoc login wss://vectors.example.org < key.txt        the key from a file
  vectordoc login ws://127.0.0.1:7700 < /dev/null            a server that asks for no key
  vectordoc login https://vectors.example.org                the same as wss://
  vectordoc login wss://10.0.0.7:7700 --ca ca.pem            an authority the system does not know

From then on commands without --url mean this server. The key is never an argument, as every user of a
machine sees the arguments of its programs; it is kept in a file that only you can read.";

const LOGOUT_EXAMPLES: &str = "\
Examples:
  vectordoc logout                                           of the server logged in to last
  vectordoc logout wss://vectors.example.org";

/// Bytes of a key at most, which are far more than one has.
const KEY_BYTES_MAX: usize = 1024;

/// Say which server you mean from now on, and keep the key for it
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LoginCommand {
    /// Address of the server
    url: String,

    /// Certificate authority of a server at wss://, in PEM, when the system does not know it
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// Forget a server and the key for it
#[derive(Args, Debug)]
#[command(after_help = LOGOUT_EXAMPLES)]
pub(crate) struct Logout {
    /// Address of the server; the one logged in to last unless given
    url: Option<String>,
}

impl Run for LoginCommand {
    fn run(&self, out: &mut Output) -> Result<()> {
        let url = address_of(&self.url);
        let key = ask_for_key(&url)?;
        let ca = self.ca.as_ref().map(std::path::absolute).transpose();
        let ca = ca.map_err(|error| super::file::trouble("--ca", &error))?;
        let login = Login { key, ca };
        let server = Server::known(&url, &login)?;
        let listed: Json =
            server.ask("db.list", &json!({})).map_err(|error| explain(error, &login))?;
        server.close()?;
        let databases = listed["dbs"].as_array().map_or(0, Vec::len);
        let mut logins = Logins::read()?;
        logins.servers.insert(url.clone(), login);
        logins.current = Some(url.clone());
        let path = logins.write()?;
        if self.json {
            return out.line(json!({"url": url, "databases": databases}));
        }
        out.line(format_args!(
            "logged in to {}, which has {databases} databases for you; kept in {}",
            url,
            path.display()
        ))
    }
}

impl Run for Logout {
    fn run(&self, out: &mut Output) -> Result<()> {
        let mut logins = Logins::read()?;
        let url = self.url.as_deref().map(address_of).or_else(|| logins.current.clone());
        let url = url.ok_or_else(|| Error::not_found("you are not logged in to any server"))?;
        if logins.servers.remove(&url).is_none() {
            return Err(Error::not_found(format!("you are not logged in to {url}")));
        }
        if logins.current.as_deref() == Some(&*url) {
            logins.current = None;
        }
        logins.write()?;
        out.line(format_args!(
            "logged out of {url}; the key still works: `vectordoc key revoke` ends that"
        ))
    }
}

/// The address that clients connect to, as a browser's shows it or as it is: a server speaks all it
/// speaks at one.
fn address_of(url: &str) -> String {
    let url = url.trim_end_matches('/');
    match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => format!("wss://{rest}"),
        (_, Some(rest)) => format!("ws://{rest}"),
        _ => url.to_owned(),
    }
}

/// The key, from whoever sits at the terminal or else from standard input; `None` for an empty line.
fn ask_for_key(url: &str) -> Result<Option<String>> {
    let line = if io::stdin().is_terminal() {
        eprint!("Key for {url} (none: Enter): ");
        let line = console::Term::stderr().read_secure_line();
        line.map_err(|error| super::file::trouble("the terminal", &error))?
    } else {
        let mut line = String::new();
        let limit = u64::try_from(KEY_BYTES_MAX).unwrap_or(u64::MAX);
        let read = io::Read::take(io::stdin().lock(), limit).read_line(&mut line);
        read.map_err(|error| super::file::trouble("standard input", &error))?;
        line
    };
    Ok(Some(line.trim().to_owned()).filter(|key| !key.is_empty()))
}

fn explain(error: Error, login: &Login) -> Error {
    match error.kind() {
        ErrorKind::Unauthenticated if login.key.is_none() => Error::new(
            ErrorKind::Unauthenticated,
            "the server asks for a key; get one by `vectordoc key create` where it runs, and log in \
             with it",
        ),
        _ => error,
    }
}
