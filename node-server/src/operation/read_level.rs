//! `read`: how fresh what is read has to be, where there are replicas.

use super::params::Params;
use vectordoc::{Error, Result, schema::unknown_name};

/// How fresh it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum ReadLevel {
    /// It sees everything that was acknowledged before it was asked for.
    #[default]
    Linearizable,
    /// It is what the replica of this node has.
    Local,
}

impl ReadLevel {
    /// The names of all of them.
    pub(super) const NAMES: [&'static str; 2] = ["linearizable", "local"];

    /// Reads `read`.
    pub(super) fn of(params: &Params<'_>) -> Result<Self> {
        match params.optional::<String>("read")?.as_deref() {
            None | Some("linearizable") => Ok(Self::Linearizable),
            Some("local") => Ok(Self::Local),
            Some(name) => {
                let unknown = unknown_name("level", name, Self::NAMES.into_iter());
                Err(Error::invalid(format!("read: {}", unknown.message())))
            }
        }
    }
}
