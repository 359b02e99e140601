//! Giving one occurrence of a series guests of its own, inside the transaction of a command.

use std::collections::HashMap;

use entity::enums::AttendeeResponse;
use entity::{attendee, calendar_event};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::json;

use super::exceptions::{self, Exception};
use super::people;
use crate::features::events::model::NewGuest;
use crate::features::events::own_guests::{OwnGuest, is_same, of};
use crate::features::events::read::members_by_email;
use crate::features::events::remote::GUESTS;
use crate::kernel::Result;
use crate::platform::db::Tx;

/// Who comes to an occurrence now and did not, and who does not any more.
pub(super) struct Changed {
    pub(super) new: Vec<attendee::Model>,
    pub(super) gone: Vec<attendee::Model>,
    /// Whether a guest of the whole series comes again.
    pub(super) is_someone_back: bool,
}

/// Replaces the guests of an occurrence. The answers of those who stay are kept; the same guests as those of the series are those of the
/// series again. `row` becomes one with an organizer. `None` when nothing changes.
pub(super) async fn replace(
    tx: &Tx,
    row: &mut calendar_event::Model,
    exception: &mut Exception,
    guests: &[NewGuest],
) -> Result<Option<Changed>> {
    let select = tx
        .find::<attendee::Entity>()
        .filter(attendee::Column::EventId.eq(row.id))
        .order_by_desc(attendee::Column::IsOrganizer)
        .order_by_asc(attendee::Column::Email);
    let series: Vec<OwnGuest> = select.all(tx.conn()).await?.iter().map(OwnGuest::from).collect();
    let before = of(exception).unwrap_or_else(|| series.clone());
    if row.organizer_email.is_none() && !guests.is_empty() {
        people::organize(tx, row).await?;
    }
    let after = wanted(row, &before, &series, guests);
    if is_same(&before, &after) {
        return Ok(None);
    }
    let patch = exceptions::patch_of(exception)?;
    if is_same(&series, &after) {
        patch.remove(GUESTS);
    } else {
        patch.insert(GUESTS.to_owned(), json!(after));
    }
    let emails = before.iter().chain(&after).map(|guest| guest.email.clone());
    let members = members_by_email(tx, emails.collect()).await?;
    let missing = |list: &[OwnGuest], from: &[OwnGuest]| -> Vec<attendee::Model> {
        let is_in = |guest: &&OwnGuest| from.iter().any(|other| other.email == guest.email);
        let people = list.iter().filter(|guest| !is_in(guest));
        let people = people.map(|guest| guest.person(row, members.get(&guest.email).copied()));
        people.filter(|person| !person.is_organizer).collect()
    };
    let new = missing(&after, &before);
    Ok(Some(Changed {
        is_someone_back: new
            .iter()
            .any(|person| series.iter().any(|other| other.email == person.email)),
        gone: missing(&before, &after),
        new,
    }))
}

/// The organizer and these guests, those who are known with their answers.
fn wanted(
    row: &calendar_event::Model,
    before: &[OwnGuest],
    series: &[OwnGuest],
    guests: &[NewGuest],
) -> Vec<OwnGuest> {
    // What holds for the occurrence counts more than what holds for the series.
    let known: HashMap<&str, &OwnGuest> = series
        .iter()
        .chain(before)
        .map(|guest| (guest.email.as_str(), guest))
        .collect();
    let organizer = row.organizer_email.as_ref().map(|email| OwnGuest {
        email: email.clone(),
        name: row.organizer_name.clone(),
        response: AttendeeResponse::Accepted,
        is_optional: false,
    });
    let organizer = organizer.map(|own| {
        known
            .get(own.email.as_str())
            .map_or(own.clone(), |old| (*old).clone())
    });
    let mut after: Vec<OwnGuest> = organizer.into_iter().collect();
    for guest in guests {
        if after.iter().any(|other| other.email == guest.email) {
            continue;
        }
        let old = known.get(guest.email.as_str());
        let name = guest.name.as_deref().map(|name| name.trim().to_owned());
        after.push(OwnGuest {
            email: guest.email.clone(),
            name: name.or_else(|| old.and_then(|old| old.name.clone())),
            response: old.map_or(AttendeeResponse::NeedsAction, |old| old.response),
            is_optional: guest.is_optional,
        });
    }
    after
}

/// An answer to the whole series is one to each occurrence that has a list of its own.
pub(super) async fn answer(
    tx: &Tx,
    row: &calendar_event::Model,
    email: &str,
    response: AttendeeResponse,
) -> Result<()> {
    if !row.is_recurring {
        return Ok(());
    }
    for mut exception in exceptions::of(tx, row.id).await? {
        let Some(mut list) = of(&exception) else { continue };
        let mut is_new = false;
        for guest in list.iter_mut().filter(|guest| guest.email == email) {
            is_new |= guest.response != response;
            guest.response = response;
        }
        if is_new {
            exceptions::patch_of(&mut exception)?.insert(GUESTS.to_owned(), json!(list));
            exceptions::save(tx, false, exception).await?;
        }
    }
    Ok(())
}

/// Whether somebody with this address is a guest of some occurrence only.
pub(super) async fn is_guest_of_one(tx: &Tx, row: &calendar_event::Model, email: &str) -> Result<bool> {
    if !row.is_recurring {
        return Ok(false);
    }
    let lists = exceptions::of(tx, row.id).await?;
    let mut lists = lists.iter().filter_map(of);
    Ok(lists.any(|list| list.iter().any(|guest| guest.email == email)))
}
