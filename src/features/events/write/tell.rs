//! Telling members that they were invited to an event, or that it was moved or called off. Whoever acts knows it already.

mod lost;
mod notices;
mod one;

use std::collections::{BTreeMap, HashSet};

use entity::enums::EventStatus;
use entity::{attendee, calendar_event};
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use super::exceptions::Exception;
use crate::access::Ctx;
use crate::features::events::jobs::comers::Comers;
use crate::features::events::jobs::exceptions_of;
use crate::features::events::jobs::guests::{self, Telling};
use crate::features::events::jobs::own_guests::{lone, own_people};
use crate::features::events::{placed, rules};
use crate::features::letters::Method;
use crate::kernel::Result;
use crate::kernel::jobs::{NewJob, Payload};
use crate::kernel::time::Instant;
use crate::platform::db::Tx;
use notices::{News, Shown, are_for_strangers, notify};

pub(super) use lost::Lost;
pub(super) use one::{guests_of_one, missed, occurrence};

/// Tells the guests of a new event.
pub(super) async fn created(tx: &Tx, row: &calendar_event::Model) -> Result<()> {
    tell(tx, row, |_| Some(News::Invited)).await
}

/// Tells the guests of a changed event: those who are new that they are invited, the others what they have to know.
pub(super) async fn changed(
    tx: &Tx,
    before: &calendar_event::Model,
    after: &calendar_event::Model,
) -> Result<()> {
    let is_over = |row: &calendar_event::Model| row.status == EventStatus::Cancelled;
    let news = match (is_over(before), is_over(after)) {
        (false, true) => Some(News::Cancelled),
        (true, true) => return Ok(()),
        (true, false) => Some(News::Invited),
        (false, false) => rules::is_rescheduled(before, after).then_some(News::Moved),
    };
    tell(tx, after, |guest| {
        // Those who stay keep the moment in which they were invited.
        let is_new = guest.created_at == tx.now() && !is_over(after);
        if is_new { Some(News::Invited) } else { news }
    })
    .await
}

/// Tells the guests of an event that is about to be deleted. Where it goes with the `last` of its occurrences, with the exception that this
/// one had, whoever was taken off its list has lost nothing.
pub(super) async fn deleted(
    tx: &Tx,
    ctx: &Ctx,
    row: &calendar_event::Model,
    last: &[Exception],
) -> Result<()> {
    if row.status != EventStatus::Cancelled {
        let own = own_people(tx, row, last).await?;
        let list = own.into_values().next();
        let comes = |guest: &attendee::Model| {
            list.as_ref()
                .is_none_or(|list| list.iter().any(|one| one.email == guest.email))
        };
        tell(tx, row, |guest| {
            (guest.is_organizer || comes(guest)).then_some(News::Cancelled)
        })
        .await?;
    }
    let telling = Telling {
        method: Method::Cancel,
        original_start: None,
        missed: last,
    };
    guests::write_in(tx, ctx.platform(), row, &telling)
        .await
        .map(drop)
}

/// Tells the guests of the later half of a series that was split: who is nobody here gets it as the new series that it is for their program.
pub(super) async fn split(
    tx: &Tx,
    before: &calendar_event::Model,
    later: &calendar_event::Model,
) -> Result<()> {
    let length = |row: &calendar_event::Model| row.end_utc - row.start_utc;
    let time = |row: &calendar_event::Model| row.start_local.map(|local| local.time());
    let is_moved =
        time(before) != time(later) || length(before) != length(later) || before.time_zone != later.time_zone;
    tell(tx, later, |guest| match guest.user_id {
        None => Some(News::Invited),
        Some(_) if guest.created_at == tx.now() => Some(News::Invited),
        Some(_) => is_moved.then_some(News::Moved),
    })
    .await
}

/// Tells those who were guests `before` and are none any more.
pub(super) async fn uninvited(
    tx: &Tx,
    ctx: &Ctx,
    row: &calendar_event::Model,
    before: &[attendee::Model],
) -> Result<()> {
    if row.status == EventStatus::Cancelled || !row.is_recurring && row.end_utc <= tx.now() {
        return Ok(());
    }
    let now: HashSet<String> = people_of(tx, row)
        .await?
        .into_iter()
        .map(|guest| guest.email)
        .collect();
    let gone: Vec<attendee::Model> = before
        .iter()
        .filter(|guest| !guest.is_organizer && !now.contains(&guest.email))
        .cloned()
        .collect();
    let organizer = before.iter().find(|guest| guest.is_organizer);
    guests::call_off_in(tx, ctx.platform(), row, organizer, &gone).await?;
    let notices = Shown::all(row).news(&gone, |_| Some(News::Uninvited));
    notify(tx, row, &notices).await
}

async fn tell(
    tx: &Tx,
    row: &calendar_event::Model,
    news_for: impl Fn(&attendee::Model) -> Option<News>,
) -> Result<()> {
    // What is over is no news.
    if !row.is_recurring && row.end_utc <= tx.now() {
        return Ok(());
    }
    let series = people_of(tx, row).await?;
    let mut exceptions = match row.is_recurring {
        true => exceptions_of(tx, &[row.id]).await?.remove(&row.id),
        false => None,
    }
    .unwrap_or_default();
    exceptions.sort_by_key(|exception| exception.original_start_utc);
    let own = own_people(tx, row, &exceptions).await?;
    let comers = Comers::of(row, &exceptions, &own);
    let single = single(tx, row, (&exceptions[..], &own), &series);
    // Who was taken off all occurrences has none that could move or end.
    let mut notices = Shown::all(row).news(&series, |guest| {
        news_for(guest).filter(|news| *news == News::Invited || guest.is_organizer || comers.has(guest))
    });
    for (occurrence, people) in &single {
        notices.extend(Shown::one(occurrence).news(people, &news_for));
    }
    if are_for_strangers(&notices) {
        write_later(tx, row, None).await?;
    }
    notify(tx, row, &notices).await
}

/// The occurrences of a series that are yet to come and have guests of their own, as they take place, with those who come to them only.
fn single(
    tx: &Tx,
    row: &calendar_event::Model,
    (exceptions, own): (&[Exception], &BTreeMap<Instant, Vec<attendee::Model>>),
    series: &[attendee::Model],
) -> Vec<(calendar_event::Model, Vec<attendee::Model>)> {
    let mut single = Vec::new();
    for exception in exceptions {
        let Some(people) = own.get(&exception.original_start_utc) else {
            continue;
        };
        let occurrence = placed::changed(row, exceptions, exception);
        if occurrence.end_utc > tx.now() {
            single.push((occurrence, lone(people, series)));
        }
    }
    single
}

/// The guests of an event or a series, and who organizes it.
async fn people_of(tx: &Tx, row: &calendar_event::Model) -> Result<Vec<attendee::Model>> {
    let select = tx
        .find::<attendee::Entity>()
        .filter(attendee::Column::EventId.eq(row.id));
    Ok(select.all(tx.conn()).await?)
}

/// Strangers are written to after the commit, each once for what SEQUENCE tells apart.
async fn write_later(tx: &Tx, row: &calendar_event::Model, original_start: Option<Instant>) -> Result<()> {
    let payload = Payload::TellGuests {
        event_id: row.id,
        original_start,
    };
    let key = format!("tell-guests:{}:{}", row.id, row.version);
    tx.enqueue(NewJob::for_workspace(row.workspace_id, payload).unique(key))
        .await?;
    Ok(())
}
