//! Tasks that repeat: completing one stores the next, which takes the rule over. So a task that is opened and completed again does not
//! come twice, and a series has one open task at a time.

use std::collections::HashMap;

use entity::enums::{ChangeAction, TaskStatus};
use entity::ids::{TaskId, UserId};
use entity::{task, user_preferences};
use jiff::tz::TimeZone;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};

use super::checks::next_position;
use super::{record, storing};
use crate::features::tasks::repeats;
use crate::kernel::{Result, zones};
use crate::platform::db::Tx;

/// Most sub-tasks that come again with their task.
const MAX_COPIES: usize = 200;

/// Checks the rule that a task is about to have.
pub(super) async fn check(tx: &Tx, row: &mut task::Model) -> Result<()> {
    if let Some(text) = row.recurrence_rule.take() {
        let zone = zone_of(tx, row).await?;
        row.recurrence_rule = Some(repeats::check(&text, row, &zone, tx.now())?);
    }
    Ok(())
}

/// Stores what comes after a task that is being completed. Must be called before the task itself is saved.
pub(super) async fn follow(
    tx: &Tx,
    before: &task::Model,
    row: &mut task::Model,
) -> Result<Option<task::Model>> {
    let is_completed = row.status == TaskStatus::Done && before.status != TaskStatus::Done;
    if !is_completed || row.recurrence_rule.is_none() {
        return Ok(None);
    }
    let zone = zone_of(tx, row).await?;
    let Some(next) = repeats::next(row, &zone, tx.now()) else {
        return Ok(None);
    };
    let series = row.series_id.unwrap_or(row.id);
    row.series_id = Some(series);
    row.recurrence_rule = None;
    let mut copy = task::Model {
        start_after: next.start_after,
        due_at: next.due_at,
        recurrence_rule: Some(next.rule),
        ..fresh(tx, row)
    };
    if let Some(parent) = copy.parent_id {
        copy.position = next_position(tx, parent).await?;
    }
    let stored = store(tx, copy).await?;
    copy_sub_tasks(tx, row.id, stored.id, |at| {
        repeats::moved(at, next.later, &zone).unwrap_or(at)
    })
    .await?;
    Ok(Some(stored))
}

/// The task as it was before anybody worked on it.
fn fresh(tx: &Tx, row: &task::Model) -> task::Model {
    task::Model {
        id: tx.ids().next(),
        version: 1,
        status: TaskStatus::Todo,
        completed_minutes: 0,
        completed_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        ..row.clone()
    }
}

async fn store(tx: &Tx, row: task::Model) -> Result<task::Model> {
    tx.together(storing(tx, &row)).await?;
    record(tx, "task.created", ChangeAction::Created, row.id, None);
    Ok(row)
}

/// Sub-tasks come again too, level by level; those that repeat by themselves and those that were given up do not.
async fn copy_sub_tasks(
    tx: &Tx,
    from: TaskId,
    to: TaskId,
    moved: impl Fn(crate::kernel::time::Instant) -> crate::kernel::time::Instant,
) -> Result<()> {
    let mut copies: HashMap<TaskId, TaskId> = HashMap::from([(from, to)]);
    let mut level = vec![from];
    while !level.is_empty() && copies.len() <= MAX_COPIES {
        let select = tx
            .find::<task::Entity>()
            .filter(task::Column::ParentId.is_in(level))
            .filter(task::Column::RecurrenceRule.is_null())
            .filter(task::Column::SeriesId.is_null())
            .filter(task::Column::Status.ne(TaskStatus::Cancelled))
            .order_by_asc(task::Column::Position)
            .order_by_asc(task::Column::Id);
        let children = select.all(tx.conn()).await?;
        level = children.iter().map(|child| child.id).collect();
        for child in children {
            let parent = child.parent_id.and_then(|parent| copies.get(&parent).copied());
            let copy = task::Model {
                parent_id: parent,
                start_after: child.start_after.map(&moved),
                due_at: child.due_at.map(&moved),
                ..fresh(tx, &child)
            };
            let stored = store(tx, copy).await?;
            copies.insert(child.id, stored.id);
        }
    }
    Ok(())
}

/// The zone in which a task's days are meant: that of whoever does it.
async fn zone_of(tx: &Tx, row: &task::Model) -> Result<TimeZone> {
    let person: Option<UserId> = row.assignee_id.or(row.created_by);
    let Some(person) = person else {
        return Ok(TimeZone::UTC);
    };
    let select = tx
        .find_global::<user_preferences::Entity>()
        .filter(user_preferences::Column::UserId.eq(person));
    let row = select.one(tx.conn()).await?;
    Ok(row
        .and_then(|row| zones::stored(&row.time_zone))
        .unwrap_or(TimeZone::UTC))
}
