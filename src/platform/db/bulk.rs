//! Storing many rows of a workspace with few statements. Knows no rules.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, EntityTrait, Iterable as _};

use super::scope::WorkspaceOwned;
use super::tx::Tx;
use crate::kernel::Result;

/// Bind parameters of one statement: below SQLite's 32,766 and PostgreSQL's 65,535.
pub(super) const MAX_BINDS: usize = 30_000;

impl Tx {
    /// Stores many new rows of this workspace.
    pub async fn insert_many<A>(&self, rows: Vec<A>) -> Result<()>
    where
        A: ActiveModelTrait + Send,
        A::Entity: WorkspaceOwned,
    {
        self.store_many(rows, None).await
    }

    /// Stores many rows of this workspace; what happens to those that exist is up to `on_conflict`. No two of the rows may
    /// conflict with each other.
    pub async fn upsert_many<A>(&self, rows: Vec<A>, on_conflict: OnConflict) -> Result<()>
    where
        A: ActiveModelTrait + Send,
        A::Entity: WorkspaceOwned,
    {
        self.store_many(rows, Some(on_conflict)).await
    }

    async fn store_many<A>(&self, rows: Vec<A>, on_conflict: Option<OnConflict>) -> Result<()>
    where
        A: ActiveModelTrait + Send,
        A::Entity: WorkspaceOwned,
    {
        let width = <A::Entity as EntityTrait>::Column::iter().count().max(1);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let mut chunk: Vec<A> = rows.by_ref().take(MAX_BINDS / width).collect();
            chunk.iter_mut().for_each(|row| self.stamp(row));
            let mut insert = <A::Entity as EntityTrait>::insert_many(chunk);
            if let Some(on_conflict) = &on_conflict {
                insert = insert.on_conflict(on_conflict.clone());
            }
            insert.exec_without_returning(self.conn()).await?;
        }
        Ok(())
    }
}
