//! Retention of audit logs. A log is only ever cut at its beginning, and what is cut is written down before anything is deleted: the number
//! and hash of the last entry that goes, so that the chain of the rest still has something to begin at.

use chrono::Duration;
use entity::ids::{TypedId as _, WorkspaceId};
use entity::{audit_cut, audit_log, workspace};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set};

use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::{Audit, Scope, Tx};

/// Entries that are cut off one log in one transaction.
const PAGE: i64 = 5_000;
/// Logs that are looked for at a time.
const LOGS: u64 = 100;
/// Nothing is cut before this much is over, so that busy logs do not fill with entries about cuts.
const SLACK: Duration = Duration::days(1);

/// Cuts off what is older than the setting says. Returns how many entries went; none when everything is kept.
pub async fn prune(platform: &Platform) -> Result<u64> {
    let days = platform.config.keep.audit_days;
    if days == 0 {
        return Ok(0);
    }
    let keep = platform.clock.now() - Duration::days(i64::from(days));
    let mut deleted = 0;
    let mut after = None;
    loop {
        let logs = old_logs(platform, keep - SLACK, after).await?;
        let Some(last) = logs.last() else {
            return Ok(deleted);
        };
        after = Some(*last);
        for workspace in logs {
            deleted += prune_one(platform, workspace, keep).await?;
        }
    }
}

/// Workspaces behind this one whose logs have entries from before an instant.
async fn old_logs(
    platform: &Platform,
    before: Instant,
    after: Option<WorkspaceId>,
) -> Result<Vec<WorkspaceId>> {
    use audit_log::{Column, Entity};
    let id = Expr::col((workspace::Entity, workspace::Column::Id));
    let old = Query::select()
        .expr(Expr::val(1))
        .from(Entity)
        .and_where(Expr::col((Entity, Column::WorkspaceId)).eq(id))
        .and_where(Expr::col((Entity, Column::CreatedAt)).lt(before))
        .take();
    let read = platform.db.read(Scope::System).await?;
    let mut select = read
        .find::<workspace::Entity>()
        .select_only()
        .column(workspace::Column::Id)
        .filter(Expr::exists(old));
    if let Some(after) = after {
        select = select.filter(workspace::Column::Id.gt(after));
    }
    let select = select.order_by_asc(workspace::Column::Id).limit(LOGS);
    Ok(select.into_tuple().all(&read).await?)
}

/// Cuts one log, a page at a time.
async fn prune_one(platform: &Platform, workspace: WorkspaceId, before: Instant) -> Result<u64> {
    let Some((first, last)) = old_entries(platform, workspace, before).await? else {
        return Ok(0);
    };
    // Said in the log itself before it is done.
    let say = |tx: Tx| async move {
        tx.audit(Audit {
            action: "audit_log.cut",
            entity_type: "Workspace",
            entity_id: workspace.uuid(),
            changes: Some(serde_json::json!({ "first": first, "last": last })),
        });
        Ok(())
    };
    platform
        .write(Scope::Workspace(workspace), Actor::system(), say)
        .await?;
    let mut deleted = 0;
    let mut cut = first - 1;
    while cut < last {
        cut = Ord::min(last, cut + PAGE);
        let body = move |tx: Tx| async move { cut_in(&tx, workspace, cut).await };
        deleted += platform.write(Scope::System, Actor::system(), body).await?;
    }
    Ok(deleted)
}

/// The first entry of a log and the last one from before an instant, when there is any.
async fn old_entries(
    platform: &Platform,
    workspace: WorkspaceId,
    before: Instant,
) -> Result<Option<(i64, i64)>> {
    use audit_log::{Column, Entity};
    let read = platform.db.read(Scope::Workspace(workspace)).await?;
    let ends = read
        .find::<Entity>()
        .select_only()
        .column_as(Column::Seq.min(), "first")
        .column_as(Column::Seq.max(), "last")
        .filter(Column::CreatedAt.lt(before));
    let ends: Option<(Option<i64>, Option<i64>)> = ends.into_tuple().one(&read).await?;
    Ok(ends.and_then(|(first, last)| first.zip(last)))
}

async fn cut_in(tx: &Tx, workspace: WorkspaceId, seq: i64) -> Result<u64> {
    use audit_log::{Column, Entity};
    let mine = Column::WorkspaceId.eq(workspace);
    let at = tx
        .find::<Entity>()
        .filter(mine.clone())
        .filter(Column::Seq.eq(seq));
    let Some(at) = at.one(tx.conn()).await? else {
        // Another process was here.
        return Ok(0);
    };
    let row = audit_cut::ActiveModel {
        workspace_id: Set(workspace),
        seq: Set(seq),
        hash: Set(at.hash),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    };
    let replace = OnConflict::column(audit_cut::Column::WorkspaceId)
        .update_columns([
            audit_cut::Column::Seq,
            audit_cut::Column::Hash,
            audit_cut::Column::UpdatedAt,
        ])
        .to_owned();
    tx.upsert_many(vec![row], replace).await?;
    let delete = tx
        .delete_many::<Entity>()
        .filter(mine)
        .filter(Column::Seq.lte(seq));
    Ok(delete.exec(tx.conn()).await?.rows_affected)
}
