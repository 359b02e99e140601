//! One page in one transaction: events, the links to their objects, the counts of the run, and with the last page the sweep and the cursor.

use std::collections::{BTreeSet, HashMap, HashSet};

use entity::external_event_link::{Column, Entity};
use entity::{calendar, sync_run};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, IntoActiveModel as _, QueryFilter as _,
    QuerySelect as _,
};

use super::known::address_of;
use super::lease::{Lease, Standing};
use super::parse::Item;
use super::sweep::{self, Doomed, Swept};
use crate::features::events::{self, RemoteObject, Twin};
use crate::features::integrations::model::StoredProblem;
use crate::features::integrations::providers::SyncCursor;
use crate::features::integrations::rules::MAX_PROBLEMS;
use crate::kernel::Result;
use crate::kernel::changes::Topic;
use crate::platform::db::Tx;

/// Objects of one calendar that are kept in memory until it is clear whether the one with their UID goes.
const MAX_TWINS: usize = 200;

/// What one transaction stores.
pub(super) struct Batch<'a> {
    pub(super) lease: &'a Lease,
    pub(super) calendar: &'a calendar::Model,
    /// The run as it was last stored.
    pub(super) run: &'a sync_run::Model,
    pub(super) items: &'a [Item],
    /// Addresses that were read whole, each with the UIDs that are there but cannot be read. What else came from there is gone.
    pub(super) present: &'a HashMap<String, HashSet<String>>,
    pub(super) problems: &'a [StoredProblem],
    /// How many objects this batch deals with.
    pub(super) processed: u64,
    pub(super) percent: Option<i32>,
    /// Whether watchers are told.
    pub(super) announce: bool,
    /// What the run found gone so far.
    pub(super) doomed: &'a Doomed,
    /// Objects of earlier batches that wait for the one with their UID to go.
    pub(super) twins: &'a [Twin],
    /// Set for the last batch of the calendar.
    pub(super) last: Option<Last<'a>>,
}

/// What the end of a calendar adds.
pub(super) struct Last<'a> {
    pub(super) cursor: &'a SyncCursor,
    /// Events that this run created before this batch; they do not count as stored before it.
    pub(super) created: u64,
    /// Deletions that were held back are applied.
    pub(super) accept_deletes: bool,
}

/// What came of it.
pub(super) enum Applied {
    Stored {
        run: Box<sync_run::Model>,
        created: u64,
        /// Links of shared addresses whose event is no longer there.
        vanished: Vec<String>,
        /// Objects whose UID another one has; with the last batch there are none left.
        twins: Vec<Twin>,
        held: Option<Swept>,
    },
    /// Another run took over; nothing was stored.
    Lost,
    /// The calendar is no longer mirrored; nothing was stored.
    Gone,
}

/// Stores a batch.
pub(super) async fn apply(tx: &Tx, batch: &Batch<'_>) -> Result<Applied> {
    let state = match batch.lease.renew(tx).await? {
        Standing::Ours(state) => state,
        Standing::Lost => return Ok(Applied::Lost),
        Standing::Gone => return Ok(Applied::Gone),
    };
    let mut run = batch.run.clone();
    let mut problems = batch.problems.to_vec();
    let calendar_id = batch.calendar.id;

    let objects = batch.items.iter().map(|item| RemoteObject {
        key: item.key(),
        etag: item.etag.clone(),
        object: item.object.clone(),
    });
    let leaving = |key: &str| batch.is_leaving(key);
    let mut stored =
        events::store_parsed(tx, batch.calendar, Some(run.id), objects.collect(), &leaving).await?;
    let vanished = vanished(tx, batch).await?;
    let mut twins = std::mem::take(&mut stored.twins);
    if batch.last.is_some() {
        // All that goes is known now: whose twin is gone takes over, before the sweep would take the event.
        let waiting = batch.twins.iter().cloned().chain(twins);
        let waiting = waiting.map(|twin| twin.object).collect();
        let leaving = |key: &str| batch.is_leaving(key) || vanished.iter().any(|gone| gone == key);
        let late = events::store_parsed(tx, batch.calendar, Some(run.id), waiting, &leaving).await?;
        stored.created += late.created;
        stored.updated += late.updated;
        stored.gave_up |= late.gave_up;
        stored.problems.extend(late.twins.iter().map(events::leave_out));
        stored.problems.extend(late.problems);
        twins = Vec::new();
    } else {
        let room = MAX_TWINS.saturating_sub(batch.twins.len()).min(twins.len());
        let surplus = twins.split_off(room);
        stored.problems.extend(surplus.iter().map(events::leave_out));
    }
    problems.extend(stored.problems.into_iter().map(|problem| StoredProblem {
        calendar_id: Some(calendar_id),
        object: problem.uid,
        line: None,
        message: problem.message,
    }));

    let created = u64::from(stored.created);
    let mut held = None;
    if let Some(last) = &batch.last {
        let swept = sweep::sweep(tx, batch, last, &vanished, created).await?;
        if swept.is_held {
            let message = swept.message(&batch.calendar.name);
            let waiting = serde_json::json!({ "events": swept.doomed, "of": swept.stored, "run": run.id });
            batch.lease.hold(tx, waiting, &message).await?;
            held = Some(swept);
        } else {
            run.deleted_count += count(swept.doomed);
            let is_freed = swept.removed || stored.gave_up;
            if is_freed && events::twins_wait(tx, batch.calendar).await? {
                // Their turn has come, but the server only tells what changes: the next run compares everything.
                batch.lease.complete(tx, &state, &SyncCursor::default()).await?;
            } else {
                batch.lease.complete(tx, &state, last.cursor).await?;
            }
        }
    }

    run.created_count += count(created);
    run.updated_count += count(u64::from(stored.updated));
    run.processed_count += count(batch.processed);
    run.calendar_id = Some(calendar_id);
    run.percent = batch.percent.or(run.percent);
    run.problem_count += count(problems.len() as u64);
    remember(&mut run, problems)?;
    run.updated_at = tx.now();
    let run = tx.update(run.into_active_model().reset_all()).await?;
    if batch.announce {
        tx.announce(Topic::Sync(run.integration_id), &run.id)?;
    }
    Ok(Applied::Stored {
        run: Box::new(run),
        created,
        vanished,
        twins,
        held,
    })
}

impl Batch<'_> {
    /// Whether the object with this key goes in this run: it is gone at the provider, or its address shares its events otherwise now.
    fn is_leaving(&self, key: &str) -> bool {
        let address = address_of(key);
        let was_shared = key != address;
        self.doomed.addresses.contains(address)
            || self.doomed.keys.contains(key)
            || self
                .items
                .iter()
                .any(|item| item.address == address && item.is_shared != was_shared)
    }
}

fn count(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn remember(run: &mut sync_run::Model, problems: Vec<StoredProblem>) -> Result<()> {
    if let Some(list) = run.problems.as_array_mut() {
        let room = MAX_PROBLEMS.saturating_sub(list.len());
        for problem in problems.into_iter().take(room) {
            list.push(serde_json::to_value(problem).map_err(crate::kernel::Error::internal)?);
        }
    }
    Ok(())
}

/// Links at the addresses of a batch whose event is no longer there. Usually an address holds one event and its link is overwritten; this
/// is about addresses that hold several, did so before, or hold none now.
async fn vanished(tx: &Tx, batch: &Batch<'_>) -> Result<Vec<String>> {
    if batch.present.is_empty() {
        return Ok(Vec::new());
    }
    let links = || {
        let select = tx
            .find::<Entity>()
            .select_only()
            .column(Column::Href)
            .column(Column::Uid);
        select.filter(Column::CalendarId.eq(batch.calendar.id))
    };
    let uids = batch.items.iter().map(|item| item.object.uid.as_str());
    let were_parts = links()
        .filter(Column::Uid.is_in(uids))
        .filter(Column::Href.contains("#"));
    let were_parts: Vec<(String, String)> = were_parts.into_tuple().all(tx.conn()).await?;
    let filled: HashSet<&str> = batch.items.iter().map(|item| item.address.as_str()).collect();
    let mut suspects: BTreeSet<&str> = were_parts.iter().map(|(key, _)| address_of(key)).collect();
    suspects.extend(
        batch
            .items
            .iter()
            .filter(|item| item.is_shared)
            .map(|item| item.address.as_str()),
    );
    suspects.extend(
        batch
            .present
            .keys()
            .map(String::as_str)
            .filter(|address| !filled.contains(address)),
    );

    let expected: HashSet<String> = batch.items.iter().map(Item::key).collect();
    let mut vanished = Vec::new();
    for address in suspects {
        let Some(unreadable) = batch.present.get(address) else {
            continue;
        };
        let here = Condition::any()
            .add(Column::Href.eq(address))
            .add(Column::Href.starts_with(format!("{address}#")));
        let rows: Vec<(String, String)> = links().filter(here).into_tuple().all(tx.conn()).await?;
        // The pattern may match more: `_` and `%` in an address stand for anything.
        let rows = rows.into_iter().filter(|(key, _)| address_of(key) == address);
        let gone = rows.filter(|(key, uid)| !expected.contains(key) && !unreadable.contains(uid));
        vanished.extend(gone.map(|(key, _)| key));
    }
    Ok(vanished)
}
