//! What PostgreSQL needs before the first table: roles and the extension behind the double-booking constraint.
//!
//! Going down leaves both: roles belong to the whole server, and the operator may have created the extension.

use async_trait::async_trait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::schema::security::{APP_ROLE, SYSTEM_ROLE};

/// The step before all tables.
pub(crate) struct Foundation;

impl MigrationName for Foundation {
    fn name(&self) -> &str {
        "m0001_foundation"
    }
}

#[async_trait]
impl MigrationTrait for Foundation {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let connection = manager.get_connection();
        for role in [APP_ROLE, SYSTEM_ROLE] {
            connection.execute_unprepared(&role_block(role)).await?;
        }
        connection.execute_unprepared(EXTENSION_BLOCK).await?;
        connection.execute_unprepared(SCHEMA_BLOCK).await?;
        connection.execute_unprepared(LIST_RIGHTS).await?;
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Creates a role and lets the current user switch to it. Another database of the server may do the same at this
/// moment, so a failure counts only when the wanted state is not there afterwards.
fn role_block(role: &str) -> String {
    format!(
        "DO $$
DECLARE may_switch boolean;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{role}') THEN
    BEGIN
      CREATE ROLE {role} NOLOGIN;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role {role} is missing and % may not create it', current_user
          USING HINT = 'run as a superuser: CREATE ROLE {role} NOLOGIN; GRANT {role} TO ' || quote_ident(current_user);
    END;
  END IF;
  FOR attempt IN 1..5 LOOP
    -- Version 16 split membership into parts; SET ROLE needs its own.
    IF current_setting('server_version_num')::int >= 160000 THEN
      EXECUTE 'SELECT pg_has_role(current_user, $1, ''SET'')' INTO may_switch USING '{role}'::name;
    ELSE
      may_switch := pg_has_role(current_user, '{role}', 'MEMBER');
    END IF;
    EXIT WHEN may_switch;
    BEGIN
      EXECUTE 'GRANT {role} TO ' || quote_ident(current_user);
    EXCEPTION
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION '% may not switch to the role {role}', current_user
          USING HINT = 'run as a superuser: GRANT {role} TO ' || quote_ident(current_user);
      WHEN unique_violation OR internal_error THEN PERFORM pg_sleep(0.05);
    END;
  END LOOP;
END $$"
    )
}

const EXTENSION_BLOCK: &str = "DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS btree_gist;
EXCEPTION
  WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the extension btree_gist is missing and % may not create it', current_user
      USING HINT = 'run as a superuser in this database: CREATE EXTENSION btree_gist';
END $$";

// In a schema that is not ours to give, the operator has granted its use, or the first query says so.
const SCHEMA_BLOCK: &str = "DO $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO meridian_app, meridian_system', current_schema());
EXCEPTION
  WHEN insufficient_privilege THEN NULL;
END $$";

// Readiness compares applied with known migrations in the role it works in.
const LIST_RIGHTS: &str = "GRANT SELECT ON seaql_migrations TO meridian_app, meridian_system";
