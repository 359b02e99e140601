//! Creating events.

use entity::calendar_event;
use entity::enums::ChangeAction;
use entity::ids::CalendarId;
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};

use super::edit::Target;
use super::{people, record, referenced_calendar, reminders, tell};
use crate::access::Ctx;
use crate::features::events::model::{Event, NewEvent};
use crate::features::events::{remake, rules, stored, times};
use crate::kernel::Result;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::text::Checks;
use crate::platform::db::Tx;

/// Creates an event.
pub async fn create(ctx: &Ctx, calendar_id: CalendarId, new: NewEvent) -> Result<Event> {
    ctx.require(Action::Edit, Resource::CalendarEvent)?;
    ctx.write(|tx| {
        let new = new.clone();
        async move { create_in(&tx, ctx, calendar_id, new).await }
    })
    .await
}

async fn create_in(tx: &Tx, ctx: &Ctx, calendar_id: CalendarId, new: NewEvent) -> Result<Event> {
    let calendar = referenced_calendar(tx, ctx, calendar_id).await?;
    let mut row = calendar_event::Model {
        title: new.title,
        description: new.description,
        location: new.location,
        conference_url: new.conference_url,
        time_zone: new.time_zone.unwrap_or(calendar.time_zone),
        status: new.status,
        transparency: new.transparency,
        visibility: new.visibility,
        color: new.color,
        created_by: ctx.user_id(),
        version: 1,
        ..blank(tx, calendar_id)
    };
    let mut checks = Checks::default();
    times::check(&mut checks, new.when, "input.time");
    rules::check(&mut checks, &mut row);
    rules::check_guests(&mut checks, &new.guests);
    let wanted = new.reminders.map(|wanted| rules::reminders(&mut checks, &wanted));
    checks.finish()?;
    times::store(&mut row, new.when);
    if let Some(recurrence) = &new.recurrence {
        let mut checks = Checks::default();
        remake::make_series(&mut row, recurrence, &mut checks);
        checks.finish()?;
    }

    let mut stored = tx.insert(row.into_active_model().reset_all()).await?;
    if people::replace_guests(tx, &mut stored, &new.guests)
        .await?
        .is_some()
    {
        stored = tx.update(stored.into_active_model().reset_all()).await?;
    }
    if let Some(user_id) = ctx.user_id() {
        let wanted = wanted.unwrap_or_else(|| rules::usual_reminders(stored.kind));
        reminders::replace(tx, &stored, user_id, Target::All(None), &wanted).await?;
    }
    record(tx, "calendar_event.created", ChangeAction::Created, &stored, None);
    tell::created(tx, &stored).await?;
    Ok(Event {
        row: stored,
        is_masked: false,
    })
}

/// An event of this moment about which nothing is known yet; its UID is its id.
pub(super) fn blank(tx: &Tx, calendar_id: CalendarId) -> calendar_event::Model {
    stored::blank(tx.ids().next(), calendar_id, tx.now())
}
