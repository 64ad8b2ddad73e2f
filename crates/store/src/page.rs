//! Lists are read in pages.

use sea_orm::QuerySelect;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many rows stand before it.
    pub offset: u64,
    /// How many rows it has at most.
    pub limit: u64,
}

/// The largest number that a database counts to.
const LARGEST: u64 = i64::MAX as u64;

impl Page {
    /// Everything: for lists that are short by their nature.
    pub const ALL: Self = Self { offset: 0, limit: LARGEST };

    /// The page with this number, from 1, of pages with this many rows.
    pub fn numbered(number: u64, size: u64) -> Self {
        Self { offset: number.saturating_sub(1).saturating_mul(size), limit: size }
    }

    /// The rows of this page among all that a query gives.
    pub(crate) fn of<Q: QuerySelect>(self, query: Q) -> Q {
        query.offset(self.offset.min(LARGEST)).limit(self.limit.min(LARGEST))
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The rows of the page, in order.
    pub rows: Vec<T>,
    /// How many rows there are in all.
    pub total: u64,
}

impl<T> Listed<T> {
    /// Changes every row.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Listed<U> {
        Listed { rows: self.rows.into_iter().map(change).collect(), total: self.total }
    }
}
