//! What a shard answers, and how it is read.

use super::{
    explained::{read_explanation, write_explanation, write_warning},
    format::{
        document_bytes, read_all, read_candidate, read_list, read_option, read_statistics,
        read_u64, read_vector, write_candidate, write_list, write_option, write_statistics,
        write_text, write_vector,
    },
    question::Question,
};
use crate::{
    Engine, Error, ErrorKind, Id, Include, Query, Result, Value,
    bytes::{Reader, Writer},
    document::{read_value, write_id, write_value},
    engine::{Candidate, Part, Place},
    limits,
    text::Statistics,
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};

impl Engine {
    /// Answers what a [`Gathering`](crate::shards::Gathering) asks this engine, which is one of
    /// those that have a database between them.
    pub fn answer(&self, question: &[u8]) -> Result<Vec<u8>> {
        let mut writer = Writer::default();
        match Question::from_bytes(question)? {
            Question::Examples(field, ids) => self.answer_examples(&mut writer, field, &ids)?,
            Question::Statistics(text) => write_statistics(&mut writer, &self.statistics(&text)?),
            Question::Part(query, statistics) => {
                let part = self.part(&query, &statistics)?;
                self.answer_part(&mut writer, &query, &part)?;
            }
            Question::Documents(include, wanted) => {
                writer.length(wanted.len());
                for (id, version) in &wanted {
                    let document = self.document_of(id, *version, &include)?;
                    writer.u8(document.is_some().into());
                    document.into_iter().for_each(|doc| writer.bytes(&document_bytes(&doc)));
                }
            }
            Question::Facet(path, filter) => {
                let counts = self.facet(&path, &filter)?;
                write_list(&mut writer, &counts, |writer, (value, count)| {
                    write_value(writer, value);
                    writer.varint((*count).into());
                });
            }
            Question::Scroll(scroll) => {
                let (schema, order) = (self.schema(), scroll.order.as_ref());
                let place = |cursor: &String| Place::of_cursor(cursor, schema, order);
                let after = scroll.cursor.as_ref().map(place).transpose()?;
                let found = self.scroll(&scroll, after.as_ref())?;
                writer.length(found.len());
                for (place, document) in found {
                    place.write(&mut writer, schema, order)?;
                    writer.bytes(&document_bytes(&document));
                }
            }
            Question::Get(include, ids) => self.answer_get(&mut writer, &include, &ids)?,
            Question::Count(filter) => writer.varint(self.count(&filter)?.into()),
            Question::Warnings(filter) => {
                write_list(&mut writer, &self.warnings(&filter)?, write_warning);
            }
            Question::SearchWarnings(query) => {
                write_list(&mut writer, &self.search_warnings(&query)?, write_warning);
            }
            Question::Vectors(field) => {
                writer.varint(self.vectors(self.known_field(field)?).into());
            }
            Question::Nth(field, rank) => {
                let found = self.nth(self.known_field(field)?, rank)?;
                write_option(&mut writer, found.as_ref(), |writer, (id, vector)| {
                    write_id(writer, id);
                    write_vector(writer, vector);
                });
            }
        }
        Ok(writer.into_bytes())
    }

    fn known_field(&self, field: usize) -> Result<usize> {
        if field >= self.schema().vectors().len() {
            return Err(Error::invalid("a question is about a vector field the schema has not"));
        }
        Ok(field)
    }

    fn answer_get(&self, writer: &mut Writer, include: &Include, ids: &[Id]) -> Result<()> {
        self.check_include(include)?;
        writer.length(ids.len());
        for id in ids {
            let found = self.get(id, include)?.zip(self.version(id)?);
            write_option(writer, found.as_ref(), |writer, (document, version)| {
                writer.bytes(&document_bytes(document));
                writer.varint((*version).into());
            });
        }
        Ok(())
    }

    fn answer_examples(&self, writer: &mut Writer, field: usize, ids: &[Id]) -> Result<()> {
        let field = self.known_field(field)?;
        writer.length(ids.len());
        for id in ids {
            match self.example(id, field) {
                Ok(vector) => {
                    writer.u8(1);
                    write_vector(writer, &vector);
                }
                // Of the examples of all shards the first that is wrong is named.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    writer.u8(0);
                    write_text(writer, error.message());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The candidates, and the documents of those that are likely to be hits: most often all of
    /// them, so that nothing is asked for once more.
    fn answer_part(&self, writer: &mut Writer, query: &Query, part: &Part) -> Result<()> {
        /// So many cost less on their way between threads than asking once more.
        const DOCUMENTS_BYTES_MAX: usize = 64 * 1024;
        write_list(writer, &part.by_vector, write_candidate);
        write_list(writer, &part.by_text, write_candidate);
        write_explanation(writer, &part.explanation);
        let likely = [&part.by_vector, &part.by_text].into_iter().flat_map(|list| {
            let list = list.iter().filter(|candidate| !query.except.contains(&candidate.id));
            list.take(query.limit.saturating_add(query.offset))
        });
        let mut documents = Documents::new();
        let mut bytes = 0;
        for Candidate { slot, id, .. } in likely {
            if bytes < DOCUMENTS_BYTES_MAX && !documents.contains_key(slot) {
                let document = self.document(*slot, id.clone(), &query.include)?;
                let document = document_bytes(&document);
                bytes += document.len();
                documents.insert(*slot, document);
            }
        }
        writer.length(documents.len());
        for (slot, document) in &documents {
            writer.u32(*slot);
            writer.bytes(document);
        }
        Ok(())
    }
}

/// The vectors of the examples asked for; the error of one that is none.
pub(crate) fn examples(bytes: &[u8]) -> Result<Vec<Result<Vec<f32>>>> {
    let example = |reader: &mut Reader<'_>| match reader.u8()? {
        0 => Ok(Err(Error::not_found(reader.text()?))),
        _ => read_vector(reader).map(Ok),
    };
    read_all(bytes, |reader| read_list(reader, example))
}

pub(super) fn statistics(bytes: &[u8]) -> Result<Statistics> {
    read_all(bytes, read_statistics)
}

/// The documents of a part by the slots of their candidates, each to be read by
/// [`read_document`](super::format::read_document).
pub(super) type Documents = BTreeMap<u32, Vec<u8>>;

pub(super) fn part(bytes: &[u8]) -> Result<(Part, Documents)> {
    let document = |reader: &mut Reader<'_>| Ok((reader.u32()?, reader.bytes()?.to_vec()));
    read_all(bytes, |reader| {
        let by_vector = read_list(reader, read_candidate)?;
        let by_text = read_list(reader, read_candidate)?;
        let explanation = read_explanation(reader)?;
        let documents = read_list(reader, document)?.into_iter().collect();
        Ok((Part { by_vector, by_text, explanation }, documents))
    })
}

/// The documents asked for, as [`Documents`] has them; none where it is another by now.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Option<Vec<u8>>>> {
    let document = |reader: &mut Reader<'_>| Ok(reader.bytes()?.to_vec());
    read_all(bytes, |reader| read_list(reader, |reader| read_option(reader, document)))
}

pub(super) fn facet(bytes: &[u8]) -> Result<Vec<(Value, u64)>> {
    let counted = |reader: &mut Reader<'_>| {
        Ok((read_value(reader, limits::DOCUMENT_DEPTH_MAX)?, read_u64(reader)?))
    };
    read_all(bytes, |reader| read_list(reader, counted))
}
