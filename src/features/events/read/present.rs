//! The events that have an occurrence in a range of time, whichever page of them is asked for.
//!
//! Promises: what a window of occurrences shows is what a list of events finds. The exceptions of all series take one statement, and none
//! where there are none; a count takes one more, and only where there are series. Must not know who may see what: times are shown to
//! everybody.

use std::collections::HashSet;
use std::sync::Arc;

use entity::calendar_event;
use entity::enums::EventKind;
use entity::ids::CalendarEventId;
use jiff::tz::TimeZone;
use sea_orm::{Condition, ConnectionTrait as _, DbErr, Statement};

use super::look::Look;
use super::range;
use super::window::{changes, zone_of};
use crate::access::Ctx;
use crate::features::events::model::Event;
use crate::features::events::occurrence::Change;
use crate::kernel::time::Span;
use crate::kernel::{Error, Result};
use crate::platform::db::{Holder, Partial as _, Read};

/// An event that may be in the range, and whether it has exceptions.
struct Found {
    event: Arc<Event>,
    is_changed: bool,
}

/// The events of a range.
pub(super) struct Present<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) read: &'a Read,
    pub(super) range: Span,
    /// All series with an occurrence there, once they were counted.
    pub(super) known: Option<HashSet<CalendarEventId>>,
}

impl Present<'_> {
    /// How many there are.
    pub(super) async fn count(&mut self, rest: &Condition) -> Result<u64> {
        let counted = range::count(self.read, self.range, rest).await?;
        let mut known = HashSet::new();
        if counted.series > 0 {
            let statement = range::candidates(self.read, self.range, rest)?;
            let found = self.found(statement, &range::BARE).await?;
            let kept = self.keep(found, usize::MAX).await?;
            known.extend(kept.iter().map(|event| event.row.id));
        }
        let series = u64::try_from(known.len()).map_err(Error::internal)?;
        self.known = Some(known);
        Ok(counted.singles + series)
    }

    /// The first events of a statement of [`range::reading`] that are there, `most` of them. What is asked for has [`range::BARE`] in it.
    pub(super) async fn page(
        &self,
        statement: Statement,
        asked: &[calendar_event::Column],
        most: u64,
    ) -> Result<Vec<Arc<Event>>> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let found = self.found(statement, asked).await?;
        let Some(known) = &self.known else {
            return self.keep(found, most).await;
        };
        let events = found.into_iter().map(|one| one.event);
        let there = events.filter(|event| !event.row.is_recurring || known.contains(&event.row.id));
        Ok(there.take(most).collect())
    }

    async fn found(&self, statement: Statement, asked: &[calendar_event::Column]) -> Result<Vec<Found>> {
        let all = range::with_times(asked);
        let place = asked
            .iter()
            .position(|column| matches!(column, calendar_event::Column::IsRecurring));
        let place = place.ok_or_else(|| Error::internal("a range without what tells series"))?;
        let rows = self.read.query_all_raw(statement).await?;
        let found = rows.iter().map(|row| -> Result<Found, DbErr> {
            let is_series: bool = row.try_get_by_index(place)?;
            // Nobody looks at the times of single events, unless they were asked for.
            let columns = if is_series { all.as_slice() } else { asked };
            Ok(Found {
                event: Holder::filled(calendar_event::Entity::blank(), |model| {
                    calendar_event::Entity::read_into(model, row, columns)
                })?,
                is_changed: is_series && row.try_get("", range::IS_CHANGED)?,
            })
        });
        Ok(found.collect::<Result<_, DbErr>>()?)
    }

    /// The first `most` of these that are there.
    async fn keep(&self, found: Vec<Found>, most: usize) -> Result<Vec<Arc<Event>>> {
        let mut changes = {
            let changed = found.iter().filter(|one| one.is_changed);
            let changed: Vec<&calendar_event::Model> = changed.map(|one| &one.event.row).collect();
            changes(self.read, &changed, self.range).await?
        };
        let is_elsewhere = |one: &Found| one.event.row.is_recurring && one.event.row.kind != EventKind::Timed;
        let depends_on_viewer =
            found.iter().any(is_elsewhere) || changes.values().flatten().any(Change::is_where_the_viewer_is);
        let zone = if depends_on_viewer {
            zone_of(self.ctx).await?
        } else {
            TimeZone::UTC
        };
        let mut look = Look::at(self.range, &zone);
        let there = found.into_iter().filter_map(|Found { event, .. }| {
            if !event.row.is_recurring {
                // Single events were found in the range by their times.
                return Some(event);
            }
            let own = changes.remove(&event.row.id).unwrap_or_default();
            look.sees(event, own)
        });
        Ok(there.take(most).collect())
    }
}
