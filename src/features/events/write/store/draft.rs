//! From objects to rows: which events go on existing, which are new.

use std::collections::{HashMap, HashSet};

use entity::{calendar, calendar_event};
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use super::{CHUNK, RemoteObject};
use crate::features::events::NewReminder;
use crate::features::events::ical::{ParsedEvent, ParsedObject};
use crate::features::events::remote::{self, RemoteException, RemotePerson};
use crate::features::events::write::create;
use crate::kernel::{Result, zones};
use crate::platform::db::Tx;

/// An event that is about to be stored, with all that hangs on it.
pub(super) struct Draft {
    pub(super) row: calendar_event::Model,
    pub(super) is_new: bool,
    pub(super) exceptions: Vec<RemoteException>,
    pub(super) people: Vec<RemotePerson>,
    pub(super) reminders: Vec<NewReminder>,
}

/// The rows of these objects as they are stored.
pub(super) async fn existing(
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
pub(super) fn draft(
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
        // PostgreSQL stores every character but this one.
        row.source_ics = Some(parsed.text.replace('\0', ""));
        remote::write(&mut row, event, &calendar.time_zone);
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
            remote::extend_end(&mut draft.row, &draft.exceptions);
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
    let created = event.created.map(zones::to_chrono).filter(|at| *at <= tx.now());
    calendar_event::Model {
        recurrence_id,
        uid: parsed.uid.clone(),
        created_at: created.unwrap_or(tx.now()),
        // Nobody when a sync stores it; whoever imports a file may see what is private in it.
        created_by: tx.actor().user_id,
        ..create::blank(tx, calendar.id)
    }
}
