//! Where a command says what it found: standard output, which its reader may leave at any time.

use std::{
    fmt::Display,
    io::{self, ErrorKind, IsTerminal, Write},
};
use vectordoc::{Error, Result};

/// Columns of a line when the output is no terminal.
const COLUMNS_DEFAULT: usize = 120;

/// Standard output.
pub(crate) struct Output {
    writer: io::Stdout,
    reader_left: bool,
}

impl Output {
    pub(crate) fn stdout() -> Self {
        Self { writer: io::stdout(), reader_left: false }
    }

    /// Writes one line at once, so that who waits for it sees it.
    pub(crate) fn line(&mut self, line: impl Display) -> Result<()> {
        let written = writeln!(self.writer, "{line}").and_then(|()| self.writer.flush());
        written.map_err(|error| self.lost(&error))
    }

    /// Writes bytes that end with a line.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.writer.write_all(bytes).and_then(|()| self.writer.flush());
        written.map_err(|error| self.lost(&error))
    }

    /// Whether the reader closed its end, as `head` does when it has seen enough.
    pub(crate) fn reader_left(&self) -> bool {
        self.reader_left
    }

    /// Columns of the terminal.
    pub(crate) fn columns(&self) -> usize {
        let terminal = console::Term::stdout();
        match terminal.size_checked() {
            Some((_, columns)) if self.writer.is_terminal() => usize::from(columns),
            _ => COLUMNS_DEFAULT,
        }
    }

    fn lost(&mut self, error: &io::Error) -> Error {
        self.reader_left = error.kind() == ErrorKind::BrokenPipe;
        Error::closed(format!("cannot write the output: {error}"))
    }
}
