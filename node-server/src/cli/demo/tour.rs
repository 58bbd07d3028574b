//! The tour: questions to the sample, plain and filtered, with their answers.

use super::sample::{Question, questions};
use crate::cli::{
    hits, number,
    output::Output,
    place::{Answer, Found},
};
use std::time::{Duration, Instant};
use vectordoc::{Database, Id, Include, Query, Result};

const HITS_SHOWN: usize = 3;
const FIELDS_SHOWN: [&str; 3] = ["lemma", "lexname", "gloss"];

/// Asks every question and prints the answers. Returns the best hit of the first question, for the
/// reader to go on from.
pub(super) fn walk(database: &Database, out: &mut Output) -> Result<Option<Id>> {
    let mut first = None;
    let mut asking = Duration::ZERO;
    let questions = questions()?;
    for question in &questions {
        let (answer, id, took) = ask(database, question)?;
        first = first.or(id);
        asking += took;
        print(question, &answer, took, out)?;
    }
    let count = questions.len();
    out.line(format_args!("{count} answers in {}, found by meaning.\n", number::time(asking)))?;
    Ok(first)
}

fn ask(database: &Database, question: &Question) -> Result<(Answer, Option<Id>, Duration)> {
    let query = Query {
        limit: HITS_SHOWN,
        filter: question.filter()?,
        include: Include::Fields(fields()),
        ..Query::new(question.vector.clone())
    };
    let start = Instant::now();
    let hits = database.search(&query)?;
    let took = start.elapsed();
    let found = hits.iter().map(|hit| Found::from_hit(database.schema(), hit));
    let answer = Answer { hits: found.collect::<Result<_>>()?, ..Answer::default() };
    Ok((answer, hits.first().map(|hit| hit.id.clone()), took))
}

fn print(question: &Question, answer: &Answer, took: Duration, out: &mut Output) -> Result<()> {
    out.line(format_args!("▸ {}: {}", question.lemma, question.gloss))?;
    if let Some(filter) = question.filter_text() {
        out.line(format_args!("  where {filter}"))?;
    }
    let columns = out.columns().saturating_sub(2);
    for line in hits::table(answer, &fields()).lines(columns) {
        out.line(format_args!("  {line}"))?;
    }
    out.line(format_args!("  {}\n", number::time(took)))
}

fn fields() -> Vec<String> {
    FIELDS_SHOWN.map(str::to_owned).to_vec()
}
