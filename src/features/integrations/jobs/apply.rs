//! One page in one transaction: events, the links to their objects, the counts of the run, and with the last page the sweep and the cursor.

use std::collections::{HashMap, HashSet};

use entity::external_event_link::{self, Column, Entity};
use entity::ids::{CalendarEventId, CalendarId};
use entity::{calendar, calendar_event, sync_run};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, IntoActiveModel as _, QueryFilter as _,
    QuerySelect as _, Set,
};

use super::known::address_of;
use super::lease::{Lease, Standing};
use super::parse::Item;
use super::sweep::{self, Doomed, Swept};
use crate::features::events::{self, ical::ParsedObject};
use crate::features::integrations::model::StoredProblem;
use crate::features::integrations::providers::SyncCursor;
use crate::features::integrations::rules::MAX_PROBLEMS;
use crate::kernel::Result;
use crate::kernel::changes::Topic;
use crate::platform::db::Tx;

/// What one transaction stores.
pub(super) struct Batch<'a> {
    pub(super) lease: &'a Lease,
    pub(super) calendar: &'a calendar::Model,
    /// The run as it was last stored.
    pub(super) run: &'a sync_run::Model,
    pub(super) items: &'a [Item],
    /// UIDs at addresses that were read whole; what else came from there is gone.
    pub(super) present: &'a HashMap<String, HashSet<String>>,
    pub(super) problems: &'a [StoredProblem],
    /// How many objects this batch deals with.
    pub(super) processed: u64,
    pub(super) percent: Option<i32>,
    /// Whether watchers are told.
    pub(super) announce: bool,
    /// Set for the last batch of the calendar.
    pub(super) last: Option<Last<'a>>,
}

/// What the end of a calendar adds.
pub(super) struct Last<'a> {
    pub(super) cursor: &'a SyncCursor,
    pub(super) doomed: &'a Doomed,
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

    let links = links(tx, batch).await?;
    let by_place: HashMap<(&str, &str), &external_event_link::Model> = links
        .iter()
        .map(|link| ((address_of(&link.href), link.uid.as_str()), link))
        .collect();
    let keys: HashMap<&str, &str> = links.iter().map(|link| (link.href.as_str(), link.uid.as_str())).collect();
    let (mut changed, mut touched): (Vec<&Item>, Vec<(&Item, CalendarEventId)>) = Default::default();
    let mut seen = HashSet::new();
    for item in batch.items {
        let uid = item.object.uid.as_str();
        if !seen.insert(uid) {
            problems.push(StoredProblem {
                calendar_id: Some(calendar_id),
                object: item.address.clone(),
                line: None,
                message: "Another object of this calendar has the same UID; this one was left out.".into(),
            });
            continue;
        }
        let link = by_place.get(&(item.address.as_str(), uid));
        let same = link.filter(|link| link.content_hash.as_deref() == Some(item.object.hash.as_slice()));
        match same.and_then(|link| Some((link, link.event_id?))) {
            // An echo, or a server that renews its etags: nothing is written but the etag.
            Some((link, event_id)) => {
                if link.etag != item.etag {
                    touched.push((item, event_id));
                }
            }
            None => changed.push(item),
        }
    }

    let objects: Vec<ParsedObject> = changed.iter().map(|item| item.object.clone()).collect();
    let stored = events::store_parsed(tx, batch.calendar, objects).await?;
    problems.extend(stored.problems.into_iter().map(|problem| StoredProblem {
        calendar_id: Some(calendar_id),
        object: problem.uid.unwrap_or_default(),
        line: problem.line,
        message: problem.message,
    }));
    let ids = event_ids(tx, calendar_id, &changed).await?;
    touched.extend(changed.iter().filter_map(|item| Some((*item, *ids.get(&item.object.uid)?))));
    let rows = touched.iter().map(|(item, event_id)| {
        let uid = item.object.uid.as_str();
        let old = by_place.get(&(item.address.as_str(), uid)).map(|link| link.href.clone());
        let key = old.unwrap_or_else(|| key_of(item, &keys));
        link_row(tx, batch, item, key, *event_id)
    });
    upsert(tx, rows.collect()).await?;

    let vanished: Vec<String> = links
        .iter()
        .filter(|link| {
            let present = batch.present.get(address_of(&link.href));
            present.is_some_and(|uids| !uids.contains(&link.uid))
        })
        .map(|link| link.href.clone())
        .collect();

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
            batch.lease.complete(tx, &state, last.cursor).await?;
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
        held,
    })
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

/// Links of the addresses and of the UIDs of a batch, and all links of addresses that hold several events.
async fn links(tx: &Tx, batch: &Batch<'_>) -> Result<Vec<external_event_link::Model>> {
    if batch.items.is_empty() && batch.present.is_empty() {
        return Ok(Vec::new());
    }
    let uids = batch.items.iter().map(|item| item.object.uid.as_str());
    let addresses = batch.present.keys().map(String::as_str);
    let select = tx.find::<Entity>().filter(Column::CalendarId.eq(batch.calendar.id));
    let either = Condition::any()
        .add(Column::Uid.is_in(uids))
        .add(Column::Href.is_in(addresses));
    let mut rows = select.filter(either).all(tx.conn()).await?;
    let mut found: HashSet<String> = rows.iter().map(|row| row.href.clone()).collect();
    let mut shared: Vec<&str> = batch
        .present
        .keys()
        .map(String::as_str)
        .filter(|address| {
            let is_part = |row: &external_event_link::Model| row.href != *address && address_of(&row.href) == *address;
            rows.iter().any(is_part) || batch.items.iter().any(|item| item.is_shared && item.address == **address)
        })
        .collect();
    shared.sort_unstable();
    let mut more = Vec::new();
    for address in shared {
        let select = tx.find::<Entity>().filter(Column::CalendarId.eq(batch.calendar.id));
        let parts = select.filter(Column::Href.starts_with(format!("{address}#")));
        // The pattern may match more: `_` and `%` in an address stand for anything.
        let parts = parts.all(tx.conn()).await?;
        more.extend(parts.into_iter().filter(|row| address_of(&row.href) == address));
    }
    more.retain(|row| found.insert(row.href.clone()));
    rows.append(&mut more);
    Ok(rows)
}

/// A key for a new link: the address, or with the UID when the address is shared or was used for another event.
fn key_of(item: &Item, taken: &HashMap<&str, &str>) -> String {
    let is_free = taken.get(item.address.as_str()).is_none_or(|uid| *uid == item.object.uid);
    if !item.is_shared && is_free {
        return item.address.clone();
    }
    format!("{}#{}", item.address, item.object.uid)
}

async fn event_ids(
    tx: &Tx,
    calendar_id: CalendarId,
    items: &[&Item],
) -> Result<HashMap<String, CalendarEventId>> {
    if items.is_empty() {
        return Ok(HashMap::new());
    }
    let uids = items.iter().map(|item| item.object.uid.as_str());
    let rows: Vec<(String, CalendarEventId)> = tx
        .find::<calendar_event::Entity>()
        .select_only()
        .column(calendar_event::Column::Uid)
        .column(calendar_event::Column::Id)
        .filter(calendar_event::Column::CalendarId.eq(calendar_id))
        .filter(calendar_event::Column::Uid.is_in(uids))
        .into_tuple()
        .all(tx.conn())
        .await?;
    Ok(rows.into_iter().collect())
}

fn link_row(
    tx: &Tx,
    batch: &Batch<'_>,
    item: &Item,
    key: String,
    event_id: CalendarEventId,
) -> external_event_link::ActiveModel {
    external_event_link::ActiveModel {
        id: Set(tx.ids().next()),
        calendar_id: Set(batch.calendar.id),
        event_id: Set(Some(event_id)),
        href: Set(key),
        uid: Set(item.object.uid.clone()),
        etag: Set(item.etag.clone()),
        content_hash: Set(Some(item.object.hash.to_vec())),
        base: Set(None),
        pushed_version: Set(None),
        last_seen_run: Set(Some(batch.run.id)),
        tombstoned_at: Set(None),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    }
}

async fn upsert(tx: &Tx, rows: Vec<external_event_link::ActiveModel>) -> Result<()> {
    let mut replace = OnConflict::columns([Column::CalendarId, Column::Href]);
    replace.update_columns([
        Column::EventId,
        Column::Uid,
        Column::Etag,
        Column::ContentHash,
        Column::LastSeenRun,
        Column::UpdatedAt,
    ]);
    tx.upsert_many(rows, replace).await
}
