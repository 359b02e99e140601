//! Ranges of time as clients write them.

use async_graphql::InputObject;

use super::scalars::DateTime;
use crate::kernel::time::Span;
use crate::kernel::{Error, Result};

/// Longest range of what is computed.
const MOST: chrono::Duration = chrono::Duration::days(366);

/// A half-open time range: `start` is included, `end` is not.
#[derive(InputObject)]
pub struct DateTimeRangeInput {
    /// First instant of the range.
    start: DateTime,
    /// Instant just after the range. Must be after `start`.
    end: DateTime,
}

impl DateTimeRangeInput {
    /// The range; `path` is named when its end does not follow its start.
    pub fn span(&self, path: &str) -> Result<Span> {
        Span::new(self.start.0, self.end.0)
            .ok_or_else(|| Error::bad_input(format!("`{path}.end` must be after `{path}.start`.")))
    }

    /// As [`Self::span`], for what is computed for each day of the range.
    pub fn short_span(&self, path: &str) -> Result<Span> {
        let span = self.span(path)?;
        if span.end - span.start > MOST {
            return Err(Error::bad_input(format!(
                "`{path}` may span at most {} days. Ask for a shorter one.",
                MOST.num_days()
            )));
        }
        Ok(span)
    }
}
