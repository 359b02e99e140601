//! Table `data_transfers`: imports and exports.

use sea_orm::entity::prelude::*;

use crate::enums::{DataFormat, DataTransferDirection, JobStatus};
use crate::ids::{CalendarId, DataTransferId, JobId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "data_transfers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DataTransferId,
    pub workspace_id: WorkspaceId,
    pub requested_by: Option<UserId>,
    pub calendar_id: Option<CalendarId>,
    pub direction: DataTransferDirection,
    pub format: DataFormat,
    pub status: JobStatus,
    /// No foreign key: jobs are pruned earlier.
    pub job_id: Option<JobId>,
    /// What was asked for, and how far an import has come.
    pub parameters: Json,
    /// Length of the file, once it is whole.
    pub size_bytes: Option<i64>,
    pub processed_count: i32,
    /// Array of `{position, message}`.
    pub problems: Json,
    pub error: Option<String>,
    /// End of the file: of the download link, or of an upload that is not finished.
    pub expires_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
