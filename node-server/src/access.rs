//! Who may do what: the role an operation needs, and what a caller has.

use vectordoc::{Error, Result};

/// What a caller may do. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Search, get, count.
    Read,
    /// Change documents.
    Write,
    /// Create, drop and change databases.
    Admin,
}

impl Role {
    /// What people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// The databases a caller may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every database.
    All,
}

impl Scope {
    /// Whether the database `db` is among them.
    pub(crate) fn holds(&self, _db: &str) -> bool {
        match self {
            Self::All => true,
        }
    }
}

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// What it may do.
    pub(crate) role: Role,
    /// With which databases.
    pub(crate) scope: Scope,
}

impl Caller {
    /// Whoever reaches a server that asks for no keys.
    pub(crate) fn anyone() -> Self {
        Self { role: Role::Admin, scope: Scope::All }
    }

    /// `denied` unless this caller may do with `db` what needs `role`; `None` is for operations
    /// that are about no database.
    pub(crate) fn check(&self, role: Role, db: Option<&str>) -> Result<()> {
        if self.role < role {
            return Err(Error::denied(format!(
                "this needs the role {:?}, the key has {:?}",
                role.name(),
                self.role.name()
            )));
        }
        match db {
            Some(db) if !self.scope.holds(db) => {
                Err(Error::denied(format!("the key is for other databases than {db:?}")))
            }
            _ => Ok(()),
        }
    }
}
