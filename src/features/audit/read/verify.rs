//! Walking the hash chain of the audit log.

use entity::audit_log::{Column, Entity};
use entity::workspace_counter;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::access::Ctx;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::{Error, Result};
use crate::platform::db::audit_hash;

/// Entries read at a time.
const PAGE: u64 = 1_000;

/// What a walk along the chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Entries that are as they were written.
    pub intact: i64,
    /// Number of the first entry that is missing, changed or out of place.
    pub broken_at: Option<i64>,
}

/// Checks that every entry is there and as it was written, up to the newest.
pub async fn verify(ctx: &Ctx) -> Result<Verified> {
    ctx.require(Action::View, Resource::AuditLog)?;
    let read = ctx.read().await?;
    let counter = read
        .find::<workspace_counter::Entity>()
        .one(&read)
        .await?
        .ok_or_else(Error::not_found)?;
    let (mut intact, mut previous) = (0, Vec::new());
    let broken = |intact| {
        Ok(Verified {
            intact,
            broken_at: Some(intact + 1),
        })
    };
    while intact < counter.audit_seq {
        let page = read
            .find::<Entity>()
            .filter(Column::Seq.gt(intact))
            .filter(Column::Seq.lte(counter.audit_seq));
        let rows = page.order_by_asc(Column::Seq).limit(PAGE).all(&read).await?;
        if rows.is_empty() {
            return broken(intact);
        }
        for row in rows {
            let hash = audit_hash(&previous, &row);
            if row.seq != intact + 1 || row.prev_hash != previous || row.hash != hash {
                return broken(intact);
            }
            (intact, previous) = (row.seq, hash);
        }
    }
    // The counter remembers the last hash: cutting entries off the end shows too.
    if previous == counter.audit_hash {
        Ok(Verified {
            intact,
            broken_at: None,
        })
    } else {
        broken(intact)
    }
}
