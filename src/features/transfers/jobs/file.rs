//! Any place of a stored file. Promises: a handful of pieces is in memory, whatever the length of the file.

use std::collections::VecDeque;
use std::sync::Arc;

use entity::transfer_chunk::{Column, Entity};
use entity::{data_transfer, ids::DataTransferId};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};

use crate::access::Ctx;
use crate::features::transfers::rules::PIECE;
use crate::features::transfers::split::Piece;
use crate::kernel::{Error, Result};

/// Pieces that are kept: those of one batch are mostly neighbours.
const KEPT: usize = 24;

/// A stored file.
pub(super) struct File {
    ctx: Ctx,
    id: DataTransferId,
    /// Its length in bytes.
    pub(super) size: u64,
    kept: VecDeque<(i32, Arc<Vec<u8>>)>,
}

impl File {
    pub(super) fn of(ctx: &Ctx, row: &data_transfer::Model) -> Self {
        Self {
            ctx: ctx.clone(),
            id: row.id,
            size: u64::try_from(row.size_bytes.unwrap_or(0)).unwrap_or(0),
            kept: VecDeque::new(),
        }
    }

    /// Number of its pieces.
    pub(super) fn pieces(&self) -> i32 {
        i32::try_from(self.size.div_ceil(PIECE as u64)).unwrap_or(i32::MAX)
    }

    /// One of its pieces.
    pub(super) async fn piece(&mut self, seq: i32) -> Result<Arc<Vec<u8>>> {
        if let Some((_, bytes)) = self.kept.iter().find(|(known, _)| *known == seq) {
            return Ok(bytes.clone());
        }
        let read = self.ctx.read().await?;
        let select = read
            .find::<Entity>()
            .select_only()
            .column(Column::Bytes)
            .filter(Column::TransferId.eq(self.id))
            .filter(Column::Seq.eq(seq));
        let bytes: Option<Vec<u8>> = select.into_tuple().one(&read).await?;
        let bytes = Arc::new(bytes.ok_or_else(|| Error::internal("a piece of a stored file is missing"))?);
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((seq, bytes.clone()));
        Ok(bytes)
    }

    /// The bytes of a place.
    pub(super) async fn read(&mut self, place: Piece) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(place.len).map_err(Error::internal)?);
        let (mut at, end) = (place.start, place.start + place.len);
        while at < end {
            let seq = i32::try_from(at / PIECE as u64).map_err(Error::internal)?;
            let inside = usize::try_from(at % PIECE as u64).map_err(Error::internal)?;
            let piece = self.piece(seq).await?;
            let rest = piece.get(inside..).unwrap_or_default();
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(rest.len());
            if wanted == 0 {
                return Err(Error::internal("a stored file is shorter than it was"));
            }
            bytes.extend_from_slice(&rest[..wanted]);
            at += wanted as u64;
        }
        Ok(bytes)
    }
}
