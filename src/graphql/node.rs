//! Any object by its global id. The id's prefix says which kind to look for.

use async_graphql::{Context, ID, Interface, Object, Result};
use entity::ids::{CalendarEventId, CalendarId, TaskId, TypedId, WorkspaceId};

use super::access;
use super::calendars::Calendar;
use super::errors::{expose, lookup};
use super::events::CalendarEvent;
use super::tasks::Task;
use super::workspaces::Workspace;
use crate::access::Access;
use crate::kernel::{Error, Result as KernelResult};

/// An object with a globally unique ID. Every node can be re-fetched with `Query.node`.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "Globally unique, opaque, type-prefixed ID, for example `task_01jdb2k9x4e5vb4pex5vsknk08`."
))]
pub enum Node {
    Calendar(Calendar),
    CalendarEvent(CalendarEvent),
    Task(Task),
    Workspace(Workspace),
}

/// Most ids of one `nodes` query.
const MAX_NODES: usize = 100;

async fn find(access: &Access, id: &ID) -> KernelResult<Node> {
    let (prefix, uuid) = entity::ids::split(id).map_err(|_| Error::not_found())?;
    match prefix {
        CalendarId::PREFIX => Calendar::load(access, CalendarId::from_uuid(uuid))
            .await
            .map(Node::Calendar),
        CalendarEventId::PREFIX => CalendarEvent::load(access, CalendarEventId::from_uuid(uuid))
            .await
            .map(Node::CalendarEvent),
        TaskId::PREFIX => Task::load(access, TaskId::from_uuid(uuid)).await.map(Node::Task),
        WorkspaceId::PREFIX => Workspace::load(access.ctx(WorkspaceId::from_uuid(uuid)).await?)
            .await
            .map(Node::Workspace),
        _ => Err(Error::not_found()),
    }
}

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any object by its global ID.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Global ID.")] id: ID) -> Option<Result<Node>> {
        lookup(find(access(ctx), &id).await)
    }

    /// Several objects by their global IDs, in the same order; null for missing ones. At most 100.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global IDs.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MAX_NODES {
            return Err(expose(Error::bad_input(format!(
                "`ids` has {} entries; at most {MAX_NODES} are allowed.",
                ids.len()
            ))));
        }
        let mut nodes = Vec::with_capacity(ids.len());
        for id in &ids {
            nodes.push(lookup(find(access(ctx), id).await).transpose()?);
        }
        Ok(nodes)
    }
}
