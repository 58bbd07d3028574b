//! The door: from an accepted connection to requests that are handed to a transport.
//!
//! One port takes HTTP/1.1, HTTP/2 and, by upgrade, WebSockets. `connection` speaks HTTP and bounds
//! what a peer can make it hold; the [`Doorkeeper`] refuses requests of web pages that have no
//! business here. What passes goes to the routes of `ws` and `http`.

mod connection;
mod doorkeeper;
mod pace;
mod pieces;
mod places;
mod wire;

pub(crate) use connection::{Peer, serve, turn_away};
pub(crate) use doorkeeper::{Doorkeeper, admit, cors};
pub(crate) use pieces::Pieces;
pub(crate) use places::Places;
