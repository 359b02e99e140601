//! A file that arrives in pieces, whose sizes the network decides on. Promises: no more than one piece is in memory; what is not finished
//! leaves nothing behind.

use chrono::Duration;
use entity::data_transfer;
use entity::enums::DataTransferDirection;
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _};

use super::{NewImport, begin_work, blank, calendar_for, check_open, store_piece};
use crate::access::Ctx;
use crate::features::transfers::rules::{self, PIECE};
use crate::kernel::{Error, Result, UserErrorCode};

/// How long an upload may take.
const PATIENCE: Duration = Duration::hours(1);

/// An upload that is under way.
#[derive(Debug)]
pub struct Upload {
    ctx: Ctx,
    row: data_transfer::Model,
    buffer: Vec<u8>,
    seq: i32,
    size: usize,
}

/// Begins an upload. It must be finished or given up.
pub async fn begin(ctx: &Ctx, new: NewImport) -> Result<Upload> {
    rules::require_import(ctx, new.format)?;
    let calendar = calendar_for(ctx, &new, "calendarId").await?;
    let format = new.format;
    let row = ctx.write(|tx| async move {
        check_open(&tx).await?;
        let mut row = blank(&tx, ctx, DataTransferDirection::Import, format)?;
        row.calendar_id = calendar;
        row.expires_at = Some(tx.now() + PATIENCE);
        tx.insert(row.into_active_model().reset_all()).await
    });
    Ok(Upload {
        ctx: ctx.clone(),
        row: row.await?,
        buffer: Vec::new(),
        seq: 0,
        size: 0,
    })
}

impl Upload {
    /// Takes the next bytes.
    pub async fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.size = self.size.saturating_add(bytes.len());
        let most = self.ctx.platform().config.limits.import_bytes;
        if self.size > most {
            let message = format!("The file is too large; at most {most} bytes are allowed. Split it.");
            return Err(Error::user(UserErrorCode::TooLong, "content", message));
        }
        while !bytes.is_empty() {
            let room = PIECE - self.buffer.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == PIECE {
                self.store().await?;
            }
        }
        Ok(())
    }

    /// Hands the file to the workers.
    pub async fn finish(&mut self) -> Result<data_transfer::Model> {
        if self.seq == 0 || !self.buffer.is_empty() {
            self.store().await?;
        }
        let size = i64::try_from(self.size).map_err(Error::internal)?;
        let row = &self.row;
        self.ctx
            .write(|tx| async move {
                let mut row = row.clone();
                row.size_bytes = Some(size);
                begin_work(&tx, row, "data_transfer.import_started").await
            })
            .await
    }

    /// Forgets what has arrived.
    pub async fn give_up(self) -> Result<()> {
        let id = self.row.id;
        self.ctx
            .write(|tx| async move {
                let delete = tx.delete_many::<data_transfer::Entity>();
                delete
                    .filter(data_transfer::Column::Id.eq(id))
                    .exec(tx.conn())
                    .await?;
                Ok(())
            })
            .await
    }

    async fn store(&mut self) -> Result<()> {
        if self.seq == 0 {
            rules::check_beginning(self.row.format, &self.buffer, "content")?;
        }
        let (id, seq, bytes) = (self.row.id, self.seq, std::mem::take(&mut self.buffer));
        self.ctx
            .write(|tx| {
                let bytes = bytes.clone();
                async move { store_piece(&tx, id, seq, bytes).await }
            })
            .await?;
        self.seq += 1;
        self.buffer = bytes;
        self.buffer.clear();
        Ok(())
    }
}
