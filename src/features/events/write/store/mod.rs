//! Storing what a sync has read: pages of objects with few statements, whatever their number.
//!
//! Promises: an object whose content is as it was changes nothing; an event keeps its id, its links to tasks and the reminders of its
//! people; a bad object is a problem and never stops the others. Runs in the transaction of the sync, which holds the calendar's lease.

mod draft;
mod links;
mod remove;
mod save;
mod twins;

use std::collections::HashSet;

use entity::ids::SyncRunId;
use entity::{calendar, calendar_event, external_event_link};

use crate::features::events::ical::ParsedObject;
use crate::features::events::remote::{self, MAX_INDEXED};
use crate::kernel::Result;
use crate::platform::db::Tx;
use draft::{Draft, draft, existing};
use links::{is_same, left_out_row, link_row, links_of, save_links};
use remove::{delete_events, drop_uids};

pub use remove::remove_objects;
pub use twins::{Twin, leave_out, twins_wait};

/// Addresses in one statement.
const CHUNK: usize = 1_000;

/// One object of a calendar elsewhere, read.
#[derive(Clone, Debug)]
pub struct RemoteObject {
    /// Its address within the calendar, or another key that is stable and unique there.
    pub key: String,
    /// Version at the provider.
    pub etag: Option<String>,
    /// What was read.
    pub object: ParsedObject,
}

/// What storing a page did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Objects that are new here.
    pub created: u32,
    /// Objects whose content changed.
    pub updated: u32,
    /// Objects that are as they were.
    pub unchanged: u32,
    /// Objects that could not be stored; what was stored of them before stays.
    pub problems: Vec<Unstored>,
    /// Objects whose UID another one of the calendar has. They are left out for as long as that one is there.
    pub twins: Vec<Twin>,
    /// Whether an object gave up its UID for another.
    pub gave_up: bool,
}

/// An object that could not be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstored {
    /// Its key.
    pub key: String,
    /// Its UID.
    pub uid: String,
    /// Public sentence.
    pub message: String,
}

/// Stores a page of objects: creates what is new, changes what changed, and remembers which object is which event. Objects are
/// marked as seen by `run`. Those whose keys are `leaving` no longer keep others with their UID out: that is how a renamed object goes on.
pub async fn store_parsed(
    tx: &Tx,
    calendar: &calendar::Model,
    run: Option<SyncRunId>,
    objects: Vec<RemoteObject>,
    leaving: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Stored> {
    let mut stored = Stored::default();
    let objects = storable(objects, &mut stored);
    let links = links_of(tx, calendar, &objects).await?;
    let (objects, twins) = twins::part(tx, calendar, objects, leaving).await?;
    let mut fresh: Vec<external_event_link::ActiveModel> = Vec::new();
    let mut changed: Vec<RemoteObject> = Vec::new();
    let mut renamed: Vec<String> = Vec::new();
    for object in objects {
        match links.get(&object.key) {
            Some(link) if is_same(link, &object) => {
                stored.unchanged += 1;
                if link.etag != object.etag || run.is_some() {
                    fresh.push(link_row(tx, calendar, run, &object, link.event_id));
                }
                continue;
            }
            Some(link) if link.uid != object.object.uid => renamed.push(link.uid.clone()),
            _ => {}
        }
        changed.push(object);
    }
    for twin in &twins {
        fresh.push(left_out_row(tx, calendar, run, &twin.object));
        renamed.extend(
            links
                .get(&twin.object.key)
                .filter(|link| link.uid != twin.object.object.uid)
                .map(|link| link.uid.clone()),
        );
    }
    // What was at these addresses before is gone, unless it is at another one of this page.
    let uids: HashSet<&str> = changed.iter().map(|object| object.object.uid.as_str()).collect();
    renamed.retain(|uid| !uids.contains(uid.as_str()));
    let replaced = twins.iter().map(|twin| twin.object.key.as_str());
    let keys: HashSet<&str> = changed
        .iter()
        .map(|object| object.key.as_str())
        .chain(replaced)
        .collect();
    drop_uids(tx, calendar, &renamed, &keys).await?;
    stored.gave_up = !renamed.is_empty();

    let mut existing = existing(tx, calendar, &changed).await?;
    let mut drafts = Vec::new();
    for object in &changed {
        let mut before = existing.remove(&object.object.uid).unwrap_or_default();
        if before.is_empty() {
            stored.created += 1;
        } else {
            stored.updated += 1;
        }
        let first = drafts.len();
        draft(tx, calendar, object, &mut before, &mut drafts);
        // Rows without a counterpart in the object: occurrences whose series is known now, or that are no longer shared.
        existing.insert(object.object.uid.clone(), before);
        let event_id = drafts.get(first).map(|draft: &Draft| draft.row.id);
        fresh.push(link_row(tx, calendar, run, object, event_id));
    }
    let stale: Vec<calendar_event::Model> = existing.into_values().flatten().collect();
    delete_events(tx, calendar, stale.iter().map(|row| row.id).collect()).await?;
    save::save(tx, calendar, drafts).await?;
    save_links(tx, fresh).await?;
    stored.twins = twins;
    Ok(stored)
}

/// Leaves out what the database cannot hold.
fn storable(objects: Vec<RemoteObject>, stored: &mut Stored) -> Vec<RemoteObject> {
    let mut keys = HashSet::new();
    let mut problem = |object: &RemoteObject| -> Option<&'static str> {
        if object.object.uid.len() > MAX_INDEXED || object.key.len() > MAX_INDEXED {
            return Some("Its UID or address is too long, so it was left out.");
        }
        if object
            .object
            .master
            .as_ref()
            .is_some_and(|event| !remote::has_storable_times(event))
        {
            return Some("It lies outside of the years that can be stored, so it was left out.");
        }
        if !keys.insert(object.key.clone()) {
            return Some("The calendar lists this object twice, so the second one was left out.");
        }
        None
    };
    let mut kept = Vec::with_capacity(objects.len());
    for object in objects {
        match problem(&object) {
            None => kept.push(object),
            Some(message) => stored.problems.push(Unstored {
                key: object.key,
                uid: object.object.uid,
                message: message.to_owned(),
            }),
        }
    }
    kept
}
