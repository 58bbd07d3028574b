//! Progress bars on standard error; nothing at all when that is no terminal.

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::{fmt::Write, time::Duration};

const DOCUMENTS: &str = "{msg} [{bar:32}] {human_pos}/{human_len} documents  {rate}  {eta} left";
const ENTRIES: &str = "{msg} [{bar:32}] {human_pos}/{human_len} pages  {eta} left";
const STEPS: &str = "{spinner} {msg} [{bar:32}] {pos}/{len}  {elapsed}";
const REDRAW: Duration = Duration::from_millis(100);

/// How far a long work is. Dropping it clears the line.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Work on `total` documents: shows documents per second and the time left.
    pub(crate) fn documents(doing: &'static str, total: u64) -> Self {
        Self::styled(DOCUMENTS, doing, total)
    }

    /// Work on the entries of an archive, most of which are pages; how many is found out by it.
    pub(crate) fn entries(doing: &'static str) -> Self {
        Self::styled(ENTRIES, doing, 0)
    }

    /// Work in `total` steps of unequal length.
    pub(crate) fn steps(doing: &'static str, total: usize) -> Self {
        let progress = Self::styled(STEPS, doing, u64::try_from(total).unwrap_or(u64::MAX));
        progress.0.enable_steady_tick(REDRAW);
        progress
    }

    /// `count` were done before; they say nothing about how fast it goes.
    pub(crate) fn begin_at(&self, count: u64) {
        self.0.set_position(count);
        self.0.reset_eta();
    }

    /// `count` more are done.
    pub(crate) fn advance(&self, count: usize) {
        self.0.inc(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// `done` of `total` are done.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    /// Says what is being done now.
    pub(crate) fn doing(&self, what: impl Into<String>) {
        self.0.set_message(what.into());
    }

    fn styled(template: &str, doing: &'static str, total: u64) -> Self {
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ")
            .with_key("rate", write_rate);
        Self(ProgressBar::new(total).with_style(style).with_message(doing))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn write_rate(state: &ProgressState, out: &mut dyn Write) {
    // A bar that cannot be drawn is no reason to stop the work.
    let _ = write!(out, "{:.0} docs/s", state.per_sec());
}
