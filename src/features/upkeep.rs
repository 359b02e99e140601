//! Upkeep: deletes what nobody needs any more, a page at a time, so that no lock is held for long. Jobs, letters, audit logs and transfers
//! look after their own rows. A test says of every table why it does not grow for ever.

use chrono::Duration;
use entity::enums::ScheduleStatus;
use entity::ids::{NotificationId, ScheduleId, SessionId, SyncRunId, VerificationTokenId, WorkspaceId};
use entity::{change_log, idempotency_record, notification, schedule, session, sync_run, verification_token};
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query};
use sea_orm::{
    ActiveEnum as _, ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};

/// Rows of one transaction.
const PAGE: u64 = 500;
/// Workspaces whose change logs are cut in one transaction.
const WORKSPACES: u64 = 20;
/// Changes that are cut off one log in one transaction.
const CHANGES: i64 = 5_000;
/// How long a client can be away and still catch up from the change log.
pub const KEEP_CHANGES: Duration = Duration::days(30);
/// How long a one-use secret that is over is kept, for the same.
const KEEP_SECRETS: Duration = Duration::days(1);
/// How long signs of what was withdrawn are kept: every process looks for them every two seconds, and one that slept for half of this
/// believes nothing that it keeps.
const KEEP_SIGNS: Duration = Duration::days(1);
/// How long an ended session is shown in the database, for those who look into an incident.
const KEEP_ENDED_SESSIONS: Duration = Duration::days(30);
/// How long runs of syncs are shown, for those who look why something is missing: a feed that is read every five minutes has a hundred
/// thousand a year.
pub const KEEP_RUNS: Duration = Duration::days(30);
/// How long a person finds what they were told.
pub const KEEP_NOTIFICATIONS: Duration = Duration::days(365);
/// How long after its last day a plan is kept that is not in force: each comparison with the calendar can make one.
pub const KEEP_OLD_PLANS: Duration = Duration::days(90);

/// Deletes everything whose time is over. Returns how many rows.
pub async fn prune(platform: &Platform) -> Result<u64> {
    let mut deleted = 0;
    loop {
        let page = prune_sessions(platform).await?
            + prune_secrets(platform).await?
            + prune_answers(platform).await?
            + prune_signs(platform).await?
            + prune_runs(platform).await?
            + prune_notifications(platform).await?
            + prune_plans(platform).await?
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

async fn prune_secrets(platform: &Platform) -> Result<u64> {
    use verification_token::{Column, Entity};
    let body = |tx: Tx| async move {
        let over = Column::ExpiresAt.lt(tx.now() - KEEP_SECRETS);
        let select = tx.find_global::<Entity>().select_only().column(Column::Id);
        let ids: Vec<VerificationTokenId> = select
            .filter(over)
            .limit(PAGE)
            .into_tuple()
            .all(tx.conn())
            .await?;
        let delete = tx.delete_global::<Entity>().filter(Column::Id.is_in(ids));
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

/// Few, and never all of them.
async fn prune_signs(platform: &Platform) -> Result<u64> {
    let body = |tx: Tx| async move { tx.forget_withdrawals(tx.now() - KEEP_SIGNS).await };
    platform.write(Scope::System, Actor::system(), body).await
}

/// Ids are in the order of time, so that nothing but the oldest is read.
async fn prune_runs(platform: &Platform) -> Result<u64> {
    use sync_run::{Column, Entity};
    let body = |tx: Tx| async move {
        let cutoff = tx.now() - KEEP_RUNS;
        let select = tx
            .find::<Entity>()
            .select_only()
            .columns([Column::Id, Column::StartedAt, Column::FinishedAt])
            .order_by_asc(Column::Id)
            .limit(PAGE);
        let oldest: Vec<(SyncRunId, Instant, Option<Instant>)> = select.into_tuple().all(tx.conn()).await?;
        // One that has not ended may wait in a queue that is paused.
        let old = oldest
            .into_iter()
            .filter(|(_, began, ended)| *began < cutoff && ended.is_some());
        let ids: Vec<SyncRunId> = old.map(|(id, ..)| id).collect();
        let delete = tx.delete_many::<Entity>().filter(Column::Id.is_in(ids));
        Ok(delete.exec(tx.conn()).await?.rows_affected)
    };
    platform.write(Scope::System, Actor::system(), body).await
}

/// As above.
async fn prune_notifications(platform: &Platform) -> Result<u64> {
    use notification::{Column, Entity};
    let body = |tx: Tx| async move {
        let cutoff = tx.now() - KEEP_NOTIFICATIONS;
        let select = tx
            .find_global::<Entity>()
            .select_only()
            .columns([Column::Id, Column::CreatedAt])
            .order_by_asc(Column::Id)
            .limit(PAGE);
        let oldest: Vec<(NotificationId, Instant)> = select.into_tuple().all(tx.conn()).await?;
        let old = oldest.into_iter().filter(|(_, told)| *told < cutoff);
        let ids: Vec<NotificationId> = old.map(|(id, _)| id).collect();
        let delete = tx.delete_global::<Entity>().filter(Column::Id.is_in(ids));
        Ok(delete.exec(tx.conn()).await?.rows_affected)
    };
    platform.write(Scope::System, Actor::system(), body).await
}

/// Slots and what found no place go with their plan. One that is in force stays, and with it the events that it put on a calendar; so do
/// the events of the others, which do not know their plan.
async fn prune_plans(platform: &Platform) -> Result<u64> {
    use schedule::{Column, Entity};
    const OVER: [ScheduleStatus; 4] = [
        ScheduleStatus::Proposed,
        ScheduleStatus::Discarded,
        ScheduleStatus::Superseded,
        ScheduleStatus::Failed,
    ];
    let body = |tx: Tx| async move {
        let cutoff = tx.now() - KEEP_OLD_PLANS;
        let heir = |column| Expr::col((Alias::new("heir"), column));
        let of_this = |column| heir(column).equals((Entity, column));
        let has_heir = Query::select()
            .expr(Expr::val(1))
            .from_as(Entity, Alias::new("heir"))
            .and_where(of_this(Column::WorkspaceId))
            .and_where(of_this(Column::UserId))
            .and_where(heir(Column::Status).eq(ScheduleStatus::Applied.to_value()))
            .and_where(heir(Column::StartDate).lte(Expr::col((Entity, Column::EndDate))))
            .and_where(heir(Column::EndDate).gte(cutoff.date_naive()))
            .take();
        let select = tx
            .find::<Entity>()
            .select_only()
            .column(Column::Id)
            .filter(Column::Status.is_in(OVER))
            .filter(Column::EndDate.lt(cutoff.date_naive()))
            .filter(Column::UpdatedAt.lt(cutoff))
            .filter(Expr::exists(has_heir).not())
            .limit(PAGE);
        let ids: Vec<ScheduleId> = select.into_tuple().all(tx.conn()).await?;
        let delete = tx.delete_many::<Entity>().filter(Column::Id.is_in(ids));
        Ok(delete.exec(tx.conn()).await?.rows_affected)
    };
    platform.write(Scope::System, Actor::system(), body).await
}

/// Cuts the oldest changes off the log of each workspace, always from its beginning: a transaction that took long has a later number than
/// its time suggests, and a hole in the middle would be skipped by whoever catches up.
async fn prune_changes(platform: &Platform) -> Result<u64> {
    use change_log::Column;
    let body = |tx: Tx| async move {
        let select = tx
            .find::<change_log::Entity>()
            .select_only()
            .column(Column::WorkspaceId)
            .column_as(Column::Seq.min(), "first")
            .column_as(Column::Seq.max(), "last")
            .filter(Column::CreatedAt.lt(tx.now() - KEEP_CHANGES))
            .group_by(Column::WorkspaceId)
            .limit(WORKSPACES);
        let old: Vec<(WorkspaceId, i64, i64)> = select.into_tuple().all(tx.conn()).await?;
        let mut deleted = 0;
        for (workspace, first, last) in old {
            let delete = tx
                .delete_many::<change_log::Entity>()
                .filter(Column::WorkspaceId.eq(workspace))
                .filter(Column::Seq.lte(Ord::min(last, first + CHANGES)));
            deleted += delete.exec(tx.conn()).await?.rows_affected;
        }
        Ok(deleted)
    };
    platform.write(Scope::System, Actor::system(), body).await
}
