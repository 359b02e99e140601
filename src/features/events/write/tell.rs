//! Telling members that they were invited to an event, or that it was moved or called off. Whoever acts knows it already.

use std::collections::HashSet;

use entity::enums::{EventStatus, NotificationType};
use entity::ids::{TypedId as _, UserId};
use entity::{attendee, calendar_event, user};
use jiff::tz::TimeZone;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use crate::access::Ctx;
use crate::features::events::jobs::{guests, zones_of};
use crate::features::events::{rules, words};
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
    if occurrence.end_utc <= tx.now() && original_start <= tx.now() {
        return Ok(());
    }
    let news = match occurrence.status {
        EventStatus::Cancelled => News::Cancelled,
        EventStatus::Confirmed | EventStatus::Tentative => News::Moved,
    };
    let about = About {
        row: series,
        shown: occurrence,
        original_start: Some(original_start),
    };
    tell_of(tx, about, |_| Some(news)).await
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
}

impl<'a> About<'a> {
    fn all_of(row: &'a calendar_event::Model) -> Self {
        Self {
            row,
            shown: row,
            original_start: None,
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
    tell_of(tx, About::all_of(row), news_for).await
}

async fn tell_of(
    tx: &Tx,
    about: About<'_>,
    news_for: impl Fn(&attendee::Model) -> Option<News>,
) -> Result<()> {
    let row = about.row;
    let select = tx
        .find::<attendee::Entity>()
        .filter(attendee::Column::EventId.eq(row.id));
    let guests = select.all(tx.conn()).await?;
    let strangers = guests
        .iter()
        .any(|guest| guest.user_id.is_none() && !guest.is_organizer && news_for(guest).is_some());
    if strangers {
        // They are written to after the commit, each once for what SEQUENCE tells apart.
        let payload = Payload::TellGuests {
            event_id: row.id,
            original_start: about.original_start,
        };
        let key = format!("tell-guests:{}:{}", row.id, row.version);
        tx.enqueue(NewJob::for_workspace(row.workspace_id, payload).unique(key))
            .await?;
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
