//! What is imported: JSONL files, Parquet files, a `.npy` file of vectors, both side by side, or a data set folder.

use crate::cli::{
    dataset::Dataset,
    jsonl::{self, Lines},
    parquet::{self, Records},
    rows::{Fields, Ids, Rows},
    schema_guess::SchemaGuess,
    vectors::Vectors,
};
use std::path::{Path, PathBuf};
use vectordoc::{Error, Metric, Result, Schema};

/// Files to import, checked to be of one length.
pub(super) struct Source {
    documents: Documents,
    vectors: Option<PathBuf>,
    /// Documents in the files.
    pub(super) rows: u64,
    /// How distance is measured, if the files say so.
    pub(super) metric: Option<Metric>,
}

/// The files with the fields of documents.
enum Documents {
    /// None, when there are vectors only.
    None,
    Lines(Vec<PathBuf>),
    Tables(Vec<PathBuf>),
}

impl Source {
    /// The files the command line names.
    pub(super) fn open(files: &[PathBuf], vectors: Option<&PathBuf>) -> Result<Self> {
        if let [folder] = files
            && folder.is_dir()
        {
            return Self::of_folder(folder);
        }
        let (arrays, lines): (Vec<_>, Vec<_>) =
            files.iter().cloned().partition(|file| has_extension(file, "npy"));
        let mut arrays = vectors.into_iter().cloned().chain(arrays);
        let vectors = arrays.next();
        if let Some(second) = arrays.next() {
            return Err(Error::invalid(format!(
                "{} is a second file of vectors; import one at a time",
                second.display()
            )));
        }
        Self::of_files(Documents::of(lines)?, vectors, None)
    }

    /// What the rows show of their schema.
    pub(super) fn guess(&self) -> Result<SchemaGuess> {
        let mut guess = SchemaGuess::default();
        match &self.documents {
            Documents::None => {}
            Documents::Lines(files) => {
                for line in Lines::of_files(files) {
                    let line = line?;
                    let observed = guess.observe(&line.object()?);
                    observed.map_err(|error| error.within(line.place()))?;
                }
            }
            Documents::Tables(files) => {
                for (path, ty) in parquet::types(files)? {
                    guess.know(path, ty);
                }
                for record in Records::of_files(files) {
                    let record = record?;
                    let observed = guess.observe_cells(&record.cells);
                    observed.map_err(|error| error.within(record.place()))?;
                }
            }
        }
        Ok(guess)
    }

    /// The dimension of the vectors that stand beside the rows, if they do.
    pub(super) fn dim(&self) -> Result<Option<usize>> {
        Ok(self.open_vectors()?.map(|vectors| vectors.dim()))
    }

    /// The documents.
    pub(super) fn rows<'a>(
        &self,
        schema: &'a Schema,
        vector_field: Option<&str>,
    ) -> Result<Rows<'a>> {
        let fields = match &self.documents {
            Documents::None => Fields::None,
            Documents::Lines(files) => Fields::Lines(Lines::of_files(files)),
            Documents::Tables(files) => Fields::Records(Records::of_files(files)),
        };
        Rows::new(schema, self.ids(schema)?, fields, self.open_vectors()?, vector_field)
    }

    fn of_folder(folder: &Path) -> Result<Self> {
        if !Dataset::is_dataset(folder) {
            return Err(Error::invalid(format!(
                "{} is a directory without dataset.json; name the files in it",
                folder.display()
            )));
        }
        let dataset = Dataset::open(folder)?;
        let documents = Documents::of(dataset.meta().into_iter().collect())?;
        Self::of_files(documents, Some(dataset.base_path()), Some(dataset.metric))
    }

    fn of_files(
        documents: Documents,
        vectors: Option<PathBuf>,
        metric: Option<Metric>,
    ) -> Result<Self> {
        let mut source = Self { rows: documents.count()?, documents, vectors, metric };
        if let Some(vectors) = source.open_vectors()? {
            if matches!(source.documents, Documents::None) {
                source.rows = vectors.rows();
            }
            if source.rows != vectors.rows() {
                return Err(Error::invalid(format!(
                    "{} has {} vectors, the documents are {}: one is needed for each",
                    vectors.name(),
                    vectors.rows(),
                    source.rows
                )));
            }
        }
        Ok(source)
    }

    /// Every file that is read, in order.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.documents.files().iter().chain(&self.vectors).map(PathBuf::as_path)
    }

    fn open_vectors(&self) -> Result<Option<Vectors>> {
        self.vectors.as_deref().map(Vectors::open).transpose()
    }

    /// Documents whose vectors stand beside them may do without an id field: then the row number
    /// is the id.
    fn ids(&self, schema: &Schema) -> Result<Ids> {
        if self.vectors.is_none() {
            return Ok(Ids::Field);
        }
        let id = &schema.id().name;
        let named = match &self.documents {
            Documents::None => false,
            Documents::Lines(files) => {
                let first = Lines::of_files(files).next().transpose()?;
                let object = first.map(|line| line.object()).transpose()?;
                object.is_some_and(|object| object.contains_key(id))
            }
            Documents::Tables(files) => {
                let first = Records::of_files(files).next().transpose()?;
                first.is_some_and(|record| record.has(id))
            }
        };
        Ok(if named { Ids::Field } else { Ids::RowNumber })
    }
}

impl Documents {
    /// Files of one format: Parquet by their extension, else JSONL.
    fn of(files: Vec<PathBuf>) -> Result<Self> {
        let tables = files.iter().filter(|file| has_extension(file, "parquet")).count();
        match tables {
            0 if files.is_empty() => Ok(Self::None),
            0 => Ok(Self::Lines(files)),
            _ if tables == files.len() => Ok(Self::Tables(files)),
            _ => Err(Error::invalid(
                "some files are Parquet and others are not; import them one after the other",
            )),
        }
    }

    fn count(&self) -> Result<u64> {
        match self {
            Self::None => Ok(0),
            Self::Lines(files) => jsonl::count_rows(files),
            Self::Tables(files) => parquet::count_rows(files),
        }
    }

    fn files(&self) -> &[PathBuf] {
        match self {
            Self::None => &[],
            Self::Lines(files) | Self::Tables(files) => files,
        }
    }
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}
