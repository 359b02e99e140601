//! Walking the hash chain of the audit log.

use entity::audit_log::{Column, Entity};
use entity::{audit_cut, workspace_counter};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::access::Ctx;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::{Error, Result};
use crate::platform::db::{Read, audit_hash};

/// Entries read at a time.
const PAGE: u64 = 1_000;

/// What a walk along the chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Entries that are as they were written.
    pub intact: i64,
    /// Number of the last entry that retention cut off, zero when it never did.
    pub cut: i64,
    /// Number of the first entry that is missing, changed or out of place.
    pub broken_at: Option<i64>,
}

/// Checks that every entry is there and as it was written, from the last cut up to the newest.
pub async fn verify(ctx: &Ctx) -> Result<Verified> {
    ctx.require(Action::View, Resource::AuditLog)?;
    let read = ctx.read().await?;
    let mut begin = read.find::<audit_cut::Entity>().one(&read).await?;
    loop {
        let found = walk(&read, begin.as_ref()).await?;
        let now = read.find::<audit_cut::Entity>().one(&read).await?;
        // Retention may have cut the log while it was walked.
        if found.broken_at.is_none() || now == begin {
            return Ok(found);
        }
        begin = now;
    }
}

async fn walk(read: &Read, begin: Option<&audit_cut::Model>) -> Result<Verified> {
    let counter = read
        .find::<workspace_counter::Entity>()
        .one(read)
        .await?
        .ok_or_else(Error::not_found)?;
    let (cut, mut previous) = begin.map_or((0, Vec::new()), |cut| (cut.seq, cut.hash.clone()));
    let mut last = cut;
    let broken = |last| {
        Ok(Verified {
            intact: last - cut,
            cut,
            broken_at: Some(last + 1),
        })
    };
    while last < counter.audit_seq {
        let page = read
            .find::<Entity>()
            .filter(Column::Seq.gt(last))
            .filter(Column::Seq.lte(counter.audit_seq));
        let rows = page.order_by_asc(Column::Seq).limit(PAGE).all(read).await?;
        if rows.is_empty() {
            return broken(last);
        }
        for row in rows {
            let hash = audit_hash(&previous, &row);
            if row.seq != last + 1 || row.prev_hash != previous || row.hash != hash {
                return broken(last);
            }
            (last, previous) = (row.seq, hash);
        }
    }
    // The counter remembers the last hash: cutting entries off the end shows too.
    if previous == counter.audit_hash {
        Ok(Verified {
            intact: last - cut,
            cut,
            broken_at: None,
        })
    } else {
        broken(last)
    }
}
