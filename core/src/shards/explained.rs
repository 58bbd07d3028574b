//! The bytes of how an answer came about, and of what to know about it.

use super::format::{read_bool, read_list, read_size, read_u64, write_list, write_text};
use crate::{
    Error, Result,
    bytes::{Reader, Writer},
    query::{Explanation, Warning},
};
use alloc::format;

const SCAN: u8 = 1;
const ELEMENT: u8 = 2;
const FIELD_COMPARISON: u8 = 3;
const SMALL_EF: u8 = 4;

/// What an engine calls its plans and the operators it warns of. Both are names in a program, so
/// those that come from elsewhere are looked up.
const NAMES: [&str; 20] = [
    "",
    "exact",
    "codes",
    "graph",
    "filtered graph",
    "filtered graph, then codes",
    "own index",
    "filtered own index",
    "own index, then codes",
    "nothing to search",
    "text",
    "hybrid",
    "mixed",
    "$startsWith",
    "$istartsWith",
    "$contains",
    "$icontains",
    "$endsWith",
    "$iendsWith",
    "$regex",
];

pub(super) fn write_explanation(writer: &mut Writer, explanation: &Explanation) {
    let Explanation { plan, visited, exact, ef, allowed, warnings } = explanation;
    write_text(writer, plan);
    writer.varint((*visited).into());
    writer.u8((*exact).into());
    writer.length(*ef);
    writer.varint((*allowed).into());
    write_list(writer, warnings, write_warning);
}

pub(super) fn read_explanation(reader: &mut Reader<'_>) -> Result<Explanation> {
    Ok(Explanation {
        plan: read_name(reader)?,
        visited: read_u64(reader)?,
        exact: read_bool(reader)?,
        ef: read_size(reader)?,
        allowed: read_u64(reader)?,
        warnings: read_list(reader, read_warning)?,
    })
}

pub(super) fn write_warning(writer: &mut Writer, warning: &Warning) {
    match warning {
        Warning::Scan { path, operator, values } => {
            writer.u8(SCAN);
            write_text(writer, path);
            write_text(writer, operator);
            writer.varint((*values).into());
        }
        Warning::Element { path, documents } => {
            writer.u8(ELEMENT);
            write_text(writer, path);
            writer.varint((*documents).into());
        }
        Warning::FieldComparison { path, values } => {
            writer.u8(FIELD_COMPARISON);
            write_text(writer, path);
            writer.varint((*values).into());
        }
        Warning::SmallEf { asked, used } => {
            writer.u8(SMALL_EF);
            writer.length(*asked);
            writer.length(*used);
        }
    }
}

pub(super) fn read_warning(reader: &mut Reader<'_>) -> Result<Warning> {
    Ok(match reader.u8()? {
        SCAN => Warning::Scan {
            path: reader.text()?,
            operator: read_name(reader)?,
            values: read_u64(reader)?,
        },
        ELEMENT => Warning::Element { path: reader.text()?, documents: read_u64(reader)? },
        FIELD_COMPARISON => {
            Warning::FieldComparison { path: reader.text()?, values: read_u64(reader)? }
        }
        SMALL_EF => Warning::SmallEf { asked: read_size(reader)?, used: read_size(reader)? },
        tag => return Err(Error::corrupt(format!("a warning has the unknown tag {tag}"))),
    })
}

fn read_name(reader: &mut Reader<'_>) -> Result<&'static str> {
    let name = reader.text()?;
    let known = NAMES.iter().find(|known| **known == name);
    known.copied().ok_or_else(|| {
        Error::unsupported(format!(
            "a shard answers with {name:?}, which this build does not know; use the same build for \
             all shards"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn an_explanation_comes_back_as_it_was() -> Result<()> {
        let path = || "a.b".into();
        let warnings = vec![
            Warning::Scan { path: path(), operator: "$regex", values: 7 },
            Warning::Element { path: path(), documents: 8 },
            Warning::FieldComparison { path: path(), values: u64::MAX },
            Warning::SmallEf { asked: 5, used: 10 },
        ];
        for plan in NAMES {
            let warnings = warnings.clone();
            let explanation =
                Explanation { plan, visited: 3, exact: true, ef: 9, allowed: 4, warnings };
            let mut writer = Writer::default();
            write_explanation(&mut writer, &explanation);
            let bytes = writer.into_bytes();
            assert_eq!(read_explanation(&mut Reader::new(&bytes))?, explanation);
        }
        Ok(())
    }
}
