//! Makes statements of a table's description and runs them.
//!
//! PostgreSQL gets its foreign keys after the indexes, because a key inside one table needs that table's unique index;
//! SQLite only takes them with the table. The one rule the databases do not share is `link`: PostgreSQL can null a
//! single column of a composite key; SQLite cannot, so a trigger on the other table does it before the check at the end
//! of the statement looks.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use super::security;
use super::table::{Column, ForeignKey, Index, Kind, OnDelete, Table};

impl Table {
    /// Creates the table with its keys, checks, indexes, rights and policies.
    pub(crate) async fn create(mut self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        self = self.cols(Kind::Time, &["created_at"]);
        if !self.append_only {
            self = self.cols(Kind::Time, &["updated_at"]);
        }
        manager.create_table(self.statement(postgres)).await?;
        self.create_indexes(manager).await?;
        let extra = if postgres {
            for key in self.foreign_keys.iter().filter(|key| !key.is_link()) {
                manager.create_foreign_key(key.statement(self.name)).await?;
            }
            self.postgres_extra()
        } else {
            self.sqlite_extra()
        };
        for statement in extra {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    async fn create_indexes(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        for key in self.foreign_keys.iter().filter(|key| !self.is_covered(key)) {
            let optional = self.is_nullable(key.column).then(|| key.not_null());
            let statement = self.index_statement(&key.columns(), false, optional.as_deref());
            manager.create_index(statement).await?;
        }
        for index in &self.indexes {
            let statement = self.index_statement(index.columns, index.unique, index.condition.as_deref());
            manager.create_index(statement).await?;
        }
        Ok(())
    }

    fn postgres_extra(&self) -> Vec<String> {
        let mut statements = self.postgres.clone();
        statements.extend(self.links().map(|key| self.postgres_link(key)));
        if let Some(percent) = self.fill_factor {
            statements.push(format!("ALTER TABLE {} SET (fillfactor = {percent})", self.name));
        }
        statements.extend(security::statements(self));
        statements
    }

    fn sqlite_extra(&self) -> Vec<String> {
        let mut statements = self.sqlite.clone();
        statements.extend(self.links().map(|key| self.sqlite_link(key)));
        statements
    }

    /// Drops the table and what was made beside it.
    pub(crate) async fn drop(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        if !postgres {
            for key in self.links() {
                connection
                    .execute_unprepared(&format!("DROP TRIGGER {}", self.trigger_name(key)))
                    .await?;
            }
        }
        manager
            .drop_table(sea_query::Table::drop().table(self.name).to_owned())
            .await?;
        if postgres {
            for statement in &self.postgres_after_drop {
                connection.execute_unprepared(statement).await?;
            }
        }
        Ok(())
    }

    fn statement(&self, postgres: bool) -> TableCreateStatement {
        let mut statement = sea_query::Table::create();
        statement.table(self.name);
        for column in &self.columns {
            statement.col(column.definition());
        }
        let mut primary = sea_query::Index::create();
        for column in self.primary_key {
            primary.col(*column);
        }
        statement.primary_key(&mut primary);
        for (name, condition) in &self.checks {
            statement.check((name.clone(), Expr::cust(condition.clone())));
        }
        if !postgres {
            for key in &self.foreign_keys {
                statement.foreign_key(&mut key.statement(self.name));
            }
        }
        statement
    }

    fn index_statement(
        &self,
        columns: &[&'static str],
        unique: bool,
        condition: Option<&str>,
    ) -> IndexCreateStatement {
        let mut statement = sea_query::Index::create();
        // `workspace_id` leads most indexes; the short form keeps names under PostgreSQL's 63 characters.
        let names = columns.join("_").replace("workspace_id", "ws");
        let kind = if unique { "key" } else { "idx" };
        statement
            .table(self.name)
            .name(format!("{}_{names}_{kind}", self.name));
        for column in columns {
            statement.col(*column);
        }
        if unique {
            statement.unique();
        }
        if let Some(condition) = condition {
            statement.and_where(Expr::cust(condition.to_owned()));
        }
        statement
    }

    fn links(&self) -> impl Iterator<Item = &ForeignKey> {
        self.foreign_keys.iter().filter(|key| key.is_link())
    }

    fn postgres_link(&self, key: &ForeignKey) -> String {
        let (table, column, parent) = (self.name, key.column, key.parent);
        format!(
            "ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_fkey FOREIGN KEY (workspace_id, {column}) \
             REFERENCES {parent} (workspace_id, id) ON DELETE SET NULL ({column})"
        )
    }

    fn sqlite_link(&self, key: &ForeignKey) -> String {
        let (table, column, parent, name) = (self.name, key.column, key.parent, self.trigger_name(key));
        format!(
            "CREATE TRIGGER {name} AFTER DELETE ON {parent} BEGIN UPDATE {table} SET {column} = NULL \
             WHERE workspace_id = OLD.workspace_id AND {column} = OLD.id; END"
        )
    }

    fn trigger_name(&self, key: &ForeignKey) -> String {
        format!("{}_{}_clear", self.name, key.column)
    }

    fn is_nullable(&self, name: &str) -> bool {
        self.columns
            .iter()
            .any(|column| column.name == name && column.nullable)
    }

    /// Whether an index already serves the look-up that a deletion on the other side makes.
    fn is_covered(&self, key: &ForeignKey) -> bool {
        let serves = |columns: &[&str]| {
            columns.first() == Some(&key.column)
                || key.composite
                    && columns.len() > 1
                    && columns[0] == "workspace_id"
                    && columns[1] == key.column
        };
        let not_null = key.not_null();
        let reaches_all = |index: &&Index| {
            index
                .condition
                .as_ref()
                .is_none_or(|condition| *condition == not_null)
        };
        serves(self.primary_key)
            || self
                .indexes
                .iter()
                .filter(reaches_all)
                .any(|index| serves(index.columns))
    }
}

impl ForeignKey {
    fn is_link(&self) -> bool {
        self.composite && self.on_delete == OnDelete::Clear
    }

    fn not_null(&self) -> String {
        format!("{} IS NOT NULL", self.column)
    }

    fn columns(&self) -> Vec<&'static str> {
        if self.composite {
            vec!["workspace_id", self.column]
        } else {
            vec![self.column]
        }
    }

    fn statement(&self, table: &'static str) -> ForeignKeyCreateStatement {
        let mut statement = sea_query::ForeignKey::create();
        statement
            .name(format!("{table}_{}_fkey", self.column))
            .from_tbl(table)
            .to_tbl(self.parent);
        if self.composite {
            statement.from_col("workspace_id").to_col("workspace_id");
        }
        statement.from_col(self.column).to_col("id");
        statement.on_delete(match self.on_delete {
            OnDelete::Cascade => ForeignKeyAction::Cascade,
            OnDelete::Clear if !self.composite => ForeignKeyAction::SetNull,
            OnDelete::Clear | OnDelete::Refuse => ForeignKeyAction::NoAction,
        });
        statement
    }
}

impl Column {
    fn definition(&self) -> ColumnDef {
        let mut column = ColumnDef::new(self.name);
        match self.kind {
            Kind::Text => column.text(),
            Kind::Small => column.small_integer(),
            Kind::Int => column.integer(),
            Kind::Big => column.big_integer(),
            Kind::Flag => column.boolean(),
            Kind::Time => column.timestamp_with_time_zone(),
            Kind::Wall => column.date_time(),
            Kind::Day => column.date(),
            Kind::Json => column.json_binary(),
            Kind::Bytes => column.blob(),
            Kind::Uuid => column.uuid(),
        };
        if self.nullable {
            column.null()
        } else {
            column.not_null()
        };
        column
    }
}
