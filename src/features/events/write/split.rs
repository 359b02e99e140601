//! Changing an occurrence and all that follow: the series ends before it, and a new one begins with it.

use entity::calendar_event;
use entity::enums::ChangeAction;
use entity::ids::{CalendarEventId, TypedId as _};
use jiff::civil::DateTime;
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};

use super::edit::{Target, check_texts, remade, with_fields};
use super::exceptions::Exception;
use super::reminders::{self, Heirs};
use super::{Also, exceptions, inherited, people, record, save, tell};
use crate::access::Ctx;
use crate::features::events::model::{Event, EventPatch, Touched};
use crate::features::events::{halves, placed, remake, rules};
use crate::kernel::Result;
use crate::kernel::text::Checks;
use crate::kernel::time::Instant;
use crate::platform::db::Tx;

/// Splits a series and changes the later half. Guests with their answers and everybody's reminders go on in it.
pub(super) async fn change_following(
    tx: &Tx,
    ctx: &Ctx,
    before: &calendar_event::Model,
    at: Instant,
    local: DateTime,
    patch: &EventPatch,
) -> Result<Touched> {
    let mut halves = halves::cut(before, at, local)?;
    if !patch.recurrence.is_keep() {
        // Another rule begins with the occurrence itself, whatever the old one said of it.
        halves.later = placed::at_occurrence(&halves.later, local);
    }
    let half = halves.later.clone();
    let changes = exceptions::of(tx, before.id).await?;
    let gone: Vec<Exception> = changes
        .iter()
        .filter(|change| change.original_start_utc >= at)
        .cloned()
        .collect();
    let folded = halves::fold(heir(tx, before, halves.later), at, local, changes);
    let (base, local, mut later) = (folded.row, folded.local, folded.changes);
    exceptions::give_way_at(&mut later, folded.at, patch);
    let mut checks = Checks::default();
    let mut row = with_fields(&base, patch);
    check_texts(&mut checks, &base, &mut row);
    let guests = patch.guests.as_deref();
    guests
        .into_iter()
        .for_each(|guests| rules::check_guests(&mut checks, guests));
    let wanted = patch
        .reminders
        .as_ref()
        .map(|wanted| rules::reminders(&mut checks, wanted));
    let remade = remade(&base, row, Some(local), patch, later, &mut checks);
    checks.finish()?;
    let lost = tell::Lost::handed_over(gone, &remade.changes, patch);

    let also = Also::default();
    exceptions::remove_from(tx, before.id, at).await?;
    halves.earlier.series_end_utc =
        remake::series_end_with(&halves.earlier, &exceptions::of(tx, before.id).await?);
    let earlier = save(tx, before, halves.earlier, also).await?;
    let mut stored = tx.insert(remade.row.into_active_model().reset_all()).await?;
    exceptions::insert(tx, stored.id, remade.changes).await?;
    inherited::guests(tx, before, &stored, folded.guests.as_deref()).await?;
    if let Some(guests) = guests
        && people::replace_guests(tx, &mut stored, guests).await?.is_some()
    {
        stored = tx.update(stored.into_active_model().reset_all()).await?;
    }
    let heirs = Heirs {
        before,
        half: &half,
        later: &stored,
        at,
        told: ctx.user_id().filter(|_| wanted.is_some()),
    };
    heirs.share(tx).await?;
    if let Some(wanted) = wanted {
        reminders::replace(tx, &stored, ctx.require_person()?, Target::All(None), &wanted).await?;
    }
    let lineage = serde_json::json!({ "splitFrom": before.id, "from": at });
    record(
        tx,
        "calendar_event.created",
        ChangeAction::Created,
        &stored,
        Some(lineage),
    );
    // For programs of guests this is another series, which they have not heard of.
    lost.tell(tx, ctx, (before, earlier.sequence), &stored).await?;
    tell::split(tx, before, &stored).await?;
    let shown = |row| Event {
        row,
        is_masked: false,
    };
    Ok(Touched {
        event: shown(stored.clone()),
        affected: vec![shown(earlier), shown(stored)],
    })
}

/// The later half as a series of its own.
fn heir(tx: &Tx, before: &calendar_event::Model, later: calendar_event::Model) -> calendar_event::Model {
    let id: CalendarEventId = tx.ids().next();
    calendar_event::Model {
        id,
        uid: id.uuid().hyphenated().to_string(),
        version: 1,
        sequence: 0,
        split_from: Some(before.id),
        recurrence_id: None,
        source_ics: None,
        external_url: None,
        // What the series was made for stays with its beginning.
        task_id: None,
        booking_id: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        ..later
    }
}
