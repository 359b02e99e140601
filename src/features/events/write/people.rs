//! Storing who comes to an event, inside the transaction of a command.

use std::collections::HashMap;

use entity::enums::AttendeeResponse;
use entity::ids::CalendarEventId;
use entity::{attendee, calendar_event, user};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _};

use super::exceptions;
use crate::features::events::model::NewGuest;
use crate::features::events::own_guests;
use crate::features::events::read::members_by_email;
use crate::kernel::Result;
use crate::platform::db::Tx;

/// Replaces the guests of an event. The answers of those who stay are kept; the organizer is added when there are guests and
/// goes with the last of them. Returns those who were there before, if anything changed, and stores the organizer in the row.
pub(super) async fn replace_guests(
    tx: &Tx,
    row: &mut calendar_event::Model,
    guests: &[NewGuest],
) -> Result<Option<Vec<attendee::Model>>> {
    let select = tx
        .find::<attendee::Entity>()
        .filter(attendee::Column::EventId.eq(row.id));
    let before = select.all(tx.conn()).await?;
    let wanted = wanted(tx, row, guests, &before).await?;
    let organizer = wanted.iter().find(|person| person.is_organizer);
    row.organizer_email = organizer.map(|person| person.email.clone());
    row.organizer_name = organizer.and_then(|person| person.name.clone());
    if is_same(&before, &wanted) {
        return Ok(None);
    }
    let old = tx
        .delete_many::<attendee::Entity>()
        .filter(attendee::Column::EventId.eq(row.id));
    old.exec(tx.conn()).await?;
    tx.insert_many(wanted.into_iter().map(active).collect()).await?;
    Ok(Some(before))
}

/// Everybody who should be there: the organizer and the guests, those who stay as they were.
async fn wanted(
    tx: &Tx,
    row: &calendar_event::Model,
    guests: &[NewGuest],
    before: &[attendee::Model],
) -> Result<Vec<attendee::Model>> {
    if guests.is_empty() {
        // Who comes to one occurrence only still needs an organizer.
        let is_needed = row.is_recurring
            && exceptions::of(tx, row.id)
                .await?
                .iter()
                .any(|exception| own_guests::of(exception).is_some_and(|list| list.len() > 1));
        let organizer = before.iter().filter(|person| is_needed && person.is_organizer);
        return Ok(organizer.cloned().collect());
    }
    let known: HashMap<&str, &attendee::Model> = before
        .iter()
        .map(|person| (person.email.as_str(), person))
        .collect();
    let mut organizer = before.iter().find(|person| person.is_organizer).cloned();
    if organizer.is_none() {
        organizer = creator(tx, row).await?;
    }
    let members = members_by_email(tx, guests.iter().map(|guest| guest.email.clone()).collect()).await?;
    let mut people: Vec<attendee::Model> = organizer.into_iter().collect();
    for guest in guests {
        // The organizer who is also named as a guest is there once.
        if people.iter().any(|person| person.email == guest.email) {
            continue;
        }
        let mut person = match known.get(guest.email.as_str()) {
            Some(person) => (*person).clone(),
            None => blank(tx, row.id, &guest.email),
        };
        person.name = guest
            .name
            .as_deref()
            .map(str::trim)
            .map(str::to_owned)
            .or(person.name);
        person.is_optional = guest.is_optional;
        person.user_id = members.get(&guest.email).copied();
        people.push(person);
    }
    Ok(people)
}

/// Makes the person who acts the organizer of an event whose single occurrences have guests.
pub(super) async fn organize(tx: &Tx, row: &mut calendar_event::Model) -> Result<()> {
    if let Some(organizer) = creator(tx, row).await? {
        row.organizer_email = Some(organizer.email.clone());
        row.organizer_name = organizer.name.clone();
        tx.insert(active(organizer)).await?;
    }
    Ok(())
}

/// The person who acts, as the organizer of an event that had none.
async fn creator(tx: &Tx, row: &calendar_event::Model) -> Result<Option<attendee::Model>> {
    let Some(user_id) = tx.actor().user_id else {
        return Ok(None);
    };
    let select = tx
        .find_global::<user::Entity>()
        .filter(user::Column::Id.eq(user_id));
    let person = select.one(tx.conn()).await?;
    Ok(person.map(|user| attendee::Model {
        name: Some(user.name),
        user_id: Some(user.id),
        response: AttendeeResponse::Accepted,
        is_organizer: true,
        ..blank(tx, row.id, &user.email)
    }))
}

/// A guest who has not answered.
pub(super) fn blank(tx: &Tx, event_id: CalendarEventId, email: &str) -> attendee::Model {
    attendee::Model {
        id: tx.ids().next(),
        // Stamped with the scope's workspace when it is stored.
        workspace_id: entity::ids::WorkspaceId(uuid::Uuid::nil()),
        event_id,
        email: email.to_owned(),
        name: None,
        user_id: None,
        response: AttendeeResponse::NeedsAction,
        comment: None,
        is_optional: false,
        is_organizer: false,
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

fn active(person: attendee::Model) -> attendee::ActiveModel {
    person.into_active_model().reset_all()
}

fn is_same(before: &[attendee::Model], after: &[attendee::Model]) -> bool {
    before.len() == after.len() && after.iter().all(|person| before.contains(person))
}
