//! The schema of all fields together.

use super::field::{Field, Fields, observe_cell, observe_object};
use crate::cli::parquet::Cell;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};
use vectordoc::{
    Error, Metric, Result, Schema,
    schema::{FieldType, IdField, IdKind, IndexSpec, Precision, VectorField},
};

/// Names a vector inside the rows is looked for under when the caller gives none.
const USUAL_VECTOR_NAMES: [&str; 2] = ["embedding", "vector"];

/// What rows of JSON show of their schema.
#[derive(Default)]
pub(crate) struct SchemaGuess {
    rows: u64,
    fields: Fields,
    /// What files say of the types of fields, by dotted path.
    types: BTreeMap<String, FieldType>,
}

/// What the caller knows of the schema that rows cannot show.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// The field that names a document.
    pub(crate) id_field: String,
    /// Where vectors come from.
    pub(crate) vector: VectorSource,
    /// How distance is measured.
    pub(crate) metric: Metric,
    /// What is kept of each number.
    pub(crate) precision: Precision,
    /// How vectors are indexed.
    pub(crate) index: IndexSpec,
    /// Dotted paths to make filterable whatever they hold.
    pub(crate) filterable: BTreeSet<String>,
}

/// Where the vectors of documents come from.
#[derive(Clone, Debug)]
pub(crate) enum VectorSource {
    /// From a file of their own: they become a field of this name and dimension.
    Apart {
        /// The field's name.
        name: String,
        /// Numbers in each vector.
        dim: usize,
    },
    /// From the rows: the field of this name, or else the one that looks like a vector.
    Inside(Option<String>),
}

impl Default for VectorSource {
    fn default() -> Self {
        Self::Inside(None)
    }
}

impl SchemaGuess {
    /// Takes one more row into account; refuses a field that changes its type.
    pub(crate) fn observe(&mut self, row: &Map<String, Json>) -> Result<()> {
        self.rows += 1;
        observe_object(&mut self.fields, row)
    }

    /// Takes one more row of a typed file into account.
    pub(crate) fn observe_cells(&mut self, cells: &[(String, Cell)]) -> Result<()> {
        self.rows += 1;
        cells.iter().try_for_each(|(name, cell)| observe_cell(&mut self.fields, name, cell))
    }

    /// Believes a file that says of what type the field at `path` is.
    pub(crate) fn know(&mut self, path: String, ty: FieldType) {
        self.types.insert(path, ty);
    }

    /// The schema that holds every row seen.
    pub(crate) fn schema(&self, wishes: &Wishes) -> Result<Schema> {
        let vector = self.vector(wishes)?;
        let id = self.id(&wishes.id_field, &wishes.vector)?;
        let wanted = |path: &str| wishes.filterable.contains(path);
        let values = self
            .fields
            .iter()
            .filter(|(name, _)| **name != id.name && **name != vector.name)
            .map(|(name, field)| field.describe(name, self.rows, &self.types, &wanted))
            .collect();
        Schema::new(id, vec![vector], values)
    }

    /// The id field. Rows that stand beside a file of vectors may do without: then their numbers
    /// are their ids.
    fn id(&self, name: &str, vectors: &VectorSource) -> Result<IdField> {
        let kind = match (self.fields.get(name), vectors) {
            (Some(_), _) if self.types.get(name) == Some(&FieldType::Uuid) => IdKind::Uuid,
            (Some(field), _) => field
                .id_kind()
                .map_err(|error| error.within(format!("field {name:?} cannot be the id")))?,
            (None, VectorSource::Apart { .. }) => IdKind::Int,
            (None, VectorSource::Inside(_)) => {
                return Err(Error::invalid(format!(
                    "no row has the id field {name:?}; name another with --id-field, of {}",
                    self.names()
                )));
            }
        };
        Ok(IdField { name: name.to_owned(), kind })
    }

    fn vector(&self, wishes: &Wishes) -> Result<VectorField> {
        let (name, dim, optional) = match &wishes.vector {
            VectorSource::Apart { name, dim } => (name.as_str(), *dim, false),
            VectorSource::Inside(name) => {
                let (name, field) = self.vector_inside(name.as_deref())?;
                let dim = field.dim().ok_or_else(|| no_vector(name, field))?;
                (name, dim, field.optional(self.rows))
            }
        };
        let (name, index) = (name.to_owned(), wishes.index);
        let Wishes { metric, precision, .. } = *wishes;
        Ok(VectorField { name, dim, metric, precision, optional, index })
    }

    fn vector_inside<'a>(&'a self, name: Option<&'a str>) -> Result<(&'a str, &'a Field)> {
        if let Some(name) = name {
            let field = self.fields.get(name).ok_or_else(|| {
                Error::invalid(format!("no row has the field {name:?}; there are {}", self.names()))
            })?;
            return Ok((name, field));
        }
        let candidates: Vec<_> = self.vectors_seen().collect();
        let usual = candidates.iter().find(|(name, _)| USUAL_VECTOR_NAMES.contains(name));
        match (usual, &candidates[..]) {
            (Some(usual), _) => Ok(*usual),
            (None, [only]) => Ok(*only),
            (None, []) => Err(Error::invalid(
                "no field holds numbers of the same length in every row; give the vectors as a \
                 file with --vectors, or name their field with --vector-field",
            )),
            (None, several) => Err(Error::invalid(format!(
                "several fields look like vectors; say which with --vector-field: {}",
                several.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
            ))),
        }
    }

    /// Fields that look like vectors, or have a vector's usual name and are arrays.
    fn vectors_seen(&self) -> impl Iterator<Item = (&str, &Field)> {
        let possible = |name: &str, field: &Field| {
            field.looks_like_vector()
                || USUAL_VECTOR_NAMES.contains(&name) && field.lengths().is_some()
        };
        self.fields
            .iter()
            .map(|(name, field)| (name.as_str(), field))
            .filter(move |(name, field)| possible(name, field))
    }

    fn names(&self) -> String {
        self.fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

fn no_vector(name: &str, field: &Field) -> Error {
    let lengths = match field.lengths() {
        Some((min, max)) => format!("it has {min} to {max} elements"),
        None => "it is no array".into(),
    };
    Error::invalid(format!(
        "field {name:?} is no vector, which is an array of numbers, as many in every row: {lengths}"
    ))
}
