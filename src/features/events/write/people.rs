//! Storing who comes to an event and who is reminded of it, inside the transaction of a command.

use std::collections::HashMap;

use entity::enums::AttendeeResponse;
use entity::ids::{CalendarEventId, UserId};
use entity::{attendee, calendar_event, reminder, user};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, QueryFilter as _, Set};

use crate::features::events::model::{NewGuest, NewReminder};
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
        return Ok(Vec::new());
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
    use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};
    person.into_active_model().reset_all()
}

fn is_same(before: &[attendee::Model], after: &[attendee::Model]) -> bool {
    before.len() == after.len() && after.iter().all(|person| before.contains(person))
}

/// Replaces the reminders of one person for an event.
pub(super) async fn replace_reminders(
    tx: &Tx,
    row: &calendar_event::Model,
    user_id: UserId,
    reminders: &[NewReminder],
) -> Result<bool> {
    let own = || {
        reminder::Column::EventId
            .eq(row.id)
            .and(reminder::Column::UserId.eq(user_id))
    };
    let before = tx.find::<reminder::Entity>().filter(own()).all(tx.conn()).await?;
    let is_there = |wanted: &NewReminder| {
        before
            .iter()
            .any(|old| (old.minutes_before, old.channel) == (wanted.minutes_before, wanted.channel))
    };
    if before.len() == reminders.len() && reminders.iter().all(is_there) {
        return Ok(false);
    }
    tx.delete_many::<reminder::Entity>()
        .filter(own())
        .exec(tx.conn())
        .await?;
    let rows = reminders.iter().map(|new| reminder_row(tx, row, user_id, *new));
    tx.insert_many(rows.collect()).await?;
    Ok(true)
}

/// A reminder for the event as it is now.
pub(super) fn reminder_row(
    tx: &Tx,
    row: &calendar_event::Model,
    user_id: UserId,
    new: NewReminder,
) -> reminder::ActiveModel {
    reminder::ActiveModel {
        id: Set(tx.ids().next()),
        event_id: Set(row.id),
        user_id: Set(user_id),
        minutes_before: Set(new.minutes_before),
        channel: Set(new.channel),
        event_version: Set(row.version),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    }
}

/// Ties everybody's reminders to the new version of the event: what was made for an older one is stale.
pub(in crate::features::events) async fn renew_reminders(tx: &Tx, row: &calendar_event::Model) -> Result<()> {
    tx.update_many::<reminder::Entity>()
        .col_expr(reminder::Column::EventVersion, Expr::val(row.version))
        .filter(reminder::Column::EventId.eq(row.id))
        .exec(tx.conn())
        .await?;
    Ok(())
}
