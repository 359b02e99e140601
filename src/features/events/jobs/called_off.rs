//! Letters that call single occurrences off for people who are guests of these only and nobody here.

use std::collections::BTreeMap;

use entity::{attendee, calendar_event, event_override};

use super::own_guests::{OneOf, lone};
use crate::features::events::placed;
use crate::features::letters::{self, Method};
use crate::kernel::Result;
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::Tx;

/// Occurrences that are not theirs any more, or known by other starts now.
pub(in crate::features::events) struct Gone<'a> {
    /// The series, with the SEQUENCE that programs are to know it by.
    pub(in crate::features::events) row: &'a calendar_event::Model,
    /// What made the occurrences what they were.
    pub(in crate::features::events) exceptions: &'a [event_override::Model],
    /// Who came to each, by original start.
    pub(in crate::features::events) own: &'a BTreeMap<Instant, Vec<attendee::Model>>,
    /// The people of the series.
    pub(in crate::features::events) series: &'a [attendee::Model],
}

impl Gone<'_> {
    pub(in crate::features::events) async fn write_in(&self, tx: &Tx, platform: &Platform) -> Result<()> {
        let organizer = self.series.iter().find(|person| person.is_organizer);
        for exception in self.exceptions {
            let Some(people) = self.own.get(&exception.original_start_utc) else {
                continue;
            };
            let one = CalledOff {
                row: self.row,
                exceptions: self.exceptions,
                exception,
                organizer,
            };
            one.write_in(tx, platform, &lone(people, self.series)).await?;
        }
        Ok(())
    }
}

/// One occurrence of a series.
pub(in crate::features::events) struct CalledOff<'a> {
    pub(in crate::features::events) row: &'a calendar_event::Model,
    /// The exceptions of the series.
    pub(in crate::features::events) exceptions: &'a [event_override::Model],
    /// What makes the occurrence what it is.
    pub(in crate::features::events) exception: &'a event_override::Model,
    /// Who organizes the series.
    pub(in crate::features::events) organizer: Option<&'a attendee::Model>,
}

impl CalledOff<'_> {
    pub(in crate::features::events) async fn write_in(
        &self,
        tx: &Tx,
        platform: &Platform,
        guests: &[attendee::Model],
    ) -> Result<()> {
        let shown = placed::changed(self.row, self.exceptions, self.exception);
        if shown.end_utc <= tx.now() || !letters::can_send(platform) {
            return Ok(());
        }
        for guest in guests.iter().filter(|guest| guest.user_id.is_none()) {
            if letters::spare_here(platform, &guest.email).is_err() {
                tracing::warn!("a former guest gets too many letters to be told");
                continue;
            }
            // They do not learn of who comes instead.
            let people: Vec<attendee::Model> = self.organizer.into_iter().chain([guest]).cloned().collect();
            let one = OneOf {
                row: self.row,
                exception: self.exception,
                shown: &shown,
                people: &people,
                method: Method::Cancel,
            };
            let news = "You are not invited to this event any more.".to_owned();
            one.send(tx, platform, guest, news).await?;
        }
        Ok(())
    }
}
