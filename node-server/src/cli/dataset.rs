//! A data set folder: vectors to index, queries to ask, and the exact answers.
//!
//! | file | content |
//! |---|---|
//! | `dataset.json` | `name`, `metric`, `dim`, `documents`, `queries` |
//! | `base.npy` | documents × dim; the row number is the document's id |
//! | `base_meta.jsonl` | optional: the fields of each document |
//! | `queries.npy` | queries × dim |
//! | `gt_ids.npy`, `gt_dist.npy` | the nearest rows of every query, and (optional) their distances |
//! | `filters.json` | optional: name → `filter`, and optionally `matching` and `selectivity` |
//! | `gt_<name>_ids.npy`, `…_dist.npy` | the nearest rows that match a filter; −1 where fewer match |

use super::{file, vectors::Vectors};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use vectordoc::{Error, Filter, Metric, Result};

const DESCRIPTION: &str = "dataset.json";
const BASE: &str = "base.npy";

/// An opened folder. Nothing but its description is in memory.
pub(crate) struct Dataset {
    folder: PathBuf,
    /// What it calls itself.
    pub(crate) name: String,
    /// How distance is measured.
    pub(crate) metric: Metric,
    /// Numbers in each vector.
    pub(crate) dim: usize,
    /// Rows of `base.npy`.
    pub(crate) documents: u64,
}

#[derive(Deserialize)]
struct Description {
    name: String,
    metric: String,
    dim: usize,
    documents: u64,
}

/// A filter that queries are asked with.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct NamedFilter {
    /// Its name: the key in `filters.json`.
    #[serde(skip)]
    pub(crate) name: String,
    /// The filter.
    pub(crate) filter: Filter,
    /// Documents that match, if the folder says so.
    pub(crate) matching: Option<u64>,
    /// The part of all documents that match, if the folder says so.
    pub(crate) selectivity: Option<f64>,
}

impl Dataset {
    /// Whether `path` is a data set folder.
    pub(crate) fn is_dataset(path: &Path) -> bool {
        path.join(DESCRIPTION).is_file()
    }

    /// Opens the folder; refuses files that contradict its description.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let place = folder.join(DESCRIPTION);
        let description: Description = parse(&place, &file::read_text(&place)?)?;
        let metric =
            Metric::parse(&description.metric).map_err(|error| error.within(place.display()))?;
        let Description { name, dim, documents, .. } = description;
        let dataset = Self { folder: folder.to_owned(), name, metric, dim, documents };
        dataset.check_base()?;
        Ok(dataset)
    }

    /// The vectors of the documents.
    pub(crate) fn base(&self) -> Result<Vectors> {
        self.vectors(BASE)
    }

    /// Where the vectors of the documents are.
    pub(crate) fn base_path(&self) -> PathBuf {
        self.folder.join(BASE)
    }

    /// The vectors to ask for.
    pub(crate) fn queries(&self) -> Result<Vectors> {
        self.vectors("queries.npy")
    }

    /// The fields of the documents, if the folder has them.
    pub(crate) fn meta(&self) -> Option<PathBuf> {
        Some(self.folder.join("base_meta.jsonl")).filter(|path| path.is_file())
    }

    /// The filters in order of their names; none when the folder has none.
    pub(crate) fn filters(&self) -> Result<Vec<NamedFilter>> {
        let place = self.folder.join("filters.json");
        if !place.is_file() {
            return Ok(Vec::new());
        }
        let filters: BTreeMap<String, NamedFilter> = parse(&place, &file::read_text(&place)?)?;
        Ok(filters.into_iter().map(|(name, filter)| NamedFilter { name, ..filter }).collect())
    }

    /// The rows nearest to every query: of all, or of those that match the filter of this name.
    pub(crate) fn truth_path(&self, filter: Option<&str>) -> PathBuf {
        self.folder.join(truth_name(filter, "ids"))
    }

    /// The distances of [`truth_path`](Self::truth_path), if the folder has them.
    pub(crate) fn truth_distances(&self, filter: Option<&str>) -> Option<PathBuf> {
        Some(self.folder.join(truth_name(filter, "dist"))).filter(|path| path.is_file())
    }

    fn check_base(&self) -> Result<()> {
        let rows = self.base()?.rows();
        if rows == self.documents {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "{} has {rows} rows, {DESCRIPTION} says {} documents",
            self.base_path().display(),
            self.documents
        )))
    }

    fn vectors(&self, name: &str) -> Result<Vectors> {
        let vectors = Vectors::open(&self.folder.join(name))?;
        if vectors.dim() == self.dim {
            return Ok(vectors);
        }
        Err(Error::invalid(format!(
            "{} has {} numbers in a row, {DESCRIPTION} says dim {}",
            vectors.name(),
            vectors.dim(),
            self.dim
        )))
    }
}

fn truth_name(filter: Option<&str>, what: &str) -> String {
    match filter {
        Some(filter) => format!("gt_{filter}_{what}.npy"),
        None => format!("gt_{what}.npy"),
    }
}

fn parse<T: serde::de::DeserializeOwned>(place: &Path, text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::invalid(format!("{}: {error}", place.display())))
}
