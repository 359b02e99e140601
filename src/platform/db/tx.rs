//! A write transaction. What it promises: audit entries, change-log rows and jobs are rows of the same transaction, numbered per
//! workspace in commit order; what has to be announced is handed back only after the commit.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use entity::enums::ChangeAction;
use entity::ids::{AuditLogId, CalendarId, WorkspaceId};
use entity::{audit_log, change_log, workspace_counter};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ColumnTrait as _, DatabaseConnection, DeleteMany, EntityTrait,
    IntoActiveModel, QueryFilter as _, QuerySelect as _, Set, SqliteTransactionMode, TransactionOptions,
    TransactionTrait as _, UpdateMany,
};
use serde::Serialize;
use uuid::Uuid;

use super::audit::{Audit, hash_of_new};
use super::flight::Flight;
use super::read::Read;
use super::scope::{Global, Scope, WorkspaceOwned, scope_filter};
use super::source::Source;
use super::together::Part;
use crate::kernel::actor::Actor;
use crate::kernel::changes::{Change, Committed, ObjectType, Topic};
use crate::kernel::ids::IdGen;
use crate::kernel::time::{Clock, Instant};
use crate::kernel::{Error, Result};

/// More changes than this travel as a hint only; readers catch up from the log.
const INLINE_CHANGES: usize = 64;

/// What a transaction needs to know about its surroundings.
#[derive(Clone, Debug)]
pub struct TxEnv {
    /// Source of time.
    pub clock: Clock,
    /// Source of ids.
    pub ids: IdGen,
    /// Who acts.
    pub actor: Actor,
}

/// What has to be announced after the commit.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Changes of the scope's workspace.
    pub committed: Option<(WorkspaceId, Committed)>,
    /// Messages for other topics.
    pub messages: Vec<(Topic, serde_json::Value)>,
    /// Whether jobs were enqueued.
    pub jobs: bool,
}

#[derive(Debug, Default)]
struct Pending {
    audits: Vec<Audit>,
    /// Whose log has the entries, in a transaction beside all workspaces.
    log: Option<WorkspaceId>,
    changes: Vec<(ChangeAction, ObjectType, Uuid, Option<CalendarId>)>,
    messages: Vec<(Topic, serde_json::Value)>,
    jobs: bool,
}

/// An open write transaction. Clones share it; it reads like [`Read`].
#[derive(Clone, Debug)]
pub struct Tx(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    read: Read,
    env: TxEnv,
    now: Instant,
    pending: Mutex<Pending>,
}

impl Deref for Tx {
    type Target = Read;
    fn deref(&self) -> &Read {
        &self.0.read
    }
}

impl Tx {
    /// `source` is where PostgreSQL's transactions get their connections, `writer` the one connection that writes to SQLite.
    pub(super) async fn begin(
        source: &Source,
        writer: &DatabaseConnection,
        scope: Scope,
        env: TxEnv,
    ) -> Result<Self> {
        // SQLite upgrades a deferred transaction without waiting and fails; an immediate one queues for the writer's lock.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let read = match source {
            Source::Postgres(ready) => Read::aboard(Flight::begin(ready, scope).await?, scope),
            Source::Sqlite(_) => Read::inside(writer.begin_with_options(options).await?, scope),
        };
        let now = env.clock.now();
        Ok(Self(Arc::new(Inner {
            read,
            env,
            now,
            pending: Mutex::default(),
        })))
    }

    /// The instant of this transaction.
    pub fn now(&self) -> Instant {
        self.0.now
    }

    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.0.env.actor
    }

    /// Source of ids.
    pub fn ids(&self) -> &IdGen {
        &self.0.env.ids
    }

    /// The connection, where a borrowed one is needed.
    pub fn conn(&self) -> &Read {
        &self.0.read
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The workspace of the scope.
    pub fn workspace(&self) -> Result<WorkspaceId> {
        match self.0.read.scope() {
            Scope::Workspace(id) => Ok(id),
            Scope::System => Err(Error::internal(
                "audit entries and changes need the scope of a workspace",
            )),
        }
    }

    /// Stores a new row of this workspace.
    pub async fn insert<A>(&self, mut row: A) -> Result<<A::Entity as EntityTrait>::Model>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send,
        A::Entity: WorkspaceOwned,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        self.stamp(&mut row);
        Ok(row.insert(self.conn()).await?)
    }

    /// Stores a new row of a table without a workspace.
    pub async fn insert_global<A>(&self, row: A) -> Result<<A::Entity as EntityTrait>::Model>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send,
        A::Entity: Global,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        Ok(row.insert(self.conn()).await?)
    }

    pub(super) fn stamp<A>(&self, row: &mut A)
    where
        A: ActiveModelTrait,
        A::Entity: WorkspaceOwned,
    {
        if let Scope::Workspace(id) = self.0.read.scope() {
            row.set(<A::Entity as WorkspaceOwned>::WORKSPACE, id.into());
        }
    }

    /// Stores the set fields of a row of this workspace and returns the row; NOT_FOUND when it is gone or foreign.
    pub async fn update<A>(&self, row: A) -> Result<<A::Entity as EntityTrait>::Model>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send,
        A::Entity: WorkspaceOwned,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        let update = <A::Entity as EntityTrait>::update(row)
            .validate()?
            .filter(scope_filter::<A::Entity>(self.0.read.scope()));
        match update.exec(self.conn()).await {
            Err(sea_orm::DbErr::RecordNotUpdated) => Err(Error::not_found()),
            other => Ok(other?),
        }
    }

    /// Stores the set fields of a row without a workspace and returns the row; NOT_FOUND when it is gone.
    pub async fn update_global_row<A>(&self, row: A) -> Result<<A::Entity as EntityTrait>::Model>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send,
        A::Entity: Global,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        match <A::Entity as EntityTrait>::update(row)
            .validate()?
            .exec(self.conn())
            .await
        {
            Err(sea_orm::DbErr::RecordNotUpdated) => Err(Error::not_found()),
            other => Ok(other?),
        }
    }

    /// An update of many rows of this workspace.
    #[expect(
        clippy::disallowed_methods,
        reason = "the scoped statement is built on the unscoped one"
    )]
    pub fn update_many<E: WorkspaceOwned>(&self) -> UpdateMany<E> {
        E::update_many().filter(scope_filter::<E>(self.0.read.scope()))
    }

    /// A deletion of many rows of this workspace.
    #[expect(
        clippy::disallowed_methods,
        reason = "the scoped statement is built on the unscoped one"
    )]
    pub fn delete_many<E: WorkspaceOwned>(&self) -> DeleteMany<E> {
        E::delete_many().filter(scope_filter::<E>(self.0.read.scope()))
    }

    /// An update of many rows of a table without a workspace.
    #[expect(clippy::disallowed_methods, reason = "these tables have no workspace")]
    pub fn update_global<E: Global>(&self) -> UpdateMany<E> {
        E::update_many()
    }

    /// A deletion of many rows of a table without a workspace.
    #[expect(clippy::disallowed_methods, reason = "these tables have no workspace")]
    pub fn delete_global<E: Global>(&self) -> DeleteMany<E> {
        E::delete_many()
    }

    /// Makes this transaction the only writer of its workspace until it ends: for rules that look at many rows, such as cycles.
    pub async fn lock_workspace(&self) -> Result<()> {
        self.workspace()?;
        self.find::<workspace_counter::Entity>()
            .lock_exclusive()
            .one(self.conn())
            .await?;
        Ok(())
    }

    /// Records what was done.
    pub fn audit(&self, entry: Audit) {
        self.pending().audits.push(entry);
    }

    /// Records what was done in the log of this workspace. For transactions on rows of a person or of the installation, which have no log:
    /// all entries of one transaction are in one log, inside a workspace in its own.
    pub fn audit_in(&self, log: WorkspaceId, entry: Audit) {
        let mut pending = self.pending();
        pending.log = Some(log);
        pending.audits.push(entry);
    }

    /// Tells subscribers, after the commit, that an object changed.
    pub fn change(&self, action: ChangeAction, object_type: ObjectType, object_id: Uuid) {
        self.pending()
            .changes
            .push((action, object_type, object_id, None));
    }

    /// Tells subscribers, after the commit, that an event of a calendar changed.
    pub fn event_change(&self, action: ChangeAction, event_id: Uuid, calendar_id: CalendarId) {
        self.pending()
            .changes
            .push((action, ObjectType::CalendarEvent, event_id, Some(calendar_id)));
    }

    /// Sends a message on another topic after the commit.
    pub fn announce(&self, topic: Topic, message: &impl Serialize) -> Result<()> {
        let message = serde_json::to_value(message).map_err(Error::internal)?;
        self.pending().messages.push((topic, message));
        Ok(())
    }

    /// Notes that workers have something to look for after the commit.
    pub(super) fn has_jobs(&self) {
        self.pending().jobs = true;
    }

    pub(super) async fn commit(self) -> Result<Outcome> {
        let pending = std::mem::take(&mut *self.pending());
        let mut outcome = Outcome {
            committed: None,
            messages: pending.messages,
            jobs: pending.jobs,
        };
        let mut last = Vec::new();
        if let Some(reply) = &self.actor().origin.reply {
            last.push(super::reply::carried_out(reply));
        }
        if !pending.audits.is_empty() || !pending.changes.is_empty() {
            let workspace = self.log(pending.log)?;
            let (committed, parts) = self.logs(workspace, pending.audits, pending.changes).await?;
            outcome.committed = Some((workspace, committed));
            last.extend(parts);
        }
        self.together(last).await?;
        self.into_read()?.commit().await?;
        Ok(outcome)
    }

    pub(super) async fn rollback(self) {
        // A transaction that still has other owners is rolled back when the last of them drops it.
        if let Ok(read) = self.into_read()
            && let Err(error) = read.rollback().await
        {
            tracing::warn!(%error, "rollback failed");
        }
    }

    fn into_read(self) -> Result<Read> {
        let inner =
            Arc::try_unwrap(self.0).map_err(|_| Error::internal("the transaction outlived its closure"))?;
        Ok(inner.read)
    }

    /// The workspace whose logs have the entries and changes of this transaction.
    fn log(&self, named: Option<WorkspaceId>) -> Result<WorkspaceId> {
        match (self.0.read.scope(), named) {
            (Scope::System, Some(named)) => Ok(named),
            (Scope::Workspace(own), Some(named)) if own != named => {
                Err(Error::internal("an audit entry for the log of another workspace"))
            }
            _ => self.workspace(),
        }
    }

    /// Takes the workspace's next numbers, which holds its counter row until the commit: the order of numbers is the order of commits.
    async fn logs(
        &self,
        workspace: WorkspaceId,
        audits: Vec<Audit>,
        changes: Vec<(ChangeAction, ObjectType, Uuid, Option<CalendarId>)>,
    ) -> Result<(Committed, Vec<Part>)> {
        use workspace_counter::Column;
        // The scope does not say which in a transaction beside all workspaces.
        let is_beside = self.0.read.scope() == Scope::System;
        let mut select = self.find::<workspace_counter::Entity>();
        if is_beside {
            select = select.filter(Column::WorkspaceId.eq(workspace));
        }
        let counter = select
            .lock_exclusive()
            .one(self.conn())
            .await?
            .ok_or_else(Error::not_found)?;
        let changes: Vec<Change> = changes
            .into_iter()
            .zip(counter.change_seq + 1..)
            .map(|((action, object_type, object_id, calendar_id), seq)| Change {
                seq,
                action,
                object_type,
                object_id,
                calendar_id,
                at: self.now(),
            })
            .collect();
        let last_seq = counter.change_seq + changes.len() as i64;
        let (audits, hash) = self.audit_rows(&counter, audits);
        let mut update = self
            .update_many::<workspace_counter::Entity>()
            .col_expr(Column::ChangeSeq, Expr::val(last_seq))
            .col_expr(
                Column::AuditSeq,
                Expr::val(counter.audit_seq + audits.len() as i64),
            )
            .col_expr(Column::AuditHash, Expr::val(hash));
        if is_beside {
            update = update.filter(Column::WorkspaceId.eq(workspace));
        }
        let mut parts = self.storing(
            changes
                .iter()
                .map(|change| self.change_row(workspace, change))
                .collect(),
        );
        parts.extend(self.storing(audits));
        parts.push(Part::update(update));

        let inline = if changes.len() <= INLINE_CHANGES {
            changes
        } else {
            Vec::new()
        };
        let committed = Committed {
            last_seq,
            changes: inline,
        };
        Ok((committed, parts))
    }

    fn change_row(&self, workspace: WorkspaceId, change: &Change) -> change_log::ActiveModel {
        change_log::ActiveModel {
            workspace_id: Set(workspace),
            seq: Set(change.seq),
            action: Set(change.action),
            object_type: Set(change.object_type.as_str().to_owned()),
            object_id: Set(change.object_id),
            calendar_id: Set(change.calendar_id),
            actor_id: Set(self.actor().user_id),
            created_at: Set(change.at),
        }
    }

    /// The entries with their places in the chain, and the hash of the last.
    fn audit_rows(
        &self,
        counter: &workspace_counter::Model,
        audits: Vec<Audit>,
    ) -> (Vec<audit_log::ActiveModel>, Vec<u8>) {
        let actor = self.actor().clone();
        let mut previous = counter.audit_hash.clone();
        let mut rows = Vec::with_capacity(audits.len());
        for (entry, seq) in audits.into_iter().zip(counter.audit_seq + 1..) {
            let hash = hash_of_new(&previous, seq, &entry, &actor, self.now());
            rows.push(audit_log::ActiveModel {
                id: Set(self.ids().next::<AuditLogId>()),
                workspace_id: Set(counter.workspace_id),
                seq: Set(seq),
                actor_kind: Set(actor.kind),
                actor_id: Set(actor.user_id),
                api_token_id: Set(actor.api_token_id),
                action: Set(entry.action.to_owned()),
                entity_type: Set(entry.entity_type.to_owned()),
                entity_id: Set(entry.entity_id),
                changes: Set(entry.changes),
                ip_address: Set(actor.origin.ip_address.clone()),
                user_agent: Set(actor.origin.user_agent.clone()),
                request_id: Set(actor.origin.request_id.clone()),
                prev_hash: Set(previous),
                hash: Set(hash.clone()),
                created_at: Set(self.now()),
            });
            previous = hash;
        }
        (rows, previous)
    }
}
