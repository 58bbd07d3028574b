//! Parquet files as one run of rows. A file of any size takes the memory of one page of each column.

use super::{
    Cell,
    guard::guarded,
    kind::{self, Kind},
    numbers::{Numbers, Place},
};
use crate::cli::file;
use parquet::{
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
    record::reader::{ReaderIter, TreeBuilder},
    schema::types::{SchemaDescPtr, SchemaDescriptor, Type},
};
use std::{
    collections::VecDeque,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};
use vectordoc::{Error, Result, schema::FieldType};

/// The rows of several files, one after the other.
pub(crate) struct Records {
    waiting: VecDeque<PathBuf>,
    current: Option<Table>,
}

/// One row and where it stands.
pub(crate) struct Record {
    /// Its values by column.
    pub(crate) cells: Vec<(String, Cell)>,
    place: String,
}

/// One file.
struct Table {
    name: String,
    file: SerializedFileReader<File>,
    columns: Vec<(String, Kind)>,
    /// The columns of arrays of numbers, which are read apart.
    apart: Vec<(String, Place)>,
    /// The other columns, and their schema.
    others: Vec<(String, Kind)>,
    others_schema: SchemaDescPtr,
    /// The row group to read next.
    next_group: usize,
    /// What is left of the one before.
    group: Option<Group>,
    /// The number of the next row, counted from 0.
    number: u64,
}

/// A row group that is being read.
struct Group {
    rows_left: u64,
    /// The columns that are not apart, if there are any.
    others: Option<ReaderIter>,
    apart: Vec<Numbers>,
}

impl Records {
    /// The rows of these files.
    pub(crate) fn of_files(paths: &[PathBuf]) -> Self {
        Self { waiting: paths.iter().cloned().collect(), current: None }
    }

    /// Leaves out the next `count` rows, without reading what need not be read.
    pub(crate) fn skip(&mut self, mut count: u64) -> Result<()> {
        while count > 0 && self.has_table()? {
            let Some(table) = &mut self.current else { break };
            count -= table.skip(count)?;
            if count > 0 {
                self.current = None;
            }
        }
        Ok(())
    }

    /// Whether there is a file to read from, which may have no row left.
    fn has_table(&mut self) -> Result<bool> {
        if self.current.is_none()
            && let Some(path) = self.waiting.pop_front()
        {
            self.current = Some(Table::open(&path)?);
        }
        Ok(self.current.is_some())
    }

    fn advance(&mut self) -> Result<Option<Record>> {
        while self.has_table()? {
            if let Some(table) = &mut self.current
                && let Some(record) = table.next_record()?
            {
                return Ok(Some(record));
            }
            self.current = None;
        }
        Ok(None)
    }
}

impl Iterator for Records {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

impl Record {
    /// File and row number, as errors name them.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Whether it has a column of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.cells.iter().any(|(column, _)| column == name)
    }
}

impl Table {
    fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| file::trouble(&name, &error))?;
        let file = SerializedFileReader::new(file)
            .map_err(|error| Error::invalid(format!("{name} is no whole Parquet file: {error}")))?;
        let root = file.metadata().file_metadata().schema();
        let columns = root.get_fields().iter();
        let columns = columns.map(|column| Ok((column.name().to_owned(), Kind::of(column)?)));
        let columns = columns.collect::<Result<Vec<_>>>().map_err(|error| error.within(&name))?;
        let apart = places(&file, &columns);
        let is_apart = |name: &str| apart.iter().any(|(apart, _)| apart == name);
        let others = columns.iter().filter(|(name, _)| !is_apart(name)).cloned().collect();
        let rest = root.get_fields().iter().filter(|column| !is_apart(column.name()));
        let rest = Type::group_type_builder(root.name()).with_fields(rest.cloned().collect());
        let rest = rest.build().map_err(|error| Error::invalid(format!("{name}: {error}")))?;
        let others_schema = Arc::new(SchemaDescriptor::new(Arc::new(rest)));
        let (next_group, group, number) = (0, None, 0);
        Ok(Self { name, file, columns, apart, others, others_schema, next_group, group, number })
    }

    fn place(&self) -> String {
        format!("{} row {} (from 0)", self.name, self.number)
    }

    fn next_record(&mut self) -> Result<Option<Record>> {
        loop {
            if let Some(group) = &mut self.group
                && group.rows_left > 0
            {
                let cells = guarded(|| group.next_cells(&self.others, &self.apart));
                let cells = cells.map_err(|error| error.within(self.place()))?;
                let place = self.place();
                self.number += 1;
                return Ok(Some(Record { cells, place }));
            }
            if !self.open_group()? {
                return Ok(None);
            }
        }
    }

    /// Begins the next row group; false after the last.
    fn open_group(&mut self) -> Result<bool> {
        self.group = None;
        if self.next_group == self.file.num_row_groups() {
            return Ok(false);
        }
        let group =
            guarded(|| self.read_group().map_err(|error| Error::invalid(error.to_string())));
        self.group = Some(group.map_err(|error| error.within(self.place()))?);
        self.next_group += 1;
        Ok(true)
    }

    fn read_group(&self) -> Result<Group, ParquetError> {
        let group = self.file.get_row_group(self.next_group)?;
        let others = match self.others.is_empty() {
            true => None,
            false => Some(TreeBuilder::new().as_iter(Arc::clone(&self.others_schema), &*group)?),
        };
        let apart = self.apart.iter().map(|(_, place)| Numbers::open(&*group, *place));
        let apart = apart.collect::<Result<_, _>>()?;
        let rows_left = u64::try_from(group.metadata().num_rows()).unwrap_or_default();
        Ok(Group { rows_left, others, apart })
    }

    /// Leaves out up to `count` rows; returns how many there were.
    fn skip(&mut self, count: u64) -> Result<u64> {
        let mut skipped = 0;
        while skipped < count {
            if self.group.as_ref().is_none_or(|group| group.rows_left == 0)
                && self.next_group < self.file.num_row_groups()
            {
                let group = self.file.metadata().row_group(self.next_group);
                let rows = u64::try_from(group.num_rows()).unwrap_or_default();
                if rows <= count - skipped {
                    (self.next_group, skipped) = (self.next_group + 1, skipped + rows);
                    self.number += rows;
                    continue;
                }
            }
            if self.next_record()?.is_none() {
                break;
            }
            skipped += 1;
        }
        Ok(skipped)
    }
}

impl Group {
    /// The next row.
    fn next_cells(
        &mut self,
        others: &[(String, Kind)],
        apart: &[(String, Place)],
    ) -> Result<Vec<(String, Cell)>> {
        self.rows_left -= 1;
        let mut cells = match &mut self.others {
            None => Vec::new(),
            Some(rows) => {
                let row = rows.next().ok_or_else(|| Error::invalid("the columns end too soon"))?;
                kind::cells(others, row.map_err(|error| Error::invalid(error.to_string()))?)?
            }
        };
        for ((name, _), numbers) in apart.iter().zip(&mut self.apart) {
            let cell = numbers.next_cell();
            let cell = cell.map_err(|error| error.within(format_args!("column {name:?}")))?;
            cells.push((name.clone(), cell));
        }
        Ok(cells)
    }
}

/// Which columns can be read apart.
fn places(file: &SerializedFileReader<File>, columns: &[(String, Kind)]) -> Vec<(String, Place)> {
    let meta = file.metadata().file_metadata();
    let leaves = meta.schema_descr().columns();
    let place = |(name, kind): &(String, Kind)| {
        let ty = meta.schema().get_fields().iter().find(|column| column.name() == name)?;
        let leaf = leaves.iter().position(|leaf| leaf.path().parts().first() == Some(name))?;
        let place = Place::of(ty, leaf, &leaves[leaf]);
        kind.is_numbers().then_some((name.clone(), place?))
    };
    columns.iter().filter_map(place).collect()
}

/// How many rows the files have, as they say.
pub(crate) fn count_rows(paths: &[PathBuf]) -> Result<u64> {
    let rows = |path: &PathBuf| {
        let rows = Table::open(path)?.file.metadata().file_metadata().num_rows();
        u64::try_from(rows)
            .map_err(|_| Error::invalid(format!("{} says it has {rows} rows", path.display())))
    };
    paths.iter().map(rows).sum()
}

/// The types of the columns by dotted path, which all files must agree on.
pub(crate) fn types(paths: &[PathBuf]) -> Result<Vec<(String, FieldType)>> {
    let mut types: Vec<(String, FieldType)> = Vec::new();
    for path in paths {
        let table = Table::open(path)?;
        for (name, kind) in &table.columns {
            for (name, ty) in flat(name, kind) {
                match types.iter().find(|(known, _)| *known == name) {
                    None => types.push((name, ty)),
                    Some((_, known)) if *known == ty => {}
                    Some((_, known)) => {
                        return Err(Error::invalid(format!(
                            "{}: column {name:?} is {ty:?} here and {known:?} in a file before; a \
                             field has one type",
                            table.name
                        )));
                    }
                }
            }
        }
    }
    Ok(types)
}

/// The column and, of a struct, what is in it.
fn flat(path: &str, kind: &Kind) -> Vec<(String, FieldType)> {
    match kind {
        Kind::Struct(fields) => {
            fields.iter().flat_map(|(name, kind)| flat(&format!("{path}.{name}"), kind)).collect()
        }
        _ => vec![(path.to_owned(), kind.field_type())],
    }
}
