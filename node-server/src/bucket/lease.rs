//! Who may have a database of a bucket in memory, as one step from what the bucket says to what it
//! shall say. Nothing here reads a clock or does input or output.
//!
//! **Invariant:** a lease under which something was written is taken over by nobody but the node that
//! has the writes, unless an operator gives them up.

use super::{
    head::{Head, Lease},
    note::Note,
};
use vectordoc::{Error, Result};

/// Who asks for a lease.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Random, and kept in its data directory.
    pub(crate) id: String,
    /// What it is called.
    pub(crate) name: String,
    /// Random, of this run.
    pub(super) session: String,
}

/// For how long leases are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// From when it is asked for.
    pub(super) lease_ms: u64,
    /// How far clocks may be from each other: a node stops so much before its lease ends, and
    /// another takes it so much later.
    pub(super) margin_ms: u64,
}

/// Where the files are that a new lease is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Those of this node are the newest there are.
    Here,
    /// Those in the bucket are.
    Bucket,
}

impl Lease {
    /// One of `node` from now on.
    pub(super) fn of(node: &Node, terms: Terms, now_ms: u64, written: bool) -> Self {
        Self {
            node: node.id.clone(),
            node_name: node.name.clone(),
            session: node.session.clone(),
            since_ms: now_ms,
            until_ms: now_ms.saturating_add(terms.lease_ms),
            written,
        }
    }

    fn is_over(&self, terms: Terms, now_ms: u64) -> bool {
        now_ms > self.until_ms.saturating_add(terms.margin_ms)
    }
}

impl Head {
    /// What it shall say so that `node` has the lease, whose note of its own files is `note`; and
    /// which files count then. With `gives_up`, writes that only another node has are.
    pub(super) fn claim(
        &self,
        node: &Node,
        note: Option<&Note>,
        terms: Terms,
        now_ms: u64,
        gives_up: bool,
    ) -> Result<(Self, Source)> {
        let note = note.filter(|note| note.id == self.id);
        let was_last = note.is_some_and(|note| note.epoch == self.epoch);
        let is_own = |lease: &Lease| lease.node == node.id;
        if let Some(lease) = &self.lease {
            let goes_on = is_own(lease) && was_last;
            if !is_own(lease) && !lease.is_over(terms, now_ms) {
                return Err(held(lease, terms, now_ms));
            }
            if lease.written && !goes_on && !gives_up {
                return Err(unsent(lease));
            }
            if goes_on {
                let since_ms = lease.since_ms;
                let lease = Lease::of(node, terms, now_ms, lease.written);
                let lease = Some(Lease { since_ms, ..lease });
                return Ok((Self { lease, ..self.clone() }, Source::Here));
            }
        }
        let is_same = |note: &Note| !note.written && note.contents == self.contents;
        let source = match self.lease.is_none() && was_last || note.is_some_and(is_same) {
            true => Source::Here,
            false => Source::Bucket,
        };
        if self.contents.is_none() {
            return Err(Error::unavailable(
                "nothing of it was uploaded before the node was lost that created it; drop it, or \
                 start that node again",
            ));
        }
        let lease = Some(Lease::of(node, terms, now_ms, false));
        Ok((Self { lease, epoch: self.epoch.saturating_add(1), ..self.clone() }, source))
    }

    /// The same lease for longer, of this run of `node` and this epoch; `None` when it is not any more.
    pub(super) fn renewed(&self, node: &Node, terms: Terms, now_ms: u64) -> Option<Self> {
        let lease = self.lease.as_ref().filter(|lease| lease.session == node.session)?;
        let until_ms = now_ms.saturating_add(terms.lease_ms).max(lease.until_ms);
        Some(Self { lease: Some(Lease { until_ms, ..lease.clone() }), ..self.clone() })
    }

    /// The same, with something written under the lease.
    pub(super) fn written(&self) -> Self {
        let lease = self.lease.clone().map(|lease| Lease { written: true, ..lease });
        Self { lease, ..self.clone() }
    }

    /// The same, with nobody having it.
    pub(super) fn released(&self) -> Self {
        Self { lease: None, ..self.clone() }
    }

    /// That there is none any more.
    pub(super) fn dropped(&self) -> Self {
        Self { lease: None, holds: None, contents: None, is_dropped: true, ..self.clone() }
    }
}

/// That another node has it.
fn held(lease: &Lease, terms: Terms, now_ms: u64) -> Error {
    let until_ms = lease.until_ms.saturating_add(terms.margin_ms);
    let seconds = until_ms.saturating_sub(now_ms).div_ceil(1_000);
    Error::busy(format!(
        "it is awake at node {}, which holds its lease for {seconds} s more and may renew it; ask \
         there, or try again when it is asleep",
        lease.node_name
    ))
}

/// That another node has what nobody else has.
fn unsent(lease: &Lease) -> Error {
    Error::unavailable(format!(
        "it was awake at node {} when that was lost, and what was written there since it woke is on \
         the disk of that node only; start it again with its data directory, and it uploads that, or \
         give it up with `vectordoc resume --force`, which goes back to the last upload",
        lease.node_name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Serving, bucket::head::Contents};
    use vectordoc::ErrorKind;

    const TERMS: Terms = Terms { lease_ms: 1_000, margin_ms: 100 };

    fn node(name: &str) -> Node {
        Node { id: name.into(), name: name.into(), session: format!("{name}1") }
    }

    fn contents(object: &str) -> Option<Contents> {
        Some(Contents { object: object.into(), sha256: String::new(), bytes: 1 })
    }

    /// A database that node `a` created at 0 and uploaded, and the note that it has of that.
    fn uploaded() -> (Head, Note) {
        let lease = Lease::of(&node("a"), TERMS, 0, true);
        let head = Head::new("id".into(), Serving::default(), lease);
        let head = Head { contents: contents("first"), ..head.released() };
        let note = Note {
            id: "id".into(),
            epoch: 1,
            contents: contents("first"),
            written: false,
            is_leased: false,
        };
        (head, note)
    }

    fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn one_node_has_it_until_its_lease_and_the_margin_are_over() -> Result<()> {
        let (head, note) = uploaded();
        let (taken, source) = head.claim(&node("a"), Some(&note), TERMS, 5_000, false)?;
        assert_eq!((taken.epoch, source), (2, Source::Here));
        let other = |now| taken.claim(&node("b"), None, TERMS, now, false);
        for now in [5_000, 6_000, 6_100] {
            let error = other(now).expect_err("it is held");
            assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
            assert!(error.message().contains("node a"), "{error}");
        }
        let (taken, source) = other(6_101)?;
        assert_eq!((taken.epoch, source), (3, Source::Bucket));
        assert_eq!(taken.holder_but("a"), Some("b"));
        assert_eq!(
            kind(taken.claim(&node("a"), Some(&note), TERMS, 6_102, false)),
            Some(ErrorKind::Busy)
        );
        Ok(())
    }

    #[test]
    fn what_was_written_and_not_uploaded_is_given_up_by_nobody_but_an_operator() -> Result<()> {
        let (head, note) = uploaded();
        let (taken, _) = head.claim(&node("a"), Some(&note), TERMS, 5_000, false)?;
        let written = taken.written();
        let late = 1_000_000;
        let refused = written.claim(&node("b"), None, TERMS, late, false);
        let error = refused.expect_err("only a has it");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(
            error.message().contains("node a") && error.message().contains("--force"),
            "{error}"
        );
        // Not while the other may be at it, whoever says so.
        assert_eq!(
            kind(written.claim(&node("b"), None, TERMS, 5_500, true)),
            Some(ErrorKind::Busy)
        );
        let (forced, source) = written.claim(&node("b"), None, TERMS, late, true)?;
        assert_eq!((forced.epoch, source), (3, Source::Bucket));
        assert_eq!(forced.lease.as_ref().map(|lease| lease.written), Some(false));
        // Who has the writes goes on with them, in its next run, and whenever that is.
        let again = Node { session: "a2".into(), ..node("a") };
        let note = Note { epoch: 2, written: true, is_leased: true, ..note };
        for now in [5_500, late] {
            let (taken, source) = written.claim(&again, Some(&note), TERMS, now, false)?;
            assert_eq!((taken.epoch, source), (2, Source::Here));
            assert!(taken.lease.is_some_and(|lease| lease.written && lease.session == "a2"));
        }
        // But not once another goes on from the last upload.
        let refused = forced.released().claim(&again, Some(&note), TERMS, late, false)?;
        assert_eq!(refused.1, Source::Bucket);
        Ok(())
    }

    #[test]
    fn a_node_that_lost_its_files_does_not_go_on_as_if_it_had_them() -> Result<()> {
        let (head, note) = uploaded();
        let (taken, _) = head.claim(&node("a"), Some(&note), TERMS, 5_000, false)?;
        // Nothing was written: what is in the bucket is as new.
        let (again, source) = taken.claim(&node("a"), None, TERMS, 5_001, false)?;
        assert_eq!((again.epoch, source), (3, Source::Bucket));
        let refused = taken.written().claim(&node("a"), None, TERMS, 5_001, false);
        assert_eq!(kind(refused), Some(ErrorKind::Unavailable));
        Ok(())
    }

    #[test]
    fn files_count_only_if_they_are_those_of_the_last_upload() -> Result<()> {
        let (head, note) = uploaded();
        let source = |head: &Head, note: &Note| {
            head.claim(&node("a"), Some(note), TERMS, 0, false).map(|(_, source)| source)
        };
        assert_eq!(source(&head, &note)?, Source::Here);
        // Another node had it since, and wrote nothing, or something.
        let read = Head { epoch: 2, ..head.clone() };
        assert_eq!(source(&read, &note)?, Source::Here);
        let written = Head { contents: contents("second"), ..read };
        assert_eq!(source(&written, &note)?, Source::Bucket);
        let other = Note { id: "another".into(), ..note };
        assert_eq!(source(&head, &other)?, Source::Bucket);
        Ok(())
    }

    #[test]
    fn a_lease_is_renewed_by_the_run_that_has_it_and_never_shortened() -> Result<()> {
        let (head, note) = uploaded();
        let a = node("a");
        let (taken, _) = head.claim(&a, Some(&note), TERMS, 5_000, false)?;
        let until = |head: Head| head.lease.map(|lease| lease.until_ms);
        assert_eq!(taken.renewed(&a, TERMS, 5_500).and_then(until), Some(6_500));
        assert_eq!(
            taken.renewed(&a, TERMS, 4_000).and_then(until),
            Some(6_000),
            "a clock set back"
        );
        assert_eq!(taken.renewed(&node("b"), TERMS, 5_500), None);
        let again = Node { session: "a2".into(), ..a.clone() };
        assert_eq!(taken.renewed(&again, TERMS, 5_500), None);
        assert_eq!(taken.released().renewed(&a, TERMS, 5_500), None);
        Ok(())
    }
}
