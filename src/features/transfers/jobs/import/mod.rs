//! From a stored file to the workspace, batch by batch.
//!
//! Promises: a batch is one transaction with the place where the next attempt goes on; the file is never in memory as a whole; a bad object
//! is a problem with its line.

mod ics;
mod json;
mod rows;
mod store;
mod text;

use std::collections::HashSet;

use entity::data_transfer;
use entity::enums::{DataFormat, JobStatus};
use entity::ids::TaskId;

use super::file::File;
use super::{Stop, end, lock, parameters};
use crate::access::Ctx;
use crate::features::tasks;
use crate::features::transfers::formats::{foreign_id, native_id};
use crate::features::transfers::model::Problem;
use crate::features::transfers::rules::MAX_OBJECT;
use crate::features::transfers::split::Piece;
use crate::kernel::Result;
use crate::platform::jobs::RunningJob;
use store::{Batch, Stored, store};

/// Objects of one transaction.
const BATCH: usize = 100;
/// Bytes of one transaction, the last object aside.
const BATCH_BYTES: u64 = 2 << 20;

/// An import at work.
struct Work<'a> {
    ctx: &'a Ctx,
    row: &'a data_transfer::Model,
    job: &'a RunningJob,
    file: File,
    /// Units that earlier attempts and batches have dealt with.
    done: u64,
    /// All units.
    total: u64,
}

/// Reads a file into the workspace.
pub(super) async fn import(ctx: &Ctx, row: &data_transfer::Model, job: &RunningJob) -> Result<(), Stop> {
    let mut work = Work {
        ctx,
        row,
        job,
        file: File::of(ctx, row),
        done: parameters(row)?.done,
        total: 0,
    };
    match row.format {
        DataFormat::Ics => ics::import(&mut work).await?,
        DataFormat::Json => json::import(&mut work).await?,
        DataFormat::Csv => rows::import(&mut work).await?,
    }
    let id = row.id;
    let ended = ctx.write(|tx| async move {
        match lock(&tx, id).await? {
            Some(row) => end(&tx, row, JobStatus::Succeeded).await,
            None => Ok(()),
        }
    });
    Ok(ended.await?)
}

impl Work<'_> {
    /// Stores a batch and goes on behind it.
    async fn store(&mut self, batch: Batch) -> Result<(), Stop> {
        if self.job.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        match store(self.ctx, self.row, self.done, &batch).await? {
            Stored::Done => {}
            Stored::Lost => return Err(Stop::Cancelled),
            Stored::Refused(message) => return Err(Stop::Refused(message)),
        }
        self.done += batch.units;
        self.job.progress.of(self.done, self.total);
        Ok(())
    }

    /// Feeds the whole file to a scanner.
    async fn scan(&mut self, mut feed: impl FnMut(&[u8]) + Send) -> Result<(), Stop> {
        for seq in 0..self.file.pieces() {
            if self.job.cancel.is_cancelled() {
                return Err(Stop::Cancelled);
            }
            let piece = self.file.piece(seq).await?;
            feed(piece.as_slice());
            // A long file must not keep a thread for itself.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// The ids under which tasks are imported, by the names that the file has for them.
    async fn task_ids(&self, keys: &[&str]) -> Result<Vec<TaskId>> {
        let native: Vec<TaskId> = keys.iter().filter_map(|key| native_id(key)).collect();
        let known: HashSet<TaskId> = match native.is_empty() {
            true => HashSet::new(),
            false => {
                let rows = tasks::get_many(self.ctx, &native).await?;
                rows.iter().map(|row| row.id).collect()
            }
        };
        let workspace = self.ctx.workspace_id();
        let ids = keys.iter().map(|key| {
            let own = native_id(key).filter(|id| known.contains(id));
            own.unwrap_or_else(|| foreign_id(workspace, key))
        });
        Ok(ids.collect())
    }
}

/// The next units that fit into one transaction: at least one.
fn next_batch<T>(units: &[T], bytes_of: impl Fn(&T) -> u64) -> usize {
    let mut bytes = 0;
    let fitting = units.iter().take(BATCH).take_while(|unit| {
        let fits = bytes <= BATCH_BYTES;
        bytes += bytes_of(unit);
        fits
    });
    fitting.count().max(1)
}

/// The problem of an object that is too large to be read.
fn too_large(piece: &Piece) -> Problem {
    Problem {
        position: Some(piece.line),
        message: format!(
            "This object has {} bytes; at most {MAX_OBJECT} can be read, so it was left out.",
            piece.len
        ),
    }
}

fn problem(line: impl Into<Option<u32>>, message: impl Into<String>) -> Problem {
    Problem {
        position: line.into(),
        message: message.into(),
    }
}
