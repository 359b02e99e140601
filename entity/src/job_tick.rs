//! Table `job_ticks`: how far each recurring job has come.
//!
//! Whoever moves the row forward enqueues the job of that tick in the same transaction.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_ticks")]
pub struct Model {
    /// Name in the catalogue of recurring jobs.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The newest tick that was taken.
    pub last_tick: DateTimeUtc,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
