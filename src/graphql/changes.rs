//! The change log of a workspace, for clients that poll or come back after being away.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Description, ID, Object, Result, SimpleObject};
use entity::ids::WorkspaceId;

use super::enums::ChangeAction;
use super::errors::expose;
use super::node::{Node, node_in};
use super::scalars::DateTime;
use crate::access::{Access, Ctx};
use crate::features::changes;
use crate::kernel::{self, Error};

/// Largest page of the change log.
const MAX_PAGE: u64 = 500;

/// Where the change logs of the caller's workspaces stood before anything else of the operation was read. Fields are resolved side by side:
/// a position that was read after the data would hide what was committed in between.
pub(super) struct Positions(HashMap<WorkspaceId, i64>);

impl Positions {
    /// Reads them; `None` when they cannot be known, which whoever asks for one finds out too.
    pub(super) async fn read(access: &Access) -> Option<Self> {
        let memberships = access.memberships().await.ok()?;
        let workspaces: Vec<_> = memberships
            .iter()
            .map(|membership| membership.workspace_id)
            .collect();
        changes::positions(access.platform(), &workspaces)
            .await
            .ok()
            .map(Self)
    }
}

/// The fields that the change log hangs on a workspace.
pub struct WorkspaceChanges(pub Arc<Ctx>);

#[Object]
impl WorkspaceChanges {
    /// Position of the newest change. Read it together with data, then subscribe `after` it: nothing is missed in between.
    async fn change_cursor(&self, ctx: &Context<'_>) -> Result<String> {
        let positions = ctx.data_opt::<Positions>();
        let seq = match positions.and_then(|all| all.0.get(&self.0.workspace_id())) {
            Some(seq) => *seq,
            None => changes::newest(&self.0).await.map_err(expose)?,
        };
        Ok(changes::encode_cursor(&self.0, seq))
    }

    /// The change log after a cursor, oldest first: what a client that was offline has to refetch or evict. Fails with `CURSOR_EXPIRED`
    /// when the cursor is older than the log is kept.
    async fn changes(
        &self,
        #[graphql(desc = "Changes after this cursor.")] after: String,
        #[graphql(desc = "Page size, at most 500.", default_with = "Some(100)")] first: Option<i32>,
    ) -> Result<ChangePage> {
        let page = async {
            let limit = u64::try_from(first.unwrap_or(100))
                .ok()
                .filter(|n| (1..=MAX_PAGE).contains(n));
            let limit = limit
                .ok_or_else(|| Error::bad_input(format!("`first` must be between 1 and {MAX_PAGE}.")))?;
            let position = changes::decode_cursor(&self.0, &after)?;
            let mut rows = changes::after(&self.0, position, limit + 1).await?;
            let has_more = rows.len() as u64 > limit;
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            let end_cursor = rows
                .last()
                .map_or(after, |last| changes::encode_cursor(&self.0, last.seq));
            let nodes = rows.into_iter().map(|row| self.change(row)).collect();
            Ok(ChangePage {
                nodes,
                end_cursor,
                has_more,
            })
        };
        page.await.map_err(expose)
    }
}

impl WorkspaceChanges {
    fn change(&self, row: kernel::changes::Change) -> Change {
        Change {
            cursor: changes::encode_cursor(&self.0, row.seq),
            workspace: self.0.workspace_id(),
            row,
        }
    }
}

/// A page of the change log of a workspace.
#[derive(SimpleObject)]
pub struct ChangePage {
    /// The changes, oldest first.
    nodes: Vec<Change>,
    /// Cursor to continue from. Equals the argument when there is nothing newer.
    end_cursor: String,
    /// Whether more changes are waiting.
    has_more: bool,
}

/// One committed change to an object of a workspace.
#[derive(Description)]
pub struct Change {
    cursor: String,
    workspace: WorkspaceId,
    row: kernel::changes::Change,
}

#[Object(use_type_description)]
impl Change {
    /// Position in the change log; grows by commit order.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// What happened.
    async fn action(&self) -> ChangeAction {
        self.row.action.into()
    }

    /// GraphQL type of the object, for example `Task`.
    async fn object_type(&self) -> &str {
        self.row.object_type.as_str()
    }

    /// ID of the object, also when it is deleted.
    async fn object_id(&self) -> Result<ID> {
        super::ids::global_of(self.row.object_type.as_str(), self.row.object_id).map_err(expose)
    }

    /// The object as it is now. Null when it is deleted or the viewer may not see it.
    async fn object(&self, ctx: &Context<'_>) -> Option<Result<Node>> {
        node_in(
            ctx,
            self.workspace,
            self.row.object_type.as_str(),
            self.row.object_id,
        )
        .await
    }

    /// When it was committed.
    async fn at(&self) -> DateTime {
        DateTime(self.row.at)
    }
}
