//! Starting imports and exports. Each command is one transaction with its audit entry and its job.

mod upload;

use chrono::Duration;
use entity::enums::{DataFormat, DataTransferDirection, JobStatus};
use entity::ids::{CalendarId, DataTransferId, WorkspaceId};
use entity::{calendar, data_transfer, transfer_chunk};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, Set,
};

use super::model::{NewExport, NewImport, Parameters};
use super::read::uuid_of;
use super::rules::{self, MAX_INLINE, MAX_OPEN, PIECE};
use crate::access::Ctx;
use crate::features::calendars;
use crate::kernel::jobs::{NewJob, Payload};
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Audit, Tx};

pub use upload::{Upload, begin as begin_upload};

/// How long a transfer may wait and work before its file goes.
const PATIENCE: Duration = Duration::days(2);

/// Imports a file that came with the request.
pub async fn start_import(ctx: &Ctx, new: NewImport, content: String) -> Result<data_transfer::Model> {
    rules::require_import(ctx, new.format)?;
    let path = "input.content";
    if content.len() > MAX_INLINE {
        let message = format!(
            "The file has {} bytes; at most {MAX_INLINE} can be sent like this. Send it to `POST /api/import`.",
            content.len()
        );
        return Err(Error::user(UserErrorCode::TooLong, path, message));
    }
    rules::check_beginning(new.format, content.as_bytes(), path)?;
    let calendar = calendar_for(ctx, &new, "input.calendarId").await?;
    ctx.write(|tx| {
        let (content, format) = (content.as_bytes(), new.format);
        async move {
            check_open(&tx).await?;
            let mut row = blank(&tx, ctx, DataTransferDirection::Import, format)?;
            row.calendar_id = calendar;
            row.size_bytes = i64::try_from(content.len()).ok();
            let row = tx.insert(row.into_active_model().reset_all()).await?;
            for (seq, bytes) in (0..).zip(content.chunks(PIECE)) {
                store_piece(&tx, row.id, seq, bytes.to_vec()).await?;
            }
            begin_work(&tx, row, "data_transfer.import_started").await
        }
    })
    .await
}

/// Writes a file with data of the workspace.
pub async fn start_export(ctx: &Ctx, new: NewExport) -> Result<data_transfer::Model> {
    rules::require_export(ctx)?;
    ctx.require_person()?;
    if let Some(ids) = &new.calendar_ids {
        if new.format == DataFormat::Csv {
            let message = "A table holds tasks, which are in no calendar. Leave `calendarIds` out.";
            return Err(Error::user(UserErrorCode::Invalid, "input.calendarIds", message));
        }
        let known = calendars::get_many(ctx, ids).await?;
        for (index, id) in ids.iter().enumerate() {
            if !known.iter().any(|row| row.id == *id) {
                return Err(no_calendar(&format!("input.calendarIds.{index}")));
            }
        }
    }
    ctx.write(|tx| {
        let new = new.clone();
        async move {
            check_open(&tx).await?;
            let mut row = blank(&tx, ctx, DataTransferDirection::Export, new.format)?;
            let parameters = Parameters {
                calendar_ids: new.calendar_ids,
                range: new.range.map(|range| (range.start, range.end)),
                ..Parameters::default()
            };
            row.parameters = serde_json::to_value(parameters).map_err(Error::internal)?;
            let row = tx.insert(row.into_active_model().reset_all()).await?;
            begin_work(&tx, row, "data_transfer.export_started").await
        }
    })
    .await
}

fn no_calendar(path: &str) -> Error {
    let message = "There is no such calendar in this workspace.";
    Error::user(UserErrorCode::ReferenceNotFound, path, message)
}

/// The calendar that gets the events of a file. A file of a whole workspace brings its own ones along, a table has none.
async fn calendar_for(ctx: &Ctx, new: &NewImport, path: &str) -> Result<Option<CalendarId>> {
    let row = match (new.calendar_id, new.format) {
        (Some(id), _) => {
            let found = calendars::get_many(ctx, &[id]).await?.pop();
            found.ok_or_else(|| no_calendar(path))?
        }
        (None, DataFormat::Ics) => {
            let message = "There is no default calendar. Say into which calendar the events go.";
            let none = || Error::user(UserErrorCode::Required, path, message);
            calendars::default_of_viewer(ctx).await?.ok_or_else(none)?
        }
        (None, DataFormat::Json | DataFormat::Csv) => return Ok(None),
    };
    require_writable(ctx, &row, path)?;
    Ok(Some(row.id))
}

/// Whether the caller may put events into a calendar.
pub(super) fn require_writable(ctx: &Ctx, row: &calendar::Model, path: &str) -> Result<()> {
    if !calendars::is_own(row, ctx.user_id()) {
        return Err(Error::forbidden("This is the calendar of another member."));
    }
    if !calendars::accepts_events(row) {
        let message = "This calendar only shows what is elsewhere. Choose another one.";
        return Err(Error::user(UserErrorCode::ReadOnly, path, message));
    }
    Ok(())
}

/// Files of a workspace lie in the database, so there are few of them at a time.
async fn check_open(tx: &Tx) -> Result<()> {
    use data_transfer::Column;
    let open = tx
        .find::<data_transfer::Entity>()
        .filter(Column::CreatedAt.gt(tx.now() - PATIENCE))
        .filter(Column::FinishedAt.is_null())
        .filter(Column::ExpiresAt.gt(tx.now()));
    if open.count(tx.conn()).await? < MAX_OPEN {
        return Ok(());
    }
    let message = format!(
        "{MAX_OPEN} imports and exports of this workspace are at work already. Wait for one of them."
    );
    Err(Error::user(UserErrorCode::LimitReached, "", message))
}

fn blank(
    tx: &Tx,
    ctx: &Ctx,
    direction: DataTransferDirection,
    format: DataFormat,
) -> Result<data_transfer::Model> {
    Ok(data_transfer::Model {
        id: tx.ids().next(),
        // Stamped with the scope's workspace when it is stored.
        workspace_id: WorkspaceId(uuid::Uuid::nil()),
        requested_by: Some(ctx.require_person()?),
        calendar_id: None,
        direction,
        format,
        status: JobStatus::Queued,
        job_id: None,
        parameters: serde_json::to_value(Parameters::default()).map_err(Error::internal)?,
        size_bytes: None,
        processed_count: 0,
        problems: serde_json::json!([]),
        error: None,
        expires_at: Some(tx.now() + PATIENCE),
        finished_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    })
}

/// Stores a piece of a file.
pub(super) async fn store_piece(tx: &Tx, id: DataTransferId, seq: i32, bytes: Vec<u8>) -> Result<()> {
    let row = transfer_chunk::ActiveModel {
        transfer_id: Set(id),
        seq: Set(seq),
        bytes: Set(bytes),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    };
    tx.insert_many(vec![row]).await
}

/// Hands a transfer to the workers.
async fn begin_work(
    tx: &Tx,
    mut row: data_transfer::Model,
    action: &'static str,
) -> Result<data_transfer::Model> {
    let payload = Payload::TransferData { transfer_id: row.id };
    let job = NewJob::for_workspace(row.workspace_id, payload)
        .by(row.requested_by)
        .unique(format!("transfer:{}", row.id));
    row.job_id = Some(tx.enqueue(job).await?);
    row.expires_at = Some(tx.now() + PATIENCE);
    row.updated_at = tx.now();
    let row = tx.update(row.into_active_model().reset_all()).await?;
    record(tx, &row, action, serde_json::json!({ "format": row.format }));
    Ok(row)
}

/// Notes what was done.
pub(super) fn record(tx: &Tx, row: &data_transfer::Model, action: &'static str, changes: serde_json::Value) {
    tx.audit(Audit {
        action,
        entity_type: "DataTransfer",
        entity_id: uuid_of(row),
        changes: Some(changes),
    });
}

/// Removes the pieces of a file.
pub(super) async fn drop_pieces(tx: &Tx, id: DataTransferId) -> Result<()> {
    let delete = tx
        .delete_many::<transfer_chunk::Entity>()
        .filter(transfer_chunk::Column::TransferId.eq(id));
    delete.exec(tx.conn()).await?;
    Ok(())
}
