//! The rows of the processes of an installation: signs of life and good-byes. What follows from them is decided elsewhere.

use entity::enums::ProcessRole;
use entity::process::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set};

use super::read::Read;
use super::tx::Tx;
use crate::kernel::Result;
use crate::kernel::time::Instant;

impl Tx {
    /// Says that a process lives, and forgets those that were last heard of before this instant.
    pub async fn process_lives(&self, name: &str, role: ProcessRole, forgotten: Instant) -> Result<()> {
        let row = ActiveModel {
            name: Set(name.to_owned()),
            role: Set(role),
            created_at: Set(self.now()),
            updated_at: Set(self.now()),
        };
        let renew = OnConflict::column(Column::Name)
            .update_column(Column::UpdatedAt)
            .to_owned();
        Entity::insert(row)
            .on_conflict(renew)
            .exec_without_returning(self.conn())
            .await?;
        self.delete_global::<Entity>()
            .filter(Column::UpdatedAt.lt(forgotten))
            .exec(self.conn())
            .await?;
        Ok(())
    }

    /// Says that a process ends.
    pub async fn process_ends(&self, name: &str) -> Result<()> {
        self.delete_global::<Entity>()
            .filter(Column::Name.eq(name))
            .exec(self.conn())
            .await?;
        Ok(())
    }
}

impl Read {
    /// Every process that did not say good-bye.
    pub async fn processes(&self) -> Result<Vec<Model>> {
        let all = self.find_global::<Entity>().order_by_asc(Column::Name);
        Ok(all.all(self).await?)
    }
}
