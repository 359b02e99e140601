//! Telling people what is due soon. Promises: each due date of a task is told once to whoever has the task then; a task that was made a
//! moment ago is not told of at once.

use std::collections::HashMap;

use chrono::TimeDelta;
use entity::enums::{NotificationType, TaskStatus};
use entity::ids::{TypedId as _, UserId};
use entity::{membership, task, task_notice, user_preferences};
use jiff::tz::TimeZone;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set};

use super::words;
use crate::features::notifications::{self, NewNotification};
use crate::kernel::actor::Actor;
use crate::kernel::changes::ObjectType;
use crate::kernel::time::Instant;
use crate::kernel::{Result, zones};
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};
use crate::platform::jobs::{JobError, RunningJob};

/// Tasks of one transaction.
const PAGE: u64 = 200;
/// Transactions of one job; what is left waits for the next minute.
const PAGES: usize = 100;
/// How long before it is due a task is told of.
const AHEAD: TimeDelta = TimeDelta::hours(24);
/// How long a new task is fresh in mind, and the last moment in which it is told of all the same.
const FRESH: TimeDelta = TimeDelta::hours(1);

/// Tells of tasks that are due soon: a part of the job of [`crate::kernel::jobs::Payload::TellWhatIsDue`].
pub async fn tell_due(platform: &Platform, job: &RunningJob) -> std::result::Result<(), JobError> {
    for _ in 0..PAGES {
        if job.cancel.is_cancelled() {
            return Err(JobError::Cancelled);
        }
        let body = |tx: Tx| async move { page_in(&tx).await };
        let count = platform.write(Scope::System, Actor::system(), body).await?;
        if count < PAGE {
            break;
        }
    }
    Ok(())
}

async fn page_in(tx: &Tx) -> Result<u64> {
    let select = tx
        .find::<task::Entity>()
        .filter(is_due(tx.now()))
        .order_by_asc(task::Column::DueAt)
        .limit(PAGE);
    let rows = select.all(tx.conn()).await?;
    let people: Vec<UserId> = rows.iter().filter_map(|row| row.assignee_id).collect();
    let zones = zones_of(tx, &people).await?;
    let mut notices = Vec::with_capacity(rows.len());
    for row in &rows {
        let (Some(user_id), Some(due)) = (row.assignee_id, row.due_at) else {
            continue;
        };
        let zone = zones.get(&user_id).cloned().unwrap_or(TimeZone::UTC);
        notifications::notify_in(tx, notification(row, user_id, due, &zone)).await?;
        notices.push(task_notice::ActiveModel {
            workspace_id: Set(row.workspace_id),
            task_id: Set(row.id),
            user_id: Set(user_id),
            due_at: Set(due),
            created_at: Set(tx.now()),
            updated_at: Set(tx.now()),
        });
    }
    use task_notice::Column;
    let replace = OnConflict::column(Column::TaskId)
        .update_columns([Column::UserId, Column::DueAt, Column::UpdatedAt])
        .to_owned();
    tx.upsert_many(notices, replace).await?;
    Ok(rows.len() as u64)
}

/// Open tasks of members that are due soon, and whose person was not told of this date.
fn is_due(now: Instant) -> Condition {
    use task::Column;
    let own = |column: Column| Expr::col((task::Entity, column));
    let told = Query::select()
        .expr(Expr::val(1))
        .from(task_notice::Entity)
        .and_where(Expr::col((task_notice::Entity, task_notice::Column::TaskId)).eq(own(Column::Id)))
        .and_where(Expr::col((task_notice::Entity, task_notice::Column::DueAt)).eq(own(Column::DueAt)))
        .and_where(Expr::col((task_notice::Entity, task_notice::Column::UserId)).eq(own(Column::AssigneeId)))
        .take();
    let member = Query::select()
        .expr(Expr::val(1))
        .from(membership::Entity)
        .and_where(
            Expr::col((membership::Entity, membership::Column::WorkspaceId)).eq(own(Column::WorkspaceId)),
        )
        .and_where(Expr::col((membership::Entity, membership::Column::UserId)).eq(own(Column::AssigneeId)))
        .take();
    Condition::all()
        .add(Column::DueAt.gt(now))
        .add(Column::DueAt.lte(now + AHEAD))
        .add(Column::AssigneeId.is_not_null())
        .add(Column::CompletedAt.is_null())
        .add(Column::Status.is_in([TaskStatus::Todo, TaskStatus::InProgress]))
        .add(
            Condition::any()
                .add(Column::CreatedAt.lte(now - FRESH))
                .add(Column::DueAt.lte(now + FRESH)),
        )
        .add(Expr::exists(told).not())
        .add(Expr::exists(member))
}

fn notification(row: &task::Model, user_id: UserId, due: Instant, zone: &TimeZone) -> NewNotification {
    NewNotification {
        user_id,
        workspace_id: Some(row.workspace_id),
        r#type: NotificationType::TaskDue,
        title: format!("“{}” is due soon", row.title),
        body: Some(words::due(due, zone)),
        subject: Some((ObjectType::Task, row.id.uuid())),
        dedup_key: Some(format!("task-due:{}:{}", row.id, due.timestamp_micros())),
    }
}

async fn zones_of(tx: &Tx, people: &[UserId]) -> Result<HashMap<UserId, TimeZone>> {
    use user_preferences::{Column, Entity};
    let select = tx
        .find_global::<Entity>()
        .select_only()
        .column(Column::UserId)
        .column(Column::TimeZone)
        .filter(Column::UserId.is_in(people.iter().copied()));
    let rows: Vec<(UserId, String)> = select.into_tuple().all(tx.conn()).await?;
    let zone = |(id, name): (UserId, String)| (id, zones::stored(&name).unwrap_or(TimeZone::UTC));
    Ok(rows.into_iter().map(zone).collect())
}
