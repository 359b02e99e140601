//! Questions about integrations and their runs.

pub mod state;

use std::collections::HashMap;

use entity::ids::{IntegrationId, SyncRunId};
use entity::{calendar, integration, sync_run};
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Func, Query, WindowStatement};
use sea_orm::{
    ColumnTrait as _, Order, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
};

use super::model::StoredProblem;
use super::rules::RECENT_RUNS;
use crate::access::Ctx;
use crate::kernel::{Error, Result};
use crate::platform::db::among;

/// One integration; NOT_FOUND when it does not exist in this workspace.
pub async fn get(ctx: &Ctx, id: IntegrationId) -> Result<integration::Model> {
    get_many(ctx, &[id]).await?.pop().ok_or_else(Error::not_found)
}

/// The integrations that exist among these.
pub async fn get_many(ctx: &Ctx, ids: &[IntegrationId]) -> Result<Vec<integration::Model>> {
    let read = ctx.read().await?;
    let select = read.find::<integration::Entity>();
    let select = select.filter(among(&read, integration::Column::Id, ids.iter().copied()));
    Ok(select.all(&read).await?)
}

/// The integrations of the workspace, oldest first.
pub async fn list(ctx: &Ctx) -> Result<Vec<integration::Model>> {
    let read = ctx.read().await?;
    let select = read.find::<integration::Entity>();
    let select = select
        .order_by_asc(integration::Column::CreatedAt)
        .order_by_asc(integration::Column::Id);
    Ok(select.all(&read).await?)
}

/// Mirrored calendars of these integrations, by name.
pub async fn calendars_of(
    ctx: &Ctx,
    ids: &[IntegrationId],
) -> Result<HashMap<IntegrationId, Vec<calendar::Model>>> {
    let read = ctx.read().await?;
    let select = read.find::<calendar::Entity>();
    let mut rows = select
        .filter(among(&read, calendar::Column::IntegrationId, ids.iter().copied()))
        .filter(calendar::Column::IsMirrored.eq(true))
        .all(&read)
        .await?;
    // Put in order here: asked in the statement, it leads SQLite through the whole workspace.
    rows.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
    let mut found: HashMap<IntegrationId, Vec<calendar::Model>> = HashMap::new();
    for row in rows {
        if let Some(id) = row.integration_id {
            found.entry(id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The latest runs of these integrations, newest first.
pub async fn recent_runs(
    ctx: &Ctx,
    ids: &[IntegrationId],
) -> Result<HashMap<IntegrationId, Vec<sync_run::Model>>> {
    use sync_run::Column;
    let read = ctx.read().await?;
    // Numbered per integration, so that one with a long history does not crowd out the others.
    let mut newest_first = WindowStatement::partition_by(Column::IntegrationId);
    newest_first
        .order_by(Column::StartedAt, Order::Desc)
        .order_by(Column::Id, Order::Desc);
    let (number, numbered) = (Alias::new("number"), Alias::new("numbered"));
    let ranked = read
        .find::<sync_run::Entity>()
        .select_only()
        .column(Column::Id)
        .filter(among(&read, Column::IntegrationId, ids.iter().copied()))
        .into_query()
        .expr_window_as(Func::cust(Alias::new("ROW_NUMBER")), newest_first, number.clone())
        .to_owned();
    let wanted = Query::select()
        .column((numbered.clone(), Column::Id))
        .from_subquery(ranked, numbered)
        .and_where(Expr::col(number).lte(RECENT_RUNS))
        .take();
    let rows = read
        .find::<sync_run::Entity>()
        .filter(Column::Id.in_subquery(wanted))
        .order_by_desc(Column::StartedAt)
        .order_by_desc(Column::Id)
        .all(&read)
        .await?;
    let mut found: HashMap<IntegrationId, Vec<sync_run::Model>> = HashMap::new();
    for row in rows {
        found.entry(row.integration_id).or_default().push(row);
    }
    Ok(found)
}

/// The runs that exist among these.
pub async fn get_runs(ctx: &Ctx, ids: &[SyncRunId]) -> Result<Vec<sync_run::Model>> {
    let read = ctx.read().await?;
    let select = read.find::<sync_run::Entity>();
    let select = select.filter(among(&read, sync_run::Column::Id, ids.iter().copied()));
    Ok(select.all(&read).await?)
}

/// The newest run of an integration.
pub async fn newest_run(ctx: &Ctx, id: IntegrationId) -> Result<Option<sync_run::Model>> {
    let read = ctx.read().await?;
    let select = read.find::<sync_run::Entity>();
    let select = select
        .filter(sync_run::Column::IntegrationId.eq(id))
        .order_by_desc(sync_run::Column::StartedAt)
        .order_by_desc(sync_run::Column::Id);
    Ok(select.limit(1).one(&read).await?)
}

/// The problems that a run remembers.
pub fn problems_of(run: &sync_run::Model) -> Vec<StoredProblem> {
    serde_json::from_value(run.problems.clone()).unwrap_or_default()
}
