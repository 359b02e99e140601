//! Letters to guests who are nobody here: invitations with a calendar part, and what changes about them. Promises: each guest hears once of
//! each state of an event that SEQUENCE tells apart.

use entity::enums::EventStatus;
use entity::ids::{CalendarEventId, TypedId as _};
use entity::{attendee, calendar_event, event_override};
use jiff::tz::TimeZone;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};

use super::comers::{Comers, comes};
use super::own_guests::{self, Occasion};
use super::{events_of, exceptions_of};
use crate::access::Ctx;
use crate::features::events::stored::zone_of;
use crate::features::events::{invite, placed, remake, words};
use crate::features::letters::{self, Calendar, Letter, Method, Post};
use crate::kernel::jobs::Payload;
use crate::kernel::time::Instant;
use crate::kernel::{Result, zones};
use crate::platform::Platform;
use crate::platform::db::Tx;
use crate::platform::jobs::{JobError, RunningJob};

/// Pause before guests who were left out are tried again.
const PAUSE: chrono::TimeDelta = chrono::TimeDelta::seconds(75);

/// Writes to the guests of an event as it is now: the job of [`Payload::TellGuests`].
pub async fn tell_guests(platform: &Platform, job: &RunningJob) -> std::result::Result<(), JobError> {
    let (
        &Payload::TellGuests {
            event_id,
            original_start,
        },
        Some(workspace),
    ) = (&job.payload, job.workspace_id)
    else {
        return Err(JobError::Fatal("This is about no event.".into()));
    };
    let ctx = Ctx::system(platform, workspace);
    let tell = |tx: Tx| async move {
        let Some(row) = events_of(&tx, &[event_id]).await?.remove(&event_id) else {
            return Ok(0);
        };
        let telling = Telling {
            method: match row.status {
                EventStatus::Cancelled => Method::Cancel,
                EventStatus::Confirmed | EventStatus::Tentative => Method::Request,
            },
            original_start,
            missed: &[],
        };
        write_in(&tx, platform, &row, &telling).await
    };
    let left_out = ctx.write(tell).await?;
    if left_out > 0 {
        let at = platform.clock.now() + PAUSE;
        return Err(JobError::RetryAt(
            "Some guests get many letters already.".into(),
            at,
        ));
    }
    Ok(())
}

/// Guests of an event who are no members.
async fn strangers(tx: &Tx, id: CalendarEventId) -> Result<Vec<attendee::Model>> {
    use attendee::Column;
    let select = tx.find::<attendee::Entity>().filter(Column::EventId.eq(id));
    let select = select
        .order_by_desc(Column::IsOrganizer)
        .order_by_asc(Column::Email);
    Ok(select.all(tx.conn()).await?)
}

/// What letters tell of an event.
#[derive(Clone, Copy)]
pub(in crate::features::events) struct Telling<'a> {
    /// What they ask of the guests' programs.
    pub(in crate::features::events) method: Method,
    /// The only occurrence that they are about.
    pub(in crate::features::events) original_start: Option<Instant>,
    /// The exception of an occurrence that was deleted just now. Who was taken off its list knows that it is not theirs.
    pub(in crate::features::events) missed: &'a [event_override::Model],
}

/// Writes to people who are no guests any more, that the event does not take place for them.
pub(in crate::features::events) async fn call_off_in(
    tx: &Tx,
    platform: &Platform,
    row: &calendar_event::Model,
    organizer: Option<&attendee::Model>,
    gone: &[attendee::Model],
) -> Result<()> {
    if !letters::can_send(platform) {
        return Ok(());
    }
    let strangers: Vec<&attendee::Model> = gone.iter().filter(|person| person.user_id.is_none()).collect();
    for guest in strangers {
        if letters::spare_here(platform, &guest.email).is_err() {
            tracing::warn!("a former guest gets too many letters to be told");
            continue;
        }
        let people: Vec<attendee::Model> = organizer.into_iter().chain([guest]).cloned().collect();
        let letter = Written {
            row,
            exceptions: &[],
            people: &people,
            method: Method::Cancel,
            news: "You are not invited to this event any more.".to_owned(),
            time: when(row),
        };
        letter.send(tx, platform, guest).await?;
    }
    Ok(())
}

pub(super) fn when(row: &calendar_event::Model) -> String {
    let zone = zones::stored(&row.time_zone).unwrap_or(TimeZone::UTC);
    words::when(row, row.start_utc, &zone, &row.time_zone)
}

/// A letter to one guest.
struct Written<'a> {
    row: &'a calendar_event::Model,
    exceptions: &'a [event_override::Model],
    people: &'a [attendee::Model],
    method: Method,
    news: String,
    time: String,
}

impl Written<'_> {
    async fn send(&self, tx: &Tx, platform: &Platform, guest: &attendee::Model) -> Result<()> {
        let (row, method) = (self.row, self.method);
        let object = invite::Object {
            row,
            exceptions: self.exceptions,
            people: self.people,
            method: method.as_str(),
            now: tx.now(),
        };
        let calendar = object.text();
        let post = Post {
            to: guest.email.clone(),
            name: guest.name.clone(),
            letter: Letter::Event {
                title: row.title.clone(),
                news: self.news.clone(),
                time: self.time.clone(),
                place: row.location.clone().or_else(|| row.conference_url.clone()),
                calendar: calendar.map(|text| Calendar { method, text }),
            },
            unsubscribe: None,
        };
        let sealed = letters::seal_post(platform, &post)?;
        let (event, guest) = (row.id.uuid().simple(), guest.id.uuid().simple());
        let key = format!("event-{event}-{guest}-{}-{}", row.sequence, method.as_str());
        letters::enqueue_once_in(tx, &sealed, Some(row.workspace_id), key).await?;
        Ok(())
    }
}

/// The exception of an occurrence that the letters are about, when it still has one.
fn exception_at(exceptions: &[event_override::Model], at: Option<Instant>) -> Option<&event_override::Model> {
    exceptions
        .iter()
        .find(|exception| Some(exception.original_start_utc) == at)
}

/// Writes to guests of an event, in a transaction that may end it. Returns how many were left out because they get too many letters.
pub(in crate::features::events) async fn write_in(
    tx: &Tx,
    platform: &Platform,
    row: &calendar_event::Model,
    telling: &Telling<'_>,
) -> Result<usize> {
    let Telling {
        method,
        original_start,
        missed,
    } = *telling;
    let is_over = !row.is_recurring && row.end_utc <= tx.now();
    if is_over || !letters::can_send(platform) {
        return Ok(0);
    }
    let people = strangers(tx, row.id).await?;
    let guests = people
        .iter()
        .filter(|person| person.user_id.is_none() && !person.is_organizer);
    let host = people.iter().find(|person| person.is_organizer);
    let host = host.map(|host| host.name.as_deref().unwrap_or(&host.email));
    let exceptions = exceptions_of(tx, &[row.id])
        .await?
        .remove(&row.id)
        .unwrap_or_default();
    let (mut news, mut time) = (news(row, method, host), when(row));
    if let Some(at) = original_start {
        let who = host.unwrap_or("The organizer");
        let local = zones::local_of(zones::from_chrono(at), &zone_of(row));
        let mut occurrence = placed::at_following(row, &exceptions, at, local);
        let own = exception_at(&exceptions, original_start);
        let placed = own.or(missed.first());
        let placed = placed.and_then(|own| Some((own, own.start_utc?, own.end_utc?)));
        if let Some((exception, start, end)) = placed {
            placed::read_times(&mut occurrence, start, end, &exception.patch);
        }
        let is_off = match own {
            Some(own) => own.cancelled || own.patch["status"] == "cancelled",
            None => remake::find(row, at).is_none(),
        };
        news = match is_off {
            true => format!("{who} cancelled one occurrence of an event to which you are invited."),
            false => format!("{who} changed one occurrence of an event to which you are invited."),
        };
        time = when(&occurrence);
    }
    // Who was taken off the list of an occurrence hears nothing of it, and has none there in the series.
    let mut own = own_guests::own_people(tx, row, &exceptions).await?;
    own.extend(own_guests::own_people(tx, row, missed).await?);
    let only = original_start.or(missed.first().map(|one| one.original_start_utc));
    let comers = Comers::of(row, &exceptions, &own);
    let mut left_out = 0;
    for guest in guests {
        let is_theirs = match only {
            Some(at) => comes(&own, at, guest),
            // Who was taken off all occurrences was told so of each, and has none that could change or end.
            None => comers.has(guest),
        };
        if !is_theirs {
            continue;
        }
        let exceptions: Vec<event_override::Model> = exceptions
            .iter()
            .map(|exception| event_override::Model {
                cancelled: exception.cancelled || !comes(&own, exception.original_start_utc, guest),
                ..exception.clone()
            })
            .collect();
        if letters::spare_here(platform, &guest.email).is_err() {
            left_out += 1;
            continue;
        }
        let letter = Written {
            row,
            exceptions: &exceptions,
            people: &people,
            method,
            news: news.clone(),
            time: time.clone(),
        };
        letter.send(tx, platform, guest).await?;
    }
    let occasion = Occasion {
        row,
        exceptions: &exceptions,
        series: &people,
        method,
        host: host.unwrap_or("The organizer"),
        original_start,
    };
    Ok(left_out + own_guests::write(tx, platform, &occasion, &own).await?)
}

fn news(row: &calendar_event::Model, method: Method, host: Option<&str>) -> String {
    let who = host.unwrap_or("The organizer");
    match method {
        Method::Cancel => format!("{who} cancelled this event."),
        _ if row.sequence > 0 => format!("{who} changed an event to which you are invited."),
        _ => format!("{who} invites you to an event."),
    }
}
