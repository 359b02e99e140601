//! Table `processes`: which processes the installation has.
//!
//! A process renews its row while it lives and deletes it when it ends; a row that was not renewed for a while belongs to one that died.

use sea_orm::entity::prelude::*;

use crate::enums::ProcessRole;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "processes")]
pub struct Model {
    /// Name of the process; another one after each start.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub role: ProcessRole,
    /// When it started.
    pub created_at: DateTimeUtc,
    /// The last sign of life.
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
