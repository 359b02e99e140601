//! Table `jobs`: the ledger of background jobs.
//!
//! The row is the job; queues only carry its id. Attempts are counted before the run, so that a job that kills its worker
//! still ends dead.

use sea_orm::entity::prelude::*;

use crate::enums::{JobQueueName, JobStatus};
use crate::ids::{JobId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    pub queue: JobQueueName,
    /// Name in the payload catalogue.
    pub kind: String,
    /// Null for jobs of the whole installation.
    pub workspace_id: Option<WorkspaceId>,
    pub created_by: Option<UserId>,
    pub payload: Json,
    pub status: JobStatus,
    pub attempts: i32,
    pub max_attempts: i32,
    pub run_at: DateTimeUtc,
    pub lease_owner: Option<String>,
    pub lease_until: Option<DateTimeUtc>,
    /// Higher goes first.
    pub priority: i16,
    /// At most one unfinished job carries it.
    pub unique_key: Option<String>,
    pub progress_percent: Option<i32>,
    pub last_error: Option<String>,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    pub cancel_requested: bool,
    pub timeout_seconds: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
