//! How much of the past a shard keeps: records that no checkpoint needs any more, for who follows
//! the changes.

use super::store::Past;
use std::collections::VecDeque;

/// The records kept are cut span by span, about so many of them.
const SPANS: u64 = 16;

/// Which records there are, and how large. It is ground state of the store only in so far as
/// records of before the last checkpoint are named by nothing else.
pub(super) struct History {
    bytes_max: u64,
    /// Records up to this number are gone.
    cut: u64,
    spans: VecDeque<Span>,
    bytes: u64,
}

/// A run of records that go together.
struct Span {
    last: u64,
    bytes: u64,
}

impl History {
    /// What a store says there is, to be cut to `bytes_max`.
    pub(super) fn new(bytes_max: u64, past: &Past) -> Self {
        let spans: VecDeque<Span> =
            past.spans.iter().map(|(last, bytes)| Span { last: *last, bytes: *bytes }).collect();
        let bytes = spans.iter().map(|span| span.bytes).sum();
        Self { bytes_max, cut: past.cut, spans, bytes }
    }

    /// The record of this number is there, so large.
    pub(super) fn add(&mut self, number: u64, bytes: u64) {
        let grain = if self.bytes_max == 0 { u64::MAX } else { self.bytes_max / SPANS };
        self.bytes += bytes;
        match self.spans.back_mut() {
            Some(span) if span.bytes.saturating_add(bytes) <= grain => {
                *span = Span { last: number, bytes: span.bytes + bytes };
            }
            _ => self.spans.push_back(Span { last: number, bytes }),
        }
    }

    /// Gives up the oldest records while as many bytes as are to be kept are left, but none after
    /// `pinned`, and says up to which number they are gone. Only where no checkpoint needs them.
    pub(super) fn shorten(&mut self, pinned: u64) -> u64 {
        while let Some(oldest) = self.spans.front()
            && self.bytes - oldest.bytes >= self.bytes_max
            && oldest.last <= pinned
        {
            self.bytes -= oldest.bytes;
            self.cut = oldest.last;
            self.spans.pop_front();
        }
        self.cut
    }

    /// There are no records up to this one, and never were.
    pub(super) fn begin_after(&mut self, number: u64) {
        (self.cut, self.bytes) = (number, 0);
        self.spans.clear();
    }

    /// What a store has to remember with the checkpoint of record `checkpoint`.
    pub(super) fn past(&self, identity: u64, checkpoint: u64) -> Past {
        let spans = self.spans.iter().map(|span| (span.last, span.bytes)).collect();
        Past { identity, cut: self.cut, checkpoint, spans }
    }
}

#[cfg(test)]
mod tests {
    use super::{History, Past};

    fn history(bytes_max: u64) -> History {
        History::new(bytes_max, &Past { identity: 1, cut: 0, checkpoint: 0, spans: Vec::new() })
    }

    #[test]
    fn at_least_the_bytes_asked_for_stay_and_little_more() {
        let mut history = history(1_600);
        (1..=1_000).for_each(|number| history.add(number, 10));
        let cut = history.shorten(u64::MAX);
        let kept = (1_000 - cut) * 10;
        assert!((1_600..=1_700).contains(&kept), "{kept} bytes are kept");
        let again = History::new(1_600, &history.past(1, 1_000));
        assert_eq!((again.cut, again.bytes), (cut, kept));
    }

    #[test]
    fn what_is_pinned_stays_until_it_is_not() {
        let mut history = history(100);
        (1..=1_000).for_each(|number| history.add(number, 10));
        let cut = history.shorten(300);
        assert!((290..=300).contains(&cut), "{cut}");
        assert!(history.shorten(u64::MAX) >= 980);
    }

    #[test]
    fn a_history_of_nothing_keeps_nothing() {
        let mut history = history(0);
        (1..=9).for_each(|number| history.add(number, 10));
        assert_eq!(history.shorten(u64::MAX), 9);
        assert!(history.spans.is_empty());
    }
}
