//! Questions about workspaces.

use std::sync::Arc;

use entity::enums::WorkspaceType;
use entity::ids::{MembershipId, WorkspaceId};
use entity::{membership, user, workspace};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, JoinType, PaginatorTrait as _, QueryFilter as _, QuerySelect as _,
    Value,
};

use crate::access::{Access, Ctx};
use crate::kernel::page::{Cursor, Page, PageRequest};
use crate::kernel::{Error, Result};
use crate::platform::cache::{Group, Kept};
use crate::platform::db::{Key, Scope, among, keyset};

/// The workspace of the context.
pub async fn get(ctx: &Ctx) -> Result<workspace::Model> {
    let read = ctx.read().await?;
    read.find::<workspace::Entity>()
        .one(&read)
        .await?
        .ok_or_else(Error::not_found)
}

/// As [`get`], for looking at only: it may be some seconds old.
pub async fn look_at(ctx: &Ctx) -> Result<Arc<workspace::Model>> {
    let id = ctx.workspace_id();
    let load = async { Box::pin(get(ctx)).await.map(Arc::new) };
    ctx.platform()
        .cache
        .get::<Workspaces, _>(id, Group::Workspace(id), load)
        .await
}

struct Workspaces;

impl Kept for Workspaces {
    const NAME: &'static str = "workspaces";
    type Key = WorkspaceId;
    type Value = Arc<workspace::Model>;
    const CAPACITY: u64 = 20_000;
    const TIME_TO_LIVE: std::time::Duration = std::time::Duration::from_secs(30);
}

/// All workspaces of the caller, personal one first, then by name.
pub async fn all(access: &Access) -> Result<Vec<workspace::Model>> {
    let ids: Vec<WorkspaceId> = access
        .memberships()
        .await?
        .iter()
        .map(|membership| membership.workspace_id)
        .collect();
    let mut rows = get_many(access, &ids).await?;
    rows.sort_by_key(|row| {
        (
            row.r#type != WorkspaceType::Personal,
            row.name.to_lowercase(),
            row.id,
        )
    });
    Ok(rows)
}

/// Those among these that the caller is a member of.
pub async fn get_many(access: &Access, ids: &[WorkspaceId]) -> Result<Vec<workspace::Model>> {
    let memberships = access.memberships().await?;
    let mine = memberships
        .iter()
        .map(|membership| membership.workspace_id)
        .filter(|id| ids.contains(id));
    let read = access.platform().db.read(Scope::System).await?;
    Ok(read
        .find::<workspace::Entity>()
        .filter(among(&read, workspace::Column::Id, mine))
        .all(&read)
        .await?)
}

/// One page of the members, by name.
pub async fn members(ctx: &Ctx, request: &PageRequest) -> Result<Page<membership::Model>> {
    let read = ctx.read().await?;
    let person = membership::Entity::belongs_to(user::Entity)
        .from(membership::Column::UserId)
        .to(user::Column::Id);
    let select = read
        .find::<membership::Entity>()
        .join(JoinType::InnerJoin, person.into());
    let total = if request.count {
        Some(select.clone().count(&read).await?)
    } else {
        None
    };
    let text: fn(&serde_json::Value) -> Option<Value> = |json| json.as_str().map(Into::into);
    let id: fn(&serde_json::Value) -> Option<Value> =
        |json| Some(json.as_str()?.parse::<MembershipId>().ok()?.into());
    let key = |expr, value| Key {
        expr,
        descending: false,
        value,
        nullable: false,
    };
    let keys = [
        key(Expr::col((user::Entity, user::Column::Name)), text),
        key(Expr::col((membership::Entity, membership::Column::Id)), id),
    ];
    let rows = keyset(select.select_also(user::Entity), &keys, request)?
        .all(&read)
        .await?;
    let page = Page::from_rows(request, rows, total, |(member, user)| {
        let name = user.as_ref().map_or("", |user| user.name.as_str());
        Cursor(vec![name.into(), member.id.to_string().into()])
    });
    Ok(page.map(|(member, _)| member))
}

/// The memberships that exist among these.
pub async fn members_by_id(ctx: &Ctx, ids: &[MembershipId]) -> Result<Vec<membership::Model>> {
    let read = ctx.read().await?;
    Ok(read
        .find::<membership::Entity>()
        .filter(among(&read, membership::Column::Id, ids.iter().copied()))
        .all(&read)
        .await?)
}

/// The workspace with this URL name, if the caller is a member. A name that somebody else has costs what one costs that nobody has.
pub async fn find_by_slug(access: &Access, slug: &str) -> Result<Ctx> {
    access.memberships().await?;
    let read = access.platform().db.read(Scope::System).await?;
    let row = read
        .find::<workspace::Entity>()
        .filter(workspace::Column::Slug.eq(slug))
        .one(&read)
        .await?;
    access.ctx(row.ok_or_else(Error::not_found)?.id).await
}
