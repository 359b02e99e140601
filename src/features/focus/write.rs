//! Commands on focus sessions. Each is one transaction with its audit entry and its change; a session that runs in another workspace is
//! ended there before one is started here.

use entity::enums::{ChangeAction, FocusSessionStatus};
use entity::focus_session::{self, Column, Entity};
use entity::ids::{FocusSessionId, TaskId, TypedId as _, UserId, WorkspaceId};
use entity::task;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _,
    QuerySelect as _,
};

use super::model::NewFocusSession;
use super::read::{OPEN, open_of};
use super::rules::{self, PLANNED};
use crate::access::Ctx;
use crate::features::{people, tasks};
use crate::kernel::actions::{Action, Resource};
use crate::kernel::changes::ObjectType;
use crate::kernel::text::{Checks, MAX_DESCRIPTION};
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Audit, Scope, Tx, is_unique_violation};

/// Tries of a start while the same person starts sessions elsewhere.
const TRIES: usize = 4;

/// Starts a session; the one that has not ended, in whichever workspace the caller reaches, is ended first.
pub async fn start(ctx: &Ctx, new: NewFocusSession) -> Result<focus_session::Model> {
    ctx.require(Action::Edit, Resource::FocusSession)?;
    if new.task_id.is_some() {
        // The session will add its minutes to the task.
        ctx.require(Action::Edit, Resource::Task)?;
    }
    let user_id = ctx.require_person()?;
    let planned = match new.planned_minutes {
        Some(minutes) => minutes,
        None => {
            people::preferences(ctx.platform(), user_id)
                .await?
                .default_focus_minutes
        }
    };
    let mut checks = Checks::default();
    checks.range("input.plannedMinutes", planned, *PLANNED.start(), *PLANNED.end());
    checks.finish()?;
    for _ in 0..TRIES {
        end_elsewhere(ctx, user_id).await?;
        let started = ctx.write(|tx| async move { start_in(&tx, user_id, new.task_id, planned).await });
        match started.await {
            // Started at the same moment by the same person: that one is ended, or this one is told so.
            Err(error) if is_unique_violation(&error) => {}
            other => return other,
        }
    }
    let message = "Another session was started at the same moment. Try again.";
    Err(Error::user(UserErrorCode::InvalidState, "", message))
}

/// Ends a session of the person that runs in another workspace. The server does it, because they may have left that workspace.
async fn end_elsewhere(ctx: &Ctx, user_id: UserId) -> Result<()> {
    let platform = ctx.platform();
    let open = open_of(&platform.db.read(Scope::System).await?, user_id).await?;
    let Some(place) = open
        .map(|row| row.workspace_id)
        .filter(|place| *place != ctx.workspace_id())
    else {
        return Ok(());
    };
    if ctx.is_confined() {
        let message = "A session runs in a workspace that this API token does not reach. End that one first.";
        return Err(Error::user(UserErrorCode::InvalidState, "", message));
    }
    Ctx::system(platform, place)
        .write(|tx| async move { end_running_in(&tx, user_id).await })
        .await
}

async fn start_in(
    tx: &Tx,
    user_id: UserId,
    task_id: Option<TaskId>,
    planned_minutes: i32,
) -> Result<focus_session::Model> {
    if let Some(id) = task_id {
        let known = tx.find::<task::Entity>().filter(task::Column::Id.eq(id));
        if known.count(tx.conn()).await? == 0 {
            let message = "There is no such task in this workspace.";
            return Err(Error::user(
                UserErrorCode::ReferenceNotFound,
                "input.taskId",
                message,
            ));
        }
    }
    end_running_in(tx, user_id).await?;
    let row = focus_session::Model {
        id: tx.ids().next(),
        // The scope of the transaction decides; `insert` stores its workspace.
        workspace_id: WorkspaceId::from_uuid(uuid::Uuid::nil()),
        user_id,
        task_id,
        status: FocusSessionStatus::Active,
        planned_minutes,
        focused_seconds: 0,
        running_since: Some(tx.now()),
        interruption_count: 0,
        started_at: tx.now(),
        ended_at: None,
        notes: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    let stored = tx.insert(row.into_active_model().reset_all()).await?;
    let changes = rules::audit_diff(None, &stored);
    record(
        tx,
        "focus_session.started",
        ChangeAction::Created,
        &stored,
        changes,
    );
    Ok(stored)
}

async fn end_running_in(tx: &Tx, user_id: UserId) -> Result<()> {
    let select = tx
        .find::<Entity>()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Status.is_in(OPEN))
        .lock_exclusive();
    match select.one(tx.conn()).await? {
        Some(running) => end_in(tx, running, None).await.map(drop),
        None => Ok(()),
    }
}

/// Pauses a running session.
pub async fn pause(ctx: &Ctx, id: FocusSessionId) -> Result<focus_session::Model> {
    change(ctx, id, "focus_session.paused", |tx, row| {
        rules::pause(row, tx.now())
    })
    .await
}

/// Continues a paused session.
pub async fn resume(ctx: &Ctx, id: FocusSessionId) -> Result<focus_session::Model> {
    change(ctx, id, "focus_session.resumed", |tx, row| {
        rules::resume(row, tx.now())
    })
    .await
}

/// Records an interruption.
pub async fn interrupt(ctx: &Ctx, id: FocusSessionId) -> Result<focus_session::Model> {
    change(ctx, id, "focus_session.interrupted", |_, row| {
        rules::interrupt(row)
    })
    .await
}

async fn change(
    ctx: &Ctx,
    id: FocusSessionId,
    action: &'static str,
    apply: fn(&Tx, &mut focus_session::Model) -> Result<()>,
) -> Result<focus_session::Model> {
    ctx.require(Action::Edit, Resource::FocusSession)?;
    let user_id = ctx.require_person()?;
    ctx.write(|tx| async move {
        let before = lock(&tx, user_id, id).await?;
        let mut row = before.clone();
        apply(&tx, &mut row)?;
        save(&tx, &before, row, action).await
    })
    .await
}

/// Ends a session and adds its minutes to its task.
pub async fn end(ctx: &Ctx, id: FocusSessionId, notes: Option<String>) -> Result<focus_session::Model> {
    ctx.require(Action::Edit, Resource::FocusSession)?;
    let user_id = ctx.require_person()?;
    let mut checks = Checks::default();
    let notes = notes.map(|text| checks.prose("notes", &text, MAX_DESCRIPTION));
    checks.finish()?;
    ctx.write(|tx| {
        let notes = notes.clone();
        async move {
            let row = lock(&tx, user_id, id).await?;
            end_in(&tx, row, notes).await
        }
    })
    .await
}

async fn end_in(
    tx: &Tx,
    before: focus_session::Model,
    notes: Option<String>,
) -> Result<focus_session::Model> {
    let mut row = before.clone();
    rules::end(&mut row, tx.now())?;
    row.notes = notes.or(row.notes);
    let ended = save(tx, &before, row, "focus_session.ended").await?;
    if let Some(task_id) = ended.task_id {
        tasks::add_work_in(tx, task_id, rules::focused_minutes(&ended, tx.now())).await?;
    }
    Ok(ended)
}

async fn lock(tx: &Tx, user_id: UserId, id: FocusSessionId) -> Result<focus_session::Model> {
    let select = tx
        .find::<Entity>()
        .filter(Column::Id.eq(id))
        .filter(Column::UserId.eq(user_id))
        .lock_exclusive();
    select.one(tx.conn()).await?.ok_or_else(Error::not_found)
}

async fn save(
    tx: &Tx,
    before: &focus_session::Model,
    mut row: focus_session::Model,
    action: &'static str,
) -> Result<focus_session::Model> {
    row.version += 1;
    row.updated_at = tx.now();
    let stored = tx.update(row.into_active_model().reset_all()).await?;
    let changes = rules::audit_diff(Some(before), &stored);
    record(tx, action, ChangeAction::Updated, &stored, changes);
    Ok(stored)
}

fn record(
    tx: &Tx,
    action: &'static str,
    change: ChangeAction,
    row: &focus_session::Model,
    changes: serde_json::Value,
) {
    let id = row.id.uuid();
    tx.audit(Audit {
        action,
        entity_type: "FocusSession",
        entity_id: id,
        changes: Some(changes),
    });
    tx.change(change, ObjectType::FocusSession, id);
}
