//! JSONL files as one run of rows, each with the file and line number it came from.

use super::file;
use serde_json::{Map, Value as Json};
use std::{
    collections::VecDeque,
    io::{BufRead, Read},
    path::PathBuf,
};
use vectordoc::{Error, Result};

/// Bytes of one line: the largest document with room for its vectors in decimal.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The lines of several files, one after the other, blank ones left out.
pub(crate) struct Lines {
    waiting: VecDeque<PathBuf>,
    current: Option<Source>,
}

struct Source {
    name: String,
    reader: Box<dyn BufRead + Send>,
    number: u64,
}

/// One line and where it stands.
pub(crate) struct Line {
    /// Its text, without the line break.
    pub(crate) text: String,
    place: String,
}

impl Lines {
    /// The lines of these files.
    pub(crate) fn of_files(paths: &[PathBuf]) -> Self {
        Self { waiting: paths.iter().cloned().collect(), current: None }
    }

    /// The lines of `text`, which errors call `name`.
    pub(crate) fn of_text(name: &str, text: &'static str) -> Self {
        let reader = Box::new(text.as_bytes());
        let source = Source { name: name.to_owned(), reader, number: 0 };
        Self { waiting: VecDeque::new(), current: Some(source) }
    }

    /// Leaves out the next `count` lines.
    pub(crate) fn skip(&mut self, count: u64) -> Result<()> {
        for _ in 0..count {
            self.advance()?;
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<Option<Line>> {
        loop {
            if let Some(source) = &mut self.current
                && let Some(line) = source.next_line()?
            {
                return Ok(Some(line));
            }
            let Some(path) = self.waiting.pop_front() else { return Ok(None) };
            let (name, reader) = (path.display().to_string(), Box::new(file::open(&path)?));
            self.current = Some(Source { name, reader, number: 0 });
        }
    }
}

impl Iterator for Lines {
    type Item = Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

impl Source {
    fn next_line(&mut self) -> Result<Option<Line>> {
        loop {
            let mut text = String::new();
            self.number += 1;
            let bytes = (&mut self.reader)
                .take(LINE_BYTES_MAX)
                .read_line(&mut text)
                .map_err(|error| file::trouble(self.place(), &error))?;
            if bytes == 0 {
                return Ok(None);
            }
            if u64::try_from(bytes) == Ok(LINE_BYTES_MAX) {
                return Err(Error::limit_exceeded(format!(
                    "{} is longer than {LINE_BYTES_MAX} bytes",
                    self.place()
                )));
            }
            if !text.trim().is_empty() {
                return Ok(Some(Line { text, place: self.place() }));
            }
        }
    }

    fn place(&self) -> String {
        format!("{} line {}", self.name, self.number)
    }
}

impl Line {
    /// File and line number, as errors name them.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// The object on this line.
    pub(crate) fn object(&self) -> Result<Map<String, Json>> {
        serde_json::from_str(&self.text).map_err(|error| self.error(&error))
    }

    /// What is wrong with this line. `error` counts lines from the line's own start, which would
    /// mislead: only the column is kept.
    pub(crate) fn error(&self, error: &serde_json::Error) -> Error {
        let text = error.to_string();
        let told = text.split(" at line ").next().unwrap_or(&text);
        let column = match error.column() {
            0 => String::new(),
            column => format!(" column {column}"),
        };
        Error::invalid(format!("{}{column}: {told}", self.place))
    }
}

/// How many rows the files have.
pub(crate) fn count_rows(paths: &[PathBuf]) -> Result<u64> {
    Lines::of_files(paths).try_fold(0, |count, line| line.map(|_| count + 1))
}
