//! Files of imports and exports, in pieces: one row for each, so that neither uploading nor reading one takes more memory than a piece.

use async_trait::async_trait;
use sea_orm_migration::prelude::*;

use crate::schema::table::{Kind, Table};

/// The step.
pub(crate) struct TransferFiles;

impl MigrationName for TransferFiles {
    fn name(&self) -> &str {
        "m0026_transfer_files"
    }
}

#[async_trait]
impl MigrationTrait for TransferFiles {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut size = ColumnDef::new("size_bytes");
        size.big_integer().null();
        let mut add = sea_query::Table::alter();
        add.table("data_transfers").add_column(size);
        manager.alter_table(add).await?;
        let connection = manager.get_connection();
        connection
            .execute_unprepared("ALTER TABLE data_transfers DROP COLUMN content")
            .await?;
        chunks().create(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        chunks().drop(manager).await?;
        let mut content = ColumnDef::new("content");
        content.blob().null();
        let mut add = sea_query::Table::alter();
        add.table("data_transfers").add_column(content);
        manager.alter_table(add).await?;
        let connection = manager.get_connection();
        connection
            .execute_unprepared("ALTER TABLE data_transfers DROP COLUMN size_bytes")
            .await
            .map(drop)
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn chunks() -> Table {
    Table::bare("transfer_chunks")
        .workspace()
        .belongs("transfer_id", "data_transfers")
        .cols(Kind::Int, &["seq"])
        .cols(Kind::Bytes, &["bytes"])
        .key(&["transfer_id", "seq"])
}
