//! Search in a workspace.

use async_graphql::{Context, ID, Object, Result, Union};
use entity::ids::WorkspaceId;
use std::sync::Arc;

use super::access;
use super::errors::expose;
use super::events::CalendarEvent;
use super::ids::parse;
use super::tasks::Task;
use crate::features::search::{self, Found};
use crate::kernel::Error;

/// Objects that search can find.
#[derive(Union)]
pub enum SearchResult {
    /// An event or a series.
    CalendarEvent(CalendarEvent),
    /// A task.
    Task(Task),
}

#[derive(Default)]
pub struct SearchQuery;

#[Object]
impl SearchQuery {
    /// Full-text search in a workspace, best first, at most 50 results. Every word must be there; words may be cut short.
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Workspace to search.")] workspace_id: ID,
        #[graphql(desc = "Words to find.")] query: String,
        #[graphql(desc = "Most results.", default = 20)] first: i32,
    ) -> Result<Vec<SearchResult>> {
        let found = async {
            let id: WorkspaceId = parse(&workspace_id).ok_or_else(Error::not_found)?;
            let entered = access(ctx).ctx(id).await?;
            search::search(&entered, &query, first).await
        };
        let found = found.await.map_err(expose)?.into_iter();
        Ok(found
            .map(|one| match one {
                Found::Event(event) => SearchResult::CalendarEvent(event.into()),
                Found::Task(row) => SearchResult::Task(Task(Arc::new(row))),
            })
            .collect())
    }
}
