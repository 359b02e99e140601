//! What people hear who are guests of single occurrences only, when these are deleted, or are out of reach after a change of their series.

use entity::enums::EventStatus;
use entity::{attendee, calendar_event};

use super::notices::{News, Notice, Shown, notify};
use super::people_of;
use crate::access::Ctx;
use crate::features::events::jobs::called_off::Gone;
use crate::features::events::jobs::own_guests::{lone, own_people};
use crate::features::events::model::EventPatch;
use crate::features::events::write::exceptions::Exception;
use crate::features::events::{own_guests, placed};
use crate::kernel::Result;
use crate::platform::db::Tx;

/// Occurrences with guests of their own that are not what they were.
pub(in crate::features::events::write) struct Lost {
    /// Those that programs of guests know by what does not hold any more.
    called_off: Vec<Exception>,
    /// Those among them whose guests are guests of nothing now.
    ended: Vec<Exception>,
    /// What members among these hear.
    news: News,
}

impl Lost {
    /// These are deleted.
    pub(in crate::features::events::write) fn deleted(gone: Vec<Exception>) -> Self {
        Self {
            ended: gone.clone(),
            called_off: gone,
            news: News::Cancelled,
        }
    }

    /// A change of their series made `new` of the exceptions that it had.
    pub(in crate::features::events::write) fn changed(
        old: &[Exception],
        new: &[Exception],
        patch: &EventPatch,
    ) -> Self {
        let stays = |one: &Exception| {
            kept(one, new).is_some_and(|same| same.original_start_utc == one.original_start_utc)
        };
        let gone = old.iter().filter(|one| has_own(one) && !stays(one));
        Self::handed_over(gone.cloned().collect(), new, patch)
    }

    /// They belong to another series now, which has `new` of them.
    pub(in crate::features::events::write) fn handed_over(
        gone: Vec<Exception>,
        new: &[Exception],
        patch: &EventPatch,
    ) -> Self {
        let ended = gone.iter().filter(|one| kept(one, new).is_none());
        Self {
            ended: ended.cloned().collect(),
            called_off: gone,
            // Without another rule each occurrence still takes place, and it is a list of guests that gave way to another.
            news: match patch.recurrence.is_keep() {
                true => News::Uninvited,
                false => News::Cancelled,
            },
        }
    }

    /// Tells the guests. The series is given as it was, with the SEQUENCE that it has now, and as `now` the one that goes on with it.
    pub(in crate::features::events::write) async fn tell(
        &self,
        tx: &Tx,
        ctx: &Ctx,
        (before, sequence): (&calendar_event::Model, i32),
        now: &calendar_event::Model,
    ) -> Result<()> {
        if self.called_off.is_empty() {
            return Ok(());
        }
        let own = own_people(tx, before, &self.called_off).await?;
        if own.is_empty() {
            return Ok(());
        }
        let mut people = people_of(tx, before).await?;
        let known = calendar_event::Model {
            sequence,
            ..before.clone()
        };
        let gone = Gone {
            row: &known,
            exceptions: &self.called_off,
            own: &own,
            series: &people,
        };
        gone.write_in(tx, ctx.platform()).await?;
        if self.ended.is_empty() || before.status == EventStatus::Cancelled {
            return Ok(());
        }
        if now.id != before.id {
            people = people_of(tx, now).await?;
        }
        let mut shown: Vec<(calendar_event::Model, Vec<attendee::Model>)> = Vec::new();
        for exception in &self.ended {
            let Some(list) = own.get(&exception.original_start_utc) else {
                continue;
            };
            let occurrence = placed::changed(before, &self.called_off, exception);
            if occurrence.end_utc > tx.now() {
                shown.push((occurrence, lone(list, &people)));
            }
        }
        let mut notices: Vec<Notice<'_>> = Vec::new();
        for (occurrence, guests) in &shown {
            notices.extend(Shown::one(occurrence).news(guests, |_| Some(self.news)));
        }
        notify(tx, now, &notices).await
    }
}

fn has_own(exception: &Exception) -> bool {
    own_guests::of(exception).is_some()
}

/// The same exception as it is now, while it has a list of its own.
fn kept<'a>(one: &Exception, new: &'a [Exception]) -> Option<&'a Exception> {
    new.iter().find(|other| other.id == one.id && has_own(other))
}
