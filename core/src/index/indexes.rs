//! Which index a field gets: one of ours by its schema, or one the user brings.

use super::{Exact, Hnsw, Sections, VectorIndex};
use crate::{
    Error, Result, Schema, limits,
    schema::{IndexKind, VectorField},
};
use alloc::{boxed::Box, collections::BTreeMap, format, string::String, sync::Arc};
use core::fmt;

/// Makes the index of a field whose schema says `custom`. A function from the field to an index is
/// one; it cannot read an index back, so that this is built again in the background whenever the
/// database opens.
pub trait IndexFactory: Send + Sync {
    /// An empty index for the vectors of `field`.
    fn create(&self, field: &VectorField) -> Box<dyn VectorIndex>;

    /// The index that a checkpoint wrote as `sections`, or `None` to have it built again.
    ///
    /// # To ensure correctness
    /// - The index contains what it contained at the checkpoint, and answers as it did.
    /// - What another algorithm, or another version of this one, wrote is told apart by its bytes
    ///   and not read: an error of kind `corrupt` has the index built again as `None` does.
    fn open(
        &self,
        field: &VectorField,
        sections: &dyn Sections,
    ) -> Result<Option<Box<dyn VectorIndex>>> {
        let _ = (field, sections);
        Ok(None)
    }
}

impl<I, F> IndexFactory for F
where
    I: VectorIndex + 'static,
    F: Fn(&VectorField) -> I + Send + Sync,
{
    fn create(&self, field: &VectorField) -> Box<dyn VectorIndex> {
        Box::new(self(field))
    }
}

/// The indexes that users bring, by the names of the vector fields they are for.
#[derive(Clone, Default)]
pub struct Indexes {
    factories: BTreeMap<String, Arc<dyn IndexFactory>>,
}

impl fmt::Debug for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.factories.keys()).finish()
    }
}

impl Indexes {
    /// The same, with what `factory` makes for the vector field called `field`, whose schema says
    /// `custom`.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, factory: impl IndexFactory + 'static) -> Self {
        self.factories.insert(field.into(), Arc::new(factory));
        self
    }

    /// Refuses a schema with a field whose index is not there, and indexes for fields that do not
    /// ask for one.
    pub fn check(&self, schema: &Schema) -> Result<()> {
        for name in self.factories.keys() {
            let field = &schema.vectors()[schema.vector_number(Some(name))?];
            if field.index.kind != IndexKind::Custom {
                return Err(Error::invalid(format!(
                    "field {name:?} has the index {:?}; an index of your own goes to a field \
                     whose schema says \"custom\"",
                    field.index.kind.name()
                )));
            }
        }
        schema.vectors().iter().try_for_each(|field| match field.index.kind {
            IndexKind::Auto | IndexKind::Exact | IndexKind::Hnsw => Ok(()),
            IndexKind::HnswRs => hnsw_rs(field).map(drop),
            IndexKind::Custom => self.factory(field).map(drop),
        })
    }

    /// The empty index a field begins with.
    pub(crate) fn create(&self, field: &VectorField) -> Result<Box<dyn VectorIndex>> {
        match field.index.kind {
            IndexKind::Auto | IndexKind::Exact => Ok(Box::new(Exact)),
            IndexKind::Hnsw => Ok(Box::new(Hnsw::new(&field.index))),
            IndexKind::HnswRs => hnsw_rs(field),
            IndexKind::Custom => {
                let index = self.factory(field)?.create(field);
                let (count, what) = (index.sections().len(), "number of sections of an index");
                limits::at_most(count, limits::INDEX_SECTIONS_MAX, what)
                    .map_err(|error| error.within(format!("field {:?}", field.name)))?;
                Ok(index)
            }
        }
    }

    /// The index a checkpoint wrote as `sections`; `None` when it has to be built again.
    pub(crate) fn open(
        &self,
        field: &VectorField,
        sections: &dyn Sections,
    ) -> Result<Option<Box<dyn VectorIndex>>> {
        match field.index.kind {
            IndexKind::Exact | IndexKind::HnswRs => Ok(None),
            IndexKind::Auto | IndexKind::Hnsw => {
                Ok(Some(Box::new(Hnsw::open(&field.index, sections)?)))
            }
            IndexKind::Custom => self.factory(field)?.open(field, sections),
        }
    }

    fn factory(&self, field: &VectorField) -> Result<&dyn IndexFactory> {
        let factory = self.factories.get(&field.name).map(|factory| &**factory);
        factory.ok_or_else(|| {
            Error::unsupported(format!(
                "field {:?} has a custom index, which this program does not bring; give it to \
                 `Db::builder().index({:?}, …)` or `DatabaseOptions::indexes`, or open the \
                 database in a program that does",
                field.name, field.name
            ))
        })
    }
}

#[cfg(feature = "hnsw_rs")]
fn hnsw_rs(field: &VectorField) -> Result<Box<dyn VectorIndex>> {
    Ok(Box::new(super::HnswRs::new(field)))
}

#[cfg(not(feature = "hnsw_rs"))]
fn hnsw_rs(field: &VectorField) -> Result<Box<dyn VectorIndex>> {
    Err(Error::unsupported(format!(
        "field {:?} has the index \"hnsw_rs\", which is not in this build; build vectordoc with its \
         feature `hnsw_rs`, or say \"hnsw\"",
        field.name
    )))
}

#[cfg(all(test, not(feature = "hnsw_rs")))]
mod tests {
    use super::Indexes;
    use crate::{Engine, ErrorKind, Schema};

    #[test]
    fn hnsw_rs_is_refused_by_a_build_without_it() {
        let json = r#"{"id": "u64", "embedding": {"vector": 2, "index": "hnsw_rs"}}"#;
        let schema = Schema::from_json_str(json).expect("the schema is well formed");
        let error = Engine::new(schema, &Indexes::default()).err().expect("it is refused");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        for part in [r#"field "embedding""#, "its feature `hnsw_rs`"] {
            assert!(error.message().contains(part), "{error}");
        }
    }
}
