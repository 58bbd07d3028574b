//! What clients asked about one document and what they were told, and whether a single document that
//! does one thing after the other could have told them that.

use todc_utils::{
    linearizability::{
        WGLChecker,
        history::{Action, History},
    },
    specifications::Specification,
};

/// What a client asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// To be this.
    Index(u64),
    /// To be this, if it is there.
    Update(u64),
    Delete,
    Get,
}

/// What a client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Told {
    Done,
    /// There is no such document.
    Missing,
    Found(u64),
    /// Nobody knows.
    Nothing,
}

/// One operation; from one moment to another, in the order of all moments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub(super) asked: Asked,
    pub(super) told: Told,
    pub(super) begun: u64,
    /// When the client was told; `u64::MAX` of who was told nothing.
    pub(super) ended: u64,
}

/// A document, as one that does one thing after the other would be.
struct Document;

impl Specification for Document {
    type State = Option<u64>;
    type Operation = (Asked, Told);

    fn init() -> Option<u64> {
        None
    }

    /// What it is after an operation, and whether it can have told so much.
    fn apply(&(asked, told): &(Asked, Told), state: &Option<u64>) -> (bool, Option<u64>) {
        match (asked, told, *state) {
            (Asked::Index(value), Told::Done | Told::Nothing, _)
            | (Asked::Update(value), Told::Done | Told::Nothing, Some(_)) => (true, Some(value)),
            (Asked::Delete, Told::Done, Some(_)) | (Asked::Delete, Told::Nothing, _) => {
                (true, None)
            }
            (Asked::Update(_) | Asked::Get | Asked::Delete, Told::Missing, None)
            | (Asked::Update(_), Told::Nothing, None) => (true, None),
            (Asked::Get, Told::Found(value), Some(there)) => (value == there, *state),
            _ => (false, *state),
        }
    }
}

/// Whether there is an order in which one document could have told all of this.
pub(super) fn is_linearizable(operations: &[Operation]) -> bool {
    let mut actions = Vec::with_capacity(2 * operations.len());
    for (number, operation) in operations.iter().enumerate() {
        let act = (operation.asked, operation.told);
        actions.push((operation.begun, number, Action::Call(act)));
        actions.push((operation.ended, number, Action::Response(act)));
    }
    // What nobody knows of ends after everything else: until then it may happen.
    actions.sort_by_key(|(moment, number, _)| (*moment, *number));
    let actions: Vec<_> = actions.into_iter().map(|(_, number, act)| (number, act)).collect();
    actions.is_empty() || WGLChecker::<Document>::is_linearizable(History::from_actions(actions))
}

#[cfg(test)]
mod tests {
    use super::{Asked::*, Told::*, *};

    fn history(operations: &[(Asked, Told, u64, u64)]) -> bool {
        let operation = |&(asked, told, begun, ended)| Operation { asked, told, begun, ended };
        is_linearizable(&operations.iter().map(operation).collect::<Vec<_>>())
    }

    const LATE: u64 = u64::MAX;

    #[test]
    fn what_was_acknowledged_is_read() {
        assert!(history(&[(Index(1), Done, 0, 1), (Get, Found(1), 2, 3)]));
        assert!(!history(&[(Index(1), Done, 0, 1), (Get, Missing, 2, 3)]));
        assert!(!history(&[(Index(1), Done, 0, 1), (Delete, Missing, 2, 3)]));
        assert!(!history(
            &[(Index(1), Done, 0, 1), (Index(2), Done, 2, 3), (Get, Found(1), 4, 5),]
        ));
    }

    #[test]
    fn at_the_same_time_either_comes_first() {
        let both = [(Index(1), Done, 0, 3), (Index(2), Done, 1, 2)];
        for last in [1, 2] {
            assert!(history(&[both[0], both[1], (Get, Found(last), 4, 5)]));
        }
        assert!(!history(&[both[0], both[1], (Get, Found(1), 4, 5), (Get, Found(2), 6, 7)]));
    }

    #[test]
    fn what_nobody_knows_happens_later_or_never_and_only_once() {
        let unknown = (Index(2), Nothing, 2, LATE);
        let before = (Index(1), Done, 0, 1);
        assert!(history(&[before, unknown, (Get, Found(1), 4, 5)]));
        assert!(history(&[before, unknown, (Get, Found(1), 4, 5), (Get, Found(2), 6, 7)]));
        assert!(!history(&[before, unknown, (Get, Found(2), 4, 5), (Get, Found(1), 6, 7)]));
        assert!(!history(&[(Get, Found(2), 0, 1), unknown]));
        let again = (Index(1), Done, 5, 6);
        assert!(!history(&[before, unknown, (Get, Found(2), 3, 4), again, (Get, Found(2), 7, 8),]));
    }
}
