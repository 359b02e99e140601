//! Adding jobs to a transaction. A workspace may leave work for the installation, and both may ask for the same work twice: of unfinished
//! jobs with one key there is one, whoever asked for it. Nothing of a job that is not of the workspace is read back but its id.

use entity::enums::JobStatus;
use entity::ids::{JobId, WorkspaceId};
use entity::job;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, Set,
    TryInsertResult,
};

use super::scope::Scope;
use super::tx::Tx;
use crate::kernel::jobs::{NewJob, Urgency};
use crate::kernel::{Error, Result};

/// Jobs that keep their key: the condition of its index, word for word, or no database sees that it may use that.
pub const KEEPS_KEY: &str = r#""jobs"."status" IN ('queued', 'running', 'retrying')"#;

/// The job that has the key may end between the refusal and the look at it.
const TRIES: usize = 3;

impl Tx {
    /// Adds a job to this transaction. When a job with the same unique key waits or runs, returns that one; if this one is more urgent, so
    /// is that one from now on.
    pub async fn enqueue(&self, new: NewJob) -> Result<JobId> {
        let beyond = self.is_postgres() && !self.is_within(new.workspace_id);
        if beyond {
            // Row-level security keeps jobs of the installation out of the sight of a workspace.
            self.execute_unprepared("SET LOCAL ROLE meridian_system").await?;
        }
        let id = self.insert_job(new).await?;
        if beyond {
            self.execute_unprepared("SET LOCAL ROLE meridian_app").await?;
        }
        Ok(id)
    }

    /// Whether rows of this owner are seen in the scope of the transaction.
    fn is_within(&self, owner: Option<WorkspaceId>) -> bool {
        match self.scope() {
            Scope::System => true,
            Scope::Workspace(id) => owner == Some(id),
        }
    }

    async fn insert_job(&self, new: NewJob) -> Result<JobId> {
        let id: JobId = self.ids().next();
        let payload = serde_json::to_value(&new.payload).map_err(Error::internal)?;
        let row = job::ActiveModel {
            id: Set(id),
            queue: Set(new.payload.queue()),
            kind: Set(new.payload.kind().to_owned()),
            workspace_id: Set(new.workspace_id),
            created_by: Set(new.created_by),
            payload: Set(payload),
            status: Set(JobStatus::Queued),
            attempts: Set(0),
            max_attempts: Set(new.payload.max_attempts()),
            run_at: Set(new.run_at.unwrap_or(self.now())),
            lease_owner: Set(None),
            lease_until: Set(None),
            priority: Set(new.urgency.priority()),
            unique_key: Set(new.unique_key.clone()),
            progress_percent: Set(None),
            last_error: Set(None),
            started_at: Set(None),
            finished_at: Set(None),
            cancel_requested: Set(false),
            timeout_seconds: Set(i32::try_from(new.payload.timeout().as_secs()).unwrap_or(i32::MAX)),
            created_at: Set(self.now()),
            updated_at: Set(self.now()),
        };
        for _ in 0..TRIES {
            let insert = job::Entity::insert(row.clone())
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .try_insert();
            if let TryInsertResult::Inserted(1..) = insert.exec_without_returning(self.conn()).await? {
                self.has_jobs();
                return Ok(id);
            }
            if let Some(id) = self.joined(new.unique_key.as_deref(), new.urgency).await? {
                return Ok(id);
            }
        }
        Err(Error::internal("a job was refused although no other has its key"))
    }

    /// The unfinished job with this key, in the hurry of whoever asks now.
    #[expect(
        clippy::disallowed_methods,
        reason = "keys are unique beyond the scope, and the job may be of nobody's workspace"
    )]
    async fn joined(&self, key: Option<&str>, urgency: Urgency) -> Result<Option<JobId>> {
        let same = job::Entity::find()
            .select_only()
            .columns([job::Column::Id, job::Column::Priority])
            .filter(job::Column::UniqueKey.eq(key))
            .filter(Expr::cust(KEEPS_KEY));
        let found: Option<(JobId, i16)> = same.into_tuple().one(self.conn()).await?;
        let Some((id, priority)) = found else {
            return Ok(None);
        };
        if priority < urgency.priority() {
            let sooner = job::ActiveModel {
                priority: Set(urgency.priority()),
                ..Default::default()
            };
            job::Entity::update_many()
                .set(sooner)
                .filter(job::Column::Id.eq(id))
                .exec(self.conn())
                .await?;
            self.has_jobs();
        }
        Ok(Some(id))
    }
}
