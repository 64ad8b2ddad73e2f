//! The hub's tables and their queries, on SQLite and on PostgreSQL.
//!
//! [`Store::open_file`] and [`Store::connect`] bring the tables up to date. [`Store::read`] gives a [`Session`] that reads;
//! [`Store::write`] gives a [`Writer`], a transaction that reads and writes and must be committed. Methods stand in
//! the file of their table. What is not there is `None`; a name that is taken is [`StoreError::Taken`]. The clock is
//! the caller's: every moment is an argument.
//!
//! Nothing here knows who may do what: that is decided before.

pub mod audit;
pub mod builds;
mod connection;
mod error;
pub mod groups;
mod identifiers;
pub mod images;
mod migration;
mod moment;
mod page;
mod search;
pub mod secrets;
mod session;
pub mod specs;
mod tables;
pub mod tokens;
pub mod users;

pub use connection::Store;
pub use error::StoreError;
pub use identifiers::{BuildId, GroupId, SecretId, TokenId, UserId};
pub use page::{Listed, Page};
pub use session::{Session, Writer};

/// A session that reads.
pub type Reader = Session<sea_orm::DatabaseConnection>;
