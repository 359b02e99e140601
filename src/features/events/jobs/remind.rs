//! Firing one reminder: everything that made it is looked at again, inside the transaction that tells its person.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;
use entity::enums::NotificationType;
use entity::ids::{CalendarEventId, ReminderId, TypedId as _, UserId};
use entity::{calendar, calendar_event, membership, reminder};
use sea_orm::{ColumnTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, Set};

use super::{events_of, exceptions_of, sayings_of, zones_of};
use crate::access::Ctx;
use crate::features::calendars;
use crate::features::events::read::seen;
use crate::features::events::reminded::Said;
use crate::features::events::upcoming::{self, Sought};
use crate::features::events::words;
use crate::features::notifications::{self, NewNotification};
use crate::kernel::Result;
use crate::kernel::changes::ObjectType;
use crate::kernel::jobs::Payload;
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::Tx;
use crate::platform::jobs::{JobError, RunningJob};

/// How long after its start an occurrence is still news.
const LATE: TimeDelta = TimeDelta::minutes(10);

/// An occurrence that somebody is to be reminded of.
#[derive(Clone, Copy)]
struct Planned {
    reminder_id: ReminderId,
    event_version: i32,
    original_start: Instant,
    start: Instant,
}

/// Reminds somebody, if what was planned still holds: the job of [`Payload::Remind`].
pub async fn remind(platform: &Platform, job: &RunningJob) -> std::result::Result<(), JobError> {
    let (
        &Payload::Remind {
            reminder_id,
            event_version,
            original_start,
            start,
        },
        Some(workspace),
    ) = (&job.payload, job.workspace_id)
    else {
        return Err(JobError::Fatal("This is no reminder.".into()));
    };
    let planned = Planned {
        reminder_id,
        event_version,
        original_start,
        start,
    };
    let ctx = Ctx::system(platform, workspace);
    ctx.write(|tx| async move { remind_in(&tx, planned).await })
        .await?;
    Ok(())
}

async fn remind_in(tx: &Tx, planned: Planned) -> Result<()> {
    let select = tx
        .find::<reminder::Entity>()
        .filter(reminder::Column::Id.eq(planned.reminder_id));
    let Some(row) = select.one(tx.conn()).await? else {
        return Ok(());
    };
    let Some(event) = events_of(tx, &[row.event_id]).await?.remove(&row.event_id) else {
        return Ok(());
    };
    if row.event_version != planned.event_version || event.version != planned.event_version {
        // The event changed: whoever changed it may not have known of the plan, so it is made anew.
        if row.event_version != event.version {
            let mut stale = row.into_active_model();
            stale.event_version = Set(event.version);
            tx.update(stale).await?;
        }
        return Ok(());
    }
    let zones = zones_of(tx, &[row.user_id]).await?;
    let Some((zone_name, zone)) = zones.get(&row.user_id) else {
        return Ok(());
    };
    let exceptions = exceptions_of(tx, &[event.id]).await?;
    let exceptions = exceptions.get(&event.id).map_or(&[][..], Vec::as_slice);
    if !is_seen(tx, row.user_id, &event).await? {
        return Ok(());
    }
    let (id, reader) = (event.id, Some(row.user_id));
    // Since the planning its person may have said something else of this occurrence.
    let sayings = match event.is_recurring {
        true => sayings_of(tx, &[&event]).await?,
        false => HashMap::new(),
    };
    let sought = Sought {
        earliest: planned.start,
        said: Said::by(&row, &event),
        sayings: sayings.get(&(id, row.user_id)).map_or(&[][..], Vec::as_slice),
    };
    let Some(event) = seen::mask(tx, reader, vec![event]).await?.pop() else {
        return Ok(());
    };
    let now_next = upcoming::next_of(&Arc::new(event), exceptions, zone, sought);
    let Some(mut occurrence) = now_next.filter(|next| next.start == planned.start) else {
        return Ok(());
    };
    if tx.now() > planned.start + LATE {
        return Ok(());
    }
    if occurrence.is_private() {
        occurrence.is_masked = !seen::insight(tx, reader, &[id]).await?.contains(&id);
    }
    let link = occurrence.event.row.conference_url.clone();
    let link = link.filter(|_| !occurrence.is_masked);
    let time = words::when(&occurrence.as_row(zone), planned.start, zone, zone_name);
    let place = occurrence.location().map(str::to_owned);
    let body: Vec<String> = [Some(time), place.or(link)].into_iter().flatten().collect();
    let new = NewNotification {
        user_id: row.user_id,
        workspace_id: Some(row.workspace_id),
        r#type: NotificationType::EventReminder,
        title: format!(
            "{} starts {}",
            occurrence.title(),
            words::until(planned.start - tx.now())
        ),
        body: Some(body.join("\n")),
        subject: Some((ObjectType::CalendarEvent, id.uuid())),
        dedup_key: Some(key(id, &row, planned)),
    };
    notifications::notify_over_in(tx, new, row.channel)
        .await
        .map(drop)
}

/// Names the cause: also when the rows of reminders are written anew, one occurrence is reminded of once.
fn key(event: CalendarEventId, row: &reminder::Model, planned: Planned) -> String {
    format!(
        "remind:{event}:{}:{}:{}:{:?}",
        planned.original_start.timestamp_micros(),
        planned.start.timestamp_micros(),
        row.minutes_before,
        row.channel,
    )
}

/// Whether the person is still a member, and the calendar still shown.
async fn is_seen(tx: &Tx, user_id: UserId, event: &calendar_event::Model) -> Result<bool> {
    let member = tx
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(user_id));
    if member.count(tx.conn()).await? == 0 {
        return Ok(false);
    }
    let calendar = tx
        .find::<calendar::Entity>()
        .filter(calendar::Column::Id.eq(event.calendar_id));
    Ok(calendar
        .one(tx.conn())
        .await?
        .is_some_and(|row| calendars::is_shown(&row)))
}
