//! The work of transfers, and the end of their files.
//!
//! Reading order: `run` → `file` (any place of a stored file) → `import` (what is in it, batch by batch) or `export`.

mod export;
mod file;
mod import;

use chrono::Duration;
use entity::data_transfer;
use entity::enums::{DataTransferDirection, JobStatus};
use entity::ids::DataTransferId;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _,
};

use super::model::{Parameters, Problem};
use super::rules;
use super::write::{drop_pieces, record};
use crate::access::{Ctx, errand_of};
use crate::kernel::actor::Actor;
use crate::kernel::jobs::Payload;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};
use crate::platform::jobs::{JobError, RunningJob};

/// How long a transfer is remembered after its file is gone.
const KEEP: Duration = Duration::days(30);
/// Transfers of one look.
const PAGE: u64 = 100;

/// Why an attempt ended before its work was done.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file cannot be used; a sentence for its owner.
    Refused(String),
    /// Asked to stop, or another worker took over.
    Cancelled,
    /// Not the file's fault.
    Internal(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Internal(error)
    }
}

/// Imports or exports: the job of [`Payload::TransferData`].
pub async fn run(platform: &Platform, job: &RunningJob) -> Result<(), JobError> {
    let (&Payload::TransferData { transfer_id }, Some(workspace)) = (&job.payload, job.workspace_id) else {
        return Err(JobError::Fatal("This is no import or export.".into()));
    };
    let system = Ctx::system(platform, workspace);
    let Some(row) = find(&system, transfer_id)
        .await?
        .filter(|row| row.finished_at.is_none())
    else {
        // It ended before, or its time is over.
        return Ok(());
    };
    let worked = match row.requested_by {
        Some(person) => match errand_of(platform, person, workspace).await {
            Ok(ctx) => work(&ctx, &row, job).await,
            Err(error) if error.is_not_found() => Err(Stop::Refused(
                "Whoever asked for this is no member of the workspace any more.".into(),
            )),
            Err(error) => Err(error.into()),
        },
        None => Err(Stop::Refused("Whoever asked for this is gone.".into())),
    };
    match worked {
        Ok(()) => Ok(()),
        Err(Stop::Refused(message)) => {
            let told = message.clone();
            system
                .write(|tx| {
                    let message = told.clone();
                    async move { refuse(&tx, transfer_id, message).await }
                })
                .await?;
            Err(JobError::Fatal(message))
        }
        Err(Stop::Cancelled) => Err(JobError::Cancelled),
        Err(Stop::Internal(error)) => Err(error.into()),
    }
}

async fn work(ctx: &Ctx, row: &data_transfer::Model, job: &RunningJob) -> Result<(), Stop> {
    // What somebody may do can have changed since they asked.
    let allowed = match row.direction {
        DataTransferDirection::Import => rules::require_import(ctx, row.format),
        DataTransferDirection::Export => rules::require_export(ctx),
    };
    allowed.map_err(|error| Stop::Refused(error.to_string()))?;
    match row.direction {
        DataTransferDirection::Import => import::import(ctx, row, job).await,
        DataTransferDirection::Export => export::export(ctx, row, job).await,
    }
}

async fn find(ctx: &Ctx, id: DataTransferId) -> Result<Option<data_transfer::Model>> {
    let read = ctx.read().await?;
    let select = read
        .find::<data_transfer::Entity>()
        .filter(data_transfer::Column::Id.eq(id));
    Ok(select.one(&read).await?)
}

/// The transfer as it is now, held until the transaction ends; `None` when it is over.
async fn lock(tx: &Tx, id: DataTransferId) -> Result<Option<data_transfer::Model>> {
    let select = tx
        .find::<data_transfer::Entity>()
        .filter(data_transfer::Column::Id.eq(id))
        .lock_exclusive();
    let row = select.one(tx.conn()).await?;
    Ok(row.filter(|row| row.finished_at.is_none()))
}

fn parameters(row: &data_transfer::Model) -> Result<Parameters> {
    serde_json::from_value(row.parameters.clone()).map_err(Error::internal)
}

/// Ends a transfer that cannot be done.
async fn refuse(tx: &Tx, id: DataTransferId, message: String) -> Result<()> {
    let Some(mut row) = lock(tx, id).await? else {
        return Ok(());
    };
    let problem = Problem {
        position: None,
        message: message.clone(),
    };
    rules::remember(&mut row.problems, &[problem])?;
    row.error = Some(message);
    end(tx, row, JobStatus::Dead).await
}

/// Ends a transfer whose file is not needed any more.
async fn end(tx: &Tx, mut row: data_transfer::Model, status: JobStatus) -> Result<()> {
    drop_pieces(tx, row.id).await?;
    row.status = status;
    row.finished_at = Some(tx.now());
    row.size_bytes = None;
    row.expires_at = Some(tx.now() + KEEP);
    row.updated_at = tx.now();
    let parameters = parameters(&row)?;
    let row = tx.update(row.into_active_model().reset_all()).await?;
    let changes = serde_json::json!({
        "format": row.format,
        "status": status,
        "created": parameters.created,
        "updated": parameters.updated,
        "unchanged": parameters.unchanged,
        "problems": parameters.problems,
    });
    record(tx, &row, "data_transfer.ended", changes);
    Ok(())
}

/// Deletes files whose time is over, and later what is remembered of them. Returns how many.
pub async fn prune(platform: &Platform) -> Result<u64> {
    let mut pruned = 0;
    loop {
        let body = |tx: Tx| async move {
            let select = tx
                .find::<data_transfer::Entity>()
                .filter(data_transfer::Column::ExpiresAt.lt(tx.now()))
                .limit(PAGE);
            let rows = select.all(tx.conn()).await?;
            let count = rows.len() as u64;
            for mut row in rows {
                let has_file = row.size_bytes.is_some() || row.finished_at.is_none();
                if !has_file {
                    tx.delete_many::<data_transfer::Entity>()
                        .filter(data_transfer::Column::Id.eq(row.id))
                        .exec(tx.conn())
                        .await?;
                    continue;
                }
                drop_pieces(&tx, row.id).await?;
                if row.finished_at.is_none() {
                    row.status = JobStatus::Dead;
                    row.error = Some("It was not finished in time.".to_owned());
                    row.finished_at = Some(tx.now());
                }
                row.size_bytes = None;
                row.expires_at = Some(tx.now() + KEEP);
                row.updated_at = tx.now();
                tx.update(row.into_active_model().reset_all()).await?;
            }
            Ok(count)
        };
        let count = platform.write(Scope::System, Actor::system(), body).await?;
        pruned += count;
        if count < PAGE {
            return Ok(pruned);
        }
    }
}
