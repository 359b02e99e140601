//! Table `sync_runs`: runs of a calendar sync.
//!
//! History and live progress of an integration's syncs.

use sea_orm::entity::prelude::*;

use crate::enums::JobStatus;
use crate::ids::{CalendarId, IntegrationId, JobId, SyncRunId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_runs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SyncRunId,
    pub workspace_id: WorkspaceId,
    pub integration_id: IntegrationId,
    /// No foreign key: jobs are pruned earlier.
    pub job_id: Option<JobId>,
    pub status: JobStatus,
    pub created_count: i32,
    pub updated_count: i32,
    pub deleted_count: i32,
    pub pushed_count: i32,
    pub problem_count: i32,
    /// Array of `{calendarId, object, line, message}`, at most 100.
    pub problems: Json,
    pub error: Option<String>,
    /// Calendar in work now.
    pub calendar_id: Option<CalendarId>,
    pub processed_count: i32,
    pub percent: Option<i32>,
    pub started_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
