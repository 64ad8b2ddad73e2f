//! Lists in pages: numbered ones, as PrimeHub's clients ask for, and cursors.

use std::borrow::Cow;

use async_graphql::{OutputType, SimpleObject, TypeName};
use imagewright_store::{Listed, Page};

use super::asking::problem;
use crate::error::Result;

/// How many rows a numbered page has.
const PAGE_SIZE: u64 = 10;

/// Where a page stands in its list.
#[derive(SimpleObject, Default, Debug, PartialEq, Eq)]
pub(super) struct PageInfo {
    /// The number of the page, from 1, where pages are numbered.
    current_page: Option<u64>,
    /// How many pages there are; 1 for an empty list.
    total_page: Option<u64>,
    /// Whether there is more after it.
    has_next_page: bool,
    /// Whether there is more before it.
    has_previous_page: bool,
    /// The cursor of its first row.
    start_cursor: Option<String>,
    /// The cursor to give as `after` for what follows.
    end_cursor: Option<String>,
}

/// A row of a list.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(super) struct Edge<T: OutputType> {
    /// What identifies the row.
    cursor: String,
    /// The row.
    node: T,
}

impl<T: OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// A part of a list.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(super) struct Connection<T: OutputType> {
    /// Where it stands in the list.
    page_info: PageInfo,
    /// Its rows; none for a page past the end.
    edges: Vec<Edge<T>>,
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

impl<T: OutputType> Connection<T> {
    /// The rows alone.
    pub(super) fn into_nodes(self) -> Vec<T> {
        self.edges.into_iter().map(|edge| edge.node).collect()
    }
}

/// What part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Paging {
    /// The page with this number, from 1, of pages with so many rows.
    Numbered { number: u64, size: u64 },
    /// The same for clients that give the number of the page before it as a cursor.
    Counted { number: u64, size: u64 },
    /// What is between cursors, from one of the ends.
    Cursors { after: Option<String>, before: Option<String>, first: Option<u64>, last: Option<u64> },
}

impl Paging {
    /// The part that these arguments ask for: a numbered page if there is a number, else what is between cursors,
    /// which without any is everything.
    pub(super) fn new(
        page: Option<i64>,
        after: Option<String>,
        before: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
    ) -> Result<Self> {
        Ok(match page {
            Some(page) => {
                let number = u64::try_from(page).ok().filter(|number| *number > 0);
                let number = number.ok_or_else(|| problem("page", "pages are counted from 1", ""))?;
                Self::Numbered { number, size: PAGE_SIZE }
            }
            None => Self::Cursors { after, before, first, last },
        })
    }

    /// A numbered page, the first one without a number.
    pub(super) fn numbered(page: Option<i64>) -> Result<Self> {
        Self::new(Some(page.unwrap_or(1)), None, None, None, None)
    }

    /// The page after the one whose number, from 0, is the cursor. That is how PrimeHub pages users.
    pub(super) fn counted(after: Option<&str>, first: Option<u64>) -> Result<Self> {
        let number = match after {
            None | Some("") => 0,
            Some(after) => after
                .parse::<u32>()
                .map_err(|_| problem("after", "it is no number of a page", "write 0 for the first page"))?,
        };
        let size = first.unwrap_or(PAGE_SIZE);
        if size == 0 {
            return Err(problem("first", "a page has at least one row", ""));
        }
        Ok(Self::Counted { number: u64::from(number) + 1, size })
    }

    /// The rows that have to be read.
    pub(super) fn rows(&self) -> Page {
        match self {
            Self::Numbered { number, size } | Self::Counted { number, size } => {
                Page::numbered(*number, *size)
            }
            Self::Cursors { after: None, before: None, first: Some(first), last: None } => {
                Page { offset: 0, limit: *first }
            }
            Self::Cursors { .. } => Page::ALL,
        }
    }

    /// The part of a list that [`Paging::rows`] has read.
    pub(super) fn connection<R, T: OutputType>(
        &self,
        listed: Listed<R>,
        cursor: impl Fn(&R) -> String,
        node: impl Fn(R) -> T,
    ) -> Connection<T> {
        let Listed { rows, total } = listed;
        let mut rows: Vec<(String, R)> = rows.into_iter().map(|row| (cursor(&row), row)).collect();
        let mut page_info = match self {
            Self::Numbered { number, size } | Self::Counted { number, size } => {
                let pages = total.div_ceil(*size).max(1);
                PageInfo {
                    current_page: Some(*number),
                    total_page: Some(pages),
                    has_next_page: *number < pages,
                    has_previous_page: *number > 1,
                    ..PageInfo::default()
                }
            }
            Self::Cursors { after, before, first, last } => {
                let position = |wanted: &Option<String>| {
                    wanted.as_ref().and_then(|wanted| rows.iter().position(|(cursor, _)| cursor == wanted))
                };
                let mut start = position(after).map_or(0, |at| at + 1);
                let mut end = position(before).unwrap_or(rows.len()).max(start);
                if let Some(first) = first {
                    end = end.min(start.saturating_add(usize::try_from(*first).unwrap_or(usize::MAX)));
                }
                if let Some(last) = last {
                    start = start.max(end.saturating_sub(usize::try_from(*last).unwrap_or(usize::MAX)));
                }
                rows.truncate(end);
                rows.drain(..start);
                PageInfo {
                    has_next_page: u64::try_from(end).is_ok_and(|end| end < total),
                    has_previous_page: start > 0,
                    ..PageInfo::default()
                }
            }
        };
        page_info.start_cursor = rows.first().map(|(cursor, _)| cursor.clone());
        page_info.end_cursor = rows.last().map(|(cursor, _)| cursor.clone());
        if let Self::Counted { number, .. } = self {
            page_info.start_cursor = Some((number - 1).to_string());
            page_info.end_cursor = Some(number.to_string());
        }
        let edges = rows.into_iter().map(|(cursor, row)| Edge { cursor, node: node(row) }).collect();
        Connection { page_info, edges }
    }
}

/// The page of rows that are all there.
pub(super) fn window<R>(rows: Vec<R>, page: Page) -> Listed<R> {
    let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let as_index = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let rows = rows.into_iter().skip(as_index(page.offset)).take(as_index(page.limit)).collect();
    Listed { rows, total }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(paging: &Paging, total: u64) -> (Vec<String>, PageInfo) {
        let all: Vec<u64> = (0..total).collect();
        let connection = paging.connection(window(all, paging.rows()), ToString::to_string, |row| row);
        (connection.edges.into_iter().map(|edge| edge.cursor).collect(), connection.page_info)
    }

    #[test]
    fn a_page_past_the_end_is_empty() {
        let (rows, info) = cut(&Paging::numbered(Some(3)).unwrap(), 20);
        assert_eq!(rows, Vec::<String>::new());
        assert_eq!((info.current_page, info.total_page, info.has_next_page), (Some(3), Some(2), false));
        let (rows, info) = cut(&Paging::numbered(Some(2)).unwrap(), 11);
        assert_eq!((rows, info.has_previous_page), (vec!["10".to_owned()], true));
        let (_, info) = cut(&Paging::numbered(None).unwrap(), 0);
        assert_eq!((info.current_page, info.total_page), (Some(1), Some(1)));
        assert!(Paging::numbered(Some(0)).is_err());
    }

    #[test]
    fn users_are_paged_by_numbers_that_look_like_cursors() {
        let paging = Paging::counted(Some("1"), Some(2)).unwrap();
        let (rows, info) = cut(&paging, 5);
        assert_eq!(rows, ["2", "3"]);
        assert_eq!((info.has_next_page, info.end_cursor.as_deref()), (true, Some("2")));
        assert_eq!(cut(&Paging::counted(Some("3"), Some(2)).unwrap(), 5).0, Vec::<String>::new());
        assert!(Paging::counted(Some("alice"), None).is_err());
    }

    #[test]
    fn cursors_cut_from_both_ends() {
        let cursors = |after: Option<&str>, before: Option<&str>, first, last| {
            Paging::new(None, after.map(str::to_owned), before.map(str::to_owned), first, last).unwrap()
        };
        assert_eq!(cut(&cursors(Some("1"), None, Some(2), None), 6).0, ["2", "3"]);
        assert_eq!(cut(&cursors(None, Some("4"), None, Some(2)), 6).0, ["2", "3"]);
        let (rows, info) = cut(&cursors(None, None, Some(2), None), 6);
        assert_eq!((rows.len(), info.has_next_page, info.has_previous_page), (2, true, false));
        assert_eq!(cut(&cursors(None, None, None, None), 3).0.len(), 3);
    }
}
