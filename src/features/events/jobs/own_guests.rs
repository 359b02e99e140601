//! Letters to guests who come to one occurrence of a series only and are nobody here: that occurrence without its series (RFC 5546, 3.2.2.6).

use std::collections::BTreeMap;

use entity::enums::EventStatus;
use entity::ids::TypedId as _;
use entity::{attendee, calendar_event, event_override};
use sha2::{Digest as _, Sha256};

use super::guests::when;
use crate::features::events::own_guests::{self, OwnGuest};
use crate::features::events::read::members_by_email;
use crate::features::events::{invite, placed};
use crate::features::letters::{self, Calendar, Letter, Method, Post};
use crate::kernel::Result;
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::{Read, Tx};

/// The people of each occurrence that has guests of its own, by original start; `user_id` names members.
pub(in crate::features::events) async fn own_people(
    read: &Read,
    row: &calendar_event::Model,
    exceptions: &[event_override::Model],
) -> Result<BTreeMap<Instant, Vec<attendee::Model>>> {
    let lists: Vec<(Instant, Vec<OwnGuest>)> = exceptions
        .iter()
        .filter(|exception| !exception.cancelled)
        .filter_map(|exception| Some((exception.original_start_utc, own_guests::of(exception)?)))
        .collect();
    let emails = lists.iter().flat_map(|(_, list)| list);
    let members = members_by_email(read, emails.map(|guest| guest.email.clone()).collect()).await?;
    let people = |list: Vec<OwnGuest>| -> Vec<attendee::Model> {
        let people = list.iter();
        people
            .map(|guest| guest.person(row, members.get(&guest.email).copied()))
            .collect()
    };
    Ok(lists.into_iter().map(|(at, list)| (at, people(list))).collect())
}

/// Those who come to an occurrence and not to its series.
pub(in crate::features::events) fn lone(
    own: &[attendee::Model],
    series: &[attendee::Model],
) -> Vec<attendee::Model> {
    let is_known = |person: &attendee::Model| series.iter().any(|other| other.email == person.email);
    let lone = own
        .iter()
        .filter(|person| !person.is_organizer && !is_known(person));
    lone.cloned().collect()
}

/// One occurrence as a letter tells of it.
pub(in crate::features::events) struct OneOf<'a> {
    /// The series.
    pub(in crate::features::events) row: &'a calendar_event::Model,
    /// What makes the occurrence what it is.
    pub(in crate::features::events) exception: &'a event_override::Model,
    /// The occurrence as it takes place.
    pub(in crate::features::events) shown: &'a calendar_event::Model,
    /// Who is named in the letter.
    pub(in crate::features::events) people: &'a [attendee::Model],
    /// What it asks of the guest's program.
    pub(in crate::features::events) method: Method,
}

impl OneOf<'_> {
    pub(in crate::features::events) async fn send(
        &self,
        tx: &Tx,
        platform: &Platform,
        guest: &attendee::Model,
        news: String,
    ) -> Result<()> {
        let Self {
            row, shown, method, ..
        } = *self;
        let object = invite::Object {
            row,
            exceptions: &[],
            people: self.people,
            method: method.as_str(),
            now: tx.now(),
        };
        let post = Post {
            to: guest.email.clone(),
            name: guest.name.clone(),
            letter: Letter::Event {
                title: shown.title.clone(),
                news,
                time: when(shown),
                place: shown.location.clone().or_else(|| shown.conference_url.clone()),
                calendar: Some(Calendar {
                    method,
                    text: object.one(self.exception, shown),
                }),
            },
            unsubscribe: None,
        };
        let sealed = letters::seal_post(platform, &post)?;
        // They have no row with an id, and their address is nothing for a key.
        let name = Sha256::digest(guest.email.as_bytes());
        let name: String = name.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let (event, exception) = (row.id.uuid().simple(), self.exception.id.uuid().simple());
        let state = format!("{}.{}", row.sequence, self.exception.version);
        let key = format!("event-{event}-{exception}-{name}-{state}-{}", method.as_str());
        letters::enqueue_once_in(tx, &sealed, Some(row.workspace_id), key).await?;
        Ok(())
    }
}

/// What a letter is about that tells of the occurrences of a series.
pub(super) struct Occasion<'a> {
    pub(super) row: &'a calendar_event::Model,
    pub(super) exceptions: &'a [event_override::Model],
    /// Guests of the series.
    pub(super) series: &'a [attendee::Model],
    pub(super) method: Method,
    /// Who organizes it.
    pub(super) host: &'a str,
    /// The only occurrence that it is about.
    pub(super) original_start: Option<Instant>,
}

/// Writes to those who are guests of single occurrences only. Returns how many were left out because they get too many letters.
pub(super) async fn write(
    tx: &Tx,
    platform: &Platform,
    occasion: &Occasion<'_>,
    own: &BTreeMap<Instant, Vec<attendee::Model>>,
) -> Result<usize> {
    let Occasion {
        row,
        exceptions,
        series,
        host,
        ..
    } = *occasion;
    let mut left_out = 0;
    let only = occasion.original_start;
    for exception in exceptions {
        let at = exception.original_start_utc;
        let Some(people) = own.get(&at).filter(|_| only.is_none_or(|only| only == at)) else {
            continue;
        };
        let shown = placed::changed(row, exceptions, exception);
        if shown.end_utc <= tx.now() {
            continue;
        }
        let is_off = shown.status == EventStatus::Cancelled || matches!(occasion.method, Method::Cancel);
        let (method, news) = match is_off {
            true => (Method::Cancel, format!("{host} cancelled this event.")),
            false => (
                Method::Request,
                format!("{host} invites you to one occurrence of an event."),
            ),
        };
        let one = OneOf {
            row,
            exception,
            shown: &shown,
            people,
            method,
        };
        for guest in lone(people, series) {
            if guest.user_id.is_some() {
                continue;
            }
            if letters::spare_here(platform, &guest.email).is_err() {
                left_out += 1;
                continue;
            }
            one.send(tx, platform, &guest, news.clone()).await?;
        }
    }
    Ok(left_out)
}
