//! What clients asked of documents and heard, and whether one order of all of it explains that.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};
use todc_utils::{
    linearizability::{
        WGLChecker,
        history::{Action, History},
    },
    specifications::Specification,
};

/// What was asked of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To be this from now on; `None`: not to be there.
    Write(Option<u64>),
    /// What it is.
    Read,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It was written.
    Written,
    /// It is this.
    Is(Option<u64>),
    /// Nothing was done.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// Everything that was asked, in the order in which it was asked and heard.
#[derive(Default)]
pub(crate) struct Record(Mutex<Vec<Event>>);

struct Event {
    document: u64,
    number: usize,
    what: What,
}

enum What {
    Asked(Asked),
    Heard(Heard),
}

/// How many of what was asked came to what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) written: usize,
    pub(crate) read: usize,
    pub(crate) refused: usize,
    pub(crate) unknown: usize,
}

impl Record {
    /// Notes that something is asked; the number names it.
    pub(crate) fn ask(&self, document: u64, number: usize, asked: Asked) {
        self.push(Event { document, number, what: What::Asked(asked) });
    }

    /// Notes what came of it.
    pub(crate) fn hear(&self, document: u64, number: usize, heard: Heard) {
        self.push(Event { document, number, what: What::Heard(heard) });
    }

    fn push(&self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// What was asked, counted.
    pub(crate) fn count(&self) -> Count {
        let mut count = Count::default();
        for event in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            match &event.what {
                What::Heard(Heard::Written) => count.written += 1,
                What::Heard(Heard::Is(_)) => count.read += 1,
                What::Heard(Heard::Refused) => count.refused += 1,
                What::Heard(Heard::Unknown) => count.unknown += 1,
                What::Asked(_) => {}
            }
        }
        count
    }

    /// The documents whose history no order explains, each with that history.
    pub(crate) fn violations(&self) -> Vec<(u64, String)> {
        let events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut by_document: BTreeMap<u64, Vec<&Event>> = BTreeMap::new();
        for event in &*events {
            by_document.entry(event.document).or_default().push(event);
        }
        let violating = by_document.into_iter().filter_map(|(document, events)| {
            let actions = actions(&events);
            let text = || actions.iter().map(|action| format!("{action:?}\n")).collect();
            let history = History::from_actions(actions.clone());
            (!WGLChecker::<Document>::is_linearizable(history)).then(|| (document, text()))
        });
        violating.collect()
    }
}

/// The same for the checker: what was refused is left out, and what nobody knows of ends after
/// everything else, or is left out if nobody ever saw it.
fn actions(events: &[&Event]) -> Vec<(usize, Action<Operation>)> {
    let seen: BTreeSet<Option<u64>> = events
        .iter()
        .filter_map(|event| match &event.what {
            What::Heard(Heard::Is(value)) => Some(*value),
            _ => None,
        })
        .collect();
    let asked: BTreeMap<usize, &Asked> = events
        .iter()
        .filter_map(|event| match &event.what {
            What::Asked(asked) => Some((event.number, asked)),
            What::Heard(_) => None,
        })
        .collect();
    let heard: BTreeMap<usize, &Heard> = events
        .iter()
        .filter_map(|event| match &event.what {
            What::Heard(heard) => Some((event.number, heard)),
            What::Asked(_) => None,
        })
        .collect();
    let counts = |number: usize| match (asked[&number], heard.get(&number)) {
        (_, Some(Heard::Refused)) | (Asked::Read, None | Some(Heard::Unknown)) => false,
        (Asked::Write(value), None | Some(Heard::Unknown)) => seen.contains(value),
        _ => true,
    };
    let operation = |number: usize| match (asked[&number], heard.get(&number)) {
        (Asked::Write(value), _) => Operation::Write(*value),
        (Asked::Read, Some(Heard::Is(value))) => Operation::Read(*value),
        (Asked::Read, _) => Operation::Read(None),
    };
    let mut actions = Vec::new();
    let mut open = Vec::new();
    for event in events.iter().filter(|event| counts(event.number)) {
        let operation = operation(event.number);
        match &event.what {
            What::Asked(_) => {
                actions.push((event.number, Action::Call(operation.clone())));
                if matches!(heard.get(&event.number), None | Some(Heard::Unknown)) {
                    open.push((event.number, Action::Response(operation)));
                }
            }
            What::Heard(Heard::Unknown) => {}
            What::Heard(_) => actions.push((event.number, Action::Response(operation))),
        }
    }
    actions.extend(open);
    actions
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operation {
    Write(Option<u64>),
    Read(Option<u64>),
}

/// A document is what was written last.
struct Document;

impl Specification for Document {
    type State = Option<u64>;
    type Operation = Operation;

    fn init() -> Option<u64> {
        None
    }

    fn apply(operation: &Operation, state: &Option<u64>) -> (bool, Option<u64>) {
        match operation {
            Operation::Write(value) => (true, *value),
            Operation::Read(value) => (value == state, *state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Heard, Record};

    fn violates(events: &[(usize, Result<Asked, Heard>)]) -> bool {
        let record = Record::default();
        for (number, event) in events {
            match event {
                Ok(asked) => record.ask(7, *number, asked.clone()),
                Err(heard) => record.hear(7, *number, heard.clone()),
            }
        }
        !record.violations().is_empty()
    }

    #[test]
    fn an_acknowledged_write_that_is_not_read_is_found() {
        let write = [(1, Ok(Asked::Write(Some(1)))), (1, Err(Heard::Written))];
        let read = |value| [(2, Ok(Asked::Read)), (2, Err(Heard::Is(value)))];
        assert!(violates(&[&write[..], &read(None)[..]].concat()));
        assert!(!violates(&[&write[..], &read(Some(1))[..]].concat()));
    }

    #[test]
    fn a_read_that_goes_back_is_found() {
        let events = [
            (1, Ok(Asked::Write(Some(1)))),
            (1, Err(Heard::Written)),
            (2, Ok(Asked::Write(Some(2)))),
            (3, Ok(Asked::Read)),
            (3, Err(Heard::Is(Some(2)))),
            (4, Ok(Asked::Read)),
            (4, Err(Heard::Is(Some(1)))),
        ];
        assert!(violates(&events));
        assert!(!violates(&events[..5]));
    }

    #[test]
    fn what_nobody_knows_of_may_come_at_any_time_and_what_was_refused_may_not() {
        let of = |heard: Heard| {
            [
                (1, Ok(Asked::Write(Some(1)))),
                (1, Err(heard)),
                (2, Ok(Asked::Read)),
                (2, Err(Heard::Is(None))),
                (3, Ok(Asked::Read)),
                (3, Err(Heard::Is(Some(1)))),
            ]
        };
        assert!(!violates(&of(Heard::Unknown)));
        assert!(violates(&of(Heard::Refused)));
        assert!(violates(&of(Heard::Written)));
    }
}
