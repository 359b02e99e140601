//! One run at a time works on a calendar. A lease that was not renewed may be taken over; its number then tells the late one that it lost.

use chrono::TimeDelta;
use entity::calendar_sync::{self, Column, Entity};
use entity::enums::SyncState;
use entity::ids::{CalendarId, SyncRunId, TypedId as _};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QuerySelect as _};

use crate::access::Ctx;
use crate::features::integrations::providers::SyncCursor;
use crate::kernel::Result;
use crate::platform::db::Tx;

/// How long a silent run keeps others off. Each page renews it.
const LEASE: TimeDelta = TimeDelta::seconds(30);

/// A calendar that this run works on.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) calendar_id: CalendarId,
    fence: i64,
    /// Where the last completed run ended.
    pub(super) cursor: SyncCursor,
    /// Deletions of this calendar wait for a decision.
    pub(super) is_held: bool,
}

/// What came of asking for a calendar.
pub(super) enum Asked {
    Granted(Lease),
    /// Another run works on it.
    Busy,
    /// It is no longer mirrored.
    Gone,
}

/// Asks for a calendar. The same run, tried again, gets it back at once: the ledger lets no two attempts of a job run.
pub(super) async fn acquire(ctx: &Ctx, calendar_id: CalendarId, run: SyncRunId) -> Result<Asked> {
    let owner = run.uuid().simple().to_string();
    ctx.write(|tx| {
        let owner = owner.clone();
        async move {
            let Some(row) = lock(&tx, calendar_id).await? else {
                return Ok(Asked::Gone);
            };
            let is_free = row.lease_owner.as_ref().is_none_or(|holder| *holder == owner)
                || row.lease_until.is_none_or(|until| until <= tx.now());
            if !is_free {
                return Ok(Asked::Busy);
            }
            let cursor = cursor_of(&row);
            let state = match cursor == SyncCursor::default() {
                true => SyncState::Full,
                false => SyncState::Delta,
            };
            tx.update_many::<Entity>()
                .col_expr(Column::LeaseOwner, Expr::value(owner))
                .col_expr(Column::LeaseUntil, Expr::value(tx.now() + LEASE))
                .col_expr(Column::LeaseFence, Expr::col(Column::LeaseFence).add(1))
                .col_expr(Column::State, Expr::value(state))
                .col_expr(Column::UpdatedAt, Expr::value(tx.now()))
                .filter(Column::CalendarId.eq(calendar_id))
                .exec(tx.conn())
                .await?;
            Ok(Asked::Granted(Lease {
                calendar_id,
                fence: row.lease_fence + 1,
                cursor,
                is_held: row.held_deletes.is_some(),
            }))
        }
    })
    .await
}

async fn lock(tx: &Tx, calendar_id: CalendarId) -> Result<Option<calendar_sync::Model>> {
    let select = tx.find::<Entity>().filter(Column::CalendarId.eq(calendar_id));
    Ok(select.lock_exclusive().one(tx.conn()).await?)
}

/// Whether a step of the run may still be stored.
pub(super) enum Standing {
    /// Yes; the row as it is now.
    Ours(Box<calendar_sync::Model>),
    /// Another run took over.
    Lost,
    /// The calendar is no longer mirrored.
    Gone,
}

impl Lease {
    /// Renews the lease as part of a step. The row stays locked until the step is stored.
    pub(super) async fn renew(&self, tx: &Tx) -> Result<Standing> {
        let Some(row) = lock(tx, self.calendar_id).await? else {
            return Ok(Standing::Gone);
        };
        if row.lease_fence != self.fence {
            return Ok(Standing::Lost);
        }
        tx.update_many::<Entity>()
            .col_expr(Column::LeaseUntil, Expr::value(tx.now() + LEASE))
            .filter(self.mine())
            .exec(tx.conn())
            .await?;
        Ok(Standing::Ours(Box::new(row)))
    }

    /// Gives the calendar back without having finished.
    pub(super) async fn give_back(&self, ctx: &Ctx, error: Option<&str>) -> Result<()> {
        ctx.write(|tx| async move {
            let mut update = tx.update_many::<Entity>();
            if let Some(error) = error {
                update = update.col_expr(Column::LastError, Expr::value(error));
            }
            self.release(update, &tx).await
        })
        .await
    }

    /// Stores where the run ended, with its last step. A cursor that somebody reset meanwhile stays reset.
    pub(super) async fn complete(
        &self,
        tx: &Tx,
        row: &calendar_sync::Model,
        cursor: &SyncCursor,
    ) -> Result<()> {
        let rest = SyncCursor {
            digest: cursor.digest.clone(),
            retry: cursor.retry.clone(),
            ..SyncCursor::default()
        };
        let rest = (rest != SyncCursor::default())
            .then(|| serde_json::to_string(&rest))
            .transpose()
            .map_err(crate::kernel::Error::internal)?;
        let mut update = tx
            .update_many::<Entity>()
            .col_expr(Column::LastError, Expr::value(Option::<String>::None))
            .col_expr(
                Column::HeldDeletes,
                Expr::value(Option::<serde_json::Value>::None),
            )
            .col_expr(Column::LastSuccessAt, Expr::value(tx.now()));
        if cursor_of(row) == self.cursor {
            update = update
                .col_expr(Column::SyncToken, Expr::value(cursor.token.clone()))
                .col_expr(Column::Ctag, Expr::value(cursor.ctag.clone()))
                .col_expr(Column::Etag, Expr::value(cursor.etag.clone()))
                .col_expr(Column::LastModified, Expr::value(cursor.last_modified.clone()))
                .col_expr(Column::PageCursor, Expr::value(rest));
        }
        self.release(update, tx).await
    }

    /// Stores that deletions wait; the cursor stays, so that they come again.
    pub(super) async fn hold(&self, tx: &Tx, waiting: serde_json::Value, message: &str) -> Result<()> {
        let update = tx
            .update_many::<Entity>()
            .col_expr(Column::HeldDeletes, Expr::value(waiting))
            .col_expr(Column::LastError, Expr::value(message));
        self.release(update, tx).await
    }

    async fn release(&self, update: sea_orm::UpdateMany<Entity>, tx: &Tx) -> Result<()> {
        update
            .col_expr(Column::LeaseOwner, Expr::value(Option::<String>::None))
            .col_expr(
                Column::LeaseUntil,
                Expr::value(Option::<crate::kernel::time::Instant>::None),
            )
            .col_expr(Column::State, Expr::value(SyncState::Idle))
            .col_expr(Column::UpdatedAt, Expr::value(tx.now()))
            .filter(self.mine())
            .exec(tx.conn())
            .await?;
        Ok(())
    }

    fn mine(&self) -> Condition {
        Condition::all()
            .add(Column::CalendarId.eq(self.calendar_id))
            .add(Column::LeaseFence.eq(self.fence))
    }
}

/// Where the last completed run ended.
fn cursor_of(row: &calendar_sync::Model) -> SyncCursor {
    let rest: SyncCursor = row
        .page_cursor
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    SyncCursor {
        token: row.sync_token.clone(),
        ctag: row.ctag.clone(),
        etag: row.etag.clone(),
        last_modified: row.last_modified.clone(),
        ..rest
    }
}
