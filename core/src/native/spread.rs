//! What is asked of shards that are elsewhere, and what their answers make.

use super::{
    Database, Stats,
    answering::{Asked, read_page, read_position, read_stats},
    cursor::{Cursor, Position},
    durability::WhenBusy,
    elsewhere::{Elsewhere, Pieces, ReadLevel},
};
use crate::{
    Batch, Change, ChangeQuery, Document, Error, Examples, Filter, Hit, Id, Include, Page, Query,
    Result, Schema, Scroll, Value,
    engine::Outcome,
    limits,
    query::{Explanation, Warning},
    shards::{Gathered, Gathering, Question, told},
};

/// The shards of a database that are elsewhere.
pub(super) struct Spread<'a> {
    shards: usize,
    elsewhere: &'a dyn Elsewhere,
    schema: &'a Schema,
    level: ReadLevel,
}

impl Database {
    /// Its shards, if they are elsewhere.
    pub(super) fn spread(&self) -> Option<Spread<'_>> {
        let elsewhere = &**self.inner.elsewhere.as_ref()?;
        let (shards, level) = (elsewhere.shards(), self.reads);
        Some(Spread { shards, elsewhere, schema: &self.inner.schema, level })
    }
}

impl Spread<'_> {
    /// The answers of all shards to one question.
    fn ask_all(&self, question: &[u8]) -> Result<Vec<Vec<u8>>> {
        let answers = self.ask(vec![Some(question.to_vec()); self.shards])?;
        answers.into_iter().map(|answer| answer.ok_or_else(too_few)).collect()
    }

    /// The answers of those shards that have a question.
    fn ask(&self, questions: Vec<Option<Vec<u8>>>) -> Result<Vec<Option<Vec<u8>>>> {
        let questions = questions.into_iter().map(|question| question.into_iter().collect());
        let answers = self.elsewhere.ask(questions.collect(), self.level)?;
        Ok(answers.into_iter().map(|answers| answers.into_iter().next()).collect())
    }

    /// Asks until nothing is left to ask, for all of `gatherings` at the same time.
    fn gather(&self, gatherings: &mut [Gathering]) -> Result<()> {
        loop {
            let (mut asked, mut whose) = (vec![Vec::new(); self.shards], Vec::new());
            for (number, gathering) in gatherings.iter().enumerate() {
                let Some(questions) = gathering.questions() else { continue };
                whose.push((number, questions.iter().map(Option::is_some).collect::<Vec<_>>()));
                for (asked, question) in asked.iter_mut().zip(questions) {
                    asked.extend(question);
                }
            }
            if whose.is_empty() {
                return Ok(());
            }
            let answers = self.elsewhere.ask(asked, self.level)?;
            let mut answers: Vec<_> = answers.into_iter().map(Vec::into_iter).collect();
            for (number, is_asked) in whose {
                let answers = is_asked.into_iter().zip(&mut answers);
                let answers = answers.map(|(is_asked, answers)| match is_asked {
                    true => answers.next().map(Some).ok_or_else(too_few),
                    false => Ok(None),
                });
                gatherings[number].take(&answers.collect::<Result<Vec<_>>>()?)?;
            }
        }
    }

    fn gathered(&self, gathering: Gathering) -> Result<Gathering> {
        let mut gatherings = [gathering];
        self.gather(&mut gatherings)?;
        let [gathering] = gatherings;
        Ok(gathering)
    }

    fn searching(&self, query: &Query) -> Result<Gathering> {
        Gathering::search(self.schema.clone(), self.shards, query.clone(), None, None)
    }

    pub(super) fn search(&self, query: &Query) -> Result<(Vec<Hit>, Explanation)> {
        let gathering = self.gathered(self.searching(query)?)?;
        let explanation = gathering.explanation().clone();
        Ok((hits(gathering)?, explanation))
    }

    pub(super) fn search_batch(&self, queries: &[Query]) -> Result<Vec<Vec<Hit>>> {
        let gatherings = queries.iter().map(|query| self.searching(query));
        let mut gatherings = gatherings.collect::<Result<Vec<_>>>()?;
        self.gather(&mut gatherings)?;
        gatherings.into_iter().map(hits).collect()
    }

    pub(super) fn facet(
        &self,
        path: &str,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<(Value, u64)>> {
        let (schema, filter) = (self.schema.clone(), filter.clone());
        let gathering = Gathering::facet(schema, self.shards, path.into(), filter, limit)?;
        match self.gathered(gathering)?.into_gathered()? {
            Gathered::Counts(counts) => Ok(counts),
            _ => Err(mixed_up()),
        }
    }

    pub(super) fn scroll(&self, scroll: &Scroll) -> Result<Page> {
        let gathering = Gathering::scroll(self.schema.clone(), self.shards, scroll.clone())?;
        match self.gathered(gathering)?.into_gathered()? {
            Gathered::Page(page) => Ok(page),
            _ => Err(mixed_up()),
        }
    }

    pub(super) fn get(
        &self,
        ids: &[Id],
        include: &Include,
    ) -> Result<Vec<Option<(Document, u64)>>> {
        let of_shard = |shard| ids.iter().filter(move |id| id.shard(self.shards) == shard);
        let question = |shard| {
            let ids: Vec<Id> = of_shard(shard).cloned().collect();
            // Who asks for nothing is told all the same what is wrong with the rest.
            let is_asked = !ids.is_empty() || shard == 0;
            is_asked.then(|| Question::Get(include.clone(), ids).to_bytes())
        };
        let answers = self.ask((0..self.shards).map(question).collect())?;
        let found = answers.iter().map(|answer| match answer {
            Some(bytes) => told::got(bytes, self.schema).map(Vec::into_iter),
            None => Ok(Vec::new().into_iter()),
        });
        let mut found = found.collect::<Result<Vec<_>>>()?;
        ids.iter().map(|id| found[id.shard(self.shards)].next().ok_or_else(too_few)).collect()
    }

    /// Which of these ids a document has.
    pub(super) fn contain(&self, ids: &[Id]) -> Result<Vec<bool>> {
        let found = self.get(ids, &Include::Nothing)?;
        Ok(found.iter().map(Option::is_some).collect())
    }

    pub(super) fn like(&self, examples: &Examples, query: Query) -> Result<Query> {
        let number = examples.check(self.schema, query.field.as_deref())?;
        let ids = || examples.like.iter().chain(&examples.unlike);
        let question = |shard| {
            let ids: Vec<Id> = ids().filter(|id| id.shard(self.shards) == shard).cloned().collect();
            (!ids.is_empty()).then(|| Question::Examples(number, ids).to_bytes())
        };
        let answers = self.ask((0..self.shards).map(question).collect())?;
        let vectors = answers.iter().map(|answer| match answer {
            Some(bytes) => told::examples(bytes).map(Vec::into_iter),
            None => Ok(Vec::new().into_iter()),
        });
        let mut vectors = vectors.collect::<Result<Vec<_>>>()?;
        let vector_of = |id: &Id, _| vectors[id.shard(self.shards)].next().ok_or_else(too_few)?;
        examples.query(self.schema, query, vector_of)
    }

    pub(super) fn count(&self, filter: &Filter) -> Result<u64> {
        let answers = self.ask_all(&Question::Count(filter.clone()).to_bytes())?;
        answers.iter().map(|bytes| told::count(bytes)).sum()
    }

    pub(super) fn warnings(&self, filter: &Filter) -> Result<Vec<Warning>> {
        if !filter.may_be_unserved() {
            return Ok(Vec::new());
        }
        self.warned(&Question::Warnings(filter.clone()))
    }

    pub(super) fn search_warnings(&self, query: &Query) -> Result<Vec<Warning>> {
        self.warned(&Question::SearchWarnings(query.clone()))
    }

    fn warned(&self, question: &Question) -> Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        for bytes in self.ask_all(&question.to_bytes())? {
            Warning::merge(&mut warnings, &told::warnings(&bytes)?);
        }
        Ok(warnings)
    }

    /// How many documents of each shard have a vector in the field of this number.
    pub(super) fn vectors(&self, field: usize) -> Result<Vec<u64>> {
        let answers = self.ask_all(&Question::Vectors(field).to_bytes())?;
        answers.iter().map(|bytes| told::count(bytes)).collect()
    }

    /// A document of one shard and its vector, if there are so many.
    pub(super) fn nth(
        &self,
        shard: usize,
        field: usize,
        rank: u64,
    ) -> Result<Option<(Id, Vec<f32>)>> {
        let mut questions = vec![None; self.shards];
        questions[shard] = Some(Question::Nth(field, rank).to_bytes());
        let answer = self.ask(questions)?.swap_remove(shard);
        told::nth(&answer.ok_or_else(too_few)?)
    }

    pub(super) fn stats(&self) -> Result<Stats> {
        let mut total = Stats { shards: self.shards, ..Stats::default() };
        for bytes in self.ask_all(&Asked::Stats.to_bytes())? {
            let stats = read_stats(&bytes)?;
            total.documents += stats.documents;
            total.unindexed += stats.unindexed;
            total.record_number += stats.record_number;
            total.memory_bytes += stats.memory_bytes;
            total.commits += stats.commits;
        }
        Ok(total)
    }

    /// Where who has read everything stands.
    pub(super) fn position(&self) -> Result<Cursor> {
        let answers = self.ask_all(&Asked::Position.to_bytes())?;
        let read = answers.iter().map(|bytes| read_position(bytes));
        let read = read.collect::<Result<Vec<_>>>()?;
        let identity = read.iter().fold(0u64, |all, (identity, _)| all.rotate_left(1) ^ identity);
        let positions = read.into_iter().map(|(_, record)| Position { record, changes: 0 });
        Ok(Cursor { identity, positions: positions.collect() })
    }

    /// The next changes of those shards of which `shares` says how many, whose positions in `cursor`
    /// then stand after them.
    pub(super) fn changes(
        &self,
        query: &ChangeQuery,
        cursor: &mut Cursor,
        shares: &[usize],
    ) -> Result<Vec<Change>> {
        let asked = shares.iter().filter(|share| **share > 0).count().max(1);
        let bytes_max = limits::CHANGES_BYTES_MAX / asked;
        let questions = shares.iter().zip(&cursor.positions).map(|(share, position)| {
            let (filter, include) = (query.filter.clone(), query.include.clone());
            let position = *position;
            let asked = Asked::Changes { position, limit: *share, bytes_max, filter, include };
            (*share > 0).then(|| asked.to_bytes())
        });
        let answers = self.ask(questions.collect())?;
        let mut changes = Vec::new();
        for (position, answer) in cursor.positions.iter_mut().zip(answers) {
            if let Some(bytes) = answer {
                let (after, more) = read_page(&bytes, self.schema)?;
                *position = after;
                changes.extend(more);
            }
        }
        Ok(changes)
    }

    pub(super) fn write(&self, batches: Vec<Batch>, when_busy: WhenBusy) -> Result<Vec<Outcome>> {
        let batches = batches.into_iter();
        let batches = batches.map(|batch| (!batch.operations.is_empty()).then_some(batch));
        self.elsewhere.write(batches.collect(), when_busy)
    }

    /// An archive of each shard.
    pub(super) fn archives(&self) -> Result<Vec<Pieces>> {
        (0..self.shards).map(|shard| self.elsewhere.archive(shard)).collect()
    }
}

fn hits(gathering: Gathering) -> Result<Vec<Hit>> {
    match gathering.into_gathered()? {
        Gathered::Hits(hits) => Ok(hits),
        _ => Err(mixed_up()),
    }
}

fn too_few() -> Error {
    Error::corrupt("a shard answered less than it was asked")
}

fn mixed_up() -> Error {
    Error::internal("shards answered another question")
}
