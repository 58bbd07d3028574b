//! Vectors in NumPy's `.npy` format, float32 or float16, read row by row: a file of any size takes
//! the memory of one row.

use super::file;
use npyz::{NpyFile, NpyReader, Order, half::f16};
use std::{
    io::{self, BufReader, Read},
    path::Path,
};
use vectordoc::{Error, Result};

type Source = BufReader<Box<dyn Read + Send>>;

/// A `.npy` file of rows × dim numbers, read from the first row to the last.
pub(crate) struct Vectors {
    name: String,
    rows: u64,
    dim: usize,
    numbers: Numbers,
}

enum Numbers {
    F32(NpyReader<f32, Source>),
    F16(NpyReader<f16, Source>),
}

impl Vectors {
    /// Opens the file and reads its header.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file =
            std::fs::File::open(path).map_err(|error| file::trouble(path.display(), &error))?;
        Self::read(path.display().to_string(), Box::new(file))
    }

    /// Reads the header of `source`, which errors call `name`.
    pub(crate) fn read(name: String, source: Box<dyn Read + Send>) -> Result<Self> {
        let file = NpyFile::new(BufReader::new(source))
            .map_err(|error| Error::invalid(format!("{name} is no .npy file: {error}")))?;
        let (rows, dim) = shape(&name, file.shape())?;
        if file.order() == Order::Fortran && rows > 1 {
            return Err(Error::unsupported(format!(
                "{name} is stored column by column; save it with np.ascontiguousarray(…)"
            )));
        }
        Ok(Self { numbers: Numbers::new(&name, file)?, name, rows, dim })
    }

    /// How errors call the file.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Rows in the file.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Numbers in each row.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// The next row; an error when the file has no more.
    pub(crate) fn next_row(&mut self) -> Result<Vec<f32>> {
        let row = match &mut self.numbers {
            Numbers::F32(reader) => take_row(reader, self.dim),
            Numbers::F16(reader) => take_row(reader, self.dim),
        };
        let row = row.map_err(|error| file::trouble(&self.name, &error))?;
        if row.len() < self.dim {
            return Err(Error::invalid(format!("{} ends before its last row", self.name)));
        }
        Ok(row)
    }

    /// Leaves out the next `count` rows.
    pub(crate) fn skip(&mut self, count: u64) -> Result<()> {
        (0..count).try_for_each(|_| self.next_row().map(drop))
    }

    /// All rows that are left: for small files only.
    pub(crate) fn all_rows(mut self) -> Result<Vec<Vec<f32>>> {
        (0..self.rows).map(|_| self.next_row()).collect()
    }
}

impl Numbers {
    fn new(name: &str, file: NpyFile<Source>) -> Result<Self> {
        let file = match file.try_data::<f32>() {
            Ok(reader) => return Ok(Self::F32(reader)),
            Err(file) => file,
        };
        file.try_data::<f16>().map(Self::F16).map_err(|file| {
            Error::unsupported(format!(
                "{name} holds {}; save it as float32 or float16: array.astype(np.float32)",
                file.dtype().descr()
            ))
        })
    }
}

fn shape(name: &str, shape: &[u64]) -> Result<(u64, usize)> {
    if let [rows, dim] = *shape
        && let Ok(dim) = usize::try_from(dim)
        && dim > 0
    {
        return Ok((rows, dim));
    }
    Err(Error::invalid(format!("{name} has shape {shape:?}; vectors are rows × dim")))
}

fn take_row<T>(reader: &mut NpyReader<T, Source>, dim: usize) -> io::Result<Vec<f32>>
where
    T: npyz::Deserialize + Into<f32>,
{
    let mut row = Vec::with_capacity(dim.min(vectordoc::limits::DIM_MAX));
    for number in reader.take(dim) {
        row.push(number?.into());
    }
    Ok(row)
}
