//! The second wall: row-level security of PostgreSQL, as the catalog states it and as a role meets it.

use std::collections::BTreeSet;

use entity::*;
use migration::{APP_ROLE, SYSTEM_ROLE, USER_OWNED};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, TransactionTrait};

use super::rows::*;
use super::{count, on_postgres, refused, texts};

fn is_user_owned(table: &str) -> bool {
    USER_OWNED.iter().any(|(name, _)| *name == table)
}

#[tokio::test]
async fn every_table_with_a_workspace_is_guarded_or_named_as_user_owned() {
    on_postgres(|db| async move {
        let with_workspace = "SELECT table_name::text FROM information_schema.columns \
                              WHERE column_name = 'workspace_id' AND table_schema = 'public'";
        let mut wanted: BTreeSet<String> = texts(&db, with_workspace).await.into_iter().collect();
        for (name, _) in USER_OWNED {
            assert!(wanted.remove(*name), "{name} is listed as user-owned but has no workspace");
        }
        wanted.insert("workspaces".to_owned());

        let guarded = format!(
            "SELECT c.relname::text FROM pg_class c WHERE c.relrowsecurity AND c.relforcerowsecurity \
             AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid \
             AND p.polroles @> ARRAY['{APP_ROLE}'::regrole::oid] AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL)"
        );
        assert_eq!(texts(&db, &guarded).await.into_iter().collect::<BTreeSet<_>>(), wanted);
        assert!(entity::catalog().iter().filter(|it| it.is_workspace_owned()).all(|it| !is_user_owned(&it.name)));
    })
    .await;
}

#[tokio::test]
async fn both_roles_may_use_every_table_but_not_rewrite_the_logs() {
    on_postgres(|db| async move {
        for table in entity::catalog() {
            for role in [APP_ROLE, SYSTEM_ROLE] {
                let sql = format!(
                    "SELECT privilege_type::text FROM information_schema.role_table_grants \
                     WHERE grantee = '{role}' AND table_name = '{}'",
                    table.name
                );
                let rights: BTreeSet<String> = texts(&db, &sql).await.into_iter().collect();
                let wanted: &[&str] = match table.name.as_str() {
                    "audit_logs" if role == APP_ROLE => &["SELECT", "INSERT"],
                    "audit_logs" => &["SELECT", "INSERT", "DELETE"],
                    "audit_cuts" if role == APP_ROLE => &["SELECT"],
                    "audit_cuts" => &["SELECT", "INSERT", "UPDATE"],
                    "change_log" | "withdrawals" => &["SELECT", "INSERT", "DELETE"],
                    _ => &["SELECT", "INSERT", "UPDATE", "DELETE"],
                };
                assert_eq!(
                    rights,
                    wanted.iter().map(|it| (*it).to_owned()).collect(),
                    "{role} on {}",
                    table.name
                );
            }
        }
    })
    .await;
}

/// A transaction in a role, and in a workspace if one is given.
async fn acting(db: &DatabaseConnection, role: &str, workspace: Option<u128>) -> DatabaseTransaction {
    let transaction = db.begin().await.unwrap();
    transaction
        .execute_unprepared(&format!("SET LOCAL ROLE {role}"))
        .await
        .unwrap();
    if let Some(number) = workspace {
        let setting = format!(
            "SELECT set_config('app.workspace_id', '{}', true)",
            uuid::Uuid::from_u128(number)
        );
        transaction.execute_unprepared(&setting).await.unwrap();
    }
    transaction
}

#[tokio::test]
async fn without_a_workspace_nothing_is_seen() {
    on_postgres(|db| async move {
        two_workspaces(&db).await;
        let nowhere = acting(&db, APP_ROLE, None).await;
        for table in entity::catalog()
            .iter()
            .filter(|it| it.has_workspace() && !is_user_owned(&it.name))
        {
            assert_eq!(count(&nowhere, &table.name).await, 0, "{}", table.name);
        }
        assert_eq!(count(&nowhere, "workspaces").await, 0);
        assert!(
            count(&nowhere, "seaql_migrations").await > 0,
            "readiness may read what was applied"
        );
        nowhere.rollback().await.unwrap();
        // A setting that was set and reset is the empty text, not null.
        let reset = acting(&db, APP_ROLE, None).await;
        reset
            .execute_unprepared("SELECT set_config('app.workspace_id', '', true)")
            .await
            .unwrap();
        assert_eq!(count(&reset, "tasks").await, 0);
    })
    .await;
}

#[tokio::test]
async fn in_a_workspace_only_its_own_rows_are_seen_and_changed() {
    on_postgres(|db| async move {
        two_workspaces(&db).await;
        let first = acting(&db, APP_ROLE, Some(1)).await;
        for table in [
            "workspaces",
            "calendars",
            "tasks",
            "calendar_events",
            "audit_logs",
        ] {
            assert_eq!(count(&first, table).await, 1, "{table}");
        }
        let changed = first
            .execute_unprepared("UPDATE tasks SET title = 'Mine'")
            .await
            .unwrap();
        assert_eq!(changed.rows_affected(), 1);
        let deleted = first
            .execute_unprepared("DELETE FROM calendar_events")
            .await
            .unwrap();
        assert_eq!(deleted.rows_affected(), 1);
        first.commit().await.unwrap();
        assert_eq!(count(&db, "tasks WHERE title = 'Mine'").await, 1);
        assert_eq!(count(&db, "calendar_events").await, 1);

        let everywhere = acting(&db, SYSTEM_ROLE, None).await;
        assert_eq!(count(&everywhere, "tasks").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_row_of_another_workspace_cannot_be_written() {
    on_postgres(|db| async move {
        two_workspaces(&db).await;
        let first = acting(&db, APP_ROLE, Some(1)).await;
        let error = put::<task::Entity, _>(&first, task(25, 2))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("row-level security"), "{error}");
        first.rollback().await.unwrap();

        let first = acting(&db, APP_ROLE, Some(1)).await;
        let moved = format!("UPDATE tasks SET workspace_id = '{}'", uuid::Uuid::from_u128(2));
        refused(&first, &moved, "row-level security").await;
        first.rollback().await.unwrap();

        // The keys look across the wall, so a guessed id still meets the composite foreign key.
        let first = acting(&db, APP_ROLE, Some(1)).await;
        let error = put::<calendar_event::Entity, _>(&first, event(35, 1, 12))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("foreign key"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_workspace_is_created_and_deleted_from_inside() {
    on_postgres(|db| async move {
        let third = acting(&db, APP_ROLE, Some(3)).await;
        put::<workspace::Entity, _>(&third, workspace(3)).await.unwrap();
        put::<audit_log::Entity, _>(&third, audit(43, 3)).await.unwrap();
        third.commit().await.unwrap();

        let third = acting(&db, APP_ROLE, Some(3)).await;
        workspace::Entity::delete_by_id(id::<ids::WorkspaceId>(3))
            .exec(&third)
            .await
            .unwrap();
        third.commit().await.unwrap();
        assert_eq!(
            count(&db, "audit_logs").await,
            0,
            "the cascade may do what the role may not"
        );
    })
    .await;
}

#[tokio::test]
async fn the_logs_cannot_be_rewritten_by_a_role() {
    on_postgres(|db| async move {
        two_workspaces(&db).await;
        for (role, sql) in [
            (APP_ROLE, "UPDATE audit_logs SET action = 'x'"),
            (APP_ROLE, "DELETE FROM audit_logs"),
            (APP_ROLE, "UPDATE audit_cuts SET seq = 999"),
            (SYSTEM_ROLE, "UPDATE change_log SET object_type = 'x'"),
            (SYSTEM_ROLE, "TRUNCATE audit_logs"),
        ] {
            let transaction = acting(&db, role, Some(1)).await;
            refused(&transaction, sql, "permission denied").await;
        }
        refused(&db, "TRUNCATE audit_logs", "append-only").await;
        // Retention may delete, but nothing that is not behind a cut.
        let transaction = acting(&db, SYSTEM_ROLE, None).await;
        refused(&transaction, "DELETE FROM audit_logs", "append-only").await;
    })
    .await;
}
