//! Guests of one occurrence of a series, where they are others than those of all. Pure.
//!
//! Promises: the whole list is the occurrence's own, with the answers that hold for it; it is stored as imported exceptions have it.

use std::collections::HashMap;

use entity::enums::AttendeeResponse;
use entity::ids::{AttendeeId, UserId};
use entity::{attendee, calendar_event, event_override};
use serde::{Deserialize, Serialize};

use super::occurrence::Occurrence;
use super::remote::GUESTS;
use crate::kernel::time::Instant;

/// Somebody who comes to an occurrence; the organizer may be one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnGuest {
    pub(super) email: String,
    pub(super) name: Option<String>,
    pub(super) response: AttendeeResponse,
    pub(super) is_optional: bool,
}

impl From<&attendee::Model> for OwnGuest {
    fn from(person: &attendee::Model) -> Self {
        Self {
            email: person.email.clone(),
            name: person.name.clone(),
            response: person.response,
            is_optional: person.is_optional,
        }
    }
}

impl OwnGuest {
    /// The same as people of the whole series are stored.
    pub(super) fn person(&self, row: &calendar_event::Model, user_id: Option<UserId>) -> attendee::Model {
        attendee::Model {
            id: AttendeeId(uuid::Uuid::nil()),
            workspace_id: row.workspace_id,
            event_id: row.id,
            email: self.email.clone(),
            name: self.name.clone(),
            user_id,
            response: self.response,
            comment: None,
            is_optional: self.is_optional,
            is_organizer: row.organizer_email.as_ref() == Some(&self.email),
            // Whoever tells people of a series takes those who were there already for no new ones.
            created_at: Instant::UNIX_EPOCH,
            updated_at: row.updated_at,
        }
    }
}

/// The guests that an exception has of its own.
pub(super) fn of(exception: &event_override::Model) -> Option<Vec<OwnGuest>> {
    let list = exception.patch.get(GUESTS)?.as_array()?;
    let guests = list
        .iter()
        .filter_map(|guest| serde_json::from_value(guest.clone()).ok());
    Some(guests.collect())
}

/// Whether two lists say the same, in whatever order.
pub(super) fn is_same(one: &[OwnGuest], other: &[OwnGuest]) -> bool {
    one.len() == other.len() && one.iter().all(|guest| other.contains(guest))
}

/// Whether other guests come to an occurrence than to its series.
pub fn has_own_guests(occurrence: &Occurrence) -> bool {
    let change = occurrence.change.as_ref();
    change.is_some_and(|change| change.0.patch.get(GUESTS).is_some())
}

/// The guests of an occurrence, without the organizer, by address. `people` are those of its event, `members` those among its own guests who
/// are members. Where the viewer sees no details there are none.
pub fn guests_at(
    occurrence: &Occurrence,
    people: &[attendee::Model],
    members: &HashMap<String, UserId>,
) -> Vec<attendee::Model> {
    if occurrence.is_masked || occurrence.event.is_masked {
        return Vec::new();
    }
    let row = &occurrence.event.row;
    let own = occurrence.change.as_ref().and_then(|change| of(&change.0));
    let mut guests: Vec<attendee::Model> = match own {
        None => people.to_vec(),
        Some(own) => own
            .iter()
            .map(|guest| guest.person(row, members.get(&guest.email).copied()))
            .collect(),
    };
    guests.retain(|guest| !guest.is_organizer);
    guests.sort_by(|one, other| one.email.cmp(&other.email));
    guests
}
