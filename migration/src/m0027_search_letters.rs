//! Search knows capital and small letters of every script, whatever locale PostgreSQL was set up with: in the locale `C` only those of ASCII
//! are known, so that `über` did not find `Über`.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::m0016_search;

/// Replaces the indexes.
pub(crate) struct SearchLetters;

/// A collation of our own, so that questions can name it on every server: Unicode by ICU where that is there, else the best of the system.
const COLLATION: &str = r#"DO $$
DECLARE best text;
BEGIN
  SELECT collname INTO best FROM pg_collation
    WHERE collname IN ('und-x-icu', 'pg_c_utf8', 'C.utf8', 'C.UTF-8', 'C')
    ORDER BY array_position(ARRAY['und-x-icu', 'pg_c_utf8', 'C.utf8', 'C.UTF-8', 'C'], collname::text) LIMIT 1;
  EXECUTE format('CREATE COLLATION meridian_letters FROM pg_catalog.%I', best);
END $$"#;

impl MigrationName for SearchLetters {
    fn name(&self) -> &str {
        "m0027_search_letters"
    }
}

fn index(table: &str, body: &[&str]) -> String {
    let words = |text: String| {
        format!(
            "to_tsvector('simple'::regconfig, regexp_replace(lower({text} COLLATE meridian_letters), '[[:punct:]]+', ' ', 'g'))"
        )
    };
    let body: Vec<String> = body.iter().map(|name| format!("coalesce({name}, '')")).collect();
    let title = words("left(title, 2000)".to_owned());
    let body = words(format!("left({}, 50000)", body.join(" || ' ' || ")));
    format!(
        "CREATE INDEX ix_{table}_search ON {table} USING gin ((array_to_tsvector(ARRAY['#' || workspace_id::text]) \
         || setweight({title}, 'A') || setweight({body}, 'C')))"
    )
}

#[async_trait::async_trait]
impl MigrationTrait for SearchLetters {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // FTS5 knows all letters by itself.
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let db = manager.get_connection();
        db.execute_unprepared(COLLATION).await?;
        for (table, _, body) in m0016_search::TABLES {
            db.execute_unprepared(&format!("DROP INDEX ix_{table}_search"))
                .await?;
            db.execute_unprepared(&index(table, body)).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let db = manager.get_connection();
        for (table, _, body) in m0016_search::TABLES {
            db.execute_unprepared(&format!("DROP INDEX ix_{table}_search"))
                .await?;
            db.execute_unprepared(&m0016_search::postgres(table, body))
                .await?;
        }
        db.execute_unprepared("DROP COLLATION meridian_letters")
            .await
            .map(drop)
    }
}
