//! The recurrence engine: RFC 5545 and the Gregorian part of RFC 7529, over wall time, resolved to instants at the end.
//!
//! Promises: pure; jumps to the window that is asked for instead of walking there; never hangs and never panics whatever the rule.
//! Must not know: tables, calendars, people, nor what time it is now.

mod ask;
mod check;
mod civil;
mod end;
mod engine;
mod error;
mod expand;
mod filter;
mod moment;
mod parse;
mod periods;
mod resolve;
mod rule;
mod series;
mod shift;
mod summary;
mod text;
mod values;
mod walk;
mod without;
mod words;

#[cfg(test)]
mod tests;

pub use ask::{Answer, Size};
pub use error::{Reason, RuleError};
pub use expand::{Budget, Expansion, Occurrence};
pub use moment::{Addition, Moment, NotAMoment, PeriodEnd};
pub use rule::{Day, End, Frequency, Rule, Skip};
pub use series::{Gap, Parts, Series, Start};
pub use shift::Place;
pub use words::chosen_dates;
