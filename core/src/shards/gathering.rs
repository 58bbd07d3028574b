//! One request to all shards, step by step.

use super::{
    answer::{self, Documents},
    format::{read_all, read_document, read_list},
    question::Question,
};
use crate::{
    Document, Error, Examples, Filter, GroupBy, Hit, HitGroup, Id, Page, Query, Result, Schema,
    Scroll, TextQuery, Value,
    engine::{Found, Part, Place, gather, most_frequent, page},
    group::Grouping,
    limits,
    query::Explanation,
    text::Statistics,
};
use alloc::{format, string::String, vec, vec::Vec};
use core::mem;

/// How often a search is made anew when documents it found were changed before they could be read.
const ATTEMPTS_MAX: usize = 8;

/// A request on its way through shards that do not share memory. [`questions`](Self::questions) says
/// what to ask each of them, [`take`](Self::take) takes what [`Engine::answer`](crate::Engine::answer)
/// made of it, until there is nothing left to ask.
pub struct Gathering {
    schema: Schema,
    shards: usize,
    step: Step,
    /// How the last search came about.
    explanation: Explanation,
}

/// The answer of all shards.
#[derive(Clone, Debug, PartialEq)]
pub enum Gathered {
    /// The hits of a search, best first.
    Hits(Vec<Hit>),
    /// The hits of a search in groups.
    Groups(Vec<HitGroup>),
    /// Values with the number of documents that have each, the most frequent first.
    Counts(Vec<(Value, u64)>),
    /// A page of a scroll.
    Page(Page),
}

/// What is asked at the moment.
enum Step {
    Examples(Search, Examples),
    Statistics(Search, TextQuery),
    Part(Search, Statistics),
    /// Of hits whose documents did not come with the parts.
    Documents(Search, Vec<(Found, Option<Document>)>),
    Facet(String, Filter, usize),
    Scroll(Scroll),
    Done(Gathered),
    /// An answer was wrong.
    Failed,
}

/// A search, and what it is part of.
struct Search {
    query: Query,
    by: Option<GroupBy>,
    /// Which search for groups is next, once the first began.
    grouping: Option<Grouping>,
    attempts: usize,
}

impl Gathering {
    /// A search, in groups if `by` is given; with `examples`, which stand for the vector then.
    pub fn search(
        schema: Schema,
        shards: usize,
        query: Query,
        examples: Option<Examples>,
        by: Option<GroupBy>,
    ) -> Result<Self> {
        let search = Search { query, by, grouping: None, attempts: 0 };
        let step = match examples {
            Some(examples) => {
                examples.check(&schema, search.query.field.as_deref())?;
                Step::Examples(search, examples)
            }
            None => search.begin(&schema)?,
        };
        Self::new(schema, shards, step)
    }

    /// How many of the documents that pass have each value of the field at `path`: the `limit` most
    /// frequent values.
    pub fn facet(
        schema: Schema,
        shards: usize,
        path: String,
        filter: Filter,
        limit: usize,
    ) -> Result<Self> {
        Self::new(schema, shards, Step::Facet(path, filter, limit))
    }

    /// A part of the documents that pass, in order of their ids or of a field.
    pub fn scroll(schema: Schema, shards: usize, scroll: Scroll) -> Result<Self> {
        Self::new(schema, shards, Step::Scroll(scroll))
    }

    fn new(schema: Schema, shards: usize, step: Step) -> Result<Self> {
        if shards == 0 {
            return Err(Error::invalid("a database has no shards; it needs 1 or more"));
        }
        limits::at_most(shards, limits::SHARDS_MAX, "number of shards")?;
        Ok(Self { schema, shards, step, explanation: Explanation::default() })
    }

    /// What to ask each shard now; none of those that have nothing to say to it. Nothing at all when
    /// the answer is there.
    pub fn questions(&self) -> Option<Vec<Option<Vec<u8>>>> {
        let all = |question: &Question| Some(vec![Some(question.to_bytes()); self.shards]);
        match &self.step {
            Step::Examples(search, examples) => {
                let number = self.schema.vector_number(search.query.field.as_deref()).unwrap_or(0);
                let ids = examples.like.iter().chain(&examples.unlike).cloned();
                let ids = self.by_shard(ids, |id| id.shard(self.shards));
                Some(self.each(ids, |ids| Question::Examples(number, ids)))
            }
            Step::Statistics(_, text) => all(&Question::Statistics(text.clone())),
            Step::Part(search, statistics) => {
                all(&Question::Part(search.query.clone(), statistics.clone()))
            }
            Step::Documents(search, hits) => {
                let missing = hits.iter().filter(|(_, document)| document.is_none());
                let missing = self.by_shard(missing, |(found, _)| found.engine);
                Some(self.each(missing, |hits| {
                    let wanted = hits.into_iter().map(|(found, _)| &found.candidate);
                    let wanted = wanted.map(|candidate| (candidate.id.clone(), candidate.version));
                    Question::Documents(search.query.include.clone(), wanted.collect())
                }))
            }
            Step::Facet(path, filter, _) => all(&Question::Facet(path.clone(), filter.clone())),
            Step::Scroll(scroll) => all(&Question::Scroll(scroll.clone())),
            Step::Done(_) | Step::Failed => None,
        }
    }

    /// Takes the answers to the questions, by shard.
    pub fn take(&mut self, answers: &[Option<Vec<u8>>]) -> Result<()> {
        if answers.len() != self.shards {
            let answers = answers.len();
            return Err(Error::invalid(format!("{answers} answers of {} shards", self.shards)));
        }
        let step = mem::replace(&mut self.step, Step::Failed);
        self.step = match step {
            Step::Examples(search, examples) => self.take_examples(search, &examples, answers)?,
            Step::Statistics(search, _) => take_statistics(search, answers)?,
            Step::Part(search, _) => self.take_parts(search, answers)?,
            Step::Documents(search, hits) => self.take_documents(search, hits, answers)?,
            Step::Facet(path, _, limit) => {
                let counts = all(answers).map(|bytes| answer::facet(bytes?));
                let counts: Vec<_> = counts.collect::<Result<_>>()?;
                let counts = counts.into_iter().flatten();
                Step::Done(Gathered::Counts(most_frequent(&self.schema, &path, counts, limit)?))
            }
            Step::Scroll(scroll) => {
                let found = all(answers).map(|bytes| self.found(&scroll, bytes?));
                let found: Vec<_> = found.collect::<Result<_>>()?;
                let found = found.into_iter().flatten().collect();
                Step::Done(Gathered::Page(page(&self.schema, &scroll, found)?))
            }
            Step::Done(_) | Step::Failed => {
                return Err(Error::internal("an answer came that nobody asked for"));
            }
        };
        Ok(())
    }

    /// The answer, once there are no more questions.
    pub fn gathered(&self) -> Result<&Gathered> {
        match &self.step {
            Step::Done(gathered) => Ok(gathered),
            _ => Err(Error::internal("shards were not asked all there is to ask")),
        }
    }

    /// The same, taken.
    pub fn into_gathered(self) -> Result<Gathered> {
        match self.step {
            Step::Done(gathered) => Ok(gathered),
            _ => Err(Error::internal("shards were not asked all there is to ask")),
        }
    }

    /// How the hits were found, once they are.
    pub fn explanation(&self) -> &Explanation {
        &self.explanation
    }

    fn take_examples(
        &self,
        search: Search,
        examples: &Examples,
        answers: &[Option<Vec<u8>>],
    ) -> Result<Step> {
        let vectors = self.some(answers, answer::examples)?;
        let mut vectors: Vec<_> = vectors.into_iter().map(Vec::into_iter).collect();
        // They are read in the order in which they were asked for.
        let vector_of = |id: &Id, _| vectors[id.shard(self.shards)].next().ok_or_else(too_few)?;
        let query = examples.query(&self.schema, search.query, vector_of)?;
        Search { query, ..search }.begin(&self.schema)
    }

    fn take_parts(&mut self, search: Search, answers: &[Option<Vec<u8>>]) -> Result<Step> {
        let answered = all(answers).map(|bytes| answer::part(bytes?));
        let answered: Vec<(Part, Documents)> = answered.collect::<Result<_>>()?;
        let (parts, mut documents): (Vec<Part>, Vec<_>) = answered.into_iter().unzip();
        let explanations = parts.iter().map(|part| part.explanation.clone());
        let together = explanations.reduce(|total, part| total.and(&part));
        self.explanation = together.unwrap_or_default();
        let hits = gather(&search.query, parts).into_iter().map(|found| {
            let document = documents[found.engine].remove(&found.candidate.slot);
            let document = document.map(|bytes| read_document(&bytes, &self.schema));
            Ok((found, document.transpose()?))
        });
        search.with_hits(hits.collect::<Result<_>>()?)
    }

    fn take_documents(
        &self,
        search: Search,
        mut hits: Vec<(Found, Option<Document>)>,
        answers: &[Option<Vec<u8>>],
    ) -> Result<Step> {
        let documents = self.some(answers, answer::documents)?;
        let mut documents: Vec<_> = documents.into_iter().map(Vec::into_iter).collect();
        for (found, document) in hits.iter_mut().filter(|(_, document)| document.is_none()) {
            let Some(bytes) = documents[found.engine].next().ok_or_else(too_few)? else {
                return search.again();
            };
            *document = Some(read_document(&bytes, &self.schema)?);
        }
        search.with_hits(hits)
    }

    fn found(&self, scroll: &Scroll, bytes: &[u8]) -> Result<Vec<(Place, Document)>> {
        let order = scroll.order.as_ref();
        read_all(bytes, |reader| {
            read_list(reader, |reader| {
                let place = Place::read(reader, &self.schema, order)?;
                Ok((place, read_document(reader.bytes()?, &self.schema)?))
            })
        })
    }

    fn by_shard<T>(
        &self,
        items: impl Iterator<Item = T>,
        shard: impl Fn(&T) -> usize,
    ) -> Vec<Vec<T>> {
        let mut shards: Vec<Vec<T>> = (0..self.shards).map(|_| Vec::new()).collect();
        items.for_each(|item| shards[shard(&item)].push(item));
        shards
    }

    /// A question to each shard that has items.
    fn each<T>(
        &self,
        items: Vec<Vec<T>>,
        question: impl Fn(Vec<T>) -> Question,
    ) -> Vec<Option<Vec<u8>>> {
        let items = items.into_iter();
        items.map(|items| (!items.is_empty()).then(|| question(items).to_bytes())).collect()
    }

    /// The lists of those that were asked, empty ones of the others.
    fn some<T>(
        &self,
        answers: &[Option<Vec<u8>>],
        read: fn(&[u8]) -> Result<Vec<T>>,
    ) -> Result<Vec<Vec<T>>> {
        answers.iter().map(|bytes| bytes.as_deref().map_or(Ok(Vec::new()), read)).collect()
    }
}

impl Search {
    /// The first of the searches of groups, or the only one.
    fn begin(self, schema: &Schema) -> Result<Step> {
        match &self.by {
            Some(by) => {
                let grouping = Grouping::new(schema, self.query.clone(), by)?;
                self.next(grouping)
            }
            None => self.ask(),
        }
    }

    fn next(self, grouping: Grouping) -> Result<Step> {
        match grouping.query() {
            Some(query) => Self { query, grouping: Some(grouping), attempts: 0, ..self }.ask(),
            None => Ok(Step::Done(Gathered::Groups(grouping.into_groups()))),
        }
    }

    fn ask(self) -> Result<Step> {
        self.query.check()?;
        Ok(match self.query.text.clone() {
            Some(text) => Step::Statistics(self, text),
            None => Step::Part(self, Statistics::default()),
        })
    }

    fn again(mut self) -> Result<Step> {
        self.attempts += 1;
        if self.attempts == ATTEMPTS_MAX {
            return Err(Error::busy(format!(
                "documents that a search found were changed before they could be read, \
                 {ATTEMPTS_MAX} times; search again"
            )));
        }
        self.ask()
    }

    fn with_hits(self, hits: Vec<(Found, Option<Document>)>) -> Result<Step> {
        if hits.iter().any(|(_, document)| document.is_none()) {
            return Ok(Step::Documents(self, hits));
        }
        let hits = hits.into_iter().filter_map(|(found, doc)| Some(found.into_hit(doc?)));
        let hits = hits.collect();
        match self.grouping {
            Some(mut grouping) => {
                grouping.take(hits);
                Self { grouping: None, ..self }.next(grouping)
            }
            None => Ok(Step::Done(Gathered::Hits(hits))),
        }
    }
}

fn take_statistics(search: Search, answers: &[Option<Vec<u8>>]) -> Result<Step> {
    let mut statistics = Statistics::default();
    for bytes in all(answers) {
        statistics.add(&answer::statistics(bytes?)?);
    }
    Ok(Step::Part(search, statistics))
}

/// The answers of shards that were all asked.
fn all(answers: &[Option<Vec<u8>>]) -> impl Iterator<Item = Result<&[u8]>> {
    answers.iter().map(|bytes| bytes.as_deref().ok_or_else(too_few))
}

fn too_few() -> Error {
    Error::corrupt("a shard answered less than it was asked")
}
