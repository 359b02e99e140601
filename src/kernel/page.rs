//! Keyset pages: what a client asks for, the opaque cursor, and what it gets. Knows neither SQL nor GraphQL.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::error::{Error, Result};

/// Largest page.
pub const MAX_PAGE: i32 = 100;

/// Values of the sort keys of one row, the primary key last. Opaque outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor(pub Vec<Value>);

impl Cursor {
    /// The text a client sees.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(Value::from(self.0.clone()).to_string())
    }

    /// A position in a list that can be sorted in several ways: it only fits the order it was made for.
    pub fn in_order(order: &str, keys: Vec<Value>) -> Self {
        Self(std::iter::once(order.into()).chain(keys).collect())
    }

    /// Reads a cursor back; `argument` names the field to blame.
    pub fn decode(text: &str, argument: &str) -> Result<Self> {
        let invalid = || {
            Error::bad_input(format!(
                "`{argument}` is not a cursor of this list. Use one that the list returned."
            ))
        };
        if text.len() > 4_096 {
            return Err(invalid());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Array(keys)) if !keys.is_empty() && !keys.iter().any(has_nul) => Ok(Self(keys)),
            _ => Err(invalid()),
        }
    }
}

/// No database holds a NUL, so no list ever returned such a position.
fn has_nul(key: &Value) -> bool {
    key.as_str().is_some_and(|text| text.contains('\0'))
}

/// Page arguments as a client sends them.
#[derive(Clone, Debug, Default)]
pub struct PageArgs {
    /// Page size from the start.
    pub first: Option<i32>,
    /// Continue after this cursor.
    pub after: Option<String>,
    /// Page size from the end.
    pub last: Option<i32>,
    /// Continue before this cursor.
    pub before: Option<String>,
}

/// A checked request for one page.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Most rows to return, 1 to 100.
    pub limit: u64,
    /// Read from the end of the list.
    pub backward: bool,
    /// Only rows after this position.
    pub after: Option<Cursor>,
    /// Only rows before this position.
    pub before: Option<Cursor>,
    /// Whether to count all matching rows.
    pub count: bool,
    /// Bits of the table's columns, in their order, that the answer needs; `None` for all.
    pub columns: Option<u64>,
    /// Which rows' positions are wanted.
    pub cursors: Cursors,
}

/// Rows of a page whose positions are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursors {
    /// Each of them.
    Every,
    /// The first and the last one.
    Ends,
    /// None of them.
    No,
}

impl PageArgs {
    /// Checks the arguments; `default` is the page size when none is given.
    pub fn check(self, default: i32, count: bool) -> Result<PageRequest> {
        if self.first.is_some() && self.last.is_some() {
            return Err(Error::bad_input("Give `first` or `last`, not both."));
        }
        let (name, size) = match (self.first, self.last) {
            (_, Some(last)) => ("last", last),
            (first, None) => ("first", first.unwrap_or(default)),
        };
        let limit = u64::try_from(size)
            .ok()
            .filter(|n| (1..=MAX_PAGE as u64).contains(n));
        let limit =
            limit.ok_or_else(|| Error::bad_input(format!("`{name}` must be between 1 and {MAX_PAGE}.")))?;
        Ok(PageRequest {
            limit,
            backward: self.last.is_some(),
            after: self
                .after
                .map(|text| Cursor::decode(&text, "after"))
                .transpose()?,
            before: self
                .before
                .map(|text| Cursor::decode(&text, "before"))
                .transpose()?,
            count,
            columns: None,
            cursors: Cursors::Every,
        })
    }
}

impl PageRequest {
    /// This request for a list in one of its orders. Cursors of other orders are refused: rows would be left out without a word.
    pub fn in_order(&self, order: &str) -> Result<Self> {
        let strip = |cursor: &Option<Cursor>, argument: &str| match cursor {
            None => Ok(None),
            Some(Cursor(keys)) => match keys.split_first() {
                Some((Value::String(made_for), keys)) if made_for == order => Ok(Some(Cursor(keys.to_vec()))),
                _ => Err(Error::bad_input(format!(
                    "`{argument}` is a cursor of another list or order. Use one that was returned for the same order, or start without."
                ))),
            },
        };
        Ok(Self {
            after: strip(&self.after, "after")?,
            before: strip(&self.before, "before")?,
            ..self.clone()
        })
    }
}

/// One page of rows, each with its position.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Rows in list order, with the positions that were wanted.
    pub items: Vec<(Option<Cursor>, T)>,
    /// Whether more rows follow.
    pub has_next: bool,
    /// Whether more rows precede.
    pub has_previous: bool,
    /// Number of all matching rows, when asked for.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// Builds the page from up to `limit + 1` rows read in the direction of travel.
    pub fn from_rows(
        request: &PageRequest,
        mut rows: Vec<T>,
        total: Option<u64>,
        key: impl Fn(&T) -> Cursor,
    ) -> Self {
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        if request.backward {
            rows.reverse();
        }
        let (has_next, has_previous) = match request.backward {
            false => (more, request.after.is_some()),
            true => (request.before.is_some(), more),
        };
        let last = rows.len().saturating_sub(1);
        let items = rows.into_iter().enumerate().map(|(index, row)| {
            let wanted = match request.cursors {
                Cursors::Every => true,
                Cursors::Ends => index == 0 || index == last,
                Cursors::No => false,
            };
            (wanted.then(|| key(&row)), row)
        });
        let items = items.collect();
        Self {
            items,
            has_next,
            has_previous,
            total,
        }
    }

    /// Changes the rows and keeps their positions.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Page<U> {
        let items = self
            .items
            .into_iter()
            .map(|(cursor, row)| (cursor, f(row)))
            .collect();
        Page {
            items,
            has_next: self.has_next,
            has_previous: self.has_previous,
            total: self.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(first: Option<i32>, last: Option<i32>) -> PageArgs {
        PageArgs {
            first,
            last,
            ..PageArgs::default()
        }
    }

    #[test]
    fn page_sizes_outside_1_to_100_are_refused() {
        for size in [-1, 0, 101, i32::MAX, i32::MIN] {
            assert!(args(Some(size), None).check(50, false).is_err(), "{size}");
            assert!(args(None, Some(size)).check(50, false).is_err(), "{size}");
        }
        assert_eq!(args(None, None).check(50, false).unwrap().limit, 50);
        assert_eq!(args(Some(100), None).check(50, false).unwrap().limit, 100);
    }

    #[test]
    fn first_and_last_exclude_each_other() {
        assert!(args(Some(1), Some(1)).check(50, false).is_err());
    }

    #[test]
    fn a_cursor_survives_the_round_trip_and_rubbish_does_not() {
        let cursor = Cursor(vec![Value::from("2026-01-01T00:00:00Z"), Value::from("x")]);
        assert_eq!(Cursor::decode(&cursor.encode(), "after").unwrap(), cursor);
        for text in ["", "!", "bm90IGpzb24", "e30", "W10"] {
            assert!(Cursor::decode(text, "after").is_err(), "{text}");
        }
    }

    #[test]
    fn a_backward_page_is_in_list_order() {
        let request = args(None, Some(2)).check(50, false).unwrap();
        let page = Page::from_rows(&request, vec![9, 8, 7], None, |n| Cursor(vec![Value::from(*n)]));
        assert_eq!(page.items.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [8, 9]);
        assert!(page.has_previous && !page.has_next);
    }

    #[test]
    fn a_page_has_the_positions_that_are_wanted() {
        let positions = |cursors| {
            let request = PageRequest {
                cursors,
                ..args(Some(3), None).check(50, false).unwrap()
            };
            let page = Page::from_rows(&request, vec![7, 8, 9], None, |n| Cursor(vec![Value::from(*n)]));
            page.items
                .iter()
                .map(|(cursor, _)| cursor.is_some())
                .collect::<Vec<_>>()
        };
        assert_eq!(positions(Cursors::Every), [true, true, true]);
        assert_eq!(positions(Cursors::Ends), [true, false, true]);
        assert_eq!(positions(Cursors::No), [false, false, false]);
    }
}
