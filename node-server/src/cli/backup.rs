//! `vectordoc backup`: a whole database into one file.

use super::{command::Run, file, number, output::Output, progress::Progress};
use crate::{Catalog, Name};
use clap::Args;
use serde_json::json;
use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use vectordoc::{Database, Error, Result};

const EXAMPLES: &str = "\
Examples:
  vectordoc backup products.vectordoc --data ./data                  the only database there
  vectordoc backup products.vectordoc --data ./data --db products
  vectordoc backup - --data ./data --db products | ssh host 'cat > products.vectordoc'

The file holds documents, vectors and indexes as they are stored; `vectordoc restore` makes a
database of it that is ready at once.";

/// Write a whole database to one file
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Backup {
    /// File to write, which must not be there yet; `-` for standard output
    file: PathBuf,

    /// Data directory that has the database
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// Name of the database, where there are several
    #[arg(long, value_name = "NAME")]
    db: Option<String>,

    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Backup {
    fn run(&self, out: &mut Output) -> Result<()> {
        if !self.is_standard_output() && self.file.symlink_metadata().is_ok() {
            return Err(Error::conflict(format!(
                "{} is there already; write another file, or remove it first",
                self.file.display()
            )));
        }
        let catalog = Catalog::open(&self.data, 1)?;
        let (name, database) = self.database(&catalog)?;
        let start = Instant::now();
        let bytes = self.write(&database)?;
        let took = start.elapsed();
        let said = self.outcome(&name, &database, bytes, took);
        catalog.close();
        if self.is_standard_output() {
            eprintln!("{said}");
            return Ok(());
        }
        out.line(said)
    }
}

impl Backup {
    fn is_standard_output(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    /// The database asked for, or the only one.
    fn database(&self, catalog: &Catalog) -> Result<(String, Database)> {
        if let Some(name) = &self.db {
            return Ok((name.clone(), catalog.get(name)?));
        }
        let mut databases = catalog.list();
        match (databases.pop(), databases.is_empty()) {
            (Some((name, database)), true) => Ok((name.to_string(), database?)),
            (None, _) => {
                Err(Error::not_found(format!("there is no database in {}", self.data.display())))
            }
            (Some((last, _)), false) => {
                let names = databases.iter().map(|(name, _)| name).chain([&last]);
                let names: Vec<&str> = names.map(Name::as_str).collect();
                let names = names.join(", ");
                Err(Error::invalid(format!("there are several databases; say which: --db {names}")))
            }
        }
    }

    /// Writes the archive and returns how long it is. A file has its name once all is in it.
    fn write(&self, database: &Database) -> Result<u64> {
        if self.is_standard_output() {
            return export(database, io::stdout().lock());
        }
        let folder = match self.file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let trouble = |error: io::Error| file::trouble(self.file.display(), &error);
        let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(trouble)?;
        let bytes = export(database, BufWriter::new(&mut temporary))?;
        temporary.as_file().sync_all().map_err(trouble)?;
        temporary.persist_noclobber(&self.file).map_err(|error| trouble(error.error))?;
        Ok(bytes)
    }

    fn outcome(&self, name: &str, database: &Database, bytes: u64, took: Duration) -> String {
        let documents = database.stats().documents;
        if self.json {
            let outcome = json!({
                "db": name,
                "file": self.file.display().to_string(),
                "documents": documents,
                "shards": database.shards(),
                "bytes": bytes,
                "seconds": took.as_secs_f64(),
            });
            return outcome.to_string();
        }
        format!(
            "backed up {} documents of {name} in {}: {} bytes",
            number::grouped(documents),
            number::time(took),
            number::grouped(bytes),
        )
    }
}

fn export(database: &Database, writer: impl Write) -> Result<u64> {
    let progress = Progress::entries("backing up");
    let mut counted = Counted { writer, bytes: 0 };
    database.export(&mut counted, &mut |done, total| progress.set(done, total))?;
    Ok(counted.bytes)
}

/// A writer that knows how much was written.
struct Counted<W> {
    writer: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        self.bytes += u64::try_from(written).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
