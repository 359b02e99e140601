//! A file that is being written: text is collected until it fills a piece.

use entity::ids::DataTransferId;

use crate::access::Ctx;
use crate::features::transfers::rules::PIECE;
use crate::features::transfers::write::{drop_pieces, store_piece};
use crate::kernel::Result;

/// Takes text for a file.
pub(super) struct Sink {
    ctx: Ctx,
    id: DataTransferId,
    buffer: Vec<u8>,
    /// Number of the next piece. The first one, which is written last, is number 0.
    seq: i32,
    size: u64,
}

impl Sink {
    /// Begins a file. What an earlier attempt has written goes.
    pub(super) async fn begin(ctx: &Ctx, id: DataTransferId) -> Result<Self> {
        ctx.write(|tx| async move { drop_pieces(&tx, id).await }).await?;
        Ok(Self {
            ctx: ctx.clone(),
            id,
            buffer: Vec::with_capacity(2 * PIECE),
            seq: 1,
            size: 0,
        })
    }

    /// Adds text.
    pub(super) async fn push(&mut self, text: &str) -> Result<()> {
        self.buffer.extend_from_slice(text.as_bytes());
        if self.buffer.len() >= PIECE {
            let bytes = std::mem::take(&mut self.buffer);
            self.store(self.seq, bytes).await?;
            self.seq += 1;
        }
        Ok(())
    }

    /// Ends the file, with what stands before everything else. Returns its length.
    pub(super) async fn finish(mut self, first: String) -> Result<u64> {
        if !self.buffer.is_empty() {
            let bytes = std::mem::take(&mut self.buffer);
            self.store(self.seq, bytes).await?;
        }
        self.store(0, first.into_bytes()).await?;
        Ok(self.size)
    }

    async fn store(&mut self, seq: i32, bytes: Vec<u8>) -> Result<()> {
        self.size += bytes.len() as u64;
        let id = self.id;
        self.ctx
            .write(|tx| {
                let bytes = bytes.clone();
                async move { store_piece(&tx, id, seq, bytes).await }
            })
            .await
    }
}
