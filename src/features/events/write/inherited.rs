//! Guests of the later half of a series that was split, inside the transaction of a command.
//!
//! Promises: whoever came to its occurrences comes to them still, with the answer that held for them.

use std::collections::{HashMap, HashSet};

use entity::{attendee, calendar_event};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _};

use crate::features::events::own_guests::OwnGuest;
use crate::features::events::read::members_by_email;
use crate::kernel::Result;
use crate::platform::db::Tx;

/// Longest address that is stored.
const MAX_EMAIL: usize = 320;

/// Gives the later half the guests of the whole, or those that were said to come from some occurrence on.
pub(super) async fn guests(
    tx: &Tx,
    before: &calendar_event::Model,
    later: &calendar_event::Model,
    lasting: Option<&[OwnGuest]>,
) -> Result<()> {
    let select = tx
        .find::<attendee::Entity>()
        .filter(attendee::Column::EventId.eq(before.id));
    let series = select.all(tx.conn()).await?;
    let people = match lasting {
        None => series,
        Some(list) => listed(tx, before, &series, list).await?,
    };
    let people = people.into_iter().map(|person| {
        let person = attendee::Model {
            id: tx.ids().next(),
            event_id: later.id,
            ..person
        };
        person.into_active_model().reset_all()
    });
    tx.insert_many::<attendee::ActiveModel>(people.collect()).await
}

/// These guests as those of a whole series, with its organizer, whom imported lists need not name.
async fn listed(
    tx: &Tx,
    before: &calendar_event::Model,
    series: &[attendee::Model],
    list: &[OwnGuest],
) -> Result<Vec<attendee::Model>> {
    let emails = list.iter().map(|guest| guest.email.clone()).collect();
    let members = members_by_email(tx, emails).await?;
    let known: HashMap<&str, &attendee::Model> = series
        .iter()
        .map(|person| (person.email.as_str(), person))
        .collect();
    let mut seen = HashSet::new();
    let mut people = Vec::new();
    for guest in list {
        if guest.email.len() > MAX_EMAIL || !seen.insert(guest.email.as_str()) {
            continue;
        }
        people.push(match known.get(guest.email.as_str()) {
            Some(person) => attendee::Model {
                response: guest.response,
                is_optional: guest.is_optional,
                ..(*person).clone()
            },
            // They came before the split, so it is not what invites them.
            None => attendee::Model {
                created_at: before.created_at,
                updated_at: tx.now(),
                ..guest.person(before, members.get(&guest.email).copied())
            },
        });
    }
    let organizer = series
        .iter()
        .filter(|person| person.is_organizer && !seen.contains(person.email.as_str()));
    people.extend(organizer.cloned());
    Ok(people)
}
