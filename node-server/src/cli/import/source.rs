//! What is imported: JSONL files, a `.npy` file of vectors, both side by side, or a data set folder.

use crate::cli::{
    dataset::Dataset,
    jsonl::{Lines, count_rows},
    rows::{Ids, Rows},
    schema_guess::SchemaGuess,
    vectors::Vectors,
};
use std::path::{Path, PathBuf};
use vectordoc::{Error, Metric, Result, Schema};

/// Files to import, checked to be of one length.
pub(super) struct Source {
    lines: Vec<PathBuf>,
    vectors: Option<PathBuf>,
    /// Documents in the files.
    pub(super) rows: u64,
    /// How distance is measured, if the files say so.
    pub(super) metric: Option<Metric>,
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
            files.iter().cloned().partition(|file| is_array(file));
        let mut arrays = vectors.into_iter().cloned().chain(arrays);
        let vectors = arrays.next();
        if let Some(second) = arrays.next() {
            return Err(Error::invalid(format!(
                "{} is a second file of vectors; import one at a time",
                second.display()
            )));
        }
        Self::of_files(lines, vectors, None)
    }

    /// What the rows show of their schema.
    pub(super) fn guess(&self) -> Result<SchemaGuess> {
        let mut guess = SchemaGuess::default();
        for line in Lines::of_files(&self.lines) {
            let line = line?;
            guess.observe(&line.object()?).map_err(|error| error.within(line.place()))?;
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
        let lines = (!self.lines.is_empty()).then(|| Lines::of_files(&self.lines));
        Rows::new(schema, self.ids(schema)?, lines, self.open_vectors()?, vector_field)
    }

    fn of_folder(folder: &Path) -> Result<Self> {
        if !Dataset::is_dataset(folder) {
            return Err(Error::invalid(format!(
                "{} is a directory without dataset.json; name the files in it",
                folder.display()
            )));
        }
        let dataset = Dataset::open(folder)?;
        let lines = dataset.meta().into_iter().collect();
        Self::of_files(lines, Some(dataset.base_path()), Some(dataset.metric))
    }

    fn of_files(
        lines: Vec<PathBuf>,
        vectors: Option<PathBuf>,
        metric: Option<Metric>,
    ) -> Result<Self> {
        let mut source = Self { rows: count_rows(&lines)?, lines, vectors, metric };
        if let Some(vectors) = source.open_vectors()? {
            if source.lines.is_empty() {
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

    fn open_vectors(&self) -> Result<Option<Vectors>> {
        self.vectors.as_deref().map(Vectors::open).transpose()
    }

    /// Documents whose vectors stand beside them may do without an id field: then the row number
    /// is the id.
    fn ids(&self, schema: &Schema) -> Result<Ids> {
        if self.vectors.is_none() {
            return Ok(Ids::Field);
        }
        let first = Lines::of_files(&self.lines).next().transpose()?;
        let object = first.map(|line| line.object()).transpose()?;
        let named = object.is_some_and(|object| object.contains_key(&schema.id().name));
        Ok(if named { Ids::Field } else { Ids::RowNumber })
    }
}

fn is_array(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"))
}
