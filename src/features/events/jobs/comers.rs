//! Who of the guests of a series comes to any of its occurrences, where single ones have guests of their own. Pure.

use std::collections::{BTreeMap, HashSet};

use entity::{attendee, calendar_event, event_override};
use jiff::Timestamp;

use crate::features::events::recurrence::Budget;
use crate::features::events::stored::Stored;
use crate::kernel::time::Instant;

/// The guests of a series as its occurrences have them.
pub(in crate::features::events) struct Comers<'a> {
    /// The exceptions, where every occurrence has one. Where some have none, all guests of the series come to those.
    all: Option<&'a [event_override::Model]>,
    own: &'a BTreeMap<Instant, Vec<attendee::Model>>,
}

impl<'a> Comers<'a> {
    /// `own` are the people of those exceptions that have a list of their own.
    pub(in crate::features::events) fn of(
        row: &calendar_event::Model,
        exceptions: &'a [event_override::Model],
        own: &'a BTreeMap<Instant, Vec<attendee::Model>>,
    ) -> Self {
        let is_all = row.is_recurring && !own.is_empty() && are_all_changed(row, exceptions);
        Self {
            all: is_all.then_some(exceptions),
            own,
        }
    }

    /// Whether a guest of the series was not taken off all of its occurrences.
    pub(in crate::features::events) fn has(&self, guest: &attendee::Model) -> bool {
        let Some(all) = self.all else { return true };
        let mut left = all.iter().filter(|exception| !exception.cancelled);
        left.any(|exception| comes(self.own, exception.original_start_utc, guest))
    }
}

/// Whether a guest of a series comes to the occurrence with this original start.
pub(super) fn comes(
    own: &BTreeMap<Instant, Vec<attendee::Model>>,
    at: Instant,
    guest: &attendee::Model,
) -> bool {
    own.get(&at)
        .is_none_or(|people| people.iter().any(|person| person.email == guest.email))
}

/// Whether every occurrence of a series has an exception. Looks at no more occurrences than there are exceptions, and one.
fn are_all_changed(row: &calendar_event::Model, exceptions: &[event_override::Model]) -> bool {
    let changed: HashSet<Instant> = exceptions.iter().map(|one| one.original_start_utc).collect();
    let stored = Stored::of(row);
    let most = exceptions.len() + 1;
    let starts = stored.series().take(Timestamp::MIN, most, Budget::default());
    let mut found = starts.occurrences.iter();
    !starts.truncated
        && starts.occurrences.len() < most
        && found.all(|one| changed.contains(&stored.identity(one)))
}
