//! What guests hear of one occurrence of a series: that it was moved or called off, or that they come to it now, or do not any more.

use entity::enums::EventStatus;
use entity::{attendee, calendar_event};

use super::notices::{News, Shown, are_for_strangers, notify};
use super::{people_of, write_later};
use crate::access::Ctx;
use crate::features::events::jobs::called_off::{CalledOff, Gone};
use crate::features::events::jobs::guests::{self, Telling};
use crate::features::events::jobs::own_guests::{lone, own_people};
use crate::features::events::placed;
use crate::features::events::write::exceptions::{self, Exception};
use crate::features::events::write::own_guests::Changed;
use crate::features::letters::Method;
use crate::kernel::Result;
use crate::kernel::time::Instant;
use crate::platform::db::Tx;

/// Tells the guests of a series that one of its occurrences, which is given as it takes place now, was moved or called off. Those who are
/// `new` there have not heard of it as it was.
pub(in crate::features::events::write) async fn occurrence(
    tx: &Tx,
    (series, occurrence): (&calendar_event::Model, &calendar_event::Model),
    original_start: Instant,
    new: &[attendee::Model],
) -> Result<()> {
    if is_past(tx, occurrence, original_start) {
        return Ok(());
    }
    let exception: Vec<Exception> = exceptions::at(tx, series.id, original_start)
        .await?
        .into_iter()
        .collect();
    let own = own_people(tx, series, &exception).await?;
    let own = own.get(&original_start).map(Vec::as_slice);
    let mut guests = comers(people_of(tx, series).await?, own);
    guests.retain(|guest| new.iter().all(|other| other.email != guest.email));
    let news = match occurrence.status {
        EventStatus::Cancelled => News::Cancelled,
        EventStatus::Confirmed | EventStatus::Tentative => News::Moved,
    };
    let notices = Shown::one(occurrence).news(&guests, |_| Some(news));
    if are_for_strangers(&notices) {
        write_later(tx, series, Some(original_start)).await?;
    }
    notify(tx, series, &notices).await
}

/// Tells of an occurrence that was deleted, with the exception that it had. Letters are written now: nothing is left that tells a job who
/// came to it, and who did not.
pub(in crate::features::events::write) async fn missed(
    tx: &Tx,
    ctx: &Ctx,
    (series, occurrence): (&calendar_event::Model, &calendar_event::Model),
    original_start: Instant,
    exception: &[Exception],
) -> Result<()> {
    if series.status == EventStatus::Cancelled || is_past(tx, occurrence, original_start) {
        return Ok(());
    }
    let people = people_of(tx, series).await?;
    let own = own_people(tx, series, exception).await?;
    let guests = comers(people.clone(), own.get(&original_start).map(Vec::as_slice));
    let notices = Shown::one(occurrence).news(&guests, |_| Some(News::Cancelled));
    notify(tx, series, &notices).await?;
    let telling = Telling {
        method: Method::Request,
        original_start: Some(original_start),
        missed: exception,
    };
    if guests::write_in(tx, ctx.platform(), series, &telling).await? > 0 {
        // Rather one letter too many than none for those who get too many at the moment.
        write_later(tx, series, Some(original_start)).await?;
    }
    let gone = Gone {
        row: series,
        exceptions: exception,
        own: &own,
        series: &people,
    };
    gone.write_in(tx, ctx.platform()).await
}

/// Tells those who come to one occurrence now and did not, and those who do not any more.
pub(in crate::features::events::write) async fn guests_of_one(
    tx: &Tx,
    ctx: &Ctx,
    (series, changes): (&calendar_event::Model, &[Exception]),
    exception: &Exception,
    people: &Changed,
) -> Result<()> {
    let shown = placed::changed(series, changes, exception);
    if shown.end_utc <= tx.now() || shown.status == EventStatus::Cancelled {
        return Ok(());
    }
    let invited = Shown::one(&shown).news(&people.new, |_| Some(News::Invited));
    if are_for_strangers(&invited) {
        write_later(tx, series, Some(exception.original_start_utc)).await?;
    }
    let all = people_of(tx, series).await?;
    let called_off = CalledOff {
        row: series,
        exceptions: changes,
        exception,
        organizer: all.iter().find(|person| person.is_organizer),
    };
    called_off.write_in(tx, ctx.platform(), &people.gone).await?;
    notify(tx, series, &invited).await?;
    let uninvited = Shown::one(&shown).news(&people.gone, |_| Some(News::Uninvited));
    notify(tx, series, &uninvited).await
}

fn is_past(tx: &Tx, occurrence: &calendar_event::Model, original_start: Instant) -> bool {
    occurrence.end_utc <= tx.now() && original_start <= tx.now()
}

/// Who comes to an occurrence: those who come to its series, or those who are on its own list.
fn comers(series: Vec<attendee::Model>, own: Option<&[attendee::Model]>) -> Vec<attendee::Model> {
    let Some(own) = own else { return series };
    let others = lone(own, &series);
    let mut guests = series;
    guests.retain(|guest| guest.is_organizer || own.iter().any(|one| one.email == guest.email));
    guests.extend(others);
    guests
}
