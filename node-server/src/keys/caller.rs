//! Who asks, and whether they may.

use super::{Key, Role};
use std::sync::Arc;
use vectordoc::{Error, ErrorKind, Result};

/// Who asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Anyone, of a server that has no keys.
    Anyone,
    /// Somebody who showed no key to a server that has some.
    Unknown,
    /// Somebody who showed this key.
    Holder(Arc<Key>),
}

impl Caller {
    /// Checks that the caller may do what takes `role` on the database `db`, or, without one, what
    /// is about all of them. `unauthenticated` without a key, `denied` when the key is not enough;
    /// both say what is needed.
    pub fn check(&self, role: Role, db: Option<&str>) -> Result<()> {
        let key = match self {
            Self::Anyone => return Ok(()),
            Self::Unknown => return Err(unauthenticated(role)),
            Self::Holder(key) => key,
        };
        if key.role() < role {
            return Err(denied(format!(
                "this takes a key of role {role}, key {} has role {}",
                key.id(),
                key.role()
            )));
        }
        match db {
            Some(db) if !key.scope().holds(db) => Err(denied(format!(
                "key {} is for {}, not for database {db:?}; `vectordoc key create --db` makes one \
                 that is",
                key.id(),
                key.scope()
            ))),
            _ => Ok(()),
        }
    }

    /// Whether the database `db` exists for this caller: a key learns nothing of databases it is
    /// not for.
    pub fn sees(&self, db: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Unknown => false,
            Self::Holder(key) => key.scope().holds(db),
        }
    }

    /// Who it is, for logs: the public id of the key.
    pub fn id(&self) -> &str {
        match self {
            Self::Anyone => "anyone",
            Self::Unknown => "unknown",
            Self::Holder(key) => key.id(),
        }
    }
}

fn unauthenticated(role: Role) -> Error {
    let message = format!(
        "this takes a key of role {role}, and none was sent: send `authorization: Bearer \
         vd_<id>_<secret>`, or, over WebSocket, ask for `auth` with {{\"key\": …}} first"
    );
    Error::new(ErrorKind::Unauthenticated, message)
}

fn denied(message: String) -> Error {
    Error::new(ErrorKind::Denied, message)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Scope, Token},
        *,
    };

    fn holder(role: Role, dbs: &[&str]) -> Result<Caller> {
        let scope = Scope::of(dbs.iter().copied())?;
        Ok(Caller::Holder(Arc::new(Key::new(&Token::generate()?, "", role, scope)?)))
    }

    fn kind(result: Result<()>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn a_role_may_do_what_weaker_ones_may() -> Result<()> {
        for given in Role::ALL {
            let caller = holder(given, &[])?;
            for needed in Role::ALL {
                let refused = (given < needed).then_some(ErrorKind::Denied);
                assert_eq!(kind(caller.check(needed, Some("a"))), refused, "{given} {needed}");
                assert_eq!(kind(caller.check(needed, None)), refused, "{given} {needed}");
            }
        }
        Ok(())
    }

    #[test]
    fn a_key_is_for_its_databases_only() -> Result<()> {
        let caller = holder(Role::Admin, &["a", "b"])?;
        assert_eq!(kind(caller.check(Role::Admin, Some("b"))), None);
        assert_eq!(kind(caller.check(Role::Read, Some("c"))), Some(ErrorKind::Denied));
        assert!(caller.sees("a") && !caller.sees("c"));
        Ok(())
    }

    #[test]
    fn nobody_may_nothing_and_anyone_everything() {
        let refused = Caller::Unknown.check(Role::Read, None);
        assert!(refused.as_ref().is_err_and(|error| error.message().contains("role read")));
        assert_eq!(kind(refused), Some(ErrorKind::Unauthenticated));
        assert_eq!(kind(Caller::Anyone.check(Role::Admin, Some("a"))), None);
    }
}
