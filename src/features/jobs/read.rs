//! Questions about jobs. They look across workspaces, so each decides itself what its caller may see.

use entity::enums::{JobQueueName, JobStatus};
use entity::ids::{JobId, WorkspaceId};
use entity::job;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, Condition, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::model::JobFilter;
use crate::access::Access;
use crate::kernel::page::{Cursor, Page, PageRequest};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::{Key, Scope, keyset};
use crate::platform::jobs::{self, QueueStats, RATE_MINUTES, queue_stats};

/// One job; NOT_FOUND when the caller may not see it.
pub async fn get(access: &Access, id: JobId) -> Result<job::Model> {
    get_many(access, &[id]).await?.pop().ok_or_else(Error::not_found)
}

/// Those of these jobs that the caller may see.
pub async fn get_many(access: &Access, ids: &[JobId]) -> Result<Vec<job::Model>> {
    access.caller().require_user()?;
    let mut visible = Condition::all().add(job::Column::Id.is_in(ids.iter().copied()));
    if !access.caller().is_admin() {
        let workspaces: Vec<WorkspaceId> = access
            .memberships()
            .await?
            .iter()
            .map(|membership| membership.workspace_id)
            .collect();
        visible = visible.add(job::Column::WorkspaceId.is_in(workspaces));
    }
    let read = access.platform().db.read(Scope::System).await?;
    Ok(read.find::<job::Entity>().filter(visible).all(&read).await?)
}

/// One page of the jobs of the installation, newest first. FORBIDDEN unless the caller looks after it.
pub async fn page(access: &Access, filter: &JobFilter, request: &PageRequest) -> Result<Page<job::Model>> {
    access.caller().require_admin()?;
    let read = access.platform().db.read(Scope::System).await?;
    let select = read.find::<job::Entity>().filter(condition(filter));
    let total = if request.count {
        Some(select.clone().count(&read).await?)
    } else {
        None
    };
    let rows = keyset(select, &[newest_first()], request)?.all(&read).await?;
    Ok(Page::from_rows(request, rows, total, |row| {
        Cursor(vec![row.id.to_string().into()])
    }))
}

/// Numbers of every queue. FORBIDDEN unless the caller looks after the installation.
pub async fn queues(access: &Access) -> Result<Vec<QueueStats>> {
    access.caller().require_admin()?;
    let read = access.platform().db.read(Scope::System).await?;
    queue_stats(&read, access.platform().clock.now()).await
}

/// How many jobs of each queue ended in each state lately, after the number of minutes that "lately" is. FORBIDDEN unless the caller looks
/// after the installation.
pub async fn ended_lately(access: &Access) -> Result<(i64, Vec<(JobQueueName, JobStatus, i64)>)> {
    access.caller().require_admin()?;
    let read = access.platform().db.read(Scope::System).await?;
    let ended = jobs::ended_lately(&read, access.platform().clock.now()).await?;
    Ok((RATE_MINUTES, ended))
}

fn condition(filter: &JobFilter) -> Condition {
    use job::Column;
    Condition::all()
        .add_option(filter.queues.as_ref().map(|any| Column::Queue.is_in(any.clone())))
        .add_option(
            filter
                .statuses
                .as_ref()
                .map(|any| Column::Status.is_in(any.clone())),
        )
        .add_option(filter.workspace_id.map(|id| Column::WorkspaceId.eq(id)))
        .add_option(filter.range.map(|range| Column::CreatedAt.gte(range.start)))
        .add_option(filter.range.map(|range| Column::CreatedAt.lt(range.end)))
}

/// Ids are made in the order of creation.
fn newest_first() -> Key {
    Key {
        expr: Expr::col((job::Entity, job::Column::Id)),
        descending: true,
        value: |json| Some(json.as_str()?.parse::<JobId>().ok()?.into()),
        nullable: false,
    }
}

/// Most jobs of [`changed_since`]; the list has the others.
const CATCH_UP: u64 = 500;

/// The newest jobs of any workspace that may have changed since then, newest first.
pub(super) async fn changed_since(
    platform: &Platform,
    since: Instant,
    queues: Option<&[JobQueueName]>,
) -> Result<Vec<job::Model>> {
    use job::Column;
    let open = [JobStatus::Running, JobStatus::Retrying];
    let maybe = Condition::any()
        .add(Column::CreatedAt.gte(since))
        .add(Column::FinishedAt.gte(since))
        .add(Column::Status.is_in(open));
    let queues = queues.map(|any| Column::Queue.is_in(any.iter().copied()));
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find::<job::Entity>()
        .filter(maybe)
        .filter(Condition::all().add_option(queues))
        .order_by_desc(Column::Id)
        .limit(CATCH_UP);
    Ok(select.all(&read).await?)
}
