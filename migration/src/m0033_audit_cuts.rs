//! Retention of audit logs: where the beginning of a workspace's log was cut off, so that the chain of the rest can still be checked. An entry
//! can only be deleted once a cut behind it was written down, and only by the machinery.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::schema::security::{APP_ROLE, SYSTEM_ROLE};
use crate::schema::table::Kind::{Big, Bytes};
use crate::schema::table::Table;

/// The step.
pub(crate) struct AuditCuts;

impl MigrationName for AuditCuts {
    fn name(&self) -> &str {
        "m0033_audit_cuts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AuditCuts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table().create(manager).await?;
        let connection = manager.get_connection();
        for statement in guard(manager, true) {
            connection.execute_unprepared(&statement).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            for statement in [
                format!("GRANT DELETE ON audit_logs TO {SYSTEM_ROLE}"),
                format!("REVOKE INSERT, UPDATE ON audit_cuts FROM {APP_ROLE}"),
            ] {
                connection.execute_unprepared(&statement).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            let revoke = format!("REVOKE DELETE ON audit_logs FROM {SYSTEM_ROLE}");
            connection.execute_unprepared(&revoke).await?;
        }
        for statement in guard(manager, false) {
            connection.execute_unprepared(&statement).await?;
        }
        table().drop(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// One row for each workspace whose log was ever cut: the number of the last entry that went, and its hash, which the next one chains to.
fn table() -> Table {
    let mut table = Table::bare("audit_cuts")
        .workspace()
        .cols(Big, &["seq"])
        .cols(Bytes, &["hash"])
        .key(&["workspace_id"]);
    table.rights = "SELECT, INSERT, UPDATE";
    table
}

/// What keeps entries from being deleted, with cuts or as it was before there were any.
fn guard(manager: &SchemaManager, with_cuts: bool) -> Vec<String> {
    let cut = "EXISTS (SELECT 1 FROM audit_cuts WHERE workspace_id = OLD.workspace_id AND seq >= OLD.seq)";
    if manager.get_database_backend() == DbBackend::Postgres {
        let or_cut = if with_cuts {
            format!(" OR {cut}")
        } else {
            String::new()
        };
        return vec![format!(
            "CREATE OR REPLACE FUNCTION audit_logs_append_only() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'DELETE' AND (NOT EXISTS (SELECT 1 FROM workspaces WHERE id = OLD.workspace_id){or_cut}) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit_logs is append-only';
END $$"
        )];
    }
    let and_uncut = if with_cuts {
        format!(" AND NOT {cut}")
    } else {
        String::new()
    };
    vec![
        "DROP TRIGGER audit_logs_no_delete".into(),
        format!(
            "CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs \
             WHEN EXISTS (SELECT 1 FROM workspaces WHERE id = OLD.workspace_id){and_uncut} \
             BEGIN SELECT RAISE(ABORT, 'audit_logs is append-only'); END"
        ),
    ]
}
