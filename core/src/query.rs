//! Questions and answers.

use crate::{Document, Error, Filter, Fusion, Id, Include, Result, limits};
use alloc::{format, string::String, vec::Vec};

pub use crate::warning::Warning;

/// A search for the documents nearest to a vector, for those that answer a text best, or for both.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The vector to be near to, as long as the field's dimension; `None` to search by text alone.
    pub vector: Option<Vec<f32>>,
    /// Which vector field; `None` for the only one.
    pub field: Option<String>,
    /// The words to look for; `None` to search by vector alone.
    pub text: Option<TextQuery>,
    /// How a search by vector and text makes one list of the two. Each list has as many documents
    /// as limit and offset together, and at least 100.
    pub fusion: Fusion,
    /// Hits wanted.
    pub limit: usize,
    /// Nearest hits to leave out.
    pub offset: usize,
    /// Candidates a graph considers; `None` for the field's own setting, or what was measured.
    pub ef: Option<usize>,
    /// Compare with every vector, whatever the index.
    pub exact: bool,
    /// Leave out hits that score less.
    pub min_score: Option<f32>,
    /// Which documents may be hits.
    pub filter: Filter,
    /// Documents that are no hits.
    pub except: Vec<Id>,
    /// What of each document to return.
    pub include: Include,
}

/// Words to look for in one field marked `text`. A document is found that has one of them; how it
/// scores is BM25's answer (S. Robertson & H. Zaragoza, 2009; k1 = 1.2, b = 0.75).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextQuery {
    /// The words, as anyone would write them.
    pub words: String,
    /// The dotted path of the field; `None` for the only one.
    pub field: Option<String>,
}

impl Query {
    /// The ten documents nearest to `vector`.
    pub fn new(vector: Vec<f32>) -> Self {
        Self { vector: Some(vector), ..Self::empty() }
    }

    /// The ten documents that answer `words` best.
    pub fn of_text(words: impl Into<String>) -> Self {
        let text = TextQuery { words: words.into(), field: None };
        Self { text: Some(text), ..Self::empty() }
    }

    /// A query that asks for nothing yet.
    fn empty() -> Self {
        Self {
            vector: None,
            field: None,
            text: None,
            fusion: Fusion::default(),
            limit: 10,
            offset: 0,
            ef: None,
            exact: false,
            min_score: None,
            filter: Filter::All,
            except: Vec::new(),
            include: Include::Values,
        }
    }

    /// Hits to find, those included that are left out afterwards.
    pub(crate) fn reach(&self) -> usize {
        let wanted = self.limit.saturating_add(self.offset);
        if wanted == 0 { 0 } else { wanted + self.except.len() }
    }

    /// Refuses what exceeds [`limits`], and what asks for nothing.
    pub(crate) fn check(&self) -> Result<()> {
        if self.vector.is_none() && self.text.is_none() {
            return Err(Error::invalid("the query has neither a vector nor a text"));
        }
        self.fusion.check()?;
        limits::at_most(self.except.len(), limits::EXAMPLES_MAX, "number of documents excepted")?;
        let reach = self.limit.saturating_add(self.offset);
        limits::at_most(reach, limits::LIMIT_MAX, "limit plus offset")?;
        limits::at_most(self.ef.unwrap_or(0), limits::EF_MAX, "ef")?;
        match self.min_score {
            Some(score) if score.is_nan() => Err(Error::invalid(format!("min_score is {score}"))),
            _ => Ok(()),
        }
    }
}

/// A document that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit<D = Document> {
    /// Its id.
    pub id: Id,
    /// Bigger is better. Of a search by vector, for every metric: see
    /// [`Metric::score`](crate::Metric::score); by text, BM25; by both, what [`Fusion`] makes of
    /// the two.
    pub score: f32,
    /// Smaller is nearer. Of a search by vector, the metric's own value; of one with a text, minus
    /// the score.
    pub distance: f32,
    /// The document, as far as [`Include`] asked for it.
    pub doc: D,
}

/// An order of documents: by the values of a filterable field, those without one last and equal ones
/// in order of their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The dotted path of the field.
    pub field: String,
    /// Whether the largest values come first.
    pub descending: bool,
}

impl Order {
    /// From the smallest value to the largest.
    pub fn ascending(field: impl Into<String>) -> Self {
        Self { field: field.into(), descending: false }
    }

    /// From the largest value to the smallest.
    pub fn descending(field: impl Into<String>) -> Self {
        Self { field: field.into(), descending: true }
    }
}

/// Which part of the documents to read, and in which order.
#[derive(Clone, Debug, PartialEq)]
pub struct Scroll {
    /// Which documents.
    pub filter: Filter,
    /// In which order; `None` for that of their ids.
    pub order: Option<Order>,
    /// Where the page begins: what came with the one before. It stays valid while documents come
    /// and go, and goes on after the document it was given out with.
    pub cursor: Option<String>,
    /// Documents of the page.
    pub limit: usize,
    /// What of each document to return.
    pub include: Include,
}

impl Scroll {
    /// The first `limit` documents in order of their ids.
    pub fn new(limit: usize) -> Self {
        let (filter, include) = (Filter::All, Include::default());
        Self { filter, order: None, cursor: None, limit, include }
    }
}

/// A part of all documents, in order of their ids or of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<D = Document> {
    /// In that order.
    pub docs: Vec<D>,
    /// What to ask for the next page with; `None` on the last.
    pub cursor: Option<String>,
}

impl<D> Page<D> {
    /// The page with each document as `read` makes it.
    #[cfg_attr(not(any(feature = "native", feature = "client")), expect(dead_code))]
    pub(crate) fn try_map<T>(self, read: impl Fn(D) -> Result<T>) -> Result<Page<T>> {
        let docs = self.docs.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Page { docs, cursor: self.cursor })
    }
}

/// One step of a search through a graph: from one document to those that it leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    /// The level of the graph; the lowest, on which every document is, is 0.
    pub level: usize,
    /// Where the search stands; `None` if that document was deleted and the graph still has it.
    pub at: Option<Id>,
    /// What it compares with from there, and about how far each is: graphs are walked on codes.
    pub compared: Vec<(Id, f32)>,
}

/// How an answer came about.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Explanation {
    /// `exact`, `codes` (a scan of codes, the nearest compared exactly), `graph`, `filtered graph`,
    /// `filtered graph, then codes`, the same of an `own index`, `nothing to search`, or `mixed`
    /// when shards differ; `text` of a search by text, `hybrid` of one by both.
    pub plan: &'static str,
    /// Distances computed, and documents scored by their words.
    pub visited: u64,
    /// Whether every allowed vector was compared; true where there is none to compare with.
    pub exact: bool,
    /// Candidates the graph considered; 0 without a graph.
    pub ef: usize,
    /// Documents the filter allows.
    pub allowed: u64,
    /// What whoever asks would want to know.
    pub warnings: Vec<Warning>,
}

impl Explanation {
    /// How the answer of two shards together came about.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        if self.plan != other.plan {
            self.plan = "mixed";
        }
        self.visited += other.visited;
        self.exact &= other.exact;
        self.ef = self.ef.max(other.ef);
        self.allowed += other.allowed;
        Warning::merge(&mut self.warnings, &other.warnings);
        self
    }
}
