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
//! speaks to a server without knowing what about.

mod inbox;
mod message;
mod pending;

mod connection;

mod remote;
mod search;
mod write;

mod live;

mod typed;

pub use crate::change::{Change, ChangePage, ChangeQuery};
pub use connection::{Connection, ServerLimits};
pub use live::{ChangeFeed, LiveSearch};
pub use remote::{Description, Remote};
pub use typed::{Client, ClientBuilder};
pub use write::Deleted;
