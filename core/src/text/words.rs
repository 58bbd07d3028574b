//! From text to words: the words of Unicode (UAX #29, §4), in lower case.
//!
//! Ideographs are a word each. Punctuation and emoji are none. Marks that only say how a word is
//! set, such as soft hyphens and those of direction, do not count. Nothing is stemmed and no accent
//! taken away: *cats* is not *cat*, and *é* written as one character is not *e* with a mark.

use crate::{
    Result, Value,
    bytes::{Reader, Writer},
    column::TreeKey,
    limits,
};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use unicode_segmentation::UnicodeSegmentation;

/// Characters of a word that count; two words that begin with the same ones are the same.
const WORD_CHARS_MAX: usize = 64;
/// How often a word counts in one document, at most.
pub(super) const FREQUENCY_MAX: u16 = (1 << 14) - 1;

/// A word as it is looked up: UTF-8, in lower case. Its first bytes are at hand, as comparing words
/// that are somewhere else in memory is most of what an index spends its time on. Words have no
/// zero bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word {
    /// The first eight bytes, the first one highest; zeros after a shorter word.
    start: u64,
    rest: Box<[u8]>,
}

impl Word {
    fn new(word: &[u8]) -> Self {
        let (start, rest) = word.split_at(word.len().min(size_of::<u64>()));
        let mut bytes = [0; size_of::<u64>()];
        bytes[..start.len()].copy_from_slice(start);
        Self { start: u64::from_be_bytes(bytes), rest: rest.into() }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.start.to_be_bytes().to_vec();
        bytes.truncate(self.start_bytes());
        bytes.extend_from_slice(&self.rest);
        bytes
    }

    fn start_bytes(&self) -> usize {
        size_of::<u64>() - self.start.trailing_zeros() as usize / 8
    }
}

impl TreeKey for Word {
    fn stored_bytes(&self) -> usize {
        const LENGTH_BYTES_MAX: usize = 5;
        LENGTH_BYTES_MAX + self.start_bytes() + self.rest.len()
    }

    fn heap_bytes(&self) -> usize {
        self.rest.len()
    }

    fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.to_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.bytes().map(Self::new)
    }
}

/// How often each word is in the texts of one field of a document.
pub(super) type Words = BTreeMap<Word, u16>;

/// The words of a text, in their order.
pub(super) fn words_of(text: &str) -> impl Iterator<Item = Word> {
    text.unicode_words().map(|word| {
        let end = word.char_indices().nth(WORD_CHARS_MAX).map_or(word.len(), |(end, _)| end);
        let is_lower = word.bytes().all(|byte| byte.is_ascii_lowercase());
        match is_lower {
            true => Word::new(&word.as_bytes()[..end]),
            false => Word::new(word[..end].replace(is_invisible, "").to_lowercase().as_bytes()),
        }
    })
}

/// Whether a character only says how those around it are set.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{AD}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
    )
}

/// The words of a value: a text, or an array of texts.
pub(super) fn words_in(value: &Value) -> Words {
    let mut words = Words::new();
    let mut add = |value: &Value| {
        let Value::Text(text) = value else { return };
        for word in words_of(text) {
            let frequency = words.entry(word).or_default();
            *frequency = FREQUENCY_MAX.min(*frequency + 1);
        }
    };
    match value {
        Value::Array(elements) => elements.iter().for_each(add),
        text => add(text),
    }
    words
}

/// The different words of a question, in order; one that has too many is refused.
pub(crate) fn words_asked(text: &str) -> Result<Vec<Word>> {
    let mut words = Vec::new();
    for word in words_of(text) {
        if let Err(place) = words.binary_search(&word) {
            let count = words.len() + 1;
            limits::at_most(count, limits::TEXT_WORDS_MAX, "number of different words")?;
            words.insert(place, word);
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::{Reader, TreeKey, WORD_CHARS_MAX, Word, Writer, words_asked, words_in, words_of};
    use crate::{ErrorKind, Value, limits::TEXT_WORDS_MAX};
    use alloc::{format, string::String, vec::Vec};

    fn words(text: &str) -> Vec<String> {
        words_of(text).map(|word| String::from_utf8_lossy(&word.to_bytes()).into_owned()).collect()
    }

    #[test]
    fn words_are_those_of_unicode_in_lower_case() {
        for (text, expected) in [
            ("", &[][..]),
            (" -- ?! … 🐱🇳🇱", &[]),
            ("A Wild-Cat's 3.5 kg", &["a", "wild", "cat's", "3.5", "kg"]),
            ("ΟΔΟΣ straße ÉTÉ", &["οδος", "straße", "été"]),
            ("e\u{301}te\u{301}", &["e\u{301}te\u{301}"]),
            ("東京 tower", &["東", "京", "tower"]),
            ("\u{202E}שלום\u{202C} עולם", &["שלום", "עולם"]),
            ("soft\u{AD}ware \u{FEFF}", &["software"]),
            ("مرحبا بالعالم", &["مرحبا", "بالعالم"]),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_word_is_cut_between_characters() {
        let long = "ä".repeat(1_000_000);
        assert_eq!(words(&long), ["ä".repeat(WORD_CHARS_MAX)]);
    }

    #[test]
    fn words_have_the_order_of_their_bytes_and_survive_them() {
        let words = ["a", "ab", "b", "eight by", "eight byt", "eight bytes", "x", "é"];
        let keys: Vec<Word> = words.iter().map(|word| Word::new(word.as_bytes())).collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        for (key, word) in keys.iter().zip(words) {
            let mut writer = Writer::default();
            key.write(&mut writer);
            let bytes = writer.into_bytes();
            assert!(bytes.len() <= key.stored_bytes() && key.to_bytes() == word.as_bytes());
            assert_eq!(Word::read(&mut Reader::new(&bytes)).as_ref(), Ok(key));
        }
    }

    #[test]
    fn words_of_all_elements_are_counted_together() {
        let value = Value::Array([Value::from("cat Cat"), Value::from("a cat")].into());
        let counted: Vec<_> = words_in(&value).into_iter().collect();
        assert_eq!(counted, [(Word::new(b"a"), 1), (Word::new(b"cat"), 3)]);
    }

    #[test]
    fn a_question_of_too_many_words_is_refused() {
        let question = |count: usize| (0..count).map(|n| format!("w{n} w0 ")).collect::<String>();
        assert_eq!(words_asked(&question(TEXT_WORDS_MAX)).map(|w| w.len()), Ok(TEXT_WORDS_MAX));
        let refused = words_asked(&question(TEXT_WORDS_MAX + 1)).map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::LimitExceeded));
    }
}
