//! Which rows a piece of work may touch, and which table belongs to whom. A table that is missing here cannot be found at all.

use entity::ids::WorkspaceId;
use sea_orm::sea_query::IntoCondition as _;
use sea_orm::{ColumnTrait as _, Condition, EntityTrait};

/// Rows that a read or a transaction may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those of one workspace.
    Workspace(WorkspaceId),
    /// All of them: the machinery (jobs, sign-in, retention), never an answer to a person.
    System,
}

impl Scope {
    /// Its kind.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Workspace(_) => "workspace",
            Self::System => "system",
        }
    }
}

/// A table whose rows belong to a workspace.
pub trait WorkspaceOwned: EntityTrait {
    /// The column that says which.
    const WORKSPACE: Self::Column;
}

/// A table whose rows belong to a person or to the installation.
pub trait Global: EntityTrait {}

pub(super) fn scope_filter<E: WorkspaceOwned>(scope: Scope) -> Condition {
    match scope {
        Scope::Workspace(id) => E::WORKSPACE.eq(id).into_condition(),
        Scope::System => Condition::all(),
    }
}

macro_rules! workspace_owned {
    ($($table:ident),+ $(,)?) => {
        $(impl WorkspaceOwned for entity::$table::Entity {
            const WORKSPACE: Self::Column = entity::$table::Column::WorkspaceId;
        })+
    };
}

macro_rules! global {
    ($($table:ident),+ $(,)?) => { $(impl Global for entity::$table::Entity {})+ };
}

workspace_owned!(
    attendee,
    audit_cut,
    audit_log,
    calendar,
    calendar_event,
    calendar_setting,
    calendar_sync,
    change_log,
    data_transfer,
    event_override,
    external_event_link,
    focus_session,
    integration,
    invitation,
    job,
    membership,
    reminder,
    schedule,
    schedule_slot,
    sync_run,
    task,
    task_dependency,
    task_label,
    unscheduled_task,
    task_notice,
    transfer_chunk,
    workspace_counter,
);

impl WorkspaceOwned for entity::workspace::Entity {
    const WORKSPACE: Self::Column = entity::workspace::Column::Id;
}

global!(
    account,
    api_token,
    idempotency_record,
    job_queue,
    job_tick,
    job_worker,
    notification,
    notification_preference,
    process,
    sent_letter,
    session,
    user,
    user_preferences,
    verification_token,
    withdrawal,
);
