//! News of events for members, as notifications. Promises: whoever acts knows it already, and everybody else hears of one change once.

use std::collections::HashSet;

use entity::enums::NotificationType;
use entity::ids::{TypedId as _, UserId};
use entity::{attendee, calendar_event, user};
use jiff::tz::TimeZone;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use crate::features::events::jobs::zones_of;
use crate::features::events::words;
use crate::features::notifications::{self, NewNotification};
use crate::kernel::Result;
use crate::kernel::changes::ObjectType;
use crate::platform::db::Tx;

/// What happened to an event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    Invited,
    Moved,
    Cancelled,
    Uninvited,
}

/// What is shown of an event: all of it, or one occurrence.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    event: &'a calendar_event::Model,
    is_one: bool,
}

/// News for somebody.
pub(super) struct Notice<'a> {
    shown: Shown<'a>,
    guest: &'a attendee::Model,
    news: News,
}

impl<'a> Shown<'a> {
    pub(super) fn all(event: &'a calendar_event::Model) -> Self {
        Self { event, is_one: false }
    }

    pub(super) fn one(occurrence: &'a calendar_event::Model) -> Self {
        Self {
            event: occurrence,
            is_one: true,
        }
    }

    /// Notices for those of the guests for whom there are news.
    pub(super) fn news(
        self,
        guests: &'a [attendee::Model],
        news_for: impl Fn(&attendee::Model) -> Option<News>,
    ) -> Vec<Notice<'a>> {
        let notice = |guest: &'a attendee::Model| {
            Some(Notice {
                shown: self,
                guest,
                news: news_for(guest)?,
            })
        };
        guests.iter().filter_map(notice).collect()
    }
}

/// Whether some of them are for people who are nobody here and get letters instead.
pub(super) fn are_for_strangers(notices: &[Notice<'_>]) -> bool {
    let mut guests = notices.iter().map(|notice| notice.guest);
    guests.any(|guest| guest.user_id.is_none() && !guest.is_organizer)
}

/// Tells those who are members. What all of them need is asked for once, of however many occurrences there are news.
pub(super) async fn notify(tx: &Tx, row: &calendar_event::Model, notices: &[Notice<'_>]) -> Result<()> {
    let actor = tx.actor().user_id;
    let mut seen = HashSet::new();
    let told: Vec<(UserId, &Notice<'_>)> = notices
        .iter()
        .filter_map(|notice| Some((notice.guest.user_id?, notice)))
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
    for (user_id, notice) in told {
        let Shown { event, is_one } = notice.shown;
        let zone = zones.get(&user_id);
        let (name, zone) = zone.map_or(("UTC", TimeZone::UTC), |(name, zone)| {
            (name.as_str(), zone.clone())
        });
        let time = words::when(event, event.start_utc, &zone, name);
        let new = NewNotification {
            user_id,
            workspace_id: Some(row.workspace_id),
            r#type: NotificationType::EventChanged,
            title: title(notice.news, is_one, &event.title, who.as_deref()),
            body: Some(match &event.location {
                Some(place) => format!("{time}\n{place}"),
                None => time,
            }),
            subject: Some((ObjectType::CalendarEvent, row.id.uuid())),
            // One change has one version of the event, also when it is about one occurrence.
            dedup_key: Some(format!("event:{}:{}:{}", row.id, row.version, notice.news as u8)),
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
