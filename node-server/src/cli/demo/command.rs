//! The command: a database from the sample, the tour, the server.

use super::{page, sample, tour};
use crate::{
    Catalog, ServeOptions, Server,
    cli::{
        command::Run, number, output::Output, place::URL_DEFAULT, progress::Progress, runtime,
        serve::options_at, temporary,
    },
    stop_requested,
};
use clap::Args;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Instant,
};
use vectordoc::{Database, ErrorKind, Filter, Id, Result};

const DATABASE: &str = "wordnet";
const BATCH: usize = 1_000;

const EXAMPLES: &str = "\
Examples:
  vectordoc demo                      load, ask, serve; nothing is left behind
  vectordoc demo --data ./wordnet     the same, kept: the second start opens it
  vectordoc demo --once               load and ask, without serving
  vectordoc demo --page DIR           with the web page that was built into DIR";

/// See it work: load real documents, ask filtered questions by meaning, serve
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Demo {
    /// Data directory to keep; a temporary one unless given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Address and port to serve at
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7700")]
    listen: SocketAddr,

    /// The built web demo, served at /demo; that of the source tree or of the folder `web-demo`
    /// beside this program unless given
    #[arg(long, value_name = "DIR")]
    page: Option<PathBuf>,

    /// The data set wordnet50k, for the page to load all 50,000 definitions of
    #[arg(long, value_name = "DIR")]
    dataset: Option<PathBuf>,

    /// End after the questions, without serving
    #[arg(long)]
    once: bool,
}

impl Run for Demo {
    fn run(&self, out: &mut Output) -> Result<()> {
        match &self.data {
            Some(data) => self.run_in(data, out),
            None => {
                let folder = temporary::folder(None)?;
                self.run_in(folder.path(), out)
            }
        }
    }
}

impl Demo {
    fn run_in(&self, data: &Path, out: &mut Output) -> Result<()> {
        let page = page::find(self.page.as_deref())?;
        let options = options_at(self.listen);
        let options = page::served(options, page.as_deref(), self.dataset.as_deref())?;
        let catalog = Catalog::open(data, 1)?;
        let database = load(&catalog, data, out)?;
        let first = tour::walk(&database, out)?;
        drop(database);
        if self.once {
            catalog.close();
            return Ok(());
        }
        let serving = self.serve(catalog, data, &options, page.as_deref(), first.as_ref(), out);
        runtime::start()?.block_on(serving)
    }

    async fn serve(
        &self,
        catalog: Catalog,
        data: &Path,
        options: &ServeOptions,
        page: Option<&Path>,
        first: Option<&Id>,
        out: &mut Output,
    ) -> Result<()> {
        let server = self.start(catalog, data, options, out).await?;
        page::announce(&server, page, out)?;
        if let Some(console) = server.console_url() {
            out.line(format_args!("The console of the server: {console}\n"))?;
        }
        self.say_what_next(&server.url(), first, out)?;
        stop_requested().await;
        server.shutdown().await?;
        out.line("stopped")
    }

    /// Starts at the wanted port, or at a free one when that is taken.
    async fn start(
        &self,
        catalog: Catalog,
        data: &Path,
        options: &ServeOptions,
        out: &mut Output,
    ) -> Result<Server> {
        match Server::start(catalog, options).await {
            Err(error) if error.kind() == ErrorKind::Busy => {
                out.line(format_args!("{} is taken; using a free port instead.", self.listen))?;
                let options = options.clone().port(0);
                Server::start(Catalog::open(data, 1)?, &options).await
            }
            started => started,
        }
    }

    fn say_what_next(&self, url: &str, first: Option<&Id>, out: &mut Output) -> Result<()> {
        let program = program();
        let at = if url == URL_DEFAULT { String::new() } else { format!(" --url {url}") };
        out.line(format_args!("Serving at {url} until Ctrl-C. In another terminal, try:\n"))?;
        if let Some(id) = first {
            let like = format!("  {program} search --db {DATABASE}{at} --like {id}");
            out.line(format_args!("{like} --fields lemma,gloss"))?;
            out.line(format_args!("{like} --filter '{{\"lexname\": \"noun.plant\"}}' --limit 5"))?;
            out.line(format_args!("{like} --explain --json"))?;
        }
        out.line(format_args!("  {program} import FILE.jsonl --db mine{at}"))?;
        match &self.data {
            Some(_) => Ok(()),
            None => out.line(format_args!("  {program} demo --data ./wordnet   # kept on disk")),
        }
    }
}

/// The database of the sample: opened when `data` has it, loaded otherwise.
fn load(catalog: &Catalog, data: &Path, out: &mut Output) -> Result<Database> {
    let start = Instant::now();
    let schema = sample::schema()?;
    let database = catalog.create(DATABASE, &schema, None)?;
    let documents = sample::documents()?;
    let verb = if database.count(&Filter::All)? == documents {
        "Opened"
    } else {
        index(&database, documents)?;
        "Indexed"
    };
    out.line(format_args!(
        "{verb} {} WordNet documents of {} dimensions in {}, durable in {}\n",
        number::grouped(documents),
        schema.vectors().first().map_or(0, |field| field.dim),
        number::time(start.elapsed()),
        data.display(),
    ))?;
    Ok(database)
}

fn index(database: &Database, documents: u64) -> Result<()> {
    let progress = Progress::documents("indexing", documents);
    let mut rows = sample::rows(database.schema())?;
    loop {
        let (batch, read) = rows.next_batch(BATCH);
        read?;
        if batch.is_empty() {
            return Ok(());
        }
        progress.advance(database.index(batch)?);
    }
}

/// How this program was called, so that a printed command works when pasted.
fn program() -> String {
    let called = std::env::args().next().filter(|called| called.contains('/'));
    called.unwrap_or_else(|| "vectordoc".into())
}
