//! The bytes of what crosses between shards: queries, candidates, places and documents.

use crate::{
    Document, Error, Filter, Fusion, Id, Include, Order, Query, Result, Schema, Scroll, TextQuery,
    bytes::{Reader, Writer},
    document::{read_id, read_value, read_values, write_document, write_id, write_value},
    engine::Candidate,
    limits,
    text::Statistics,
};
use alloc::{format, string::String, vec::Vec};

const INCLUDE_VALUES: u8 = 0;
const INCLUDE_EVERYTHING: u8 = 1;
const INCLUDE_NOTHING: u8 = 2;
const INCLUDE_FIELDS: u8 = 3;

/// What `read` makes of all of `bytes`.
pub(crate) fn read_all<T>(
    bytes: &[u8],
    read: impl FnOnce(&mut Reader<'_>) -> Result<T>,
) -> Result<T> {
    let mut reader = Reader::new(bytes);
    let value = read(&mut reader)?;
    if reader.is_empty() {
        Ok(value)
    } else {
        Err(Error::corrupt("the data goes on after its end"))
    }
}

pub(crate) fn write_list<T>(writer: &mut Writer, items: &[T], write: impl Fn(&mut Writer, &T)) {
    writer.length(items.len());
    items.iter().for_each(|item| write(writer, item));
}

pub(crate) fn read_list<T>(
    reader: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..reader.length()?).map(|_| read(reader)).collect()
}

pub(crate) fn write_option<T: ?Sized>(
    writer: &mut Writer,
    item: Option<&T>,
    write: impl Fn(&mut Writer, &T),
) {
    writer.u8(item.is_some().into());
    if let Some(item) = item {
        write(writer, item);
    }
}

pub(crate) fn read_option<T>(
    reader: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let is_there = read_bool(reader)?;
    is_there.then(|| read(reader)).transpose()
}

pub(crate) fn write_text(writer: &mut Writer, text: &str) {
    writer.bytes(text.as_bytes());
}

pub(crate) fn read_text(reader: &mut Reader<'_>) -> Result<String> {
    reader.text()
}

pub(crate) fn read_bool(reader: &mut Reader<'_>) -> Result<bool> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        byte => Err(Error::corrupt(format!("the byte {byte} is no truth value"))),
    }
}

pub(crate) fn read_size(reader: &mut Reader<'_>) -> Result<usize> {
    usize::try_from(reader.varint()?).map_err(|_| Error::corrupt("a number is too large"))
}

pub(crate) fn read_u64(reader: &mut Reader<'_>) -> Result<u64> {
    u64::try_from(reader.varint()?).map_err(|_| Error::corrupt("a number exceeds 64 bits"))
}

pub(crate) fn write_vector(writer: &mut Writer, vector: &[f32]) {
    writer.length(vector.len());
    writer.f32s(vector);
}

pub(crate) fn read_vector(reader: &mut Reader<'_>) -> Result<Vec<f32>> {
    let length = reader.length()?;
    reader.f32s(length)
}

fn read_f32(reader: &mut Reader<'_>) -> Result<f32> {
    reader.u32().map(f32::from_bits)
}

pub(crate) fn write_filter(writer: &mut Writer, filter: &Filter) {
    write_value(writer, &filter.to_value());
}

pub(crate) fn read_filter(reader: &mut Reader<'_>) -> Result<Filter> {
    /// Each level of a filter is a list of objects.
    const VALUE_DEPTH_MAX: usize = 2 * limits::FILTER_DEPTH_MAX + limits::DOCUMENT_DEPTH_MAX;
    Filter::from_value(&read_value(reader, VALUE_DEPTH_MAX)?)
}

pub(crate) fn write_include(writer: &mut Writer, include: &Include) {
    match include {
        Include::Values => writer.u8(INCLUDE_VALUES),
        Include::Everything => writer.u8(INCLUDE_EVERYTHING),
        Include::Nothing => writer.u8(INCLUDE_NOTHING),
        Include::Fields(names) => {
            writer.u8(INCLUDE_FIELDS);
            write_list(writer, names, |writer, name| write_text(writer, name));
        }
    }
}

pub(crate) fn read_include(reader: &mut Reader<'_>) -> Result<Include> {
    Ok(match reader.u8()? {
        INCLUDE_VALUES => Include::Values,
        INCLUDE_EVERYTHING => Include::Everything,
        INCLUDE_NOTHING => Include::Nothing,
        INCLUDE_FIELDS => Include::Fields(read_list(reader, read_text)?),
        tag => return Err(Error::corrupt(format!("an include has the unknown tag {tag}"))),
    })
}

pub(crate) fn write_text_query(writer: &mut Writer, query: &TextQuery) {
    write_text(writer, &query.words);
    write_option(writer, query.field.as_deref(), write_text);
}

pub(crate) fn read_text_query(reader: &mut Reader<'_>) -> Result<TextQuery> {
    Ok(TextQuery { words: reader.text()?, field: read_option(reader, read_text)? })
}

pub(crate) fn write_query(writer: &mut Writer, query: &Query) {
    write_option(writer, query.vector.as_deref(), write_vector);
    write_option(writer, query.field.as_deref(), write_text);
    write_option(writer, query.text.as_ref(), write_text_query);
    write_value(writer, &query.fusion.to_value());
    writer.length(query.limit);
    writer.length(query.offset);
    write_option(writer, query.ef.as_ref(), |writer, ef| writer.length(*ef));
    writer.u8(query.exact.into());
    write_option(writer, query.min_score.as_ref(), |writer, score| writer.u32(score.to_bits()));
    write_filter(writer, &query.filter);
    write_list(writer, &query.except, write_id);
    write_include(writer, &query.include);
}

pub(crate) fn read_query(reader: &mut Reader<'_>) -> Result<Query> {
    Ok(Query {
        vector: read_option(reader, read_vector)?,
        field: read_option(reader, read_text)?,
        text: read_option(reader, read_text_query)?,
        fusion: Fusion::from_value(&read_value(reader, limits::DOCUMENT_DEPTH_MAX)?)?,
        limit: read_size(reader)?,
        offset: read_size(reader)?,
        ef: read_option(reader, read_size)?,
        exact: read_bool(reader)?,
        min_score: read_option(reader, read_f32)?,
        filter: read_filter(reader)?,
        except: read_list(reader, read_id)?,
        include: read_include(reader)?,
    })
}

pub(crate) fn write_scroll(writer: &mut Writer, scroll: &Scroll) {
    write_filter(writer, &scroll.filter);
    write_option(writer, scroll.order.as_ref(), |writer, order: &Order| {
        write_text(writer, &order.field);
        writer.u8(order.descending.into());
    });
    write_option(writer, scroll.cursor.as_deref(), write_text);
    writer.length(scroll.limit);
    write_include(writer, &scroll.include);
}

pub(crate) fn read_scroll(reader: &mut Reader<'_>) -> Result<Scroll> {
    let order = |reader: &mut Reader<'_>| {
        Ok(Order { field: reader.text()?, descending: read_bool(reader)? })
    };
    Ok(Scroll {
        filter: read_filter(reader)?,
        order: read_option(reader, order)?,
        cursor: read_option(reader, read_text)?,
        limit: read_size(reader)?,
        include: read_include(reader)?,
    })
}

pub(crate) fn write_statistics(writer: &mut Writer, statistics: &Statistics) {
    writer.varint(statistics.documents.into());
    writer.varint(statistics.words.into());
    write_list(writer, &statistics.having, |writer, count| writer.varint((*count).into()));
}

pub(crate) fn read_statistics(reader: &mut Reader<'_>) -> Result<Statistics> {
    /// So that what is added up over shards fits.
    const COUNT_MAX: u64 = u64::MAX / limits::SHARDS_MAX as u64;
    let count = |reader: &mut Reader<'_>| {
        let count = read_u64(reader)?;
        let fits = count <= COUNT_MAX;
        fits.then_some(count).ok_or_else(|| Error::corrupt(format!("{count} is no count of words")))
    };
    Ok(Statistics {
        documents: count(reader)?,
        words: count(reader)?,
        having: read_list(reader, count)?,
    })
}

pub(crate) fn write_candidate(writer: &mut Writer, candidate: &Candidate) {
    write_id(writer, &candidate.id);
    writer.u32(candidate.slot);
    writer.varint(candidate.version.into());
    writer.f32s(&[candidate.order, candidate.score, candidate.distance]);
}

pub(crate) fn read_candidate(reader: &mut Reader<'_>) -> Result<Candidate> {
    Ok(Candidate {
        id: read_id(reader)?,
        slot: reader.u32()?,
        version: read_u64(reader)?,
        order: read_f32(reader)?,
        score: read_f32(reader)?,
        distance: read_f32(reader)?,
    })
}

/// What [`read_document`] reads. Vectors are as the engine gives them out, whatever it keeps.
pub(crate) fn document_bytes(document: &Document) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.bytes(&write_document(document));
    for vector in &document.vectors {
        write_option(&mut writer, vector.as_deref(), write_vector);
    }
    writer.into_bytes()
}

pub(crate) fn read_document(bytes: &[u8], schema: &Schema) -> Result<Document> {
    read_all(bytes, |reader| {
        let mut document = Reader::new(reader.bytes()?);
        let id = read_id(&mut document)?;
        let values = read_values(&mut document, schema.values().len())?;
        let vectors = schema.vectors().iter().map(|field| {
            let vector = read_option(reader, read_vector)?;
            let fits = vector.as_ref().is_none_or(|vector| vector.len() == field.dim);
            fits.then_some(vector).ok_or_else(|| Error::corrupt("a vector is of another length"))
        });
        Ok(Document { id, vectors: vectors.collect::<Result<_>>()?, values })
    })
}

pub(crate) fn write_versioned(writer: &mut Writer, (id, version): &(Id, u64)) {
    write_id(writer, id);
    writer.varint((*version).into());
}

pub(crate) fn read_versioned(reader: &mut Reader<'_>) -> Result<(Id, u64)> {
    Ok((read_id(reader)?, read_u64(reader)?))
}
