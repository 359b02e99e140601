//! What is gone at the provider goes here too, unless it is suspiciously much.

use std::collections::HashSet;

use entity::calendar_event;
use entity::external_event_link::{Column, Entity};
use entity::ids::CalendarId;
use sea_orm::{ColumnTrait as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _};

use super::apply::{Batch, Last};
use super::known::address_of;
use crate::features::events;
use crate::features::integrations::rules;
use crate::kernel::Result;
use crate::platform::db::Tx;

/// Values in one `IN` list: below the parameters that a statement may have.
const CHUNK: usize = 5_000;

/// What a run found gone.
#[derive(Default)]
pub(super) struct Doomed {
    /// Addresses of objects that are gone.
    pub(super) addresses: HashSet<String>,
    /// Links of shared addresses whose event is gone.
    pub(super) keys: HashSet<String>,
    /// For a feed that was read to its end: the UIDs that are there. Everything else is gone.
    pub(super) kept: Option<HashSet<String>>,
}

impl Doomed {
    fn takes(&self, key: &str, uid: &str, vanished: &HashSet<&str>) -> bool {
        self.addresses.contains(address_of(key))
            || self.keys.contains(key)
            || vanished.contains(key)
            || self.kept.as_ref().is_some_and(|kept| !kept.contains(uid))
    }
}

/// What came of a sweep.
pub(super) struct Swept {
    /// Events that are gone at the provider.
    pub(super) doomed: u64,
    /// Events that were stored before the run.
    pub(super) stored: u64,
    /// Whether they wait for a decision; deleted otherwise.
    pub(super) is_held: bool,
    /// Whether objects were removed, with events or without.
    pub(super) removed: bool,
}

impl Swept {
    /// The sentence for the person who decides.
    pub(super) fn message(&self, calendar: &str) -> String {
        let Self { doomed, stored, .. } = self;
        format!("{doomed} of {stored} events of “{calendar}” would be deleted.")
    }
}

/// Deletes what is gone, with its links, or holds it back. An event that is also at another address stays.
pub(super) async fn sweep(
    tx: &Tx,
    batch: &Batch<'_>,
    last: &Last<'_>,
    vanished: &[String],
    created: u64,
) -> Result<Swept> {
    let calendar_id = batch.calendar.id;
    let vanished: HashSet<&str> = vanished.iter().map(String::as_str).collect();
    let doomed = batch.doomed;
    let nothing = doomed.addresses.is_empty() && doomed.keys.is_empty() && doomed.kept.is_none();
    if nothing && vanished.is_empty() {
        return Ok(Swept {
            doomed: 0,
            stored: 0,
            is_held: false,
            removed: false,
        });
    }
    let links: Vec<(String, String, Option<Vec<u8>>)> = tx
        .find::<Entity>()
        .select_only()
        .column(Column::Href)
        .column(Column::Uid)
        .column(Column::ContentHash)
        .filter(Column::CalendarId.eq(calendar_id))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let (dead, alive): (Vec<_>, Vec<_>) = links
        .into_iter()
        .partition(|(key, uid, _)| doomed.takes(key, uid, &vanished));
    // Links without content hold no event.
    let alive: HashSet<String> = alive
        .into_iter()
        .filter(|(.., hash)| hash.is_some())
        .map(|(_, uid, _)| uid)
        .collect();
    let uids: HashSet<&str> = dead
        .iter()
        .filter(|(.., hash)| hash.is_some())
        .map(|(_, uid, _)| uid.as_str())
        .filter(|uid| !alive.contains(*uid))
        .collect();
    let doomed_events = count_of(tx, calendar_id, &uids).await?;
    let total = tx
        .find::<calendar_event::Entity>()
        .filter(calendar_event::Column::CalendarId.eq(calendar_id))
        .count(tx.conn())
        .await?;
    let stored = total.saturating_sub(last.created + created);
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let is_accepted = last.accept_deletes && batch.lease.is_held;
    let is_held = !is_accepted && rules::is_mass_deletion(doomed_events, size(stored));
    let swept = Swept {
        doomed: doomed_events as u64,
        stored,
        is_held,
        removed: !is_held && !dead.is_empty(),
    };
    if is_held {
        return Ok(swept);
    }
    let keys: Vec<String> = dead.into_iter().map(|(key, ..)| key).collect();
    events::remove_objects(tx, batch.calendar, &keys).await?;
    Ok(swept)
}

/// How many rows these UIDs have: a series, or the single occurrences that are shared of it.
async fn count_of(tx: &Tx, calendar_id: CalendarId, uids: &HashSet<&str>) -> Result<usize> {
    let uids: Vec<&str> = uids.iter().copied().collect();
    let mut found = 0;
    for chunk in uids.chunks(CHUNK) {
        let select = tx.find::<calendar_event::Entity>();
        let rows = select
            .filter(calendar_event::Column::CalendarId.eq(calendar_id))
            .filter(calendar_event::Column::Uid.is_in(chunk.iter().copied()));
        found += rows.count(tx.conn()).await?;
    }
    Ok(usize::try_from(found).unwrap_or(usize::MAX))
}
