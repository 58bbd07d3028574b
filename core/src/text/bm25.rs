//! How well a document answers a question in words: BM25 (S. Robertson & H. Zaragoza, "The
//! Probabilistic Relevance Framework: BM25 and Beyond", 2009), k1 = 1.2 and b = 0.75.
//!
//! A document's score is the sum over the words *w* of the question, each taken once, of
//!
//! ```text
//!                    f(w) · (k1 + 1)
//! idf(w) · ──────────────────────────────────────────
//!          f(w) + k1 · (1 − b + b · length / average)
//!
//! idf(w) = ln(1 + (N − n(w) + ½) / (n(w) + ½))
//! ```
//!
//! where *f(w)* says how often the document has *w*, *N* counts the documents that have any word in
//! the field, *n(w)* those that have *w*, *length* the words of the document, and *average* is that
//! of all *N*.

use super::{TextIndex, Word, terms::TermPosting};
use crate::{
    bitset::BitSet,
    column::Posting,
    index::{Nearest, Neighbour},
};
use alloc::vec::Vec;

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// What scores depend on besides the document: counts of one collection, which add up over several.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Statistics {
    /// Documents that have a word.
    pub(crate) documents: u64,
    /// Words of all documents together.
    pub(crate) words: u64,
    /// Documents that have each word of the question.
    pub(crate) having: Vec<u64>,
}

impl Statistics {
    /// Adds the counts of another collection, for the same question.
    pub(crate) fn add(&mut self, other: &Self) {
        self.documents += other.documents;
        self.words += other.words;
        self.having.resize(other.having.len(), 0);
        self.having.iter_mut().zip(&other.having).for_each(|(count, more)| *count += more);
    }
}

/// The formula with everything filled in that is the same for all documents.
pub(crate) struct Scorer {
    /// For each word, what it adds to a score at most.
    weights: Vec<f32>,
    /// k1 · (1 − b).
    base: f32,
    /// k1 · b / average.
    per_word: f32,
}

impl Scorer {
    #[expect(clippy::cast_possible_truncation, reason = "scores are single floats")]
    pub(crate) fn new(statistics: &Statistics) -> Self {
        let documents = statistics.documents as f64;
        let average = statistics.words as f64 / documents.max(1.0);
        let weight = |having: &u64| {
            let having = *having as f64;
            let idf = libm::log(1.0 + (documents - having + 0.5) / (having + 0.5));
            (idf * (K1 + 1.0)) as f32
        };
        Self {
            weights: statistics.having.iter().map(weight).collect(),
            base: (K1 * (1.0 - B)) as f32,
            per_word: (K1 * B / average.max(1.0)) as f32,
        }
    }

    fn score(&self, weight: f32, frequency: u16, length: u32) -> f32 {
        let frequency = f32::from(frequency);
        weight * frequency / (frequency + self.base + self.per_word * length as f32)
    }
}

/// The documents that answer best, best first, as neighbours at the distance of minus their scores;
/// and how many were scored.
pub(crate) fn best(
    index: &TextIndex,
    words: &[Word],
    scorer: &Scorer,
    allowed: Option<&BitSet>,
    limit: usize,
) -> (Vec<Neighbour>, u64) {
    let mut terms: Vec<Term<'_>> = words
        .iter()
        .zip(&scorer.weights)
        .map(|(word, weight)| Term { weight: *weight, postings: index.terms.get(word).collect() })
        .collect();
    // The rarest first, so that those which add little may come too late to matter. The order does
    // not depend on the collection's part that is at hand, and so neither do sums of floats.
    terms.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let mut ranking = Ranking {
        index,
        scorer,
        allowed,
        nearest: Nearest::new(limit),
        scores: alloc::vec![0.0; 1 << TermPosting::BLOCK_BITS],
        touched: Vec::new(),
        scored: 0,
    };
    let mut next = alloc::vec![0; terms.len()];
    loop {
        let pending = terms.iter().zip(&next).filter_map(|(term, next)| term.postings.get(*next));
        let Some(first) = pending.map(|posting| posting.first).min() else { break };
        let in_block = terms.iter().zip(&mut next).filter_map(|(term, next)| {
            let posting = term.postings.get(*next).filter(|posting| posting.first == first)?;
            *next += 1;
            Some((term.weight, *posting))
        });
        let in_block: Vec<_> = in_block.collect();
        ranking.rank_block(first, &in_block);
    }
    (ranking.nearest.into_sorted(), ranking.scored)
}

/// A word of the question that the collection has.
struct Term<'a> {
    weight: f32,
    /// Block by block.
    postings: Vec<&'a TermPosting>,
}

/// The best documents so far, while blocks are gone through in order.
struct Ranking<'a> {
    index: &'a TextIndex,
    scorer: &'a Scorer,
    allowed: Option<&'a BitSet>,
    nearest: Nearest,
    /// Of the documents of a block; 0 of those not touched.
    scores: Vec<f32>,
    touched: Vec<u16>,
    scored: u64,
}

impl Ranking<'_> {
    /// Scores the documents of the block that begins at `first`, word by word. Once the words left
    /// cannot bring a document among the best by themselves, they are looked up only in those that
    /// have one of the words before (MaxScore: H. Turtle & J. Flood, 1995).
    fn rank_block(&mut self, first: u32, terms: &[(f32, &TermPosting)]) {
        /// Sums in another order may differ by so much.
        const ROUNDING: f32 = 1.0 + 1e-5;
        let mut left = terms.iter().map(|(weight, _)| weight).sum::<f32>() * ROUNDING;
        let threshold = -self.nearest.worst();
        for (weight, posting) in terms {
            if left > threshold {
                self.add(first, *weight, posting);
            } else {
                self.drop_below(threshold - left);
                self.add_to_touched(first, *weight, posting);
            }
            left -= weight;
        }
        self.scored += self.touched.len() as u64;
        for offset in self.touched.drain(..) {
            let score = core::mem::take(&mut self.scores[usize::from(offset)]);
            let slot = first + u32::from(offset);
            self.nearest.offer(Neighbour { distance: -score, slot });
        }
    }

    /// Adds what a word is worth to every allowed document that has it.
    fn add(&mut self, first: u32, weight: f32, posting: &TermPosting) {
        for occurrence in &posting.occurrences {
            let slot = first + u32::from(occurrence.offset);
            let score = &mut self.scores[usize::from(occurrence.offset)];
            if *score == 0.0 {
                if self.allowed.is_some_and(|allowed| !allowed.contains(slot)) {
                    continue;
                }
                self.touched.push(occurrence.offset);
            }
            *score += self.scorer.score(weight, occurrence.frequency, self.index.length(slot));
        }
    }

    /// Adds what a word is worth to the documents touched that have it.
    fn add_to_touched(&mut self, first: u32, weight: f32, posting: &TermPosting) {
        for offset in &self.touched {
            let Some(frequency) = posting.frequency(*offset) else { continue };
            let length = self.index.length(first + u32::from(*offset));
            self.scores[usize::from(*offset)] += self.scorer.score(weight, frequency, length);
        }
    }

    /// Lets go of the documents touched that score less.
    fn drop_below(&mut self, score: f32) {
        let scores = &mut self.scores;
        self.touched.retain(|offset| {
            let is_kept = scores[usize::from(*offset)] >= score;
            if !is_kept {
                scores[usize::from(*offset)] = 0.0;
            }
            is_kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Scorer, Statistics, best};
    use crate::{
        Schema, Value,
        text::{TextIndex, words_asked},
    };
    use alloc::{string::String, vec::Vec};

    fn index(texts: &[&str]) -> TextIndex {
        let schema =
            Schema::from_json_str(r#"{"id": "u64", "gloss": {"type": "string", "text": true}}"#);
        let schema = schema.expect("the schema is well formed");
        let mut index = TextIndex::all(&schema).remove(0);
        for (slot, text) in (0..).zip(texts) {
            index.insert(slot, &[Value::from(*text)]);
        }
        index
    }

    /// Slots and scores, best first.
    fn answers(index: &TextIndex, question: &str, limit: usize) -> Vec<(u32, f32)> {
        let words = words_asked(question).expect("the question is short");
        let scorer = Scorer::new(&index.statistics(&words));
        let (found, _) = best(index, &words, &scorer, None, limit);
        found.into_iter().map(|found| (found.slot, -found.distance)).collect()
    }

    /// N = 3 and the average length is 3. "cat" is in two documents, so that its idf is
    /// ln(1 + 1.5 / 2.5) = 0.470004; "wild" is in one, ln(1 + 2.5 / 1.5) = 0.980829. Slot 0 has
    /// 4 words, k1 · (0.25 + 0.75 · 4 / 3) = 1.5; slot 1 has 2, 1.2 · (0.25 + 0.5) = 0.9.
    #[test]
    fn scores_are_those_computed_by_hand() {
        let index = index(&["cat and cat again", "wild cat", "dogs, they bark"]);
        let found = answers(&index, "Wild cat!", 10);
        let expected = [
            (1, 0.470_004 * 2.2 / 1.9 + 0.980_829 * 2.2 / 1.9),
            (0, 0.470_004 * 2.0 * 2.2 / (2.0 + 1.5)),
        ];
        assert_eq!(found.len(), expected.len());
        for ((slot, score), (expected_slot, expected_score)) in found.into_iter().zip(expected) {
            assert_eq!(slot, expected_slot);
            assert!((score - expected_score).abs() < 1e-5, "{score} is not {expected_score}");
        }
    }

    /// Nine in ten have "of", few have a rare word: once ten of these are found, those that have
    /// "of" only are passed over, and nothing changes.
    #[test]
    fn what_cannot_be_among_the_best_is_not_scored() {
        let texts = (0..40_000_u32).map(|number| {
            let common =
                if number % 10 > 0 { "of ".repeat(1 + number as usize % 3) } else { String::new() };
            let rare = if number % 100 == 7 { "rare" } else { "" };
            alloc::format!("{common}{rare} w{}", number % 1_000)
        });
        let texts: Vec<String> = texts.collect();
        let index = index(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let words = words_asked("of rare w7").expect("the question is short");
        let scorer = Scorer::new(&index.statistics(&words));
        let (all, scored_all) = best(&index, &words, &scorer, None, 40_000);
        let (few, scored_few) = best(&index, &words, &scorer, None, 10);
        assert_eq!(few, all[..10]);
        assert!(scored_few < scored_all / 2, "{scored_few} of {scored_all} were scored");
    }

    #[test]
    fn statistics_of_parts_add_up() {
        let words = words_asked("cat wild").expect("the question is short");
        let (one, other) = (index(&["cat and cat again", ""]), index(&["wild cat"]));
        let mut sum = Statistics::default();
        sum.add(&one.statistics(&words));
        sum.add(&other.statistics(&words));
        let together = index(&["cat and cat again", "", "wild cat"]);
        assert_eq!(sum, together.statistics(&words));
    }
}
