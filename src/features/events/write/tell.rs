//! Telling members that they were invited to an event, or that it was moved or called off. Whoever acts knows it already.

use std::collections::HashSet;

use entity::enums::{EventStatus, NotificationType};
use entity::ids::{TypedId as _, UserId};
use entity::{attendee, calendar_event, user};
use jiff::tz::TimeZone;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use super::exceptions::Exception;
use super::own_guests::Changed;
use crate::access::Ctx;
use crate::features::events::jobs::own_guests::{call_off_in, call_off_one_in, lone, own_people};
use crate::features::events::jobs::{exceptions_of, guests, zones_of};
use crate::features::events::{own_guests, placed, rules, words};
use crate::features::notifications::{self, NewNotification};
use crate::kernel::Result;
use crate::kernel::changes::ObjectType;
use crate::kernel::jobs::{NewJob, Payload};
use crate::kernel::time::Instant;
use crate::platform::db::Tx;

/// What happened to an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    Invited,
    Moved,
    Cancelled,
    Uninvited,
}

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

/// Tells the guests of an event that is about to be deleted.
pub(super) async fn deleted(tx: &Tx, row: &calendar_event::Model) -> Result<()> {
    if row.status == EventStatus::Cancelled {
        return Ok(());
    }
    tell(tx, row, |_| Some(News::Cancelled)).await
}

/// Tells the guests of a series that one of its occurrences, which is given as it takes place now, was moved or called off.
pub(super) async fn occurrence(
    tx: &Tx,
    series: &calendar_event::Model,
    occurrence: &calendar_event::Model,
    original_start: Instant,
) -> Result<()> {
    let exceptions = exceptions_of(tx, &[series.id]).await?.remove(&series.id);
    let own = own_people(tx, series, &exceptions.unwrap_or_default()).await?;
    let own = own.get(&original_start).map(Vec::as_slice);
    let about = About {
        row: series,
        shown: occurrence,
        original_start: Some(original_start),
        own,
    };
    tell_of_one(tx, about).await
}

async fn tell_of_one(tx: &Tx, about: About<'_>) -> Result<()> {
    let shown = about.shown;
    if shown.end_utc <= tx.now() && about.original_start.is_none_or(|start| start <= tx.now()) {
        return Ok(());
    }
    let news = match shown.status {
        EventStatus::Cancelled => News::Cancelled,
        EventStatus::Confirmed | EventStatus::Tentative => News::Moved,
    };
    tell_of(tx, about, |_| Some(news)).await
}

/// Tells of an occurrence that was deleted, with the exception that it had. Whoever is a guest of it alone hears it now: nothing is left that
/// a job could tell of.
pub(super) async fn missed(
    tx: &Tx,
    ctx: &Ctx,
    (series, occurrence): (&calendar_event::Model, &calendar_event::Model),
    original_start: Instant,
    exception: &[Exception],
) -> Result<()> {
    let own = own_people(tx, series, exception).await?;
    let about = About {
        row: series,
        shown: occurrence,
        original_start: Some(original_start),
        own: own.get(&original_start).map(Vec::as_slice),
    };
    tell_of_one(tx, about).await?;
    call_off_in(tx, ctx.platform(), series, exception).await
}

/// Tells those who come to one occurrence now and did not, and those who do not any more.
pub(super) async fn guests_of_one(
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
    let at = exception.original_start_utc;
    if people.new.iter().any(|guest| guest.user_id.is_none()) {
        write_later(tx, series, Some(at)).await?;
    }
    call_off_one_in(tx, ctx.platform(), (series, changes), exception, &people.gone).await?;
    let about = About {
        row: series,
        shown: &shown,
        original_start: Some(at),
        own: None,
    };
    notify(tx, about, &people.new, |_| Some(News::Invited)).await?;
    notify(tx, about, &people.gone, |_| Some(News::Uninvited)).await
}

/// Occurrences with guests of their own that have none any more, or are known by another start.
pub(super) fn out_of_reach(old: &[Exception], new: &[Exception]) -> Vec<Exception> {
    let has_own = |one: &Exception| own_guests::of(one).is_some();
    let stays = |one: &Exception| {
        let same = new.iter().find(|other| other.id == one.id);
        same.is_some_and(|same| same.original_start_utc == one.original_start_utc && has_own(same))
    };
    let gone = old.iter().filter(|one| has_own(one) && !stays(one));
    gone.cloned().collect()
}

/// Calls off, for those who are guests of these occurrences alone, what their programs know them by. The series is given as it was, with the
/// SEQUENCE that it has now.
pub(super) async fn lost(
    tx: &Tx,
    ctx: &Ctx,
    (series, sequence): (&calendar_event::Model, i32),
    gone: &[Exception],
) -> Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let series = calendar_event::Model {
        sequence,
        ..series.clone()
    };
    call_off_in(tx, ctx.platform(), &series, gone).await
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
    let select = tx
        .find::<attendee::Entity>()
        .filter(attendee::Column::EventId.eq(row.id));
    let now: HashSet<String> = select
        .all(tx.conn())
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
    notify(tx, About::all_of(row), &gone, |_| Some(News::Uninvited)).await
}

/// What is told of.
#[derive(Clone, Copy)]
struct About<'a> {
    /// The event or series.
    row: &'a calendar_event::Model,
    /// What of it is shown: itself, or one occurrence.
    shown: &'a calendar_event::Model,
    /// Which occurrence that is.
    original_start: Option<Instant>,
    /// Who comes to it, where these are others than those who come to its series.
    own: Option<&'a [attendee::Model]>,
}

impl<'a> About<'a> {
    fn all_of(row: &'a calendar_event::Model) -> Self {
        Self {
            row,
            shown: row,
            original_start: None,
            own: None,
        }
    }
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
    tell_of(tx, About::all_of(row), &news_for).await?;
    if !row.is_recurring {
        return Ok(());
    }
    // Those who come to single occurrences only are told of these.
    let exceptions = exceptions_of(tx, &[row.id]).await?.remove(&row.id);
    let exceptions = exceptions.unwrap_or_default();
    let own = own_people(tx, row, &exceptions).await?;
    if own.is_empty() {
        return Ok(());
    }
    let series = people_of(tx, row).await?;
    for exception in &exceptions {
        let at = exception.original_start_utc;
        let Some(people) = own.get(&at) else { continue };
        let shown = placed::changed(row, &exceptions, exception);
        let people = lone(people, &series);
        if shown.end_utc <= tx.now() {
            continue;
        }
        if people
            .iter()
            .any(|guest| guest.user_id.is_none() && news_for(guest).is_some())
        {
            write_later(tx, row, None).await?;
        }
        let about = About {
            row,
            shown: &shown,
            original_start: Some(at),
            own: None,
        };
        notify(tx, about, &people, &news_for).await?;
    }
    Ok(())
}

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

async fn tell_of(
    tx: &Tx,
    about: About<'_>,
    news_for: impl Fn(&attendee::Model) -> Option<News>,
) -> Result<()> {
    let row = about.row;
    let mut guests = people_of(tx, row).await?;
    if let Some(own) = about.own {
        let others = lone(own, &guests);
        guests.retain(|guest| guest.is_organizer || own.iter().any(|one| one.email == guest.email));
        guests.extend(others);
    }
    let strangers = guests
        .iter()
        .any(|guest| guest.user_id.is_none() && !guest.is_organizer && news_for(guest).is_some());
    if strangers {
        write_later(tx, row, about.original_start).await?;
    }
    notify(tx, about, &guests, news_for).await
}

/// Tells those among the guests who are members.
async fn notify(
    tx: &Tx,
    about: About<'_>,
    guests: &[attendee::Model],
    news_for: impl Fn(&attendee::Model) -> Option<News>,
) -> Result<()> {
    let About {
        row,
        shown,
        original_start,
        ..
    } = about;
    let actor = tx.actor().user_id;
    let mut seen = HashSet::new();
    let told: Vec<(UserId, News)> = guests
        .iter()
        .filter_map(|guest| Some((guest.user_id?, news_for(guest)?)))
        .filter(|(id, _)| actor != Some(*id) && seen.insert(*id))
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    let who = match actor {
        Some(id) => {
            let select = tx.find_global::<user::Entity>().filter(user::Column::Id.eq(id));
            select.one(tx.conn()).await?.map(|person| person.name)
        }
        None => None,
    };
    let people: Vec<UserId> = told.iter().map(|(id, _)| *id).collect();
    let zones = zones_of(tx, &people).await?;
    for (user_id, news) in told {
        let zone = zones.get(&user_id);
        let (name, zone) = zone.map_or(("UTC", TimeZone::UTC), |(name, zone)| {
            (name.as_str(), zone.clone())
        });
        let time = words::when(shown, shown.start_utc, &zone, name);
        let is_one = original_start.is_some();
        let new = NewNotification {
            user_id,
            workspace_id: Some(row.workspace_id),
            r#type: NotificationType::EventChanged,
            title: title(news, is_one, &shown.title, who.as_deref()),
            body: Some(match &shown.location {
                Some(place) => format!("{time}\n{place}"),
                None => time,
            }),
            subject: Some((ObjectType::CalendarEvent, row.id.uuid())),
            // One change has one version of the event, also when it is about one occurrence.
            dedup_key: Some(format!("event:{}:{}:{}", row.id, row.version, news as u8)),
        };
        notifications::notify_in(tx, new).await?;
    }
    Ok(())
}

fn title(news: News, is_one: bool, event: &str, who: Option<&str>) -> String {
    let event = match is_one {
        true => format!("one “{event}”"),
        false => format!("“{event}”"),
    };
    match (news, who) {
        (News::Invited, Some(who)) => format!("{who} invites you to {event}"),
        (News::Invited, None) => format!("You are invited to {event}"),
        (News::Moved, Some(who)) => format!("{who} moved {event}"),
        (News::Moved, None) => format!("{} was moved", capital(&event)),
        (News::Cancelled, Some(who)) => format!("{who} cancelled {event}"),
        (News::Cancelled, None) => format!("{} was cancelled", capital(&event)),
        (News::Uninvited, Some(who)) => format!("{who} took you off the guest list of {event}"),
        (News::Uninvited, None) => format!("You are no guest of {event} any more"),
    }
}

/// A sentence begins with it.
fn capital(event: &str) -> String {
    match event.strip_prefix("one ") {
        Some(rest) => format!("One {rest}"),
        None => event.to_owned(),
    }
}
