//! `vectordoc backup`: a whole database into one file.

use super::{
    archives::{About, Archives, ArchivesOptions},
    command::Run,
    file, number,
    output::Output,
    progress::Progress,
};
use clap::Args;
use serde_json::json;
use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use vectordoc::{Error, Result};

const EXAMPLES: &str = "\
Examples:
  vectordoc backup products.vectordoc                                the only database of a server
  vectordoc backup products.vectordoc --url wss://example.org --db products
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

    #[command(flatten)]
    archives: ArchivesOptions,

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
        let archives = self.archives.open()?;
        let name = self.database(&archives)?;
        let start = Instant::now();
        let (bytes, about) = self.write(&archives, &name)?;
        let said = self.outcome(&name, &about, bytes, start.elapsed());
        archives.close()?;
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
    fn database(&self, archives: &Archives) -> Result<String> {
        if let Some(name) = &self.db {
            return Ok(name.clone());
        }
        let names = archives.names()?;
        match &names[..] {
            [name] => Ok(name.clone()),
            [] => {
                let place = self.archives.place()?;
                Err(Error::not_found(format!("there is no database in {place}")))
            }
            several => {
                let names = several.join(", ");
                Err(Error::invalid(format!("there are several databases; say which: --db {names}")))
            }
        }
    }

    /// Writes the archive and says how long it is. A file has its name once all is in it.
    fn write(&self, archives: &Archives, name: &str) -> Result<(u64, About)> {
        if self.is_standard_output() {
            return export(archives, name, io::stdout().lock());
        }
        let folder = match self.file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let trouble = |error: io::Error| file::trouble(self.file.display(), &error);
        let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(trouble)?;
        let written = export(archives, name, BufWriter::new(&mut temporary))?;
        temporary.as_file().sync_all().map_err(trouble)?;
        temporary.persist_noclobber(&self.file).map_err(|error| trouble(error.error))?;
        Ok(written)
    }

    fn outcome(&self, name: &str, about: &About, bytes: u64, took: Duration) -> String {
        let About { documents, shards } = *about;
        if self.json {
            let outcome = json!({
                "db": name,
                "file": self.file.display().to_string(),
                "documents": documents,
                "shards": shards,
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

fn export(archives: &Archives, name: &str, writer: impl Write) -> Result<(u64, About)> {
    let progress = Progress::entries("backing up");
    let mut counted = Counted { writer, bytes: 0 };
    let about =
        archives.take_out(name, &mut counted, &mut |done, total| progress.set(done, total))?;
    Ok((counted.bytes, about))
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
