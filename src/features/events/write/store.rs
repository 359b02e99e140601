//! Storing what a sync has read: pages of objects with few statements, whatever their number.
//!
//! Promises: an object whose content is as it was changes nothing; an event keeps its id, its links to tasks and the reminders of its
//! people; a bad object is a problem and never stops the others. Runs in the transaction of the sync, which holds the calendar's lease.

mod rows;

use std::collections::{HashMap, HashSet};

use entity::enums::ChangeAction;
use entity::ids::{CalendarEventId, SyncRunId, TypedId as _, UserId};
use entity::{attendee, calendar, calendar_event, event_override, external_event_link, reminder};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, Iterable as _, QueryFilter as _,
    QuerySelect as _,
};

use rows::{attendee_row, link_row, override_row};

use super::people;
use crate::features::events::ical::{ParsedEvent, ParsedObject};
use crate::features::events::read::members_by_email;
use crate::features::events::remote::{self, MAX_INDEXED, RemoteException, RemotePerson};
use crate::kernel::Result;
use crate::platform::db::Tx;

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

/// An event that is about to be stored, with all that hangs on it.
struct Draft {
    row: calendar_event::Model,
    is_new: bool,
    exceptions: Vec<RemoteException>,
    people: Vec<RemotePerson>,
    reminders: Vec<crate::features::events::NewReminder>,
}

type Link = external_event_link::Model;

/// Stores a page of objects: creates what is new, changes what changed, and remembers which object is which event. Objects are
/// marked as seen by `run`.
pub async fn store_parsed(
    tx: &Tx,
    calendar: &calendar::Model,
    run: Option<SyncRunId>,
    objects: Vec<RemoteObject>,
) -> Result<Stored> {
    let mut stored = Stored::default();
    let objects = storable(objects, &mut stored);
    let links = links_of(tx, calendar, &objects).await?;
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
    // What was at these addresses before is gone.
    let keys: HashSet<&str> = changed.iter().map(|object| object.key.as_str()).collect();
    drop_uids(tx, calendar, &renamed, &keys).await?;

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
    save(tx, calendar, drafts).await?;
    save_links(tx, fresh).await?;
    Ok(stored)
}

/// Leaves out what the database cannot hold, and second copies of an object.
fn storable(objects: Vec<RemoteObject>, stored: &mut Stored) -> Vec<RemoteObject> {
    let mut uids = HashSet::new();
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
        if !uids.insert(object.object.uid.clone()) || !keys.insert(object.key.clone()) {
            return Some("Another object of the calendar has the same UID, so this one was left out.");
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

async fn links_of(
    tx: &Tx,
    calendar: &calendar::Model,
    objects: &[RemoteObject],
) -> Result<HashMap<String, Link>> {
    let mut links = HashMap::with_capacity(objects.len());
    for chunk in objects.chunks(CHUNK) {
        let select = tx
            .find::<external_event_link::Entity>()
            .filter(external_event_link::Column::CalendarId.eq(calendar.id))
            .filter(external_event_link::Column::Href.is_in(chunk.iter().map(|object| object.key.clone())));
        links.extend(
            select
                .all(tx.conn())
                .await?
                .into_iter()
                .map(|link| (link.href.clone(), link)),
        );
    }
    Ok(links)
}

/// Whether the object is what was stored last. One that shows no event may have none.
fn is_same(link: &Link, object: &RemoteObject) -> bool {
    link.content_hash.as_deref() == Some(object.object.hash.as_slice())
        && link.uid == object.object.uid
        && link.tombstoned_at.is_none()
        && (link.event_id.is_some() || object.object.master.is_none())
}

/// The rows of these objects as they are stored.
async fn existing(
    tx: &Tx,
    calendar: &calendar::Model,
    objects: &[RemoteObject],
) -> Result<HashMap<String, Vec<calendar_event::Model>>> {
    let mut rows: HashMap<String, Vec<calendar_event::Model>> = HashMap::new();
    for chunk in objects.chunks(CHUNK) {
        let select = tx
            .find::<calendar_event::Entity>()
            .filter(calendar_event::Column::CalendarId.eq(calendar.id))
            .filter(calendar_event::Column::Uid.is_in(chunk.iter().map(|object| object.object.uid.clone())));
        for row in select.all(tx.conn()).await? {
            rows.entry(row.uid.clone()).or_default().push(row);
        }
    }
    Ok(rows)
}

/// Makes the rows of one object; takes those that go on existing out of `before`.
fn draft(
    tx: &Tx,
    calendar: &calendar::Model,
    object: &RemoteObject,
    before: &mut Vec<calendar_event::Model>,
    drafts: &mut Vec<Draft>,
) {
    let parsed = &object.object;
    let mut add = |event: &ParsedEvent, recurrence_id: Option<String>| {
        let known = before.iter().position(|row| row.recurrence_id == recurrence_id);
        let known = known.map(|index| before.swap_remove(index));
        let is_new = known.is_none();
        let mut row = known.unwrap_or_else(|| blank(tx, calendar, parsed, event, recurrence_id));
        row.version += 1;
        row.updated_at = tx.now();
        row.source_ics = Some(parsed.text.clone());
        remote::write(&mut row, event, calendar);
        drafts.push(Draft {
            exceptions: Vec::new(),
            people: remote::people(event),
            reminders: if is_new {
                remote::reminders(event)
            } else {
                Vec::new()
            },
            is_new,
            row,
        });
    };
    if let Some(master) = &parsed.master {
        add(master, None);
        if let Some(draft) = drafts.last_mut() {
            draft.exceptions = remote::exceptions(&draft.row, master, &parsed.overrides);
        }
        return;
    }
    let shown = parsed.overrides.iter().filter(|changed| !changed.cancelled);
    let mut seen = HashSet::new();
    for changed in shown.filter(|changed| remote::has_storable_times(&changed.event)) {
        let recurrence_id = remote::orphan_id(changed);
        if seen.insert(recurrence_id.clone()) {
            add(&changed.event, Some(recurrence_id));
        }
    }
}

/// A row that was not there yet; `remote::write` fills in the rest.
fn blank(
    tx: &Tx,
    calendar: &calendar::Model,
    parsed: &ParsedObject,
    event: &ParsedEvent,
    recurrence_id: Option<String>,
) -> calendar_event::Model {
    let created = event
        .created
        .map(crate::kernel::zones::to_chrono)
        .filter(|at| *at <= tx.now());
    calendar_event::Model {
        recurrence_id,
        uid: parsed.uid.clone(),
        created_at: created.unwrap_or(tx.now()),
        ..super::blank(tx, calendar.id)
    }
}

/// Stores rows with their exceptions, guests and reminders.
async fn save(tx: &Tx, calendar: &calendar::Model, drafts: Vec<Draft>) -> Result<()> {
    if drafts.is_empty() {
        return Ok(());
    }
    let old: Vec<CalendarEventId> = drafts
        .iter()
        .filter(|draft| !draft.is_new)
        .map(|draft| draft.row.id)
        .collect();
    let members = members_of(tx, &drafts).await?;
    let (mut rows, mut overrides, mut attendees, mut reminders) = (vec![], vec![], vec![], vec![]);
    for draft in drafts {
        let action = if draft.is_new {
            ChangeAction::Created
        } else {
            ChangeAction::Updated
        };
        tx.event_change(action, draft.row.id.uuid(), calendar.id);
        overrides.extend(
            draft
                .exceptions
                .into_iter()
                .map(|exception| override_row(tx, &draft.row, exception)),
        );
        attendees.extend(
            draft
                .people
                .into_iter()
                .map(|person| attendee_row(tx, &draft.row, person, &members)),
        );
        if let Some(owner) = calendar.owner_id {
            let new = draft.reminders.into_iter();
            reminders.extend(new.map(|reminder| people::reminder_row(tx, &draft.row, owner, reminder)));
        }
        rows.push(draft.row.into_active_model().reset_all());
    }
    for chunk in old.chunks(CHUNK) {
        let delete = tx.delete_many::<event_override::Entity>();
        delete
            .filter(event_override::Column::EventId.is_in(chunk.iter().copied()))
            .exec(tx.conn())
            .await?;
        let delete = tx.delete_many::<attendee::Entity>();
        delete
            .filter(attendee::Column::EventId.is_in(chunk.iter().copied()))
            .exec(tx.conn())
            .await?;
    }
    let mut replace = OnConflict::column(calendar_event::Column::Id);
    let is_kept = |column: &calendar_event::Column| {
        use calendar_event::Column::{CalendarId, CreatedAt, Id, WorkspaceId};
        matches!(column, Id | WorkspaceId | CalendarId | CreatedAt)
    };
    replace.update_columns(calendar_event::Column::iter().filter(|column| !is_kept(column)));
    tx.upsert_many::<calendar_event::ActiveModel>(rows, replace)
        .await?;
    tx.insert_many::<event_override::ActiveModel>(overrides).await?;
    tx.insert_many::<attendee::ActiveModel>(attendees).await?;
    tx.insert_many::<reminder::ActiveModel>(reminders).await?;
    renew_reminders(tx, &old).await
}

/// Ties reminders to the new versions of their events.
async fn renew_reminders(tx: &Tx, ids: &[CalendarEventId]) -> Result<()> {
    for chunk in ids.chunks(CHUNK) {
        let version = Query::select()
            .column((calendar_event::Entity, calendar_event::Column::Version))
            .from(calendar_event::Entity)
            .and_where(
                Expr::col((calendar_event::Entity, calendar_event::Column::Id))
                    .equals((reminder::Entity, reminder::Column::EventId)),
            )
            .take();
        tx.update_many::<reminder::Entity>()
            .col_expr(
                reminder::Column::EventVersion,
                Expr::SubQuery(None, Box::new(version.into())),
            )
            .filter(reminder::Column::EventId.is_in(chunk.iter().copied()))
            .exec(tx.conn())
            .await?;
    }
    Ok(())
}

async fn members_of(tx: &Tx, drafts: &[Draft]) -> Result<HashMap<String, UserId>> {
    let emails: HashSet<&String> = drafts
        .iter()
        .flat_map(|draft| &draft.people)
        .map(|person| &person.email)
        .collect();
    let emails: Vec<String> = emails.into_iter().cloned().collect();
    let mut members = HashMap::new();
    for chunk in emails.chunks(CHUNK) {
        members.extend(members_by_email(tx, chunk.to_vec()).await?);
    }
    Ok(members)
}

async fn save_links(tx: &Tx, links: Vec<external_event_link::ActiveModel>) -> Result<()> {
    use external_event_link::Column;
    let mut replace = OnConflict::columns([Column::CalendarId, Column::Href]);
    replace.update_columns([
        Column::EventId,
        Column::Uid,
        Column::Etag,
        Column::ContentHash,
        Column::LastSeenRun,
        Column::TombstonedAt,
        Column::UpdatedAt,
    ]);
    tx.upsert_many(links, replace).await
}

/// Removes the objects with these keys: their events, unless another object of the calendar has the same UID, and their links.
/// Returns how many events are gone.
pub async fn remove_objects(tx: &Tx, calendar: &calendar::Model, keys: &[String]) -> Result<u32> {
    use external_event_link::Column;
    let mut removed = 0;
    for chunk in keys.chunks(CHUNK) {
        let here = || {
            Column::CalendarId
                .eq(calendar.id)
                .and(Column::Href.is_in(chunk.iter().cloned()))
        };
        let select = tx
            .find::<external_event_link::Entity>()
            .select_only()
            .column(Column::Uid)
            .filter(here());
        let uids: Vec<String> = select.into_tuple().all(tx.conn()).await?;
        tx.delete_many::<external_event_link::Entity>()
            .filter(here())
            .exec(tx.conn())
            .await?;
        removed += drop_uids(tx, calendar, &uids, &HashSet::new()).await?;
    }
    Ok(removed)
}

/// Removes the events with these UIDs that no object is linked to any more, links with the keys in `but` aside.
async fn drop_uids(tx: &Tx, calendar: &calendar::Model, uids: &[String], but: &HashSet<&str>) -> Result<u32> {
    if uids.is_empty() {
        return Ok(0);
    }
    use external_event_link::Column;
    let linked: Vec<(String, String)> = tx
        .find::<external_event_link::Entity>()
        .select_only()
        .column(Column::Href)
        .column(Column::Uid)
        .filter(Column::CalendarId.eq(calendar.id))
        .filter(Column::Uid.is_in(uids.iter().cloned()))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let linked: HashSet<String> = linked
        .into_iter()
        .filter(|(key, _)| !but.contains(key.as_str()))
        .map(|(_, uid)| uid)
        .collect();
    let gone = uids.iter().filter(|uid| !linked.contains(*uid)).cloned();
    let events: Vec<CalendarEventId> = tx
        .find::<calendar_event::Entity>()
        .select_only()
        .column(calendar_event::Column::Id)
        .filter(calendar_event::Column::CalendarId.eq(calendar.id))
        .filter(calendar_event::Column::Uid.is_in(gone))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
    delete_events(tx, calendar, events).await?;
    Ok(count)
}

async fn delete_events(tx: &Tx, calendar: &calendar::Model, ids: Vec<CalendarEventId>) -> Result<()> {
    for chunk in ids.chunks(CHUNK) {
        let delete = tx.delete_many::<calendar_event::Entity>();
        delete
            .filter(calendar_event::Column::Id.is_in(chunk.iter().copied()))
            .exec(tx.conn())
            .await?;
    }
    for id in ids {
        tx.event_change(ChangeAction::Deleted, id.uuid(), calendar.id);
    }
    Ok(())
}
