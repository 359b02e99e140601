//! Table `job_workers`: who works on which queue.
//!
//! A worker process renews its rows while it lives; a row that was not renewed for a while belongs to a dead one.

use sea_orm::entity::prelude::*;

use crate::enums::JobQueueName;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_workers")]
pub struct Model {
    /// Name of the process among the workers.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub queue: JobQueueName,
    /// Jobs of the queue that it runs at the same time.
    pub slots: i32,
    pub created_at: DateTimeUtc,
    /// The last sign of life.
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
