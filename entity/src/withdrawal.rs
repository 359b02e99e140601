//! Table `withdrawals`: signs that something of a person changed that processes keep in memory to know callers.
//!
//! Written by triggers only, in the transaction that changed it. Rows are for processes that look every few seconds; upkeep deletes them.

use sea_orm::entity::prelude::*;

use crate::ids::UserId;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "withdrawals")]
pub struct Model {
    /// On PostgreSQL the number of the transaction, on SQLite that of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// The person, who may be gone.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// By the clock of the database.
    pub created_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
