//! One batch in one transaction: events, tasks, what was wrong with them, and how far the file is read.

use std::collections::HashMap;

use entity::ids::{CalendarId, TaskId};
use entity::{calendar, data_transfer};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _};

use crate::access::Ctx;
use crate::features::events;
use crate::features::events::ical::ParsedObject;
use crate::features::tasks::{self, ImportedTask, TaskImport};
use crate::features::transfers::jobs::{lock, parameters};
use crate::features::transfers::model::{Parameters, Problem};
use crate::features::transfers::rules::remember;
use crate::features::transfers::write::require_writable;
use crate::kernel::{Error, Result};
use crate::platform::db::Tx;

/// What one transaction stores.
#[derive(Default)]
pub(super) struct Batch {
    /// How many units of the file it deals with.
    pub(super) units: u64,
    /// Events with their lines.
    pub(super) events: Vec<(CalendarId, u32, ParsedObject)>,
    /// Tasks with their lines.
    pub(super) tasks: Vec<(u32, ImportedTask)>,
    /// What ties tasks to each other.
    pub(super) links: Vec<Link>,
    /// What was wrong when they were read.
    pub(super) problems: Vec<Problem>,
}

/// The parent of a task, and what it waits for.
pub(super) struct Link {
    pub(super) line: u32,
    pub(super) id: TaskId,
    pub(super) parent: Option<TaskId>,
    pub(super) depends_on: Vec<TaskId>,
}

/// How it went.
pub(super) enum Stored {
    Done,
    /// Another worker has the import now, or it is over.
    Lost,
    /// It cannot go on, for this reason.
    Refused(String),
}

/// Stores a batch that begins behind `done` units.
pub(super) async fn store(
    ctx: &Ctx,
    transfer: &data_transfer::Model,
    done: u64,
    batch: &Batch,
) -> Result<Stored> {
    ctx.write(|tx| async move { store_in(&tx, ctx, transfer, done, batch).await })
        .await
}

async fn store_in(
    tx: &Tx,
    ctx: &Ctx,
    transfer: &data_transfer::Model,
    done: u64,
    batch: &Batch,
) -> Result<Stored> {
    let Some(mut row) = lock(tx, transfer.id).await? else {
        return Ok(Stored::Lost);
    };
    let mut counts = parameters(&row)?;
    if counts.done != done {
        return Ok(Stored::Lost);
    }
    let mut problems = batch.problems.clone();
    let mut written = 0;
    let mut calendars: Vec<CalendarId> = batch.events.iter().map(|(calendar, ..)| *calendar).collect();
    calendars.sort_unstable_by_key(|id| id.0);
    calendars.dedup();
    for id in calendars {
        let select = tx.find::<calendar::Entity>().filter(calendar::Column::Id.eq(id));
        let Some(calendar) = select.one(tx.conn()).await? else {
            return Ok(Stored::Refused("The calendar was deleted meanwhile.".into()));
        };
        if let Err(error) = require_writable(ctx, &calendar, "") {
            return Ok(Stored::Refused(error.to_string()));
        }
        let own = batch.events.iter().filter(|(calendar, ..)| *calendar == id);
        let lines: HashMap<&str, u32> = own
            .clone()
            .map(|(_, line, object)| (object.uid.as_str(), *line))
            .collect();
        let objects = own.map(|(.., object)| object.clone()).collect();
        let stored = events::import_in(tx, &calendar, objects).await?;
        written += stored.created + stored.updated + stored.unchanged;
        counts.created += stored.created;
        counts.updated += stored.updated;
        counts.unchanged += stored.unchanged;
        problems.extend(stored.problems.into_iter().map(|problem| Problem {
            position: lines.get(problem.uid.as_str()).copied(),
            message: problem.message,
        }));
    }
    written += store_tasks(tx, ctx, batch, &mut counts, &mut problems).await?;
    for link in &batch.links {
        let notes = tasks::link_in(tx, link.id, link.parent, &link.depends_on).await?;
        problems.extend(notes.into_iter().map(|message| Problem {
            position: Some(link.line),
            message,
        }));
    }
    counts.done = done + batch.units;
    counts.problems += remember(&mut row.problems, &problems)?;
    row.parameters = serde_json::to_value(counts).map_err(Error::internal)?;
    row.processed_count = row
        .processed_count
        .saturating_add(i32::try_from(written).unwrap_or(i32::MAX));
    row.updated_at = tx.now();
    tx.update(row.into_active_model().reset_all()).await?;
    Ok(Stored::Done)
}

async fn store_tasks(
    tx: &Tx,
    ctx: &Ctx,
    batch: &Batch,
    counts: &mut Parameters,
    problems: &mut Vec<Problem>,
) -> Result<u32> {
    if batch.tasks.is_empty() {
        return Ok(0);
    }
    let imported: Vec<ImportedTask> = batch.tasks.iter().map(|(_, task)| task.clone()).collect();
    let outcomes = tasks::import_in(tx, ctx.user_id(), &imported).await?;
    let mut written = 0;
    for ((line, _), (outcome, notes)) in batch.tasks.iter().zip(outcomes) {
        let told = match outcome {
            TaskImport::Created => {
                counts.created += 1;
                None
            }
            TaskImport::Updated => {
                counts.updated += 1;
                None
            }
            TaskImport::Unchanged => {
                counts.unchanged += 1;
                None
            }
            TaskImport::Refused(message) => Some(message),
        };
        written += u32::from(told.is_none());
        problems.extend(notes.into_iter().chain(told).map(|message| Problem {
            position: Some(*line),
            message,
        }));
    }
    Ok(written)
}
