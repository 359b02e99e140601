//! Telling members that they were invited to an event, or that it was moved or called off. Whoever acts knows it already.

use std::collections::HashSet;

use entity::enums::{EventStatus, NotificationType};
use entity::ids::{TypedId as _, UserId};
use entity::{attendee, calendar_event, user};
use jiff::tz::TimeZone;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use crate::features::events::jobs::zones_of;
use crate::features::events::{rules, words};
use crate::features::notifications::{self, NewNotification};
use crate::kernel::Result;
use crate::kernel::changes::ObjectType;
use crate::kernel::jobs::{NewJob, Payload};
use crate::platform::db::Tx;

/// What happened to an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    Invited,
    Moved,
    Cancelled,
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

async fn tell(
    tx: &Tx,
    row: &calendar_event::Model,
    news_for: impl Fn(&attendee::Model) -> Option<News>,
) -> Result<()> {
    // What is over is no news.
    if !row.is_recurring && row.end_utc <= tx.now() {
        return Ok(());
    }
    let select = tx
        .find::<attendee::Entity>()
        .filter(attendee::Column::EventId.eq(row.id));
    let guests = select.all(tx.conn()).await?;
    let strangers = guests
        .iter()
        .any(|guest| guest.user_id.is_none() && !guest.is_organizer && news_for(guest).is_some());
    if strangers {
        // They are written to after the commit, each once for what SEQUENCE tells apart.
        let payload = Payload::TellGuests { event_id: row.id };
        let key = format!("tell-guests:{}:{}", row.id, row.version);
        tx.enqueue(NewJob::for_workspace(row.workspace_id, payload).unique(key))
            .await?;
    }
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
        let time = words::when(row, row.start_utc, &zone, name);
        let new = NewNotification {
            user_id,
            workspace_id: Some(row.workspace_id),
            r#type: NotificationType::EventChanged,
            title: title(news, &row.title, who.as_deref()),
            body: Some(match &row.location {
                Some(place) => format!("{time}\n{place}"),
                None => time,
            }),
            subject: Some((ObjectType::CalendarEvent, row.id.uuid())),
            dedup_key: Some(format!("event:{}:{}:{}", row.id, row.version, news as u8)),
        };
        notifications::notify_in(tx, new).await?;
    }
    Ok(())
}

fn title(news: News, event: &str, who: Option<&str>) -> String {
    match (news, who) {
        (News::Invited, Some(who)) => format!("{who} invites you to “{event}”"),
        (News::Invited, None) => format!("You are invited to “{event}”"),
        (News::Moved, Some(who)) => format!("{who} moved “{event}”"),
        (News::Moved, None) => format!("“{event}” was moved"),
        (News::Cancelled, Some(who)) => format!("{who} cancelled “{event}”"),
        (News::Cancelled, None) => format!("“{event}” was cancelled"),
    }
}
