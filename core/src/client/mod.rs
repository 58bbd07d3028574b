//! The client of a served database: the verbs of [`Db`](crate::Db), over WebSocket, asynchronous.
//!
//! ```no_run
//! # use vectordoc::{Client, Filter, Result, VectorDoc};
//! # async fn example<Product: VectorDoc>(products: Vec<Product>, query: [f32; 3]) -> Result<()> {
//! let client = Client::<Product>::connect("ws://localhost:7700").await?;
//! client.index(products).await?;
//! let hits = client.search(&query).limit(10).run().await?;
//! client.close().await
//! # }
//! ```
//!
//! [`Client`] is typed. Below it, [`Remote`] has the same verbs for any schema, and [`Connection`]
//! speaks to a server without knowing what about: it keeps sockets, replaces those that are lost, and makes requests again that may be.

mod failure;
mod inbox;
mod message;
mod pending;

mod trust;
mod way;

mod link;
mod pool;

mod connection;
mod options;

mod changes;
mod remote;
mod search;
mod write;

mod live;

mod typed;

pub use crate::change::{Change, ChangePage, ChangeQuery};
pub use connection::Connection;
pub use link::ServerLimits;
pub use live::{ChangeFeed, LiveSearch};
pub use options::ConnectionBuilder;
pub use remote::{Description, Remote};
pub use typed::{Client, ClientBuilder};

pub use crate::Deleted;
