//! What a shard is asked.

use super::format::{
    read_all, read_filter, read_include, read_list, read_query, read_scroll, read_size,
    read_statistics, read_text, read_text_query, read_u64, read_versioned, write_filter,
    write_include, write_list, write_query, write_scroll, write_statistics, write_text,
    write_text_query, write_versioned,
};
use crate::{
    Error, Filter, Id, Include, Query, Result, Scroll, TextQuery,
    bytes::Writer,
    document::{read_id, write_id},
    text::Statistics,
};
use alloc::{format, string::String, vec::Vec};

/// The first byte of every question, raised when their bytes change.
const FORMAT: u8 = 2;

const EXAMPLES: u8 = 1;
const STATISTICS: u8 = 2;
const PART: u8 = 3;
const DOCUMENTS: u8 = 4;
const FACET: u8 = 5;
const SCROLL: u8 = 6;
const GET: u8 = 7;
const COUNT: u8 = 8;
const WARNINGS: u8 = 9;
const SEARCH_WARNINGS: u8 = 10;
const VECTORS: u8 = 11;
const NTH: u8 = 12;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Question {
    /// The vectors of documents in the vector field of this number.
    Examples(usize, Vec<Id>),
    /// What a text scores by.
    Statistics(TextQuery),
    /// The best documents by what all shards together score by.
    Part(Query, Statistics),
    /// Documents that still have these versions.
    Documents(Include, Vec<(Id, u64)>),
    /// How many of the documents that pass have each value of a field.
    Facet(String, Filter),
    /// The next documents in an order.
    Scroll(Scroll),
    /// Documents with their versions.
    Get(Include, Vec<Id>),
    /// How many documents pass.
    Count(Filter),
    /// What to know about a filter.
    Warnings(Filter),
    /// What to know about a search.
    SearchWarnings(Query),
    /// How many documents have a vector in the vector field of this number.
    Vectors(usize),
    /// The one of them that has so many others before it, and its vector.
    Nth(usize, u64),
}

impl Question {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let writer = &mut Writer::default();
        writer.u8(FORMAT);
        match self {
            Self::Examples(field, ids) => {
                writer.u8(EXAMPLES);
                writer.length(*field);
                write_list(writer, ids, write_id);
            }
            Self::Statistics(text) => {
                writer.u8(STATISTICS);
                write_text_query(writer, text);
            }
            Self::Part(query, statistics) => {
                writer.u8(PART);
                write_query(writer, query);
                write_statistics(writer, statistics);
            }
            Self::Documents(include, wanted) => {
                writer.u8(DOCUMENTS);
                write_include(writer, include);
                write_list(writer, wanted, write_versioned);
            }
            Self::Facet(path, filter) => {
                writer.u8(FACET);
                write_text(writer, path);
                write_filter(writer, filter);
            }
            Self::Scroll(scroll) => {
                writer.u8(SCROLL);
                write_scroll(writer, scroll);
            }
            Self::Get(include, ids) => {
                writer.u8(GET);
                write_include(writer, include);
                write_list(writer, ids, write_id);
            }
            Self::Count(filter) => {
                writer.u8(COUNT);
                write_filter(writer, filter);
            }
            Self::Warnings(filter) => {
                writer.u8(WARNINGS);
                write_filter(writer, filter);
            }
            Self::SearchWarnings(query) => {
                writer.u8(SEARCH_WARNINGS);
                write_query(writer, query);
            }
            Self::Vectors(field) => {
                writer.u8(VECTORS);
                writer.length(*field);
            }
            Self::Nth(field, rank) => {
                writer.u8(NTH);
                writer.length(*field);
                writer.varint((*rank).into());
            }
        }
        core::mem::take(writer).into_bytes()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        read_all(bytes, |reader| {
            match reader.u8()? {
                FORMAT => {}
                format => {
                    return Err(Error::unsupported(format!(
                        "a question to a shard has format {format}, this build knows {FORMAT}; \
                         use the same build for all shards"
                    )));
                }
            }
            Ok(match reader.u8()? {
                EXAMPLES => Self::Examples(read_size(reader)?, read_list(reader, read_id)?),
                STATISTICS => Self::Statistics(read_text_query(reader)?),
                PART => Self::Part(read_query(reader)?, read_statistics(reader)?),
                DOCUMENTS => {
                    Self::Documents(read_include(reader)?, read_list(reader, read_versioned)?)
                }
                FACET => Self::Facet(read_text(reader)?, read_filter(reader)?),
                SCROLL => Self::Scroll(read_scroll(reader)?),
                GET => Self::Get(read_include(reader)?, read_list(reader, read_id)?),
                COUNT => Self::Count(read_filter(reader)?),
                WARNINGS => Self::Warnings(read_filter(reader)?),
                SEARCH_WARNINGS => Self::SearchWarnings(read_query(reader)?),
                VECTORS => Self::Vectors(read_size(reader)?),
                NTH => Self::Nth(read_size(reader)?, read_u64(reader)?),
                tag => return Err(Error::corrupt(format!("a question has the unknown tag {tag}"))),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        FORMAT, Filter, Id, Include, Query, Question, Scroll, Statistics, String, TextQuery, Vec,
    };
    use crate::{Error, ErrorKind, Fusion, Order};
    use alloc::vec;

    fn questions() -> Vec<Question> {
        let filter: Filter =
            r#"{"$or": [{"a": {"$gte": 1.5}}, {"$not": {"b": {"$in": ["x", null]}}}]}"#
                .parse()
                .expect("it is a filter");
        let ids = vec![Id::Int(u64::MAX), Id::from("päd"), Id::Uuid(crate::Uuid::max())];
        let text = TextQuery { words: String::from("wild cat"), field: Some("gloss".into()) };
        let query = Query {
            field: Some(String::from("v")),
            text: Some(text.clone()),
            fusion: Fusion::Weighted { text: 0.25 },
            limit: 7,
            offset: 300,
            ef: Some(128),
            exact: true,
            min_score: Some(-0.5),
            filter: filter.clone(),
            except: ids.clone(),
            include: Include::Fields(vec![String::from("a"), String::from("v")]),
            ..Query::new(vec![1.0, f32::MIN_POSITIVE, -0.0])
        };
        let statistics = Statistics { documents: 9, words: 1 << 40, having: vec![0, 5] };
        let scroll = Scroll {
            filter: filter.clone(),
            order: Some(Order::descending("a.b")),
            cursor: Some(String::from("[1,\"7\"]")),
            include: Include::Nothing,
            ..Scroll::new(1_000)
        };
        vec![
            Question::Examples(3, ids.clone()),
            Question::Statistics(text),
            Question::Part(query, statistics),
            Question::Part(Query::of_text(""), Statistics::default()),
            Question::Documents(Include::Everything, ids.into_iter().map(|id| (id, 5)).collect()),
            Question::Facet(String::from("a"), filter),
            Question::Scroll(scroll),
            Question::Scroll(Scroll::new(0)),
            Question::Get(Include::Values, vec![Id::Int(1), Id::from("two")]),
            Question::Count(Filter::All),
            Question::Warnings(Filter::All),
            Question::SearchWarnings(Query::of_text("cat")),
            Question::Vectors(2),
            Question::Nth(2, u64::MAX),
        ]
    }

    #[test]
    fn questions_survive_their_bytes() {
        for question in questions() {
            assert_eq!(Question::from_bytes(&question.to_bytes()), Ok(question));
        }
    }

    #[test]
    fn what_is_no_question_is_refused() {
        for question in questions() {
            let bytes = question.to_bytes();
            for end in 0..bytes.len() {
                assert!(Question::from_bytes(&bytes[..end]).is_err(), "{question:?} to {end}");
            }
            let longer = [&bytes[..], &[0]].concat();
            assert!(Question::from_bytes(&longer).is_err(), "{question:?}");
            let newer = [&[FORMAT + 1], &bytes[1..]].concat();
            let kind = Question::from_bytes(&newer).map_err(|error: Error| error.kind());
            assert_eq!(kind, Err(ErrorKind::Unsupported));
        }
    }
}
