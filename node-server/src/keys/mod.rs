//! API keys: who may do what, on which databases.
//!
//! A server whose key file is there asks everyone for a key, also after the last one was revoked:
//! taking keys away never opens a server. Where there is no key file, everyone may do everything,
//! which is why such a server listens on loopback only.
//!
//! **Invariant:** the secret of a key is shown once, by `vectordoc key create`. It is neither stored
//! nor logged; what is stored is its SHA-256. A secret has 256 random bits, so nobody can guess
//! what a fast hash of it came from, and a slow one would only slow the server.

mod caller;
mod file;
mod key;
mod keyring;
mod role;
mod scope;
mod token;

pub use caller::Caller;
pub use file::KeyFile;
pub use key::Key;
pub use keyring::Keyring;
pub use role::Role;
pub use scope::Scope;
pub use token::Token;
