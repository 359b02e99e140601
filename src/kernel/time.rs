//! Time as the rooms see it: an injected clock in whole microseconds and half-open spans. Knows no calendar rules.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeZone, Utc};

/// An instant in UTC, in whole microseconds (PostgreSQL keeps no more).
pub type Instant = DateTime<Utc>;

/// Where "now" comes from. Clones share it. Tests hold it still.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// The machine's clock, and by how many microseconds it is wrong.
    System(Arc<AtomicI64>),
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System(Arc::default()))
    }

    /// A clock that only moves when told to.
    pub fn manual(start: Instant) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.timestamp_micros()))))
    }

    /// The current instant, truncated to microseconds.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System(wrong) => {
                let now = truncate(Utc::now()).timestamp_micros();
                from_micros(now.saturating_add(wrong.load(Ordering::SeqCst)))
            }
            Source::Manual(micros) => from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Puts the machine's clock forward, or back, for this process; a manual clock is right by definition.
    pub fn correct(&self, by: chrono::Duration) {
        if let Source::System(wrong) = &self.0 {
            wrong.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }

    /// Moves a manual clock; the machine's clock is left alone.
    pub fn advance(&self, by: chrono::Duration) {
        if let Source::Manual(micros) = &self.0 {
            micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }
}

/// Cuts what PostgreSQL would cut, so that both databases return what was written.
pub fn truncate(at: Instant) -> Instant {
    from_micros(at.timestamp_micros())
}

fn from_micros(micros: i64) -> Instant {
    Utc.timestamp_micros(micros)
        .single()
        .unwrap_or(DateTime::<Utc>::UNIX_EPOCH)
}

/// A half-open range of instants: `start` is included, `end` is not.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// First instant.
    pub start: Instant,
    /// Instant just after.
    pub end: Instant,
}

impl Span {
    /// `None` when the end is not after the start.
    pub fn new(start: Instant, end: Instant) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// Back to back is not an overlap.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.start, self.end)
    }
}

#[cfg(test)]
mod tests;
