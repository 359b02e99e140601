//! Storing objects of a file, inside the transaction of an import.
//!
//! Promises: a UID that is there already is the same event, so that importing a file twice changes nothing; what was changed here since, and
//! is newer by its SEQUENCE, stays; nobody is invited or told.

use std::collections::{HashMap, HashSet};

use entity::{calendar, calendar_event};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};

use super::store::{RemoteObject, Stored, Unstored, leave_out, store_parsed};
use crate::features::events::ical::ParsedObject;
use crate::kernel::Result;
use crate::platform::db::Tx;

/// Stores objects in a calendar of the workspace. What cannot be stored is in the problems of the result.
pub async fn import_in(tx: &Tx, calendar: &calendar::Model, objects: Vec<ParsedObject>) -> Result<Stored> {
    let here = sequences(tx, calendar, &objects).await?;
    let mut problems = Vec::new();
    let mut wanted = Vec::with_capacity(objects.len());
    let mut seen = HashSet::new();
    for object in objects {
        let newest = object
            .master
            .iter()
            .chain(object.overrides.iter().map(|changed| &changed.event))
            .map(|event| event.sequence)
            .max();
        let is_older = here
            .get(&object.uid)
            .is_some_and(|here| newest.is_some_and(|newest| newest < *here));
        let message = if is_older {
            "The calendar has a newer version of this event, which stays."
        } else if !seen.insert(object.uid.clone()) {
            "The file has this event twice; the first one was imported."
        } else {
            wanted.push(RemoteObject {
                key: object.uid.clone(),
                etag: None,
                object,
            });
            continue;
        };
        problems.push(Unstored {
            key: object.uid.clone(),
            uid: object.uid,
            message: message.to_owned(),
        });
    }
    let mut stored = store_parsed(tx, calendar, None, wanted, &|_| false).await?;
    let twins = std::mem::take(&mut stored.twins);
    stored.problems.extend(twins.iter().map(leave_out));
    stored.problems.extend(problems);
    Ok(stored)
}

/// The greatest SEQUENCE of each of these UIDs that the calendar has.
async fn sequences(
    tx: &Tx,
    calendar: &calendar::Model,
    objects: &[ParsedObject],
) -> Result<HashMap<String, i32>> {
    use calendar_event::Column;
    let uids = objects.iter().map(|object| object.uid.as_str());
    let select = tx
        .find::<calendar_event::Entity>()
        .select_only()
        .column(Column::Uid)
        .column(Column::Sequence)
        .filter(Column::CalendarId.eq(calendar.id))
        .filter(Column::Uid.is_in(uids));
    let rows: Vec<(String, i32)> = select.into_tuple().all(tx.conn()).await?;
    let mut sequences = HashMap::with_capacity(rows.len());
    for (uid, sequence) in rows {
        let newest: &mut i32 = sequences.entry(uid).or_insert(sequence);
        *newest = sequence.max(*newest);
    }
    Ok(sequences)
}
