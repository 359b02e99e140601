//! A write transaction. What it promises: audit entries, change-log rows and jobs are rows of the same transaction, numbered per
//! workspace in commit order; what has to be announced is handed back only after the commit.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use entity::enums::ChangeAction;
use entity::ids::{CalendarId, WorkspaceId};
use entity::workspace_counter;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, DatabaseConnection, DeleteMany, EntityTrait, IntoActiveModel,
    QueryFilter as _, QuerySelect as _, SqliteTransactionMode, TransactionOptions, TransactionTrait as _,
    UpdateMany,
};
use serde::Serialize;
use uuid::Uuid;

use super::audit::Audit;
use super::flight::Flight;
use super::logs::{Entries, NewChange};
use super::part::Part;
use super::read::Read;
use super::scope::{Global, Scope, WorkspaceOwned, scope_filter};
use super::source::Source;
use crate::kernel::actor::Actor;
use crate::kernel::changes::{Committed, ObjectType, Topic};
use crate::kernel::ids::IdGen;
use crate::kernel::time::{Clock, Instant};
use crate::kernel::{Error, Result};

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
    changes: Vec<NewChange>,
    messages: Vec<(Topic, serde_json::Value)>,
    jobs: bool,
    /// Writes that are carried out with the commit.
    last: Vec<Part>,
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

    /// Carries these out with the commit, in one flight with the logs. For rows that nothing in this transaction reads again. The
    /// workspace's numbers are taken before their foreign keys are looked at, so they must not refer to rows that others lock before they
    /// take numbers: both would wait for each other. People and workspaces are kept by [`super::Hold`], which does not lock foreign keys out.
    pub fn at_last(&self, parts: Vec<Part>) {
        self.pending().last.extend(parts);
    }

    /// Notes that workers have something to look for after the commit.
    pub(super) fn has_jobs(&self) {
        self.pending().jobs = true;
    }

    pub(super) async fn commit(self) -> Result<Outcome> {
        match self.finish().await {
            Ok(outcome) => {
                self.into_read()?.commit().await?;
                Ok(outcome)
            }
            Err(error) => {
                self.rollback().await;
                Err(error)
            }
        }
    }

    /// Stores what waits for the end: together, so that it is one flight.
    async fn finish(&self) -> Result<Outcome> {
        let pending = std::mem::take(&mut *self.pending());
        let mut outcome = Outcome {
            committed: None,
            messages: pending.messages,
            jobs: pending.jobs,
        };
        let mut last = pending.last;
        if let Some(reply) = &self.actor().origin.reply {
            last.push(super::reply::carried_out(reply));
        }
        if pending.audits.is_empty() && pending.changes.is_empty() {
            self.together(last).await?;
            return Ok(outcome);
        }
        let workspace = self.log_of(pending.log)?;
        let entries = Entries {
            audits: pending.audits,
            changes: pending.changes,
        };
        let committed = self.log(workspace, entries, last).await?;
        outcome.committed = Some((workspace, committed));
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
    fn log_of(&self, named: Option<WorkspaceId>) -> Result<WorkspaceId> {
        match (self.0.read.scope(), named) {
            (Scope::System, Some(named)) => Ok(named),
            (Scope::Workspace(own), Some(named)) if own != named => {
                Err(Error::internal("an audit entry for the log of another workspace"))
            }
            _ => self.workspace(),
        }
    }
}
