//! Changing and moving events: single ones, whole series, one occurrence, or one and all that follow.
//!
//! Promises: one transaction, whatever the scope; exceptions stay with their occurrences; SEQUENCE grows with each change of times,
//! recurrence or state, the version with every change.

use entity::calendar_event;
use entity::enums::ChangeAction;
use entity::ids::{CalendarEventId, TypedId as _};
use jiff::civil::DateTime;

use super::exceptions::{self, Exception};
use super::{
    Also, dragged, lock, move_to_calendar, organize, own_guests, people, reminders, require_edit, save,
    split, tell,
};
use crate::access::Ctx;
use crate::features::events::model::{EventPatch, Move, NewReminder, Occurrences, Touched};
use crate::features::events::read::seen;
use crate::features::events::remake::{self, Remade, remake};
use crate::features::events::stored::Stored;
use crate::features::events::{placed, rules, times};
use crate::kernel::actions::{Action, Resource};
use crate::kernel::text::Checks;
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::Tx;

/// Changes an event, or only the viewer's reminders.
pub async fn update(
    ctx: &Ctx,
    id: CalendarEventId,
    occurrences: Occurrences,
    patch: EventPatch,
) -> Result<Touched> {
    ctx.require(Action::Edit, Resource::CalendarSetting)?;
    ctx.write(|tx| {
        let patch = patch.clone();
        async move { edit(&tx, ctx, id, occurrences, patch, None).await }
    })
    .await
}

/// Moves an event or some occurrences by drag and drop.
pub async fn move_to(ctx: &Ctx, id: CalendarEventId, occurrences: Occurrences, to: Move) -> Result<Touched> {
    ctx.require(Action::Edit, Resource::CalendarEvent)?;
    ctx.write(|tx| async move { edit(&tx, ctx, id, occurrences, EventPatch::default(), Some(to)).await })
        .await
}

/// What a change is made to.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// The event or the whole series; new times are said of the occurrence with this original start and wall time, or of the first.
    All(Option<(Instant, DateTime)>),
    /// The occurrence with this original start and wall time.
    One(Instant, DateTime),
    /// That one and all later ones.
    From(Instant, DateTime),
}

/// Finds the occurrence that a scope names.
pub(super) async fn target(tx: &Tx, row: &calendar_event::Model, occurrences: Occurrences) -> Result<Target> {
    rules::check_occurrences(row, occurrences)?;
    let (at, is_one) = match occurrences {
        Occurrences::All(Some(at)) if row.is_recurring => {
            let local = remake::find(row, at).ok_or_else(no_occurrence)?;
            return Ok(Target::All(Some((at, local))));
        }
        Occurrences::This(Some(at)) => (at, true),
        Occurrences::ThisAndFollowing(Some(at)) => (at, false),
        _ => return Ok(Target::All(None)),
    };
    let own = exceptions::at(tx, row.id, at).await?;
    if own.as_ref().is_some_and(|own| own.cancelled) {
        return Err(no_occurrence());
    }
    // An occurrence may be known by its exception only.
    let local = remake::find(row, at).or_else(|| own.map(|own| remake::original_local_of(&own, row)));
    let local = local.ok_or_else(no_occurrence)?;
    Ok(match is_one {
        true => Target::One(at, local),
        false if remake::is_first(row, at) => Target::All(Some((at, local))),
        false => Target::From(at, local),
    })
}

fn no_occurrence() -> Error {
    let message = "The series has no occurrence with this original start. Read its occurrences again.";
    Error::user(UserErrorCode::ReferenceNotFound, "occurrenceStart", message)
}

async fn edit(
    tx: &Tx,
    ctx: &Ctx,
    id: CalendarEventId,
    occurrences: Occurrences,
    mut patch: EventPatch,
    to: Option<Move>,
) -> Result<Touched> {
    let before = lock(tx, id).await?;
    if patch.touches_event() || to.is_some() {
        require_edit(tx, ctx, &before).await?;
    }
    check_version(&before, &patch)?;
    let target = target(tx, &before, occurrences).await?;
    // A split makes another series of it, to which everybody is invited.
    let is_split = matches!(target, Target::From(..)) && patch.touches_event();
    if to.is_some() || is_split || organize::is_up_to_the_organizer(&patch) {
        organize::require_organizer(tx, ctx, &before).await?;
    }
    if let Some(to) = to {
        let from = moved_from(tx, &before, target).await?;
        let to = dragged::to_place(tx, ctx, &from, to).await?;
        let when = times::moved(&from, to);
        let mut checks = Checks::default();
        times::check_move(&mut checks, when);
        checks.finish()?;
        patch.when = (when != times::of(&from)).then_some(when);
    }
    match target {
        // Nobody splits a series for everybody, or changes it, to be reminded of some of it otherwise.
        Target::One(..) | Target::From(..) if !patch.touches_event() => {
            let mut checks = Checks::default();
            let wanted = wanted_reminders(&mut checks, &patch);
            checks.finish()?;
            remind(tx, ctx, (&before, &before), target, wanted).await?;
            as_seen(tx, ctx, before).await
        }
        Target::One(at, local) => change_one(tx, ctx, &before, (at, local), &patch).await,
        Target::From(at, local) => {
            refuse(patch.calendar_id.is_some(), "calendarId", ONLY_ALL)?;
            split::change_following(tx, ctx, &before, at, local, &patch).await
        }
        Target::All(one) => change_all(tx, ctx, before, one, patch).await,
    }
}

/// The times that a drag begins with.
async fn moved_from(tx: &Tx, row: &calendar_event::Model, target: Target) -> Result<calendar_event::Model> {
    let (at, local) = match target {
        Target::All(None) => return Ok(row.clone()),
        Target::All(Some(one)) => one,
        Target::One(at, local) | Target::From(at, local) => (at, local),
    };
    let changes = exceptions::of(tx, row.id).await?;
    Ok(placed::as_shown(row, &changes, at, local))
}

fn check_version(before: &calendar_event::Model, patch: &EventPatch) -> Result<()> {
    if patch
        .expected_version
        .is_none_or(|version| version == before.version)
    {
        return Ok(());
    }
    let message = format!(
        "The event has version {} by now. Read it again and repeat your change.",
        before.version
    );
    let path = "input.expectedVersion";
    Err(Error::user(UserErrorCode::VersionConflict, path, message))
}

/// The event with everything changed but its times.
pub(super) fn with_fields(before: &calendar_event::Model, patch: &EventPatch) -> calendar_event::Model {
    let mut row = before.clone();
    let patch = patch.clone();
    row.title = patch.title.unwrap_or(row.title);
    row.description = patch.description.apply(row.description);
    row.location = patch.location.apply(row.location);
    row.conference_url = patch.conference_url.apply(row.conference_url);
    row.color = patch.color.apply(row.color);
    row.status = patch.status.unwrap_or(row.status);
    row.transparency = patch.transparency.unwrap_or(row.transparency);
    row.visibility = patch.visibility.unwrap_or(row.visibility);
    row
}

/// Texts that were imported may be longer than what can be typed; they are only checked when they change.
pub(super) fn check_texts(
    checks: &mut Checks,
    before: &calendar_event::Model,
    row: &mut calendar_event::Model,
) {
    if row.title != before.title || row.description != before.description || row.location != before.location {
        rules::check(checks, row);
    }
}

/// Applies times and recurrence to a row whose fields have changed already.
pub(super) fn remade(
    before: &calendar_event::Model,
    mut row: calendar_event::Model,
    local: Option<DateTime>,
    patch: &EventPatch,
    changes: Vec<Exception>,
    checks: &mut Checks,
) -> Remade {
    if let Some(zone) = &patch.time_zone {
        set_zone(&mut row, zone);
    }
    let when = patch
        .when
        .or_else(|| patch.time_zone.is_some().then(|| times::of(before)));
    if let Some(when) = when {
        let errors = checks.count();
        times::check(checks, when, "input.time");
        if checks.count() > errors {
            return Remade { row, changes };
        }
    }
    let local = local.filter(|_| patch.when.is_some());
    remake(before, row, when, local, &patch.recurrence, changes, checks)
}

/// An event with a zone is a timed one, and both its ends are there.
pub(super) fn set_zone(row: &mut calendar_event::Model, zone: &str) {
    zone.clone_into(&mut row.time_zone);
    row.end_zone = None;
    if row.kind == entity::enums::EventKind::Floating {
        row.kind = entity::enums::EventKind::Timed;
    }
}

async fn change_all(
    tx: &Tx,
    ctx: &Ctx,
    before: calendar_event::Model,
    one: Option<(Instant, DateTime)>,
    patch: EventPatch,
) -> Result<Touched> {
    let mut checks = Checks::default();
    let mut row = with_fields(&before, &patch);
    check_texts(&mut checks, &before, &mut row);
    let guests = patch.guests.as_deref();
    guests
        .into_iter()
        .for_each(|guests| rules::check_guests(&mut checks, guests));
    let wanted = wanted_reminders(&mut checks, &patch);
    let is_remade = patch.when.is_some() || patch.time_zone.is_some() || !patch.recurrence.is_keep();
    let old = match before.is_recurring && (is_remade || one.is_some()) {
        true => exceptions::of(tx, before.id).await?,
        false => Vec::new(),
    };
    let mut changes = old.clone();
    let local = one.map(|(at, local)| {
        // Whoever says it of this occurrence means this one too.
        exceptions::give_way_at(&mut changes, at, &patch);
        let placed = placed::at_following(&before, &changes, at, local);
        Stored::of(&placed).start.local()
    });
    let is_one_changed = changes != old;
    if is_remade {
        let remade = remade(&before, row, local, &patch, changes, &mut checks);
        (row, changes) = (remade.row, remade.changes);
    }
    checks.finish()?;
    if let Some(calendar_id) = patch.calendar_id.filter(|&id| id != before.calendar_id) {
        move_to_calendar(tx, ctx, &mut row, calendar_id).await?;
    }
    let replaced = match guests {
        Some(guests) => people::replace_guests(tx, &mut row, guests).await?,
        None => None,
    };
    let also = Also {
        are_guests_new: replaced.is_some(),
        // Where all else was so already, it is this occurrence that changes.
        occurrence: one
            .filter(|_| is_one_changed && row == before && replaced.is_none())
            .map(|(at, _)| (at, patch.when.is_some())),
        ..Also::default()
    };
    let lost = tell::Lost::changed(&old, &changes, &patch);
    if changes != old {
        exceptions::replace(tx, before.id, changes).await?;
    }
    if is_remade {
        reminders::follow(tx, &before, &row).await?;
    }
    let stored = save(tx, &before, row, also).await?;
    if let (Some((at, true)), Some(local)) = (also.occurrence, local) {
        let occurrence = placed::at_occurrence(&stored, local);
        tell::occurrence(tx, (&stored, &occurrence), at, &[]).await?;
    }
    lost.tell(tx, ctx, (&before, stored.sequence), &stored).await?;
    if let Some(replaced) = replaced {
        tell::uninvited(tx, ctx, &stored, &replaced).await?;
    }
    // The key of that occurrence moved with its series.
    let one = one.map(|(at, local)| match is_remade {
        true => remake::moved_occurrence(local, &before, &stored),
        false => (at, local),
    });
    remind(tx, ctx, (&before, &stored), Target::All(one), wanted).await?;
    as_seen(tx, ctx, stored).await
}

/// The event as the viewer may see it.
async fn as_seen(tx: &Tx, ctx: &Ctx, row: calendar_event::Model) -> Result<Touched> {
    let mut events = seen::mask(tx, ctx.user_id(), vec![row]).await?;
    let event = events.pop().ok_or_else(Error::not_found)?;
    Ok(Touched::one(event))
}

fn wanted_reminders(checks: &mut Checks, patch: &EventPatch) -> Option<Vec<NewReminder>> {
    let wanted = patch.reminders.as_ref()?;
    Some(rules::reminders(checks, wanted))
}

/// Replaces the viewer's reminders, if that is asked for, of an event that was and is now so.
async fn remind(
    tx: &Tx,
    ctx: &Ctx,
    (before, after): (&calendar_event::Model, &calendar_event::Model),
    target: Target,
    wanted: Option<Vec<NewReminder>>,
) -> Result<()> {
    let Some(wanted) = wanted else {
        return Ok(());
    };
    let is_new = reminders::replace(tx, after, ctx.require_person()?, target, &wanted).await?;
    if is_new && after == before {
        // The viewer's other windows look again; the event is the same for everybody else.
        tx.event_change(ChangeAction::Updated, after.id.uuid(), after.calendar_id);
    }
    Ok(())
}

const ONLY_ALL: &str = "This belongs to the whole series. Change it with the scope `ALL`.";

fn refuse(is_there: bool, name: &str, message: &str) -> Result<()> {
    if !is_there {
        return Ok(());
    }
    Err(Error::user(
        UserErrorCode::InvalidState,
        &format!("input.{name}"),
        message,
    ))
}

/// Changes one occurrence: only what is sent becomes its own, so that later changes of the series still reach the rest.
async fn change_one(
    tx: &Tx,
    ctx: &Ctx,
    before: &calendar_event::Model,
    (at, local): (Instant, DateTime),
    patch: &EventPatch,
) -> Result<Touched> {
    refuse(patch.calendar_id.is_some(), "calendarId", ONLY_ALL)?;
    refuse(!patch.recurrence.is_keep(), "recurrence", ONLY_ALL)?;
    let is_lonely = patch.time_zone.is_some() && patch.when.is_none();
    refuse(
        is_lonely,
        "timeZone",
        "Send `time` as well to move one occurrence to another zone.",
    )?;
    let changes = exceptions::of(tx, before.id).await?;
    let old = changes.iter().find(|change| change.original_start_utc == at);
    let old = old.cloned();
    let mut exception = old
        .clone()
        .unwrap_or_else(|| exceptions::blank(tx, before, at, local));
    let mut checks = Checks::default();
    let wanted = wanted_reminders(&mut checks, patch);
    let mut row = with_fields(before, patch);
    check_texts(&mut checks, before, &mut row);
    if let Some(guests) = &patch.guests {
        rules::check_guests(&mut checks, guests);
    }
    let mut placed = placed::at_following(before, &changes, at, local);
    let original = times::of(&placed);
    if let Some(when) = patch.when {
        times::check(&mut checks, when, "input.time");
        checks.finish()?;
        if let Some(zone) = &patch.time_zone {
            set_zone(&mut placed, zone);
        }
        times::store(&mut placed, when);
        exceptions::set_times(&mut exception, &placed, when != original);
    } else {
        checks.finish()?;
    }
    exceptions::set_fields(&mut exception, &row, patch)?;
    let mut series = before.clone();
    let people = match &patch.guests {
        Some(guests) => own_guests::replace(tx, &mut series, &mut exception, guests).await?,
        None => None,
    };
    if old.as_ref() == Some(&exception) || old.is_none() && exceptions::is_empty(&exception) {
        remind(tx, ctx, (before, before), Target::One(at, local), wanted).await?;
        return as_seen(tx, ctx, before.clone()).await;
    }
    let is_rescheduled = patch.when.is_some() || patch.status.is_some();
    let told = exception.clone();
    if exceptions::is_empty(&exception) {
        exceptions::remove(tx, before.id, at).await?;
    } else {
        exceptions::save(tx, old.is_none(), exception).await?;
    }
    let also = Also {
        are_guests_new: people.is_some(),
        // Who comes again has heard of the series as it is, and hears of it once more only as of another one.
        occurrence: Some((
            at,
            is_rescheduled || people.as_ref().is_some_and(|people| people.is_someone_back),
        )),
        ..Also::default()
    };
    let stored = save(tx, before, series, also).await?;
    if is_rescheduled {
        let mut occurrence = placed::at_following(&row, &changes, at, local);
        if let (Some(start), Some(end)) = (told.start_utc, told.end_utc) {
            placed::read_times(&mut occurrence, start, end, &told.patch);
        }
        let new = people.as_ref().map(|people| people.new.as_slice());
        tell::occurrence(tx, (&stored, &occurrence), at, new.unwrap_or_default()).await?;
    }
    if let Some(people) = people {
        tell::guests_of_one(tx, ctx, (&stored, changes.as_slice()), &told, &people).await?;
    }
    remind(tx, ctx, (before, &stored), Target::One(at, local), wanted).await?;
    as_seen(tx, ctx, stored).await
}
