//! The exact answers of a data set, and how much of them an answer has.

use crate::cli::file;
use npyz::{NpyFile, NpyReader};
use std::{collections::HashSet, fs::File, io::BufReader, path::Path};
use vectordoc::{Error, Hit, Id, Result};

/// A hit this much farther than the last true one is as good: distances are `f32`.
const TIE_DISTANCE: f32 = 1e-6;
/// How far a distance of the data set and ours for the same document may be apart, relative to
/// their size, when both mean the same.
const SAME_DISTANCE: f32 = 1e-3;

type Source = BufReader<File>;

/// The nearest rows of every query, nearest first.
pub(super) struct Truth {
    /// Per query; fewer than others where fewer documents match.
    ids: Vec<Vec<u64>>,
    /// Distances of `ids`, if the data set has them.
    distances: Option<Vec<Vec<f32>>>,
    width: usize,
}

impl Truth {
    /// Reads the rows and, if there are some, their distances.
    pub(super) fn read(ids: &Path, distances: Option<&Path>) -> Result<Self> {
        let (numbers, width) = read_integers(ids)?;
        // −1 fills the rows of queries that fewer documents match.
        let known = |row: &[i64]| row.iter().filter_map(|id| u64::try_from(*id).ok()).collect();
        let ids = numbers.chunks(width).map(known).collect();
        let distances = distances.map(|path| read_distances(path, width)).transpose()?;
        Ok(Self { ids, distances, width })
    }

    /// Queries it has answers for.
    pub(super) fn queries(&self) -> usize {
        self.ids.len()
    }

    /// The part of the true first `limit` that `hits` has, from 0 to 1; 1 when nothing matches.
    pub(super) fn recall(&self, query: usize, hits: &[Hit], limit: usize) -> f64 {
        let limit = limit.min(self.width);
        let Some(truth) = self.ids.get(query) else { return 0.0 };
        let truth = &truth[..limit.min(truth.len())];
        if truth.is_empty() {
            return 1.0;
        }
        let reach = self.reach(query, hits, truth);
        let mut counted = HashSet::new();
        let good = hits.iter().take(limit).filter(|hit| {
            (holds(truth, &hit.id) || hit.distance <= reach) && counted.insert(&hit.id)
        });
        real(good.count().min(truth.len())) / real(truth.len())
    }

    /// The distance up to which a hit is as near as the last of `truth`; below every distance when
    /// the data set has no distances, or measures them otherwise than we do.
    fn reach(&self, query: usize, hits: &[Hit], truth: &[u64]) -> f32 {
        let distances = self.distances.as_ref().and_then(|rows| rows.get(query));
        let Some(distances) = distances else { return f32::NEG_INFINITY };
        let same = |hit: &Hit| {
            let place = truth.iter().position(|id| hit.id == Id::Int(*id));
            let told = place.and_then(|place| distances.get(place));
            told.map(|told| (told - hit.distance).abs() <= SAME_DISTANCE * (1.0 + told.abs()))
        };
        let mut compared = hits.iter().filter_map(same).peekable();
        let comparable = compared.peek().is_some() && compared.all(|same| same);
        match distances.get(truth.len() - 1) {
            Some(last) if comparable => last + TIE_DISTANCE,
            _ => f32::NEG_INFINITY,
        }
    }
}

fn holds(truth: &[u64], id: &Id) -> bool {
    matches!(id, Id::Int(id) if truth.contains(id))
}

fn real(count: usize) -> f64 {
    crate::cli::number::real(count)
}

/// A table of integers, row after row, and its width.
fn read_integers(path: &Path) -> Result<(Vec<i64>, usize)> {
    let (table, width) = open(path)?;
    let table = match table.try_data::<i32>() {
        Ok(reader) => return Ok((collect(path, reader)?, width)),
        Err(table) => table,
    };
    let table = match table.try_data::<i64>() {
        Ok(reader) => return Ok((collect(path, reader)?, width)),
        Err(table) => table,
    };
    let reader = table.data::<u32>().map_err(|_| {
        Error::unsupported(format!("{} holds no 32- or 64-bit integers", path.display()))
    })?;
    Ok((collect(path, reader)?, width))
}

fn read_distances(path: &Path, width: usize) -> Result<Vec<Vec<f32>>> {
    let (table, found) = open(path)?;
    if found != width {
        return Err(Error::invalid(format!(
            "{} has {found} numbers in a row, the ids beside it {width}",
            path.display()
        )));
    }
    let reader = table
        .data::<f32>()
        .map_err(|_| Error::unsupported(format!("{} does not hold float32", path.display())))?;
    let numbers: Vec<f32> = collect(path, reader)?;
    Ok(numbers.chunks(width).map(<[f32]>::to_vec).collect())
}

fn open(path: &Path) -> Result<(NpyFile<Source>, usize)> {
    let table = NpyFile::new(file::open(path)?)
        .map_err(|error| Error::invalid(format!("{} is no .npy file: {error}", path.display())))?;
    match *table.shape() {
        [_, width]
            if let Ok(width) = usize::try_from(width)
                && width > 0 =>
        {
            Ok((table, width))
        }
        ref shape => Err(Error::invalid(format!(
            "{} has shape {shape:?}; it needs one row per query",
            path.display()
        ))),
    }
}

fn collect<T, U>(path: &Path, reader: NpyReader<T, Source>) -> Result<Vec<U>>
where
    T: npyz::Deserialize + Into<U>,
{
    let numbers = reader.map(|number| number.map(Into::into)).collect::<std::io::Result<_>>();
    numbers.map_err(|error| file::trouble(path.display(), &error))
}
