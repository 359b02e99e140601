//! Upkeep: deletes what nobody needs any more, a page at a time, so that no lock is held for long. Jobs look after their own rows.

use chrono::Duration;
use entity::ids::{SessionId, WorkspaceId};
use entity::{change_log, idempotency_record, session};
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QuerySelect as _};

use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};

/// Rows of one transaction.
const PAGE: u64 = 500;
/// How long a client can be away and still catch up from the change log.
pub const KEEP_CHANGES: Duration = Duration::days(30);
/// How long an ended session is shown in the database, for those who look into an incident.
const KEEP_ENDED_SESSIONS: Duration = Duration::days(30);

/// Deletes everything whose time is over. Returns how many rows.
pub async fn prune(platform: &Platform) -> Result<u64> {
    let mut deleted = 0;
    loop {
        let page = prune_sessions(platform).await?
            + prune_answers(platform).await?
            + prune_changes(platform).await?;
        deleted += page;
        if page == 0 {
            return Ok(deleted);
        }
    }
}

async fn prune_sessions(platform: &Platform) -> Result<u64> {
    let body = |tx: Tx| async move {
        let cutoff = tx.now() - KEEP_ENDED_SESSIONS;
        let over = Condition::any()
            .add(session::Column::ExpiresAt.lt(cutoff))
            .add(session::Column::RevokedAt.lt(cutoff));
        let select = tx
            .find_global::<session::Entity>()
            .select_only()
            .column(session::Column::Id)
            .filter(over)
            .limit(PAGE);
        let ids: Vec<SessionId> = select.into_tuple().all(tx.conn()).await?;
        let delete = tx
            .delete_global::<session::Entity>()
            .filter(session::Column::Id.is_in(ids));
        Ok(delete.exec(tx.conn()).await?.rows_affected)
    };
    platform.write(Scope::System, Actor::system(), body).await
}

async fn prune_answers(platform: &Platform) -> Result<u64> {
    use idempotency_record::Column;
    let body = |tx: Tx| async move {
        let select = tx
            .find_global::<idempotency_record::Entity>()
            .select_only()
            .columns([Column::Caller, Column::Key]);
        let select = select.filter(Column::ExpiresAt.lt(tx.now())).limit(PAGE);
        let keys: Vec<(String, String)> = select.into_tuple().all(tx.conn()).await?;
        let mut deleted = 0;
        for (caller, key) in keys {
            let delete = tx.delete_global::<idempotency_record::Entity>();
            let delete = delete
                .filter(Column::Caller.eq(caller))
                .filter(Column::Key.eq(key));
            deleted += delete.exec(tx.conn()).await?.rows_affected;
        }
        Ok(deleted)
    };
    platform.write(Scope::System, Actor::system(), body).await
}

/// Cuts the oldest changes off the log of each workspace.
async fn prune_changes(platform: &Platform) -> Result<u64> {
    use change_log::Column;
    let body = |tx: Tx| async move {
        let select = tx
            .find::<change_log::Entity>()
            .select_only()
            .columns([Column::WorkspaceId, Column::Seq]);
        let select = select
            .filter(Column::CreatedAt.lt(tx.now() - KEEP_CHANGES))
            .limit(PAGE);
        let old: Vec<(WorkspaceId, i64)> = select.into_tuple().all(tx.conn()).await?;
        let mut deleted = 0;
        for (workspace, seq) in old {
            let delete = tx.delete_many::<change_log::Entity>();
            let delete = delete
                .filter(Column::WorkspaceId.eq(workspace))
                .filter(Column::Seq.eq(seq));
            deleted += delete.exec(tx.conn()).await?.rows_affected;
        }
        Ok(deleted)
    };
    platform.write(Scope::System, Actor::system(), body).await
}
