//! Imports and exports: files that bring data into a workspace or take it out.

use std::sync::Arc;

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use entity::ids::{CalendarId, WorkspaceId};
use entity::{data_transfer, enums as db};

use super::access;
use super::enums::JobStatus;
use super::errors::{expose, lookup};
use super::ids::{global, reference, references, target, workspace_reference};
use super::jobs::{Job, job_of};
use super::paging::payload;
use super::ranges::DateTimeRangeInput;
use super::scalars::{DateTime, Url};
use crate::access::Ctx;
use crate::features::transfers::{self, NewExport, NewImport};
use crate::kernel;

/// Direction of a data transfer.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::DataTransferDirection")]
pub enum DataTransferDirection {
    /// Into the workspace.
    Import,
    /// Out of the workspace.
    Export,
}

/// File formats of imports and exports.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::DataFormat")]
pub enum DataFormat {
    /// iCalendar: events and to-dos.
    Ics,
    /// All data of a workspace, for backup and moving.
    Json,
    /// Tasks as a table.
    Csv,
}

/// An object an import left out.
#[derive(SimpleObject)]
pub struct DataTransferProblem {
    /// Line or component number in the file.
    position: Option<i32>,
    /// Explanation.
    message: String,
}

impl From<transfers::Problem> for DataTransferProblem {
    fn from(problem: transfers::Problem) -> Self {
        Self {
            position: problem.position.and_then(|line| i32::try_from(line).ok()),
            message: problem.message,
        }
    }
}

/// Import or export of workspace data. Only whoever asked for it sees it.
#[derive(Clone, Description)]
pub struct DataTransfer(pub Arc<data_transfer::Model>);

impl From<data_transfer::Model> for DataTransfer {
    fn from(row: data_transfer::Model) -> Self {
        Self(Arc::new(row))
    }
}

impl DataTransfer {
    async fn own_job(&self, ctx: &Context<'_>) -> Result<Option<Job>> {
        job_of(ctx, self.0.job_id).await.transpose()
    }
}

#[Object(use_type_description)]
impl DataTransfer {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Direction.
    async fn direction(&self) -> DataTransferDirection {
        self.0.direction.into()
    }

    /// File format.
    async fn format(&self) -> DataFormat {
        self.0.format.into()
    }

    /// State.
    async fn status(&self, ctx: &Context<'_>) -> Result<JobStatus> {
        if self.0.finished_at.is_some() {
            return Ok(self.0.status.into());
        }
        // Until it ends, the job knows more.
        let job = self.own_job(ctx).await?;
        Ok(job.map_or(self.0.status, |job| job.0.status).into())
    }

    /// Job that does the work. Null once the job is pruned.
    async fn job(&self, ctx: &Context<'_>) -> Option<Result<Job>> {
        job_of(ctx, self.0.job_id).await
    }

    /// Objects written so far.
    async fn processed_count(&self) -> i32 {
        self.0.processed_count
    }

    /// Objects that were left out, with reasons.
    async fn problems(&self) -> Vec<DataTransferProblem> {
        let problems = transfers::problems_of(&self.0).into_iter();
        problems.map(DataTransferProblem::from).collect()
    }

    /// Short-lived link to the exported file. Null for imports and until finished.
    async fn download_url(&self, ctx: &Context<'_>) -> Option<Result<Url>> {
        let url = transfers::download_url(access(ctx).platform(), &self.0);
        url.map_err(expose).map(|url| url.map(Url)).transpose()
    }

    /// When it was requested.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it ended. Null while running.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }
}

/// Data to import.
#[derive(InputObject)]
pub struct StartImportInput {
    /// Workspace to import into.
    workspace_id: ID,
    /// Calendar for events. The default calendar when omitted.
    calendar_id: Option<ID>,
    /// Format of the content.
    format: DataFormat,
    /// The file as text, at most 1 MiB.
    content: String,
}

/// Data to export.
#[derive(InputObject)]
pub struct StartExportInput {
    /// Workspace to export.
    workspace_id: ID,
    /// Format of the file.
    format: DataFormat,
    /// Only these calendars.
    calendar_ids: Option<Vec<ID>>,
    /// Only objects in this range.
    range: Option<DateTimeRangeInput>,
}

payload!(
    StartImportPayload,
    "startImport",
    /// The data transfer after the change. Null when the mutation failed.
    data_transfer: DataTransfer
);
payload!(
    StartExportPayload,
    "startExport",
    /// The data transfer after the change. Null when the mutation failed.
    data_transfer: DataTransfer
);

#[derive(Default)]
pub struct DataTransferQuery;

#[Object]
impl DataTransferQuery {
    /// An import or export by ID.
    async fn data_transfer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the transfer.")] id: ID,
    ) -> Option<Result<DataTransfer>> {
        let found = async {
            let id = target(&id)?;
            let entered = access(ctx).ctx_of::<data_transfer::Entity>(id).await?;
            transfers::get(&entered, id).await
        };
        lookup(found.await.map(DataTransfer::from))
    }
}

#[derive(Default)]
pub struct DataTransferMutation;

/// Enters the workspace of an input.
async fn enter(ctx: &Context<'_>, workspace_id: &ID) -> kernel::Result<Ctx> {
    access(ctx).caller().require_user()?;
    let path = "input.workspaceId";
    let id: WorkspaceId = reference(workspace_id, path)?;
    workspace_reference(access(ctx).ctx(id).await, path)
}

#[Object]
impl DataTransferMutation {
    /// Imports a file. Large files go to `POST /api/import` instead.
    async fn start_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: StartImportInput,
    ) -> Result<StartImportPayload> {
        let result = async {
            let entered = enter(ctx, &input.workspace_id).await?;
            let calendar_id = input.calendar_id.as_ref();
            let calendar_id: Option<CalendarId> = calendar_id
                .map(|id| reference(id, "input.calendarId"))
                .transpose()?;
            let new = NewImport {
                calendar_id,
                format: input.format.into(),
            };
            transfers::start_import(&entered, new, input.content).await
        };
        StartImportPayload::new(result.await, DataTransfer::from)
    }

    /// Exports workspace data to a file.
    async fn start_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: StartExportInput,
    ) -> Result<StartExportPayload> {
        let result = async {
            let entered = enter(ctx, &input.workspace_id).await?;
            let ids = input.calendar_ids.as_ref();
            let new = NewExport {
                format: input.format.into(),
                calendar_ids: ids.map(|ids| references(ids, "input.calendarIds")).transpose()?,
                range: input.range.map(|range| range.span("input.range")).transpose()?,
            };
            transfers::start_export(&entered, new).await
        };
        StartExportPayload::new(result.await, DataTransfer::from)
    }
}
